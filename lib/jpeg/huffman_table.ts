/**
 * Huffman tables of JPEG: as DHT specifies them, for writing, and joined in pairs for re-coding (ITU-T T.81 Annex C).
 *
 * Floor 1. It reads no markers and no scans: `markers.ts` and `scan_recoder.ts` do.
 *
 * @module
 */

import { JpegFormatError } from "../errors.ts";

/** A Huffman table as a DHT segment specifies it (T.81 B.2.4.2): how many codes of each length, and their symbols. */
export interface HuffmanSpecification {
  /** Sixteen numbers: codes of 1 to 16 bits. */
  readonly counts: ArrayLike<number>;
  /** The symbols in order of increasing code, at most 256. */
  readonly symbols: ArrayLike<number>;
}

/** Bits looked up at once (11 measured faster than 10 and 12); longer codes are found by T.81's procedure. */
export const LOOKUP_BITS = 11;
/** How far EOB moves in a block: past its end from anywhere. */
export const END_OF_BLOCK = 64;

/** True when the two specifications describe the same code. */
export function sameHuffmanTable(a: HuffmanSpecification, b: HuffmanSpecification): boolean {
  if (a.symbols.length !== b.symbols.length) return false;
  for (let i = 0; i < 16; i++) if (a.counts[i] !== b.counts[i]) return false;
  for (let i = 0; i < a.symbols.length; i++) if (a.symbols[i] !== b.symbols[i]) return false;
  return true;
}

/** Codes and lengths by symbol, for writing (T.81 Annex C). */
export interface EncoderTable {
  /** By symbol. */
  readonly codes: Uint16Array;
  /** 0 where the table lacks the symbol. */
  readonly lengths: Uint8Array;
}

/**
 * One table to read with and one to write with, joined. Looking up the next LOOKUP_BITS bits gives, in `shape` and
 * `output`, one of three:
 *
 * - one or two symbols that lie in these bits whole, extra bits included (`shape` above 0): input bits (bits 0-3), output
 *   bits (4-8), how far the first of two symbols moves in the block (9-13, 0 for one symbol), how far all move (14-20);
 *   `output` holds the bits to write;
 * - a code whose extra bits lie beyond (below 0): code length (0-3), extra bits (4-7), output code length (8-12), advance
 *   (14-20); `output` holds the output code;
 * - a longer code, or a symbol no sequential scan may hold (0).
 */
export interface JoinedTable {
  /** See above. */
  readonly shape: Int32Array;
  /** See above. */
  readonly output: Int32Array;
  /** By code length: one more than the largest code, left-aligned to 16 bits. */
  readonly limits: Int32Array;
  /** By code length: index of the first symbol less its code. */
  readonly bases: Int32Array;
  /** The symbols to read, in order of increasing code. */
  readonly symbols: ArrayLike<number>;
  /** The codes to write. */
  readonly encoder: EncoderTable;
  /** For DC differences rather than AC coefficients. */
  readonly isDc: boolean;
}

const joinedTables = new WeakMap<
  HuffmanSpecification,
  WeakMap<HuffmanSpecification, JoinedTable>
>();

/** Building a joined table costs more than re-coding a small picture, and a film uses the same few ones for ever. */
export function joinTables(
  from: HuffmanSpecification,
  to: HuffmanSpecification,
  isDc: boolean,
): JoinedTable {
  let byTarget = joinedTables.get(from);
  if (byTarget === undefined) joinedTables.set(from, byTarget = new WeakMap());
  let joined = byTarget.get(to);
  if (joined === undefined || joined.isDc !== isDc) {
    joined = buildJoinedTable(from, to, isDc);
    byTarget.set(to, joined);
  }
  return joined;
}

/**
 * Codes by symbol of a table.
 *
 * @throws {JpegFormatError} `huffman-table-invalid` where the counts over-fill the code space or the symbols do not
 * add up to them.
 */
export function buildEncoderTable(specification: HuffmanSpecification): EncoderTable {
  const codes = new Uint16Array(256);
  const lengths = new Uint8Array(256);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < specification.counts[length - 1]; i++) {
      if (code >= 1 << length || index >= specification.symbols.length) {
        throw invalidTable(specification, length);
      }
      const symbol = specification.symbols[index++];
      codes[symbol] = code++;
      lengths[symbol] = length;
    }
    code <<= 1;
  }
  if (index !== specification.symbols.length) throw invalidTable(specification, 16);
  return { codes, lengths };
}

