/**
 * What a client counts: the statistics of the lab's extended exercises, and the picture it hands out.
 *
 * Floor 4 (client assembly). RFC 3550 s6.4.1 and A.8 define loss and jitter; the counting itself is done by
 * `lib/engine/receiver.ts`. This room only measures rates and adds up. It reads no clock: `now` is an argument.
 *
 * @module
 */

import type { RtpReceiverStatistics } from "../engine/receiver.ts";

/** Where a client stands (RFC 2326 App. A.1). `RECORDING` has no place in a client that plays. */
export type ClientState = "INIT" | "READY" | "PLAYING";

/** The wire language spoken with the server: RFC 2326, or that of the Kurose-Ross lab. */
export type ClientDialect = "rtsp" | "lab";

/** How the media travels: datagrams, or `$` frames on the RTSP connection (RFC 2326 s10.12). */
export type ClientTransport = "udp" | "tcp";

/** One whole picture as it came from the network. */
export interface ReceivedFrame {
  /** A complete JPEG, SOI to EOI. Owned, shared by all who got the frame: read-only by agreement. */
  readonly jpeg: Uint8Array;
  /**
   * Number of the frame, from 1 and always rising. Frames that are known to be lost are counted too: in the lab
   * dialect the sequence number is the frame's number, otherwise whole and torn frames are counted as they come.
   */
  readonly number: number;
  /** RTP timestamp, 0 to 2^32 - 1, in units of the stream's clock (of unknown unit in the lab dialect). */
  readonly timestamp: number;
  /** When the frame was captured by the sender's clock, in Unix milliseconds; known after the first sender report. */
  readonly wallClockMs?: number;
  /** Width in pixels, where the payload format or the picture says it. */
  readonly width?: number;
  /** Height in pixels, where the payload format or the picture says it. */
  readonly height?: number;
  /** When the frame's last packet came, in milliseconds of the monotonic clock. */
  readonly arrivalMs: number;
}

/** A snapshot of everything a client has counted since it was made. Written as it is by `--json`. */
export interface ClientStatistics {
  /** Where the client stands. */
  readonly state: ClientState;
  /** Whole frames received. */
  readonly frames: number;
  /** RTP packets received and accepted. */
  readonly packets: number;
  /** Octets of their payloads. */
  readonly bytes: number;
  /** RTP packets that never came, exactly: expected minus received. */
  readonly lost: number;
  /** RTP packets that came more than once. */
  readonly duplicates: number;
  /** RTP packets that came after a packet with a higher sequence number. */
  readonly reordered: number;
  /** RTP packets that came too late to be used. */
  readonly late: number;
  /** `lost` as a part of all packets expected, 0 to 1. */
  readonly lossRatio: number;
  /** Interarrival jitter (RFC 3550 A.8), in milliseconds. */
  readonly jitterMs: number;
  /** Frames a second: over the last two seconds while PLAYING, otherwise over all the time played. */
  readonly frameRate: number;
  /** Bits a second of RTP payload, measured like {@linkcode ClientStatistics.frameRate}. */
  readonly bitRate: number;
  /** Milliseconds from the first PLAY request to the first whole frame; `null` before it. */
  readonly firstFrameMs: number | null;
  /** Seconds spent PLAYING, until the last frame when the film has ended. */
  readonly durationSeconds: number;
  /** What went wrong, in plain sentences without credentials; the newest {@linkcode MAX_ERRORS} of them. */
  readonly errors: readonly string[];
  /** Frames with a hole in them, dropped so that no torn picture is shown. */
  readonly framesDropped: number;
  /** Datagrams or channels that held no RTP packet of this stream. */
  readonly malformed: number;
  /** What is played, without credentials. */
  readonly url: string;
  /** The dialect in use, `null` before it is known. */
  readonly dialect: ClientDialect | null;
  /** The transport in use, `null` before it is known. */
  readonly transport: ClientTransport | null;
  /** Width of the newest frame in pixels, `null` before the first. */
  readonly width: number | null;
  /** Height of the newest frame in pixels, `null` before the first. */
  readonly height: number | null;
}

/** What the session in use has received. */
export interface StreamCounters extends ReceiverCounters {
  /** Packets held behind a gap. */
  readonly bufferedPackets: number;
  /** Frames with a hole, dropped. */
  readonly framesDropped: number;
}

/** How many sentences {@linkcode ClientStatistics.errors} keeps. */
export const MAX_ERRORS = 20;

/** What one RTP receiver has counted; the fields that add up over several connections. */
export type ReceiverCounters = Pick<
  RtpReceiverStatistics,
  | "packets"
  | "bytes"
  | "lost"
  | "duplicates"
  | "reordered"
  | "late"
  | "malformed"
  | "lossRatio"
  | "jitterMs"
>;

/**
 * Counts amounts in slots of a tenth of a second and tells the rate over the last two seconds.
 * Memory is constant, whatever the rate.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const meter = new RateMeter();
 * for (let now = 0; now < 2000; now += 50) meter.add(1, now);
 * assertEquals(Math.round(meter.perSecond(2000)), 20);
 * ```
 */
export class RateMeter {
  #slots = new Float64Array(SLOT_COUNT);
  #newest = -1; // number of the newest slot: floor(now / SLOT_MS)
  #startMs: number | undefined;

  /** Adds `amount` at the time `now` (milliseconds, monotonic). */
  add(amount: number, now: number): void {
    this.#startMs ??= now;
    this.#advance(now);
    this.#slots[this.#newest % SLOT_COUNT] += amount;
  }

  /** The rate per second over the last two seconds, or over the time since the first amount if that is less. */
  perSecond(now: number): number {
    if (this.#startMs === undefined) return 0;
    this.#advance(now);
    let sum = 0;
    for (const amount of this.#slots) sum += amount;
    const inNewestSlot = now - this.#newest * SLOT_MS;
    const spanMs = Math.min(now - this.#startMs, (SLOT_COUNT - 1) * SLOT_MS + inNewestSlot);
    return spanMs < SLOT_MS ? 0 : sum * 1000 / spanMs;
  }

  /** Forgets everything. */
  reset(): void {
    this.#slots.fill(0);
    this.#newest = -1;
    this.#startMs = undefined;
  }

  #advance(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (this.#newest < 0 || slot - this.#newest >= SLOT_COUNT) this.#slots.fill(0);
    else for (let i = this.#newest + 1; i <= slot; i++) this.#slots[i % SLOT_COUNT] = 0;
    if (slot > this.#newest) this.#newest = slot;
  }
}

const SLOT_MS = 100;
const SLOT_COUNT = 20;
