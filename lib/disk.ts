/**
 * Movies on disk: opened and indexed once, read by many; recordings.
 *
 * Floor 3: reads and writes files. Formats are those of `frames/`; which files may be opened is the caller's to decide.
 *
 * @module
 */
import { FrameFileError, JpegFormatError, TransportError } from "./errors.ts";
import { FrameCache } from "./disk/frame_cache.ts";
import { HEAD_BYTES, indexerFor } from "./frames/frame_format.ts";
import type { FrameFormat, FrameIndex } from "./frames/frame_index.ts";
import { isSystemError, nameOf, systemError } from "./disk/system_error.ts";
import { type JpegImage, parseJpeg } from "./jpeg.ts";

export { CaptureFile, type CaptureFileOptions } from "./disk/capture_file.ts";
export { FrameCache } from "./disk/frame_cache.ts";
export { MovieRecorder } from "./disk/recorder.ts";

/** How a movie is opened. */
export interface OpenMovieOptions {
  /** Gives up reading the index; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where frames are kept after reading. @default {one of 64 MiB for all movies} */
  readonly cache?: FrameCache;
}

/**
 * Opens a movie and finds its frames: lab format or bare JPEGs, told by content. Memory: 12 octets a frame.
 *
 * @throws {FrameFileError} when the file is empty or holds no frames that can be read.
 * @throws {TransportError} when it is missing or unreadable; `errno` is "ENOENT", "EACCES", "EISDIR" and so on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openMovie } from "./disk.ts";
 *
 * await using movie = await openMovie("media/video.mjpeg");
 * assertEquals([movie.frameCount, movie.width, movie.height], [500, 320, 240]);
 * assertEquals([...(await movie.readFrame(499)).subarray(0, 2)], [0xff, 0xd8]);
 * ```
 */
export async function openMovie(
  path: string | URL,
  options: OpenMovieOptions = {},
): Promise<MovieFile> {
  const name = nameOf(path);
  const file = await openFile(path, name);
  try {
    const { size } = await file.stat();
    const index = await buildIndex(file, { size, signal: options.signal });
    const cache = options.cache ?? sharedCache();
    const movie = new MovieFile({ name, file, index, cache });
    await movie.examineFirstFrame();
    return movie;
  } catch (error) {
    file.close();
    throw named(error, name);
  }
}

/** A movie that was opened and indexed. Made by {@linkcode openMovie}. */
export class MovieFile implements AsyncDisposable {
  /** File name without folders. */
  readonly name: string;
  /** Where its frames stand, and what is damaged. */
  readonly index: FrameIndex;
  readonly #file: Deno.FsFile;
  readonly #cache: FrameCache;
  readonly #key = nextCacheKey++;
  #firstFrame: JpegImage | undefined;
  readonly #reads = new Map<number, Promise<Uint8Array>>();
  /** One file position is shared by all readers: reads wait for one another. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Takes over an open file. */
  constructor(parts: {
    readonly name: string;
    readonly file: Deno.FsFile;
    readonly index: FrameIndex;
    readonly cache: FrameCache;
  }) {
    this.name = parts.name;
    this.index = parts.index;
    this.#file = parts.file;
    this.#cache = parts.cache;
  }

  /** How the file stores frames. */
  get format(): FrameFormat {
    return this.index.format;
  }

  /** Number of frames. */
  get frameCount(): number {
    return this.index.frameCount;
  }

  /** Frames a second when nothing else is said: 20 for the lab's format, 25 for bare JPEGs. */
  get defaultFrameRateHz(): number {
    return this.index.defaultFrameRateHz;
  }

