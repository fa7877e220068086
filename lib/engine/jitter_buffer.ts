/**
 * Puts packets back in order: holds what comes after a gap until the gap is filled or its time is up.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-5.1 RFC 3550 s5.1}.
 *
 * Floor 2: imports nothing of ours. Does not smooth arrival times: a packet in sequence passes at once, so that the buffer
 * adds no delay to a stream without gaps. A place is given up `latencyMs` after the first packet beyond it arrived.
 *
 * @module
 */

/** A packet on hold. */
export interface HeldPacket<T> {
  /** What is delivered. */
  readonly item: T;
  /** Monotonic time of its arrival. */
  readonly arrivalMs: number;
  /** Octets that it counts for. */
  readonly size: number;
  /** A further packet under the same number (lab servers' pieces), in order of arrival. */
  next?: HeldPacket<T>;
  /** The last of these, kept by the first. */
  last?: HeldPacket<T>;
}

/** Gets every packet in order; `lostBefore` places were given up directly before it. */
export type Deliver<T> = (extended: number, held: HeldPacket<T>, lostBefore: number) => void;

/** Counted on top of a packet's octets, for the objects around it. */
const OVERHEAD_SIZE = 256;

/**
 * Orders items by their extended sequence number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { JitterBuffer } from "./jitter_buffer.ts";
 *
 * const out: string[] = [];
 * const buffer = new JitterBuffer<string>(
 *   { latencyMs: 100, maxBytes: 1000 },
 *   (n, held, lost) => out.push(`${n}${held.item}-${lost}`),
 * );
 * buffer.start(5);
 * buffer.insert(6, { item: "b", arrivalMs: 0, size: 1 });
 * buffer.insert(5, { item: "a", arrivalMs: 1, size: 1 });
 * buffer.insert(8, { item: "d", arrivalMs: 2, size: 1 });
 * buffer.expire(102);
 * assertEquals(out, ["5a-0", "6b-0", "8d-1"]);
 * ```
 */
export class JitterBuffer<T> {
  readonly #latencyMs: number;
  readonly #maxBytes: number;
  readonly #deliver: Deliver<T>;
  readonly #held = new Map<number, HeldPacket<T>>();
  #next = 0;
  #bytes = 0;
  #count = 0;
  /** Not later than the first gap's time is up; exact right after {@linkcode expire}. */
  #deadline: number | undefined;

  /** `latencyMs` 0 gives every gap up at once; `maxBytes` bounds what is held. */
  constructor(
    options: { readonly latencyMs: number; readonly maxBytes: number },
    deliver: Deliver<T>,
  ) {
    this.#latencyMs = options.latencyMs;
    this.#maxBytes = options.maxBytes;
    this.#deliver = deliver;
  }

  /** The number that is delivered next; lower ones are delivered or given up. */
  get next(): number {
    return this.#next;
  }

  /** Packets on hold. */
  get heldPackets(): number {
    return this.#count;
  }

  /** Drops what is held and goes on at `extended`. */
  start(extended: number): void {
    this.#held.clear();
    this.#bytes = 0;
    this.#count = 0;
    this.#deadline = undefined;
    this.#next = extended;
  }

  /** Takes a packet at or above {@linkcode next}; delivers it and what it makes deliverable. */
  insert(extended: number, packet: HeldPacket<T>): void {
    if (extended === this.#next) {
      this.#next++;
      this.#deliver(extended, packet, 0);
      this.#drain();
      return;
    }
    const before = this.#held.get(extended);
    if (before === undefined) this.#held.set(extended, packet);
    else appendPiece(before, packet);
    this.#count++;
    this.#bytes += packet.size + OVERHEAD_SIZE;
    this.#deadline ??= packet.arrivalMs + this.#latencyMs;
    if (this.#latencyMs === 0) this.#giveUp((arrivalMs) => arrivalMs <= packet.arrivalMs);
    else if (this.#bytes > this.#maxBytes) {
      this.#giveUp(() => this.#bytes > this.#maxBytes / 2);
    }
  }

  /** When {@linkcode expire} has something to do; may be earlier than needed, never later. */
  nextTimeout(): number | undefined {
    return this.#deadline;
  }

  /** Gives up every gap whose time is up, and delivers what waited behind it. */
  expire(now: number): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    this.#giveUp((arrivalMs) => arrivalMs + this.#latencyMs <= now);
  }

  /** Gives up every gap: the stream ends here. */
  flush(): void {
    this.#giveUp(() => true);
  }

  /** Delivers what is in sequence now. */
  #drain(): void {
    while (this.#held.size > 0) {
      const held = this.#held.get(this.#next);
      if (held === undefined) return;
      this.#release(this.#next, held, 0);
    }
    this.#deadline = undefined;
  }

  /**
   * Walks the gaps from the lowest number up, and gives up each one for which `isUp` (called with the earliest arrival
   * among the packets beyond the gap) is true, until the first that must wait. One pass, sorted once: with a gap behind
   * every packet a scan for each would be quadratic.
   */
  #giveUp(isUp: (earliestArrivalMs: number) => boolean): void {
    const numbers = [...this.#held.keys()].sort((a, b) => a - b);
    const earliest = new Float64Array(numbers.length);
    for (let i = numbers.length - 1, minimum = Infinity; i >= 0; i--) {
      minimum = Math.min(minimum, this.#held.get(numbers[i])!.arrivalMs);
      earliest[i] = minimum;
    }
    this.#deadline = undefined;
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i];
      const lostBefore = number - this.#next;
      if (lostBefore > 0 && !isUp(earliest[i])) {
        this.#deadline = earliest[i] + this.#latencyMs;
        return;
      }
      this.#release(number, this.#held.get(number)!, lostBefore);
    }
  }

  #release(extended: number, held: HeldPacket<T>, lostBefore: number): void {
    this.#held.delete(extended);
    this.#next = extended + 1;
    let lost = lostBefore;
    for (let piece: HeldPacket<T> | undefined = held; piece !== undefined; piece = piece.next) {
      this.#count--;
      this.#bytes -= piece.size + OVERHEAD_SIZE;
      this.#deliver(extended, piece, lost);
      lost = 0;
    }
  }
}

function appendPiece<T>(first: HeldPacket<T>, piece: HeldPacket<T>): void {
  (first.last ?? first).next = piece;
  first.last = piece;
}
