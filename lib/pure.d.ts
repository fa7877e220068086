// What floors 0 to 2 may know of the host: names that turn text into bytes and back, and nothing that has a clock,
// a timer, randomness, a console, a disk or a socket. `tools/check_purity.ts` compiles those floors against
// ECMAScript and this file alone.

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
declare let TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare let TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

/** Base64 of a string whose characters are octets. */
declare function btoa(octets: string): string;
/** The octets, as characters, of a Base64 string. */
declare function atob(base64: string): string;
