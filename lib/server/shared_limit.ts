/**
 * Connections, or sessions, counted by their address in memory that all threads of a server share: exact limits that are
 * asked without waiting for another thread.
 *
 * Floor 4 (assembly). A hash table with open addressing, bounded by the limit itself: whoever is counted holds at most one
 * slot. A lock guards it for the few slots that one call touches.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type AddressCounter, type AddressLimitOptions, refusalOf } from "./connection_limits.ts";

/**
 * The same limit as `AddressLimit`, for all threads that are given its memory.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedAddressLimit } from "./shared_limit.ts";
 * const options = { total: 2, perAddress: 1 };
 * const memory = SharedAddressLimit.memoryFor(options.total);
 * const here = new SharedAddressLimit(memory, options), there = new SharedAddressLimit(memory, options);
 * assertEquals(here.take("192.0.2.1"), undefined);
 * assertEquals(there.take("192.0.2.1"), "1 from 192.0.2.1 are open already");
 * there.release("192.0.2.1");
 * assertEquals(here.total, 0);
 * ```
 */
export class SharedAddressLimit implements AddressCounter {
  readonly #options: AddressLimitOptions;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #slotCount: number;

  /** Counts in memory made by {@linkcode SharedAddressLimit.memoryFor} for the same total. */
  constructor(memory: SharedArrayBuffer, options: AddressLimitOptions) {
    this.#options = options;
    this.#words = new Int32Array(memory);
    this.#slotCount = slotCountFor(options.total);
  }

  /** Memory in which nothing is counted. */
  static memoryFor(total: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (HEAD_WORDS + slotCountFor(total) * SLOT_WORDS));
  }

  /** See {@linkcode AddressCounter.total}. */
  get total(): number {
    return Atomics.load(this.#words, TOTAL);
  }

  /** See {@linkcode AddressCounter.take}. */
  take(address: string): string | undefined {
    const key = keyOf(address);
    return this.#locked(() => {
      const slot = this.#find(key);
      const count = this.#words[slot + KEY_WORDS];
      const refusal = refusalOf(address, count, this.#words[TOTAL], this.#options);
      if (refusal !== undefined) return refusal;
      this.#words.set(key, slot);
      this.#words[slot + KEY_WORDS] = count + 1;
      this.#words[TOTAL]++;
      return undefined;
    });
  }

  /** See {@linkcode AddressCounter.release}. */
  release(address: string): void {
    const key = keyOf(address);
    this.#locked(() => {
      const slot = this.#find(key);
      const count = this.#words[slot + KEY_WORDS];
      if (count <= 0) return;
      this.#words[TOTAL]--;
      this.#words[slot + KEY_WORDS] = count - 1;
      if (count === 1) this.#closeGap(slot);
    });
  }

  /** The slot of a key, or the free one where it belongs. */
  #find(key: Int32Array): number {
    for (let index = this.#homeOf(key);; index = (index + 1) % this.#slotCount) {
      const slot = HEAD_WORDS + index * SLOT_WORDS;
      if (this.#words[slot + KEY_WORDS] === 0) return slot;
      if (key.every((word, i) => this.#words[slot + i] === word)) return slot;
    }
  }

  /** Moves up what stands behind a slot that was freed, as far as it would not be found any more. */
  #closeGap(freed: number): void {
    let gap = (freed - HEAD_WORDS) / SLOT_WORDS;
    for (let index = (gap + 1) % this.#slotCount;; index = (index + 1) % this.#slotCount) {
      const slot = HEAD_WORDS + index * SLOT_WORDS;
      if (this.#words[slot + KEY_WORDS] === 0) return;
      const home = this.#homeOf(this.#words.subarray(slot, slot + KEY_WORDS));
      const isReached = (index - home + this.#slotCount) % this.#slotCount <
        (index - gap + this.#slotCount) % this.#slotCount;
      if (isReached) continue;
      this.#words.copyWithin(HEAD_WORDS + gap * SLOT_WORDS, slot, slot + SLOT_WORDS);
      this.#words[slot + KEY_WORDS] = 0;
      gap = index;
    }
  }

  #homeOf(key: Int32Array): number {
    return (key[0] >>> 0) % this.#slotCount;
  }

  /** Threads that find the lock taken sleep until it is free: 0 free, 1 taken, 2 taken and waited for. */
  #locked<Result>(action: () => Result): Result {
    const words = this.#words;
    if (Atomics.compareExchange(words, LOCK, 0, 1) !== 0) {
      while (Atomics.exchange(words, LOCK, 2) !== 0) Atomics.wait(words, LOCK, 2);
    }
    try {
      return action();
    } finally {
      if (Atomics.exchange(words, LOCK, 0) === 2) Atomics.notify(words, LOCK, 1);
    }
  }
}

/** At most half full, so that rows stay short. */
function slotCountFor(total: number): number {
  return 2 * total + 1;
}

/** 128 bits of a hash, since addresses are of different lengths. */
function keyOf(address: string): Int32Array {
  const digest = createHash("sha256").update(address).digest();
  return Int32Array.from({ length: KEY_WORDS }, (_, i) => digest.readInt32LE(4 * i));
}

const LOCK = 0;
const TOTAL = 1;
const HEAD_WORDS = 2;
const KEY_WORDS = 4;
/** The key and its count; 0 marks a free slot. */
const SLOT_WORDS = KEY_WORDS + 1;
