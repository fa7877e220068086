/**
 * Pushing texts through an RTSP parser in any pieces.
 *
 * @module
 */
import { type RtspMessage, RtspParser, type RtspParserOptions } from "../../lib/rtsp.ts";

/** The octets of a text. */
export function octets(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Cuts octets into pieces at the given places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places].sort((a, b) => a - b);
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}

/** Whole; octet by octet; and in two pieces at every place. */
export function* segmentations(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (octet) => Uint8Array.of(octet));
  for (let place = 1; place < bytes.length; place++) yield cutAt(bytes, [place]);
}

/** All messages a parser hands out for the pieces; `silence` is what follows the last one. */
export function readPieces(
  options: RtspParserOptions,
  pieces: Iterable<Uint8Array>,
  end: { silence?: "pause" | "end"; expect?: readonly string[] } = {},
): RtspMessage[] {
  const parser = new RtspParser(options);
  end.expect?.forEach((method) => parser.expectResponseTo(method));
  const messages: RtspMessage[] = [];
  const drain = () => {
    for (let message = parser.next(); message !== undefined; message = parser.next()) {
      messages.push(message);
    }
  };
  for (const piece of pieces) {
    parser.push(piece);
    drain();
  }
  if (end.silence === "pause" && parser.pauseMs !== undefined) parser.pause();
  if (end.silence === "end") parser.endOfInput();
  drain();
  return messages;
}
