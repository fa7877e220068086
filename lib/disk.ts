/**
 * Movies on disk: opened and indexed once, read by many; recordings.
 *
 * Floor 3: reads and writes files. Formats are those of `frames/`; which files may be opened is the caller's to decide.
 *
 * @module
 */
import { FrameFileError, JpegFormatError, TransportError } from "./errors.ts";
import { FollowedFile } from "./disk/followed_file.ts";
import { FrameCache } from "./disk/frame_cache.ts";
import {
  FileFrameReader,
  FolderFrameReader,
  type FrameReader,
  readFully,
} from "./disk/frame_reader.ts";
import { readImageFolder } from "./disk/image_folder.ts";
import { HEAD_BYTES, indexerFor } from "./frames/frame_format.ts";
import type { FrameFormat, FrameIndex } from "./frames/frame_index.ts";
import { isSystemError, nameOf, systemError } from "./disk/system_error.ts";
import { type JpegImage, parseJpeg } from "./jpeg.ts";

export { CaptureFile, type CaptureFileOptions } from "./disk/capture_file.ts";
export { FrameCache } from "./disk/frame_cache.ts";
export { MovieRecorder, type RecordingFormat } from "./disk/recorder.ts";

/** How a movie is opened. */
export interface OpenMovieOptions {
  /** Gives up reading the index; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Where frames are kept after reading. @default {one of 24 MiB for all movies} */
  readonly cache?: FrameCache;
  /** The line between the pictures of a multipart stream, where its start does not show it. */
  readonly boundary?: string;
  /**
   * The file may grow: see {@linkcode MovieFile.grow}. What is not whole at its end is waited for instead of being damage.
   * Bare JPEGs, lab files and multipart streams only; others are opened as ever. @default {false}
   */
  readonly follow?: boolean;
}

/**
 * Opens a movie and finds its frames, whatever its format: told by content, never by its name. A folder of numbered JPEG
 * pictures is one too. Memory: 12 octets a frame, 20 where frames have times of their own.
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
  let reader: FrameReader | undefined;
  try {
    const source = await openSource(path, name, options);
    reader = source.reader;
    const cache = options.cache ?? sharedCache();
    const movie = new MovieFile({ name, cache, ...source });
    await movie.examineFirstFrame();
    return movie;
  } catch (error) {
    reader?.close();
    throw named(error, name);
  }
}

/** A movie that was opened and indexed. Made by {@linkcode openMovie}. */
export class MovieFile implements AsyncDisposable {
  /** File name without folders. */
  readonly name: string;
  /** Where its frames stand, and what is damaged. */
  readonly index: FrameIndex;
  readonly #reader: FrameReader;
  readonly #followed: FollowedFile | undefined;
  readonly #cache: FrameCache;
  readonly #key = nextCacheKey++;
  #firstFrame: JpegImage | undefined;
  readonly #reads = new Map<number, Promise<Uint8Array>>();
  /** One file position is shared by all readers: reads wait for one another. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Takes over what reads the frames. */
  constructor(parts: {
    readonly name: string;
    readonly reader: FrameReader;
    readonly index: FrameIndex;
    readonly cache: FrameCache;
    readonly followed?: FollowedFile;
  }) {
    this.name = parts.name;
    this.index = parts.index;
    this.#reader = parts.reader;
    this.#followed = parts.followed;
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

  /** It was opened to be followed, and its format allows that: the numbers of its index may grow. */
  get isGrowing(): boolean {
    return this.#followed !== undefined;
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
   * The JPEG of frame `i` (0-based): shared by all readers, read-only. Frames beside it are read with it, so that a
   * reader in order, forwards or backwards, causes few reads, and readers together read nothing twice while the cache holds it.
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

  /**
   * Finds the frames that were appended to a file that is followed.
   *
   * @returns whether there are more frames than before.
   * @throws {FrameFileError} `file-changed` when it was truncated, written anew, removed or replaced.
   */
  grow(): Promise<boolean> {
    const followed = this.#followed;
    if (followed === undefined) return Promise.resolve(false);
    const grown = this.#turn.then(() => this.#isClosed ? false : followed.grow())
      .catch((error) => {
        throw named(error, this.name);
      });
    this.#turn = grown.catch(() => {});
    return grown;
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
    this.#reader.close();
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
    // What the cache could not hold would be read in vain.
    const windowBytes = Math.min(READ_AHEAD_BYTES, this.#cache.limitBytes / 4);
    const isBackwards = first > 0 && this.cachedFrame(first + 1) !== undefined &&
      this.cachedFrame(first - 1) === undefined;
    const frames = await this.#reader.read(first, { windowBytes, isBackwards }).catch((error) => {
      throw named(error, this.name);
    });
    for (const [i, frame] of frames) {
      if (this.#isWhole(i, frame)) this.#cache.set(this.#key, i, frame);
    }
    const frame = frames.get(first) ?? new Uint8Array(0);
    return this.#isWhole(first, frame) ? frame : this.#complain(first, frame.length);
  }

  #isWhole(i: number, frame: Uint8Array): boolean {
    return frame.length === this.index.sizeOf(i) && frame[0] === 0xff && frame[1] === 0xd8;
  }

  #complain(i: number, got: number): never {
    const wanted = this.index.sizeOf(i), offset = this.index.offsetOf(i);
    throw new FrameFileError(
      `Cannot read frame ${i} of "${this.name}": it changed on disk, ${got} of ${wanted} octets found`,
      { code: "file-changed", offset, rfc: "Motion-JPEG" },
    );
  }
}

