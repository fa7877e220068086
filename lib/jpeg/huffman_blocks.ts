/**
 * Reads blocks coded with Huffman codes, sequential and progressive (ITU-T T.81 F.2.2, G.1.2).
 *
 * Floor 1. It knows one block at a time: `coefficients.ts` knows where it belongs.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { type BlockDecoder, overrun, type ScanBand, type ScanPart } from "./block_decoder.ts";
import { buildHuffmanDecoder, EntropyReader, type HuffmanDecoder } from "./entropy_reader.ts";
import type { HuffmanSpecification } from "./huffman_table.ts";
import { STANDARD_HUFFMAN } from "./tables.ts";

/** Reads blocks by Huffman tables; begins with the standard ones, which Motion-JPEG without tables means. */
export class HuffmanBlocks implements BlockDecoder {
  readonly #reader = new EntropyReader();
  readonly #dcTables: (HuffmanDecoder | undefined)[] = [];
  readonly #acTables: (HuffmanDecoder | undefined)[] = [];
  #band: ScanBand = {
    spectralStart: 0,
    spectralEnd: 63,
    approximationHigh: 0,
    approximationLow: 0,
  };
  #read: (part: ScanPart, at: number) => void = () => {};
  #endOfBandRun = 0;

  /** Knows the standard tables. */
  constructor() {
    [STANDARD_HUFFMAN.luma, STANDARD_HUFFMAN.chroma].forEach(({ dc, ac }, slot) => {
      this.#dcTables[slot] = standardDecoder(dc);
      this.#acTables[slot] = standardDecoder(ac);
    });
  }

  /** Takes a table of a DHT segment. Throws `JpegFormatError` `huffman-table-invalid`. */
  define(slot: number, isDc: boolean, specification: HuffmanSpecification): void {
    (isDc ? this.#dcTables : this.#acTables)[slot] = buildHuffmanDecoder(specification);
  }

  /** See {@linkcode BlockDecoder.begin}. */
  begin(parts: readonly ScanPart[], band: ScanBand, isProgressive: boolean): void {
    const needsDc = band.spectralStart === 0 && band.approximationHigh === 0;
    const needsAc = !isProgressive || band.spectralStart > 0;
    for (const { dcTable, acTable } of parts) {
      if (needsDc && this.#dcTables[dcTable] === undefined) throw missing("DC", dcTable);
      if (needsAc && this.#acTables[acTable] === undefined) throw missing("AC", acTable);
    }
    this.#band = band;
    this.#read = this.#procedure(isProgressive);
  }

  /** See {@linkcode BlockDecoder.load}. */
  load(jpeg: Uint8Array, start: number): number {
    this.#endOfBandRun = 0;
    return this.#reader.load(jpeg, start);
  }

  /** See {@linkcode BlockDecoder.read}. */
  read(part: ScanPart, at: number): void {
    this.#read(part, at);
  }

  #procedure(isProgressive: boolean): (part: ScanPart, at: number) => void {
    const { spectralStart, approximationHigh } = this.#band;
    if (!isProgressive) return (part, at) => this.#readSequential(part, at);
    if (spectralStart === 0) {
      return approximationHigh === 0
        ? (part, at) => this.#readDcFirst(part, at)
        : (part, at) => this.#refineDc(part, at);
    }
    return approximationHigh === 0
      ? (part, at) => this.#readAcFirst(part, at)
      : (part, at) => this.#refineAc(part, at);
  }

  /** T.81 F.2.2. */
  #readSequential(part: ScanPart, at: number): void {
    const reader = this.#reader;
    const values = part.values;
    this.#readDcFirst(part, at);
    const ac = this.#acTables[part.acTable]!;
    for (let k = 1; k < 64; k++) {
      const symbol = reader.symbol(ac);
      const size = symbol & 15;
      if (size === 0) {
        if (symbol !== 0xf0) break;
        k += 15;
        continue;
      }
      k += symbol >> 4;
      if (k > 63) throw overrun(k);
      values[at + k] = reader.signed(size);
    }
  }

  /** T.81 G.1.2.1. */
  #readDcFirst(part: ScanPart, at: number): void {
    const size = this.#reader.symbol(this.#dcTables[part.dcTable]!);
    if (size > 16) throw overrun(size);
    part.prediction += this.#reader.signed(size);
    part.values[at] = part.prediction << this.#band.approximationLow;
  }

  /** T.81 G.1.2.2. */
  #readAcFirst(part: ScanPart, at: number): void {
    if (this.#endOfBandRun > 0) {
      this.#endOfBandRun--;
      return;
    }
    const reader = this.#reader;
    const values = part.values;
    for (let k = this.#band.spectralStart; k <= this.#band.spectralEnd; k++) {
      const symbol = reader.symbol(this.#acTables[part.acTable]!);
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
      if (k > 63) throw overrun(k);
      values[at + k] = reader.signed(size) << this.#band.approximationLow;
    }
  }

  /** T.81 G.1.2.3. */
  #refineAc(part: ScanPart, at: number): void {
    const reader = this.#reader;
    const values = part.values;
    const step = 1 << this.#band.approximationLow;
    let k = this.#band.spectralStart;
    if (this.#endOfBandRun === 0) {
      for (; k <= this.#band.spectralEnd; k++) {
        const symbol = reader.symbol(this.#acTables[part.acTable]!);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) !== 0) value = reader.bits(1) === 1 ? step : -step;
        else if (run < 15) {
          this.#endOfBandRun = (1 << run) + (run > 0 ? reader.bits(run) : 0);
          break;
        }
        // The run counts coefficients that are still zero; those that are not get one more bit each on the way.
        for (; k <= this.#band.spectralEnd; k++) {
          if (values[at + k] !== 0) this.#refine(values, at + k, step);
          else if (run-- === 0) break;
        }
        if (value !== 0) {
          if (k > 63) throw overrun(k);
          values[at + k] = value;
        }
      }
    }
    if (this.#endOfBandRun > 0) {
      for (; k <= this.#band.spectralEnd; k++) {
        if (values[at + k] !== 0) this.#refine(values, at + k, step);
      }
      this.#endOfBandRun--;
    }
  }

  #refine(values: Int16Array, at: number, step: number): void {
    if (this.#reader.bits(1) === 0 || (values[at] & step) !== 0) return;
    values[at] += values[at] > 0 ? step : -step;
  }

  #refineDc(part: ScanPart, at: number): void {
    if (this.#reader.bits(1) === 1) part.values[at] |= 1 << this.#band.approximationLow;
  }
}

const standardDecoders = new Map<HuffmanSpecification, HuffmanDecoder>();

function standardDecoder(specification: HuffmanSpecification): HuffmanDecoder {
  let decoder = standardDecoders.get(specification);
  if (decoder === undefined) {
    standardDecoders.set(specification, decoder = buildHuffmanDecoder(specification));
  }
  return decoder;
}

function missing(kind: string, slot: number): JpegFormatError {
  return new JpegFormatError(
    `Cannot read scan: it names ${kind} table ${slot}, which was not sent`,
    { code: "huffman-table-missing", offset: 0, rfc: "T.81 B.2.3" },
  );
}
