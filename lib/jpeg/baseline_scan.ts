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
  const { h, v, blocksPerLine, values } = part.component;
  const top = Math.floor(mcu / mcusPerLine) * v;
  const left = (mcu % mcusPerLine) * h;
  for (let y = 0; y < v; y++) {
    for (let x = 0; x < h; x++) {
      const at = ((top + y) * blocksPerLine + left + x) * 64;
      writeBlock(writer, part, values, at);
    }
  }
}

/** T.81 F.1.2. */
function writeBlock(writer: ScanWriter, part: ScanPart, values: Int16Array, at: number): void {
  writeValue(writer, part.dc, { run: 0, value: values[at] - part.prediction, largest: 11 });
  part.prediction = values[at];
  let run = 0;
  for (let k = 1; k < 64; k++) {
    const value = values[at + k];
    if (value === 0) {
      run++;
      continue;
    }
    for (; run > 15; run -= 16) writer.put(part.ac.codes[0xf0], part.ac.lengths[0xf0]);
    writeValue(writer, part.ac, { run, value, largest: 10 });
    run = 0;
  }
  if (run > 0) writer.put(part.ac.codes[0], part.ac.lengths[0]);
}

function writeValue(
  writer: ScanWriter,
  table: EncoderTable,
  { run, value, largest }: { run: number; value: number; largest: number },
): void {
  const size = 32 - Math.clz32(Math.abs(value));
  const symbol = run << 4 | size;
  if (size > largest || table.lengths[symbol] === 0) {
    throw new JpegFormatError(
      `Cannot write baseline scan: the value ${value} has ${size} bits, and at most ${largest} have a code`,
      { code: "coefficient-too-large", offset: 0, rfc: "T.81 F.1.2", value },
    );
  }
  writer.put(table.codes[symbol], table.lengths[symbol]);
  if (size > 0) writer.put(value < 0 ? value + (1 << size) - 1 : value, size);
}

/** Collects bits and stuffs octets (T.81 F.1.2.3). */
class ScanWriter {
  #octets = new Uint8Array(1 << 16);
  #size = 0;
  #accumulator = 0;
  #accumulatedBits = 0;

  /** Appends `size` (1 to 16) bits. */
  put(bits: number, size: number): void {
    this.#accumulator = this.#accumulator << size | bits;
    this.#accumulatedBits += size;
    while (this.#accumulatedBits >= 8) {
      this.#accumulatedBits -= 8;
      this.#append(this.#accumulator >>> this.#accumulatedBits & 255);
    }
  }

  restart(number: number): void {
    this.#pad();
    this.#reserve();
    this.#octets[this.#size++] = 0xff;
    this.#octets[this.#size++] = 0xd0 | number;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#pad();
    return this.#octets.slice(0, this.#size);
  }

  #pad(): void {
    const padding = -this.#accumulatedBits & 7;
    if (padding > 0) this.put((1 << padding) - 1, padding);
  }

  #append(octet: number): void {
    this.#reserve();
    this.#octets[this.#size++] = octet;
    if (octet === 0xff) this.#octets[this.#size++] = 0;
  }

  #reserve(): void {
    if (this.#size + 2 <= this.#octets.length) return;
    const grown = new Uint8Array(this.#octets.length * 2);
    grown.set(this.#octets);
    this.#octets = grown;
  }
}
