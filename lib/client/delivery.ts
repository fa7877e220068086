/**
 * Hands frames to whoever wants them: at once to listeners, and through bounded queues to `for await` loops.
 *
 * Floor 4 (client assembly). A slow reader loses the oldest frames of its own queue, never delays the receiver and never
 * another reader. It does not copy frames.
 *
 * @module
 */

import type { ReceivedFrame } from "./statistics.ts";

/** Frames a `for await` loop may lag behind before the oldest are given up. */
const FRAME_QUEUE_LENGTH = 8;

/** How {@linkcode FrameDelivery.frames} queues. */
export interface FrameQueueOptions {
  /** Frames kept for a reader that lags behind; the oldest are dropped. @default {8} */
  readonly queueLength?: number;
}

/** Distributes the frames of one client. */
export class FrameDelivery {
  readonly #listeners = new Set<(frame: ReceivedFrame) => void>();
  readonly #queues = new Set<FrameQueue>();
  #latest: ReceivedFrame | undefined;
  #undelivered = 0;

  /** The newest frame, kept after the end of the stream. */
  get latest(): ReceivedFrame | undefined {
    return this.#latest;
  }

  /** Frames that slow readers did not get. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /** Calls `listener` for every frame, synchronously, until the returned function is called. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Settles with the next frame, or when there is none for so long. Dispose to stop waiting. */
  next(patienceMs: number): Disposable & { readonly settled: Promise<void> } {
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const stopListening = this.onFrame(() => resolve());
    const patience = setTimeout(resolve, patienceMs);
    return {
      settled,
      [Symbol.dispose]() {
        clearTimeout(patience);
        stopListening();
      },
    };
  }

  /** Frames from now on until {@linkcode FrameDelivery.end}. Queueing starts with the call, not with the first `next()`. */
  frames(options: FrameQueueOptions = {}): AsyncIterableIterator<ReceivedFrame> {
    const queue = new FrameQueue(
      options.queueLength ?? FRAME_QUEUE_LENGTH,
      () => this.#queues.delete(queue),
    );
    this.#queues.add(queue);
    return queue;
  }

  /** Hands one frame to everybody. An error of a listener is reported as uncaught; the others still get the frame. */
  deliver(frame: ReceivedFrame): void {
    this.#latest = frame;
    for (const listener of this.#listeners) {
      try {
        listener(frame);
      } catch (error) {
        reportError(error);
      }
    }
    for (const queue of this.#queues) this.#undelivered += queue.push(frame);
  }

  /** Ends every `for await` loop once it has read what is queued; with an error it then throws. */
  end(error?: Error): void {
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
  }
}

/** A bounded queue that is its own iterator. */
class FrameQueue implements AsyncIterableIterator<ReceivedFrame> {
  readonly #length: number;
  readonly #onReturn: () => void;
  readonly #frames: ReceivedFrame[] = [];
  readonly #waiting: PromiseWithResolvers<IteratorResult<ReceivedFrame>>[] = [];
  #hasEnded = false;
  #error: Error | undefined;

  constructor(length: number, onReturn: () => void) {
    this.#length = Math.max(1, length);
    this.#onReturn = onReturn;
  }

  /** Returns how many frames were dropped to make room: 0 or 1. */
  push(frame: ReceivedFrame): number {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ done: false, value: frame });
      return 0;
    }
    this.#frames.push(frame);
    if (this.#frames.length <= this.#length) return 0;
    this.#frames.shift();
    return 1;
  }

  end(error?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
  }

  next(): Promise<IteratorResult<ReceivedFrame>> {
    const frame = this.#frames.shift();
    if (frame) return Promise.resolve({ done: false, value: frame });
    const waiting = Promise.withResolvers<IteratorResult<ReceivedFrame>>();
    if (this.#hasEnded) this.#settle(waiting);
    else this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** An error is thrown once; afterwards the loop has simply ended. */
  #settle(waiting: PromiseWithResolvers<IteratorResult<ReceivedFrame>>): void {
    const error = this.#error;
    this.#error = undefined;
    if (error) waiting.reject(error);
    else waiting.resolve({ done: true, value: undefined });
  }

  return(): Promise<IteratorResult<ReceivedFrame>> {
    this.#frames.length = 0;
    this.end();
    this.#onReturn();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedFrame> {
    return this;
  }
}
