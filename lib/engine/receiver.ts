/**
 * The receiving side of one RTP stream, in both dialects: validity, order, counts, reports.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6.4.2 RFC 3550 s6.4.2},
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1 A.1}.
 *
 * Floor 2: imports rtp, rtcp, serial and the engines reception, source_probation and receiver_reports. Does not look into
 * payloads, and does not open sockets: datagrams, times and random numbers are handed in.
 *
 * What the counts mean, exactly: `expected` runs from the first packet (the one that {@linkcode RtpReceiver.expect} names,
 * else the first that came) to the highest; `packets` are those that came, each once; `lost` = `expected` - `packets`.
 * A packet that comes after its place was given up is `late`: it was not lost on the way, so it is in `packets` and not in
 * `lost`, but nobody got to see it; for playback `lost` + `late` are missing. `duplicates` are neither expected nor packets.
 * In lab mode several packets may share a number: `packets` counts them all, `expected` and `lost` count numbers.
 * A packet lost at the very end is known to be lost only when a later one comes or the sender's BYE brings its own count.
 *
 * @module
 */
import { WireError } from "../errors.ts";
import {
  decodeRtcp,
  type Goodbye,
  type ReportBlock,
  type RtcpPacket,
  type SenderReport,
} from "../rtcp.ts";
import { rtpFault, type RtpPacket } from "../rtp.ts";
import { EventQueue } from "./event_queue.ts";
import type { HeldPacket } from "./jitter_buffer.ts";
import { ReceiverReports } from "./receiver_reports.ts";
import type {
  ReceiverEvent,
  RtpReceiverOptions,
  RtpReceiverStatistics,
} from "./receiver_events.ts";
import { Reception } from "./reception.ts";
import { SourceValidation } from "./source_validation.ts";

export type {
  ReceiverEvent,
  RtpReceiverOptions,
  RtpReceiverStatistics,
} from "./receiver_events.ts";

/** How long after a BYE packets that it overtook are waited for, at least. */
const GOODBYE_GRACE_MS = 100;
/** Most packets that a sender's count may be ahead of ours for the difference to be a lost end of the stream. */
const MAX_TAIL = 1000;
/** Counted for an event without a packet. */
const EVENT_SIZE = 256;

/**
 * Receives one RTP stream. Hand datagrams to {@linkcode receive} and {@linkcode receiveRtcp}, then {@linkcode poll} until it
 * returns `undefined`; call {@linkcode handleTimeout} at {@linkcode nextTimeout}. Bytes of the wire never make it throw.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeRtp } from "../rtp.ts";
 * import { RtpReceiver } from "./receiver.ts";
 *
 * const receiver = new RtpReceiver({
 *   clockRateHz: 90_000,
 *   latencyMs: 100,
 *   payloadTypes: [26],
 *   ssrc: 1,
 *   cname: "viewer@example.org",
 *   random: () => 0.5,
 * });
 * receiver.expect(65535);
 * for (const sequenceNumber of [65535, 1, 0]) {
 *   const header = { payloadType: 26, marker: false, timestamp: 0, ssrc: 9, csrcs: [], paddingSize: 0 };
 *   receiver.receive(encodeRtp({ ...header, sequenceNumber, payload: new Uint8Array(1) }), 0);
 * }
 * const order = [];
 * for (let e = receiver.poll(); e; e = receiver.poll()) {
 *   if (e.type === "packet") order.push(e.packet.sequenceNumber);
 * }
 * assertEquals(order, [65535, 0, 1]);
 * assertEquals(receiver.stats().reordered, 1);
 * ```
 */
export class RtpReceiver {
  readonly #options: RtpReceiverOptions;
  readonly #isLab: boolean;
  readonly #maxBytes: number;
  /** By payload type: 1 where it belongs to the stream. */
  readonly #accepted = new Uint8Array(128);
  readonly #reception: Reception;
  readonly #validation: SourceValidation;
  readonly #reports: ReceiverReports;

  #senderPacketCount: number | undefined;
  /** The sender's count disagrees with ours: it counts from elsewhere, or otherwise. */
  #countsDiffer = false;
  #goodbye: { readonly reason?: string; readonly dueMs: number } | undefined;
  /** Packets received when the goodbye was delivered: a repeated one is no news. */
  #packetsAtEnd = -1;
  #packetsAtReport = 0;

  #malformed = 0;
  #malformedReports = 0;
  #unaccepted = 0;
  #overflowed = 0;

  readonly #events = new EventQueue(sizeOf);

