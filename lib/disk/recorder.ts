/**
 * Recordings: pictures appended to a file as they came.
 *
 * Floor 3: writes files, decodes nothing.
 *
 * @module
 */
import { TransportError } from "../errors.ts";
import type { FrameFormat } from "../frames/frame_index.ts";
import { encodeLabFrame } from "../frames/lab_file.ts";
import { nameOf, systemError } from "./system_error.ts";

/**
 * Writes frames to a file, each with one call, so that after a crash all but the last can be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MovieRecorder, openMovie } from "../disk.ts";
 *
 * await using film = await openMovie("media/video.mjpeg");
 * const path = await Deno.makeTempFile();
 * await using recorder = await MovieRecorder.open(path, { format: "jpeg" });
 * await recorder.write(await film.readFrame(0));
 * await recorder.close();
 * await using recording = await openMovie(path);
 * assertEquals([recording.format, recording.frameCount], ["jpeg", 1]);
 * await Deno.remove(path);
 * ```
 */
export class MovieRecorder implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #name: string;
  readonly #format: FrameFormat;
  #frames = 0;
  #bytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(parts: { file: Deno.FsFile; name: string; format: FrameFormat }) {
    this.#file = parts.file;
    this.#name = parts.name;
    this.#format = parts.format;
  }

  /**
   * Creates the file, or empties it.
   *
   * @throws {TransportError} when it cannot be written.
   */
  static async open(
    path: string | URL,
    options: { readonly format: FrameFormat },
  ): Promise<MovieRecorder> {
    const name = nameOf(path);
    try {
      const file = await Deno.open(path, { write: true, create: true, truncate: true });
      return new MovieRecorder({ file, name, format: options.format });
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
    return this.#bytes;
  }

  /**
   * Appends one picture, after those that are being written. Its octets must not change until then.
   *
   * @throws {JpegFormatError} `too-large-for-lab` when five digits cannot say its length; the recording goes on.
   * @throws {TransportError} when it cannot be written (a full disk); what was written before stays readable.
   */
  write(jpeg: Uint8Array): Promise<void> {
    if (this.#closing !== undefined) {
      const message = `Cannot write "${this.#name}": it is closed`;
      return Promise.reject(new TransportError(message, { operation: "write" }));
    }
    const written = this.#turn.then(() => this.#append(jpeg));
    this.#turn = written.catch(() => {});
    return written;
  }

  /** Waits for what is being written, hands it to the disk, closes. */
  close(): Promise<void> {
    return this.#closing ??= this.#turn.then(async () => {
      try {
        await this.#file.syncData();
      } catch {
        // Pipes and devices cannot be synchronised, and there is nothing left to do about it.
      } finally {
        this.#file.close();
      }
    });
  }

  /** Closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(jpeg: Uint8Array): Promise<void> {
    const octets = this.#format === "lab" ? encodeLabFrame(jpeg) : jpeg;
    try {
      for (let at = 0; at < octets.length;) at += await this.#file.write(octets.subarray(at));
    } catch (error) {
      throw systemError(error, "write", this.#name);
    }
    this.#frames++;
    this.#bytes += octets.length;
  }
}
