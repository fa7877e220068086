/**
 * The lab's payload: one whole JPEG in each packet.
 * Being written; the signatures stand.
 *
 * Kurose-Ross lab · floor 1.
 *
 * @module
 */
import type { PacketBatch, RtpPacket } from "./rtp.ts";
import type { DepacketizedFrame, DepacketizerStatistics } from "./rtp_jpeg.ts";

/** Largest JPEG that the 20,480-octet buffer of the lab's clients takes. */
export const LAB_MAX_DATAGRAM_JPEG = 20_468;
/** Largest JPEG that fits one UDP datagram behind an RTP header. */
export const LAB_MAX_JPEG = 65_495;

/** One packet that carries `jpeg` as it is, marker set. Throws `JpegFormatError` above {@linkcode LAB_MAX_JPEG} octets. */
export function packetizeLab(_jpeg: Uint8Array): PacketBatch {
  throw new Error("Not written yet");
}

/** Packets of any lab server in, complete pictures out. */
export class LabDepacketizer {
  constructor(_options: { readonly maxFrameBytes?: number } = {}) {}
  /** True while an open frame may be continued by datagrams without an RTP header. */
  get expectsRaw(): boolean {
    return false;
  }
  /** Takes the next packet. */
  push(_packet: RtpPacket, _lostBefore: number): DepacketizedFrame | undefined {
    throw new Error("Not written yet");
  }
  /** Takes a datagram that has no RTP header. */
  pushRaw(_datagram: Uint8Array): DepacketizedFrame | undefined {
    throw new Error("Not written yet");
  }
  /** Forgets the frame under way. */
  reset(): void {}
  /** Counters so far. */
  stats(): DepacketizerStatistics {
    throw new Error("Not written yet");
  }
}
