/**
 * Lossless re-coding of a sequential JPEG scan: the same coefficients under other Huffman tables and another
 * restart interval (ITU-T T.81 Annexes E, F and K).
 *
 * Floor 1. It copies entropy-coded symbols and never rebuilds a coefficient; progressive and multi-scan pictures are
 * `coefficients.ts`'s work. It knows no markers but RSTn: the frame around the scan is `markers.ts`'s.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import { EntropyWriter } from "./entropy_writer.ts";
import {
  advanceOf,
  END_OF_BLOCK,
  type HuffmanSpecification,
  type JoinedTable,
  joinTables,
  LOOKUP_BITS,
} from "./huffman_table.ts";
import { copyUnstuffed } from "./stuffing.ts";

/** What a {@linkcode JpegFormatError} of this room can be about. */
export type JpegScanFaultCode =
  | "huffman-table-invalid"
  | "huffman-code-unknown"
  | "huffman-symbol-not-standard"
  | "scan-coefficients-overrun"
  | "scan-truncated"
  | "scan-restart-missing";

/** One component's part in a scan. */
export interface ScanComponent {
  /** Blocks of this component in one MCU: horizontal times vertical sampling factor, or 1 in a scan of its own. */
  readonly blocksPerMcu: number;
  /** The tables the scan was coded with. */
  readonly from: { readonly dc: HuffmanSpecification; readonly ac: HuffmanSpecification };
  /** The tables to code it with. */
  readonly to: { readonly dc: HuffmanSpecification; readonly ac: HuffmanSpecification };
}

/** How a scan is laid out and how it shall be laid out. */
export interface RecodeScanOptions {
  /** In the order of the scan header. */
  readonly components: readonly ScanComponent[];
  /** MCUs in the whole scan. */
  readonly mcuCount: number;
  /** MCUs between restart markers in the input, 0 without. */
  readonly restartInterval: number;
  /** MCUs between restart markers in the output, 0 without. @default {the input's} */
  readonly targetRestartInterval?: number;
}

/**
 * Re-codes entropy-coded scans of baseline or extended sequential 8-bit pictures (SOF0, SOF1) without touching a
 * coefficient. It keeps its working memory from picture to picture.
 *
 * @example
 * ```ts
 * import { ScanRecoder } from "./scan_recoder.ts";
 * import { assertEquals } from "@std/assert";
 *
 * // One grey block whose DC difference is 0 and which ends at once, under tables of one-bit codes.
 * const short = { counts: [1, ...Array(15).fill(0)], symbols: [0] };
 * const long = { counts: [0, 1, ...Array(14).fill(0)], symbols: [0] };
 * const component = { blocksPerMcu: 1, from: { dc: short, ac: short }, to: { dc: long, ac: long } };
 * const scan = new ScanRecoder().recode(Uint8Array.of(0b00111111), {
 *   components: [component],
 *   mcuCount: 1,
 *   restartInterval: 0,
 * });
 * assertEquals(scan, Uint8Array.of(0b00001111));
 * ```
 */
export class ScanRecoder {
  /** The picture under way. */
  #scan: Uint8Array = EMPTY;
  #mcuCount = 0;
  /** The tables of each block of an MCU, in order; and which component's prediction it uses. */
  #dcTables: JoinedTable[] = [];
  #acTables: JoinedTable[] = [];
  #blockComponents: number[] = [];
  /** One restart interval of the input without its byte stuffing. */
  #input = EMPTY;
  #inputView = new DataView(EMPTY.buffer);
  #inputBits = 0;
  #position = 0;
  /** Offset in the scan where the current interval starts, for errors. */
  #intervalStart = 0;
  readonly #writer = new EntropyWriter();
  /** Predictions, needed only where the restart interval changes: then DC differences change with it. */
  #inputPredictions = new Int32Array(4);
  #outputPredictions = new Int32Array(4);

  /**
   * Re-codes one scan: its entropy-coded octets with byte stuffing and RSTn markers, without SOS header and EOI.
   *
   * @returns the new scan, stuffed and with RSTn markers in place; owned by the caller.
   * @throws {JpegFormatError} with a {@linkcode JpegScanFaultCode} where the scan or a table is damaged; the offset
   * counts from the start of `scan`.
   */
  recode(scan: Uint8Array, options: RecodeScanOptions): Uint8Array<ArrayBuffer> {
    this.#start(scan, options);
    this.#recodeIntervals(options);
    return this.#writer.scan();
  }

