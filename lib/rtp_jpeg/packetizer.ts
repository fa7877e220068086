/**
 * RTP payload format for JPEG, the sending side: what RFC 2435 needs to know of a picture, and its packets.
 * {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435}.
 *
 * Floor 1, built on `rtp.ts` and `jpeg.ts`. It changes no octet of the entropy-coded data: pictures that need more
 * than a change of headers are refused with the reason. The receiving side is `depacketizer.ts`.
 *
 * ```text
 * Main header, in every packet (s3.1)
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * | Type-specific |              Fragment Offset                  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      Type     |       Q       |     Width     |     Height    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Restart marker header, after it when the type is 64 to 127 (s3.1.7)
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |       Restart Interval        |F|L|       Restart Count       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Quantization table header, after them in the first packet when Q is 128 to 255 (s3.1.8)
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      MBZ      |   Precision   |             Length            |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                    Quantization Table Data                    |
 * |                              ...                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { codingName, type JpegImage, matchStandardQuality, parseJpeg } from "../jpeg.ts";
import { type PacketBatch, RTP_HEADER_SIZE } from "../rtp.ts";

/** Everything RFC 2435 says about one picture, and its entropy-coded scan. */
export interface JpegPayload {
  /** 0 (4:2:2) or 1 (4:2:0), plus 64 with restart markers. */
  readonly type: number;
  /** 1 to 99 for the standard tables of that quality, 255 for tables in band. */
  readonly q: number;
  /** Pixels, as in the picture. RFC 2435 counts in units of 8, and says 0 above {@linkcode LARGEST_SIDE}. */
  readonly width: number;
  /** Pixels, likewise. */
  readonly height: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** 128 octets, luma then chroma, zigzag order; present when `q` is 255. */
  readonly quantizationTables?: Uint8Array;
  /** Entropy-coded data: a view of the picture, borrowed. */
  readonly scan: Uint8Array;
}

/** Why RFC 2435 cannot carry a picture as it is; the codes of `jpeg.ts` come besides. */
export type JpegPayloadFault =
  | "unsupported-coding"
  | "unsupported-precision"
  | "unsupported-components"
  | "unsupported-sampling"
  | "several-scans"
  | "custom-huffman-tables"
  | "scan-empty"
  | "unsupported-quantization-tables"
  | "scan-too-large";

/** Pixels of the largest width or height that a payload header can say; larger ones are said by the SDP. */
export const LARGEST_SIDE = 2040;
/** Octets of an RTP packet when nothing else is said: room for IP, UDP and a tunnel in 1,500. */
export const DEFAULT_PACKET_SIZE = 1400;
/** Octets of the smallest packets that {@linkcode packetizeJpeg} makes: all headers and some data. */
export const SMALLEST_PACKET_SIZE = 160;

/**
 * What RFC 2435 needs to carry `jpeg` without touching its entropy-coded data.
 *
 * Component identifiers, 16-bit tables whose steps fit 8 bits, one table for all components, tables in any slot, extended
 * sequential pictures that baseline could say, missing Huffman tables and APPn segments are only headers: they are
 * mapped and nothing is lost. A restart interval that no scan reaches is left out.
 *
 * @throws {JpegFormatError} with the reason in words for a person: a {@linkcode JpegPayloadFault}, or a fault of `jpeg.ts`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeJpegPayload } from "./packetizer.ts";
 *
 * const payload = describeJpegPayload(Deno.readFileSync("media/video.mjpeg").subarray(5));
 * assertEquals([payload.type, payload.q, payload.width, payload.height], [1, 76, 320, 240]);
 * ```
 */
export function describeJpegPayload(jpeg: Uint8Array): JpegPayload {
  const image = parseJpeg(jpeg);
  checkCoding(image);
  const [scan] = image.scans;
  const type = subsamplingType(image);
  const tables = tablePair(image);
  const q = matchStandardQuality(tables.subarray(0, 64), tables.subarray(64));
  const restartInterval = image.restartInterval < mcuCount(image, type) ? image.restartInterval : 0;
  return {
    type: type + (restartInterval > 0 ? 64 : 0),
    q: q ?? 255,
    width: image.width,
    height: image.height,
    restartInterval,
    ...(q === undefined ? { quantizationTables: tables } : {}),
    scan: jpeg.subarray(scan.start, sendableEnd(jpeg, image)),
  };
}

/** How {@linkcode packetizeJpeg} cuts. */
export interface PacketizeJpegOptions {
  /** 0 to 127; 26, or what the session description says. */
  readonly payloadType: number;
  /** Octets of an RTP packet, headers included; at least {@linkcode SMALLEST_PACKET_SIZE}. @default {1400} */
  readonly maxPacketSize?: number;
}

