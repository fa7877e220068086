/**
 * Blocks of a pcapng file: section header, interface description, enhanced packet, interface statistics.
 *
 * Floor 1. Little-endian, link type "raw IP" (each packet begins with its IP header), times in microseconds. It makes no
 * IP packets: those come from `ip.ts`. It writes only; reading is what Wireshark is for.
 *
 * ```text
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                          Block Type                           |
 * |                      Block Total Length                       |
 * |              Block Body, padded to 32 bits                    |
 * |                      Block Total Length                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 *
 * @see https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
 * @module
 */

/** What the first blocks of a file say about it. */
export interface PcapngDescription {
  /** Name of the program that writes. */
  readonly application: string;
  /** Name of the one interface. */
  readonly interfaceName: string;
  /** A remark about the whole file. */
  readonly comment?: string;
}

/** One packet of a file. */
export interface CapturedPacket {
  /** Unix milliseconds, with a fraction. */
  readonly unixMs: number;
  /** The whole IP packet. */
  readonly bytes: Uint8Array;
  /** Whether it was sent or came. */
  readonly direction: "in" | "out";
  /** A remark. */
  readonly comment?: string;
}

/** Link type of packets that begin with their IP header, version 4 or 6. */
export const LINKTYPE_RAW = 101;

/**
 * The blocks at the start of a file: Section Header Block (s4.1) and Interface Description Block (s4.2). Owned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const head = encodePcapngHead({ application: "test", interfaceName: "rtsp" });
 * assertEquals([...head.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a]);
 * assertEquals(head.length % 4, 0);
 * ```
 */
export function encodePcapngHead(description: PcapngDescription): Uint8Array<ArrayBuffer> {
  const { application, interfaceName, comment } = description;
  const section = encodeBlock(0x0a0d0d0a, 16, undefined, [
    ...textOption(OPTION_COMMENT, comment),
    ...textOption(4, application), // shb_userappl
  ], (view) => {
    view.setUint32(0, 0x1a2b3c4d, true); // byte-order magic
    view.setUint16(4, 1, true); // version 1.0
    view.setBigInt64(8, -1n, true); // length of the section: not told
  });
  const interfaceBlock = encodeBlock(1, 8, undefined, [
    ...textOption(2, interfaceName), // if_name
    { code: 9, value: Uint8Array.of(6) }, // if_tsresol: microseconds
  ], (view) => {
    view.setUint16(0, LINKTYPE_RAW, true);
    view.setUint32(4, 0, true); // no limit
  });
  const head = new Uint8Array(section.length + interfaceBlock.length);
  head.set(section);
  head.set(interfaceBlock, section.length);
  return head;
}

/** An Enhanced Packet Block (s4.3) for the one interface. Owned. */
export function encodePcapngPacket(packet: CapturedPacket): Uint8Array<ArrayBuffer> {
  const flags = new Uint8Array(4);
  flags[0] = packet.direction === "in" ? 1 : 2; // epb_flags, bits 0 and 1
  const options = [...textOption(OPTION_COMMENT, packet.comment), { code: 2, value: flags }];
  const { bytes } = packet;
  return encodeBlock(6, 20, bytes, options, (view) => {
    const microseconds = Math.round(packet.unixMs * 1000);
    view.setUint32(4, Math.floor(microseconds / 2 ** 32), true);
    view.setUint32(8, microseconds % 2 ** 32, true);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, bytes.length, true);
  });
}

/** An Interface Statistics Block (s4.6): how many packets there were, and how many are not in the file. Owned. */
export function encodePcapngStatistics(
  statistics: {
    readonly unixMs: number;
    readonly received: number;
    readonly dropped: number;
    readonly comment?: string;
  },
): Uint8Array<ArrayBuffer> {
  const options = [
    ...textOption(OPTION_COMMENT, statistics.comment),
    { code: 4, value: eightOctets(statistics.received) }, // isb_ifrecv
    { code: 5, value: eightOctets(statistics.dropped) }, // isb_ifdrop
  ];
  return encodeBlock(5, 12, undefined, options, (view) => {
    const microseconds = Math.round(statistics.unixMs * 1000);
    view.setUint32(4, Math.floor(microseconds / 2 ** 32), true);
    view.setUint32(8, microseconds % 2 ** 32, true);
  });
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

const OPTION_COMMENT = 1;
const OPTION_HEADER_SIZE = 4;
const BLOCK_OVERHEAD = 12;
const MAX_OPTION_BYTES = 65_535;

function textOption(code: number, text: string | undefined): Option[] {
  if (text === undefined || text === "") return [];
  return [{ code, value: new TextEncoder().encode(text).subarray(0, MAX_OPTION_BYTES) }];
}

function eightOctets(value: number): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, BigInt(value), true);
  return octets;
}

/** `writeFixed` fills the fixed fields; variable data, then options, then the end of options follow, each padded. */
function encodeBlock(
  type: number,
  fixedSize: number,
  data: Uint8Array | undefined,
  options: readonly Option[],
  writeFixed: (fixed: DataView) => void,
): Uint8Array<ArrayBuffer> {
  let size = BLOCK_OVERHEAD + fixedSize + padded(data?.length ?? 0);
  for (const { value } of options) size += OPTION_HEADER_SIZE + padded(value.length);
  if (options.length > 0) size += OPTION_HEADER_SIZE;
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  writeFixed(new DataView(block.buffer, 8, fixedSize));
  let offset = 8 + fixedSize;
  if (data !== undefined) block.set(data, offset);
  offset += padded(data?.length ?? 0);
  for (const { code, value } of options) {
    view.setUint16(offset, code, true);
    view.setUint16(offset + 2, value.length, true);
    block.set(value, offset + OPTION_HEADER_SIZE);
    offset += OPTION_HEADER_SIZE + padded(value.length);
  }
  view.setUint32(size - 4, size, true);
  return block;
}

function padded(size: number): number {
  return (size + 3) & ~3;
}
