// Types of @std/bytes, the one package that floors 0 to 2 may use. Apart from std.d.ts because the purity check reads it too.
declare module "@std/bytes" {
  export function concat(buffers: Iterable<Uint8Array>): Uint8Array<ArrayBuffer>;
  export function copy(source: Uint8Array, target: Uint8Array, offset?: number): number;
  export function endsWith(source: Uint8Array, suffix: Uint8Array): boolean;
  export function equals(a: Uint8Array, b: Uint8Array): boolean;
  export function includesNeedle(source: Uint8Array, needle: Uint8Array, start?: number): boolean;
  export function indexOfNeedle(source: Uint8Array, needle: Uint8Array, start?: number): number;
  export function lastIndexOfNeedle(source: Uint8Array, needle: Uint8Array, start?: number): number;
  export function startsWith(source: Uint8Array, prefix: Uint8Array): boolean;
}
