/**
 * Reading a datagram of RTCP packets.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6 RFC 3550 s6}, reduced size
 * {@link https://www.rfc-editor.org/rfc/rfc5506 RFC 5506}, told apart from RTP by
 * {@link https://www.rfc-editor.org/rfc/rfc5761#section-4 RFC 5761 s4}.
 *
 * Floor 1: imports errors; the packets are in `rtcp_packet.ts`, writing in `rtcp_encoding.ts`, time in `ntp_time.ts`, all
 * exported from here. Does not know when a report is due: that is `engine/rtcp_interval.ts`.
 *
 * The reader is lenient: the first packet may be of any type, and unknown types are kept. The writer is strict: see
 * {@linkcode encodeRtcpInto}.
 *
 * @module
 */
import { RtcpFormatError } from "./errors.ts";
import {
  type ApplicationDefined,
  type Goodbye,
  type ReceiverReport,
  type ReportBlock,
  RTCP_PACKET_TYPE,
  type RtcpPacket,
  type SdesChunk,
  type SdesItem,
  type SenderReport,
  type SourceDescription,
} from "./rtcp_packet.ts";

export { compactNtp, ntpFromUnixMs, type NtpTimestamp, unixMsFromNtp } from "./ntp_time.ts";
export {
  encodedRtcpSize,
  encodeRtcp,
  encodeRtcpInto,
  type RtcpEncodeOptions,
} from "./rtcp_encoding.ts";
export {
  type ApplicationDefined,
  type Goodbye,
  type ReceiverReport,
  type ReportBlock,
  RTCP_PACKET_TYPE,
  type RtcpPacket,
  SDES_ITEM_TYPE,
  type SdesChunk,
  type SdesItem,
  type SenderReport,
  type SourceDescription,
  type UnknownRtcp,
} from "./rtcp_packet.ts";

/** Why bytes are no RTCP datagram. */
export type RtcpFault =
  | "too-short"
  | "version"
  | "length"
  | "padding"
  | "report-blocks"
  | "sdes"
  | "bye"
  | "app";

/**
 * Tells RTCP from RTP where both arrive on one port or channel: packet types 192 to 223 (RFC 5761 s4). Looks at the
 * first two octets only.
 */
export function isRtcp(data: Uint8Array): boolean {
  return data.length >= 4 && data[0] >> 6 === 2 && data[1] >= 192 && data[1] <= 223;
}

/**
 * Reads one datagram of RTCP packets, compound or of reduced size. All packets must be sound, or none is returned;
 * unknown types are returned as {@linkcode UnknownRtcp}. Padding is removed.
 *
 * @throws {RtcpFormatError} `code` is an {@linkcode RtcpFault}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtcp } from "./rtcp.ts";
 *
 * const [goodbye] = decodeRtcp(new Uint8Array([0x81, 203, 0, 1, 0, 0, 0, 7]));
 * assertEquals(goodbye, { type: "BYE", ssrcs: [7] });
 * ```
 */
export function decodeRtcp(datagram: Uint8Array): RtcpPacket[] {
  if (datagram.length < 4) {
    throw fault("too-short", 0, "s6.1", `${datagram.length} bytes, header needs 4`);
  }
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const packets: RtcpPacket[] = [];
  for (let start = 0; start < datagram.length;) {
    const end = packetEnd(view, start);
    const content = contentEnd(view, start, end);
    packets.push(decodePacket(datagram, view, start, content));
    start = end;
  }
  return packets;
}

/** Where the packet that begins at `start` ends, by its length field. */
function packetEnd(view: DataView, start: number): number {
  const left = view.byteLength - start;
  if (left < 4) throw fault("length", start, "s6.4.1", `${left} bytes left, header needs 4`);
  const version = view.getUint8(start) >> 6;
  if (version !== 2) throw fault("version", start, "s6.4.1", `version is ${version}, wanted 2`);
  const size = (view.getUint16(start + 2) + 1) * 4;
  if (size > left) {
    throw fault("length", start + 2, "s6.4.1", `${left} bytes left, length says ${size}`);
  }
  return start + size;
}

/** Where the packet's content ends: before its padding, which only the last packet of a datagram may have. */
function contentEnd(view: DataView, start: number, end: number): number {
  if ((view.getUint8(start) & 0x20) === 0) return end;
  if (end !== view.byteLength) {
    throw fault("padding", start, "s6.4.1", "padding before the last packet");
  }
  const padding = view.getUint8(end - 1);
  if (padding === 0 || padding % 4 !== 0 || padding > end - start - 4) {
    const room = end - start - 4;
    throw fault(
      "padding",
      end - 1,
      "s6.4.1",
      `padding of ${padding} bytes, wanted 4 to ${room} in steps of 4`,
    );
  }
  return end - padding;
}

function decodePacket(data: Uint8Array, view: DataView, start: number, end: number): RtcpPacket {
  const count = view.getUint8(start) & 0x1f;
  const packetType = view.getUint8(start + 1);
  switch (packetType) {
    case RTCP_PACKET_TYPE.SR:
      return decodeSenderReport(data, view, start, end, count);
    case RTCP_PACKET_TYPE.RR:
      return decodeReceiverReport(data, view, start, end, count);
    case RTCP_PACKET_TYPE.SDES:
      return decodeSourceDescription(data, view, start, end, count);
    case RTCP_PACKET_TYPE.BYE:
      return decodeGoodbye(data, view, start, end, count);
    case RTCP_PACKET_TYPE.APP:
      return decodeApplicationDefined(data, view, start, end, count);
    default:
      return { type: "unknown", packetType, count, body: data.subarray(start + 4, end) };
  }
}

