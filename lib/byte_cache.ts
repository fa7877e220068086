/**
 * Values kept within a budget of octets; the one not used for longest goes first.
 *
 * Floor 0: frames on disk and packets of frames are kept by it. It knows nothing of either.
 *
 * @module
 */

/** A value among its neighbours in the order of use. */
interface Entry<Value> {
  readonly key: number;
  readonly value: Value;
  readonly byteCount: number;
  older: Entry<Value> | undefined;
  newer: Entry<Value> | undefined;
}

/**
 * A least-recently-used cache bounded by octets. Keys are numbers, for they are looked up for every frame; the order of
 * use is a chain of the entries themselves, so that a look-up leaves nothing behind to be collected.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ByteCache } from "./byte_cache.ts";
 * const cache = new ByteCache<string>(10);
 * cache.set(1, "first", 6);
 * cache.set(2, "second", 6);
 * assertEquals([cache.get(1), cache.get(2), cache.bytes], [undefined, "second", 6]);
 * ```
 */
export class ByteCache<Value> {
  #maxBytes: number;
  readonly #entries = new Map<number, Entry<Value>>();
  #oldest: Entry<Value> | undefined;
  #newest: Entry<Value> | undefined;
  #bytes = 0;

  /** Keeps at most `maxBytes`, and always the newest value. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Octets kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a key, which counts as a use. */
  get(key: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#link(entry);
    }
    return entry.value;
  }

  /** Whether a key has a value, without using it. */
  has(key: number): boolean {
    return this.#entries.has(key);
  }

  /** Keeps a value. */
  set(key: number, value: Value, byteCount: number): void {
    this.delete(key);
    const entry = { key, value, byteCount, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#link(entry);
    this.#bytes += byteCount;
    this.#shrink(key);
  }

  /** Keeps at most so much from now on. */
  limitTo(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#shrink(undefined);
  }

  /** Forgets a key. */
  delete(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
    this.#bytes -= entry.byteCount;
  }

  #shrink(kept: number | undefined): void {
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#oldest;
      if (oldest === undefined || oldest.key === kept) return;
      this.delete(oldest.key);
    }
  }

  /** Forgets all keys from `from` up to and without `to`. */
  deleteRange(from: number, to: number): void {
    for (const key of this.#entries.keys()) {
      if (key >= from && key < to) this.delete(key);
    }
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<Value>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
