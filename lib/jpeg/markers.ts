/**
 * JPEG pictures, as far as their markers say: size, components, tables, where the entropy-coded data stands.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex B}.
 *
 * Floor 1. It decodes no coefficient (`scan_recoder.ts` re-codes them) and builds no picture.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { type HuffmanSpecification, sameHuffmanTable } from "./huffman_table.ts";
import { STANDARD_HUFFMAN } from "./tables.ts";
import type {
  JpegColorSpace,
  JpegComponent,
  JpegFault,
  JpegImage,
  JpegScan,
  JpegScanComponent,
} from "./image.ts";

/**
 * Reads the markers of the picture that `data` starts with; what follows its EOI is left alone, and a missing EOI is
 * no fault. Tables are copies where their octets matter later, views of `data` never.
 *
 * @throws {JpegFormatError} `code` is a {@linkcode JpegFault}, `offset` counts from the start of `data`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJpeg } from "./markers.ts";
 *
 * const picture = parseJpeg(Deno.readFileSync("media/video.mjpeg").subarray(5));
 * assertEquals([picture.width, picture.height, picture.components[0].h], [320, 240, 2]);
 * assertEquals([picture.huffmanTables, picture.hasEndOfImage], ["standard", true]);
 * ```
 */
export function parseJpeg(data: Uint8Array): JpegImage {
  const reader = new MarkerReader(data);
  while (reader.readSegment());
  return reader.finish();
}

/**
 * Size in pixels as the frame header says, or undefined when `data` holds no frame header. Reads no further than that.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readJpegSize } from "./markers.ts";
 *
 * const head = [0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 240, 1, 64, 1, 1, 0x11, 0];
 * assertEquals(readJpegSize(new Uint8Array(head)), { width: 320, height: 240 });
 * ```
 */
export function readJpegSize(data: Uint8Array): { width: number; height: number } | undefined {
  try {
    const reader = new MarkerReader(data);
    while (reader.size === undefined && reader.readSegment());
    return reader.size;
  } catch (error) {
    if (error instanceof JpegFormatError) return undefined;
    throw error;
  }
}

interface FrameHeader {
  readonly type: number;
  readonly precision: number;
  readonly width: number;
  height: number;
  readonly components: readonly JpegComponent[];
  readonly offset: number;
}

class MarkerReader {
  readonly #data: Uint8Array;
  #at = 2;
  #frame: FrameHeader | undefined;
  readonly #quantization: (Uint8Array | Uint16Array | undefined)[] = Array(4).fill(undefined);
  readonly #dc: (HuffmanSpecification | undefined)[] = Array(4).fill(undefined);
  readonly #ac: (HuffmanSpecification | undefined)[] = Array(4).fill(undefined);
  #hasHuffmanTables = false;
  #restartInterval = 0;
  readonly #scans: JpegScan[] = [];
  #end = 0;
  #hasEndOfImage = false;
  #applicationBytes = 0;
  #commentBytes = 0;
  #hasJfifSegment = false;
  #adobeTransform: number | undefined;

  constructor(data: Uint8Array) {
    this.#data = data;
    if (data[0] === 0xff && data[1] === 0xd8) return;
    throw fault("no-start-of-image", 0, `${data.length} octets that do not start with FF D8`);
  }

  get size(): { width: number; height: number } | undefined {
    const frame = this.#frame;
    return frame === undefined ? undefined : { width: frame.width, height: frame.height };
  }