/**
 * Cuts a picture into packets. All but the last have exactly `maxPacketSize` octets; the last carries the marker bit;
 * sequence numbers start at 0 and wait, like timestamp and SSRC, to be stamped.
 *
 * @throws {JpegFormatError} `scan-too-large` above 2^24 octets, which no fragment offset reaches.
 * @throws {RangeError} when `maxPacketSize` is below {@linkcode SMALLEST_PACKET_SIZE}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp, packetAt } from "../rtp.ts";
 * import { JpegDepacketizer } from "./depacketizer.ts";
 * import { describeJpegPayload, packetizeJpeg } from "./packetizer.ts";
 *
 * const payload = describeJpegPayload(Deno.readFileSync("media/video.mjpeg").subarray(5));
 * const batch = packetizeJpeg(payload, { payloadType: 26 });
 * const depacketizer = new JpegDepacketizer();
 * for (let i = 0; i < batch.packetCount; i++) {
 *   const frame = depacketizer.push(decodeRtp(packetAt(batch, i)), 0);
 *   assertEquals(frame?.width, i === batch.packetCount - 1 ? 320 : undefined);
 * }
 * ```
 */
export function packetizeJpeg(payload: JpegPayload, options: PacketizeJpegOptions): PacketBatch {
  const packetSize = options.maxPacketSize ?? DEFAULT_PACKET_SIZE;
  if (packetSize < SMALLEST_PACKET_SIZE) {
    throw new RangeError(
      `Cannot packetize JPEG: packets of ${packetSize} octets, wanted at least ${SMALLEST_PACKET_SIZE}`,
    );
  }
  const { scan, quantizationTables } = payload;
  checkScanSize(scan.length);
  const headerSize = RTP_HEADER_SIZE + MAIN_HEADER_SIZE + (payload.type >= 64 ? 4 : 0);
  const tablesSize = quantizationTables === undefined ? 0 : 4 + quantizationTables.length;
  const room = packetSize - headerSize;
  const packetCount = Math.max(1, Math.ceil((scan.length + tablesSize) / room));
  const bytes = new Uint8Array(packetCount * headerSize + tablesSize + scan.length);
  for (let i = 0, sent = 0; i < packetCount; i++) {
    const start = i * packetSize;
    writeHeaders(bytes, start, {
      payload,
      payloadType: options.payloadType,
      index: i,
      offset: sent,
    });
    let at = start + headerSize;
    if (i === 0 && quantizationTables !== undefined) {
      at = writeTables(bytes, at, quantizationTables);
    }
    const next = Math.min(scan.length, sent + start + packetSize - at);
    bytes.set(scan.subarray(sent, next), at);
    sent = next;
  }
  bytes[(packetCount - 1) * packetSize + 1] |= 0x80;
  const payloadSize = bytes.length - packetCount * RTP_HEADER_SIZE;
  return { bytes, packetSize, packetCount, payloadSize };
}

const MAIN_HEADER_SIZE = 8;
/** F, L and a count of 0x3FFF: the picture need not be whole intervals a packet (RFC 2435 s3.1.7). */
const WHOLE_FRAME_RESTART_COUNT = 0xffff;

interface PacketPlace {
  readonly payload: JpegPayload;
  readonly payloadType: number;
  readonly index: number;
  readonly offset: number;
}

function writeHeaders(bytes: Uint8Array, start: number, place: PacketPlace): void {
  const { payload, payloadType, index, offset } = place;
  bytes[start] = 0x80;
  bytes[start + 1] = payloadType;
  bytes[start + 2] = index >> 8;
  bytes[start + 3] = index;
  const at = start + RTP_HEADER_SIZE;
  bytes[at + 1] = offset >> 16;
  bytes[at + 2] = offset >> 8;
  bytes[at + 3] = offset;
  bytes[at + 4] = payload.type;
  bytes[at + 5] = payload.q;
  bytes[at + 6] = sideInHeader(payload.width);
  bytes[at + 7] = sideInHeader(payload.height);
  if (payload.type < 64) return;
  bytes[at + 8] = payload.restartInterval >> 8;
  bytes[at + 9] = payload.restartInterval;
  bytes[at + 10] = WHOLE_FRAME_RESTART_COUNT >> 8;
  bytes[at + 11] = WHOLE_FRAME_RESTART_COUNT & 0xff;
}

function writeTables(bytes: Uint8Array, at: number, tables: Uint8Array): number {
  bytes[at + 2] = tables.length >> 8;
  bytes[at + 3] = tables.length;
  bytes.set(tables, at + 4);
  return at + 4 + tables.length;
}

