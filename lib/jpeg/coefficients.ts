/**
 * The quantized DCT coefficients of a JPEG picture: read from any picture of 8 or 12 bits, baseline, extended
 * sequential or progressive, coded by Huffman or arithmetically, in one scan or many (ITU-T T.81 Annexes F and G). `baseline_scan.ts` writes them.
 *
 * Floor 1. No inverse transform and no pixels: a coefficient is never changed.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import { ArithmeticBlocks } from "./arithmetic_blocks.ts";
import type { BlockDecoder } from "./block_decoder.ts";
import {
  coefficientsFault,
  type JpegCoefficientsFaultCode,
  MAX_BLOCKS,
} from "./coefficients_fault.ts";
import { HuffmanBlocks } from "./huffman_blocks.ts";
import { type CodedComponent, forEachMcu, readScanHeader, type ScanHeader } from "./scan_header.ts";

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

/**
 * Reads the coefficients of a picture.
 *
 * @param options.height Pixels, for pictures whose frame header leaves them to a DNL segment.
 * @returns coefficients owned by the caller, two octets each.
 * @throws {JpegFormatError} where the picture is damaged, lossless, hierarchical, or above
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

class CoefficientDecoder {
  readonly #jpeg: Uint8Array;
  readonly #huffman = new HuffmanBlocks();
  readonly #arithmetic = new ArithmeticBlocks();
  #blocks: BlockDecoder = this.#huffman;
  #components: CodedComponent[] = [];
  #width = 0;
  #height: number;
  #precision = 8;
  #visitedBlocks = 0;
  #isProgressive = false;
  #restartInterval = 0;

  constructor(jpeg: Uint8Array, height: number) {
    this.#jpeg = jpeg;
    this.#height = height;
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
    } else if (marker === 0xcc) this.#readConditioning(start, end);
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8) {
      const coding = CODINGS[marker];
      if (coding === undefined) throw this.#invalid("frame-type-unsupported", start, marker);
      this.#isProgressive = coding.isProgressive;
      this.#blocks = coding.isArithmetic ? this.#arithmetic : this.#huffman;
      this.#readFrame(start, end);
    }
  }

  /** T.81 B.2.4.3. */
  #readConditioning(start: number, end: number): void {
    const jpeg = this.#jpeg;
    for (let at = start; at + 2 <= end; at += 2) {
      this.#arithmetic.condition(jpeg[at] & 3, jpeg[at] >> 4 === 0, jpeg[at + 1]);
    }
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
      const symbols = jpeg.subarray(offset + 17, next);
      this.#huffman.define(target & 3, target >> 4 === 0, { counts, symbols });
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
  ): CodedComponent[] {
    const hMax = Math.max(...shapes.map(({ h }) => h));
    const vMax = Math.max(...shapes.map(({ v }) => v));
    const mcusPerLine = Math.ceil(this.#width / (8 * hMax));
    const mcuLines = Math.ceil(this.#height / (8 * vMax));
    const blocks = shapes.reduce((sum, { h, v }) => sum + mcusPerLine * mcuLines * h * v, 0);
    if (blocks > MAX_BLOCKS) throw this.#invalid("picture-too-large", start, blocks);
    // The DC of a block takes a bit at least, coded arithmetically a fraction of one: memory is asked for only where data can be.
    const coded = shapes.reduce(
      (sum, { h, v }) =>
        sum + Math.ceil(this.#width * h / hMax / 8) * Math.ceil(this.#height * v / vMax / 8),
      0,
    );
    const most = this.#blocks === this.#huffman ? 8 : MOST_ARITHMETIC_BLOCKS;
    if (coded > most * this.#jpeg.length) throw this.#invalid("data-too-short", start, coded);
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
    const scan = readScanHeader(this.#jpeg, { start, end }, {
      components: this.#components,
      isProgressive: this.#isProgressive,
    });
    this.#countWork(scan, start);
    const blocks = this.#blocks;
    blocks.begin(scan.parts, scan.band, this.#isProgressive);
    let next = blocks.load(this.#jpeg, end);
    let untilRestart = this.#restartInterval;
    forEachMcu(scan, (isFirst) => {
      if (!isFirst && this.#restartInterval > 0 && untilRestart === 0) {
        next = this.#restart(scan, next);
        untilRestart = this.#restartInterval;
      }
      untilRestart--;
    }, blocks);
    return next;
  }

  /** A few octets can stand for many blocks where a run of empty ones is coded: the sum of these is bounded. */
  #countWork(scan: ScanHeader, start: number): void {
    for (const { component } of scan.parts) {
      this.#visitedBlocks += component.blocksPerLine * component.blockLines;
      if (scan.band.spectralStart === 0) component.isCoded = true;
    }
    if (this.#visitedBlocks > MAX_VISITED_BLOCKS) {
      throw this.#invalid("picture-too-large", start, this.#visitedBlocks);
    }
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
    return this.#blocks.load(jpeg, marker + 1);
  }

  #invalid(code: JpegCoefficientsFaultCode, offset: number, value: number): JpegFormatError {
    return coefficientsFault(code, this.#jpeg, { offset, value });
  }
}

/** The frame types read here (T.81 Table B.1). */
const CODINGS: Readonly<Record<number, { isProgressive: boolean; isArithmetic: boolean }>> = {
  0xc0: { isProgressive: false, isArithmetic: false },
  0xc1: { isProgressive: false, isArithmetic: false },
  0xc2: { isProgressive: true, isArithmetic: false },
  0xc9: { isProgressive: false, isArithmetic: true },
  0xca: { isProgressive: true, isArithmetic: true },
};

/** Blocks that one octet of arithmetic codes can stand for: a hundred and more of one colour, at the utmost. */
const MOST_ARITHMETIC_BLOCKS = 512;
/** Blocks that all scans together may visit: about two seconds. */
const MAX_VISITED_BLOCKS = 1 << 25;

function isFactor(value: number): boolean {
  return value >= 1 && value <= 4;
}
