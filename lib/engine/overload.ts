/**
 * Whether a server does more than the machine can: judged by how late its one timer comes, and by how many frames have to be
 * given up because those before them have not left yet.
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
  /** Of frames, since they were summed up last. */
  #sent = 0;
  #givenUp = 0;
  #givenUpShare = 0;
  #summedMs = -Infinity;

  /** Overloaded above a mean lateness of `limitMs`; `Infinity`: never. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** The timer came `latenessMs` after the moment it was asked for. */
  record(latenessMs: number, now: number): void {
    const countedMs = Math.min(Math.max(0, latenessMs), LONGEST_LATENESS_MS);
    this.#meanMs += (countedMs - this.#meanMs) * weightAfter(now - this.#recordedMs);
    this.#recordedMs = now;
  }

  /** Of frames that were due, so many were sent, and so many given up. */
  recordFrames(sent: number, givenUp: number, now: number): void {
    this.#sent += sent;
    this.#givenUp += givenUp;
    if (this.#summedMs === -Infinity) this.#summedMs = now;
    const sinceMs = now - this.#summedMs;
    if (sinceMs < SUM_INTERVAL_MS) return;
    const share = this.#givenUp / Math.max(1, this.#sent + this.#givenUp);
    this.#givenUpShare += (share - this.#givenUpShare) * weightAfter(sinceMs);
    this.#sent = this.#givenUp = 0;
    this.#summedMs = now;
  }

  /** Share of the frames that were given up over the last seconds, 0 to 1; it fades where none are due any more. */
  givenUpShare(now: number): number {
    return this.#givenUpShare * fading(now - this.#summedMs);
  }

  /** Mean lateness over the last seconds, in ms; it fades where nothing is due any more. */
  latenessMs(now: number): number {
    return this.#meanMs * fading(now - this.#recordedMs);
  }

  /** Late enough that frames are better left out than sent late. */
  isStrained(now: number): boolean {
    return this.latenessMs(now) > this.#limitMs / STRAINED_DIVISOR;
  }

  /** Too late, or with too much to send, to take anybody else in. */
  isOverloaded(now: number): boolean {
    if (this.#limitMs === Infinity) return false;
    return this.latenessMs(now) > this.#limitMs || this.givenUpShare(now) > MOST_GIVEN_UP;
  }
}

/** How much one moment weighs. Between two that are far apart nobody knows: only so much for one of them. */
function weightAfter(sinceMs: number): number {
  return 1 - Math.exp(-Math.min(Math.max(0, sinceMs), LONGEST_STEP_MS) / TIME_CONSTANT_MS);
}

/** What is left of a mean when nothing was heard for so long. */
function fading(sinceMs: number): number {
  return Math.exp(-Math.max(0, sinceMs - LONGEST_STEP_MS) / TIME_CONSTANT_MS);
}

const TIME_CONSTANT_MS = 2_000;
const LONGEST_STEP_MS = 500;
/** A machine that slept was not overloaded. */
const LONGEST_LATENESS_MS = 1_000;
const STRAINED_DIVISOR = 5;
const SUM_INTERVAL_MS = 100;
/** A moment in which nothing could leave is no more than that. */
const MOST_GIVEN_UP = 0.1;
