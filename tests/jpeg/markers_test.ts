import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import {
  parseJpeg,
  readJpegSize,
  STANDARD_HUFFMAN,
  STANDARD_HUFFMAN_TABLES,
} from "../../lib/jpeg.ts";
import {
  buildJpeg,
  type JpegRecipe,
  quantizationSegment,
  scans,
  segment,
  thumbnailSegment,
} from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

const bytes = (...octets: number[]) => new Uint8Array(octets);

Deno.test("parseJpeg() reads size, components, tables and the place of the scan", () => {
  const scan = bytes(5, 6, 0xff, 0, 7);
  const picture = buildJpeg({ width: 1921, height: 1081, scan });
  const image = parseJpeg(picture);
  assertEquals([image.width, image.height, image.precision, image.frameType], [
    1921,
    1081,
    8,
    0xc0,
  ]);
  assertEquals(
    image.components.map(({ id, h, v, quantizationTable }) => [id, h, v, quantizationTable]),
    [
      [1, 2, 2, 0],
      [2, 1, 1, 1],
      [3, 1, 1, 1],
    ],
  );
  assertEquals(picture.subarray(image.scanStart, image.scanEnd), scan);
  assertEquals([image.end, image.hasEndOfImage, image.restartInterval], [picture.length, true, 0]);
  assertEquals([image.huffmanTables, image.scans.length], ["standard", 1]);
  assertEquals(image.scans[0].components[1].ac, STANDARD_HUFFMAN.chroma.ac);
});

Deno.test("parseJpeg() passes over a thumbnail, comments and fill octets, and counts them", () => {
  const thumbnail = thumbnailSegment(), comment = segment(0xfe, [0xff, 0xd9, 0xff, 0xd8]);
  const picture = buildJpeg({ extra: [thumbnail, bytes(0xff, 0xff, 0xff), comment] });
  const image = parseJpeg(picture);
  assertEquals([image.width, image.applicationBytes, image.commentBytes], [
    64,
    thumbnail.length,
    comment.length,
  ]);
  assertEquals(image.end, picture.length);
});

Deno.test("parseJpeg() reads several tables in one segment, and 16-bit tables", () => {
  const one = Array.from({ length: 64 }, (_, i) => i + 1), large = one.map((step) => step * 300);
  const both = segment(0xdb, [0, ...one, 1, ...one.toReversed()]);
  const image = parseJpeg(buildJpeg({ tables: { 2: large }, extra: [both] }));
  assertEquals([...image.quantizationTables[0] ?? []], one);
  assertEquals([...image.quantizationTables[1] ?? []], one.toReversed());
  assertInstanceOf(image.quantizationTables[2], Uint16Array);
  assertEquals([...image.quantizationTables[2]], large);
});

Deno.test("parseJpeg() tells missing Huffman tables from standard and custom ones", () => {
  assertEquals(parseJpeg(buildJpeg({ huffman: bytes() })).huffmanTables, "missing");
  const swapped = parseJpeg(buildJpeg({ selectors: [0x11, 0x00, 0x00] }));
  assertEquals(swapped.huffmanTables, "custom");
  const oneCode = segment(0xc4, [0x00, 1, ...Array(15).fill(0), 0]);
  const custom = parseJpeg(buildJpeg({ huffman: oneCode }));
  assertEquals(custom.huffmanTables, "custom");
  assertEquals([...Array.from(custom.scans[0].components[0].dc?.symbols ?? [])], [0]);
  const absent = parseJpeg(buildJpeg({ selectors: [0x22, 0x11, 0x11] }));
  assertEquals([absent.huffmanTables, absent.scans[0].components[0].dc], ["custom", undefined]);
});

Deno.test("parseJpeg() finds standard tables in any slot and in segments of their own", () => {
  const octets = STANDARD_HUFFMAN_TABLES;
  const moved = octets.slice();
  // Luma DC stands first: its class and slot are octet 4; luma AC follows both DC tables.
  moved[4] = 0x03;
  const image = parseJpeg(buildJpeg({ huffman: moved, selectors: [0x30, 0x11, 0x11] }));
  assertEquals(image.huffmanTables, "standard");
});

