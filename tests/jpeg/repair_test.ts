import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import {
  decodeCoefficients,
  parseJpeg,
  prepareJpeg,
  repairJpeg,
  STANDARD_HUFFMAN_TABLES,
  withHuffmanTables,
} from "../../lib/jpeg.ts";
import { describeJpegPayload } from "../../lib/rtp_jpeg.ts";
import { movieOf } from "../support/corpus.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { testWith } from "../support/programs.ts";
import { seeded } from "../support/property.ts";
import { generator, randomJpegs, seenOf, writeRandomJpeg } from "../support/random_jpegs.ts";

Deno.test("property: repairJpeg() keeps every coefficient of any picture, times its step", () => {
  fc.assert(
    fc.property(randomJpegs(), fc.constantFrom("keep", "none", "rows"), (recipe, restart) => {
      const written = writeRandomJpeg(recipe);
      const { jpeg, actions } = repairJpeg(written.jpeg, { restart });
      const payload = describeJpegPayload(jpeg), image = parseJpeg(jpeg);
      assertEquals([image.width, image.height], [recipe.width, recipe.height]);
      if (restart === "none") assertEquals(payload.restartInterval, 0);
      if (actions.length === 0) return assertEquals(jpeg, written.jpeg);
      const repaired = decodeCoefficients(jpeg);
      recipe.factors.forEach((_, i) => {
        const steps = image.quantizationTables[Math.min(i, 1)]!;
        assertEquals(
          seenOf(repaired, i, steps),
          seenOf({ ...recipe, components: written.components }, i, recipe.steps[i]),
          `component ${i}`,
        );
      });
      if (recipe.factors.length === 1) {
        assert(repaired.components[1].values.every((value) => value === 0), "colour is neutral");
      }
      assertEquals(repairJpeg(jpeg, { restart }).actions, [], "nothing is left to be done");
    }),
    seeded(150),
  );
});

Deno.test("property: repairJpeg() and prepareJpeg() throw nothing but JpegFormatError, for any damage", () => {
  fc.assert(
    fc.property(
      randomJpegs(),
      fc.nat(),
      fc.constantFrom("cut", "flip", "splice"),
      (recipe, seed, kind) => {
        const random = generator(seed);
        const { jpeg } = writeRandomJpeg(recipe);
        const damaged = damage(jpeg, kind, random);
        for (
          const work of [() => repairJpeg(damaged), () => prepareJpeg(damaged, { maxWidth: 33 })]
        ) {
          try {
            assert(work().jpeg.length < 65_536);
          } catch (error) {
            assertInstanceOf(error, JpegFormatError);
            assert(error.offset >= 0);
          }
        }
      },
    ),
    seeded(300),
  );
});

Deno.test("repairJpeg() has bounded time and memory for headers that claim more than the data can hold", () => {
  const huge = buildJpeg({ width: 65_500, height: 65_500, frameType: 0xc2 });
  assertEquals(assertThrows(() => repairJpeg(huge), JpegFormatError).code, "picture-too-large");
  const large = buildJpeg({ width: 8000, height: 8000, frameType: 0xc2 });
  assertEquals(assertThrows(() => repairJpeg(large), JpegFormatError).code, "data-too-short");
});

Deno.test("repairJpeg() says why it cannot be done without loss", () => {
  const cases = [
    [{ sampling: "1x1,1x1,1x1" }, "unsupported-sampling", "it is 4:4:4, wanted 4:2:0 or 4:2:2"],
    [{ sampling: "2x2,2x2,2x2" }, "unsupported-sampling", "it is 4:4:4"],
    [{ sampling: "1x2,1x1,1x1" }, "unsupported-sampling", "it is 4:4:0"],
    [{ sampling: "4x1,1x1,1x1" }, "unsupported-sampling", "it is 4:1:1"],
    [{ sampling: "1x1,2x2,1x1" }, "unsupported-sampling", "it is subsampled 1x1,2x2,1x1"],
    [{ sampling: "1x1,1x1,1x1,1x1" }, "unsupported-colour", "it is CMYK"],
    [{ sampling: "1x1,1x1" }, "unsupported-components", "it has 2 components"],
    [{ precision: 12 }, "unsupported-precision", "its samples have 12 bits"],
    [{ frameType: 0xc3 }, "unsupported-coding", "it is lossless"],
    [{ frameType: 0xcb }, "unsupported-coding", "it is lossless with arithmetic coding"],
    [{ frameType: 0xc6 }, "unsupported-coding", "it is differential progressive"],
    [{ ids: [82, 71, 66] }, "unsupported-colour", "it is RGB"],
  ] as const;
  for (const [recipe, code, reason] of cases) {
    const error = assertThrows(() => repairJpeg(buildJpeg(recipe)), JpegFormatError, reason);
    assertEquals(error.code, code);
  }
});

