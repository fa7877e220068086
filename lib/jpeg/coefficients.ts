/**
 * The quantized DCT coefficients of a JPEG picture: read from any Huffman-coded picture of 8 or 12 bits, baseline,
 * extended sequential or progressive, in one scan or many (ITU-T T.81 Annexes F and G). `baseline_scan.ts` writes them.
 *
 * Floor 1. No inverse transform and no pixels: a coefficient is never changed.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import { buildHuffmanDecoder, EntropyReader, type HuffmanDecoder } from "./entropy_reader.ts";
import type { HuffmanSpecification } from "./huffman_table.ts";
import { STANDARD_HUFFMAN } from "./tables.ts";

/** The coefficients of one colour component. */
export interface ComponentCoefficients {
  /** Component identifier of the frame header. */
  readonly id: number;
  /** Horizontal sampling factor, 1 to 4. */
  readonly h: number;
  /** Vertical sampling factor, 1 to 4. */
  readonly v: number;
  /** Quantization table, 0 to 3. */
  readonly quantizationTable: number;
  /** Blocks in a line, padded to whole MCUs. */
  readonly blocksPerLine: number;
  /** Lines of blocks, padded to whole MCUs. */
  readonly blockLines: number;
  /** 64 values a block, in zigzag order. */
  readonly values: Int16Array;
}

/** The coefficients of a picture. */
export interface JpegCoefficients {
  /** Bits a sample: 8, or 12. */
  readonly precision: number;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** In the order of the frame header. */
  readonly components: readonly ComponentCoefficients[];
}

/** What a {@linkcode JpegFormatError} of this room can be about, besides those of the entropy reader. */
export type JpegCoefficientsFaultCode =
  | "frame-type-unsupported"
  | "frame-missing"
  | "picture-too-large"
  | "scan-invalid"
  | "segment-truncated"
  | "huffman-table-missing"
  | "component-missing"
  | "data-too-short";

/** Largest picture taken, in blocks of 64 coefficients: 128 octets each, 512 MiB in all. */
export const MAX_BLOCKS = 1 << 22;

/**
 * Reads the coefficients of a picture.
 *
 * @param options.height Pixels, for pictures whose frame header leaves them to a DNL segment.
 * @returns coefficients owned by the caller, two octets each.
 * @throws {JpegFormatError} where the picture is damaged, arithmetic-coded, lossless, hierarchical, or above
 * {@linkcode MAX_BLOCKS}; the offset counts from the start of `jpeg`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeCoefficients } from "./coefficients.ts";
 *
 * const { components } = decodeCoefficients(Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958));
 * assertEquals(components.map(({ blocksPerLine }) => blocksPerLine), [40, 20, 20]);
 * ```
 */
export function decodeCoefficients(
  jpeg: Uint8Array,
  options: { readonly height?: number } = {},
): JpegCoefficients {
  return new CoefficientDecoder(jpeg, options.height ?? 0).run();
}

interface MutableComponent extends ComponentCoefficients {
  /** Whether a scan with its DC has come. */
  isCoded: boolean;
  /** Blocks that a scan of this component alone holds (T.81 A.2.2): not padded. */
  readonly ownBlocksPerLine: number;
  readonly ownBlockLines: number;
}

/** One component of a scan under way. */
interface ScanPart {
  readonly component: MutableComponent;
  readonly dc: HuffmanDecoder | undefined;
  readonly ac: HuffmanDecoder | undefined;
  prediction: number;
}

/** What a scan header says (T.81 B.2.3). */
interface ScanHeader {
  readonly parts: ScanPart[];
  readonly spectralStart: number;
  readonly spectralEnd: number;
  readonly approximationHigh: number;
  readonly approximationLow: number;
}

class CoefficientDecoder {
  readonly #jpeg: Uint8Array;
  readonly #reader = new EntropyReader();
  readonly #dcTables: (HuffmanDecoder | undefined)[] = [];
  readonly #acTables: (HuffmanDecoder | undefined)[] = [];
  #components: MutableComponent[] = [];
  #width = 0;
  #height: number;
  #precision = 8;
  #visitedBlocks = 0;
  #isProgressive = false;
  #restartInterval = 0;
  #endOfBandRun = 0;

