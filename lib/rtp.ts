/**
 * RTP packets, and the batch of packets that the sending side works with.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-5 RFC 3550 s5},
 * {@link https://www.rfc-editor.org/rfc/rfc3551#section-6 RFC 3551 s6}.
 *
 * Floor 1: imports errors only. Does not look into payloads, and does not decide whether a source is valid: that needs
 * memory and is the receiver's.
 *
 * ```text
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing source (CSRC) identifiers             |
 * |                             ....                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      defined by profile       |           length              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                        header extension                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 *
 * @module
 */
import { RtpFormatError } from "./errors.ts";

/** Octets of the header without contributing sources and extension. */
export const RTP_HEADER_SIZE = 12;

/** Payload type of JPEG, RFC 3551 table 5; its clock rate is 90,000 Hz. */
export const PAYLOAD_TYPE_JPEG = 26;

/** A header extension, RFC 3550 s5.3.1. */
export interface RtpHeaderExtension {
  /** The 16 bits whose meaning the profile defines. */
  readonly profile: number;
  /** The extension without its own 4-octet header; a multiple of 4 octets, at most 262,140. Borrowed after decoding. */
  readonly data: Uint8Array;
}

/** One RTP packet, RFC 3550 s5.1. The version is always 2 and therefore no field. */
export interface RtpPacket {
  /** What the payload is, 0 to 127. */
  readonly payloadType: number;
  /** The marker bit: with video, the last packet of a frame. */
  readonly marker: boolean;
  /** 0 to 65535, one more with every packet, wraps. */
  readonly sequenceNumber: number;
  /** 0 to 2^32 - 1 in ticks of the payload's clock rate, wraps. */
  readonly timestamp: number;
  /** Synchronization source, 0 to 2^32 - 1. */
  readonly ssrc: number;
  /** Contributing sources, at most 15. */
  readonly csrcs: readonly number[];
  /** The header extension, where there is one. */
  readonly extension?: RtpHeaderExtension;
  /** The payload without padding. Borrowed: a view of the decoded datagram. */
  readonly payload: Uint8Array;
  /** Octets of padding after the payload, its own count included: 0 (none) to 255. */
  readonly paddingSize: number;
}

/** Why bytes are no RTP packet. */
export type RtpFault =
  | "too-short"
  | "version"
  | "csrcs-past-end"
  | "extension-past-end"
  | "padding-zero"
  | "padding-past-end";

/**
 * Says what is wrong with a datagram as an RTP packet, or `undefined` when {@linkcode decodeRtp} accepts it.
 * For receivers that count bad packets and must not pay for an exception each.
 */
export function rtpFault(data: Uint8Array): RtpFault | undefined {
  const size = data.length;
  if (size < RTP_HEADER_SIZE) return "too-short";
  const first = data[0];
  if (first >> 6 !== 2) return "version";
  if (first === 0x80) return undefined;
  let start = RTP_HEADER_SIZE + (first & 0x0f) * 4;
  if (start > size) return "csrcs-past-end";
  if (first & 0x10) {
    if (start + 4 > size) return "extension-past-end";
    start += 4 + (data[start + 2] << 8 | data[start + 3]) * 4;
    if (start > size) return "extension-past-end";
  }
  if (first & 0x20) {
    const padding = data[size - 1];
    if (start === size) return "padding-past-end";
    if (padding === 0) return "padding-zero";
    if (start + padding > size) return "padding-past-end";
  }
  return undefined;
}

/**
 * Reads one datagram. The payload and the extension are views of `data`: borrowed.
 *
 * @throws {RtpFormatError} `code` is an {@linkcode RtpFault}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp } from "./rtp.ts";
 *
 * const packet = decodeRtp(new Uint8Array([0x80, 0x9a, 0, 7, 0, 0, 0x0e, 0x10, 0, 0, 0, 1, 0xff]));
 * assertEquals(packet.payloadType, 26);
 * assertEquals(packet.marker, true);
 * assertEquals(packet.sequenceNumber, 7);
 * assertEquals(packet.timestamp, 3600);
 * assertEquals(packet.payload, new Uint8Array([0xff]));
 * ```
 */
