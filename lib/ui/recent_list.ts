/**
 * The newest entries of one kind, bounded, and which of them are news.
 *
 * Floor 3 (wall), pure.
 *
 * @module
 */

/** Entries by their `id`. */
export class RecentList<T extends { readonly id: number }> {
  readonly #entries = new Map<number, T>();
  readonly #news = new Map<number, T>();
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #bytesOf: (entry: T) => number;
  #bytes = 0;
  #lastId = 0;

  /** Keeps at most `maxCount` entries, and `maxBytes` where sizes are told. */
  constructor(
    maxCount: number,
    options: { readonly maxBytes?: number; readonly bytesOf?: (entry: T) => number } = {},
  ) {
    this.#maxCount = maxCount;
    this.#maxBytes = options.maxBytes ?? Infinity;
    this.#bytesOf = options.bytesOf ?? (() => 0);
  }

  /** An `id` that was not used yet. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Adds an entry, or replaces the one of its `id`; one that is not kept any more stays forgotten. */
  put(entry: T): void {
    const old = this.#entries.get(entry.id);
    const oldest = this.#entries.keys().next().value;
    if (old === undefined && oldest !== undefined && entry.id < oldest) return;
    this.#lastId = Math.max(this.#lastId, entry.id);
    if (old !== undefined) this.#bytes -= this.#bytesOf(old);
    this.#bytes += this.#bytesOf(entry);
    this.#entries.set(entry.id, entry);
    this.#news.set(entry.id, entry);
    while (this.#entries.size > this.#maxCount || this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** The entry of that `id`, if it is kept. */
  get(id: number): T | undefined {
    return this.#entries.get(id);
  }

  /** All that are kept, oldest first. */
  all(): T[] {
    return [...this.#entries.values()];
  }

  /** Whether there is anything to take. */
  get hasNews(): boolean {
    return this.#news.size > 0;
  }

  /** What came or changed since the last call. */
  takeNews(): T[] {
    if (this.#news.size === 0) return [];
    const news = [...this.#news.values()].sort((a, b) => a.id - b.id);
    this.#news.clear();
    return news;
  }

  #dropOldest(): void {
    const [id, entry] = this.#entries.entries().next().value!;
    this.#entries.delete(id);
    this.#news.delete(id);
    this.#bytes -= this.#bytesOf(entry);
  }
}
