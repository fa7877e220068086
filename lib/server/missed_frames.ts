/**
 * Counts the frames that a reader misses because it, or the socket, is too slow; tells of them now and then.
 *
 * Floor 4 (assembly). `now` is an argument.
 *
 * @module
 */

/** The frames that one reader missed. */
export class MissedFrames {
  readonly #onMissed: (frames: number) => void;
  #total = 0;
  #untold = 0;
  #toldMs = -Infinity;

  /** Calls `onMissed` at most once in five seconds, with the number since the last time. */
  constructor(onMissed: (frames: number) => void) {
    this.#onMissed = onMissed;
  }

  /** All of them. */
  get total(): number {
    return this.#total;
  }

  /** Some more. */
  add(frames: number, now: number): void {
    this.#total += frames;
    this.#untold += frames;
    if (now - this.#toldMs < TELL_INTERVAL_MS) return;
    this.#toldMs = now;
    this.#onMissed(this.#untold);
    this.#untold = 0;
  }
}

const TELL_INTERVAL_MS = 5000;
