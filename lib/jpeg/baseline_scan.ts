/**
 * Writes quantized DCT coefficients as the entropy-coded data of one baseline scan (ITU-T T.81 F.1).
 *
 * Floor 1. No markers but RSTn: the frame around the scan is the caller's.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import type { ComponentCoefficients, JpegCoefficients } from "./coefficients.ts";
import { EntropyWriter } from "./entropy_writer.ts";
import {
  buildEncoderTable,
  type EncoderTable,
  type HuffmanSpecification,
} from "./huffman_table.ts";

/** The tables of one component. */
export interface BaselineTables {
  /** For DC differences. */
  readonly dc: HuffmanSpecification;
  /** For AC coefficients. */
  readonly ac: HuffmanSpecification;
}

/** How to write a scan. */
export interface BaselineScanOptions {
  /** In the order of the components. */
  readonly tables: readonly BaselineTables[];
  /** MCUs between restart markers, 0 without. @default {0} */
  readonly restartInterval?: number;
}

/**
 * Writes one interleaved baseline scan, stuffed and with RSTn markers in place, without SOS header and EOI.
 *
 * @returns octets owned by the caller.
 * @throws {JpegFormatError} `coefficient-too-large` where a value cannot stand in a baseline scan of 8-bit samples.
 */
export function encodeBaselineScan(
  image: JpegCoefficients,
  options: BaselineScanOptions,
): Uint8Array<ArrayBuffer> {
  const { restartInterval = 0 } = options;
  const parts = image.components.map((component, index) => ({
    component,
    dc: buildEncoderTable(options.tables[index].dc),
    ac: buildEncoderTable(options.tables[index].ac),
    prediction: 0,
  }));
  const bits = new EntropyWriter();
  const writer = new BlockWriter(bits);
  const [{ component: first }] = parts;
  const mcusPerLine = first.blocksPerLine / first.h;
  const mcuCount = mcusPerLine * (first.blockLines / first.v);
  for (let mcu = 0; mcu < mcuCount; mcu++) {
    if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
      bits.endInterval((mcu / restartInterval - 1) & 7);
      for (const part of parts) part.prediction = 0;
    }
    for (const part of parts) writeMcu(writer, part, mcu, mcusPerLine);
  }
  bits.endInterval();
  return bits.scan();
}

interface ScanPart {
  readonly component: ComponentCoefficients;
  readonly dc: EncoderTable;
  readonly ac: EncoderTable;
  prediction: number;
}

function writeMcu(writer: BlockWriter, part: ScanPart, mcu: number, mcusPerLine: number): void {
  const { h, v, blocksPerLine } = part.component;
  const top = Math.floor(mcu / mcusPerLine) * v;
  const left = (mcu % mcusPerLine) * h;
  for (let y = 0; y < v; y++) {
    for (let x = 0; x < h; x++) {
      writer.writeBlock(part, ((top + y) * blocksPerLine + left + x) * 64);
    }
  }
}

/** Writes blocks; the bits are collected by an {@linkcode EntropyWriter}. */
class BlockWriter {
  readonly #bits: EntropyWriter;

  constructor(bits: EntropyWriter) {
    this.#bits = bits;
  }

  /** T.81 F.1.2. */
  writeBlock(part: ScanPart, at: number): void {
    const bits = this.#bits;
    const { values } = part.component;
    const difference = values[at] - part.prediction;
    part.prediction = values[at];
    bits.reserve(BLOCK_SIZE_LIMIT);
    this.#put(part.dc, 0, difference, LARGEST_DC_SIZE);
    const { codes, lengths } = part.ac;
    let run = 0;
    for (let k = 1; k < 64; k++) {
      const value = values[at + k];
      if (value === 0) {
        run++;
        continue;
      }
      for (; run > 15; run -= 16) bits.put(codes[0xf0], lengths[0xf0]);
      this.#put(part.ac, run, value, LARGEST_AC_SIZE);
      run = 0;
    }
    if (run > 0) bits.put(codes[0], lengths[0]);
  }

  /** A code and its extra bits go out as one. */
  #put(table: EncoderTable, run: number, value: number, largest: number): void {
    const size = 32 - Math.clz32(value < 0 ? -value : value);
    const symbol = run << 4 | size, length = table.lengths[symbol];
    if (size > largest || length === 0) throw tooLarge(value, size, largest);
    const extra = value < 0 ? value + (1 << size) - 1 : value;
    this.#bits.put(table.codes[symbol] << size | extra, length + size);
  }
}

function tooLarge(value: number, size: number, largest: number): JpegFormatError {
  return new JpegFormatError(
    `Cannot write baseline scan: the value ${value} has ${size} bits, and at most ${largest} have a code`,
    { code: "coefficient-too-large", offset: 0, rfc: "T.81 F.1.2", value },
  );
}

/** Bits of the largest values that a baseline scan of 8-bit samples can say. */
const LARGEST_DC_SIZE = 11;
const LARGEST_AC_SIZE = 10;
/** More octets than any block takes: a DC of 27 bits and 63 coefficients of 26 bits. */
const BLOCK_SIZE_LIMIT = 256;
