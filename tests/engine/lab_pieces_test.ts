import { assertEquals } from "@std/assert";
import { LabPieces } from "../../lib/engine/lab_pieces.ts";

Deno.test("LabPieces tells pieces by number, length and content", () => {
  const pieces = new LabPieces();
  const piece = (length: number, octet: number) => new Uint8Array(length).fill(octet);
  for (const [number, length, octet] of [[1, 1400, 1], [1, 1400, 2], [1, 900, 2], [2, 1400, 1]]) {
    assertEquals(pieces.isRepeated(number, piece(length, octet)), false);
    assertEquals(pieces.isRepeated(number, piece(length, octet)), true);
  }
  pieces.clear();
  assertEquals(pieces.isRepeated(1, piece(1400, 1)), false);
});

Deno.test("LabPieces forgets the oldest of many", () => {
  const pieces = new LabPieces();
  for (let i = 0; i < 257; i++) pieces.isRepeated(i, new Uint8Array(1));
  assertEquals(pieces.isRepeated(1, new Uint8Array(1)), true);
  assertEquals(pieces.isRepeated(0, new Uint8Array(1)), false);
});
