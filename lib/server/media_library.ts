/**
 * The movies a server may show: files below one folder, and a sample of its own. Each is opened once for all readers.
 *
 * Floor 4 (assembly). It decides which file a path means and that it may be shown; what is in it is the disk's business.
 *
 * @module
 */

import { type MovieFile, openMovie } from "../disk.ts";
import { TransportError, WireError } from "../errors.ts";
import { constantTimeline, growingTimeline, type Timeline } from "../frames/timeline.ts";
import type { RepairAction } from "../jpeg.ts";
import { describeJpegPayload } from "../rtp_jpeg.ts";
import type { ServerListener } from "./events.ts";
import { actionsText, type FramePreparation } from "./frame_preparation.ts";
import { MovieGrowth } from "./movie_growth.ts";
import type { PacerTimer } from "./pacer_timer.ts";

/** A movie that was opened, shared by its readers. */
export interface SharedMovie {
  /** Number of this opening, from 1; a file that changed on disk is opened anew. */
  readonly id: number;
  /** Path below the media folder, as it was asked for. */
  readonly path: string;
  /** The file. */
  readonly file: MovieFile;
  /** Frames a second; the mean where the rate varies. */
  readonly frameRateHz: number;
  /** When each frame is shown. */
  readonly timeline: Timeline;
  /** Unix milliseconds of its first frame, where the file tells when it was taken. */
  readonly startUnixMs: number | undefined;
  /** Why RTP/JPEG cannot carry it; `undefined` when it can. */
  readonly jpegRefusal: string | undefined;
  /** Pixels of its frames as RTP/JPEG carries them. */
  readonly width: number;
  /** Pixels, likewise. */
  readonly height: number;
  /** What is done to its frames, judged by the first, so that RTP/JPEG can carry them. */
  readonly repairs: readonly RepairAction[];
  /** Tells when it has more frames; `undefined` where it is not followed. */
  readonly growth: MovieGrowth | undefined;
  /** The same for one more reader. */
  share(): SharedMovie;
  /** The reader is done with it. */
  release(): void;
}

/** Why a path cannot be shown: always 404 to the client, the reason is for the log. */
export class MediaError extends Error {
  /** Name of the class. */
  override name = "MediaError";
}

/** Options of a {@linkcode MediaLibrary}. */
export interface MediaLibraryOptions {
  /** The folder. */
  readonly folder: string | URL;
  /** A movie that is shown under its file name when the folder has none of that name. */
  readonly sample?: URL;
  /** Frames a second for all movies; without it each file's own. */
  readonly frameRateHz?: number;
  /** The line between the pictures of multipart streams that do not show it. */
  readonly boundary?: string;
  /** Files may grow: the timer by which they are looked at. @default {none: they do not} */
  readonly followTimer?: PacerTimer;
  /** Makes frames ready for RTP/JPEG. */
  readonly preparation: FramePreparation;
  /** Told of movies opened. */
  readonly emit: ServerListener;
  /** Told when nobody can ask for an opening any more. */
  readonly onClosed?: (movieId: number) => void;
}

interface OpenMovie {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  readonly file: MovieFile;
  readonly timeline: Timeline;
  readonly payload: PayloadFacts;
  readonly growth: MovieGrowth | undefined;
  readers: number;
  isStale: boolean;
}

/** Opens movies by the paths that clients ask for. */
export class MediaLibrary implements AsyncDisposable {
  readonly #options: MediaLibraryOptions;
  readonly #movies = new Map<string, Promise<OpenMovie>>();
  /** Movies nobody reads, oldest first. */
  readonly #unread = new Set<OpenMovie>();
  #nextId = 1;

  /** A library that has opened nothing yet. */
  constructor(options: MediaLibraryOptions) {
    this.#options = options;
  }

  /**
   * Opens the movie of a path, or takes the opened one. Call `release()` when done.
   *
   * @param path Decoded path below the folder.
   * @param takesBaseName Falls back on the file name alone: lab clients ask for `./videos/movie.Mjpeg`.
   * @throws {MediaError} when there is no such movie, or it may not be shown.
   */
  async open(path: string, takesBaseName = false): Promise<SharedMovie> {
    const found = await this.#locate(path, takesBaseName);
    return this.#share(await this.#openOnce(found, path), path);
  }

