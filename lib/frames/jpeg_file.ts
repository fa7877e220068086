/**
 * Files of JPEG pictures one behind the other, as `ffmpeg -f mjpeg` and cameras write them.
 *
 * Floor 1: finds the pictures by their markers; decodes nothing and reads no file.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import { JpegBoundaryScanner } from "../jpeg/boundary.ts";
import { DamageLog } from "./frame_damage.ts";
import { type FrameFileIndexer, type FrameIndex, FrameTable } from "./frame_index.ts";

/** Octets of the largest picture that counts as one: a file of zeros behind one SOI is no frame. */
const LARGEST_FRAME_BYTES = 64 << 20;

/**
 * Finds every picture from SOI to EOI, past the thumbnails inside them. Octets between pictures are passed over, and
 * counted as damage unless they are padding; so are pictures that another one interrupts, or the end of the file.
 * Where no picture at all has an EOI, each reaches to the next SOI.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { JpegFileIndexer } from "./jpeg_file.ts";
 *
 * const picture = [0xff, 0xd8, 0xff, 0xc0, 0, 2, 0xff, 0xda, 0, 2, 7, 0xff, 0xd9];
 * const file = new Uint8Array([...picture, ...picture]);
 * const indexer = new JpegFileIndexer({ totalBytes: file.length });
 * indexer.push(file);
 * const index = indexer.finish();
 * assertEquals([index.frameCount, index.offsetOf(1), index.sizeOf(1)], [2, 13, 13]);
 * ```
 */
export class JpegFileIndexer implements FrameFileIndexer {
  readonly #totalBytes: number;
  readonly #frames = new FrameTable();
  readonly #endless = new FrameTable();
  readonly #damage = new DamageLog();
  readonly #scanner = new JpegBoundaryScanner();
  #position = 0;
  /** Start of the picture under way, or -1 between pictures. */
  #start = -1;
  /** Octets of FF D8 FF seen between pictures. */
  #matched = 0;
  #garbageStart = 0;
  #garbageIsPadding = true;

  /** `totalBytes` is the size of the file; `Infinity` for one that grows. */
  constructor(options: { readonly totalBytes: number }) {
    this.#totalBytes = options.totalBytes;
  }

  /** Octets from the start of the file to the next octet to push. */
  get position(): number {
    return this.#position;
  }

  /** Takes octets that start at `position`. */
  push(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      at = this.#start < 0 ? this.#search(piece, at) : this.#follow(piece, at);
    }
  }

  /** The index. Throws `FrameFileError` `no-frame` when there is no picture. */
  finish(): FrameIndex {
    if (this.#start >= 0) this.#leaveOpen("the file ends before its EOI", this.#totalBytes);
    else this.#noteGarbage(this.#totalBytes);
    const withEnd = this.#frames.count > 0;
    const frames = withEnd ? this.#frames : this.#endless;
    if (frames.count > 0) {
      return frames.toIndex("jpeg", withEnd ? this.#damage : { list: [], count: 0 });
    }
    throw new FrameFileError(
      `Cannot read file as JPEG pictures: ${this.#totalBytes} octets hold no whole picture`,
      { code: "no-frame", offset: 0, rfc: "T.81 Annex B" },
    );
  }

  /** The index of a file that grows: pictures join it when their EOI comes, what follows the last of them is waited for. */
  growingIndex(): FrameIndex {
    return this.#frames.growingIndex("jpeg", this.#damage, 25);
  }

  /** Looks for the next SOI that a marker follows. */
  #search(piece: Uint8Array, from: number): number {
    let at = from;
    while (at < piece.length) {
      if (this.#matched === 0 && this.#garbageStart < this.#position + at - from) {
        // Long garbage is passed over at the speed of memchr.
        const next = piece.indexOf(0xff, at);
        this.#lookAtGarbage(piece, at, next < 0 ? piece.length : next);
        if (next < 0) break;
        at = next;
      }
      const octet = piece[at++];
      const wanted = this.#matched === 1 ? 0xd8 : 0xff;
      if (octet === wanted) this.#matched++;
      else {
        if (this.#matched === 2 || PADDING.indexOf(octet) < 0) this.#garbageIsPadding = false;
        this.#matched = octet === 0xff ? 1 : 0;
      }
      if (this.#matched === 3) return this.#open(this.#position + at - from - 3, at, from);
    }
    this.#position += piece.length - from;
    return piece.length;
  }

  #lookAtGarbage(piece: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to && this.#garbageIsPadding; at++) {
      this.#garbageIsPadding = PADDING.indexOf(piece[at]) >= 0;
    }
  }

  #open(start: number, at: number, from: number): number {
    this.#noteGarbage(start);
    this.#start = start;
    this.#matched = 0;
    this.#scanner.reset();
    this.#scanner.push(SOI_AND_MARKER);
    this.#position += at - from;
    return at;
  }

  #follow(piece: Uint8Array, from: number): number {
    const at = this.#scanner.push(piece, from);
    this.#position += at - from;
    const size = this.#position - this.#start;
    if (this.#scanner.state === "complete") {
      this.#frames.add(this.#start, size);
      this.#between();
    } else if (this.#scanner.state === "broken") {
      this.#leaveOpen(this.#scanner.fault, this.#position);
    } else if (size > LARGEST_FRAME_BYTES) {
      this.#leaveOpen(`it has no end within ${LARGEST_FRAME_BYTES} octets`, this.#position);
    }
    if (at >= 0) return at;
    // The FF of the next SOI was the last octet of the piece before.
    this.#matched = 1;
    this.#position++;
    return 0;
  }

  /** Ends a picture that has no EOI. */
  #leaveOpen(reason: string, end: number): void {
    const start = this.#start, size = end - start;
    if (this.#scanner.hasScan && size <= LARGEST_FRAME_BYTES) this.#endless.add(start, size);
    const good = this.#frames.count + this.#endless.count;
    this.#damage.add(start, `The picture of ${size} octets is not whole: ${reason}`, good);
    this.#between();
  }

  #between(): void {
    this.#start = -1;
    this.#matched = 0;
    this.#garbageStart = this.#position;
    this.#garbageIsPadding = true;
  }

  #noteGarbage(end: number): void {
    const size = end - this.#garbageStart;
    if (size === 0 || this.#garbageIsPadding) return;
    const good = this.#frames.count + this.#endless.count;
    this.#damage.add(this.#garbageStart, `${size} octets are no picture`, good);
  }
}

const SOI_AND_MARKER = Uint8Array.of(0xff, 0xd8, 0xff);
/** What writers put between pictures: zeros, fill octets, a second EOI, line ends. */
const PADDING = Uint8Array.of(0x00, 0xff, 0xd9, 0x0d, 0x0a);
