/**
 * A capture of the wire as a file, written while it happens.
 *
 * Floor 3 (wall): writes one file. What is in it is `engine/capture.ts`'s business. Blocks are written whole, some at a
 * time, so that after a crash all but the last few can be read. A disk that is too slow, or a file that has become too
 * large, costs packets of media, which are counted; it delays nobody.
 *
 * @module
 */
import { CaptureEncoder } from "../engine/capture.ts";
import type { WireTap } from "../engine/wire_tap.ts";
import type { TransportError } from "../errors.ts";
import { nameOf, systemError } from "./system_error.ts";

/** How a {@linkcode CaptureFile} is written. */
export interface CaptureFileOptions {
  /** Name and version of the program. */
  readonly application: string;
  /** Octets after which no more packets of media are written. @default {2147483648} */
  readonly maxBytes?: number;
  /** Octets that may wait to be written. @default {8388608} */
  readonly maxPendingBytes?: number;
}

/**
 * Captures to a file. Give its {@linkcode CaptureFile.tap} to whoever calls taps, and close it in the end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CaptureFile } from "./capture_file.ts";
 * const path = await Deno.makeTempFile({ suffix: ".pcapng" });
 * const capture = await CaptureFile.open(path, { application: "test" });
 * await capture.close();
 * assertEquals((await Deno.readFile(path)).slice(0, 4), Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a));
 * await Deno.remove(path);
 * ```
 */
export class CaptureFile implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #name: string;
  readonly #encoder: CaptureEncoder;
  readonly #options: CaptureFileOptions;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #bytes = 0;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #fault: TransportError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(file: Deno.FsFile, name: string, options: CaptureFileOptions) {
    this.#file = file;
    this.#name = name;
    this.#options = options;
    this.#encoder = new CaptureEncoder({
      application: options.application,
      unixMsAt: (now) => performance.timeOrigin + now,
      write: (blocks, isMedia) => this.#take(blocks, isMedia),
    });
  }

  /**
   * Creates the file, or empties it.
   *
   * @throws {TransportError} when it cannot be written.
   */
  static async open(path: string | URL, options: CaptureFileOptions): Promise<CaptureFile> {
    const name = nameOf(path);
    try {
      const file = await Deno.open(path, { write: true, create: true, truncate: true });
      return new CaptureFile(file, name, options);
    } catch (error) {
      throw systemError(error, "create", name);
    }
  }

  /** What listens. */
  get tap(): WireTap {
    return this.#encoder;
  }

  /** Octets written, and waiting to be. */
  get bytes(): number {
    return this.#bytes + this.#pendingBytes;
  }

  /** Packets in the file. */
  get packets(): number {
    return this.#encoder.packets - this.#dropped;
  }

  /** Packets that are not in it: too many, or too late for a full disk. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why writing has ended before its time. */
  get fault(): TransportError | undefined {
    return this.#fault;
  }

  /** Writes what waits, and how many packets are missing; closes. Never fails: see {@linkcode CaptureFile.fault}. */
  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  /** The same as {@linkcode CaptureFile.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(): Promise<void> {
    this.#encoder.finish(performance.now(), { dropped: this.#dropped });
    clearTimeout(this.#timer);
    while (this.#writing !== undefined || this.#pendingBytes > 0) await this.#flush();
    this.#file.close();
  }

  #take(blocks: Uint8Array, isMedia: boolean): void {
    const { maxBytes = 2 ** 31, maxPendingBytes = 8 << 20 } = this.#options;
    const isTooMuch = this.#pendingBytes > maxPendingBytes || this.bytes > maxBytes;
    if (this.#fault !== undefined || (isMedia && isTooMuch)) {
      this.#dropped++;
      return;
    }
    this.#pending.push(blocks);
    this.#pendingBytes += blocks.length;
    if (this.#pendingBytes >= CHUNK_BYTES) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  /** One write at a time; what comes meanwhile goes with the next. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#writing ??= this.#write().finally(() => this.#writing = undefined);
  }

  async #write(): Promise<void> {
    const pieces = this.#pending;
    const chunk = new Uint8Array(this.#pendingBytes);
    this.#pending = [];
    let offset = 0;
    for (const piece of pieces) {
      chunk.set(piece, offset);
      offset += piece.length;
    }
    try {
      for (let at = 0; at < chunk.length;) at += await this.#file.write(chunk.subarray(at));
    } catch (error) {
      this.#fault ??= systemError(error, "write", this.#name) as TransportError;
    }
    this.#bytes += chunk.length;
    this.#pendingBytes -= chunk.length;
    const isLate = this.#pendingBytes > 0 && this.#closing === undefined;
    if (isLate) this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }
}

const CHUNK_BYTES = 65_536;
const FLUSH_MS = 100;
