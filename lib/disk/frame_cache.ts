/**
 * Frames read from disk, kept in memory within a budget, the least recently used given up first.
 *
 * Floor 3 by its place, pure by its nature: holds what it is given and knows nothing of files.
 *
 * @module
 */
import { ByteCache } from "../byte_cache.ts";

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
  readonly #entries: ByteCache<Uint8Array>;

  /** Keeps at most `limitBytes` octets. */
  constructor(options: { readonly limitBytes: number }) {
    this.limitBytes = options.limitBytes;
    this.#entries = new ByteCache(options.limitBytes);
  }

  /** Octets kept now. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /** What is kept for this owner (a non-negative integer below 2^20) and index (below 2^32): shared, read-only. */
  get(owner: number, index: number): Uint8Array | undefined {
    return this.#entries.get(keyOf(owner, index));
  }

  /** Keeps `octets`, and gives up others where the budget needs it; what exceeds the whole budget is not kept. */
  set(owner: number, index: number, octets: Uint8Array): void {
    const key = keyOf(owner, index);
    if (octets.length > this.limitBytes) this.#entries.delete(key);
    else this.#entries.set(key, octets, octets.length);
  }

  /** Gives up everything of one owner. */
  delete(owner: number): void {
    this.#entries.deleteRange(keyOf(owner, 0), keyOf(owner + 1, 0));
  }
}

/** One number for both, exact below 2^52. */
function keyOf(owner: number, index: number): number {
  return owner * 0x1_0000_0000 + index;
}