  /** Reads one segment; false when the picture has ended. */
  readSegment(): boolean {
    const data = this.#data;
    let at = data.indexOf(0xff, this.#at);
    while (at >= 0 && (data[at + 1] === 0xff || data[at + 1] === 0x00)) {
      at = data.indexOf(0xff, at + (data[at + 1] === 0xff ? 1 : 2));
    }
    if (at < 0 || at + 1 >= data.length) return this.#endWithoutMarker();
    const code = data[at + 1];
    if (code === 0xd9) {
      this.#end = at + 2;
      this.#hasEndOfImage = true;
      return false;
    }
    if (code === 0x01 || (code >= 0xd0 && code <= 0xd7)) {
      this.#at = at + 2;
      return true;
    }
    if (code === 0xd8) {
      if (this.#scans.length > 0) return this.#endWithoutMarker();
      throw fault("unexpected-marker", at, "a second SOI before any scan");
    }
    const end = this.#segmentEnd(at);
    this.#at = end;
    this.#readBody(code, at, end);
    return true;
  }

  finish(): JpegImage {
    const frame = this.#frame, scans = this.#scans;
    if (frame === undefined) throw fault("no-frame-header", this.#end, "no frame header");
    if (scans.length === 0) throw fault("no-scan", this.#end, "no scan");
    if (frame.height === 0) {
      throw fault("frame-header", frame.offset, "height is 0, wanted 1 to 65535");
    }
    return {
      width: frame.width,
      height: frame.height,
      precision: frame.precision,
      frameType: frame.type,
      components: frame.components,
      colorSpace: this.#colorSpace(frame.components),
      hasAdobeSegment: this.#adobeTransform !== undefined,
      quantizationTables: this.#quantization,
      huffmanTables: this.#huffmanKind(),
      restartInterval: scans[0].restartInterval,
      scans,
      scanStart: scans[0].start,
      scanEnd: scans[scans.length - 1].end,
      end: this.#end,
      hasEndOfImage: this.#hasEndOfImage,
      applicationBytes: this.#applicationBytes,
      commentBytes: this.#commentBytes,
    };
  }

  #endWithoutMarker(): false {
    const last = this.#scans[this.#scans.length - 1];
    if (last === undefined) {
      const what = this.#frame === undefined ? "no frame header" : "no scan";
      throw fault("truncated", this.#data.length, `${this.#data.length} octets hold ${what}`);
    }
    this.#end = last.end;
    return false;
  }

  #segmentEnd(at: number): number {
    const data = this.#data;
    if (at + 4 > data.length) {
      throw fault("truncated", at, `${data.length} octets, the segment at ${at} needs ${at + 4}`);
    }
    const length = data[at + 2] << 8 | data[at + 3];
    if (length < 2) {
      throw fault("segment-length", at + 2, `segment length is ${length}, wanted at least 2`);
    }
    const end = at + 2 + length;
    if (end <= data.length) return end;
    throw fault("truncated", at, `${data.length} octets, the segment at ${at} needs ${end}`);
  }

  #readBody(code: number, at: number, end: number): void {
    if (code === 0xdb) this.#readQuantizationTables(at + 4, end);
    else if (code === 0xc4) this.#readHuffmanTables(at + 4, end);
    else if (code === 0xdd) this.#restartInterval = this.#readUint16(at, end, "restart interval");
    else if (code === 0xdc) this.#readLineCount(at, end);
    else if (code === 0xda) this.#readScan(at, end);
    else if (code >= 0xe0 && code <= 0xef) this.#readApplicationSegment(code, at, end);
    else if (code === 0xfe) this.#commentBytes += end - at;
    else if (code >= 0xc0 && code <= 0xcf && code !== 0xc8 && code !== 0xcc) {
      this.#readFrameHeader(code, at, end);
    }
  }

  #readUint16(at: number, end: number, name: string): number {
    if (end - at < 6) {
      throw fault("segment-length", at + 2, `${end - at - 2} octets of ${name}, wanted 4`);
    }
    return this.#data[at + 4] << 8 | this.#data[at + 5];
  }

  #readLineCount(at: number, end: number): void {
    const lines = this.#readUint16(at, end, "line count");
    if (this.#frame?.height === 0) this.#frame.height = lines;
  }

  #readApplicationSegment(code: number, at: number, end: number): void {
    this.#applicationBytes += end - at;
    if (code === 0xe0 && this.#startsWith("JFIF\0", at + 4, end)) this.#hasJfifSegment = true;
    if (code === 0xee && end - at >= 16 && this.#startsWith("Adobe", at + 4, end)) {
      this.#adobeTransform = this.#data[at + 15];
    }
  }

  #startsWith(text: string, at: number, end: number): boolean {
    if (at + text.length > end) return false;
    for (let i = 0; i < text.length; i++) {
      if (this.#data[at + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #colorSpace(components: readonly JpegComponent[]): JpegColorSpace {
    if (components.length === 1) return "grey";
    if (components.length === 4) return this.#adobeTransform === 2 ? "YCCK" : "CMYK";
    if (components.length !== 3) return "unknown";
    if (this.#hasJfifSegment) return "YCbCr";
    if (this.#adobeTransform !== undefined) return this.#adobeTransform === 0 ? "RGB" : "YCbCr";
    return String.fromCharCode(...components.map(({ id }) => id)) === "RGB" ? "RGB" : "YCbCr";
  }

  #readQuantizationTables(from: number, end: number): void {
    const data = this.#data;
    for (let at = from; at < end;) {
      const is16Bit = data[at] >> 4, slot = data[at] & 15;
      if (is16Bit > 1 || slot > 3) {
        throw fault(
          "quantization-table",
          at,
          `table octet 0x${data[at].toString(16)}, wanted 0x00 to 0x13`,
        );
      }
      const next = at + 1 + (is16Bit ? 128 : 64);
      if (next > end) {
        throw fault("quantization-table", at, `table ends at ${next}, its segment at ${end}`);
      }
      this.#quantization[slot] = is16Bit
        ? Uint16Array.from(
          { length: 64 },
          (_, i) => data[at + 1 + 2 * i] << 8 | data[at + 2 + 2 * i],
        )
        : data.slice(at + 1, next);
      at = next;
    }
  }

  #readHuffmanTables(from: number, end: number): void {
    const data = this.#data;
    for (let at = from; at < end;) {
      const kind = data[at] >> 4, slot = data[at] & 15;
      if (kind > 1 || slot > 3 || at + 17 > end) {
        throw fault(
          "huffman-table",
          at,
          `table octet 0x${data[at].toString(16)} with ${end - at} octets left`,
        );
      }
      let size = 0;
      for (let i = 1; i <= 16; i++) size += data[at + i];
      const next = at + 17 + size;
      if (size > 256 || next > end) {
        throw fault(
          "huffman-table",
          at,
          `table of ${size} symbols ends at ${next}, its segment at ${end}`,
        );
      }
      const table = {
        counts: data.subarray(at + 1, at + 17),
        symbols: data.subarray(at + 17, next),
      };
      (kind === 0 ? this.#dc : this.#ac)[slot] = standardOrCopy(table, kind);
      this.#hasHuffmanTables = true;
      at = next;
    }
  }

  #readFrameHeader(type: number, at: number, end: number): void {
    const data = this.#data, count = end - at > 9 ? data[at + 9] : 0;
    if (this.#frame !== undefined) throw fault("frame-header", at, "a second frame header");
    if (count < 1 || count > 4 || end - at < 10 + 3 * count) {
      throw fault("frame-header", at, `${count} components in ${end - at} octets, wanted 1 to 4`);
    }
    const components: JpegComponent[] = [];
    for (let i = 0; i < count; i++) {
      const c = at + 10 + 3 * i, h = data[c + 1] >> 4, v = data[c + 1] & 15, table = data[c + 2];
      if (h < 1 || h > 4 || v < 1 || v > 4 || table > 3) {
        throw fault(
          "frame-header",
          c,
          `sampling ${h}x${v} with table ${table}, wanted 1x1 to 4x4 and 0 to 3`,
        );
      }
      components.push({ id: data[c], h, v, quantizationTable: table });
    }
    const height = data[at + 5] << 8 | data[at + 6], width = data[at + 7] << 8 | data[at + 8];
    if (width === 0) throw fault("frame-header", at + 7, "width is 0, wanted 1 to 65535");
    this.#frame = { type, precision: data[at + 4], width, height, components, offset: at };
  }

  #readScan(at: number, end: number): void {
    const data = this.#data, frame = this.#frame, count = data[at + 4];
    if (frame === undefined) throw fault("no-frame-header", at, "a scan before the frame header");
    if (end - at < 5 || count < 1 || count > 4 || end - at < 8 + 2 * count) {
      throw fault("scan-header", at, `${count} components in ${end - at} octets, wanted 1 to 4`);
    }
    const components: JpegScanComponent[] = [];
    for (let i = 0; i < count; i++) {
      const c = at + 5 + 2 * i, id = data[c], dc = data[c + 1] >> 4, ac = data[c + 1] & 15;
      const component = frame.components.findIndex((candidate, index) =>
        candidate.id === id && !components.some((taken) => taken.component === index)
      );
      if (component < 0) {
        throw fault("scan-header", c, `component ${id} is not in the frame header`);
      }
      if (dc > 3 || ac > 3) {
        throw fault("scan-header", c + 1, `tables ${dc} and ${ac}, wanted 0 to 3`);
      }
      const quantization = this.#quantization[frame.components[component].quantizationTable];
      components.push({
        component,
        dc: this.#table("dc", dc),
        ac: this.#table("ac", ac),
        quantization,
      });
    }
    const parameters = at + 5 + 2 * count;
    const scanEnd = entropyEnd(data, end);
    this.#scans.push({
      components,
      start: end,
      end: scanEnd,
      restartInterval: this.#restartInterval,
      spectralStart: data[parameters],
      spectralEnd: data[parameters + 1],
      approximation: data[parameters + 2],
    });
    this.#at = scanEnd;
  }

