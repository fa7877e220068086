/**
 * What keeps frames on disk: the recorder and the PNG writer of the client program.
 *
 * Floor 4 (client assembly): connects a frame queue with `disk.ts` or with `image/image.ts`. Neither ever delays the
 * receiver; both tell at the end how many frames they kept and how many they could not.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { MovieRecorder, type RecordingFormat } from "../disk.ts";
import { timestampDistance } from "../serial.ts";
import type { ImageWorker } from "../image/image.ts";
import { FrameQueue } from "./frame_queue.ts";
import type { ReceivedFrame } from "./statistics.ts";

/** Something that keeps frames. */
export interface FrameKeeper {
  /** Takes a frame; returns at once. */
  keep(frame: ReceivedFrame): void;
  /** Frames still under way. */
  readonly pending: number;
  /** A few words for the status line. */
  progress(): string;
  /** Waits for what is under way and closes. */
  finish(): Promise<void>;
  /** One sentence for the summary. */
  summary(): string;
  /** What could not be kept, in sentences; empty when all is well. */
  faults(): string[];
}

/** Writes every frame as it came. */
export class Recording implements FrameKeeper {
  readonly #path: string;
  readonly #recorder: MovieRecorder;
  readonly #queue: FrameQueue;
  readonly #clock: FrameClock;

  private constructor(path: string, recorder: MovieRecorder, clock: FrameClock) {
    this.#path = path;
    this.#recorder = recorder;
    this.#clock = clock;
    this.#queue = new FrameQueue({
      work: (frame) => recorder.write(frame.jpeg, this.#clock.secondsOf(frame)),
    });
  }

  /**
   * Creates the file, or the folder of pictures.
   *
   * @param clockRateHz Units of RTP timestamps in a second; `undefined` where nobody knows them.
   * @throws {TransportError} when it cannot be created.
   */
  static async open(
    path: string,
    format: RecordingFormat,
    clockRateHz: () => number | undefined = () => undefined,
  ): Promise<Recording> {
    const recorder = await MovieRecorder.open(path, { format });
    return new Recording(path, recorder, new FrameClock(clockRateHz));
  }

  keep(frame: ReceivedFrame): void {
    this.#queue.push(frame);
  }

  get pending(): number {
    return this.#queue.pending;
  }

  progress(): string {
    return `rec ${sizeOf(this.#recorder.bytes)}`;
  }

  async finish(): Promise<void> {
    await this.#queue.finish();
    await this.#recorder.close();
  }

  summary(): string {
    const { frames, bytes } = this.#recorder;
    return `Recorded ${frames} frames to ${this.#path} (${sizeOf(bytes)})`;
  }

  faults(): string[] {
    return faultsOf(this.#queue, `record to "${this.#path}"`);
  }
}

/** Seconds of frames by their timestamps, by their arrival where those say nothing. */
class FrameClock {
  readonly #clockRateHz: () => number | undefined;
  #timestamp: number | undefined;
  #ticks = 0;

  constructor(clockRateHz: () => number | undefined) {
    this.#clockRateHz = clockRateHz;
  }

  secondsOf({ timestamp, arrivalMs }: ReceivedFrame): number {
    const rate = this.#clockRateHz();
    if (rate === undefined) return arrivalMs / 1000;
    if (this.#timestamp !== undefined) {
      const distance = timestampDistance(this.#timestamp, timestamp);
      // A new session begins anywhere.
      this.#ticks += Math.abs(distance) < LONGEST_GAP_SECONDS * rate ? distance : rate / 25;
    }
    this.#timestamp = timestamp;
    return this.#ticks / rate;
  }
}

const LONGEST_GAP_SECONDS = 600;

/** Writes frames as PNG files, named by the frame's number. */
export class PngWriter implements FrameKeeper {
  readonly #folder: string;
  readonly #every: number;
  readonly #queue: FrameQueue;
  #seen = 0;

  private constructor(folder: string, every: number, images: ImageWorker) {
    this.#folder = folder;
    this.#every = every;
    this.#queue = new FrameQueue({
      work: async (frame) => {
        const png = await images.toPng(frame.jpeg);
        await Deno.writeFile(`${folder}/${pngNameOf(frame.number)}`, png);
      },
      parallel: Math.max(2, navigator.hardwareConcurrency),
    });
  }

  /**
   * Makes the folder if need be.
   *
   * @throws {TransportError} when it cannot be made.
   */
  static async open(
    folder: string,
    options: { readonly every: number; readonly images: ImageWorker },
  ): Promise<PngWriter> {
    try {
      await Deno.mkdir(folder, { recursive: true });
    } catch (cause) {
      throw new TransportError(
        `Cannot write PNG files to "${folder}": ${reasonOf(cause)}`,
        { operation: "mkdir", errno: (cause as { code?: string }).code, cause },
      );
    }
    return new PngWriter(folder.replace(/(?<=.)\/+$/, ""), options.every, options.images);
  }

  keep(frame: ReceivedFrame): void {
    if (this.#seen++ % this.#every === 0) this.#queue.push(frame);
  }

  get pending(): number {
    return this.#queue.pending;
  }

  progress(): string {
    return `png ${this.#queue.done}`;
  }

  async finish(): Promise<void> {
    await this.#queue.finish();
  }

  summary(): string {
    return `Wrote ${this.#queue.done} PNG files to ${this.#folder}`;
  }

  faults(): string[] {
    return faultsOf(this.#queue, `write PNG files to "${this.#folder}"`);
  }
}

/** Name of a frame's PNG file: `frame-000001.png`, more digits where they are needed. */
export function pngNameOf(frameNumber: number): string {
  return `frame-${String(frameNumber).padStart(6, "0")}.png`;
}

/** A size for people: `312 B`, `1.2 kB`, `34.5 MB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** The system's words, without the number and the call that say nothing to a reader. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/ \(os error \d+\).*$/, "").toLowerCase();
}

function faultsOf(queue: FrameQueue, action: string): string[] {
  const faults: string[] = [];
  if (queue.failed > 0) {
    faults.push(
      `Cannot ${action}: ${queue.failed} frames failed, the first with "${queue.firstError?.message}"`,
    );
  }
  if (queue.refused > 0) {
    faults.push(`Cannot ${action}: ${queue.refused} frames came faster than they could be written`);
  }
  return faults;
}