/** Units of 8 pixels, rounded up: a decoder shows up to 7 more, and the session description says how many are real. */
function sideInHeader(pixels: number): number {
  return pixels > LARGEST_SIDE ? 0 : Math.ceil(pixels / 8);
}

function checkScanSize(size: number): void {
  if (size < 1 << 24) return;
  throw unfit(
    "scan-too-large",
    `its scan has ${size} octets, at most ${(1 << 24) - 1} can be counted`,
  );
}

function checkCoding(image: JpegImage): void {
  const { frameType, precision, components, scans } = image;
  if (frameType > 0xc1) {
    throw unfit("unsupported-coding", `it is ${codingName(frameType)}, not baseline`);
  }
  if (precision !== 8) {
    throw unfit("unsupported-precision", `its samples have ${precision} bits, wanted 8`);
  }
  if (components.length !== 3) {
    const kind = components.length === 1 ? "it is grey" : `it has ${components.length} components`;
    throw unfit("unsupported-components", `${kind}, wanted 3 components (Y, Cb, Cr)`);
  }
  if (scans.length !== 1 || scans[0].components.length !== 3) {
    throw unfit("several-scans", `its components come in ${scans.length} scans, wanted one`);
  }
  if (scans[0].start === scans[0].end) throw unfit("scan-empty", "its scan is empty");
  if (image.huffmanTables === "custom") {
    throw unfit(
      "custom-huffman-tables",
      "it has Huffman tables of its own, wanted the standard ones",
    );
  }
}

/** Type 0 is 4:2:2, type 1 is 4:2:0 (RFC 2435 s4.1). */
function subsamplingType(image: JpegImage): 0 | 1 {
  const factors = image.components.map(({ h, v }) => `${h}x${v}`).join(",");
  if (factors === "2x1,1x1,1x1") return 0;
  if (factors === "2x2,1x1,1x1") return 1;
  const name = SUBSAMPLING_NAMES[factors] ?? `subsampled ${factors}`;
  throw unfit("unsupported-sampling", `it is ${name}, wanted 4:2:0 or 4:2:2`);
}

const SUBSAMPLING_NAMES: Record<string, string> = {
  "1x1,1x1,1x1": "4:4:4",
  "2x2,2x2,2x2": "4:4:4",
  "1x2,1x1,1x1": "4:4:0",
  "4x1,1x1,1x1": "4:1:1",
  "2x2,2x1,2x1": "4:4:0 in another notation",
  "2x2,1x2,1x2": "4:2:2 in another notation",
};

function mcuCount(image: JpegImage, type: 0 | 1): number {
  return Math.ceil(image.width / 16) * Math.ceil(image.height / (type === 0 ? 8 : 16));
}

/** Luma and chroma tables behind one another, 8 bits a step. */
function tablePair(image: JpegImage): Uint8Array {
  const [y, cb, cr] = image.components.map(({ quantizationTable }) =>
    eightBitTable(image, quantizationTable)
  );
  if (cb.some((step, i) => step !== cr[i])) {
    throw unfit("unsupported-quantization-tables", "Cb and Cr have different quantization tables");
  }
  const pair = new Uint8Array(128);
  pair.set(y);
  pair.set(cb, 64);
  return pair;
}

function eightBitTable(image: JpegImage, slot: number): ArrayLike<number> & Pick<number[], "some"> {
  const table: ArrayLike<number> | undefined = image.quantizationTables[slot];
  if (table === undefined) {
    throw unfit("unsupported-quantization-tables", `quantization table ${slot} is missing`);
  }
  const steps = Array.from(table), largest = Math.max(...steps);
  if (largest <= 255) return steps;
  throw unfit(
    "unsupported-quantization-tables",
    `it has a quantization step of ${largest}, wanted at most 255`,
  );
}

/**
 * Where the data to send ends. EOI is left out, since receivers add it, unless the data ends in an octet that makes a
 * check copied among several receivers (`end[0] != 0xFF && end[1] != 0xD9`) believe that EOI is there.
 */
function sendableEnd(jpeg: Uint8Array, image: JpegImage): number {
  const { scanEnd } = image;
  const looksLikeEnd = jpeg[scanEnd - 2] === 0xff || jpeg[scanEnd - 1] === 0xd9;
  return looksLikeEnd && image.hasEndOfImage && image.end === scanEnd + 2 ? image.end : scanEnd;
}

function unfit(code: JpegPayloadFault, reason: string): JpegFormatError<JpegPayloadFault> {
  return new JpegFormatError(`Cannot send JPEG as RTP/JPEG: ${reason}`, {
    code,
    offset: 0,
    rfc: "RFC 2435 s3.1, s4.1",
  });
}
