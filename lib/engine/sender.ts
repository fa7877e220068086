/**
 * The sending side of one RTP stream to one reader: numbers, timestamps, sender reports.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1 RFC 3550 s5.1, s6.4.1}.
 *
 * Floor 2: imports rtp, rtcp, serial and the engines rtcp_interval and reader_reports. Does not packetize, pace or send: it stamps batches
 * that a payload format made, and says when a report is due.
 *
 * @module
 */
import { encodeRtcp, ntpFromUnixMs, type RtcpPacket, SDES_ITEM_TYPE } from "../rtcp.ts";
import { type PacketBatch, type RtpStamp, stampBatch } from "../rtp.ts";
import { addSequenceNumber, addTimestamp } from "../serial.ts";
import { ReaderReports, type ReaderStatistics } from "./reader_reports.ts";
import { rtcpIntervalMs } from "./rtcp_interval.ts";

/** What a {@linkcode RtpSender} is made of. */
export interface RtpSenderOptions {
  /** Synchronization source, 0 to 2^32 - 1; random in a standard session. */
  readonly ssrc: number;
  /** Number of the first packet, 0 to 65535; random in a standard session. */
  readonly sequenceNumber: number;
  /** Timestamp of media time 0, 0 to 2^32 - 1; random in a standard session. */
  readonly timestamp: number;
  /** Ticks of the timestamp in a second: 90,000 for JPEG. */
  readonly clockRateHz: number;
  /** Written into every packet, 0 to 127. */
  readonly payloadType: number;
  /** Canonical name for SDES, RFC 3550 s6.5.1. */
  readonly cname: string;
  /** Returns 0 (included) to 1 (excluded); spreads the reports in time. @default {always 0.5} */
  readonly random?: () => number;
}

/** How far a sender is. */
export interface SenderNumbers {
  /** The number that the next packet will carry, 0 to 65535. */
  readonly sequenceNumber: number;
  /** RTP packets sent so far. */
  readonly packetsSent: number;
  /** Octets of RTP payload sent so far. */
  readonly octetsSent: number;
}

/** A snapshot of what was sent and what the reader reported. */
export interface RtpSenderStatistics extends ReaderStatistics {
  /** RTP packets stamped. */
  readonly packetsSent: number;
  /** Octets of RTP payload stamped. */
  readonly octetsSent: number;
  /** Sender reports made, the one with a goodbye included. */
  readonly reportsSent: number;
}

/**
 * One RTP stream to one reader.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp, packetAt } from "../rtp.ts";
 * import { RtpSender } from "./sender.ts";
 *
 * const sender = new RtpSender({
 *   ssrc: 9,
 *   sequenceNumber: 65535,
 *   timestamp: 0xffff_ffff,
 *   clockRateHz: 90_000,
 *   payloadType: 26,
 *   cname: "camera@example.org",
 * });
 * const bytes = new Uint8Array(14);
 * bytes[0] = 0x80;
 * const batch = { bytes, packetSize: 14, packetCount: 1, payloadSize: 2 };
 * sender.stamp(batch, sender.timestampAt(3600));
 * assertEquals(decodeRtp(packetAt(batch, 0)).sequenceNumber, 65535);
 * assertEquals(decodeRtp(packetAt(batch, 0)).timestamp, 3599);
 * assertEquals(sender.nextSequenceNumber, 0);
 * ```
 */
export class RtpSender {
  /** Synchronization source of the stream. */
  readonly ssrc: number;

  readonly #startTimestamp: number;
  readonly #cname: string;
  readonly #random: () => number;
  /** Reused for every frame: {@linkcode stampBatch} reads it and nothing keeps it. */
  readonly #stamp: { payloadType: number; sequenceNumber: number; timestamp: number; ssrc: number };

  #packetsSent = 0;
  #octetsSent = 0;
  #reportsSent = 0;
  #nextReport: number | undefined;

  readonly #reader: ReaderReports;

