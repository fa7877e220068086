/**
 * Writing RTCP datagrams. {@link https://www.rfc-editor.org/rfc/rfc3550#section-6 RFC 3550 s6}.
 *
 * Floor 1: the writing half of `rtcp.ts`, which exports it. Does not write padding: nothing here needs a multiple of
 * more than 4 octets.
 *
 * @module
 */
import {
  type ReportBlock,
  RTCP_PACKET_TYPE,
  type RtcpPacket,
  SDES_ITEM_TYPE,
  type SdesChunk,
} from "./rtcp_packet.ts";

/** Choices of {@linkcode encodeRtcpInto}. */
export interface RtcpEncodeOptions {
  /** Skip the compound rules of RFC 3550 s6.1, as RFC 5506 allows. @default {false} */
  readonly isReducedSize?: boolean;
}

/** Octets that {@linkcode encodeRtcpInto} writes for these packets. */
export function encodedRtcpSize(packets: readonly RtcpPacket[]): number {
  let size = 0;
  for (const packet of packets) size += packetSize(packet);
  return size;
}

/**
 * Writes the packets, one after another, to the start of `target` and returns the octets written. As RFC 3550 s6.1
 * demands of a compound packet, the first must be SR or RR and one must be an SDES with a CNAME.
 *
 * @throws {RangeError} when the compound rules are broken, a field is outside its range or `target` is too small.
 */
export function encodeRtcpInto(
  packets: readonly RtcpPacket[],
  target: Uint8Array,
  options: RtcpEncodeOptions = {},
): number {
  if (!options.isReducedSize) checkCompound(packets);
  const size = encodedRtcpSize(packets);
  if (size > target.length) {
    throw failure(`target has ${target.length} bytes, packets need ${size}`);
  }
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  target.fill(0, 0, size);
  let offset = 0;
  for (const packet of packets) offset += writePacket(packet, target, view, offset);
  return offset;
}

/**
 * The packets as one datagram of their own (owned).
 *
 * @throws {RangeError} when the compound rules are broken or a field is outside its range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtcp, encodeRtcp, type RtcpPacket, SDES_ITEM_TYPE } from "./rtcp.ts";
 *
 * const packets: RtcpPacket[] = [
 *   { type: "RR", ssrc: 7, reports: [] },
 *   { type: "SDES", chunks: [{ ssrc: 7, items: [{ itemType: SDES_ITEM_TYPE.CNAME, text: "a@b" }] }] },
 * ];
 * assertEquals(decodeRtcp(encodeRtcp(packets)), packets);
 * ```
 */
export function encodeRtcp(
  packets: readonly RtcpPacket[],
  options: RtcpEncodeOptions = {},
): Uint8Array {
  const target = new Uint8Array(encodedRtcpSize(packets));
  encodeRtcpInto(packets, target, options);
  return target;
}

function checkCompound(packets: readonly RtcpPacket[]): void {
  const first = packets[0]?.type;
  if (first !== "SR" && first !== "RR") {
    throw failure(`first packet is "${first ?? "missing"}", wanted SR or RR`);
  }
  const hasName = packets.some((packet) =>
    packet.type === "SDES" &&
    packet.chunks.some((chunk) => chunk.items.some((i) => i.itemType === SDES_ITEM_TYPE.CNAME))
  );
  if (!hasName) throw failure("no SDES with a CNAME, wanted one");
}

function packetSize(packet: RtcpPacket): number {
  switch (packet.type) {
    case "SR":
      return 28 + 24 * packet.reports.length + (packet.profileExtension?.length ?? 0);
    case "RR":
      return 8 + 24 * packet.reports.length + (packet.profileExtension?.length ?? 0);
    case "SDES": {
      let size = 4;
      for (const chunk of packet.chunks) size += chunkSize(chunk);
      return size;
    }
    case "BYE": {
      const reason = packet.reason === undefined ? 0 : padded(1 + textSize(packet.reason));
      return 4 + 4 * packet.ssrcs.length + reason;
    }
    case "APP":
      return 12 + packet.data.length;
    case "unknown":
      return 4 + packet.body.length;
  }
}

/** SSRC, items, and one to four null octets up to the next word. */
function chunkSize(chunk: SdesChunk): number {
  let size = 4;
  for (const item of chunk.items) size += 2 + textSize(item.text);
  return padded(size + 1);
}

/** Writes one packet at `offset` and returns its size. The target is already zeroed. */
function writePacket(
  packet: RtcpPacket,
  target: Uint8Array,
  view: DataView,
  offset: number,
): number {
  const size = packetSize(packet);
  if (size % 4 !== 0 || size > 4 * 0x1_0000) {
    throw failure(`${packet.type} of ${size} bytes, wanted a multiple of 4 up to ${4 * 0x1_0000}`);
  }
  target[offset] = 0x80 | inRange("count", countOf(packet), 31);
  target[offset + 1] = packet.type === "unknown"
    ? unknownType(packet.packetType)
    : RTCP_PACKET_TYPE[packet.type];
  view.setUint16(offset + 2, size / 4 - 1);
  writeBody(packet, target, view, offset);
  return size;
}

