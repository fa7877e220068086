/**
 * The JPEG headers that a receiver of RTP/JPEG puts before the scan, and how it reads the payload headers.
 * {@link https://www.rfc-editor.org/rfc/rfc2435#section-3.1 RFC 2435 s3.1},
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex B}.
 *
 * Floor 1: no memory; `depacketizer.ts` joins the packets.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { STANDARD_HUFFMAN_TABLES } from "../jpeg/tables.ts";

/** The headers of one packet's payload. */
export interface JpegPayloadHeaders {
  /** Octets of the scan before this packet. */
  readonly fragmentOffset: number;
  /** 0, 1, 64 or 65. */
  readonly type: number;
  /** 1 to 99 or 128 to 255. */
  readonly q: number;
  /** Pixels, a multiple of 8; 0 when the session description must say. */
  readonly width: number;
  /** Pixels, likewise. */
  readonly height: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** The tables sent with the first packet of a frame when `q` is above 127; empty when they must be known already. */
  readonly tables?: readonly QuantizationTable[];
  /** Octets of all these headers. */
  readonly size: number;
}

/** A table as it came: 64 octets, or 128 with 16 bits a step; a view of the packet. */
export interface QuantizationTable {
  /** Whether a step has two octets. */
  readonly is16Bit: boolean;
  /** Steps in zigzag order. */
  readonly steps: Uint8Array;
}

/** Why a payload is not RTP/JPEG. */
export type JpegPayloadHeaderFault =
  | "too-short"
  | "type"
  | "q"
  | "table-length";

/**
 * Reads the headers at the start of a payload.
 *
 * @throws {JpegFormatError} `code` is a {@linkcode JpegPayloadHeaderFault}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeJpegPayloadHeaders } from "./headers.ts";
 *
 * const headers = decodeJpegPayloadHeaders(new Uint8Array([0, 0, 5, 120, 1, 76, 40, 30, 7]));
 * assertEquals([headers.fragmentOffset, headers.q, headers.width, headers.size], [1400, 76, 320, 8]);
 * ```
 */
export function decodeJpegPayloadHeaders(payload: Uint8Array): JpegPayloadHeaders {
  const type = payload[4], q = payload[5];
  let size = type >= 64 ? 12 : 8;
  if (payload.length < size) {
    throw fault("too-short", 0, `${payload.length} octets, headers need ${size}`);
  }
  if (type !== 0 && type !== 1 && type !== 64 && type !== 65) {
    throw fault("type", 4, `type is ${type}, wanted 0, 1, 64 or 65`);
  }
  if (q === 0 || (q >= 100 && q < 128)) {
    throw fault("q", 5, `Q is ${q}, wanted 1 to 99 or 128 to 255`);
  }
  const fragmentOffset = payload[1] << 16 | payload[2] << 8 | payload[3];
  const headers = {
    fragmentOffset,
    type,
    q,
    width: payload[6] * 8,
    height: payload[7] * 8,
    restartInterval: type >= 64 ? payload[8] << 8 | payload[9] : 0,
    size,
  };
  if (q < 128 || fragmentOffset > 0) return headers;
  const tables = decodeTables(payload, size);
  for (const { steps } of tables) size += steps.length;
  return { ...headers, tables, size: size + 4 };
}

function decodeTables(payload: Uint8Array, at: number): QuantizationTable[] {
  if (payload.length < at + 4) {
    throw fault("too-short", at, `${payload.length} octets, headers need ${at + 4}`);
  }
  const precision = payload[at + 1], length = payload[at + 2] << 8 | payload[at + 3];
  const end = at + 4 + length;
  if (end > payload.length) {
    throw fault("table-length", at + 2, `tables end at ${end}, the payload at ${payload.length}`);
  }
  const tables: QuantizationTable[] = [];
  for (let from = at + 4; from < end;) {
    // Bit 0 belongs to the first table. Some say 16 bits and send 8: what the length leaves room for is right.
    const is16Bit = (precision >> tables.length & 1) === 1 && from + 128 <= end;
    const next = from + (is16Bit ? 128 : 64);
    if (next > end) {
      throw fault("table-length", at + 2, `tables of ${length} octets, wanted a multiple of 64`);
    }
    tables.push({ is16Bit, steps: payload.subarray(from, next) });
    from = next;
  }
  return tables;
}

/** What {@linkcode encodeJfifHeaders} needs to know. */
export interface JfifDescription {
  /** 0 or 1, plus 64 or not. */
  readonly type: number;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** For luma and for chroma; one for both when there is only one. At least one. */
  readonly tables: readonly QuantizationTable[];
}

/**
 * SOI, APP0, DQT, DRI, SOF, DHT and SOS of a picture (owned): everything that stands before the scan.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeJfifHeaders } from "./headers.ts";
 *
 * const table = { is16Bit: false, steps: new Uint8Array(64).fill(1) };
 * const headers = encodeJfifHeaders({
 *   type: 1, width: 320, height: 240, restartInterval: 0, tables: [table],
 * });
 * assertEquals([...headers.subarray(0, 4)], [0xff, 0xd8, 0xff, 0xe0]);
 * assertEquals(headers.length, 2 + 18 + 69 + 19 + 420 + 14);
 * ```
 */
export function encodeJfifHeaders(picture: JfifDescription): Uint8Array {
  const { width, height, restartInterval } = picture;
  const tables = picture.tables.slice(0, 2);
  const chromaTable = tables.length - 1;
  const is16Bit = tables.some((table) => table.is16Bit);
  const verticalFactor = picture.type & 1 ? 2 : 1;
  const parts = [
    [0xff, 0xd8],
    // JFIF 1.2, square pixels, no thumbnail.
    [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 2, 0, 0, 1, 0, 1, 0, 0],
    ...tables.flatMap((table, slot) => [
      [0xff, 0xdb, 0, 3 + table.steps.length, (table.is16Bit ? 0x10 : 0) | slot],
      table.steps,
    ]),
    ...(restartInterval > 0
      ? [[0xff, 0xdd, 0, 4, restartInterval >> 8, restartInterval & 0xff]]
      : []),
    // Baseline allows 8-bit tables only, so a picture with larger ones is extended sequential.
    [
      0xff,
      is16Bit ? 0xc1 : 0xc0,
      0,
      17,
      8,
      height >> 8,
      height & 0xff,
      width >> 8,
      width & 0xff,
      3,
    ],
    [...[1, 0x20 | verticalFactor, 0], ...[2, 0x11, chromaTable], ...[3, 0x11, chromaTable]],
    STANDARD_HUFFMAN_TABLES,
    [0xff, 0xda, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0],
  ];
  const headers = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    headers.set(part, at);
    at += part.length;
  }
  return headers;
}

function fault(
  code: JpegPayloadHeaderFault,
  offset: number,
  why: string,
): JpegFormatError<JpegPayloadHeaderFault> {
  return new JpegFormatError(`Cannot read RTP/JPEG payload: ${why}`, {
    code,
    offset,
    rfc: "RFC 2435 s3.1",
  });
}
