/**
 * Reading the octets of frames: from one file, a window at a time, or from a folder with one picture in each file.
 *
 * Floor 3: reads files; keeps nothing. Which frame stands where is the index's business.
 *
 * @module
 */
import type { FrameIndex } from "../frames/frame_index.ts";

/** Where a movie's frames come from. */
export interface FrameReader {
  /**
   * Reads a frame and some beside it: those behind it, or before it where a reader goes backwards. A frame that the
   * source no longer holds whole comes as what is left of it.
   */
  read(
    frame: number,
    options: { readonly windowBytes: number; readonly isBackwards: boolean },
  ): Promise<ReadonlyMap<number, Uint8Array>>;
  /** Closes what is open. */
  close(): void;
}

/** Reads frames of one file. */
export class FileFrameReader implements FrameReader {
  readonly #file: Deno.FsFile;
  readonly #index: FrameIndex;
  /** Used again and again: a hundred readers would leave a lot to collect. */
  #buffer: Uint8Array = new Uint8Array(0);

  /** Takes over an open file. */
  constructor(file: Deno.FsFile, index: FrameIndex) {
    this.#file = file;
    this.#index = index;
  }

  /**
   * See {@linkcode FrameReader.read}. Frames are read together while they stand in the order of the file. One read at a
   * time.
   */
  async read(
    frame: number,
    options: { readonly windowBytes: number; readonly isBackwards: boolean },
  ): Promise<ReadonlyMap<number, Uint8Array>> {
    const index = this.#index;
    const { first, last } = this.#window(frame, options);
    const start = index.offsetOf(first);
    const wanted = index.offsetOf(last) + index.sizeOf(last) - start;
    if (this.#buffer.length < wanted) this.#buffer = new Uint8Array(wanted);
    const octets = this.#buffer.subarray(0, wanted);
    const size = await readFully(this.#file, start, octets);
    const frames = new Map<number, Uint8Array>();
    for (let i = first; i <= last; i++) {
      const at = index.offsetOf(i) - start;
      frames.set(i, octets.slice(at, Math.min(at + index.sizeOf(i), size)));
    }
    return frames;
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  #window(
    frame: number,
    { windowBytes, isBackwards }: { readonly windowBytes: number; readonly isBackwards: boolean },
  ) {
    const { offsetOf, sizeOf, frameCount } = this.#index;
    let first = frame, last = frame;
    if (isBackwards) {
      const end = offsetOf(frame) + sizeOf(frame);
      while (first > 0 && end - offsetOf(first - 1) <= windowBytes) {
        if (offsetOf(first - 1) + sizeOf(first - 1) > offsetOf(first)) break;
        first--;
      }
      return { first, last };
    }
    const start = offsetOf(frame);
    while (last + 1 < frameCount) {
      const next = last + 1;
      if (offsetOf(next) < offsetOf(last) + sizeOf(last)) break;
      if (offsetOf(next) + sizeOf(next) - start > windowBytes) break;
      last = next;
    }
    return { first, last };
  }
}

/** Reads frames of a folder: each is a file. */
export class FolderFrameReader implements FrameReader {
  readonly #paths: readonly string[];

  /** `paths` in the order of the frames. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** See {@linkcode FrameReader.read}; reads the one frame. */
  async read(frame: number): Promise<ReadonlyMap<number, Uint8Array>> {
    return new Map([[frame, await Deno.readFile(this.#paths[frame])]]);
  }

  /** Nothing is open. */
  close(): void {}
}

/** Fills `target` from `offset` on as far as the file goes; returns the octets read. */
export async function readFully(
  file: Deno.FsFile,
  offset: number,
  target: Uint8Array,
): Promise<number> {
  await file.seek(offset, Deno.SeekMode.Start);
  let size = 0;
  while (size < target.length) {
    const got = await file.read(target.subarray(size));
    if (got === null) break;
    size += got;
  }
  return size;
}
