/**
 * IP packets made by hand, for captures: UDP datagrams and TCP segments with their headers and checksums, IPv4 and IPv6.
 *
 * Floor 1. RFC 791, RFC 8200, RFC 768, RFC 9293, checksums by RFC 1071 and RFC 8200 s8.1. No options, no fragments, and
 * it does not read packets. Nothing of this is ever sent: the system makes the real packets.
 *
 * @module
 */

import { mappedAddress, parseIpAddress } from "./ip_address.ts";

/** One end of a packet's way. */
export interface IpEndpoint {
  /** IPv4 or IPv6 address in text form; a zone (`%eth0`) is ignored. */
  readonly hostname: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/** Flags and numbers of a TCP segment (RFC 9293 s3.1). */
export interface TcpFields {
  /** Sequence number, 0 to 2^32 - 1. */
  readonly sequenceNumber: number;
  /** Acknowledgment number, 0 to 2^32 - 1; valid with `ack`. */
  readonly acknowledgmentNumber: number;
  /** The ACK bit. @default {true} */
  readonly ack?: boolean;
  /** The SYN bit. @default {false} */
  readonly syn?: boolean;
  /** The FIN bit. @default {false} */
  readonly fin?: boolean;
  /** The PSH bit. @default {false} */
  readonly psh?: boolean;
}

/** Most octets that fit behind the headers of one packet: 65,535 less an IPv4 and a UDP header. */
export const MAX_UDP_PAYLOAD = 65_507;

/**
 * A UDP datagram in its IP packet (RFC 768). Owned. What exceeds {@linkcode MAX_UDP_PAYLOAD} throws `RangeError`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const ends = { from: { hostname: "127.0.0.1", port: 1 }, to: { hostname: "127.0.0.1", port: 2 } };
 * const packet = encodeUdpPacket(ends, new Uint8Array(3));
 * assertEquals(packet.length, 20 + 8 + 3);
 * assertEquals(packet[9], 17); // protocol: UDP
 * ```
 */
export function encodeUdpPacket(
  ends: { readonly from: IpEndpoint; readonly to: IpEndpoint },
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (payload.length > MAX_UDP_PAYLOAD) {
    throw new RangeError(
      `Cannot write UDP packet: payload has ${payload.length} bytes, limit ${MAX_UDP_PAYLOAD}`,
    );
  }
  const packet = openPacket(ends, PROTOCOL_UDP, UDP_HEADER_SIZE + payload.length);
  const { view, offset } = packet;
  view.setUint16(offset, ends.from.port);
  view.setUint16(offset + 2, ends.to.port);
  view.setUint16(offset + 4, UDP_HEADER_SIZE + payload.length);
  packet.bytes.set(payload, offset + UDP_HEADER_SIZE);
  // Zero would mean "no checksum" (RFC 768).
  view.setUint16(offset + 6, checksumOf(packet, PROTOCOL_UDP) || 0xffff);
  return packet.bytes;
}

/** A TCP segment in its IP packet (RFC 9293). Owned. Its window is always 65,535. */
export function encodeTcpPacket(
  ends: { readonly from: IpEndpoint; readonly to: IpEndpoint },
  fields: TcpFields,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { ack = true, syn = false, fin = false, psh = false } = fields;
  const packet = openPacket(ends, PROTOCOL_TCP, TCP_HEADER_SIZE + payload.length);
  const { view, offset } = packet;
  view.setUint16(offset, ends.from.port);
  view.setUint16(offset + 2, ends.to.port);
  view.setUint32(offset + 4, fields.sequenceNumber);
  view.setUint32(offset + 8, ack ? fields.acknowledgmentNumber : 0);
  view.setUint8(offset + 12, (TCP_HEADER_SIZE / 4) << 4);
  view.setUint8(
    offset + 13,
    (fin ? 1 : 0) | (syn ? 2 : 0) | (psh ? 8 : 0) | (ack ? 16 : 0),
  );
  view.setUint16(offset + 14, 65_535);
  packet.bytes.set(payload, offset + TCP_HEADER_SIZE);
  view.setUint16(offset + 16, checksumOf(packet, PROTOCOL_TCP));
  return packet.bytes;
}

interface OpenPacket {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** Where the UDP or TCP header starts. */
  readonly offset: number;
  readonly isIpv6: boolean;
}

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const UDP_HEADER_SIZE = 8;
const TCP_HEADER_SIZE = 20;
const HOP_LIMIT = 64;

/** An IP packet with its header, the rest zero. Ends of different families are both written as IPv6. */
function openPacket(
  ends: { readonly from: IpEndpoint; readonly to: IpEndpoint },
  protocol: number,
  length: number,
): OpenPacket {
  const from = addressOf(ends.from);
  const to = addressOf(ends.to);
  return from.length === 4 && to.length === 4
    ? openIpv4(from, to, protocol, length)
    : openIpv6(mappedAddress(from), mappedAddress(to), protocol, length);
}

function openIpv4(
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  length: number,
): OpenPacket {
  const bytes = new Uint8Array(20 + length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45); // version 4, header of 5 words
  view.setUint16(2, bytes.length);
  view.setUint16(6, 0x4000); // don't fragment
  view.setUint8(8, HOP_LIMIT);
  view.setUint8(9, protocol);
  bytes.set(from, 12);
  bytes.set(to, 16);
  view.setUint16(10, ~folded(sumOf(bytes, 0, 20, 0)) & 0xffff);
  return { bytes, view, offset: 20, isIpv6: false };
}

function openIpv6(
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  length: number,
): OpenPacket {
  const bytes = new Uint8Array(40 + length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x60); // version 6
  view.setUint16(4, length);
  view.setUint8(6, protocol);
  view.setUint8(7, HOP_LIMIT);
  bytes.set(from, 8);
  bytes.set(to, 24);
  return { bytes, view, offset: 40, isIpv6: true };
}

/** Over the pseudo-header (addresses, length, protocol) and all behind the IP header. */
function checksumOf(packet: OpenPacket, protocol: number): number {
  const { bytes, offset, isIpv6 } = packet;
  const length = bytes.length - offset;
  let sum = protocol + length;
  sum = sumOf(bytes, isIpv6 ? 8 : 12, offset, sum);
  sum = sumOf(bytes, offset, bytes.length, sum);
  return ~folded(sum) & 0xffff;
}

/** Words of 16 bits; 65,535 octets cannot exceed what a number holds exactly. */
function sumOf(bytes: Uint8Array, from: number, to: number, start: number): number {
  let sum = start;
  let i = from;
  for (; i + 1 < to; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (i < to) sum += bytes[i] << 8;
  return sum;
}

function folded(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

function addressOf({ hostname }: IpEndpoint): Uint8Array {
  const address = parseIpAddress(hostname);
  if (address !== undefined) return address;
  throw new TypeError(`Cannot write IP packet: "${hostname}" is no IP address`);
}
