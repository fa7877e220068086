/**
 * The parts of a multipart stream: boundaries, headers, bodies. RFC 2046 s5.1, read as cameras write it.
 *
 * Floor 1: inner part of `multipart_file.ts` and `growing_multipart.ts`. Reads no file.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 * @module
 */
import { latin1 } from "../latin1.ts";
import type { Steps } from "./stepped_indexer.ts";

/** What the headers of a part say. */
export interface Part {
  /** Where its body begins. */
  readonly body: number;
  /** Octets of its body, where it says so. */
  readonly length: number | undefined;
  /** When it was taken, where it says so. */
  readonly seconds: number | undefined;
}

/** The headers of a part. */
export function* readPart(at: number): Steps<Part | undefined> {
  const text = latin1(yield { at, size: MAX_HEADERS_BYTES });
  const headers = /^[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n/.exec(text);
  if (headers === null) return undefined;
  const value = (name: string) =>
    new RegExp(`^${name}:\\s*([\\d.]{1,20})`, "im").exec(headers[0])?.[1];
  const length = Number(value("content-length") ?? Number.NaN);
  const seconds = Number(value("x-timestamp") ?? Number.NaN);
  return {
    body: at + headers[0].length,
    length: Number.isSafeInteger(length) && length > 0 ? length : undefined,
    seconds: Number.isFinite(seconds) ? seconds : undefined,
  };
}

/** Whether a boundary, or the end of the file, stands at `at`, line ends before it passed over. */
export function* hasBoundaryAt(
  at: number,
  needle: Uint8Array,
  totalBytes: number,
): Steps<boolean> {
  if (at > totalBytes) return false;
  const octets = yield { at, size: needle.length + 4 };
  let start = 0;
  while (octets[start] === 0x0d || octets[start] === 0x0a) start++;
  if (at + start >= totalBytes) return true;
  return needle.every((octet, i) => octets[start + i] === octet || at + start + i >= totalBytes);
}

/** Where the next boundary begins; `totalBytes` where there is none. */
export function* findBoundary(
  from: number,
  needle: Uint8Array,
  totalBytes: number,
): Steps<number> {
  for (let at = from; at < totalBytes; at += SEARCH_BYTES - needle.length) {
    const octets = yield { at, size: SEARCH_BYTES };
    for (let i = octets.indexOf(needle[0]); i >= 0; i = octets.indexOf(needle[0], i + 1)) {
      if (needle.every((octet, k) => octets[i + k] === octet)) return at + i;
    }
  }
  return totalBytes;
}

/** Octets of a body that ends before the boundary at `next`: the line end belongs to the boundary. */
export function* bodySize(body: number, next: number): Steps<number> {
  const octets = yield { at: Math.max(body, next - 2), size: Math.min(2, next - body) };
  const [a, b] = octets.length === 2 ? octets : [0, octets[0] ?? 0];
  return Math.max(0, next - body - (b !== 0x0a ? 0 : a === 0x0d ? 2 : 1));
}

/** Whether SOI stands at `at`. */
export function* startsPicture(at: number): Steps<boolean> {
  const octets = yield { at, size: 2 };
  return octets[0] === 0xff && octets[1] === 0xd8;
}

/** Whether EOI stands right before `end`. */
export function* endsPicture(end: number): Steps<boolean> {
  const octets = yield { at: Math.max(0, end - 2), size: 2 };
  return octets[0] === 0xff && octets[1] === 0xd9;
}

/** The headers of a part are read up to so many octets. */
export const MAX_HEADERS_BYTES = 4096;
const SEARCH_BYTES = 65_536;
