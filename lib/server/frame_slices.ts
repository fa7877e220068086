/**
 * Sends the packets of a large frame in slices, so that receivers with a small buffer lose none.
 *
 * Floor 4 (assembly). It decides when, and how many packets at a time; what they are, and where they go, is up to those
 * who use it.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import type { PacerTimer } from "./pacer_timer.ts";

/** What {@linkcode FrameSlices} need. */
export interface FrameSlicesOptions {
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** Packets of a frame that leave at once, at least 1. */
  readonly burstPackets: number;
  /** Sends some packets of the frame; tells whether they were sent. */
  readonly send: (first: number, count: number) => boolean;
}

/** One frame at a time. */
export class FrameSlices implements Paced {
  /** The pacer's place. */
  pacing: Paced["pacing"] = undefined;
  readonly #options: FrameSlicesOptions;
  #nextPacket = 0;
  #packetCount = 0;
  #sliceCount = 0;
  #dueMs = 0;

  /** Nothing to send yet. */
  constructor(options: FrameSlicesOptions) {
    this.#options = options;
  }

  /** The first packet that was not sent yet. */
  get nextPacket(): number {
    return this.#nextPacket;
  }

  /** Packets of the frame are left. */
  get isUnderWay(): boolean {
    return this.#nextPacket < this.#packetCount;
  }

  /** Whether so many packets are sent at once: a small rest goes along, it is not worth another wake-up. */
  fitsAtOnce(packetCount: number): boolean {
    return packetCount <= this.#options.burstPackets * 1.25;
  }

  /**
   * Sends a frame of so many packets, the first ones at once and the others over `spreadMs`.
   *
   * @returns whether the first ones were sent.
   */
  start(packetCount: number, spreadMs: number): boolean {
    const { burstPackets, timer } = this.#options;
    this.#nextPacket = 0;
    this.#packetCount = packetCount;
    if (this.fitsAtOnce(packetCount)) return this.#sendNext(packetCount);
    const rounds = Math.max(1, Math.floor(spreadMs / SLICE_INTERVAL_MS));
    const later = packetCount - burstPackets;
    this.#sliceCount = Math.max(burstPackets >> 1, Math.ceil(later / rounds));
    const isSent = this.#sendNext(burstPackets);
    this.#dueMs = timer.now() + SLICE_INTERVAL_MS;
    timer.schedule(this, this.#dueMs);
    return isSent;
  }

  /** Sends the next packets. */
  onDue(): void {
    this.#sendNext(this.#sliceCount);
    if (!this.isUnderWay) return;
    this.#dueMs += SLICE_INTERVAL_MS;
    this.#options.timer.schedule(this, this.#dueMs);
  }

  /** Sends what is left at once. */
  finish(): void {
    if (!this.isUnderWay) return;
    this.#sendNext(this.#packetCount);
    this.#options.timer.cancel(this);
  }

  #sendNext(packets: number): boolean {
    const first = this.#nextPacket;
    const count = Math.min(packets, this.#packetCount - first);
    this.#nextPacket += count;
    return this.#options.send(first, count);
  }
}

const SLICE_INTERVAL_MS = 4;