Deno.test("repairJpeg() leaves alone what only looks odd", () => {
  const odd = [
    buildJpeg({ ids: [7, 8, 9] }),
    buildJpeg({ slots: [0, 0, 0] }),
    buildJpeg({ slots: [3, 1, 1], tables: { 3: Array(64).fill(9), 1: Array(64).fill(9) } }),
    buildJpeg({ huffman: new Uint8Array(0) }),
    buildJpeg({ frameType: 0xc1 }),
  ];
  for (const jpeg of odd) assertEquals(repairJpeg(jpeg), { jpeg, actions: [] });
});

testWith(
  ["cjpeg"],
  "repairJpeg() makes of optimized and progressive pictures what cjpeg writes with standard tables",
  async () => {
    const [optimized, progressive] = await Promise.all([
      movieOf("optimized"),
      movieOf("progressive"),
    ]);
    optimized.frames.forEach((frame, i) => {
      const one = repairJpeg(frame), other = repairJpeg(progressive.frames[i]);
      assertEquals([one.actions, other.actions], [["huffman-tables"], ["baseline"]]);
      assertEquals(one.jpeg, other.jpeg);
    });
  },
);

testWith(
  ["cjpeg"],
  "repairJpeg() takes restart markers out and puts the same back in",
  async () => {
    const { frames } = await movieOf("420-restart-326x246");
    const [frame] = frames;
    const without = repairJpeg(frame, { restart: "none" });
    assertEquals(parseJpeg(without.jpeg).restartInterval, 0);
    const again = repairJpeg(without.jpeg, { restart: "rows" });
    const before = parseJpeg(frame), after = parseJpeg(again.jpeg);
    assertEquals(after.restartInterval, before.restartInterval);
    assertEquals(
      again.jpeg.subarray(after.scanStart, after.scanEnd),
      frame.subarray(before.scanStart, before.scanEnd),
    );
  },
);

Deno.test("prepareJpeg() does as much as its level allows", () => {
  const full = writeRandomJpeg({
    ...{ width: 40, height: 24, ids: [1, 2, 3], restartInterval: 0, seed: 1, tables: "standard" },
    factors: [[1, 1], [1, 1], [1, 1]],
    steps: [1, 2, 3].map(() => Array(64).fill(4)),
    hasOwnScans: false,
  }).jpeg;
  assertEquals(prepareJpeg(full, { level: "off" }), { jpeg: full, actions: [] });
  assertThrows(() => prepareJpeg(full, { level: "lossless" }), JpegFormatError, "it is 4:4:4");
  assertEquals(prepareJpeg(full).actions, ["colour-resampled"]);
  assertEquals(describeJpegPayload(prepareJpeg(full).jpeg).type, 0);
});

Deno.test("prepareJpeg() refuses a picture that ends too early, and takes one that only lacks EOI", () => {
  const film = Deno.readFileSync(new URL("../../media/video.mjpeg", import.meta.url));
  const picture = film.subarray(5, 5 + parseJpeg(film.subarray(5)).end);
  const cut = picture.subarray(0, picture.length - 2);
  assertEquals(prepareJpeg(cut), { jpeg: cut, actions: [] });
  const half = picture.subarray(0, picture.length >> 1);
  assertEquals(assertThrows(() => prepareJpeg(half), JpegFormatError).code, "truncated");
});

Deno.test("withHuffmanTables() puts the standard tables where there are none, and nowhere else", () => {
  const bare = buildJpeg({ huffman: new Uint8Array(0) }), whole = withHuffmanTables(bare);
  assertEquals(whole.length, bare.length + STANDARD_HUFFMAN_TABLES.length);
  assertEquals(parseJpeg(whole).huffmanTables, "standard");
  const others = [
    buildJpeg(),
    buildJpeg({ huffman: new Uint8Array(0), frameType: 0xc2 }),
    new Uint8Array([0xff, 0xd8, 0xff]),
    new Uint8Array(0),
  ];
  for (const jpeg of others) assertEquals(withHuffmanTables(jpeg), jpeg);
});

function damage(
  jpeg: Uint8Array,
  kind: "cut" | "flip" | "splice",
  random: () => number,
): Uint8Array {
  const at = Math.floor(random() * jpeg.length);
  if (kind === "cut") return jpeg.subarray(0, at);
  if (kind === "splice") return concat([jpeg.subarray(0, at), jpeg.subarray(at >> 1)]);
  const damaged = jpeg.slice();
  for (let i = 0; i < 4; i++) {
    damaged[Math.floor(random() * jpeg.length)] ^= 1 << Math.floor(random() * 8);
  }
  return damaged;
}
