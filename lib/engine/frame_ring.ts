/**
 * The newest frames of a live source in memory that threads share: one writes, any number read, nobody waits.
 *
 * Floor 2 (engine): imports rtp and the engine sender. It knows neither threads nor how they tell each other that there is
 * something to read. A reader that comes too late finds that a frame is gone, never a torn one.
 *
 * @module
 */

import type { PacketBatch } from "../rtp.ts";
import type { SenderNumbers } from "./sender.ts";

/** What a reader has to know of a frame. */
export interface FrameFacts {
  /** The sender's numbers behind this frame. */
  readonly numbers: SenderNumbers;
  /** Its time in ticks of the clock rate. */
  readonly mediaTicks: number;
  /** The time of the frame that is due next. */
  readonly nextTicks: number;
  /** Its packets may be spread over this time, in ms. */
  readonly spreadMs: number;
  /** When it was due, by the wall clock, in ms. */
  readonly unixMs: number;
  /** Where the source stands, in seconds. */
  readonly positionSeconds: number;
}

/** A frame that was read. */
export interface RingFrame extends FrameFacts {
  /** Its packets, stamped, in the reader's own memory. */
  readonly batch: PacketBatch;
}

/**
 * Frames by their numbers, which count from 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FrameRing } from "./frame_ring.ts";
 *
 * const ring = FrameRing.create(1000);
 * const facts = { mediaTicks: 0, nextTicks: 3000, spreadMs: 20, unixMs: 0, positionSeconds: 0 };
 * const numbers = { sequenceNumber: 2, packetsSent: 2, octetsSent: 3 };
 * const bytes = Uint8Array.of(1, 2, 3, 4, 5);
 * const batch = { bytes, packetSize: 3, packetCount: 2, payloadSize: 3 };
 * assertEquals(ring.write(batch, { ...facts, numbers }), true);
 *
 * const other = new FrameRing(ring.memory);
 * assertEquals(other.read(other.written, new Uint8Array(other.frameBytes))?.batch, batch);
 * ```
 */
export class FrameRing {
  /** The memory, to be handed to other threads. */
  readonly memory: SharedArrayBuffer;
  /** Octets that a frame may have. */
  readonly frameBytes: number;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #facts: Float64Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  /** The ring in this memory, which {@linkcode FrameRing.create} has made. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#counts = new Int32Array(memory);
    this.#facts = new Float64Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.frameBytes = (memory.byteLength - HEAD_BYTES) / FRAMES - FACTS_BYTES;
  }

  /** An empty ring for frames of at most so many octets of packets. */
  static create(frameBytes: number): FrameRing {
    const slotBytes = FACTS_BYTES + Math.ceil(frameBytes / 8) * 8;
    return new FrameRing(new SharedArrayBuffer(HEAD_BYTES + FRAMES * slotBytes));
  }

  /** Number of the newest frame; 0 where there is none. */
  get written(): number {
    return Atomics.load(this.#counts, 0);
  }

  /**
   * Writes the next frame over the oldest one.
   *
   * @returns false when it is too large.
   */
  write(batch: PacketBatch, facts: FrameFacts): boolean {
    const { bytes, packetSize, packetCount, payloadSize } = batch;
    if (bytes.length > this.frameBytes) return false;
    const number = this.written + 1;
    const slot = this.#slotOf(number);
    Atomics.store(this.#counts, slot / 4, 0);
    const { sequenceNumber, packetsSent, octetsSent } = facts.numbers;
    this.#facts.set([
      ...[bytes.length, packetSize, packetCount, payloadSize],
      ...[sequenceNumber, packetsSent, octetsSent],
      ...[facts.mediaTicks, facts.nextTicks, facts.spreadMs, facts.unixMs, facts.positionSeconds],
    ], slot / 8 + 1);
    this.#bytes.set(bytes, slot + FACTS_BYTES);
    Atomics.store(this.#counts, slot / 4, number);
    Atomics.store(this.#counts, 0, number);
    return true;
  }

  /**
   * Copies a frame, of `frameBytes` octets at most.
   *
   * @returns `undefined` when it was overwritten, or is not there yet.
   */
  read(number: number, into: Uint8Array): RingFrame | undefined {
    const slot = this.#slotOf(number);
    if (number < 1 || Atomics.load(this.#counts, slot / 4) !== number) return undefined;
    const [byteCount, packetSize, packetCount, payloadSize, ...facts] = this.#facts
      .subarray(slot / 8 + 1, slot / 8 + FACTS_BYTES / 8);
    // A writer that has come round may have written anything there by now.
    const bytes = into.subarray(0, Math.min(byteCount, this.frameBytes));
    bytes.set(this.#bytes.subarray(slot + FACTS_BYTES, slot + FACTS_BYTES + bytes.length));
    if (Atomics.add(this.#counts, slot / 4, 0) !== number) return undefined;
    const [sequenceNumber, packetsSent, octetsSent, ...times] = facts;
    const [mediaTicks, nextTicks, spreadMs, unixMs, positionSeconds] = times;
    return {
      batch: { bytes, packetSize, packetCount, payloadSize },
      numbers: { sequenceNumber, packetsSent, octetsSent },
      mediaTicks,
      nextTicks,
      spreadMs,
      unixMs,
      positionSeconds,
    };
  }

  #slotOf(number: number): number {
    return HEAD_BYTES + (number % FRAMES) * (FACTS_BYTES + this.frameBytes);
  }
}

/** A reader may be so many frames behind. */
const FRAMES = 8;
const HEAD_BYTES = 8;
/** The frame's number (4 octets), then numbers of 8 octets. */
const FACTS_BYTES = 13 * 8;
