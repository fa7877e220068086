/**
 * A saved multipart stream: what `curl` keeps of a camera's `multipart/x-mixed-replace`, and `ffmpeg -f mpjpeg` writes.
 *
 * Floor 1: finds the parts, decodes nothing, reads no file. RFC 2046 s5.1. Cameras are free with it: the boundary may
 * stand with or without its two dashes, lengths may be absent or wrong, line ends may be bare; a head of HTTP may come
 * first. `X-Timestamp` (seconds) gives the frames their times.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 * @module
 */
import { containerFault } from "./container_fault.ts";
import { DamageLog } from "./frame_damage.ts";
import { FrameTable } from "./frame_index.ts";
import { type IndexSteps, SteppedIndexer, type Steps } from "./stepped_indexer.ts";
import { timelineOf } from "./timeline.ts";

/**
 * Finds the pictures of a saved multipart stream.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MultipartFileIndexer } from "./multipart_file.ts";
 *
 * const part = "--x\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\n\xff\xd8\xff\xd9\r\n";
 * const file = Uint8Array.from(part + part, (character) => character.charCodeAt(0));
 * const indexer = new MultipartFileIndexer({ totalBytes: file.length });
 * indexer.push(file);
 * assertEquals(indexer.finish().frameCount, 2);
 * ```
 */
export class MultipartFileIndexer extends SteppedIndexer {
  /** `totalBytes` is the size of the file; `boundary` is needed where it does not start a line of its own. */
  constructor(options: { readonly totalBytes: number; readonly boundary?: string }) {
    super(readMultipart(options.totalBytes, options.boundary), options);
  }
}

/**
 * The line that stands before each part, dashes included, as the start of a file shows it; `undefined` where the file
 * is none of this kind.
 */
export function boundaryOf(head: Uint8Array): string | undefined {
  const text = latin1(head.subarray(0, 4096));
  const start = /^(?:HTTP\/1\.[01] [^]*?\r?\n\r?\n)?\s*(--[^\r\n]{1,70})\r?\n/.exec(text);
  if (start === null) return undefined;
  const headers = /^((?:[\w-]+:[^\r\n]*\r?\n)+)\r?\n/.exec(text.slice(start[0].length));
  return headers !== null && /^content-(?:type|length):/im.test(headers[1])
    ? start[1].trimEnd()
    : undefined;
}

/** What the headers of a part say. */
export interface Part {
  /** Where its body begins. */
  readonly body: number;
  /** Octets of its body, where it says so. */
  readonly length: number | undefined;
  /** When it was taken, where it says so. */
  readonly seconds: number | undefined;
}

function* readMultipart(totalBytes: number, given: string | undefined): IndexSteps {
  const head = (yield { at: 0, size: 4096 }).slice();
  const boundary = given ?? boundaryOf(head);
  if (boundary === undefined) {
    throw containerFault("multipart stream", "it shows no boundary, name it with --boundary", {
      ...{ code: "unknown-format", offset: 0 },
    });
  }
  const needle = Uint8Array.from(boundary, (character) => character.charCodeAt(0));
  const frames = new FrameTable(), damage = new DamageLog();
  let hasTimes = true;
  let at = yield* findBoundary(0, needle, totalBytes);
  while (at < totalBytes) {
    const part = yield* readPart(at + needle.length);
    if (part === undefined) {
      at = yield* findBoundary(at + needle.length, needle, totalBytes);
      continue;
    }
    const { body, length, seconds } = part;
    const isRight = length !== undefined &&
      (yield* hasBoundaryAt(body + length, needle, totalBytes));
    const next = isRight
      ? yield* findBoundary(body + length, needle, totalBytes)
      : yield* findBoundary(body, needle, totalBytes);
    const size = isRight ? length : yield* bodySize(body, next);
    const isPicture = yield* startsPicture(body);
    if (!isRight && next >= totalBytes && !(yield* endsPicture(body + size))) {
      damage.add(body, "the file ends within a picture", frames.count);
    } else if (size < 4 || !isPicture) {
      damage.add(body, `a part of ${size} octets that is no JPEG`, frames.count);
    } else {
      hasTimes &&= seconds !== undefined;
      frames.add(body, size, seconds ?? 0);
    }
    at = next;
  }
  if (frames.count === 0) {
    throw containerFault("multipart stream", "it has no JPEG parts", {
      ...{ code: "no-frame", offset: 0 },
    });
  }
  return frames.toIndex("multipart", damage, hasTimes ? timesOf(frames) : {});
}

function timesOf(frames: FrameTable) {
  const starts = frames.starts!;
  const span = starts[starts.length - 1] - starts[0];
  const isSane = span > 0 && span < MAX_SECONDS_OF_FRAME * starts.length;
  if (!isSane) return {};
  // Seconds of Unix time, where the camera has a clock.
  const startUnixMs = starts[0] > 1e9 ? Math.round(starts[0] * 1000) : undefined;
  const endSeconds = starts[starts.length - 1] + span / (starts.length - 1);
  return { timeline: timelineOf(starts, { endSeconds, roundedToSeconds: 0.001 }), startUnixMs };
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

function latin1(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}

/** The headers of a part are read up to so many octets. */
export const MAX_HEADERS_BYTES = 4096;
const SEARCH_BYTES = 65_536;
const MAX_SECONDS_OF_FRAME = 3600;
