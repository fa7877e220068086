/**
 * Where the frames of a movie file stand: 12 octets of memory a frame.
 *
 * Floor 1 · what every file format of this folder hands out. Reads no file itself.
 *
 * @module
 */

/** The lab's format (5 digits of length before each JPEG) or bare concatenated JPEGs. */
export type FrameFormat = "lab" | "jpeg";

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
  /** Frames a second when nothing else is said: 20 for the lab's format, 25 for bare JPEGs. */
  readonly defaultFrameRateHz: number;
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
