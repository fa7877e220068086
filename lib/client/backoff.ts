/**
 * Growing pauses between attempts to connect again, and a pause that can be cut short.
 *
 * Floor 4 (client assembly).
 *
 * @module
 */

/** Pauses that double, up to half a minute, each a little random so that many clients do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #random: () => number;
  #attempt = 0;

  /** The first pause is about `firstMs` milliseconds long. `random` gives numbers from 0 up to 1. */
  constructor(firstMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#random = random;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const fullMs = Math.min(MAX_PAUSE_MS, this.#firstMs * 2 ** this.#attempt++);
    return Math.round(fullMs * (0.8 + 0.4 * this.#random()));
  }
}

/** Resolves after `milliseconds`, or at once when `signal` is aborted; tells which: false when cut short. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const cutShort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", cutShort);
      resolve(true);
    }, milliseconds);
    signal.addEventListener("abort", cutShort, { once: true });
  });
}

const MAX_PAUSE_MS = 30_000;