  constructor(jpeg: Uint8Array, height: number) {
    this.#jpeg = jpeg;
    this.#height = height;
    // Motion-JPEG that sends no tables means these.
    [STANDARD_HUFFMAN.luma, STANDARD_HUFFMAN.chroma].forEach(({ dc, ac }, slot) => {
      this.#dcTables[slot] = standardDecoder(dc);
      this.#acTables[slot] = standardDecoder(ac);
    });
  }

  run(): JpegCoefficients {
    const jpeg = this.#jpeg;
    let offset = 2;
    let scans = 0;
    while (offset + 4 <= jpeg.length) {
      if (jpeg[offset] !== 0xff || jpeg[offset + 1] === 0xff) {
        offset++;
        continue;
      }
      const marker = jpeg[offset + 1];
      if (marker === 0xd9) break;
      if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
        offset += 2;
        continue;
      }
      const size = jpeg[offset + 2] << 8 | jpeg[offset + 3];
      const end = offset + 2 + size;
      if (size < 2 || end > jpeg.length) throw this.#invalid("segment-truncated", offset, size);
      if (marker === 0xda) {
        offset = this.#readScan(offset + 4, end);
        scans++;
      } else {
        this.#readSegment(marker, offset + 4, end);
        offset = end;
      }
    }
    if (scans === 0) throw this.#invalid("frame-missing", offset, 0);
    const missing = this.#components.find((component) => !component.isCoded);
    if (missing !== undefined) throw this.#invalid("component-missing", offset, missing.id);
    return {
      precision: this.#precision,
      width: this.#width,
      height: this.#height,
      components: this.#components,
    };
  }

  #readSegment(marker: number, start: number, end: number): void {
    if (marker === 0xc4) this.#readHuffmanTables(start, end);
    else if (marker === 0xdd && end - start >= 2) {
      this.#restartInterval = this.#jpeg[start] << 8 | this.#jpeg[start + 1];
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      if (marker > 0xc2) throw this.#invalid("frame-type-unsupported", start, marker);
      this.#isProgressive = marker === 0xc2;
      this.#readFrame(start, end);
    } else if (marker === 0xcc) throw this.#invalid("frame-type-unsupported", start, marker);
  }

  #readHuffmanTables(start: number, end: number): void {
    const jpeg = this.#jpeg;
    for (let offset = start; offset < end;) {
      if (offset + 17 > end) throw this.#invalid("segment-truncated", offset, end - offset);
      const target = jpeg[offset];
      const counts = jpeg.subarray(offset + 1, offset + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const next = offset + 17 + total;
      if (next > end || total > 256) throw this.#invalid("segment-truncated", offset, total);
      const tables = target >> 4 === 0 ? this.#dcTables : this.#acTables;
      tables[target & 3] = buildHuffmanDecoder({
        counts,
        symbols: jpeg.subarray(offset + 17, next),
      });
      offset = next;
    }
  }

  #readFrame(start: number, end: number): void {
    const jpeg = this.#jpeg;
    const count = jpeg[start + 5];
    if (end - start < 6 + 3 * count || count === 0 || count > 4) {
      throw this.#invalid("segment-truncated", start, count);
    }
    this.#precision = jpeg[start];
    if (this.#precision !== 8 && this.#precision !== 12) {
      throw this.#invalid("frame-type-unsupported", start, jpeg[start]);
    }
    if (this.#components.length > 0) throw this.#invalid("scan-invalid", start, count);
    this.#height = (jpeg[start + 1] << 8 | jpeg[start + 2]) || this.#height;
    this.#width = jpeg[start + 3] << 8 | jpeg[start + 4];
    const shapes = Array.from({ length: count }, (_, i) => ({
      id: jpeg[start + 6 + 3 * i],
      h: jpeg[start + 7 + 3 * i] >> 4,
      v: jpeg[start + 7 + 3 * i] & 15,
      quantizationTable: jpeg[start + 8 + 3 * i] & 3,
    }));
    if (
      this.#width === 0 || this.#height === 0 ||
      shapes.some(({ h, v }) => !isFactor(h) || !isFactor(v))
    ) throw this.#invalid("scan-invalid", start, this.#width);
    this.#components = this.#layOut(shapes, start);
  }

  #layOut(
    shapes: readonly { id: number; h: number; v: number; quantizationTable: number }[],
    start: number,
  ): MutableComponent[] {
    const hMax = Math.max(...shapes.map(({ h }) => h));
    const vMax = Math.max(...shapes.map(({ v }) => v));
    const mcusPerLine = Math.ceil(this.#width / (8 * hMax));
    const mcuLines = Math.ceil(this.#height / (8 * vMax));
    const blocks = shapes.reduce((sum, { h, v }) => sum + mcusPerLine * mcuLines * h * v, 0);
    if (blocks > MAX_BLOCKS) throw this.#invalid("picture-too-large", start, blocks);
    // The DC of a block takes a bit at least: memory is asked for only where data can be.
    const coded = shapes.reduce(
      (sum, { h, v }) =>
        sum + Math.ceil(this.#width * h / hMax / 8) * Math.ceil(this.#height * v / vMax / 8),
      0,
    );
    if (coded > 8 * this.#jpeg.length) throw this.#invalid("data-too-short", start, coded);
    return shapes.map((shape) => ({
      ...shape,
      isCoded: false,
      blocksPerLine: mcusPerLine * shape.h,
      blockLines: mcuLines * shape.v,
      ownBlocksPerLine: Math.ceil(Math.ceil(this.#width * shape.h / hMax) / 8),
      ownBlockLines: Math.ceil(Math.ceil(this.#height * shape.v / vMax) / 8),
      values: new Int16Array(mcusPerLine * mcuLines * shape.h * shape.v * 64),
    }));
  }

  /** Reads the scan whose header lies from `start` to `end`; answers the offset of the marker after its data. */
  #readScan(start: number, end: number): number {
    const scan = this.#readScanHeader(start, end);
    this.#countWork(scan, start);
    const readBlock = this.#blockReader(scan);
    let next = this.#reader.load(this.#jpeg, end);
    this.#endOfBandRun = 0;
    let untilRestart = this.#restartInterval;
    forEachMcu(scan, (isFirst) => {
      if (!isFirst && this.#restartInterval > 0 && untilRestart === 0) {
        next = this.#restart(scan, next);
        untilRestart = this.#restartInterval;
      }
      untilRestart--;
    }, readBlock);
    return next;
  }

  /** A few octets can stand for many blocks where a run of empty ones is coded: the sum of these is bounded. */
  #countWork(scan: ScanHeader, start: number): void {
    for (const { component } of scan.parts) {
      this.#visitedBlocks += component.blocksPerLine * component.blockLines;
      if (scan.spectralStart === 0) component.isCoded = true;
    }
    if (this.#visitedBlocks > MAX_VISITED_BLOCKS) {
      throw this.#invalid("picture-too-large", start, this.#visitedBlocks);
    }
  }

  #readScanHeader(start: number, end: number): ScanHeader {
    const jpeg = this.#jpeg;
    const count = jpeg[start];
    if (this.#components.length === 0) throw this.#invalid("frame-missing", start, count);
    if (count === 0 || count > 4 || end - start !== 4 + 2 * count) {
      throw this.#invalid("scan-invalid", start, count);
    }
    const parts: ScanPart[] = [];
    for (let i = 0; i < count; i++) {
      const id = jpeg[start + 1 + 2 * i];
      const tables = jpeg[start + 2 + 2 * i];
      // Some encoders give all components one identifier: then their order tells them apart.
      const component = this.#components.find((candidate) =>
        candidate.id === id && !parts.some((part) => part.component === candidate)
      );
      if (component === undefined) throw this.#invalid("scan-invalid", start + 1 + 2 * i, id);
      parts.push({
        component,
        dc: this.#dcTables[tables >> 4 & 3],
        ac: this.#acTables[tables & 3],
        prediction: 0,
      });
    }
    const tail = start + 1 + 2 * count;
    const header = {
      parts,
      spectralStart: this.#isProgressive ? jpeg[tail] : 0,
      spectralEnd: this.#isProgressive ? jpeg[tail + 1] : 63,
      approximationHigh: this.#isProgressive ? jpeg[tail + 2] >> 4 : 0,
      approximationLow: this.#isProgressive ? jpeg[tail + 2] & 15 : 0,
    };
    const isDcScan = header.spectralStart === 0;
    if (
      header.spectralEnd > 63 || header.spectralStart > header.spectralEnd ||
      header.approximationLow > 13 ||
      (this.#isProgressive && isDcScan && header.spectralEnd !== 0) || (!isDcScan && count !== 1)
    ) throw this.#invalid("scan-invalid", tail, header.spectralEnd);
    return header;
  }

  /** The procedure that reads one block of this scan. */
  #blockReader(scan: ScanHeader): (part: ScanPart, at: number) => void {
    const { spectralStart, approximationHigh } = scan;
    const needsDc = spectralStart === 0 && approximationHigh === 0;
    const needsAc = !this.#isProgressive || spectralStart > 0;
    for (const { dc, ac } of scan.parts) {
      if ((needsDc && dc === undefined) || (needsAc && ac === undefined)) {
        throw this.#invalid("huffman-table-missing", 0, scan.parts.length);
      }
    }
    if (!this.#isProgressive) return (part, at) => this.#readSequential(part, at);
    if (spectralStart === 0) {
      return approximationHigh === 0
        ? (part, at) => this.#readDcFirst(part, at, scan.approximationLow)
        : (part, at) => {
          if (this.#reader.bits(1) === 1) part.component.values[at] |= 1 << scan.approximationLow;
        };
    }
    return approximationHigh === 0
      ? (part, at) => this.#readAcFirst(part, at, scan)
      : (part, at) => this.#refineAc(part, at, scan);
  }

  #restart(scan: ScanHeader, offset: number): number {
    const jpeg = this.#jpeg;
    let marker = offset + 1;
    while (marker < jpeg.length && jpeg[marker] === 0xff) marker++;
    if (marker >= jpeg.length || (jpeg[marker] & 0xf8) !== 0xd0) {
      throw new JpegFormatError(
        `Cannot read scan: no restart marker after ${this.#restartInterval} MCUs`,
        { code: "scan-restart-missing", offset, rfc: "T.81 E.2.4" },
      );
    }
    for (const part of scan.parts) part.prediction = 0;
    this.#endOfBandRun = 0;
    return this.#reader.load(jpeg, marker + 1);
  }

  /** T.81 F.2.2. */
  #readSequential(part: ScanPart, at: number): void {
    const reader = this.#reader;
    const values = part.component.values;
    this.#readDcFirst(part, at, 0);
    const ac = part.ac!;
    for (let k = 1; k < 64; k++) {
      const symbol = reader.symbol(ac);
      const size = symbol & 15;
      if (size === 0) {
        if (symbol !== 0xf0) break;
        k += 15;
        continue;
      }
      k += symbol >> 4;
      if (k > 63) throw this.#overrun(k);
      values[at + k] = reader.signed(size);
    }
  }

  /** T.81 G.1.2.1. */
  #readDcFirst(part: ScanPart, at: number, approximationLow: number): void {
    const size = this.#reader.symbol(part.dc!);
    if (size > 16) throw this.#overrun(size);
    part.prediction += this.#reader.signed(size);
    part.component.values[at] = part.prediction << approximationLow;
  }

  /** T.81 G.1.2.2. */
  #readAcFirst(part: ScanPart, at: number, scan: ScanHeader): void {
    if (this.#endOfBandRun > 0) {
      this.#endOfBandRun--;
      return;
    }
    const reader = this.#reader;
    const values = part.component.values;
    for (let k = scan.spectralStart; k <= scan.spectralEnd; k++) {
      const symbol = reader.symbol(part.ac!);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0) {
        if (run < 15) {
          this.#endOfBandRun = (1 << run) - 1 + (run > 0 ? reader.bits(run) : 0);
          return;
        }
        k += 15;
        continue;
      }
      k += run;
      if (k > 63) throw this.#overrun(k);
      values[at + k] = reader.signed(size) << scan.approximationLow;
    }
  }

  /** T.81 G.1.2.3. */
  #refineAc(part: ScanPart, at: number, scan: ScanHeader): void {
    const reader = this.#reader;
    const values = part.component.values;
    const step = 1 << scan.approximationLow;
    let k = scan.spectralStart;
    if (this.#endOfBandRun === 0) {
      for (; k <= scan.spectralEnd; k++) {
        const symbol = reader.symbol(part.ac!);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) !== 0) value = reader.bits(1) === 1 ? step : -step;
        else if (run < 15) {
          this.#endOfBandRun = (1 << run) + (run > 0 ? reader.bits(run) : 0);
          break;
        }
        // The run counts coefficients that are still zero; those that are not get one more bit each on the way.
        for (; k <= scan.spectralEnd; k++) {
          if (values[at + k] !== 0) this.#refine(values, at + k, step);
          else if (run-- === 0) break;
        }
        if (value !== 0) {
          if (k > 63) throw this.#overrun(k);
          values[at + k] = value;
        }
      }
    }
    if (this.#endOfBandRun > 0) {
      for (; k <= scan.spectralEnd; k++) {
        if (values[at + k] !== 0) this.#refine(values, at + k, step);
      }
      this.#endOfBandRun--;
    }
  }

  #refine(values: Int16Array, at: number, step: number): void {
    if (this.#reader.bits(1) === 0 || (values[at] & step) !== 0) return;
    values[at] += values[at] > 0 ? step : -step;
  }

  #overrun(value: number): JpegFormatError {
    return new JpegFormatError(
      `Cannot read scan: coefficient ${value} lies outside its block of 64`,
      { code: "scan-coefficients-overrun", offset: 0, rfc: "T.81 F.2.2.2", value },
    );
  }

  #invalid(code: JpegCoefficientsFaultCode, offset: number, value: number): JpegFormatError {
    return new JpegFormatError(
      `Cannot read JPEG coefficients: ${REASONS[code]}, at octet ${offset}: ${value}`,
      {
        code,
        offset,
        rfc: "T.81 Annex B",
        value,
      },
    );
  }
}

