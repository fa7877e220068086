/**
 * The one timer of a server: wakes the pacer when something is due.
 *
 * Floor 4 (assembly). It turns the pacer's arithmetic into calls; what is due is the pacer's business.
 *
 * @module
 */

import { type Paced, Pacer } from "../engine/pacer.ts";

/** Drives a {@linkcode Pacer} by `setTimeout`. Times are `performance.now()` milliseconds. */
export class PacerTimer implements Disposable {
  readonly #pacer = new Pacer();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeMs = Infinity;
  #isCalling = false;
  #isClosed = false;

  /** The present time on this clock, in ms. */
  now(): number {
    return performance.now();
  }

  /** The wall clock at a time of this clock, in Unix ms. Both run alike, so that RTP and NTP time agree. */
  unixMsAt(now: number): number {
    return performance.timeOrigin + now;
  }

  /** Calls the entry at `dueMs`. */
  schedule(entry: Paced, dueMs: number): void {
    if (this.#isClosed) return;
    this.#pacer.schedule(entry, dueMs);
    if (!this.#isCalling && dueMs < this.#wakeMs) this.#arm();
  }

  /** Forgets the entry. */
  cancel(entry: Paced): void {
    this.#pacer.cancel(entry);
  }

  /** Stops the timer; nothing is called any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** See {@linkcode PacerTimer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#pacer.nextTimeout();
    if (next === undefined || this.#isClosed) {
      this.#wakeMs = Infinity;
      return;
    }
    this.#wakeMs = next;
    // Rounded down: timers come about a millisecond late, and waking too early costs one more turn at most.
    const delayMs = Math.max(0, Math.floor(next - this.now()));
    this.#timer = setTimeout(() => this.#wake(), Math.min(delayMs, MAX_DELAY_MS));
  }

  #wake(): void {
    this.#isCalling = true;
    try {
      this.#pacer.handleTimeout(this.now());
    } finally {
      this.#isCalling = false;
      this.#arm();
    }
  }
}

const MAX_DELAY_MS = 0x7fff_ffff;
