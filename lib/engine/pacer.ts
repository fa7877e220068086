/**
 * When each of many readers is due: one timing wheel for all, so that ten thousand readers cost one timer.
 *
 * Floor 2 (engine): no timers, no clock; `now` is an argument in milliseconds on a monotonic clock. Deadlines are
 * absolute and belong to the caller, so nothing drifts here. It knows nothing of frames or packets.
 *
 * A wheel of 1 ms slots, one turn a little over a second; deadlines further away wait in their slot for a later turn.
 * After G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels" (1987), scheme 6.
 *
 * @module
 */

/** Something that can be scheduled. The pacer keeps its place in `pacing`; nobody else writes there. */
export interface Paced {
  /** The pacer's own mark on this entry; start with `undefined`. */
  pacing: PacerPlace | undefined;
  /** Called when due. It may schedule this entry, or any other, again. */
  onDue(now: number): void;
}

/** Where an entry stands in the wheel. */
export interface PacerPlace {
  /** The millisecond it is due, rounded up. */
  tick: number;
  /** Its index within the slot. */
  index: number;
}

/**
 * A timing wheel. Ask {@linkcode Pacer.nextTimeout} when to come back, then call {@linkcode Pacer.handleTimeout}.
 * Entries are never early, and at most 1 ms late by the wheel itself.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Pacer } from "./pacer.ts";
 * const pacer = new Pacer();
 * const calls: number[] = [];
 * pacer.schedule({ pacing: undefined, onDue: (now) => calls.push(now) }, 20);
 * pacer.handleTimeout(pacer.nextTimeout()!);
 * assertEquals(calls, [20]);
 * ```
 */
export class Pacer {
  readonly #slots: Slot[] = Array.from({ length: SLOT_COUNT }, () => []);
  /** The slot whose entries are being called; what was called or cancelled is `undefined` in it. */
  #calling: Slot | undefined;
  /** Takes the place of the slot that is called. */
  #spare: Slot = [];
  /** One bit for each slot that holds something. */
  readonly #occupied = new Uint32Array(SLOT_COUNT / 32);
  #size = 0;
  /** Every entry due before this millisecond has been called. */
  #tick = -Infinity;

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /** Puts an entry on the wheel, or moves it: due at `dueMs`. A time gone by means as soon as possible. */
  schedule(entry: Paced, dueMs: number): void {
    if (!Number.isFinite(dueMs)) {
      throw new RangeError(`Cannot schedule: the time is ${dueMs}, it must be finite`);
    }
    this.cancel(entry);
    this.#put(entry, Math.max(Math.ceil(dueMs), this.#tick));
    this.#size++;
  }

  /** Takes an entry off the wheel; harmless when it is not there. */
  cancel(entry: Paced): void {
    const place = entry.pacing;
    if (place === undefined) return;
    const calling = this.#calling;
    if (calling !== undefined && calling[place.index] === entry) {
      // Its slot is being called: the others' places stay.
      calling[place.index] = undefined;
    } else {
      const slotIndex = slotOf(place.tick);
      const slot = this.#slots[slotIndex];
      const last = slot.pop()!;
      if (last !== entry) {
        slot[place.index] = last;
        last.pacing!.index = place.index;
      }
      if (slot.length === 0) this.#unmark(slotIndex);
    }
    this.#forget(entry);
  }

  /** When to call {@linkcode Pacer.handleTimeout} next: never later than the first deadline, `undefined` when nothing waits. */
  nextTimeout(): number | undefined {
    if (this.#size === 0) return undefined;
    if (this.#tick === -Infinity) return this.#earliest();
    const from = slotOf(this.#tick);
    const slot = this.#nextOccupied(from);
    return this.#tick + ((slot - from + SLOT_COUNT) % SLOT_COUNT);
  }

  /** Calls everything that is due at `now`, in the order of the deadlines to 1 ms. */
  handleTimeout(now: number): void {
    if (this.#size === 0) return;
    const end = Math.floor(now);
    if (this.#tick === -Infinity) this.#tick = this.#earliest();
    // After a long sleep one turn of the wheel meets every slot.
    if (end - this.#tick >= SLOT_COUNT) this.#tick = Math.max(this.#tick, end - SLOT_COUNT + 1);
    while (this.#tick <= end) {
      const tick = this.#tick;
      this.#callSlot(slotOf(tick), tick, now);
      this.#tick = tick + 1;
      const next = this.nextTimeout();
      if (next === undefined || next > end) {
        this.#tick = end + 1;
        return;
      }
      this.#tick = next;
    }
  }

  #callSlot(slotIndex: number, tick: number, now: number): void {
    const entries = this.#slots[slotIndex];
    // Whoever schedules itself anew during its call for a time gone by comes back in the next millisecond's slot.
    this.#tick = tick + 1;
    this.#slots[slotIndex] = this.#spare;
    this.#unmark(slotIndex);
    this.#calling = entries;
    let index = 0;
    try {
      // In the order they came, which they keep from turn to turn: nobody's frames are early once and late the next time.
      while (index < entries.length) {
        const entry = entries[index];
        entries[index++] = undefined;
        if (entry === undefined) continue;
        if (entry.pacing!.tick > tick) this.#put(entry, entry.pacing!.tick);
        else {
          this.#forget(entry);
          entry.onDue(now);
        }
      }
    } finally {
      for (; index < entries.length; index++) {
        const entry = entries[index];
        if (entry !== undefined) this.#put(entry, Math.max(entry.pacing!.tick, tick + 1));
      }
      entries.length = 0;
      this.#spare = entries;
      this.#calling = undefined;
    }
  }

  #put(entry: Paced, tick: number): void {
    const slotIndex = slotOf(tick);
    const slot = this.#slots[slotIndex];
    entry.pacing = { tick, index: slot.length };
    slot.push(entry);
    this.#mark(slotIndex);
  }

  #forget(entry: Paced): void {
    entry.pacing = undefined;
    this.#size--;
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const slot of this.#slots) {
      for (const entry of slot) earliest = Math.min(earliest, entry!.pacing!.tick);
    }
    return earliest;
  }

  #nextOccupied(from: number): number {
    const words = this.#occupied.length;
    let word = from >>> 5;
    let bits = this.#occupied[word] & (0xffffffff << (from & 31));
    for (let step = 0; step <= words; step++) {
      if (bits !== 0) return (word << 5) + (31 - Math.clz32(bits & -bits));
      word = (word + 1) % words;
      bits = this.#occupied[word];
    }
    return from;
  }

  #mark(slot: number): void {
    this.#occupied[slot >>> 5] |= 1 << (slot & 31);
  }

  #unmark(slot: number): void {
    this.#occupied[slot >>> 5] &= ~(1 << (slot & 31));
  }
}

type Slot = (Paced | undefined)[];

function slotOf(tick: number): number {
  return ((tick % SLOT_COUNT) + SLOT_COUNT) % SLOT_COUNT;
}

/** A power of two, so that the slots' bits fill whole words. */
const SLOT_COUNT = 1024;
