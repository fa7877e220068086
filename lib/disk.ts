/**
 * Movies on disk: opened, indexed once and shared by their readers; recordings.
 * Being written; the signatures stand.
 *
 * Floor 3: reads and writes files.
 *
 * @module
 */
import type { JpegImage } from "./jpeg.ts";
import type { FrameFormat, FrameIndex } from "./frames/frame_index.ts";

/** Opens and indexes a movie. Throws `FrameFileError` (no movie) or `TransportError` (missing or unreadable: `errno` "ENOENT", "EACCES", …). */
export function openMovie(
  _path: string | URL,
  _options: { readonly signal?: AbortSignal } = {},
): Promise<MovieFile> {
  throw new Error("Not written yet");
}

/** A movie that was opened and indexed. */
export abstract class MovieFile implements AsyncDisposable {
  /** File name without folders. */
  abstract readonly name: string;
  /** Where its frames stand. */
  abstract readonly index: FrameIndex;
  /** Frame format. */
  abstract readonly format: FrameFormat;
  /** Number of frames. */
  abstract readonly frameCount: number;
  /** Frames a second when nothing else is said: 20 for the lab's format, 25 for bare JPEGs. */
  abstract readonly defaultFrameRateHz: number;
  /** Pixels, of the first frame. */
  abstract readonly width: number;
  /** Pixels, of the first frame. */
  abstract readonly height: number;
  /** The first frame, parsed. */
  abstract readonly firstFrame: JpegImage;
  /** Frame `i` (0-based): shared and read-only. */
  abstract readFrame(i: number): Promise<Uint8Array>;
  /** Frame `i` when it is in memory, else undefined. */
  abstract cachedFrame(i: number): Uint8Array | undefined;
  /** Closes the file. */
  abstract close(): Promise<void>;
  /** Closes the file. */
  abstract [Symbol.asyncDispose](): Promise<void>;
}

/** Appends frames to a file, one write a frame. */
export abstract class MovieRecorder implements AsyncDisposable {
  /** Creates (or empties) the file. */
  static open(
    _path: string | URL,
    _options: { readonly format: FrameFormat },
  ): Promise<MovieRecorder> {
    throw new Error("Not written yet");
  }
  /** Frames written. */
  abstract readonly frames: number;
  /** Octets written. */
  abstract readonly bytes: number;
  /** Appends one frame. */
  abstract write(jpeg: Uint8Array): Promise<void>;
  /** Flushes and closes. */
  abstract close(): Promise<void>;
  /** Flushes and closes. */
  abstract [Symbol.asyncDispose](): Promise<void>;
}
