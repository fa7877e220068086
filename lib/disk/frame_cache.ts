/**
 * Octets kept in memory within a budget, the least recently used given up first.
 *
 * Floor 3 by its place, pure by its nature: holds what it is given and knows nothing of frames or files.
 *
 * @module
 */

/**
 * Arrays of octets by owner (a movie) and index (a frame), for any number of owners together.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FrameCache } from "./frame_cache.ts";
 *
 * const cache = new FrameCache({ limitBytes: 10 });
 * cache.set(1, 0, new Uint8Array(6));
 * cache.set(1, 1, new Uint8Array(6));
 * assertEquals([cache.get(1, 0)?.length, cache.get(1, 1)?.length, cache.bytes], [undefined, 6, 6]);
 * ```
 */
export class FrameCache {
  /** Octets kept at most. */
  readonly limitBytes: number;
  /** In order of use: a Map iterates in order of insertion. */
  readonly #entries = new Map<number, Uint8Array>();
  #bytes = 0;

  /** Keeps at most `limitBytes` octets. */
  constructor(options: { readonly limitBytes: number }) {
    this.limitBytes = options.limitBytes;
  }

  /** Octets kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is kept for this owner (a non-negative integer below 2^20) and index (below 2^32): shared, read-only. */
  get(owner: number, index: number): Uint8Array | undefined {
    const key = keyOf(owner, index), octets = this.#entries.get(key);
    if (octets === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, octets);
    return octets;
  }

  /** Keeps `octets`, and gives up others where the budget needs it; what exceeds the whole budget is not kept. */
  set(owner: number, index: number, octets: Uint8Array): void {
    const key = keyOf(owner, index);
    this.#remove(key);
    if (octets.length > this.limitBytes) return;
    this.#entries.set(key, octets);
    this.#bytes += octets.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.limitBytes) break;
      this.#remove(oldest);
    }
  }

  /** Gives up everything of one owner. */
  delete(owner: number): void {
    const first = keyOf(owner, 0), last = keyOf(owner, 0xffff_ffff);
    for (const key of this.#entries.keys()) if (key >= first && key <= last) this.#remove(key);
  }

  #remove(key: number): void {
    this.#bytes -= this.#entries.get(key)?.length ?? 0;
    this.#entries.delete(key);
  }
}

/** One number for both, exact below 2^52. */
function keyOf(owner: number, index: number): number {
  return owner * 0x1_0000_0000 + index;
}