  #share(movie: OpenMovie, path: string): SharedMovie {
    movie.readers++;
    movie.growth?.start();
    this.#unread.delete(movie);
    let isReleased = false;
    return {
      id: movie.id,
      path,
      file: movie.file,
      frameRateHz: movie.timeline.frameRateHz,
      timeline: movie.timeline,
      startUnixMs: movie.file.index.startUnixMs,
      ...movie.payload,
      growth: movie.growth,
      share: () => this.#share(movie, path),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#release(movie);
      },
    };
  }

  /** Closes all movies, read or not. */
  async close(): Promise<void> {
    const movies = [...this.#movies.values()];
    this.#movies.clear();
    this.#unread.clear();
    for (const movie of await Promise.allSettled(movies)) {
      if (movie.status === "fulfilled") await movie.value.file.close();
    }
  }

  /** See {@linkcode MediaLibrary.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The file of a path; never one outside the folder, by whatever links. */
  async #locate(path: string, takesBaseName: boolean): Promise<FoundFile> {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.length === 0) throw new MediaError("The URL names no movie");
    if (parts.some((part) => part === ".." || FORBIDDEN.test(part))) {
      throw new MediaError(`The path "${path}" leaves the media folder`);
    }
    const candidates = takesBaseName && parts.length > 1 ? [parts, parts.slice(-1)] : [parts];
    for (const candidate of candidates) {
      const found = await this.#locateInFolder(candidate) ?? await this.#locateSample(candidate);
      if (found !== undefined) return found;
    }
    throw new MediaError(`There is no file "${path}"`);
  }

  async #locateInFolder(parts: readonly string[]): Promise<FoundFile | undefined> {
    try {
      const folder = await Deno.realPath(this.#options.folder);
      const separator = Deno.build.os === "windows" ? "\\" : "/";
      const root = folder.endsWith(separator) ? folder : folder + separator;
      const place = await Deno.realPath(root + parts.join(separator));
      if (!place.startsWith(root)) {
        throw new MediaError(`A link leads "${parts.join("/")}" out of the media folder`);
      }
      const info = await Deno.stat(place);
      // A folder of numbered pictures is a film too.
      if (!info.isFile && !info.isDirectory) {
        throw new MediaError(`"${parts.join("/")}" is neither a file nor a folder`);
      }
      return { place, version: `${info.size} ${info.mtime?.getTime() ?? 0}` };
    } catch (error) {
      if (error instanceof MediaError) throw error;
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return undefined;
      }
      const reason = error instanceof Deno.errors.PermissionDenied ? "permission denied" : error;
      throw new MediaError(`"${parts.join("/")}" cannot be read: ${reason}`);
    }
  }

  async #locateSample(parts: readonly string[]): Promise<FoundFile | undefined> {
    const { sample } = this.#options;
    if (sample === undefined || parts.length !== 1) return undefined;
    if (decodeURIComponent(sample.pathname).split("/").at(-1) !== parts[0]) return undefined;
    try {
      await Deno.stat(sample);
      return { place: sample, version: "sample" };
    } catch {
      return undefined;
    }
  }

  async #openOnce(found: FoundFile, path: string): Promise<OpenMovie> {
    const key = String(found.place);
    const known = this.#movies.get(key);
    if (known !== undefined) {
      const movie = await known.catch(() => undefined);
      if (movie !== undefined && await isCurrent(movie, found)) return movie;
      if (this.#movies.get(key) === known) {
        this.#movies.delete(key);
        if (movie !== undefined) this.#retire(movie);
      }
      return this.#openOnce(found, path);
    }
    const opening = this.#openFile(found, key, path);
    this.#movies.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#movies.get(key) === opening) this.#movies.delete(key);
      throw new MediaError(
        `"${path}" cannot be shown: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
    }
  }

  async #openFile(found: FoundFile, key: string, path: string): Promise<OpenMovie> {
    const { boundary, followTimer, frameRateHz: rateHz } = this.#options;
    const follow = followTimer !== undefined && typeof found.place === "string";
    const file = await openMovie(found.place, { boundary, follow });
    const timeline = rateHz === undefined
      ? file.index.timeline
      : file.isGrowing
      ? growingTimeline(() => file.frameCount, rateHz)
      : constantTimeline(file.frameCount, rateHz);
    const { frameRateHz } = timeline;
    const payload = await this.#examine(file);
    const { damageCount, damaged } = file.index;
    if (damageCount > 0) {
      const [first] = damaged;
      const where = first === undefined ? "" : `, first at byte ${first.offset}: ${first.reason}`;
      const message = `"${path}" cannot be read in ${damageCount} places${where}`;
      this.#options.emit({ type: "warning", message });
    }
    const { frameCount: frames, width, height } = file;
    this.#options.emit({ type: "media-opened", path, frames, width, height, frameRateHz });
    this.#tellOddities(path, file, payload);
    const growth = follow ? this.#growthOf(path, file, followTimer) : undefined;
    return {
      id: this.#nextId++,
      key,
      version: found.version,
      file,
      timeline,
      payload,
      growth,
      readers: 0,
      isStale: false,
    };
  }

  #growthOf(path: string, file: MovieFile, timer: PacerTimer): MovieGrowth | undefined {
    const { emit } = this.#options;
    if (file.isGrowing) {
      const onEnd = (reason: string) =>
        emit({ type: "warning", message: `The streams of "${path}" end: ${reason}` });
      return new MovieGrowth({ file, timer, onEnd });
    }
    const message =
      `"${path}" is not followed: its format (${file.format}) cannot grow while it is read`;
    emit({ type: "notice", message });
    return undefined;
  }

  /** Looks at the first frames until one can be sent: a damaged one at the beginning says nothing about the others. */
  async #examine(file: MovieFile): Promise<PayloadFacts> {
    let jpegRefusal: string | undefined;
    for (let i = 0; i < Math.min(file.frameCount, EXAMINED_FRAMES); i++) {
      try {
        const frame = await file.readFrame(i);
        const { jpeg, actions } = await this.#options.preparation.prepare(frame);
        const { width, height } = describeJpegPayload(jpeg);
        return { jpegRefusal: undefined, width, height, repairs: actions };
      } catch (error) {
        if (!(error instanceof WireError || error instanceof TransportError)) throw error;
        jpegRefusal ??= error.message;
      }
    }
    return { jpegRefusal, width: file.width, height: file.height, repairs: [] };
  }

  #tellOddities(path: string, file: MovieFile, { repairs }: PayloadFacts): void {
    if (repairs.length > 0) {
      const message = `"${path}": for RTP/JPEG its frames are ${actionsText(repairs)}`;
      this.#options.emit({ type: "notice", message });
    }
    const { damaged, damageCount } = file.index, [first] = damaged;
    if (first === undefined) return;
    const message = `"${path}" is damaged in ${damageCount} ${
      damageCount === 1 ? "place" : "places"
    }, which are left out; the first at octet ${first.offset}: ${first.reason}`;
    this.#options.emit({ type: "warning", message });
  }

  #release(movie: OpenMovie): void {
    if (--movie.readers > 0) return;
    movie.growth?.stop();
    if (movie.isStale) return this.#closeMovie(movie);
    this.#unread.add(movie);
    for (const oldest of this.#unread) {
      if (this.#unread.size <= MAX_UNREAD) return;
      this.#unread.delete(oldest);
      this.#movies.delete(oldest.key);
      this.#closeMovie(oldest);
    }
  }

  /** The file has changed: its readers finish with the old one. */
  #retire(movie: OpenMovie): void {
    movie.isStale = true;
    this.#unread.delete(movie);
    if (movie.readers === 0) this.#closeMovie(movie);
  }

  #closeMovie(movie: OpenMovie): void {
    this.#options.onClosed?.(movie.id);
    movie.file.close().catch(() => {});
  }
}

/** Whether the file is still the one that was opened; one that is followed may have grown. */
async function isCurrent(movie: OpenMovie, found: FoundFile): Promise<boolean> {
  if (movie.growth === undefined) return movie.version === found.version;
  await movie.growth.look();
  return !movie.growth.isEnded;
}

/** What RTP/JPEG makes of a movie. */
type PayloadFacts = Pick<SharedMovie, "jpegRefusal" | "width" | "height" | "repairs">;

interface FoundFile {
  readonly place: string | URL;
  /** Changes when the file does. */
  readonly version: string;
}

const FORBIDDEN = Deno.build.os === "windows" ? /[\\\0/:]/ : /[\0/]/;
const MAX_UNREAD = 16;
const EXAMINED_FRAMES = 10;
