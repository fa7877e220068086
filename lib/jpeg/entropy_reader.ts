/**
 * The bits of an entropy-coded segment, and the Huffman codes in them (ITU-T T.81 F.2.2).
 *
 * Floor 1. It knows neither blocks nor components: `coefficients.ts` does.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";
import type { HuffmanSpecification } from "./huffman_table.ts";
import { copyUnstuffed } from "./stuffing.ts";

/** A Huffman table to read with. */
export interface HuffmanDecoder {
  /** By the next {@linkcode SHORT_CODE_BITS} bits: code length (bits 8-12) and symbol (0-7); 0 for a longer code. */
  readonly short: Uint16Array;
  /** By code length: one more than the largest code, left-aligned to 16 bits. */
  readonly limits: Int32Array;
  /** By code length: index of the first symbol less its code. */
  readonly bases: Int32Array;
  /** The symbols in order of increasing code. */
  readonly symbols: ArrayLike<number>;
}

/** Codes up to this length are looked up at once. */
export const SHORT_CODE_BITS = 9;

/**
 * Prepares a table for reading (T.81 F.2.2.3).
 *
 * @throws {JpegFormatError} `huffman-table-invalid` where its code lengths over-fill the code space.
 */
export function buildHuffmanDecoder(specification: HuffmanSpecification): HuffmanDecoder {
  const { counts, symbols } = specification;
  const short = new Uint16Array(1 << SHORT_CODE_BITS);
  const limits = new Int32Array(18);
  const bases = new Int32Array(18);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1];
    if (code + count > 1 << length || index + count > symbols.length) {
      throw new JpegFormatError(
        `Cannot read Huffman table: ${count} codes of ${length} bits leave no room in ${symbols.length} symbols`,
        { code: "huffman-table-invalid", offset: 0, rfc: "T.81 Annex C" },
      );
    }
    bases[length] = index - code;
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > SHORT_CODE_BITS) continue;
      const free = SHORT_CODE_BITS - length;
      short.fill(length << 8 | symbols[index], code << free, (code + 1) << free);
    }
    limits[length] = code << (16 - length);
    code <<= 1;
  }
  limits[17] = 0x7fffffff;
  return { short, limits, bases, symbols };
}

/** Zeros after the data, so that a read across its end stays inside. */
const READ_MARGIN = 16;

/**
 * Reads bits from one entropy-coded segment after the other: {@linkcode load} takes the octets between two markers.
 *
 * @example
 * ```ts
 * import { EntropyReader } from "./entropy_reader.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new EntropyReader();
 * // 0xFF00 is a stuffed 0xFF; 0xFFD9 ends the segment.
 * const end = reader.load(Uint8Array.of(0xff, 0x00, 0xa0, 0xff, 0xd9), 0);
 * assertEquals([end, reader.bits(8), reader.bits(4)], [3, 0xff, 0xa]);
 * ```
 */
export class EntropyReader {
  #octets = new Uint8Array(READ_MARGIN);
  #view = new DataView(this.#octets.buffer);
  #bitCount = 0;
  #position = 0;
  #start = 0;

  /**
   * Takes the segment that starts at `start`, without its byte stuffing (T.81 F.1.2.3).
   *
   * @returns the offset of the marker that ends it, or the length of `data`.
   */
  load(data: Uint8Array, start: number): number {
    if (this.#octets.length < data.length - start + READ_MARGIN) {
      this.#octets = new Uint8Array(data.length - start + READ_MARGIN);
      this.#view = new DataView(this.#octets.buffer);
    }
    const octets = this.#octets;
    const { size, end } = copyUnstuffed(data, start, octets);
    octets.fill(0, size, size + READ_MARGIN);
    this.#bitCount = size * 8;
    this.#position = 0;
    this.#start = start;
    return end;
  }

  /**
   * Reads `count` (1 to 16) bits.
   *
   * @throws {JpegFormatError} `scan-truncated` past the end of the segment.
   */
  bits(count: number): number {
    const position = this.#position;
    if (position + count > this.#bitCount) throw this.#truncated();
    this.#position = position + count;
    return (this.#view.getInt32(position >>> 3) << (position & 7)) >>> (32 - count);
  }

  /**
   * Reads a Huffman code and answers its symbol.
   *
   * @throws {JpegFormatError} `huffman-code-unknown`, or `scan-truncated` past the end of the segment.
   */
  symbol(table: HuffmanDecoder): number {
    const position = this.#position;
    if (position >= this.#bitCount) throw this.#truncated();
    const window = this.#view.getInt32(position >>> 3) << (position & 7);
    const short = table.short[window >>> (32 - SHORT_CODE_BITS)];
    if (short !== 0) {
      this.#position = position + (short >>> 8);
      return short & 255;
    }
    const code = window >>> 16;
    let length = SHORT_CODE_BITS + 1;
    while (code >= table.limits[length]) length++;
    if (length > 16) {
      throw new JpegFormatError(
        `Cannot read scan: the bits ${code.toString(2).padStart(16, "0")} are no code of its table`,
        { code: "huffman-code-unknown", offset: this.#offset(), rfc: "T.81 F.2.2.3" },
      );
    }
    this.#position = position + length;
    return table.symbols[table.bases[length] + (code >>> (16 - length))];
  }

  /** Reads a signed value of `size` (0 to 16) bits as T.81 F.2.2.1 extends it. */
  signed(size: number): number {
    if (size === 0) return 0;
    const value = this.bits(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  #truncated(): JpegFormatError {
    return new JpegFormatError(
      `Cannot read scan: its segment of ${this.#bitCount >>> 3} octets ends before its blocks do`,
      { code: "scan-truncated", offset: this.#offset(), rfc: "T.81 F.2.2" },
    );
  }

  /** About where in the data the reader stands; stuffed octets before it are not counted. */
  #offset(): number {
    return this.#start + (this.#position >>> 3);
  }
}