export function decodeRtp(data: Uint8Array): RtpPacket {
  const fault = rtpFault(data);
  if (fault !== undefined) throw rtpFormatError(data, fault);
  const first = data[0];
  const second = data[1];
  if (first === 0x80) {
    return {
      payloadType: second & 0x7f,
      marker: second > 0x7f,
      sequenceNumber: data[2] << 8 | data[3],
      timestamp: (data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7]) >>> 0,
      ssrc: (data[8] << 24 | data[9] << 16 | data[10] << 8 | data[11]) >>> 0,
      csrcs: NO_CSRCS,
      payload: data.subarray(RTP_HEADER_SIZE),
      paddingSize: 0,
    };
  }
  return decodeUncommon(data);
}

/** Packets with contributing sources, an extension or padding; `data` is known to be sound. */
function decodeUncommon(data: Uint8Array): RtpPacket {
  const csrcCount = data[0] & 0x0f;
  const csrcs: number[] = [];
  for (let i = 0; i < csrcCount; i++) csrcs.push(readUint32(data, RTP_HEADER_SIZE + 4 * i));
  let start = RTP_HEADER_SIZE + 4 * csrcCount;
  let extension: RtpHeaderExtension | undefined;
  if (data[0] & 0x10) {
    const size = (data[start + 2] << 8 | data[start + 3]) * 4;
    const profile = data[start] << 8 | data[start + 1];
    extension = { profile, data: data.subarray(start + 4, start + 4 + size) };
    start += 4 + size;
  }
  const paddingSize = data[0] & 0x20 ? data[data.length - 1] : 0;
  const packet = {
    payloadType: data[1] & 0x7f,
    marker: data[1] > 0x7f,
    sequenceNumber: data[2] << 8 | data[3],
    timestamp: readUint32(data, 4),
    ssrc: readUint32(data, 8),
    csrcs: csrcCount === 0 ? NO_CSRCS : csrcs,
    payload: data.subarray(start, data.length - paddingSize),
    paddingSize,
  };
  return extension === undefined ? packet : { ...packet, extension };
}

/** Octets that {@linkcode encodeRtpInto} writes for this packet. */
export function encodedRtpSize(packet: RtpPacket): number {
  const extension = packet.extension === undefined ? 0 : 4 + packet.extension.data.length;
  return RTP_HEADER_SIZE + 4 * packet.csrcs.length + extension + packet.payload.length +
    packet.paddingSize;
}

/**
 * Writes the packet to the start of `target` and returns the octets written.
 *
 * @throws {RangeError} when a field is outside its range or `target` is too small.
 */
