/**
 * Values kept within a budget of octets; the one not used for longest goes first.
 *
 * Floor 4 (assembly).
 *
 * @module
 */

interface Entry<Value> {
  readonly value: Value;
  readonly byteCount: number;
}

/** A least-recently-used cache bounded by octets. Keys are numbers, for they are looked up for every frame. */
export class ByteCache<Value> {
  #maxBytes: number;
  readonly #entries = new Map<number, Entry<Value>>();
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
    // A Map keeps the order of insertion: the first key is the one not used for longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Whether a key has a value, without using it. */
  has(key: number): boolean {
    return this.#entries.has(key);
  }

  /** Keeps a value. */
  set(key: number, value: Value, byteCount: number): void {
    this.delete(key);
    this.#entries.set(key, { value, byteCount });
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
    this.#bytes -= entry.byteCount;
  }

  #shrink(kept: number | undefined): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === kept) return;
      this.delete(oldest);
    }
  }

  /** Forgets all keys from `from` up to and without `to`. */
  deleteRange(from: number, to: number): void {
    for (const key of this.#entries.keys()) {
      if (key >= from && key < to) this.delete(key);
    }
  }
}
