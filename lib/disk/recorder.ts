/**
 * Recordings: pictures kept as they came, in one file or a folder.
 *
 * Floor 3: writes files, decodes nothing (an AVI's head says the size of the first picture).
 *
 * @module
 */
import { JpegFormatError, TransportError } from "../errors.ts";
import { AviWriter } from "../frames/avi_writer.ts";
import { encodeLabFrame } from "../frames/lab_file.ts";
import { parseJpeg } from "../jpeg.ts";
import { nameOf, systemError } from "./system_error.ts";

/** How pictures are kept: one behind the other, in the lab's format, as an AVI, or each in a file of a folder. */
export type RecordingFormat = "jpeg" | "lab" | "avi" | "images";

/** Keeps pictures; made by {@linkcode MovieRecorder.open}. */
interface PictureSink {
  /** Octets written so far. */
  readonly bytes: number;
  /** Keeps one more; `seconds` is its time. */
  add(jpeg: Uint8Array, seconds: number | undefined): Promise<void>;
  /** Makes it whole and closes it. */
  close(): Promise<void>;
}

/**
 * Writes frames so that after a crash all but the last can be read: those in one file are appended, each with one call.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MovieRecorder, openMovie } from "../disk.ts";
 *
 * await using film = await openMovie("media/video.mjpeg");
 * const path = await Deno.makeTempFile();
 * await using recorder = await MovieRecorder.open(path, { format: "avi" });
 * for (let i = 0; i < 3; i++) await recorder.write(await film.readFrame(i), i / 20);
 * await recorder.close();
 * await using recording = await openMovie(path);
 * assertEquals([recording.format, recording.frameCount, recording.defaultFrameRateHz], ["avi", 3, 20]);
 * await Deno.remove(path);
 * ```
 */
export class MovieRecorder implements AsyncDisposable {
  readonly #sink: PictureSink;
  readonly #name: string;
  #frames = 0;
  #turn: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(sink: PictureSink, name: string) {
    this.#sink = sink;
    this.#name = name;
  }

  /**
   * Creates the file, or empties it; for `"images"` the folder, where there is none.
   *
   * @throws {TransportError} when it cannot be written.
   */
  static async open(
    path: string | URL,
    options: { readonly format: RecordingFormat },
  ): Promise<MovieRecorder> {
    const name = nameOf(path);
    try {
      return new MovieRecorder(await openSink(path, options.format), name);
    } catch (error) {
      throw systemError(error, "create", name);
    }
  }

  /** Frames written. */
  get frames(): number {
    return this.#frames;
  }

  /** Octets written. */
  get bytes(): number {
    return this.#sink.bytes;
  }

  /**
   * Appends one picture, after those that are being written. Its octets must not change until then.
   *
   * @param seconds When it is shown, from any moment on: an AVI gets its rate from these. Without them it has 25 Hz.
   * @throws {JpegFormatError} when the format cannot hold it (`too-large-for-lab`: five digits cannot say its length);
   * the recording goes on.
   * @throws {TransportError} when it cannot be written (a full disk); what was written before stays readable.
   */
  write(jpeg: Uint8Array, seconds?: number): Promise<void> {
    if (this.#closing !== undefined) {
      const message = `Cannot write "${this.#name}": it is closed`;
      return Promise.reject(new TransportError(message, { operation: "write" }));
    }
    const written = this.#turn.then(() => this.#append(jpeg, seconds));
    this.#turn = written.catch(() => {});
    return written;
  }

  /** Waits for what is being written, hands it to the disk, closes. */
  close(): Promise<void> {
    return this.#closing ??= this.#turn.then(async () => {
      try {
        await this.#sink.close();
      } catch (error) {
        throw systemError(error, "write", this.#name);
      }
    });
  }

  /** Closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(jpeg: Uint8Array, seconds: number | undefined): Promise<void> {
    try {
      await this.#sink.add(jpeg, seconds);
    } catch (error) {
      throw error instanceof JpegFormatError ? error : systemError(error, "write", this.#name);
    }
    this.#frames++;
  }
}

/** The name of a recorded picture: `frame-000001.jpg`, more digits where they are needed. */
function imageNameOf(number: number): string {
  return `frame-${String(number).padStart(6, "0")}.jpg`;
}

