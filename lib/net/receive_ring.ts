/**
 * A ring of datagrams in shared memory: one thread writes what it receives, another reads it when it comes round to it.
 *
 * Floor 3 (wall), without any system call. The ring is bounded: what finds no room is counted and gone, nothing that waits
 * is overwritten and nobody blocks. A datagram takes its length and {@linkcode RECORD_HEAD_SIZE}, rounded up to 8.
 *
 * @module
 */

/** Octets in front of each datagram: its length, its socket, its time of arrival, and `struct sockaddr` of its sender. */
export const RECORD_HEAD_SIZE = 48;

/** A datagram in the ring. One object serves for all: it is valid until the call that got it returns. */
export interface RingRecord {
  /** The number under which the socket was added. */
  readonly socket: number;
  /** When it came, on the clock of the reader's `performance.now()`. */
  readonly arrivalMs: number;
  /** `struct sockaddr` of the sender, in 7 words; shared memory. */
  readonly address: Int32Array;
  /** The payload; shared memory. */
  readonly bytes: Uint8Array;
}

/**
 * Makes the memory of a ring.
 *
 * @param size Octets for datagrams, a power of two.
 */
export function createRingMemory(size: number): SharedArrayBuffer {
  if (!Number.isInteger(Math.log2(size)) || size < 64) {
    throw new RangeError(`Cannot make a ring of ${size} octets: wanted a power of two from 64 on`);
  }
  return new SharedArrayBuffer(CONTROL_SIZE + size);
}

/** The words that both threads share beside the datagrams. */
export function controlWords(memory: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return new Int32Array(memory, 0, CONTROL_SIZE / 4);
}

/** The writing end. One thread has it. */
export class RingWriter {
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #octets: Uint8Array;
  #head = 0;

  /** Begins at the ring's beginning. */
  constructor(memory: SharedArrayBuffer) {
    this.#control = controlWords(memory);
    this.#words = new Int32Array(memory, CONTROL_SIZE);
    this.#times = new Float64Array(memory, CONTROL_SIZE);
    this.#octets = new Uint8Array(memory, CONTROL_SIZE);
  }

  /**
   * Puts a datagram into the ring; the reader sees it after {@linkcode RingWriter.publish}.
   *
   * @param address `struct sockaddr` of the sender, 7 words from `at` on.
   * @returns false when there is no room: it is counted.
   */
  write(
    datagram: Uint8Array,
    from: { readonly socket: number; readonly arrivalMs: number },
    address: Int32Array,
    at: number,
  ): boolean {
    const size = this.#octets.length;
    const need = RECORD_HEAD_SIZE + (datagram.length + 7 & ~7);
    let start = (this.#head >>> 0) % size;
    const skipped = size - start < need ? size - start : 0;
    const used = this.#head - Atomics.load(this.#control, TAIL) >>> 0;
    if (used + skipped + need > size) {
      Atomics.add(this.#control, OVERFLOWED, 1);
      return false;
    }
    if (skipped > 0) {
      this.#words[start >> 2] = SKIP_TO_START;
      start = 0;
    }
    const word = start >> 2;
    this.#words[word] = datagram.length;
    this.#words[word + 1] = from.socket;
    this.#times[(start >> 3) + 1] = from.arrivalMs;
    for (let i = 0; i < ADDRESS_WORDS; i++) this.#words[word + 4 + i] = address[at + i];
    this.#octets.set(datagram, start + RECORD_HEAD_SIZE);
    this.#head = this.#head + skipped + need | 0;
    return true;
  }

  /** Shows the reader what was written, and wakes it if it sleeps. */
  publish(): void {
    Atomics.store(this.#control, HEAD, this.#head);
    if (Atomics.exchange(this.#control, ASLEEP, 0) === 1) Atomics.notify(this.#control, ASLEEP);
  }
}

/** The reading end. One thread has it. */
export class RingReader {
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #octets: Uint8Array;
  readonly #record: { socket: number; arrivalMs: number; address: Int32Array; bytes: Uint8Array };
  #tail = 0;

  /** Begins at the ring's beginning. */
  constructor(memory: SharedArrayBuffer) {
    this.#control = controlWords(memory);
    this.#words = new Int32Array(memory, CONTROL_SIZE);
    this.#times = new Float64Array(memory, CONTROL_SIZE);
    this.#octets = new Uint8Array(memory, CONTROL_SIZE);
    const nothing = this.#octets.subarray(0, 0);
    this.#record = { socket: 0, arrivalMs: 0, address: new Int32Array(0), bytes: nothing };
  }

  /** Datagrams that found no room since the beginning. */
  get overflowed(): number {
    return Atomics.load(this.#control, OVERFLOWED) >>> 0;
  }

  /** Reads what is there, at most so many datagrams; returns how many. What was read makes room at once. */
  read(limit: number, take: (record: RingRecord) => void): number {
    const size = this.#octets.length;
    const record = this.#record;
    let count = 0;
    while (count < limit && this.#tail !== Atomics.load(this.#control, HEAD)) {
      const start = (this.#tail >>> 0) % size;
      const word = start >> 2;
      const length = this.#words[word];
      if (length === SKIP_TO_START) {
        this.#free(size - start);
        continue;
      }
      record.socket = this.#words[word + 1];
      record.arrivalMs = this.#times[(start >> 3) + 1];
      record.address = this.#words.subarray(word + 4, word + 4 + ADDRESS_WORDS);
      record.bytes = this.#octets.subarray(
        start + RECORD_HEAD_SIZE,
        start + RECORD_HEAD_SIZE + length,
      );
      count++;
      try {
        take(record);
      } finally {
        this.#free(RECORD_HEAD_SIZE + (length + 7 & ~7));
      }
    }
    return count;
  }

  /** Resolves when there is something to read, or after {@linkcode RingReader.wake}; `undefined` where there is already. */
  sleep(): Promise<unknown> | undefined {
    Atomics.store(this.#control, ASLEEP, 1);
    if (this.#tail !== Atomics.load(this.#control, HEAD)) {
      Atomics.store(this.#control, ASLEEP, 0);
      return undefined;
    }
    const waiting = Atomics.waitAsync(this.#control, ASLEEP, 1);
    return waiting.async ? waiting.value : undefined;
  }

  /** Ends a sleep. */
  wake(): void {
    Atomics.store(this.#control, ASLEEP, 0);
    Atomics.notify(this.#control, ASLEEP);
  }

  #free(octets: number): void {
    this.#tail = this.#tail + octets | 0;
    Atomics.store(this.#control, TAIL, this.#tail);
  }
}

/** Octets in front of the ring. */
const CONTROL_SIZE = 64;
/** Words of the control block: ends of the ring, running modulo 2^32. */
const HEAD = 0;
const TAIL = 1;
/** Whether the reader waits to be woken. */
const ASLEEP = 2;
const OVERFLOWED = 3;
/** Words of the control block from here on belong to the threads' other business. */
export const FIRST_FREE_WORD = 4;
/** Octets of `struct sockaddr_in6`, in words. */
const ADDRESS_WORDS = 7;
/** In place of a length: the next datagram is at the ring's beginning. */
const SKIP_TO_START = -1;
