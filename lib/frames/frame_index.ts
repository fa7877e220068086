/**
 * Where the frames of a movie file stand: 12 octets of memory a frame.
 *
 * Floor 1: what every file format of this folder hands out, and the arrays it is gathered in. Reads no file itself.
 *
 * @module
 */
import { constantTimeline, growingTimeline, type Timeline } from "./timeline.ts";

/**
 * The lab's format (5 digits of length before each JPEG), bare concatenated JPEGs, or a container of them; `"images"` is
 * a folder of numbered pictures.
 */
export type FrameFormat =
  | "lab"
  | "jpeg"
  | "avi"
  | "quicktime"
  | "matroska"
  | "multipart"
  | "images";

/** A place in a file where frames could not be read as they should. */
export interface FrameDamage {
  /** Octets from the start of the file. */
  readonly offset: number;
  /** What is wrong there, with numbers. */
  readonly reason: string;
}

/** Where the frames of a movie stand. Offsets and sizes are those of the JPEG itself, length prefixes excluded. */
export interface FrameIndex {
  /** How the file stores frames. */
  readonly format: FrameFormat;
  /** Number of frames. */
  readonly frameCount: number;
  /** Frames a second when nothing else is said: what the file tells, else 20 for the lab's format and 25 for others. */
  readonly defaultFrameRateHz: number;
  /** When each frame is shown. */
  readonly timeline: Timeline;
  /** Unix milliseconds of the first frame, where the file tells when it was taken. */
  readonly startUnixMs?: number;
  /** Octets of all JPEGs together. */
  readonly totalBytes: number;
  /** Octets of the largest JPEG. */
  readonly largestFrameBytes: number;
  /** The first faults, at most 100; {@linkcode damageCount} counts them all. */
  readonly damaged: readonly FrameDamage[];
  /** Number of faults. */
  readonly damageCount: number;
  /** Octets from the start of the file to frame `i` (0-based). Throws `RangeError` outside 0 to frameCount - 1. */
  offsetOf(i: number): number;
  /** Octets of frame `i` (0-based). Throws `RangeError` outside 0 to frameCount - 1. */
  sizeOf(i: number): number;
}

/**
 * Finds the frames of one file. It is driven by position: whoever reads the file hands over octets that start at
 * `position`, as many as there are, and looks at `position` again, since it may jump ahead (over a frame) or back.
 */
export interface FrameFileIndexer {
  /** Octets from the start of the file to the next octet to push; the end of the file when nothing more is needed. */
  readonly position: number;
  /** Takes octets that start at `position`; borrowed. Throws `FrameFileError` when too little of the file makes sense. */
  push(piece: Uint8Array): void;
  /** The index; call it when the file has no more octets. Throws `FrameFileError` `no-frame` when there is no frame. */
  finish(): FrameIndex;
}

/** Why a file of frames cannot be read. */
export type FrameFileFault =
  | "empty"
  | "unknown-format"
  | "no-frame"
  | "too-damaged"
  | "frame-too-large"
  | "wrong-codec"
  | "damaged-container"
  | "file-changed";

/** Offsets and sizes under way, in typed arrays that grow. */
export class FrameTable {
  #offsets = new Float64Array(1024);
  #sizes = new Uint32Array(1024);
  #starts: Float64Array | undefined;
  #count = 0;
  #totalBytes = 0;
  #largestFrameBytes = 0;

  /** Frames so far. */
  get count(): number {
    return this.#count;
  }

  /** Seconds at which each frame begins, where they were given; a copy. */
  get starts(): Float64Array | undefined {
    return this.#starts?.slice(0, this.#count);
  }

  /** Adds a frame of `size` octets at `offset`, which begins at that many seconds where that is known (of all or of none). */
  add(offset: number, size: number, startSeconds?: number): void {
    if (this.#count === this.#sizes.length) this.#resize(this.#count * 2);
    if (startSeconds !== undefined) {
      this.#starts ??= new Float64Array(this.#sizes.length);
      this.#starts[this.#count] = startSeconds;
    }
    this.#offsets[this.#count] = offset;
    this.#sizes[this.#count++] = size;
    this.#totalBytes += size;
    this.#largestFrameBytes = Math.max(this.#largestFrameBytes, size);
  }

  /**
   * The index over these frames; the table must not be added to afterwards.
   *
   * @example
   * ```ts
   * import { assertEquals, assertThrows } from "@std/assert";
   * import { FrameTable } from "./frame_index.ts";
   *
   * const table = new FrameTable();
   * table.add(5, 10_528);
   * const index = table.toIndex("lab", { list: [], count: 0 });
   * assertEquals([index.offsetOf(0), index.sizeOf(0), index.defaultFrameRateHz], [5, 10_528, 20]);
   * assertThrows(() => index.sizeOf(1), RangeError);
   * ```
   */
  toIndex(
    format: FrameFormat,
    damage: { readonly list: readonly FrameDamage[]; readonly count: number },
    times: { readonly timeline?: Timeline; readonly startUnixMs?: number } = {},
  ): FrameIndex {
    this.#resize(this.#count);
    const timeline = times.timeline ??
      constantTimeline(Math.max(1, this.#count), format === "lab" ? 20 : 25);
    const offsets = this.#offsets, sizes = this.#sizes, count = this.#count;
    return {
      format,
      frameCount: count,
      defaultFrameRateHz: timeline.frameRateHz,
      timeline,
      startUnixMs: times.startUnixMs,
      totalBytes: this.#totalBytes,
      largestFrameBytes: this.#largestFrameBytes,
      damaged: damage.list,
      damageCount: damage.count,
      offsetOf: (i) => at(offsets, i, count),
      sizeOf: (i) => at(sizes, i, count),
    };
  }

  /** The index over these frames and over those that will be added: one object whose numbers grow. */
  growingIndex(
    format: FrameFormat,
    damage: { readonly list: readonly FrameDamage[]; readonly count: number },
    frameRateHz: number,
  ): FrameIndex {
    // deno-lint-ignore no-this-alias -- the getters below have a `this` of their own
    const table = this;
    return {
      format,
      get frameCount() {
        return table.#count;
      },
      defaultFrameRateHz: frameRateHz,
      timeline: growingTimeline(() => table.#count, frameRateHz),
      get totalBytes() {
        return table.#totalBytes;
      },
      get largestFrameBytes() {
        return table.#largestFrameBytes;
      },
      damaged: damage.list,
      get damageCount() {
        return damage.count;
      },
      offsetOf: (i) => at(table.#offsets, i, table.#count),
      sizeOf: (i) => at(table.#sizes, i, table.#count),
    };
  }

  #resize(count: number): void {
    const offsets = new Float64Array(count), sizes = new Uint32Array(count);
    offsets.set(this.#offsets.subarray(0, Math.min(count, this.#count)));
    sizes.set(this.#sizes.subarray(0, Math.min(count, this.#count)));
    this.#offsets = offsets;
    this.#sizes = sizes;
    if (this.#starts === undefined) return;
    const starts = new Float64Array(count);
    starts.set(this.#starts.subarray(0, Math.min(count, this.#count)));
    this.#starts = starts;
  }
}

function at(numbers: Float64Array | Uint32Array, i: number, count: number): number {
  if (i >= 0 && i < count && Number.isInteger(i)) return numbers[i];
  throw new RangeError(`Cannot find frame: index "${i}", wanted 0 to ${count - 1}`);
}
