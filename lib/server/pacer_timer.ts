/**
 * The one timer of a server: wakes the pacer when something is due.
 *
 * Floor 4 (assembly). It turns the pacer's arithmetic into calls; what is due is the pacer's business.
 *
 * @module
 */

import { Overload } from "../engine/overload.ts";
import { type Paced, Pacer } from "../engine/pacer.ts";

/** Waits without returning to the event loop: cheaper and more exact than a timer, see `lib/net/event_wait_linux.ts`. */
export interface ShortWait {
  /**
   * Waits at most so long, in ms.
   *
   * @returns whether the event loop has something to do: then return to it.
   */
  wait(ms: number): boolean;
  /** Gives back what it holds. */
  close(): void;
}

/** Drives a {@linkcode Pacer} by `setTimeout`. Times are `performance.now()` milliseconds. */
export class PacerTimer implements Disposable {
  readonly #pacer = new Pacer();
  readonly #shortWait: ShortWait | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeMs = Infinity;
  #noWaitBeforeMs = -Infinity;
  #isCalling = false;
  #isClosed = false;
  /** How late the timer comes. */
  readonly overload: Overload;

  /** With a {@linkcode ShortWait} what is due soon is waited for within one turn of the event loop. */
  constructor(shortWait?: ShortWait, maxLatenessMs = Infinity) {
    this.#shortWait = shortWait;
    this.overload = new Overload(maxLatenessMs);
  }

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

  /** Someone waits for promises: for some milliseconds every turn ends at once, so that they settle soon. */
  stayResponsive(): void {
    this.#noWaitBeforeMs = this.now() + RESPONSIVE_MS;
  }

  /** Forgets the entry. */
  cancel(entry: Paced): void {
    this.#pacer.cancel(entry);
  }

  /** Stops the timer; nothing is called any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#shortWait?.close();
  }

  /** See {@linkcode PacerTimer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #arm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
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
    // It has come: to clear it as well would cost a search for it, and memory.
    this.#timer = undefined;
    this.#isCalling = true;
    try {
      const beganMs = this.now();
      this.overload.record(beganMs - this.#wakeMs, beganMs);
      let now = beganMs;
      do this.#pacer.handleTimeout(now); while ((now = this.#waitForNext(beganMs)) > 0);
    } finally {
      this.#isCalling = false;
      this.#arm();
    }
  }

  /** Waits for what is due next where that is soon, and tells the time then; 0 means to return to the event loop. */
  #waitForNext(beganMs: number): number {
    const next = this.#pacer.nextTimeout();
    if (this.#shortWait === undefined || next === undefined || this.#isClosed) return 0;
    if (next > beganMs + MAX_TURN_MS) return 0;
    const now = this.now();
    if (now < this.#noWaitBeforeMs) return 0;
    return now < next && this.#shortWait.wait(next - now) ? 0 : this.now();
  }
}

/** Promises do not settle while a turn waits: a frame that is being read comes so much later at worst. */
const MAX_TURN_MS = 50;
/** So long takes a request, or the first frame of a stream. */
const RESPONSIVE_MS = 10;
const MAX_DELAY_MS = 0x7fff_ffff;
