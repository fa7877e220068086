import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addSequenceNumber,
  addTimestamp,
  extendSequenceNumber,
  sequenceNumberDistance,
  timestampDistance,
} from "../lib/serial.ts";
import { seeded } from "./support/property.ts";

Deno.test("sequenceNumberDistance() goes the short way round 65536", () => {
  for (
    const [from, to, distance] of [
      [0, 0, 0],
      [0, 1, 1],
      [1, 0, -1],
      [65535, 0, 1],
      [0, 65535, -1],
      [65534, 3, 5],
      [0, 32767, 32767],
      [0, 32768, -32768],
      [40000, 7232, -32768],
    ]
  ) assertEquals(sequenceNumberDistance(from, to), distance);
});

Deno.test("timestampDistance() goes the short way round 2^32", () => {
  for (
    const [from, to, distance] of [
      [0, 0, 0],
      [2 ** 32 - 2, 1, 3],
      [1, 2 ** 32 - 2, -3],
      [0, 2 ** 31 - 1, 2 ** 31 - 1],
      [0, 2 ** 31, -(2 ** 31)],
      [2 ** 31, 0, -(2 ** 31)],
    ]
  ) assertEquals(timestampDistance(from, to), distance);
});

Deno.test("addSequenceNumber() and addTimestamp() wrap both ways", () => {
  assertEquals(addSequenceNumber(65535, 1), 0);
  assertEquals(addSequenceNumber(0, -1), 65535);
  assertEquals(addSequenceNumber(5, 65536 * 3 + 1), 6);
  assertEquals(addTimestamp(2 ** 32 - 1, 1), 0);
  assertEquals(addTimestamp(0, -1), 2 ** 32 - 1);
  assertEquals(addTimestamp(7, 2 ** 40 + 1), 8);
});

Deno.test("extendSequenceNumber() counts cycles, two of them and back", () => {
  let extended = 65534;
  for (let i = 0; i < 3 * 65536; i++) {
    extended = extendSequenceNumber(extended, (extended + 1) & 0xffff);
  }
  assertEquals(extended, 65534 + 3 * 65536);
  assertEquals(extendSequenceNumber(extended, 65533), extended - 1);
  assertEquals(extendSequenceNumber(0, 65535), -1);
  assertEquals(extendSequenceNumber(2 ** 31 + 65535, 0), 2 ** 31 + 65536);
});

Deno.test("serial arithmetic: property: adding a distance arrives", () => {
  const uint16 = fc.integer({ min: 0, max: 0xffff });
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(uint16, uint16, (a, b) => {
      assertEquals(addSequenceNumber(a, sequenceNumberDistance(a, b)), b);
    }),
    seeded(),
  );
  fc.assert(
    fc.property(uint32, uint32, (a, b) => {
      assertEquals(addTimestamp(a, timestampDistance(a, b)), b);
    }),
    seeded(),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), uint16, (reference, number) => {
      const extended = extendSequenceNumber(reference, number);
      assertEquals(((extended % 65536) + 65536) % 65536, number);
      assertEquals(extended - reference >= -32768 && extended - reference <= 32767, true);
    }),
    seeded(),
  );
});
