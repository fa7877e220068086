/**
 * The tables that JPEG calls typical and everyone calls standard: quantization by quality, Huffman codes.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex K},
 * {@link https://www.rfc-editor.org/rfc/rfc2435#section-4.2 RFC 2435 s4.2}.
 *
 * Floor 1. It reads no picture: `markers.ts` does.
 *
 * @module
 */
import type { HuffmanSpecification } from "./huffman_table.ts";

/** Row-by-row index of the coefficient at each place of the zigzag order (T.81 Figure A.6). */
export const ZIGZAG: Uint8Array = zigzagOrder();

/** A pair of 8-bit quantization tables in zigzag order. */
export interface QuantizationTablePair {
  /** 64 octets for the first component. */
  readonly luma: Uint8Array;
  /** 64 octets for the other two. */
  readonly chroma: Uint8Array;
}

/** The four Huffman tables that baseline pictures use when nothing else is said (T.81 K.3). */
export interface HuffmanTables {
  /** For the first component. */
  readonly luma: { readonly dc: HuffmanSpecification; readonly ac: HuffmanSpecification };
  /** For the other components. */
  readonly chroma: { readonly dc: HuffmanSpecification; readonly ac: HuffmanSpecification };
}

/**
 * The quantization tables of a quality factor (RFC 2435 s4.2, the formula of the Independent JPEG Group), zigzag order;
 * shared and read-only.
 *
 * @param q 1 (worst) to 99.
 * @throws {RangeError} for any other number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { standardQuantizationTables } from "./tables.ts";
 *
 * assertEquals([...standardQuantizationTables(50).luma.subarray(0, 4)], [16, 11, 12, 14]);
 * assertEquals(standardQuantizationTables(99).chroma[0], 1);
 * ```
 */
export function standardQuantizationTables(q: number): QuantizationTablePair {
  if (!Number.isInteger(q) || q < 1 || q > 99) {
    throw new RangeError(`Cannot make quantization tables: quality "${q}", wanted 1 to 99`);
  }
  const known = madeTables[q];
  if (known !== undefined) return known;
  const scale = q < 50 ? Math.floor(5000 / q) : 200 - 2 * q;
  const made = { luma: scaled(LUMA_AT_50, scale), chroma: scaled(CHROMA_AT_50, scale) };
  madeTables[q] = made;
  return made;
}

/**
 * The quality factor, 1 to 99, whose standard tables are exactly these two (zigzag order), or undefined. Where several
 * give the same tables the lowest is returned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { matchStandardQuality, standardQuantizationTables } from "./tables.ts";
 *
 * const { luma, chroma } = standardQuantizationTables(76);
 * assertEquals(matchStandardQuality(luma, chroma), 76);
 * assertEquals(matchStandardQuality(luma, luma), undefined);
 * ```
 */
export function matchStandardQuality(
  luma: ArrayLike<number>,
  chroma: ArrayLike<number>,
): number | undefined {
  for (let q = 1; q <= 99; q++) {
    const tables = standardQuantizationTables(q);
    if (sameNumbers(tables.luma, luma) && sameNumbers(tables.chroma, chroma)) return q;
  }
  return undefined;
}

/** T.81 Tables K.3 to K.6. */
export const STANDARD_HUFFMAN: HuffmanTables = {
  luma: {
    dc: specification(["", "00", "01 02 03 04 05", "06", "07", "08", "09", "0a", "0b"]),
    ac: specification([
      ...["", "01 02", "03", "00 04 11", "05 12 21", "31 41", "06 13 51 61", "07 22 71"],
      ...["14 32 81 91 a1", "08 23 42 b1 c1", "15 52 d1 f0", "24 33 62 72", "", "", "82"],
      "09 0a 16 17 18 19 1a 25 26 27 28 29 2a 34 35 36 37 38 39 3a 43 44 45 46 47 48 49 4a 53 54 " +
      "55 56 57 58 59 5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 83 84 85 86 87 88 89 8a " +
      "92 93 94 95 96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3 c4 " +
      "c5 c6 c7 c8 c9 ca d2 d3 d4 d5 d6 d7 d8 d9 da e1 e2 e3 e4 e5 e6 e7 e8 e9 ea f1 f2 f3 f4 f5 " +
      "f6 f7 f8 f9 fa",
    ]),
  },
  chroma: {
    dc: specification(["", "00 01 02", "03", "04", "05", "06", "07", "08", "09", "0a", "0b"]),
    ac: specification([
      ...["", "00 01", "02", "03 11", "04 05 21 31", "06 12 41 51", "07 61 71", "13 22 32 81"],
      ...[
        "08 14 42 91 a1 b1 c1",
        "09 23 33 52 f0",
        "15 62 72 d1",
        "0a 16 24 34",
        "",
        "e1",
        "25 f1",
      ],
      "17 18 19 1a 26 27 28 29 2a 35 36 37 38 39 3a 43 44 45 46 47 48 49 4a 53 54 55 56 57 58 59 " +
      "5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 82 83 84 85 86 87 88 89 8a 92 93 94 95 " +
      "96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3 c4 c5 c6 c7 c8 " +
      "c9 ca d2 d3 d4 d5 d6 d7 d8 d9 da e2 e3 e4 e5 e6 e7 e8 e9 ea f2 f3 f4 f5 f6 f7 f8 f9 fa",
    ]),
  },
};

/** {@linkcode STANDARD_HUFFMAN} as one DHT segment, marker and length included: 420 octets, shared and read-only. */
export const STANDARD_HUFFMAN_TABLES: Uint8Array = huffmanSegment();

function zigzagOrder(): Uint8Array {
  const order = new Uint8Array(64);
  let place = 0;
  for (let diagonal = 0; diagonal < 15; diagonal++) {
    for (let step = 0; step <= diagonal; step++) {
      const row = diagonal % 2 === 0 ? diagonal - step : step;
      const column = diagonal - row;
      if (row < 8 && column < 8) order[place++] = row * 8 + column;
    }
  }
  return order;
}

/** T.81 Table K.1 (the tables at quality 50), row by row. */
const LUMA_AT_50 = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat();

/** T.81 Table K.2, row by row; what the rows do not say is 99. */
const CHROMA_AT_50 = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
  .flatMap((row) => [...row, 99, 99, 99, 99]).concat(Array(32).fill(99));

const madeTables: (QuantizationTablePair | undefined)[] = [];

function scaled(table: readonly number[], scale: number): Uint8Array {
  return Uint8Array.from(ZIGZAG, (place) => {
    const step = Math.floor((table[place] * scale + 50) / 100);
    return Math.min(255, Math.max(1, step));
  });
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Reads one line of symbols for each code length from 1 bit on. */
function specification(symbolsByLength: readonly string[]): HuffmanSpecification {
  const lines = symbolsByLength.map((line) => line === "" ? [] : line.split(" "));
  const counts = new Uint8Array(16);
  lines.forEach((line, i) => counts[i] = line.length);
  return { counts, symbols: Uint8Array.from(lines.flat(), (symbol) => parseInt(symbol, 16)) };
}

function huffmanSegment(): Uint8Array {
  const { luma, chroma } = STANDARD_HUFFMAN;
  const tables = [[0x00, luma.dc], [0x01, chroma.dc], [0x10, luma.ac], [0x11, chroma.ac]] as const;
  const body = tables.flatMap(([place, { counts, symbols }]) => [
    place,
    ...Array.from(counts),
    ...Array.from(symbols),
  ]);
  const length = body.length + 2;
  return Uint8Array.from([0xff, 0xc4, length >> 8, length & 0xff, ...body]);
}
