/**
 * Writes quantized DCT coefficients as the entropy-coded data of one baseline scan (ITU-T T.81 F.1).
 *
 * Floor 1. No markers but RSTn: the frame around the scan is the caller's.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import type { ComponentCoefficients, JpegCoefficients } from "./coefficients.ts";
import {
  buildEncoderTable,
  type EncoderTable,
  type HuffmanSpecification,
} from "./huffman_table.ts";
import { copyStuffed } from "./stuffing.ts";

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
  const writer = new ScanWriter();
  const [{ component: first }] = parts;
  const mcusPerLine = first.blocksPerLine / first.h;
  const mcuCount = mcusPerLine * (first.blockLines / first.v);
  for (let mcu = 0; mcu < mcuCount; mcu++) {
    if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
      writer.restart((mcu / restartInterval - 1) & 7);
      for (const part of parts) part.prediction = 0;
    }
    for (const part of parts) writeMcu(writer, part, mcu, mcusPerLine);
  }
  return writer.finish();
}

interface ScanPart {
  readonly component: ComponentCoefficients;
  readonly dc: EncoderTable;
  readonly ac: EncoderTable;
  prediction: number;
}

function writeMcu(writer: ScanWriter, part: ScanPart, mcu: number, mcusPerLine: number): void {
  const { h, v, blocksPerLine } = part.component;
  const top = Math.floor(mcu / mcusPerLine) * v;
  const left = (mcu % mcusPerLine) * h;
  for (let y = 0; y < v; y++) {
    for (let x = 0; x < h; x++) {
      writer.writeBlock(part, ((top + y) * blocksPerLine + left + x) * 64);
    }
  }
}

/** Collects the bits of one restart interval after the other, and stuffs their octets (T.81 F.1.2.3). */
class ScanWriter {
  /** The interval under way, not yet stuffed. */
  #output = new Uint8Array(1 << 16);
  #view = new DataView(this.#output.buffer);
  #outputSize = 0;
  #accumulator = 0;
  #accumulatedBits = 0;
  /** The scan as far as it is finished. */
  #result = new Uint8Array(0);
  #resultSize = 0;

  /** T.81 F.1.2. What the loop needs stays in local variables; a code and its extra bits go out as one. */
  writeBlock(part: ScanPart, at: number): void {
    const { values } = part.component;
    const difference = values[at] - part.prediction;
    part.prediction = values[at];
    this.#reserve();
    this.#put(part.dc, 0, difference, LARGEST_DC_SIZE);
    const { codes, lengths } = part.ac;
    let run = 0;
    for (let k = 1; k < 64; k++) {
      const value = values[at + k];
      if (value === 0) {
        run++;
        continue;
      }
      for (; run > 15; run -= 16) this.#append(codes[0xf0], lengths[0xf0]);
      this.#put(part.ac, run, value, LARGEST_AC_SIZE);
      run = 0;
    }
    if (run > 0) this.#append(codes[0], lengths[0]);
  }

  restart(number: number): void {
    this.#finishInterval();
    this.#result[this.#resultSize++] = 0xff;
    this.#result[this.#resultSize++] = 0xd0 | number;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#finishInterval();
    return this.#result.slice(0, this.#resultSize);
  }

  #put(table: EncoderTable, run: number, value: number, largest: number): void {
    const size = 32 - Math.clz32(value < 0 ? -value : value);
    const symbol = run << 4 | size, length = table.lengths[symbol];
    if (size > largest || length === 0) throw tooLarge(value, size, largest);
    const extra = value < 0 ? value + (1 << size) - 1 : value;
    this.#append(table.codes[symbol] << size | extra, length + size);
  }

  /** Appends the `size` (1 to 27) low bits of `bits`. */
  #append(bits: number, size: number): void {
    const free = 32 - this.#accumulatedBits;
    if (size < free) {
      this.#accumulator |= bits << (free - size);
      this.#accumulatedBits += size;
      return;
    }
    const rest = size - free;
    this.#view.setInt32(this.#outputSize, this.#accumulator | bits >>> rest);
    this.#outputSize += 4;
    this.#accumulator = rest === 0 ? 0 : bits << (32 - rest);
    this.#accumulatedBits = rest;
  }

  /** Makes room for one block. */
  #reserve(): void {
    if (this.#outputSize + BLOCK_SIZE_LIMIT <= this.#output.length) return;
    const grown = new Uint8Array(this.#output.length * 2);
    grown.set(this.#output);
    this.#output = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Pads the interval with ones and stuffs it into the result. */
  #finishInterval(): void {
    this.#reserve();
    const padding = -this.#accumulatedBits & 7;
    if (padding > 0) this.#append((1 << padding) - 1, padding);
    this.#view.setInt32(this.#outputSize, this.#accumulator);
    const size = this.#outputSize + (this.#accumulatedBits >>> 3);
    if (this.#resultSize + size * 2 + 2 > this.#result.length) {
      const grown = new Uint8Array((this.#resultSize + size) * 2 + 2);
      grown.set(this.#result.subarray(0, this.#resultSize));
      this.#result = grown;
    }
    const octets = this.#output.subarray(0, size);
    this.#resultSize = copyStuffed(octets, this.#result, this.#resultSize);
    this.#outputSize = this.#accumulator = this.#accumulatedBits = 0;
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