export function encodeRtpInto(packet: RtpPacket, target: Uint8Array): number {
  const size = encodedRtpSize(packet);
  checkEncodable(packet, size, target.length);
  const { csrcs, extension, payload, paddingSize } = packet;
  target[0] = 0x80 | (paddingSize > 0 ? 0x20 : 0) | (extension ? 0x10 : 0) | csrcs.length;
  target[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
  target[2] = packet.sequenceNumber >>> 8;
  target[3] = packet.sequenceNumber;
  writeUint32(target, 4, packet.timestamp);
  writeUint32(target, 8, packet.ssrc);
  let offset = RTP_HEADER_SIZE;
  for (let i = 0; i < csrcs.length; i++, offset += 4) writeUint32(target, offset, csrcs[i]);
  if (extension !== undefined) {
    const words = extension.data.length / 4;
    target[offset] = extension.profile >>> 8;
    target[offset + 1] = extension.profile;
    target[offset + 2] = words >>> 8;
    target[offset + 3] = words;
    target.set(extension.data, offset + 4);
    offset += 4 + extension.data.length;
  }
  target.set(payload, offset);
  if (paddingSize > 0) {
    target.fill(0, offset + payload.length, size - 1);
    target[size - 1] = paddingSize;
  }
  return size;
}

/**
 * The packet as a datagram of its own (owned).
 *
 * @throws {RangeError} when a field is outside its range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp, encodeRtp, PAYLOAD_TYPE_JPEG } from "./rtp.ts";
 *
 * const packet = {
 *   payloadType: PAYLOAD_TYPE_JPEG,
 *   marker: true,
 *   sequenceNumber: 65535,
 *   timestamp: 90_000,
 *   ssrc: 0x1234_5678,
 *   csrcs: [],
 *   payload: new Uint8Array([1, 2, 3]),
 *   paddingSize: 0,
 * };
 * assertEquals(decodeRtp(encodeRtp(packet)), packet);
 * ```
 */
export function encodeRtp(packet: RtpPacket): Uint8Array {
  const target = new Uint8Array(encodedRtpSize(packet));
  encodeRtpInto(packet, target);
  return target;
}

/**
 * The unit on the sending side: RTP packets one after another in one buffer, so that a whole frame can be stamped in
 * place and handed to the system in one call. Every packet but the last is exactly `packetSize` octets.
 */
export interface PacketBatch {
  /** All packets, headers included. Whoever stamps it must send it before anyone else may stamp it. */
  readonly bytes: Uint8Array;
  /** Octets of every packet but the last, which may be shorter. */
  readonly packetSize: number;
  /** Packets in `bytes`, at least 1. */
  readonly packetCount: number;
  /** Octets of RTP payload in all packets together, headers and padding excluded (RFC 3550 s6.4.1, octet count). */
  readonly payloadSize: number;
  /** Octets before each packet that belong to whatever carries it: the `$` header of a connection. @default {0} */
  readonly prefixSize?: number;
}

/** What {@linkcode stampBatch} writes into the headers. */
export interface RtpStamp {
  /** 0 to 127. @default {what the packetizer wrote} */
  readonly payloadType?: number;
  /** Of the first packet, 0 to 65535; the others follow, with wrap. */
  readonly sequenceNumber: number;
  /** Of all packets, 0 to 2^32 - 1. */
  readonly timestamp: number;
  /** Of all packets, 0 to 2^32 - 1. */
  readonly ssrc: number;
}

/** The `index`th packet of the batch, 0 to `packetCount` - 1. Borrowed: a view of `batch.bytes`. */
export function packetAt(batch: PacketBatch, index: number): Uint8Array {
  const prefixSize = batch.prefixSize ?? 0;
  const start = index * (batch.packetSize + prefixSize) + prefixSize;
  return batch.bytes.subarray(start, Math.min(start + batch.packetSize, batch.bytes.length));
}

/**
 * Patches payload type, sequence number, timestamp and SSRC into every header of the batch, in place and without
 * allocating. Marker bits stay as the packetizer set them. With `first` and `count` only these packets are stamped, with
 * the numbers that they have when all are.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp, packetAt, stampBatch } from "./rtp.ts";
 *
 * const bytes = new Uint8Array(14 + 13);
 * bytes[0] = bytes[14] = 0x80;
 * bytes[14 + 1] = 0x80 | 26;
 * const batch = { bytes, packetSize: 14, packetCount: 2, payloadSize: 3 };
 * stampBatch(batch, { sequenceNumber: 65535, timestamp: 3600, ssrc: 9 });
 * const last = decodeRtp(packetAt(batch, 1));
 * assertEquals([last.sequenceNumber, last.timestamp, last.ssrc, last.marker], [0, 3600, 9, true]);
 * ```
 */
export function stampBatch(
  batch: PacketBatch,
  stamp: RtpStamp,
  first = 0,
  count: number = batch.packetCount - first,
): void {
  const { bytes, prefixSize = 0 } = batch;
  const stride = batch.packetSize + prefixSize;
  const { payloadType, timestamp, ssrc } = stamp;
  let sequenceNumber = stamp.sequenceNumber + first;
  const end = Math.min(batch.packetCount, first + count);
  for (let i = first, offset = first * stride + prefixSize; i < end; i++, offset += stride) {
    if (payloadType !== undefined) bytes[offset + 1] = bytes[offset + 1] & 0x80 | payloadType;
    bytes[offset + 2] = sequenceNumber >>> 8;
    bytes[offset + 3] = sequenceNumber;
    bytes[offset + 4] = timestamp >>> 24;
    bytes[offset + 5] = timestamp >>> 16;
    bytes[offset + 6] = timestamp >>> 8;
    bytes[offset + 7] = timestamp;
    bytes[offset + 8] = ssrc >>> 24;
    bytes[offset + 9] = ssrc >>> 16;
    bytes[offset + 10] = ssrc >>> 8;
    bytes[offset + 11] = ssrc;
    sequenceNumber++;
  }
}

/** Shared by all packets without contributing sources, so that none is allocated. */
const NO_CSRCS: readonly number[] = Object.freeze([]);

function readUint32(data: Uint8Array, offset: number): number {
  return (data[offset] << 24 | data[offset + 1] << 16 | data[offset + 2] << 8 |
    data[offset + 3]) >>> 0;
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

function checkEncodable(packet: RtpPacket, size: number, room: number): void {
  checkRange("payload type", packet.payloadType, 127);
  checkRange("sequence number", packet.sequenceNumber, 0xffff);
  checkRange("timestamp", packet.timestamp, 0xffff_ffff);
  checkRange("SSRC", packet.ssrc, 0xffff_ffff);
  checkRange("number of contributing sources", packet.csrcs.length, 15);
  for (let i = 0; i < packet.csrcs.length; i++) checkRange("CSRC", packet.csrcs[i], 0xffff_ffff);
  checkRange("padding size", packet.paddingSize, 255);
  if (packet.extension !== undefined) {
    checkRange("extension profile", packet.extension.profile, 0xffff);
    const octets = packet.extension.data.length;
    if (octets % 4 !== 0 || octets > 0xffff * 4) {
      throw new RangeError(
        `Cannot encode RTP packet: extension of ${octets} bytes, wanted a multiple of 4 up to 262140`,
      );
    }
  }
  if (size > room) {
    throw new RangeError(
      `Cannot encode RTP packet: target has ${room} bytes, packet needs ${size}`,
    );
  }
}

function checkRange(name: string, value: number, maximum: number): void {
  if (value >= 0 && value <= maximum && Number.isInteger(value)) return;
  throw new RangeError(`Cannot encode RTP packet: ${name} "${value}", wanted 0 to ${maximum}`);
}

/** The error for a fault that {@linkcode rtpFault} found, with both numbers in its message. */
function rtpFormatError(data: Uint8Array, fault: RtpFault): RtpFormatError<RtpFault> {
  const size = data.length;
  const csrcEnd = RTP_HEADER_SIZE + (data[0] & 0x0f) * 4;
  const fail = (offset: number, rfc: string, why: string) =>
    new RtpFormatError(`Cannot decode RTP packet: ${why}`, { code: fault, offset, rfc });
  switch (fault) {
    case "too-short":
      return fail(0, "RFC 3550 s5.1", `${size} bytes, header needs ${RTP_HEADER_SIZE}`);
    case "version":
      return fail(0, "RFC 3550 s5.1", `version is ${data[0] >> 6}, wanted 2`);
    case "csrcs-past-end":
      return fail(0, "RFC 3550 s5.1", `${size} bytes, contributing sources need ${csrcEnd}`);
    case "extension-past-end": {
      const words = csrcEnd + 4 <= size ? data[csrcEnd + 2] << 8 | data[csrcEnd + 3] : 0;
      const end = csrcEnd + 4 + words * 4;
      return fail(csrcEnd, "RFC 3550 s5.3.1", `${size} bytes, header extension needs ${end}`);
    }
    case "padding-zero":
      return fail(size - 1, "RFC 3550 s5.1", "padding size is 0, wanted at least 1");
    case "padding-past-end":
      return fail(
        size - 1,
        "RFC 3550 s5.1",
        `${size} bytes, padding of ${data[size - 1]} reaches into the header`,
      );
  }
}