async function openSink(path: string | URL, format: RecordingFormat): Promise<PictureSink> {
  if (format === "images") {
    await Deno.mkdir(path, { recursive: true });
    return new ImageSink(typeof path === "string" ? path : decodeURIComponent(path.pathname));
  }
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  return format === "avi" ? new AviSink(file) : new AppendingSink(file, format);
}

/** Pictures one behind the other. */
class AppendingSink implements PictureSink {
  readonly #file: Deno.FsFile;
  readonly #format: "jpeg" | "lab";
  bytes = 0;

  constructor(file: Deno.FsFile, format: "jpeg" | "lab") {
    this.#file = file;
    this.#format = format;
  }

  async add(jpeg: Uint8Array): Promise<void> {
    const octets = this.#format === "lab" ? encodeLabFrame(jpeg) : jpeg;
    await writeAll(this.#file, octets);
    this.bytes += octets.length;
  }

  async close(): Promise<void> {
    await closeSynced(this.#file);
  }
}

/** Each picture in a file of its own. */
class ImageSink implements PictureSink {
  readonly #folder: string;
  #count = 0;
  bytes = 0;

  constructor(folder: string) {
    this.#folder = folder.replace(/(?<=.)\/+$/, "");
  }

  async add(jpeg: Uint8Array): Promise<void> {
    await Deno.writeFile(`${this.#folder}/${imageNameOf(this.#count + 1)}`, jpeg);
    this.#count++;
    this.bytes += jpeg.length;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** An AVI whose head is brought up to date once a hundred frames, and whose indexes come with the end. */
class AviSink implements PictureSink {
  readonly #file: Deno.FsFile;
  #writer: AviWriter | undefined;
  #firstSeconds: number | undefined;
  #lastSeconds: number | undefined;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  get bytes(): number {
    return this.#writer?.end ?? 0;
  }

  async add(jpeg: Uint8Array, seconds: number | undefined): Promise<void> {
    if (this.#writer === undefined) {
      const { width, height } = parseJpeg(jpeg);
      this.#writer = new AviWriter({ width, height });
      await writeAll(this.#file, this.#writer.head({ frameRateHz: this.#frameRateHz }));
    }
    const { octets, patches } = this.#writer.beforeFrame(jpeg.length);
    const chunk = new Uint8Array(octets.length + jpeg.length);
    chunk.set(octets);
    chunk.set(jpeg, octets.length);
    await writeAll(this.#file, chunk);
    this.#firstSeconds ??= seconds;
    this.#lastSeconds = seconds;
    if (patches.length > 0 || this.#writer.frames % 100 === 1) await this.#mend(patches);
  }

  async close(): Promise<void> {
    try {
      if (this.#writer === undefined) return;
      const [tail, ...patches] = this.#writer.finish();
      await writeAll(this.#file, tail.octets);
      await this.#mend(patches);
    } finally {
      await closeSynced(this.#file);
    }
  }

  get #frameRateHz(): number {
    const frames = this.#writer?.frames ?? 0;
    const span = (this.#lastSeconds ?? 0) - (this.#firstSeconds ?? 0);
    return frames > 1 && span > 0 ? (frames - 1) / span : 25;
  }

  async #mend(patches: readonly { readonly at: number; readonly octets: Uint8Array }[]) {
    const writer = this.#writer!;
    const head = { at: 0, octets: writer.head({ frameRateHz: this.#frameRateHz }) };
    for (const { at, octets } of [...patches, head]) {
      await this.#file.seek(at, Deno.SeekMode.Start);
      await writeAll(this.#file, octets);
    }
    await this.#file.seek(0, Deno.SeekMode.End);
  }
}

async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await file.write(octets.subarray(at));
}

async function closeSynced(file: Deno.FsFile): Promise<void> {
  try {
    await file.syncData();
  } catch {
    // Pipes and devices cannot be synchronised, and there is nothing left to do about it.
  } finally {
    file.close();
  }
}
