/**
 * RTCP packets as objects: reports, descriptions, goodbyes.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6 RFC 3550 s6}.
 *
 * Floor 1: types and constants of `rtcp.ts`, which exports them. Does not read or write bytes.
 *
 * @module
 */
import type { NtpTimestamp } from "./ntp_time.ts";

/** Packet types, RFC 3550 s12.1. */
export const RTCP_PACKET_TYPE: Readonly<Record<"SR" | "RR" | "SDES" | "BYE" | "APP", number>> =
  Object.freeze({ SR: 200, RR: 201, SDES: 202, BYE: 203, APP: 204 });

/** What one receiver says about one source, RFC 3550 s6.4.1. */
export interface ReportBlock {
  /** The source that the block is about. */
  readonly ssrc: number;
  /** Share of packets lost since the last report, in 1/256: 0 to 255. */
  readonly fractionLost: number;
  /** Packets lost since the beginning: signed, -8,388,608 to 8,388,607; negative after duplicates. */
  readonly cumulativeLost: number;
  /** Highest sequence number received, the number of cycles above its 16 bits. */
  readonly extendedHighestSequenceNumber: number;
  /** Smoothed deviation of the spacing, in ticks of the clock rate. */
  readonly interarrivalJitter: number;
  /** {@linkcode compactNtp} of the last sender report, 0 if there was none. */
  readonly lastSr: number;
  /** Since the last sender report, in 1/65536 s, 0 if there was none. */
  readonly delaySinceLastSr: number;
}

/** SR, RFC 3550 s6.4.1. */
export interface SenderReport {
  /** Discriminant. */
  readonly type: "SR";
  /** The sender. */
  readonly ssrc: number;
  /** Wall-clock time at which the report was sent. */
  readonly ntp: NtpTimestamp;
  /** The same instant in RTP time. */
  readonly rtpTimestamp: number;
  /** RTP packets sent since the beginning, modulo 2^32. */
  readonly packetCount: number;
  /** Octets of payload sent since the beginning, modulo 2^32. */
  readonly octetCount: number;
  /** What the sender receives itself, at most 31. */
  readonly reports: readonly ReportBlock[];
  /** What a profile added behind the blocks, a multiple of 4 octets. Borrowed after decoding. */
  readonly profileExtension?: Uint8Array;
}

/** RR, RFC 3550 s6.4.2. */
export interface ReceiverReport {
  /** Discriminant. */
  readonly type: "RR";
  /** Who reports. */
  readonly ssrc: number;
  /** One block for each source heard since the last report, at most 31, possibly none. */
  readonly reports: readonly ReportBlock[];
  /** What a profile added behind the blocks, a multiple of 4 octets. Borrowed after decoding. */
  readonly profileExtension?: Uint8Array;
}

/** Kinds of SDES items, RFC 3550 s6.5. */
export const SDES_ITEM_TYPE: Readonly<
  Record<"CNAME" | "NAME" | "EMAIL" | "PHONE" | "LOC" | "TOOL" | "NOTE" | "PRIV", number>
> = Object.freeze({
  CNAME: 1,
  NAME: 2,
  EMAIL: 3,
  PHONE: 4,
  LOC: 5,
  TOOL: 6,
  NOTE: 7,
  PRIV: 8,
});

/** One item of a source description, RFC 3550 s6.5. */
export interface SdesItem {
  /** A value of {@linkcode SDES_ITEM_TYPE} or an unknown one: 1 to 255. */
  readonly itemType: number;
  /**
   * At most 255 octets of UTF-8. On reading, octets that are no UTF-8 become U+FFFD, and what is then longer than 255
   * octets is cut.
   */
  readonly text: string;
}

/** The items of one source, RFC 3550 s6.5. */
export interface SdesChunk {
  /** SSRC or CSRC that the items describe. */
  readonly ssrc: number;
  /** In the order of the wire. */
  readonly items: readonly SdesItem[];
}

/** SDES, RFC 3550 s6.5. */
export interface SourceDescription {
  /** Discriminant. */
  readonly type: "SDES";
  /** At most 31. */
  readonly chunks: readonly SdesChunk[];
}

/** BYE, RFC 3550 s6.6. */
export interface Goodbye {
  /** Discriminant. */
  readonly type: "BYE";
  /** The sources that leave, at most 31. */
  readonly ssrcs: readonly number[];
  /** Why, in at most 255 octets of UTF-8; read as {@linkcode SdesItem} texts are. */
  readonly reason?: string;
}

/** APP, RFC 3550 s6.7. */
export interface ApplicationDefined {
  /** Discriminant. */
  readonly type: "APP";
  /** 0 to 31, meaning up to the application. */
  readonly subtype: number;
  /** Who sends it. */
  readonly ssrc: number;
  /** Four characters, U+0000 to U+00FF. */
  readonly name: string;
  /** A multiple of 4 octets. Borrowed after decoding. */
  readonly data: Uint8Array;
}

/** A packet of a type that RFC 3550 does not define, for example feedback (RFC 4585). */
export interface UnknownRtcp {
  /** Discriminant. */
  readonly type: "unknown";
  /** 0 to 255, none of {@linkcode RTCP_PACKET_TYPE}. */
  readonly packetType: number;
  /** The five bits behind the padding bit, 0 to 31. */
  readonly count: number;
  /** Everything behind the first four octets, a multiple of 4 octets. Borrowed after decoding. */
  readonly body: Uint8Array;
}

/** One RTCP packet; a datagram carries several. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | ApplicationDefined
  | UnknownRtcp;