  /** The markers of the first frame that can be read. */
  get firstFrame(): JpegImage {
    if (this.#firstFrame !== undefined) return this.#firstFrame;
    throw new TypeError("Cannot tell the first frame: it was not examined yet");
  }

  /** Pixels, of the first frame. */
  get width(): number {
    return this.firstFrame.width;
  }

  /** Pixels, of the first frame. */
  get height(): number {
    return this.firstFrame.height;
  }

  /**
   * The JPEG of frame `i` (0-based): shared by all readers, read-only. Frames behind it are read with it, so that a
   * reader in order causes few reads, and readers together read nothing twice while the cache holds it.
   *
   * @throws {FrameFileError} `file-changed` when the file is no longer what was indexed.
   * @throws {TransportError} when it cannot be read.
   * @throws {RangeError} outside 0 to frameCount - 1.
   */
  readFrame(i: number): Promise<Uint8Array> {
    const cached = this.cachedFrame(i);
    if (cached !== undefined) return Promise.resolve(cached);
    const pending = this.#reads.get(i);
    if (pending !== undefined) return pending;
    this.index.sizeOf(i);
    const read = this.#turn.then(() => this.cachedFrame(i) ?? this.#readFrom(i));
    this.#turn = read.catch(() => {});
    this.#reads.set(i, read);
    const forget = () => this.#reads.delete(i);
    read.then(forget, forget);
    return read;
  }

  /** Frame `i` when it is in memory, else undefined: what a reader with no time to wait asks for. */
  cachedFrame(i: number): Uint8Array | undefined {
    return this.#cache.get(this.#key, i);
  }

  /** Reads and parses the first frame that is a picture. Called by {@linkcode openMovie}. */
  async examineFirstFrame(): Promise<void> {
    let reason: unknown;
    for (let i = 0; i < Math.min(this.frameCount, 10); i++) {
      try {
        this.#firstFrame = parseJpeg(await this.readFrame(i));
        return;
      } catch (error) {
        if (!(error instanceof JpegFormatError)) throw error;
        reason ??= error;
      }
    }
    const why = reason instanceof Error ? reason.message : String(reason);
    throw new FrameFileError(
      `Cannot read file as Motion-JPEG: none of its first frames is a picture (${why})`,
      {
        ...{ code: "no-frame", offset: this.index.offsetOf(0), rfc: "T.81 Annex B", cause: reason },
      },
    );
  }

  /** Closes the file; frames that were handed out stay valid. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#turn;
    this.#file.close();
    this.#cache.delete(this.#key);
  }

  /** Closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readFrom(first: number): Promise<Uint8Array> {
    if (this.#isClosed) {
      throw new TransportError(`Cannot read "${this.name}": it is closed`, { operation: "read" });
    }
    const { index } = this, start = index.offsetOf(first);
    // What the cache could not hold would be read in vain.
    const aheadBytes = Math.min(READ_AHEAD_BYTES, this.#cache.limitBytes / 4);
    let next = first + 1, end = start + index.sizeOf(first);
    while (next < index.frameCount) {
      const frameEnd = index.offsetOf(next) + index.sizeOf(next);
      if (frameEnd - start > aheadBytes) break;
      end = frameEnd;
      next++;
    }
    const octets = new Uint8Array(end - start);
    const size = await readFully(this.#file, start, octets).catch((error) => {
      throw named(error, this.name);
    });
    for (let i = next - 1; i >= first; i--) {
      const at = index.offsetOf(i) - start;
      const frame = octets.slice(at, Math.min(at + index.sizeOf(i), size));
      const isWhole = frame.length === index.sizeOf(i) && frame[0] === 0xff && frame[1] === 0xd8;
      if (isWhole) this.#cache.set(this.#key, i, frame);
      if (i === first) return isWhole ? frame : this.#complain(i, frame.length);
    }
    throw new TypeError("Unreachable: the loop ends with the first frame");
  }

  #complain(i: number, got: number): never {
    const wanted = this.index.sizeOf(i), offset = this.index.offsetOf(i);
    throw new FrameFileError(
      `Cannot read frame ${i} of "${this.name}": it changed on disk, ${got} of ${wanted} octets found`,
      { code: "file-changed", offset, rfc: "Motion-JPEG" },
    );
  }
}

/** Frames are read together up to so many octets: about 20 frames of the lab's film. */
const READ_AHEAD_BYTES = 256 << 10;
/** Octets read at once while a file is indexed. */
const INDEX_READ_BYTES = 1 << 20;
/** Enough for what readers of one film have in common; servers keep the packets they make of frames besides. */
const DEFAULT_CACHE_BYTES = 64 << 20;

let nextCacheKey = 0;
let defaultCache: FrameCache | undefined;

function sharedCache(): FrameCache {
  return defaultCache ??= new FrameCache({ limitBytes: DEFAULT_CACHE_BYTES });
}

/**
 * Reads all of the file in order where frames are small and jumps where the indexer does: reading a megabyte at once
 * costs less than the calls for nine octets of each of its frames, and disks like it better.
 */
async function buildIndex(
  file: Deno.FsFile,
  options: { readonly size: number; readonly signal?: AbortSignal },
): Promise<FrameIndex> {
  const { size, signal } = options;
  const buffer = new Uint8Array(Math.min(INDEX_READ_BYTES, Math.max(size, 1)));
  const headSize = await readFully(file, 0, buffer.subarray(0, HEAD_BYTES));
  const indexer = indexerFor(buffer.subarray(0, headSize), size);
  let at = headSize;
  indexer.push(buffer.subarray(0, headSize));
  while (indexer.position < size) {
    signal?.throwIfAborted();
    if (indexer.position !== at) at = await file.seek(indexer.position, Deno.SeekMode.Start);
    const got = await file.read(buffer);
    if (got === null) break;
    at += got;
    indexer.push(buffer.subarray(0, got));
  }
  return indexer.finish();
}

/** Fills `target` from `offset` on as far as the file goes; returns the octets read. */
async function readFully(file: Deno.FsFile, offset: number, target: Uint8Array): Promise<number> {
  await file.seek(offset, Deno.SeekMode.Start);
  let size = 0;
  while (size < target.length) {
    const got = await file.read(target.subarray(size));
    if (got === null) break;
    size += got;
  }
  return size;
}

async function openFile(path: string | URL, name: string): Promise<Deno.FsFile> {
  try {
    const file = await Deno.open(path, { read: true });
    const { isFile } = await file.stat();
    if (isFile) return file;
    file.close();
  } catch (error) {
    throw systemError(error, "open", name);
  }
  throw new TransportError(`Cannot open "${name}": it is no regular file`, {
    ...{ operation: "open", errno: "EISDIR" },
  });
}

/** The file's name before the reason, for errors that know only octets. */
function named(error: unknown, name: string): unknown {
  if (error instanceof FrameFileError) {
    if (error.message.includes(`"${name}"`)) return error;
    const { code, offset, rfc, cause } = error;
    const message = error.message.replace(/^Cannot read file/, `Cannot read "${name}"`);
    return new FrameFileError(message, { code, offset, rfc, cause });
  }
  if (error instanceof TransportError || !isSystemError(error)) return error;
  return systemError(error, "read", name);
}