Deno.test("parseJpeg() accepts a missing EOI and stops at the next SOI", () => {
  const picture = buildJpeg({ end: bytes() });
  const alone = parseJpeg(picture), followed = parseJpeg(concat([picture, buildJpeg()]));
  for (const image of [alone, followed]) {
    assertEquals([image.hasEndOfImage, image.scanEnd, image.end], [
      false,
      picture.length,
      picture.length,
    ]);
  }
});

Deno.test("parseJpeg() takes the height from DNL where the frame header leaves it open", () => {
  const end = concat([segment(0xdc, [0, 99]), bytes(0xff, 0xd9)]);
  assertEquals(parseJpeg(buildJpeg({ height: 0, end })).height, 99);
  assertThrows(() => parseJpeg(buildJpeg({ height: 0 })), JpegFormatError, "height is 0");
});

Deno.test("parseJpeg() reads restart intervals and every scan", () => {
  const second = concat([
    segment(0xdd, [0, 9]),
    segment(0xda, [1, 2, 0x11, 1, 5, 0x10]),
    bytes(8, 0xff, 0xd9),
  ]);
  const image = parseJpeg(buildJpeg({ restartInterval: 4, frameType: 0xc2, end: second }));
  assertEquals(image.scans.map((scan) => scan.restartInterval), [4, 9]);
  const { components, spectralStart, spectralEnd, approximation } = image.scans[1];
  assertEquals([components[0].component, spectralStart, spectralEnd, approximation], [
    1,
    1,
    5,
    0x10,
  ]);
  assertEquals(image.restartInterval, 4);
});

const REFUSED: readonly { name: string; octets: Uint8Array; code: string; offset: number }[] = [
  { name: "nothing", octets: bytes(), code: "no-start-of-image", offset: 0 },
  {
    name: "another format",
    octets: bytes(0x89, 0x50, 0x4e, 0x47),
    code: "no-start-of-image",
    offset: 0,
  },
  { name: "only SOI", octets: bytes(0xff, 0xd8), code: "truncated", offset: 2 },
  {
    name: "SOI twice",
    octets: bytes(0xff, 0xd8, 0xff, 0xd8),
    code: "unexpected-marker",
    offset: 2,
  },
  {
    name: "EOI at once",
    octets: bytes(0xff, 0xd8, 0xff, 0xd9),
    code: "no-frame-header",
    offset: 4,
  },
  {
    name: "a length of 1",
    octets: bytes(0xff, 0xd8, 0xff, 0xe0, 0, 1),
    code: "segment-length",
    offset: 4,
  },
  {
    name: "a segment past the end",
    octets: bytes(0xff, 0xd8, 0xff, 0xe0, 0, 9, 1),
    code: "truncated",
    offset: 2,
  },
  {
    name: "a table past its segment",
    octets: concat([bytes(0xff, 0xd8), segment(0xdb, [0, 1, 2])]),
    code: "quantization-table",
    offset: 6,
  },
  {
    name: "table slot 4",
    octets: concat([bytes(0xff, 0xd8), segment(0xdb, [4])]),
    code: "quantization-table",
    offset: 6,
  },
  {
    name: "Huffman symbols past their segment",
    octets: concat([bytes(0xff, 0xd8), segment(0xc4, [0, ...Array(16).fill(9)])]),
    code: "huffman-table",
    offset: 6,
  },
  {
    name: "a scan first",
    octets: concat([bytes(0xff, 0xd8), segment(0xda, [1, 1, 0, 0, 63, 0])]),
    code: "no-frame-header",
    offset: 2,
  },
  {
    name: "no component",
    octets: buildJpeg({ tables: {}, sampling: "0x0" }),
    code: "frame-header",
    offset: 12,
  },
  { name: "width 0", octets: buildJpeg({ tables: {}, width: 0 }), code: "frame-header", offset: 9 },
];

