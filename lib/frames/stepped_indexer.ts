/**
 * Reading a container by position: a format says which octets it wants next, and gets them whole.
 *
 * Floor 1: turns a generator of wishes into a {@linkcode FrameFileIndexer}. Reads no file and keeps no more than one
 * wish of at most {@linkcode LARGEST_WANT_BYTES} in memory.
 *
 * @module
 */
import type { FrameFileIndexer, FrameIndex } from "./frame_index.ts";

/** Octets that are wanted next. */
export interface Want {
  /** Octets from the start of the file. */
  readonly at: number;
  /** How many; fewer come where the file ends before. */
  readonly size: number;
}

/** Reads an index: yields what it wants, gets those octets (borrowed until the next wish; fewer at the file's end). */
export type IndexSteps = Generator<Want, FrameIndex, Uint8Array>;

/** A part of {@linkcode IndexSteps} that yields a value of its own. */
export type Steps<T> = Generator<Want, T, Uint8Array>;

/** The largest wish. */
export const LARGEST_WANT_BYTES = 1 << 20;

/**
 * Drives {@linkcode IndexSteps} by pieces of a file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type IndexSteps, SteppedIndexer } from "./stepped_indexer.ts";
 * import { FrameTable } from "./frame_index.ts";
 *
 * function* steps(): IndexSteps {
 *   const [size] = yield { at: 3, size: 1 };
 *   const frames = new FrameTable();
 *   frames.add(4, size);
 *   return frames.toIndex("avi", { list: [], count: 0 });
 * }
 * const indexer = new SteppedIndexer(steps(), { totalBytes: 20 });
 * assertEquals(indexer.position, 3);
 * indexer.push(new Uint8Array([16, 0, 0]));
 * assertEquals([indexer.position, indexer.finish().sizeOf(0)], [20, 16]);
 * ```
 */
export class SteppedIndexer implements FrameFileIndexer {
  readonly #steps: IndexSteps;
  readonly #totalBytes: number;
  #want: Want = NOTHING;
  /** What came so far of a wish that no single piece held. */
  #gathered: Uint8Array = NO_OCTETS;
  #got = 0;
  #index: FrameIndex | undefined;

  /** `totalBytes` is the size of the file. */
  constructor(steps: IndexSteps, options: { readonly totalBytes: number }) {
    this.#steps = steps;
    this.#totalBytes = options.totalBytes;
    this.#take(this.#steps.next());
  }

  /** Octets from the start of the file to the next octet to push; the end of the file when nothing more is needed. */
  get position(): number {
    return this.#index === undefined ? this.#want.at + this.#got : this.#totalBytes;
  }

  /** Takes octets that start at `position`. */
  push(piece: Uint8Array): void {
    const start = this.position;
    while (this.#index === undefined) {
      const from = this.#want.at + this.#got - start;
      if (from < 0 || from >= piece.length) return;
      const size = Math.min(piece.length - from, this.#want.size - this.#got);
      const octets = piece.subarray(from, from + size);
      if (size === this.#want.size) this.#give(octets);
      else {
        if (this.#got === 0) this.#gathered = new Uint8Array(this.#want.size);
        this.#gathered.set(octets, this.#got);
        this.#got += size;
        if (this.#got < this.#want.size) return;
        this.#give(this.#gathered);
      }
    }
  }

  /** The index. Throws `FrameFileError` where the octets that came make none. */
  finish(): FrameIndex {
    while (this.#index === undefined) this.#give(this.#gathered.subarray(0, this.#got));
    return this.#index;
  }

  #give(octets: Uint8Array): void {
    this.#gathered = NO_OCTETS;
    this.#got = 0;
    this.#take(this.#steps.next(octets));
  }

  #take(result: IteratorResult<Want, FrameIndex>): void {
    while (!result.done) {
      const { at } = result.value;
      const size = Math.min(result.value.size, this.#totalBytes - at);
      if (size > LARGEST_WANT_BYTES) throw new TypeError(`Cannot want ${size} octets at once`);
      this.#want = { at, size };
      if (size > 0) return;
      // Nothing is there: the format decides whether it can do without.
      result = this.#steps.next(NO_OCTETS);
    }
    this.#index = result.value;
  }
}

const NO_OCTETS = new Uint8Array(0);
const NOTHING: Want = { at: 0, size: 0 };
