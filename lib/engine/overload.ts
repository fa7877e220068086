/**
 * Whether a server does more than the machine can: judged by how late its one timer comes.
 *
 * Floor 2 (engine): no clock; `now` is an argument in milliseconds on a monotonic clock. A single late moment means
 * nothing, the mean of the last seconds does. It decides nothing: those who send frames and answer requests ask it.
 *
 * @module
 */

/**
 * A smoothed lateness, and two limits.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Overload } from "./overload.ts";
 * const overload = new Overload(250);
 * for (let now = 0; now < 10_000; now += 500) overload.record(400, now);
 * assertEquals([overload.isStrained(10_000), overload.isOverloaded(10_000)], [true, true]);
 * assertEquals(overload.isOverloaded(20_000), false);
 * ```
 */
export class Overload {
  readonly #limitMs: number;
  #meanMs = 0;
  #recordedMs = -Infinity;

  /** Overloaded above a mean lateness of `limitMs`; `Infinity`: never. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** The timer came `latenessMs` after the moment it was asked for. */
  record(latenessMs: number, now: number): void {
    const sinceMs = Math.max(0, now - this.#recordedMs);
    // Between two moments that are far apart nobody knows: only so much weight for one of them.
    const share = 1 - Math.exp(-Math.min(sinceMs, LONGEST_STEP_MS) / TIME_CONSTANT_MS);
    const countedMs = Math.min(Math.max(0, latenessMs), LONGEST_LATENESS_MS);
    this.#meanMs += (countedMs - this.#meanMs) * share;
    this.#recordedMs = now;
  }

  /** Mean lateness over the last seconds, in ms; it fades where nothing is due any more. */
  latenessMs(now: number): number {
    const silentMs = Math.max(0, now - this.#recordedMs - LONGEST_STEP_MS);
    return this.#meanMs * Math.exp(-silentMs / TIME_CONSTANT_MS);
  }

  /** Late enough that frames are better left out than sent late. */
  isStrained(now: number): boolean {
    return this.latenessMs(now) > this.#limitMs / STRAINED_DIVISOR;
  }

  /** Too late to take anybody else in. */
  isOverloaded(now: number): boolean {
    return this.latenessMs(now) > this.#limitMs;
  }
}

const TIME_CONSTANT_MS = 2_000;
const LONGEST_STEP_MS = 500;
/** A machine that slept was not overloaded. */
const LONGEST_LATENESS_MS = 1_000;
const STRAINED_DIVISOR = 5;