Deno.test("parseJpeg() refuses with the code and the offset of the fault", async (t) => {
  for (const { name, octets, code, offset } of REFUSED) {
    await t.step(name, () => {
      const error = assertThrows(() => parseJpeg(octets), JpegFormatError);
      assertEquals([error.code, error.offset], [code, offset], error.message);
    });
  }
});

Deno.test("parseJpeg() refuses a scan of a component that is not there, and a second frame header", () => {
  const stranger = concat([segment(0xda, [1, 9, 0, 0, 63, 0]), bytes(1)]);
  assertThrows(() => parseJpeg(buildJpeg({ end: stranger })), JpegFormatError, "component 9");
  const again = segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
  assertThrows(
    () => parseJpeg(buildJpeg({ extra: [again] })),
    JpegFormatError,
    "second frame header",
  );
});

Deno.test("parseJpeg() gives a picture or JpegFormatError for every prefix", () => {
  const picture = buildJpeg({ extra: [thumbnailSegment()], restartInterval: 3 });
  const { scanStart } = parseJpeg(picture);
  for (let size = 0; size <= picture.length; size++) {
    const prefix = picture.subarray(0, size);
    if (size >= scanStart) assert(parseJpeg(prefix).end <= size);
    else assertThrows(() => parseJpeg(prefix), JpegFormatError);
  }
});

Deno.test("readJpegSize() needs no more than the frame header", () => {
  assertEquals(readJpegSize(buildJpeg({ width: 7, height: 9 }).subarray(0, 160)), {
    width: 7,
    height: 9,
  });
  assertEquals(readJpegSize(bytes(1, 2, 3)), undefined);
});

const recipes: fc.Arbitrary<JpegRecipe> = fc.record({
  width: fc.integer({ min: 1, max: 0xffff }),
  height: fc.integer({ min: 1, max: 0xffff }),
  restartInterval: fc.option(fc.nat(0xffff), { nil: undefined }),
  sampling: fc.constantFrom("2x2,1x1,1x1", "2x1,1x1,1x1", "1x1,1x1,1x1", "1x1", "4x1,1x1,1x1,4x1"),
  scan: scans({ maxLength: 60 }),
});

Deno.test("property: parseJpeg() reads back what was built", () => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      const picture = buildJpeg(recipe), image = parseJpeg(picture);
      assertEquals([image.width, image.height], [recipe.width, recipe.height]);
      assertEquals(image.restartInterval, recipe.restartInterval ?? 0);
      assertEquals(picture.subarray(image.scanStart, image.scanEnd), recipe.scan);
    }),
    seeded(200),
  );
});

Deno.test("property: parseJpeg() throws nothing but JpegFormatError, for any octets and any damage", () => {
  const damaged = fc.tuple(
    recipes,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    fc.nat(),
  )
    .map(([recipe, changes, cut]) => {
      const picture = buildJpeg({
        ...recipe,
        extra: [quantizationSegment(3, Array(64).fill(700))],
      });
      for (const [at, octet] of changes) picture[at % picture.length] = octet;
      return picture.subarray(0, cut % 3 === 0 ? cut % picture.length : picture.length);
    });
  const anything = fc.uint8Array({ maxLength: 300 }).map((tail) =>
    concat([bytes(0xff, 0xd8, 0xff), tail])
  );
  fc.assert(
    fc.property(fc.oneof(damaged, anything), (octets) => {
      try {
        const image = parseJpeg(octets);
        assert(
          image.scanStart <= image.scanEnd && image.scanEnd <= image.end &&
            image.end <= octets.length,
        );
      } catch (error) {
        assertInstanceOf(error, JpegFormatError);
        assert(error.offset >= 0 && error.offset <= octets.length, `${error.offset}`);
      }
    }),
    seeded(1000),
  );
});