  /** The table in a slot; slots 0 and 1 that were never filled hold the standard tables, as Motion-JPEG in AVI means. */
  #table(kind: "dc" | "ac", slot: number): HuffmanSpecification | undefined {
    const table = (kind === "dc" ? this.#dc : this.#ac)[slot];
    if (table !== undefined || slot > 1) return table;
    return (slot === 0 ? STANDARD_HUFFMAN.luma : STANDARD_HUFFMAN.chroma)[kind];
  }

  #huffmanKind(): "standard" | "custom" | "missing" {
    const areStandard = this.#scans.every((scan) =>
      scan.components.every(({ component, dc, ac }) => {
        const { dc: standardDc, ac: standardAc } = component === 0
          ? STANDARD_HUFFMAN.luma
          : STANDARD_HUFFMAN.chroma;
        return dc === standardDc && ac === standardAc;
      })
    );
    if (!areStandard) return "custom";
    return this.#hasHuffmanTables ? "standard" : "missing";
  }
}

/** Where the entropy-coded data that starts at `from` ends: at a marker other than RSTn (fill octets included), or at the end. */
function entropyEnd(data: Uint8Array, from: number): number {
  let at = data.indexOf(0xff, from);
  while (at >= 0) {
    let after = at + 1;
    while (data[after] === 0xff) after++;
    const code = data[after];
    if (code === undefined) return at;
    if (code !== 0x00 && (code < 0xd0 || code > 0xd7)) return at;
    at = data.indexOf(0xff, after + 1);
  }
  return data.length;
}

/** The shared object of T.81 K.3 where the table is one of these, so that comparing objects compares tables; else a copy. */
function standardOrCopy(
  table: { readonly counts: Uint8Array; readonly symbols: Uint8Array },
  kind: number,
): HuffmanSpecification {
  const { luma, chroma } = STANDARD_HUFFMAN;
  const candidates = kind === 0 ? [luma.dc, chroma.dc] : [luma.ac, chroma.ac];
  return candidates.find((candidate) => sameHuffmanTable(candidate, table)) ??
    { counts: table.counts.slice(), symbols: table.symbols.slice() };
}

function fault(code: JpegFault, offset: number, why: string): JpegFormatError<JpegFault> {
  return new JpegFormatError(`Cannot read JPEG: ${why}`, { code, offset, rfc: "T.81 Annex B" });
}