/** Blocks that all scans together may visit: about two seconds. */
const MAX_VISITED_BLOCKS = 1 << 25;

const standardDecoders = new Map<HuffmanSpecification, HuffmanDecoder>();

function standardDecoder(specification: HuffmanSpecification): HuffmanDecoder {
  let decoder = standardDecoders.get(specification);
  if (decoder === undefined) {
    standardDecoders.set(specification, decoder = buildHuffmanDecoder(specification));
  }
  return decoder;
}

/** Walks the blocks of a scan in coding order (T.81 A.2): by MCU, or by line where the scan holds one component. */
function forEachMcu(
  scan: ScanHeader,
  beforeMcu: (isFirst: boolean) => void,
  readBlock: (part: ScanPart, at: number) => void,
): void {
  const first = scan.parts[0].component;
  if (scan.parts.length === 1) {
    for (let y = 0; y < first.ownBlockLines; y++) {
      for (let x = 0; x < first.ownBlocksPerLine; x++) {
        beforeMcu(x === 0 && y === 0);
        readBlock(scan.parts[0], (y * first.blocksPerLine + x) * 64);
      }
    }
    return;
  }
  const mcusPerLine = first.blocksPerLine / first.h;
  const mcuLines = first.blockLines / first.v;
  for (let mcuY = 0; mcuY < mcuLines; mcuY++) {
    for (let mcuX = 0; mcuX < mcusPerLine; mcuX++) {
      beforeMcu(mcuX === 0 && mcuY === 0);
      for (const part of scan.parts) {
        const { h, v, blocksPerLine } = part.component;
        for (let y = 0; y < v; y++) {
          for (let x = 0; x < h; x++) {
            readBlock(part, ((mcuY * v + y) * blocksPerLine + mcuX * h + x) * 64);
          }
        }
      }
    }
  }
}

function isFactor(value: number): boolean {
  return value >= 1 && value <= 4;
}

const REASONS: Record<JpegCoefficientsFaultCode, string> = {
  "frame-type-unsupported": "only Huffman-coded pictures of 8 or 12 bits a sample are known here",
  "frame-missing": "no frame header before the first scan",
  "picture-too-large": `the picture has more than ${MAX_BLOCKS} blocks`,
  "scan-invalid": "the header makes no sense",
  "segment-truncated": "the segment is shorter than it says",
  "huffman-table-missing": "the scan names a Huffman table that is not there",
  "component-missing": "no scan holds a component",
  "data-too-short": "the octets cannot hold so many blocks",
};
