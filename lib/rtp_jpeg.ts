/**
 * RTP payload format for JPEG: describe, packetize, depacketize.
 * Being written; the signatures stand.
 *
 * RFC 2435 · floor 1.
 *
 * @module
 */
import type { PacketBatch, RtpPacket } from "./rtp.ts";

/** Everything RFC 2435 says about one picture, and its entropy-coded scan. */
export interface JpegPayload {
  /** 0 (4:2:2) or 1 (4:2:0), plus 64 with restart markers. */
  readonly type: number;
  /** 1 to 99 for the standard tables of that quality, 255 for tables in band. */
  readonly q: number;
  /** Width in pixels, as in the picture. */
  readonly width: number;
  /** Height in pixels, as in the picture. */
  readonly height: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** 128 octets, luma then chroma, zigzag order; present when `q` is 255. */
  readonly quantizationTables?: Uint8Array;
  /** Entropy-coded data, borrowed from the picture. */
  readonly scan: Uint8Array;
}

/** What RFC 2435 needs to carry `jpeg`. Throws `JpegFormatError` whose message is the reason why it cannot. */
export function describeJpegPayload(_jpeg: Uint8Array): JpegPayload {
  throw new Error("Not written yet");
}

/** Cuts a picture into packets: all but the last have exactly `maxPacketSize` octets. */
export function packetizeJpeg(
  _payload: JpegPayload,
  _options: { readonly payloadType: number; readonly maxPacketSize?: number },
): PacketBatch {
  throw new Error("Not written yet");
}

/** A complete picture. */
export interface DepacketizedFrame {
  /** A complete JFIF picture from SOI to EOI; owned. */
  readonly jpeg: Uint8Array;
  /** RTP timestamp. */
  readonly timestamp: number;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** RTP packets it came in. */
  readonly packetCount: number;
  /** Sequence number of its first packet. */
  readonly firstSequenceNumber: number;
}

/** Counters of a depacketizer. */
export interface DepacketizerStatistics {
  /** Complete frames delivered. */
  readonly frames: number;
  /** Frames of which something arrived, but not all. */
  readonly dropped: number;
  /** Packets that break the payload format. */
  readonly malformed: number;
  /** Why the last packet or frame was refused. */
  readonly lastFault: string | undefined;
}

/** Packets in order in, complete pictures out. */
export class JpegDepacketizer {
  constructor(
    _options: {
      readonly width?: number;
      readonly height?: number;
      readonly maxFrameBytes?: number;
    } = {},
  ) {}
  /** Takes the next packet in sequence order; `lostBefore` counts the packets missing just before it. */
  push(_packet: RtpPacket, _lostBefore: number): DepacketizedFrame | undefined {
    throw new Error("Not written yet");
  }
  /** Forgets the frame under way. */
  reset(): void {}
  /** Counters so far. */
  stats(): DepacketizerStatistics {
    throw new Error("Not written yet");
  }
}
