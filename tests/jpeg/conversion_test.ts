import { assert, assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import {
  convertJpeg,
  decodeCoefficients,
  encodeBaselineScan,
  type JpegImage,
  parseJpeg,
  type RepairAction,
  STANDARD_HUFFMAN,
  STANDARD_HUFFMAN_TABLES,
} from "../../lib/jpeg.ts";
import { planeOf } from "../../lib/jpeg/planes.ts";
import { describeJpegPayload } from "../../lib/rtp_jpeg.ts";
import { movieOf } from "../support/corpus.ts";
import { buildJpeg, segment } from "../support/jpegs.ts";
import { pixelsOf, psnr } from "../support/pixels.ts";
import { testWith } from "../support/programs.ts";
import { seeded } from "../support/property.ts";
import { writeRandomJpeg } from "../support/random_jpegs.ts";

const ONES = Array<number>(64).fill(1);

/** A picture of one colour: the samples of each component, 0 to 255. */
function flatPicture(
  samples: readonly number[],
  options: { sampling?: string; precision?: number; extra?: Uint8Array[]; ids?: number[] } = {},
): Uint8Array {
  const { precision = 8 } = options;
  const step = precision === 8 ? 1 : 16;
  const middle = 2 ** (precision - 1), gain = (2 ** precision - 1) / 255;
  const factors = (options.sampling ?? samples.map(() => "1x1").join()).split(",");
  const components = factors.map((text, i) => {
    const [h, v] = text.split("x").map(Number);
    const values = new Int16Array(h * v * 64);
    // The DC is eight times the mean, centred.
    for (let at = 0; at < values.length; at += 64) {
      values[at] = Math.round(8 * (samples[i] * gain - middle) / step);
    }
    return { id: i, h, v, quantizationTable: 0, blocksPerLine: h, blockLines: v, values };
  });
  const table = precision === 8 ? STANDARD_HUFFMAN.luma : WIDE_TABLES;
  const side = 8 * Math.max(...components.map(({ h }) => h));
  const height = 8 * Math.max(...components.map(({ v }) => v));
  const scan = encodeBaselineScan({ precision, width: side, height, components }, {
    tables: components.map(() => table),
  });
  const tables = precision === 8 ? STANDARD_HUFFMAN_TABLES : segment(0xc4, [
    ...[0, ...WIDE_TABLES.dc.counts, ...WIDE_TABLES.dc.symbols],
    ...[0x10, ...WIDE_TABLES.ac.counts, ...WIDE_TABLES.ac.symbols],
  ]);
  return buildJpeg({
    ...{ width: side, height, precision, frameType: precision === 8 ? 0xc0 : 0xc1, scan },
    ...{
      sampling: factors.join(),
      tables: { 0: ONES.map(() => step) },
      slots: factors.map(() => 0),
    },
    ...{ selectors: factors.map(() => 0), huffman: tables, extra: options.extra },
    ids: options.ids ?? [1, 2, 3, 4],
  });
}

/** DC differences of up to 11 bits are enough here; sixteen symbols of five bits. */
const WIDE_TABLES = {
  dc: { counts: [0, 0, 0, 0, 16, ...Array<number>(11).fill(0)], symbols: [...Array(16).keys()] },
  ac: { counts: [0, 1, ...Array<number>(14).fill(0)], symbols: [0] },
};

/** Mean samples of the components of a converted picture. */
function meansOf(jpeg: Uint8Array): number[] {
  const image: JpegImage = parseJpeg(jpeg);
  return decodeCoefficients(jpeg).components.map((component, i) => {
    const steps = image.quantizationTables[Math.min(i, 1)]!;
    const { samples } = planeOf(component, { steps, precision: 8, width: 8, height: 8 });
    return Math.round(samples.reduce((sum, sample) => sum + sample, 0) / 64);
  });
}

const ADOBE = (transform: number) =>
  segment(0xee, [...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, transform]);

Deno.test("convertJpeg() gives colours as every viewer shows them", () => {
  const cases: [name: string, picture: Uint8Array, expected: number[], action: RepairAction][] = [
    ["4:4:4", flatPicture([100, 90, 200]), [100, 90, 200], "colour-resampled"],
    [
      "4:4:0",
      flatPicture([30, 140, 120], { sampling: "1x2,1x1,1x1" }),
      [30, 140, 120],
      "colour-resampled",
    ],
    [
      "4:1:1",
      flatPicture([30, 140, 120], { sampling: "4x1,1x1,1x1" }),
      [30, 140, 120],
      "colour-resampled",
    ],
    [
      "coarse luma",
      flatPicture([30, 140, 120], { sampling: "1x1,2x2,2x2" }),
      [30, 140, 120],
      "colour-resampled",
    ],
    ["RGB", flatPicture([255, 0, 0], { ids: [82, 71, 66] }), [76, 85, 255], "colour-converted"],
    [
      "RGB by Adobe",
      flatPicture([0, 0, 255], { extra: [ADOBE(0)] }),
      [29, 255, 107],
      "colour-converted",
    ],
    // No ink at all is white, whichever way round it is stored; full black ink is black.
    ["CMYK", flatPicture([0, 0, 0, 0]), [255, 128, 128], "colour-converted"],
    ["CMYK black", flatPicture([0, 0, 0, 255]), [0, 128, 128], "colour-converted"],
    [
      "CMYK by Adobe",
      flatPicture([255, 255, 255, 255], { extra: [ADOBE(0)] }),
      [255, 128, 128],
      "colour-converted",
    ],
    [
      "YCCK",
      flatPicture([0, 128, 128, 255], { extra: [ADOBE(2)] }),
      [255, 128, 128],
      "colour-converted",
    ],
    ["12 bits", flatPicture([200, 60, 128], { precision: 12, sampling: "2x2,1x1,1x1" }), [
      200,
      60,
      128,
    ], "sample-bits"],
    ["12 bits, grey", flatPicture([77], { precision: 12 }), [77, 128, 128], "sample-bits"],
  ];
  for (const [name, picture, expected, action] of cases) {
    const { jpeg, actions } = convertJpeg(picture);
    describeJpegPayload(jpeg);
    assertEquals(actions, [action], name);
    meansOf(jpeg).forEach((mean, i) => {
      assert(
        Math.abs(mean - expected[i]) <= 2,
        `${name}: component ${i} is ${mean}, wanted ${expected[i]}`,
      );
    });
  }
});

Deno.test("convertJpeg() keeps luma's coefficients where only colour is resampled", () => {
  const { jpeg, components } = writeRandomJpeg({
    ...{ width: 50, height: 30, ids: [1, 2, 3], restartInterval: 0, seed: 5, tables: "standard" },
    factors: [[1, 1], [1, 1], [1, 1]],
    steps: [ONES.map(() => 7), ONES.map(() => 9), ONES.map(() => 9)],
    hasOwnScans: false,
  });
  const converted = convertJpeg(jpeg).jpeg;
  const [luma] = decodeCoefficients(converted).components;
  const [source] = components;
  for (let line = 0; line < 4; line++) {
    assertEquals(
      luma.values.subarray(line * luma.blocksPerLine * 64, (line * luma.blocksPerLine + 7) * 64),
      source.values.subarray(
        line * source.blocksPerLine * 64,
        (line * source.blocksPerLine + 7) * 64,
      ),
    );
  }
  assertEquals(parseJpeg(converted).quantizationTables[0]![0], 7);
});

Deno.test("convertJpeg() scales into the box and keeps the shape", () => {
  const cases = [
    [{ maxWidth: 20 }, [20, 15]],
    [{ maxHeight: 10 }, [13, 10]],
    [{ maxWidth: 20, maxHeight: 3 }, [4, 3]],
    [{ maxWidth: 1 }, [1, 1]],
    [{ maxWidth: 1000, maxHeight: 1000 }, [40, 30]],
  ] as const;
  const { jpeg } = writeRandomJpeg({
    ...{ width: 40, height: 30, ids: [1, 2, 3], restartInterval: 2, seed: 5, tables: "standard" },
    factors: [[2, 2], [1, 1], [1, 1]],
    steps: [ONES, ONES, ONES],
    hasOwnScans: false,
  });
  for (const [options, size] of cases) {
    const image = parseJpeg(convertJpeg(jpeg, options).jpeg);
    assertEquals([image.width, image.height], [...size]);
  }
  assertEquals(parseJpeg(convertJpeg(jpeg, { maxWidth: 30 }).jpeg).restartInterval, 2);
  assertEquals(
    parseJpeg(convertJpeg(jpeg, { maxWidth: 30, restart: "none" }).jpeg).restartInterval,
    0,
  );
});

Deno.test("convertJpeg() refuses what it cannot read, and what is too large", () => {
  for (const frameType of [0xc5, 0xcb]) {
    assertThrows(() => convertJpeg(buildJpeg({ frameType })), JpegFormatError, "Cannot convert");
  }
  const huge = buildJpeg({ width: 9000, height: 9000 });
  assertEquals(assertThrows(() => convertJpeg(huge), JpegFormatError).code, "too-large");
  const bare = buildJpeg({ tables: { 1: ONES } });
  assertEquals(
    assertThrows(() => convertJpeg(bare, { maxWidth: 9 }), JpegFormatError).code,
    "quantization-table-missing",
  );
});

Deno.test("property: convertJpeg() throws nothing but JpegFormatError, for any octets behind good headers", () => {
  const samplings = ["1x1,1x1,1x1", "1x2,1x1,1x1", "1x1,1x1,1x1,1x1", "1x1,2x1,2x1", "1x1"];
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 30, maxLength: 400 }),
      fc.constantFrom(...samplings),
      fc.constantFrom(0xc0, 0xc1, 0xc2),
      fc.constantFrom(8, 12),
      (scan, sampling, frameType, precision) => {
        const stuffed = concat(
          Array.from(scan, (octet) => octet === 255 ? Uint8Array.of(255, 0) : Uint8Array.of(octet)),
        );
        const jpeg = buildJpeg({
          width: 24,
          height: 16,
          sampling,
          frameType,
          precision,
          scan: stuffed,
        });
        try {
          describeJpegPayload(convertJpeg(jpeg, { maxWidth: 17 }).jpeg);
        } catch (error) {
          assert(error instanceof JpegFormatError, String(error));
        }
      },
    ),
    seeded(300),
  );
});

testWith(
  ["cjpeg"],
  "convertJpeg() of 4:4:4 and of a scaled picture look like their source to djpeg",
  async () => {
    const { frames: [frame] } = await movieOf("420");
    const half = await pixelsOf(convertJpeg(frame, { maxWidth: 160 }).jpeg);
    const whole = await pixelsOf(frame);
    const rgb = new Uint8Array(160 * 120 * 3);
    for (let i = 0; i < rgb.length; i++) {
      const x = Math.floor(i / 3) % 160, y = Math.floor(i / 480), channel = i % 3;
      const at = (row: number, column: number) =>
        whole.rgb[((2 * y + row) * 320 + 2 * x + column) * 3 + channel];
      rgb[i] = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
    }
    assertGreaterOrEqual(psnr(half, { width: 160, height: 120, rgb }), 26);
  },
);
