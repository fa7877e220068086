/**
 * One timer that can be set again and again: what an engine's `nextTimeout()` needs at a wall.
 *
 * Floor 4 (client assembly). It decides nothing; it only calls back, never early.
 *
 * @module
 */

/** A timer for one engine. */
export class Alarm implements Disposable {
  readonly #ring: (now: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;
  #isClosed = false;

  /** `ring` is called with the time (`performance.now()`) once the due time has come. */
  constructor(ring: (now: number) => void) {
    this.#ring = ring;
  }

  /** Sets the alarm to `dueMs` of `performance.now()`, or takes it back with `undefined`. Cheap when nothing changes. */
  set(dueMs: number | undefined): void {
    const due = dueMs ?? Infinity;
    if (this.#isClosed || due === this.#dueMs) return;
    this.#dueMs = due;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (due !== Infinity) this.#arm();
  }

  /** Takes the alarm back for good. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** The same as {@linkcode Alarm.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #arm(): void {
    // Deno's timers may fire up to half a millisecond early, and round to whole milliseconds.
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(this.#dueMs - performance.now())));
    this.#timer = setTimeout(() => this.#fire(), waitMs);
  }

  #fire(): void {
    this.#timer = undefined;
    if (this.#isClosed) return;
    const now = performance.now();
    if (now < this.#dueMs) return this.#arm();
    this.#dueMs = Infinity;
    this.#ring(now);
  }
}

const MAX_TIMER_MS = 0x7fff_ffff;