/** A type that the reader gives back as unknown. */
function unknownType(packetType: number): number {
  if (Object.values(RTCP_PACKET_TYPE).includes(packetType)) {
    throw failure(`packet type "${packetType}" of an unknown packet, wanted none of 200 to 204`);
  }
  return inRange("packet type", packetType, 0xff);
}

/** The five bits behind the padding bit. */
function countOf(packet: RtcpPacket): number {
  switch (packet.type) {
    case "SR":
    case "RR":
      return packet.reports.length;
    case "SDES":
      return packet.chunks.length;
    case "BYE":
      return packet.ssrcs.length;
    case "APP":
      return packet.subtype;
    case "unknown":
      return packet.count;
  }
}

/** Writes what follows the first four octets of the packet that begins at `offset`. */
function writeBody(packet: RtcpPacket, target: Uint8Array, view: DataView, offset: number): void {
  switch (packet.type) {
    case "SR":
      writeUint32(view, offset + 4, packet.ssrc);
      writeUint32(view, offset + 8, packet.ntp.seconds);
      writeUint32(view, offset + 12, packet.ntp.fraction);
      writeUint32(view, offset + 16, packet.rtpTimestamp);
      writeUint32(view, offset + 20, packet.packetCount);
      writeUint32(view, offset + 24, packet.octetCount);
      return writeReports(packet, target, view, offset + 28);
    case "RR":
      writeUint32(view, offset + 4, packet.ssrc);
      return writeReports(packet, target, view, offset + 8);
    case "SDES":
      return writeChunks(packet.chunks, target, view, offset + 4);
    case "BYE":
      packet.ssrcs.forEach((ssrc, i) => writeUint32(view, offset + 4 + 4 * i, ssrc));
      if (packet.reason === undefined) return;
      writeText(packet.reason, target, offset + 4 + 4 * packet.ssrcs.length);
      return;
    case "APP":
      writeUint32(view, offset + 4, packet.ssrc);
      if (packet.name.length !== 4) throw failure(`APP name "${packet.name}", wanted 4 characters`);
      for (let i = 0; i < 4; i++) {
        target[offset + 8 + i] = inRange("character of APP name", packet.name.charCodeAt(i), 0xff);
      }
      return target.set(packet.data, offset + 12);
    case "unknown":
      return target.set(packet.body, offset + 4);
  }
}

function writeReports(
  packet: { readonly reports: readonly ReportBlock[]; readonly profileExtension?: Uint8Array },
  target: Uint8Array,
  view: DataView,
  start: number,
): void {
  let offset = start;
  for (const block of packet.reports) {
    const { cumulativeLost } = block;
    if (!(cumulativeLost >= -0x80_0000 && cumulativeLost <= 0x7f_ffff)) {
      throw failure(`cumulative lost "${cumulativeLost}", wanted -8388608 to 8388607`);
    }
    writeUint32(view, offset, block.ssrc);
    view.setInt32(
      offset + 4,
      inRange("fraction lost", block.fractionLost, 0xff) << 24 | cumulativeLost & 0xff_ffff,
    );
    writeUint32(view, offset + 8, block.extendedHighestSequenceNumber);
    writeUint32(view, offset + 12, block.interarrivalJitter);
    writeUint32(view, offset + 16, block.lastSr);
    writeUint32(view, offset + 20, block.delaySinceLastSr);
    offset += 24;
  }
  if (packet.profileExtension !== undefined) target.set(packet.profileExtension, offset);
}

function writeChunks(
  chunks: readonly SdesChunk[],
  target: Uint8Array,
  view: DataView,
  start: number,
): void {
  let chunkStart = start;
  for (const chunk of chunks) {
    writeUint32(view, chunkStart, chunk.ssrc);
    let offset = chunkStart + 4;
    for (const item of chunk.items) {
      // Type 0 would end the chunk.
      if (item.itemType === 0) throw failure(`SDES item type "0", wanted 1 to 255`);
      target[offset] = inRange("SDES item type", item.itemType, 0xff);
      offset += 1 + writeText(item.text, target, offset + 1);
    }
    chunkStart += chunkSize(chunk);
  }
}

/** Writes a length octet and the text behind it; returns the octets of both. */
function writeText(text: string, target: Uint8Array, offset: number): number {
  const size = textSize(text);
  target[offset] = size;
  TEXT_ENCODER.encodeInto(text, target.subarray(offset + 1, offset + 1 + size));
  return 1 + size;
}

/** Octets of the text in UTF-8. */
function textSize(text: string): number {
  const { read, written } = TEXT_ENCODER.encodeInto(text, TEXT_BUFFER);
  if (read !== text.length) {
    throw failure(`text of ${text.length} characters, wanted up to 255 bytes`);
  }
  return written;
}

const TEXT_ENCODER = new TextEncoder();
/** As long as a text can be on the wire; only ever written to measure. */
const TEXT_BUFFER = new Uint8Array(255);

function padded(size: number): number {
  return (size + 3) >> 2 << 2;
}

function writeUint32(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, inRange("field", value, 0xffff_ffff));
}

function inRange(name: string, value: number, maximum: number): number {
  if (value >= 0 && value <= maximum && Number.isInteger(value)) return value;
  throw failure(`${name} "${value}", wanted 0 to ${maximum}`);
}

function failure(why: string): RangeError {
  return new RangeError(`Cannot encode RTCP packet: ${why}`);
}
