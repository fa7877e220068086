import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import { decodeCoefficients, prepareJpeg } from "../../lib/jpeg.ts";
import { movieOf } from "../support/corpus.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { testWith } from "../support/programs.ts";
import { seeded } from "../support/property.ts";
import { generator } from "../support/random_jpegs.ts";

testWith(
  ["cjpeg"],
  "decodeCoefficients() finds the same in progressive and in sequential pictures",
  async () => {
    const [progressive, optimized] = await Promise.all([
      movieOf("progressive"),
      movieOf("optimized"),
    ]);
    progressive.frames.forEach((frame, i) => {
      const one = decodeCoefficients(frame), other = decodeCoefficients(optimized.frames[i]);
      assertEquals([one.width, one.height, one.precision], [160, 120, 8]);
      assertEquals(one.components, other.components);
    });
  },
);

testWith(
  ["cjpeg"],
  "decodeCoefficients() finds the same in arithmetic-coded pictures, progressive or not",
  async () => {
    const [sequential, progressive, optimized] = await Promise.all([
      movieOf("arithmetic"),
      movieOf("arithmetic-progressive"),
      movieOf("optimized"),
    ]);
    optimized.frames.forEach((frame, i) => {
      const { components } = decodeCoefficients(frame);
      assertEquals(decodeCoefficients(sequential.frames[i]).components, components);
      assertEquals(decodeCoefficients(progressive.frames[i]).components, components);
      assertEquals(prepareJpeg(sequential.frames[i]).jpeg, prepareJpeg(frame).jpeg);
    });
  },
);

testWith(
  ["cjpeg"],
  "property: decodeCoefficients() of a damaged progressive picture throws JpegFormatError or gives a picture",
  async () => {
    const names = ["progressive", "arithmetic", "arithmetic-progressive"] as const;
    const movies = await Promise.all(names.map(movieOf));
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), fc.boolean(), (seed, count, isCut) => {
        const [frame] = movies[seed % 3].frames;
        const random = generator(seed);
        const damaged = isCut ? frame.slice(0, Math.floor(random() * frame.length)) : frame.slice();
        for (let i = 0; i < count; i++) {
          damaged[Math.floor(random() * damaged.length)] ^= 1 << Math.floor(random() * 8);
        }
        for (const work of [() => decodeCoefficients(damaged), () => prepareJpeg(damaged)]) {
          try {
            work();
          } catch (error) {
            assert(error instanceof JpegFormatError, String(error));
            assert(error.offset >= 0 && error.offset <= damaged.length, String(error.offset));
          }
        }
      }),
      seeded(300),
    );
  },
);

Deno.test("property: decodeCoefficients() takes any octets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      try {
        decodeCoefficients(octets);
      } catch (error) {
        assert(error instanceof JpegFormatError, String(error));
      }
    }),
    seeded(300),
  );
});

Deno.test("decodeCoefficients() names what is wrong", () => {
  const codeOf = (jpeg: Uint8Array) =>
    assertThrows(() => decodeCoefficients(jpeg), JpegFormatError).code;
  assertEquals(codeOf(new Uint8Array(0)), "frame-missing");
  assertEquals(codeOf(buildJpeg({ frameType: 0xcb })), "frame-type-unsupported");
  assertEquals(codeOf(buildJpeg({ precision: 16 })), "frame-type-unsupported");
  assertEquals(codeOf(buildJpeg({ width: 65_500, height: 65_500 })), "picture-too-large");
  assertEquals(codeOf(buildJpeg({ width: 4000, height: 4000 })), "data-too-short");
  assertEquals(codeOf(buildJpeg()), "scan-truncated");
  assertEquals(codeOf(buildJpeg({ selectors: [0x22, 0x11, 0x11] })), "huffman-table-missing");
});