  #start(scan: Uint8Array, options: RecodeScanOptions): void {
    this.#scan = scan;
    this.#mcuCount = options.mcuCount;
    this.#dcTables = [];
    this.#acTables = [];
    this.#blockComponents = [];
    options.components.forEach((component, index) => {
      const dc = joinTables(component.from.dc, component.to.dc, true);
      const ac = joinTables(component.from.ac, component.to.ac, false);
      for (let i = 0; i < component.blocksPerMcu; i++) {
        this.#dcTables.push(dc);
        this.#acTables.push(ac);
        this.#blockComponents.push(index);
      }
    });
    if (this.#input.length < scan.length + READ_MARGIN) {
      this.#input = new Uint8Array(scan.length * 2 + READ_MARGIN);
      this.#inputView = new DataView(this.#input.buffer);
    }
    this.#inputPredictions.fill(0);
    this.#outputPredictions.fill(0);
    this.#writer.begin();
  }

  #recodeIntervals(options: RecodeScanOptions): void {
    const { mcuCount, restartInterval, targetRestartInterval = restartInterval } = options;
    const inputStep = restartInterval > 0 ? restartInterval : mcuCount;
    const outputStep = targetRestartInterval > 0 ? targetRestartInterval : mcuCount;
    const keepsDifferences = inputStep === outputStep;
    let restarts = 0;
    let next = this.#loadInterval(0);
    let inputEnd = Math.min(inputStep, mcuCount);
    let outputEnd = Math.min(outputStep, mcuCount);
    for (let mcu = 0; mcu < mcuCount;) {
      if (mcu === inputEnd) {
        next = this.#nextInterval(next, mcu);
        inputEnd = Math.min(inputEnd + inputStep, mcuCount);
        this.#inputPredictions.fill(0);
      }
      if (mcu === outputEnd) {
        this.#writer.endInterval(restarts++ & 7);
        outputEnd = Math.min(outputEnd + outputStep, mcuCount);
        this.#outputPredictions.fill(0);
      }
      const end = Math.min(inputEnd, outputEnd);
      this.#recodeMcus(end - mcu, keepsDifferences);
      mcu = end;
    }
    this.#writer.endInterval();
  }

  /** Copies the interval that starts at `start` without its stuffing; answers the offset after its data. */
  #loadInterval(start: number): number {
    const scan = this.#scan;
    const input = this.#input;
    const { size, end } = copyUnstuffed(scan, start, input);
    input.fill(0, size, size + READ_MARGIN);
    this.#intervalStart = start;
    this.#inputBits = size * 8;
    this.#position = 0;
    return end;
  }

  /** Steps over the RSTn marker at `offset` and loads what follows. */
  #nextInterval(offset: number, mcu: number): number {
    const scan = this.#scan;
    let marker = offset + 1;
    while (marker < scan.length && scan[marker] === 0xff) marker++;
    if (marker >= scan.length || (scan[marker] & 0xf8) !== 0xd0) {
      const why = `no restart marker after MCU ${mcu} of ${this.#mcuCount}`;
      throw scanFault("scan-restart-missing", offset, "T.81 E.2.4", { why });
    }
    return this.#loadInterval(marker + 1);
  }

  #recodeMcus(count: number, keepsDifferences: boolean): void {
    const blocks = this.#dcTables.length;
    const dcTables = this.#dcTables;
    const acTables = this.#acTables;
    for (let mcu = 0; mcu < count; mcu++) {
      this.#writer.reserve(blocks * BLOCK_SIZE_LIMIT);
      for (let block = 0; block < blocks; block++) {
        if (keepsDifferences) this.#copyDc(dcTables[block]);
        else this.#rebaseDc(dcTables[block], this.#blockComponents[block]);
        this.#copyAc(acTables[block]);
        if (this.#position > this.#inputBits) throw this.#truncated();
      }
    }
  }

  /** Copies a DC difference as it is. */
  #copyDc(table: JoinedTable): void {
    const position = this.#position;
    const window = this.#inputView.getInt32(position >>> 3) << (position & 7);
    const entry = table.shape[window >>> (32 - LOOKUP_BITS)];
    if (entry <= 0) {
      this.#copyLongSymbol(table);
      return;
    }
    this.#position = position + (entry & 15);
    this.#writer.put(table.output[window >>> (32 - LOOKUP_BITS)], entry >>> 4 & 31);
  }

  /** The inner loop: all AC coefficients of one block. What it reads by stays in local variables. */
  #copyAc(table: JoinedTable): void {
    const view = this.#inputView;
    const shape = table.shape;
    const output = table.output;
    const writer = this.#writer;
    let position = this.#position;
    let advance = 0;
    let k = 1;
    while (k < 64) {
      const window = view.getInt32(position >>> 3) << (position & 7);
      const prefix = window >>> (32 - LOOKUP_BITS);
      const entry = shape[prefix];
      let bits = output[prefix];
      let size: number;
      if (entry > 0 && k + (entry >>> 9 & 31) < 64) {
        position += entry & 15;
        size = entry >>> 4 & 31;
        advance = entry >>> 14;
      } else if (entry < 0) {
        const length = entry & 15;
        const extraBits = entry >>> 4 & 15;
        // LOOKUP_BITS and 10 extra bits are at most 21, and the window holds at least 25.
        bits = (bits << extraBits) | ((window << length) >>> (32 - extraBits));
        position += length + extraBits;
        size = (entry >>> 8 & 31) + extraBits;
        advance = entry >>> 14 & 127;
      } else {
        this.#position = position;
        advance = this.#copyLongSymbol(table);
        k += advance;
        position = this.#position;
        continue;
      }
      k += advance;
      writer.put(bits, size);
    }
    this.#position = position;
    if (k > 64 && advance < END_OF_BLOCK) throw this.#overrun(k);
  }

  /** Copies one symbol and its extra bits: a DC difference, or one the look-up does not hold. Answers its advance. */
  #copyLongSymbol(table: JoinedTable): number {
    const symbol = this.#readSymbol(table);
    const advance = advanceOf(symbol, table.isDc);
    const length = table.encoder.lengths[symbol];
    if (advance === 0 || length === 0) throw this.#notStandard(symbol, table.isDc);
    const extraBits = table.isDc ? symbol : symbol & 15;
    this.#writer.put(table.encoder.codes[symbol], length);
    if (extraBits > 0) this.#writer.put(this.#readBits(extraBits), extraBits);
    return advance;
  }

  /** Reads a DC difference and writes it anew against the output's own prediction (T.81 F.1.2.1). */
  #rebaseDc(table: JoinedTable, component: number): void {
    const category = this.#readSymbol(table);
    if (category > 11) throw this.#notStandard(category, true);
    const coded = category === 0 ? 0 : this.#readBits(category);
    const isNegative = category > 0 && coded < 1 << (category - 1);
    const difference = isNegative ? coded - (1 << category) + 1 : coded;
    const value = this.#inputPredictions[component] + difference;
    this.#inputPredictions[component] = value;
    const wanted = value - this.#outputPredictions[component];
    this.#outputPredictions[component] = value;
    const size = 32 - Math.clz32(Math.abs(wanted));
    const length = table.encoder.lengths[size];
    if (length === 0) throw this.#notStandard(size, true);
    this.#writer.put(table.encoder.codes[size], length);
    if (size > 0) this.#writer.put(wanted < 0 ? wanted + (1 << size) - 1 : wanted, size);
  }

  /** T.81 F.2.2.3, the procedure DECODE, on a window of 16 bits. */
  #readSymbol(table: JoinedTable): number {
    const window = this.#inputView.getInt32(this.#position >>> 3) << (this.#position & 7);
    const code = window >>> 16;
    let length = 1;
    while (code >= table.limits[length]) length++;
    if (length > 16) {
      if (this.#position >= this.#inputBits) throw this.#truncated();
      const bits = code.toString(2).padStart(16, "0");
      throw scanFault("huffman-code-unknown", this.#inputOffset(), "T.81 F.2.2.3", {
        why: `the bits ${bits} are no code of the table`,
      });
    }
    this.#position += length;
    return table.symbols[table.bases[length] + (code >>> (16 - length))];
  }

  #readBits(count: number): number {
    const window = this.#inputView.getInt32(this.#position >>> 3) << (this.#position & 7);
    this.#position += count;
    return window >>> (32 - count);
  }

  /** About where in the scan the reader stands: byte stuffing before it in the interval is not counted. */
  #inputOffset(): number {
    return Math.min(this.#intervalStart + (this.#position >>> 3), this.#scan.length);
  }

  #truncated(): JpegFormatError {
    return scanFault("scan-truncated", this.#inputOffset(), "T.81 F.2.2", {
      why: `its ${this.#scan.length} octets end before its ${this.#mcuCount} MCUs do`,
    });
  }

  #overrun(coefficients: number): JpegFormatError {
    // Behind the data stand zeros, which may mean anything.
    if (this.#position > this.#inputBits) return this.#truncated();
    return scanFault("scan-coefficients-overrun", this.#inputOffset(), "T.81 F.2.2.2", {
      why: `a block holds ${coefficients} coefficients, of at most 64`,
    });
  }

  #notStandard(symbol: number, isDc: boolean): JpegFormatError {
    if (this.#position > this.#inputBits) return this.#truncated();
    const why = `the ${isDc ? "DC" : "AC"} symbol ${symbol} has no code in the target table`;
    return scanFault("huffman-symbol-not-standard", this.#inputOffset(), "T.81 Annex K", {
      ...{ why, value: symbol },
    });
  }
}

/** Zeros after each interval: the reader looks for the end after each block only, and no block is longer than this. */
const READ_MARGIN = 256;
/** Most octets one block can take in the output: a DC of 20 bits and 63 coefficients of 26 bits. */
const BLOCK_SIZE_LIMIT = 212;

const EMPTY = new Uint8Array(READ_MARGIN);

function scanFault(
  code: JpegScanFaultCode,
  offset: number,
  rfc: string,
  { why, value }: { readonly why: string; readonly value?: number },
): JpegFormatError<JpegScanFaultCode> {
  return new JpegFormatError(`Cannot re-code scan: ${why}`, { code, offset, rfc, value });
}