function decodeSenderReport(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): SenderReport {
  const blocks = start + 28;
  needBlocks("SR", start, blocks + 24 * count, end);
  const report = {
    type: "SR" as const,
    ssrc: view.getUint32(start + 4),
    ntp: { seconds: view.getUint32(start + 8), fraction: view.getUint32(start + 12) },
    rtpTimestamp: view.getUint32(start + 16),
    packetCount: view.getUint32(start + 20),
    octetCount: view.getUint32(start + 24),
    reports: decodeReportBlocks(view, blocks, count),
  };
  const rest = data.subarray(blocks + 24 * count, end);
  return rest.length === 0 ? report : { ...report, profileExtension: rest };
}

function decodeReceiverReport(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): ReceiverReport {
  const blocks = start + 8;
  needBlocks("RR", start, blocks + 24 * count, end);
  const report = {
    type: "RR" as const,
    ssrc: view.getUint32(start + 4),
    reports: decodeReportBlocks(view, blocks, count),
  };
  const rest = data.subarray(blocks + 24 * count, end);
  return rest.length === 0 ? report : { ...report, profileExtension: rest };
}

function needBlocks(type: string, start: number, needed: number, end: number): void {
  if (needed <= end) return;
  throw fault(
    "report-blocks",
    start,
    "s6.4.1",
    `${type} of ${end - start} bytes, its report blocks need ${needed - start}`,
  );
}

function decodeReportBlocks(view: DataView, start: number, count: number): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  for (let i = 0, offset = start; i < count; i++, offset += 24) {
    const word = view.getInt32(offset + 4);
    blocks.push({
      ssrc: view.getUint32(offset),
      fractionLost: word >>> 24,
      cumulativeLost: word << 8 >> 8,
      extendedHighestSequenceNumber: view.getUint32(offset + 8),
      interarrivalJitter: view.getUint32(offset + 12),
      lastSr: view.getUint32(offset + 16),
      delaySinceLastSr: view.getUint32(offset + 20),
    });
  }
  return blocks;
}

function decodeSourceDescription(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): SourceDescription {
  const chunks: SdesChunk[] = [];
  let offset = start + 4;
  for (let i = 0; i < count; i++) {
    if (offset + 4 > end) {
      throw fault(
        "sdes",
        offset,
        "s6.5",
        `${end - offset} bytes left for chunk ${i + 1} of ${count}`,
      );
    }
    const ssrc = view.getUint32(offset);
    const items: SdesItem[] = [];
    offset += 4;
    // A chunk ends with at least one null octet; some peers leave it out where the items fill the last word exactly.
    while (offset < end && data[offset] !== 0) {
      const size = offset + 1 < end ? data[offset + 1] : 0;
      if (offset + 2 + size > end) {
        throw fault("sdes", offset, "s6.5", `${end - offset} bytes left, item needs ${2 + size}`);
      }
      items.push({ itemType: data[offset], text: decodeText(data, offset + 2, size) });
      offset += 2 + size;
    }
    if (offset < end) offset = start + (((offset - start) >> 2) + 1) * 4;
    chunks.push({ ssrc, items });
  }
  return { type: "SDES", chunks };
}

function decodeGoodbye(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): Goodbye {
  const reasonStart = start + 4 + 4 * count;
  if (reasonStart > end) {
    throw fault(
      "bye",
      start,
      "s6.6",
      `${end - start} bytes, ${count} sources need ${reasonStart - start}`,
    );
  }
  const ssrcs: number[] = [];
  for (let i = 0; i < count; i++) ssrcs.push(view.getUint32(start + 4 + 4 * i));
  if (reasonStart === end) return { type: "BYE", ssrcs };
  const size = data[reasonStart];
  if (reasonStart + 1 + size > end) {
    throw fault(
      "bye",
      reasonStart,
      "s6.6",
      `${end - reasonStart} bytes left, reason needs ${1 + size}`,
    );
  }
  return { type: "BYE", ssrcs, reason: decodeText(data, reasonStart + 1, size) };
}

function decodeApplicationDefined(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): ApplicationDefined {
  if (end - start < 12) throw fault("app", start, "s6.7", `${end - start} bytes, APP needs 12`);
  return {
    type: "APP",
    subtype: count,
    ssrc: view.getUint32(start + 4),
    name: String.fromCharCode(...data.subarray(start + 8, start + 12)),
    data: data.subarray(start + 12, end),
  };
}

/** Text of at most 255 octets; see {@linkcode SdesItem.text} for what is no UTF-8. */
function decodeText(data: Uint8Array, start: number, size: number): string {
  const text = TEXT_DECODER.decode(data.subarray(start, start + size));
  if (text.length * 3 <= 255) return text;
  const { read } = TEXT_ENCODER.encodeInto(text, TEXT_BUFFER);
  return read === text.length ? text : text.slice(0, read);
}

const TEXT_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
const TEXT_ENCODER = new TextEncoder();
/** As long as a text can be on the wire; only ever written to find out how much fits. */
const TEXT_BUFFER = new Uint8Array(255);

function fault(
  code: RtcpFault,
  offset: number,
  section: string,
  why: string,
): RtcpFormatError<RtcpFault> {
  return new RtcpFormatError(`Cannot decode RTCP packet: ${why}`, {
    code,
    offset,
    rfc: `RFC 3550 ${section}`,
  });
}