/** Frames are read together up to so many octets: about 10 frames of the lab's film. */
const READ_AHEAD_BYTES = 128 << 10;
/** Octets read at once while a file is indexed. */
const INDEX_READ_BYTES = 1 << 20;
/** A hundred readers at a hundred places read ahead half as much; servers keep the packets they make of frames besides. */
const DEFAULT_CACHE_BYTES = 24 << 20;

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
  options: { readonly size: number; readonly signal?: AbortSignal; readonly boundary?: string },
): Promise<FrameIndex> {
  const { size, signal, boundary } = options;
  const buffer = new Uint8Array(Math.min(INDEX_READ_BYTES, Math.max(size, 1)));
  const headSize = await readFully(file, 0, buffer.subarray(0, HEAD_BYTES));
  const indexer = indexerFor(buffer.subarray(0, headSize), size, { boundary });
  let at = headSize;
  indexer.push(buffer.subarray(Math.min(indexer.position, headSize), headSize));
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

interface OpenSource {
  readonly reader: FrameReader;
  readonly index: FrameIndex;
  readonly followed?: FollowedFile;
}

/** The movie of a path: a file, or a folder of pictures. */
async function openSource(
  path: string | URL,
  name: string,
  options: OpenMovieOptions,
): Promise<OpenSource> {
  let file: Deno.FsFile | undefined;
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (isDirectory) {
      const folder = typeof path === "string" ? path : decodeURIComponent(path.pathname);
      const { paths, index } = await readImageFolder(folder.replace(/(?<=.)\/+$/, ""));
      return { reader: new FolderFrameReader(paths), index };
    }
    if (isFile) file = await Deno.open(path, { read: true });
  } catch (error) {
    throw error instanceof FrameFileError ? error : systemError(error, "open", name);
  }
  if (file === undefined) {
    throw new TransportError(`Cannot open "${name}": it is neither a regular file nor a folder`, {
      ...{ operation: "open", errno: "EINVAL" },
    });
  }
  try {
    const { size } = await file.stat();
    const followed = options.follow && size > 0
      ? await FollowedFile.open(path, file, options)
      : undefined;
    if (followed !== undefined) {
      return { reader: new FileFrameReader(file, followed.index), index: followed.index, followed };
    }
    const index = await buildIndex(file, { size, ...options });
    return { reader: new FileFrameReader(file, index), index };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The file's name before the reason, for errors that know only octets. */
function named(error: unknown, name: string): unknown {
  if (error instanceof FrameFileError) {
    if (error.message.includes(`"${name}"`)) return error;
    const { code, offset, rfc, cause } = error;
    const message = error.message.replace(/^Cannot read (?:file|folder)/, `Cannot read "${name}"`);
    return new FrameFileError(message, { code, offset, rfc, cause });
  }
  if (error instanceof TransportError || !isSystemError(error)) return error;
  return systemError(error, "read", name);
}
