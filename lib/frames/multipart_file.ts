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
import { latin1 } from "../latin1.ts";
import { containerFault } from "./container_fault.ts";
import { DamageLog } from "./frame_damage.ts";
import { FrameTable } from "./frame_index.ts";
import {
  bodySize,
  endsPicture,
  findBoundary,
  hasBoundaryAt,
  readPart,
  startsPicture,
} from "./multipart_parts.ts";
import { type IndexSteps, SteppedIndexer } from "./stepped_indexer.ts";
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

const MAX_SECONDS_OF_FRAME = 3600;
