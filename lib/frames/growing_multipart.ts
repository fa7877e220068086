/**
 * A saved multipart stream that grows while it is read.
 *
 * Floor 1: finds the parts that are whole, and looks at the others again when there is more of them. A part is whole
 * when its `Content-Length` is there and ends with EOI, or when the next boundary is there. Decodes nothing, reads no
 * file. RFC 2046 s5.1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 * @module
 */
import { DamageLog } from "./frame_damage.ts";
import { type FrameIndex, FrameTable } from "./frame_index.ts";
import type { GrowingFileIndexer } from "./growing_file.ts";
import {
  bodySize,
  endsPicture,
  findBoundary,
  hasBoundaryAt,
  MAX_HEADERS_BYTES,
  type Part,
  readPart,
  startsPicture,
} from "./multipart_parts.ts";
import { type IndexSteps, SteppedIndexer, type Steps } from "./stepped_indexer.ts";

/**
 * Finds the pictures of a growing multipart stream.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { GrowingMultipartIndexer } from "./growing_multipart.ts";
 *
 * const part = "--x\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\n\xff\xd8\xff\xd9\r\n";
 * const file = Uint8Array.from(part + part, (character) => character.charCodeAt(0));
 * const indexer = new GrowingMultipartIndexer({ boundary: "--x" });
 * for (const size of [part.length + 9, file.length]) {
 *   indexer.grow(size);
 *   while (indexer.position < size) indexer.push(file.subarray(indexer.position, size));
 * }
 * assertEquals(indexer.index.frameCount, 2);
 * ```
 */
export class GrowingMultipartIndexer implements GrowingFileIndexer {
  readonly #needle: Uint8Array;
  readonly #frames = new FrameTable();
  readonly #damage = new DamageLog();
  #indexer: SteppedIndexer | undefined;
  #index: FrameIndex | undefined;
  /** Where the next boundary is looked for. */
  #at = 0;
  /** How far the end of the part at `#at` has been looked for in vain. */
  #searched = 0;
  #firstSeconds: number | undefined;
  #lastSeconds = 0;

  /** `boundary` is the line between the pictures, dashes included. */
  constructor(options: { readonly boundary: string }) {
    this.#needle = Uint8Array.from(options.boundary, (character) => character.charCodeAt(0));
  }

  /** See {@linkcode GrowingFileIndexer.position}. */
  get position(): number {
    return this.#indexer?.position ?? 0;
  }

  /** The frames so far; the rate is what the parts told of their times when it was first asked for, else 25 Hz. */
  get index(): FrameIndex {
    return this.#index ??= this.#frames.growingIndex("multipart", this.#damage, this.#rateHz());
  }

  /** See {@linkcode GrowingFileIndexer.grow}. */
  grow(totalBytes: number): void {
    this.#indexer = new SteppedIndexer(this.#steps(totalBytes), { totalBytes });
  }

  /** See {@linkcode GrowingFileIndexer.push}. */
  push(piece: Uint8Array): void {
    this.#indexer?.push(piece);
  }

  *#steps(totalBytes: number): IndexSteps {
    for (;;) {
      const start = yield* findBoundary(this.#at, this.#needle, totalBytes);
      if (start >= totalBytes) {
        this.#at = Math.max(this.#at, totalBytes - this.#needle.length);
        return this.#soFar();
      }
      this.#at = start;
      const headers = start + this.#needle.length;
      const part = yield* readPart(headers);
      if (part === undefined) {
        if (totalBytes - headers < MAX_HEADERS_BYTES) return this.#soFar();
        this.#at = headers;
        continue;
      }
      const end = yield* this.#endOf(part, totalBytes);
      if (end === undefined) return this.#soFar();
      const { body, seconds } = part, { size, next } = end;
      if (size < 4 || !(yield* startsPicture(body))) {
        this.#damage.add(body, `a part of ${size} octets that is no JPEG`, this.#frames.count);
      } else {
        this.#frames.add(body, size);
        this.#firstSeconds ??= seconds;
        this.#lastSeconds = seconds ?? this.#lastSeconds;
      }
      this.#at = next;
      this.#searched = 0;
    }
  }

  /** Where a part ends and where to look for the next; `undefined` while that cannot be told. */
  *#endOf(
    { body, length }: Part,
    totalBytes: number,
  ): Steps<{ readonly size: number; readonly next: number } | undefined> {
    if (length !== undefined && length <= LARGEST_FRAME_BYTES) {
      const end = body + length;
      if (end > totalBytes) return undefined;
      if (yield* hasBoundaryAt(end, this.#needle, totalBytes)) {
        const isSeen = end + LINE_ENDS_BYTES + this.#needle.length <= totalBytes;
        return isSeen || (yield* endsPicture(end)) ? { size: length, next: end } : undefined;
      }
    }
    const next = yield* findBoundary(Math.max(body, this.#searched), this.#needle, totalBytes);
    if (next >= totalBytes) {
      this.#searched = Math.max(body, totalBytes - this.#needle.length);
      return undefined;
    }
    return { size: yield* bodySize(body, next), next };
  }

  #soFar(): FrameIndex {
    return this.#frames.growingIndex("multipart", this.#damage, this.#rateHz());
  }

  #rateHz(): number {
    const seconds = this.#lastSeconds - (this.#firstSeconds ?? this.#lastSeconds);
    const rateHz = (this.#frames.count - 1) / seconds;
    return rateHz >= 0.1 && rateHz <= 1000 ? Math.round(rateHz * 1000) / 1000 : 25;
  }
}

/** A part that says to be longer lies. */
const LARGEST_FRAME_BYTES = 64 << 20;
/** Line ends before a boundary that are passed over. */
const LINE_ENDS_BYTES = 4;
