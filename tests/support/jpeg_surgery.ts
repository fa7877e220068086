/**
 * Cuts a JPEG into its segments and puts it together in another way: oddities that no encoder can be asked for.
 *
 * @module
 */
import { concat } from "@std/bytes";
import {
  decodeCoefficients,
  encodeBaselineScan,
  type HuffmanSpecification,
  parseJpeg,
} from "../../lib/jpeg.ts";
import { segment } from "./jpegs.ts";

/** One piece of a picture. */
export interface Piece {
  /** Its marker's second octet. */
  readonly marker: number;
  /** All its octets; of SOS also the entropy-coded data behind it. */
  readonly octets: Uint8Array;
}

/** The pieces of a picture, from SOI to EOI. */
export function piecesOf(jpeg: Uint8Array): Piece[] {
  const { scans } = parseJpeg(jpeg);
  const pieces: Piece[] = [{ marker: 0xd8, octets: jpeg.subarray(0, 2) }];
  for (let at = 2; at < jpeg.length;) {
    const marker = jpeg[at + 1];
    if (marker === 0xd9) {
      pieces.push({ marker, octets: jpeg.subarray(at, at + 2) });
      break;
    }
    let end = at + 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
    if (marker === 0xda) end = scans.find((scan) => scan.start === end)!.end;
    pieces.push({ marker, octets: jpeg.subarray(at, end) });
    at = end;
  }
  return pieces;
}

/** Puts pieces together. */
export function joined(pieces: readonly Piece[]): Uint8Array {
  return concat(pieces.map(({ octets }) => octets));
}

/** The picture with each piece replaced by what `change` makes of it. */
export function changed(
  jpeg: Uint8Array,
  change: (piece: Piece) => readonly Uint8Array[],
): Uint8Array {
  return concat(piecesOf(jpeg).flatMap((piece) => [...change(piece)]));
}

/** The picture without the pieces of some markers. */
export function without(jpeg: Uint8Array, ...markers: readonly number[]): Uint8Array {
  return changed(jpeg, ({ marker, octets }) => markers.includes(marker) ? [] : [octets]);
}

/** The picture with segments put before the first piece of a marker. */
export function withBefore(
  jpeg: Uint8Array,
  marker: number,
  ...segments: readonly Uint8Array[]
): Uint8Array {
  let isDone = false;
  return changed(jpeg, (piece) => {
    if (isDone || piece.marker !== marker) return [piece.octets];
    isDone = true;
    return [...segments, piece.octets];
  });
}

/** The picture with one octet of each piece of a marker changed; `at` counts from the marker. */
export function patched(
  jpeg: Uint8Array,
  marker: number,
  patch: (octets: Uint8Array) => void,
): Uint8Array {
  return changed(jpeg, (piece) => {
    if (piece.marker !== marker) return [piece.octets];
    const octets = piece.octets.slice();
    patch(octets);
    return [octets];
  });
}

/** A DHT segment of one table. */
export function huffmanSegment(
  slot: number,
  isDc: boolean,
  table: HuffmanSpecification,
): Uint8Array {
  const numbers = (list: ArrayLike<number>) => Array.from(list);
  return segment(0xc4, [
    (isDc ? 0 : 0x10) | slot,
    ...numbers(table.counts),
    ...numbers(table.symbols),
  ]);
}

/** A picture of one scan, coded anew with other Huffman tables, each component with those in its place of the list. */
export function withTables(
  jpeg: Uint8Array,
  tables: readonly { readonly dc: HuffmanSpecification; readonly ac: HuffmanSpecification }[],
): Uint8Array {
  const coefficients = decodeCoefficients(jpeg);
  const distinct = [...new Set(tables)];
  const scan = encodeBaselineScan(coefficients, {
    tables,
    restartInterval: parseJpeg(jpeg).restartInterval,
  });
  const selectors = tables.flatMap((table, i) => {
    const slot = distinct.indexOf(table);
    return [coefficients.components[i].id, slot << 4 | slot];
  });
  const header = segment(0xda, [tables.length, ...selectors, 0, 63, 0]);
  const segments = distinct.flatMap((table, slot) => [
    huffmanSegment(slot, true, table.dc),
    huffmanSegment(slot, false, table.ac),
  ]);
  return changed(jpeg, ({ marker, octets }) => {
    if (marker === 0xc4) return [];
    return marker === 0xda ? [...segments, header, scan] : [octets];
  });
}