  /**
   * Starts with nothing sent.
   *
   * @throws {RangeError} when the clock rate is not positive.
   */
  constructor(options: RtpSenderOptions) {
    if (!(options.clockRateHz > 0)) {
      throw new RangeError(
        `Cannot make RTP sender: clock rate "${options.clockRateHz}", wanted more than 0`,
      );
    }
    this.ssrc = options.ssrc;
    this.#startTimestamp = options.timestamp;
    this.#reader = new ReaderReports(options.ssrc, options.clockRateHz);
    this.#cname = options.cname;
    this.#random = options.random ?? (() => 0.5);
    this.#stamp = {
      payloadType: options.payloadType,
      sequenceNumber: options.sequenceNumber,
      timestamp: options.timestamp,
      ssrc: options.ssrc,
    };
  }

  /** The number that the next packet will carry: `seq` of RTP-Info (RFC 2326 s12.33). */
  get nextSequenceNumber(): number {
    return this.#stamp.sequenceNumber;
  }

  /** How far it is: for {@linkcode follow} elsewhere. */
  get numbers(): SenderNumbers {
    const { sequenceNumber } = this.#stamp;
    return { sequenceNumber, packetsSent: this.#packetsSent, octetsSent: this.#octetsSent };
  }

  /** Takes over how far the sender of the same stream is that stamps in another thread. */
  follow({ sequenceNumber, packetsSent, octetsSent }: SenderNumbers): void {
    this.#stamp.sequenceNumber = sequenceNumber;
    this.#packetsSent = packetsSent;
    this.#octetsSent = octetsSent;
  }

  /** The timestamp of a media time in ticks of the clock rate: start plus ticks, modulo 2^32. */
  timestampAt(mediaTicks: number): number {
    return addTimestamp(this.#startTimestamp, Math.round(mediaTicks));
  }

  /** Stamps every header of the batch in place, and counts its packets as sent. Allocates nothing. */
  stamp(batch: PacketBatch, timestamp: number): void {
    const stamp = this.#stamp;
    stamp.timestamp = timestamp;
    stampBatch(batch, stamp);
    this.#count(batch);
  }

  /**
   * Counts the batch as sent without stamping it, for those who send it bit by bit and stamp each part right before.
   *
   * @returns what to stamp its packets with (owned).
   */
  reserve(batch: PacketBatch, timestamp: number): RtpStamp {
    const stamp = { ...this.#stamp, timestamp };
    this.#count(batch);
    return stamp;
  }

  #count(batch: PacketBatch): void {
    const stamp = this.#stamp;
    stamp.sequenceNumber = addSequenceNumber(stamp.sequenceNumber, batch.packetCount);
    this.#packetsSent += batch.packetCount;
    this.#octetsSent += batch.payloadSize;
  }

  /** Passes over numbers on purpose: for the reader these packets are lost. They do not count as sent. */
  skip(packetCount: number): void {
    this.#stamp.sequenceNumber = addSequenceNumber(this.#stamp.sequenceNumber, packetCount);
  }

  /**
   * A compound of SR and SDES (owned).
   *
   * @param unixMs wall-clock time now, in milliseconds
   * @param timestamp RTP time of the same instant, not of the last packet
   */
  report(unixMs: number, timestamp: number): Uint8Array {
    this.#reportsSent++;
    return encodeRtcp(this.#reportPackets(unixMs, timestamp));
  }

  /** A compound of SR, SDES and BYE (owned): the stream has ended. Arguments as for {@linkcode report}. */
  goodbye(unixMs: number, timestamp: number): Uint8Array {
    this.#reportsSent++;
    const packets = this.#reportPackets(unixMs, timestamp);
    return encodeRtcp([...packets, { type: "BYE", ssrcs: [this.ssrc] }]);
  }

  #reportPackets(unixMs: number, timestamp: number): RtcpPacket[] {
    return [
      {
        type: "SR",
        ssrc: this.ssrc,
        ntp: ntpFromUnixMs(unixMs),
        rtpTimestamp: timestamp,
        packetCount: this.#packetsSent % 2 ** 32,
        octetCount: this.#octetsSent % 2 ** 32,
        reports: [],
      },
      {
        type: "SDES",
        chunks: [{
          ssrc: this.ssrc,
          items: [{ itemType: SDES_ITEM_TYPE.CNAME, text: this.#cname }],
        }],
      },
    ];
  }

  /** Makes the first report due at once: with the first frame, so that readers know wall-clock time from it on. */
  startReports(now: number): void {
    this.#nextReport = now;
  }

  /** Plans the next report after one was sent (RFC 3550 s6.2: 2.1 to 6.2 s later). */
  reportSent(now: number): void {
    this.#nextReport = now + rtcpIntervalMs({ isInitial: false, random: this.#random });
  }

  /** Plans no more reports until {@linkcode startReports}: while paused. */
  stopReports(): void {
    this.#nextReport = undefined;
  }

  /** Whether a report is due. */
  reportDue(now: number): boolean {
    return this.#nextReport !== undefined && now >= this.#nextReport;
  }

  /** When the next report is due, on the clock of `now`; `undefined` when none is planned. */
  nextReportTimeout(): number | undefined {
    return this.#nextReport;
  }

  /**
   * Reads an RTCP datagram of the reader. Never throws: what cannot be read is counted.
   *
   * @param _now monotonic time in milliseconds
   * @param unixMs wall-clock time now, for the round trip time
   */
  receive(datagram: Uint8Array, _now: number, unixMs: number): void {
    this.#reader.receive(datagram, unixMs);
  }

  /** Counters and the newest report of the reader. */
  stats(): RtpSenderStatistics {
    return Object.freeze({
      ...this.#reader.stats(),
      packetsSent: this.#packetsSent,
      octetsSent: this.#octetsSent,
      reportsSent: this.#reportsSent,
    });
  }
}
