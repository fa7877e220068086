/**
 * What goes into a receiver and what comes out: options, events, counts.
 *
 * Floor 2: imports rtp and rtcp (types). The types of `receiver.ts`, which exports them and says what the counts mean.
 *
 * @module
 */
import type { NtpTimestamp } from "../rtcp.ts";
import type { RtpPacket } from "../rtp.ts";

/** What a receiver is made of. */
export interface RtpReceiverOptions {
  /** Ticks of the timestamp in a second: 90,000 for JPEG. Of no effect in lab mode, where the unit is unknown. */
  readonly clockRateHz: number;
  /** How long a gap is waited for, in milliseconds. 0 gives it up at once. A stream without gaps is never delayed. */
  readonly latencyMs: number;
  /** Payload types that belong to the stream; others are foreign. */
  readonly payloadTypes: readonly number[] | "any";
  /** Our own synchronization source, for reports. */
  readonly ssrc: number;
  /** Our canonical name, for reports. */
  readonly cname: string;
  /** Returns 0 (included) to 1 (excluded); spreads the reports in time. */
  readonly random: () => number;
  /**
   * The lab's dialect: any payload type and source, timestamps of unknown unit, numbers that begin at 0 or 1 and begin
   * again without notice, several packets under one number; no RTCP. @default {false}
   */
  readonly lab?: boolean;
  /** Bound on what waits behind gaps, and on events not yet polled, in octets each. @default {8388608} */
  readonly maxBufferBytes?: number;
}

/** What `RtpReceiver.poll()` returns. */
export type ReceiverEvent =
  /** The next packet in order. */
  | {
    readonly type: "packet";
    /** Owned; it shares its `ArrayBuffer` with others, so do not transfer that. */
    readonly packet: RtpPacket;
    /** Sequence number with the cycles of this run above its 16 bits; begins again when the sender restarts. */
    readonly extendedSequenceNumber: number;
    /** Monotonic time of its arrival. */
    readonly arrivalMs: number;
    /** Packets given up directly before it. */
    readonly lostBefore: number;
  }
  /** A datagram without an RTP header (owned), in its place among the packets. Only in lab mode. */
  | { readonly type: "raw"; readonly bytes: Uint8Array }
  /** The source has left; everything before is delivered. */
  | { readonly type: "goodbye"; readonly reason?: string }
  /** The source told the time. */
  | {
    readonly type: "sender-report";
    readonly ssrc: number;
    readonly ntp: NtpTimestamp;
    readonly rtpTimestamp: number;
    readonly arrivalMs: number;
  }
  /** To be sent to the peer's RTCP port or channel (owned). */
  | { readonly type: "rtcp"; readonly bytes: Uint8Array };

/** A snapshot of the counts; their meaning is in the header of `receiver.ts`. */
export interface RtpReceiverStatistics {
  /** Packets from the first to the highest. */
  readonly expected: number;
  /** Packets that came, each once. */
  readonly packets: number;
  /** Payload octets of these. */
  readonly bytes: number;
  /** Numbers from the first to the highest that never came: `expected` - `packets`, but for lab pieces. */
  readonly lost: number;
  /** Packets that came again. */
  readonly duplicates: number;
  /** Packets that came after one with a higher number. */
  readonly reordered: number;
  /** Packets that came after their place was given up; contained in `packets`. */
  readonly late: number;
  /** RTP datagrams that could not be read. */
  readonly malformed: number;
  /** RTCP datagrams that could not be read. */
  readonly malformedReports: number;
  /** Packets of another source or payload type, and lone ones with a wild number. */
  readonly foreign: number;
  /** Datagrams dropped because nobody polled; for the counts above they were lost on the way. */
  readonly overflowed: number;
  /** How often the numbers began anew. */
  readonly restarts: number;
  /** `lost` / `expected`, 0 to 1. */
  readonly lossRatio: number;
  /** Smoothed deviation of the spacing in milliseconds, RFC 3550 A.8. */
  readonly jitterMs: number;
  /** Packets held behind a gap. */
  readonly bufferedPackets: number;
  /** The source. */
  readonly ssrc?: number;
  /** When the newest packet of the source came. */
  readonly lastArrivalMs?: number;
}