function invalidTable(specification: HuffmanSpecification, length: number): JpegFormatError {
  return new JpegFormatError(
    `Cannot read Huffman table: ${specification.symbols.length} symbols do not fit its code lengths at ${length} bits`,
    { code: "huffman-table-invalid", offset: 0, rfc: "T.81 Annex C" },
  );
}

function buildJoinedTable(
  from: HuffmanSpecification,
  to: HuffmanSpecification,
  isDc: boolean,
): JoinedTable {
  const encoder = buildEncoderTable(to);
  const shape = new Int32Array(1 << LOOKUP_BITS);
  const output = new Int32Array(1 << LOOKUP_BITS);
  const limits = new Int32Array(18);
  const bases = new Int32Array(18);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    bases[length] = index - code;
    const count = from.counts[length - 1];
    if (code + count > 1 << length || index + count > from.symbols.length) {
      throw invalidTable(from, length);
    }
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > LOOKUP_BITS) continue;
      const first = code << (LOOKUP_BITS - length);
      enterSymbol({ shape, output }, { symbol: from.symbols[index], length, first, isDc }, encoder);
    }
    limits[length] = code << (16 - length);
    code <<= 1;
  }
  limits[17] = 0x7fffffff;
  if (!isDc) joinPairs(shape, output);
  return { shape, output, limits, bases, symbols: from.symbols, encoder, isDc };
}

/** Fills the look-up entries that start with one code. */
function enterSymbol(
  table: { readonly shape: Int32Array; readonly output: Int32Array },
  code: {
    readonly symbol: number;
    readonly length: number;
    readonly first: number;
    readonly isDc: boolean;
  },
  encoder: EncoderTable,
): void {
  const { symbol, length, first } = code;
  const advance = advanceOf(symbol, code.isDc);
  const extraBits = code.isDc ? symbol : symbol & 15;
  const outputLength = encoder.lengths[symbol];
  // Such a symbol takes the slow path and gets its error there.
  if (advance === 0 || outputLength === 0) return;
  const outputCode = encoder.codes[symbol];
  const free = LOOKUP_BITS - length - extraBits;
  const entries = 1 << (LOOKUP_BITS - length);
  if (free < 0) {
    const shape = 1 << 31 | length | extraBits << 4 | outputLength << 8 | advance << 14;
    table.shape.fill(shape, first, first + entries);
    table.output.fill(outputCode, first, first + entries);
    return;
  }
  const shape = length + extraBits | (outputLength + extraBits) << 4 | advance << 14;
  for (let n = 0; n < entries; n++) {
    table.shape[first + n] = shape;
    table.output[first + n] = outputCode << extraBits | n >>> free;
  }
}

/** Where a second symbol lies whole in the bits that the first leaves, one look-up shall give both. */
function joinPairs(shape: Int32Array, output: Int32Array): void {
  const single = shape.slice();
  const singleOutput = output.slice();
  const mask = (1 << LOOKUP_BITS) - 1;
  for (let prefix = 0; prefix <= mask; prefix++) {
    const first = single[prefix];
    if (first <= 0) continue;
    const advance = first >>> 14;
    const firstBits = first & 15;
    const rest = prefix << firstBits & mask;
    const second = single[rest];
    if (advance === END_OF_BLOCK || second <= 0) continue;
    const secondSize = second >>> 4 & 31;
    const size = (first >>> 4 & 31) + secondSize;
    if (firstBits + (second & 15) > LOOKUP_BITS || size > 30) continue;
    shape[prefix] = firstBits + (second & 15) | size << 4 | advance << 9 |
      (advance + (second >>> 14)) << 14;
    output[prefix] = singleOutput[prefix] << secondSize | singleOutput[rest];
  }
}

/** How far a symbol moves in its block; 0 for one that a sequential 8-bit scan may not hold (T.81 F.1.2.2). */
export function advanceOf(symbol: number, isDc: boolean): number {
  if (isDc) return symbol <= 11 ? 1 : 0;
  if (symbol === 0) return END_OF_BLOCK;
  const extraBits = symbol & 15;
  if (extraBits > 10 || (extraBits === 0 && symbol !== 0xf0)) return 0;
  return (symbol >> 4) + 1;
}
