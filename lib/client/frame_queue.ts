/**
 * Frames on their way to the disk: a queue that never delays the receiver and never loses a frame without counting it.
 *
 * Floor 4 (client assembly). The network cannot be told to wait, so the queue takes what the disk cannot yet: up to a
 * bound in octets, large enough for minutes. Beyond it the newest frame is refused and counted.
 *
 * @module
 */

import { EventQueue } from "../engine/event_queue.ts";
import type { ReceivedFrame } from "./statistics.ts";

/** Options of a {@linkcode FrameQueue}. */
export interface FrameQueueSettings {
  /** Does the work for one frame; what it throws is kept for the summary. */
  readonly work: (frame: ReceivedFrame) => Promise<void>;
  /** How many frames are worked on at a time. @default {1} */
  readonly parallel?: number;
  /** Octets of JPEG that may wait. @default {268435456} */
  readonly limitBytes?: number;
}

/** A bounded queue of work on frames. */
export class FrameQueue {
  readonly #work: (frame: ReceivedFrame) => Promise<void>;
  readonly #parallel: number;
  readonly #limitBytes: number;
  readonly #waiting = new EventQueue<ReceivedFrame>((frame) => frame.jpeg.length);
  #pending = 0;
  #running = 0;
  #done = 0;
  #refused = 0;
  #failed = 0;
  #firstError: Error | undefined;
  #idle: (() => void)[] = [];

  /** An empty queue. */
  constructor(settings: FrameQueueSettings) {
    this.#work = settings.work;
    this.#parallel = settings.parallel ?? 1;
    this.#limitBytes = settings.limitBytes ?? DEFAULT_LIMIT_BYTES;
  }

  /** Frames that are done. */
  get done(): number {
    return this.#done;
  }

  /** Frames that wait or are worked on. */
  get pending(): number {
    return this.#pending;
  }

  /** Frames that were refused because the queue was full. */
  get refused(): number {
    return this.#refused;
  }

  /** Frames whose work failed. */
  get failed(): number {
    return this.#failed;
  }

  /** Why the first of them failed. */
  get firstError(): Error | undefined {
    return this.#firstError;
  }

  /** Takes a frame; false when the queue is full, which is counted. */
  push(frame: ReceivedFrame): boolean {
    if (this.#waiting.bytes + frame.jpeg.length > this.#limitBytes) {
      this.#refused++;
      return false;
    }
    this.#waiting.push(frame);
    this.#pending++;
    this.#next();
    return true;
  }

  /** Resolves when nothing waits any more. */
  finish(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    while (this.#running < this.#parallel) {
      const frame = this.#waiting.poll();
      if (frame === undefined) return;
      this.#running++;
      void this.#run(frame);
    }
  }

  async #run(frame: ReceivedFrame): Promise<void> {
    try {
      await this.#work(frame);
      this.#done++;
    } catch (error) {
      this.#failed++;
      this.#firstError ??= error as Error;
    }
    this.#running--;
    this.#pending--;
    this.#next();
    if (this.#pending > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const DEFAULT_LIMIT_BYTES = 256 << 20;
