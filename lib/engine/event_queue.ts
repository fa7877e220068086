/**
 * Events of an engine on their way to who polls: first in, first out, with the octets they hold.
 *
 * Floor 2: imports nothing. Does not refuse anything: its owner asks {@linkcode EventQueue.bytes} first.
 *
 * @module
 */

/** Passed slots are given back when there are so many, so that a queue that is never quite empty does not grow. */
const MAX_PASSED = 1024;

/**
 * A queue that reuses its slots: a push and a poll allocate nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventQueue } from "./event_queue.ts";
 *
 * const queue = new EventQueue<string>((event) => event.length);
 * queue.push("ab");
 * assertEquals(queue.bytes, 2);
 * assertEquals(queue.poll(), "ab");
 * assertEquals(queue.poll(), undefined);
 * ```
 */
export class EventQueue<T> {
  readonly #sizeOf: (event: T) => number;
  readonly #slots: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;
  #bytes = 0;

  /** `sizeOf` says how many octets an event counts for; it must always say the same of one event. */
  constructor(sizeOf: (event: T) => number) {
    this.#sizeOf = sizeOf;
  }

  /** Octets of all events in the queue. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends an event. */
  push(event: T): void {
    this.#slots[this.#tail++] = event;
    this.#bytes += this.#sizeOf(event);
  }

  /** Takes the oldest event; `undefined` when there is none. */
  poll(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const event = this.#slots[this.#head]!;
    this.#slots[this.#head++] = undefined;
    this.#bytes -= this.#sizeOf(event);
    if (this.#head === this.#tail) {
      this.#head = this.#tail = 0;
    } else if (this.#head >= MAX_PASSED && this.#head * 2 > this.#tail) {
      this.#slots.splice(0, this.#head);
      this.#tail -= this.#head;
      this.#head = 0;
    }
    return event;
  }
}