  /** Nothing is received yet, no report planned. */
  constructor(options: RtpReceiverOptions) {
    this.#options = options;
    this.#isLab = options.lab ?? false;
    this.#maxBytes = options.maxBufferBytes ?? 8 * 1024 * 1024;
    const { payloadTypes } = options;
    if (payloadTypes === "any") this.#accepted.fill(1);
    else for (const payloadType of payloadTypes) this.#accepted[payloadType] = 1;
    this.#reception = new Reception({
      latencyMs: options.latencyMs,
      maxBufferBytes: this.#maxBytes,
      jitterClock: this.#isLab ? "arrival" : { clockRateHz: options.clockRateHz },
      isLab: this.#isLab,
    }, (extended, held, lostBefore) => this.#deliver(extended, held, lostBefore));
    const { clockRateHz, latencyMs } = options;
    this.#validation = new SourceValidation(
      { clockRateHz, latencyMs, isLab: this.#isLab },
      this.#reception,
    );
    this.#reports = new ReceiverReports(options);
  }

  /**
   * Takes one RTP datagram (borrowed).
   *
   * @param now monotonic time in milliseconds
   */
  receive(datagram: Uint8Array, now: number): void {
    this.#reception.expire(now);
    if (!this.#isLab) this.#reports.start(now);
    if (this.#events.bytes > this.#maxBytes) {
      this.#overflowed++;
      return;
    }
    if (rtpFault(datagram) !== undefined) {
      this.#malformed++;
      if (this.#isLab) this.#emitRaw(datagram);
      return;
    }
    if (this.#accepted[datagram[1] & 0x7f] === 0) {
      this.#unaccepted++;
      return;
    }
    if (this.#validation.receive(datagram, now) === "alien") this.#emitRaw(datagram);
  }

  /**
   * Announces the first packet to come, from RTP-Info after PLAY (RFC 2326 s12.33): numbers missing from there on count as
   * lost, and its source needs no probation. An announcement that the packets contradict is forgotten.
   */
  expect(sequenceNumber?: number, timestamp?: number): void {
    this.#validation.expect(sequenceNumber, timestamp);
  }

  /**
   * After PAUSE, or before a seek: drops what is held, and counts no loss up to the next packet, whatever its number.
   * The source stays known, and what it sent so far stays counted. The wall clock is unknown until the next report.
   */
  reset(): void {
    this.#validation.reset();
    this.#reports.doubtWallClocks();
    this.#goodbye = undefined;
    this.#packetsAtEnd = -1;
  }

  /**
   * Takes one RTCP datagram (borrowed), compound or of reduced size.
   *
   * @param now monotonic time in milliseconds
   * @param _unixMs wall-clock time now; wall-clock times of frames come from the sender alone
   */
  receiveRtcp(datagram: Uint8Array, now: number, _unixMs: number): void {
    this.#reception.expire(now);
    if (!this.#isLab) this.#reports.start(now);
    let packets: RtcpPacket[];
    try {
      packets = decodeRtcp(datagram);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformedReports++;
      return;
    }
    for (const packet of packets) {
      if (packet.type === "SR") this.#receiveSenderReport(packet, now);
      else if (packet.type === "BYE") this.#receiveGoodbye(packet, now);
    }
  }

  #receiveSenderReport(report: SenderReport, now: number): void {
    this.#reports.receive(report, now);
    const { ssrc, ntp, rtpTimestamp, packetCount } = report;
    if (ssrc === this.#validation.ssrc) {
      this.#senderPacketCount = packetCount;
      const missing = packetCount - this.#reception.statistics.expected;
      if (Math.abs(missing) > MAX_TAIL) this.#countsDiffer = true;
    }
    this.#emit({ type: "sender-report", ssrc, ntp, rtpTimestamp, arrivalMs: now });
  }

  #receiveGoodbye({ ssrcs, reason }: Goodbye, now: number): void {
    for (const leaving of ssrcs) this.#validation.confirm(leaving, now);
    const { ssrc } = this.#validation;
    const isOurs = ssrc === undefined || ssrcs.length === 0 || ssrcs.includes(ssrc);
    const hasEnded = this.#packetsAtEnd === this.#reception.statistics.packets;
    if (!isOurs || hasEnded || this.#goodbye !== undefined) return;
    const dueMs = now + Math.max(this.#options.latencyMs, GOODBYE_GRACE_MS);
    this.#goodbye = { dueMs, reason };
    const { statistics, heldPackets } = this.#reception;
    if (heldPackets === 0 && statistics.lost === 0 && this.#unseenTail === 0) this.#finish(reason);
  }

  /** Packets that the sender says it sent beyond the highest that came; `undefined` where its count is not ours. */
  get #unseenTail(): number | undefined {
    if (!this.#validation.isWhole || this.#countsDiffer) return undefined;
    if (this.#senderPacketCount === undefined) return undefined;
    const tail = this.#senderPacketCount - this.#reception.statistics.expected;
    return tail >= 0 && tail <= MAX_TAIL ? tail : undefined;
  }

  /** Delivers what is left, then the goodbye. */
  #finish(reason: string | undefined): void {
    this.#goodbye = undefined;
    this.#reception.flush();
    const tail = this.#unseenTail;
    if (tail !== undefined && tail > 0) this.#reception.addTail(tail);
    this.#packetsAtEnd = this.#reception.statistics.packets;
    this.#emit(reason === undefined ? { type: "goodbye" } : { type: "goodbye", reason });
  }

  /** When {@linkcode handleTimeout} has something to do, on the clock of `now`; may be early, never late. */
  nextTimeout(): number | undefined {
    let next = this.#reception.nextTimeout() ?? Infinity;
    next = Math.min(
      next,
      this.#reports.nextTimeout() ?? Infinity,
      this.#goodbye?.dueMs ?? Infinity,
    );
    return next === Infinity ? undefined : next;
  }

  /** Gives up gaps, makes reports, and ends the stream, as far as each is due. */
  handleTimeout(now: number): void {
    this.#reception.expire(now);
    const goodbye = this.#goodbye;
    if (goodbye !== undefined && now >= goodbye.dueMs) this.#finish(goodbye.reason);
    const reportDue = this.#reports.nextTimeout();
    if (reportDue !== undefined && now >= reportDue) {
      this.#emit({ type: "rtcp", bytes: this.#reports.report(now, this.#reportBlock(now)) });
    }
  }

  /** RR, SDES and BYE (owned), to be sent when we leave (RFC 3550 s6.6). No report is planned after it. */
  goodbye(now: number): Uint8Array {
    return this.#reports.goodbye(this.#reportBlock(now));
  }

  /** A block about the source, if it was heard since the last report (RFC 3550 s6.4). */
  #reportBlock(now: number): ReportBlock | undefined {
    const { statistics } = this.#reception;
    if (this.#validation.ssrc === undefined || statistics.packets === this.#packetsAtReport) {
      return undefined;
    }
    this.#packetsAtReport = statistics.packets;
    return statistics.report({
      ssrc: this.#validation.ssrc,
      ...this.#reports.lastSr(this.#validation.ssrc, now),
    });
  }

  /** The next event; `undefined` when there is none. */
  poll(): ReceiverEvent | undefined {
    return this.#events.poll();
  }

  #deliver(extended: number, held: HeldPacket<RtpPacket>, lostBefore: number): void {
    this.#events.push({
      type: "packet",
      packet: held.item,
      extendedSequenceNumber: extended,
      arrivalMs: held.arrivalMs,
      lostBefore,
    });
  }

  #emitRaw(datagram: Uint8Array): void {
    this.#events.push({ type: "raw", bytes: datagram.slice() });
  }

  /** Queues an event without a packet; when nobody polls, only the end of the stream is still kept. */
  #emit(event: ReceiverEvent): void {
    if (this.#events.bytes > this.#maxBytes && event.type !== "goodbye") this.#overflowed++;
    else this.#events.push(event);
  }

  /**
   * Unix time in milliseconds at which the source sampled what carries this timestamp; `undefined` until the source has
   * told the time (SR).
   */
  wallClock(timestamp: number): number | undefined {
    return this.#validation.ssrc === undefined
      ? undefined
      : this.#reports.wallClock(this.#validation.ssrc, timestamp);
  }

  /** The counts so far. */
  stats(): RtpReceiverStatistics {
    const { statistics, late, heldPackets } = this.#reception;
    const { expected, packets, octets, lost, duplicates, reordered, restarts, jitterMs } =
      statistics;
    return Object.freeze({
      expected,
      packets,
      bytes: octets,
      lost,
      duplicates,
      reordered,
      late,
      malformed: this.#malformed,
      malformedReports: this.#malformedReports,
      foreign: this.#unaccepted + this.#validation.foreign,
      overflowed: this.#overflowed,
      restarts,
      lossRatio: expected > 0 ? lost / expected : 0,
      jitterMs,
      bufferedPackets: heldPackets,
      ssrc: this.#validation.ssrc,
      lastArrivalMs: this.#validation.newestArrivalMs,
    });
  }
}

/** What an event counts for in the bound of the queue. */
function sizeOf(event: ReceiverEvent): number {
  if (event.type === "packet") return EVENT_SIZE + event.packet.payload.length;
  return EVENT_SIZE + (event.type === "raw" ? event.bytes.length : 0);
}
