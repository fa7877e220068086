import { assertEquals, assertThrows } from "@std/assert";
import {
  matchStandardQuality,
  STANDARD_HUFFMAN,
  STANDARD_HUFFMAN_TABLES,
  standardQuantizationTables,
  ZIGZAG,
} from "../../lib/jpeg/tables.ts";
import { buildEncoderTable } from "../../lib/jpeg/huffman_table.ts";

Deno.test("ZIGZAG visits every coefficient once, along diagonals", () => {
  assertEquals([...ZIGZAG].sort((a, b) => a - b), Array.from({ length: 64 }, (_, i) => i));
  assertEquals([...ZIGZAG.subarray(0, 10)], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
  assertEquals([...ZIGZAG.subarray(60)], [61, 54, 47, 55, 62, 63].slice(-4));
});

Deno.test("standardQuantizationTables() gives T.81 Annex K at 50 and its ends at 1 and 99", () => {
  const at50 = standardQuantizationTables(50);
  assertEquals([...at50.luma.subarray(0, 16)], [
    ...[16, 11, 12, 14, 12, 10, 16, 14],
    ...[13, 14, 18, 17, 16, 19, 24, 40],
  ]);
  assertEquals([...at50.chroma.subarray(0, 8)], [17, 18, 18, 24, 21, 24, 47, 26]);
  assertEquals(at50.luma[63], 99);
  assertEquals(new Set(standardQuantizationTables(1).luma), new Set([255]));
  assertEquals([
    Math.min(...standardQuantizationTables(99).luma),
    standardQuantizationTables(99).luma[63],
  ], [1, 2]);
});

Deno.test("standardQuantizationTables() refuses what no quality is", () => {
  for (const q of [0, 100, 1.5, -1, NaN]) {
    assertThrows(() => standardQuantizationTables(q), RangeError);
  }
});

Deno.test("matchStandardQuality() finds each quality, or one with the same tables", () => {
  for (let q = 1; q <= 99; q++) {
    const { luma, chroma } = standardQuantizationTables(q);
    const found = matchStandardQuality(luma, chroma);
    assertEquals(standardQuantizationTables(found ?? 0), { luma, chroma }, `quality ${q}`);
  }
});

Deno.test("matchStandardQuality() refuses a table that differs in its last step", () => {
  const { luma, chroma } = standardQuantizationTables(80);
  const other = chroma.slice();
  other[63]++;
  assertEquals(matchStandardQuality(luma, other), undefined);
});

Deno.test("STANDARD_HUFFMAN is a complete set of prefix codes with the known sizes", () => {
  const sizes = [STANDARD_HUFFMAN.luma, STANDARD_HUFFMAN.chroma].flatMap(({ dc, ac }) => {
    buildEncoderTable(dc);
    buildEncoderTable(ac);
    return [dc.symbols.length, ac.symbols.length];
  });
  assertEquals(sizes, [12, 162, 12, 162]);
  // The three longest-known codes: EOB of luma is 1010, of chroma 00, ZRL of luma 11111111001.
  const luma = buildEncoderTable(STANDARD_HUFFMAN.luma.ac),
    chroma = buildEncoderTable(STANDARD_HUFFMAN.chroma.ac);
  assertEquals([luma.codes[0], luma.lengths[0], chroma.codes[0], chroma.lengths[0]], [
    0b1010,
    4,
    0,
    2,
  ]);
  assertEquals([luma.codes[0xf0], luma.lengths[0xf0]], [0b11111111001, 11]);
});

Deno.test("STANDARD_HUFFMAN_TABLES is one DHT segment of four tables", () => {
  assertEquals([...STANDARD_HUFFMAN_TABLES.subarray(0, 5)], [0xff, 0xc4, 0x01, 0xa2, 0x00]);
  assertEquals(STANDARD_HUFFMAN_TABLES.length, 420);
});
