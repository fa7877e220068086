import { assert, assertEquals, assertGreaterOrEqual, assertThrows } from "@std/assert";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import { convertJpeg, parseJpeg, STANDARD_HUFFMAN } from "../../lib/jpeg.ts";
import { decodeLossless } from "../../lib/jpeg/lossless.ts";
import { describeJpegPayload } from "../../lib/rtp_jpeg.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";
import { generator } from "../support/random_jpegs.ts";

const WIDTH = 13, HEIGHT = 9;

/** A grey lossless picture of these samples, by a predictor of T.81 Table H.1, in the standard DC codes. */
function encoded(samples: Uint8Array, predictor: number, rowsBetweenMarkers = 0): Uint8Array {
  const { counts, symbols } = STANDARD_HUFFMAN.luma.dc;
  const codes = new Map<number, string>();
  let code = 0, index = 0;
  for (let length = 1; length <= 16; length++, code <<= 1) {
    for (let i = 0; i < counts[length - 1]; i++) {
      codes.set(symbols[index++], (code++).toString(2).padStart(length, "0"));
    }
  }
  let bits = "";
  const octets: number[] = [];
  const flush = () => {
    bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
    for (let i = 0; i < bits.length; i += 8) {
      const octet = parseInt(bits.slice(i, i + 8), 2);
      octets.push(...(octet === 255 ? [255, 0] : [octet]));
    }
    bits = "";
  };
  let first = 0;
  for (let y = 0; y < HEIGHT; y++) {
    if (rowsBetweenMarkers > 0 && y > 0 && y % rowsBetweenMarkers === 0) {
      flush();
      octets.push(0xff, 0xd0 | (y / rowsBetweenMarkers - 1) & 7);
      first = y;
    }
    for (let x = 0; x < WIDTH; x++) {
      const at = (dy: number, dx: number) => samples[(y - dy) * WIDTH + x - dx];
      const predicted = y === first ? x === 0 ? 128 : at(0, 1) : x === 0 ? at(1, 0) : [
        0,
        at(0, 1),
        at(1, 0),
        at(1, 1),
        at(0, 1) + at(1, 0) - at(1, 1),
        at(0, 1) + (at(1, 0) - at(1, 1) >> 1),
        at(1, 0) + (at(0, 1) - at(1, 1) >> 1),
        at(0, 1) + at(1, 0) >> 1,
      ][predictor];
      const difference = samples[y * WIDTH + x] - predicted;
      const size = 32 - Math.clz32(Math.abs(difference));
      bits += codes.get(size);
      if (size === 0) continue;
      const extra = difference < 0 ? difference + (1 << size) - 1 : difference;
      bits += extra.toString(2).padStart(size, "0");
    }
  }
  flush();
  const jpeg = buildJpeg({
    ...{ width: WIDTH, height: HEIGHT, frameType: 0xc3, sampling: "1x1", selectors: [0] },
    restartInterval: rowsBetweenMarkers === 0 ? undefined : rowsBetweenMarkers * WIDTH,
    scan: Uint8Array.from(octets),
  });
  // The scan header ends with the predictor, the end of the band, and the shift.
  const { scanStart } = parseJpeg(jpeg);
  jpeg.set([predictor, 0, 0], scanStart - 3);
  return jpeg;
}

Deno.test("property: decodeLossless() finds every sample, by every predictor, with restart markers and without", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(0, 1, 2, 4),
      (seed, predictor, rows) => {
        const random = generator(seed);
        const samples = Uint8Array.from(
          { length: WIDTH * HEIGHT },
          () => Math.floor(random() * 256),
        );
        const jpeg = encoded(samples, predictor, rows);
        const [plane] = decodeLossless(jpeg, parseJpeg(jpeg));
        assertEquals([plane.width, plane.height], [WIDTH, HEIGHT]);
        assertEquals(Uint8Array.from(plane.samples, Math.round), samples);
      },
    ),
    seeded(100),
  );
});

Deno.test("convertJpeg() makes a lossless picture fit for RTP/JPEG", () => {
  const samples = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => 40 + i);
  const { jpeg, actions } = convertJpeg(encoded(samples, 4));
  assertEquals(actions, ["lossless-coding"]);
  assertEquals(describeJpegPayload(jpeg).type, 1);
});

Deno.test("decodeLossless() names what is wrong", () => {
  const jpeg = encoded(new Uint8Array(WIDTH * HEIGHT), 1);
  const codeOf = (octets: Uint8Array) =>
    assertThrows(() => decodeLossless(octets, parseJpeg(octets)), JpegFormatError).code;
  const { scanStart } = parseJpeg(jpeg);
  const odd = jpeg.slice();
  odd[scanStart - 3] = 9;
  assertEquals(codeOf(odd), "scan-invalid");
  assertEquals(codeOf(jpeg.subarray(0, scanStart + 4)), "scan-truncated");
  assertEquals(codeOf(buildJpeg({ width: 900, height: 900, frameType: 0xc3 })), "data-too-short");
});

Deno.test("property: convertJpeg() of a damaged lossless picture throws JpegFormatError or gives a picture", () => {
  const random = generator(8);
  const samples = Uint8Array.from({ length: WIDTH * HEIGHT }, () => Math.floor(random() * 256));
  const jpeg = encoded(samples, 5, 2);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: jpeg.length - 1 }), fc.nat({ max: 255 }), (at, octet) => {
      const damaged = jpeg.slice();
      damaged[at] = octet;
      try {
        assertGreaterOrEqual(convertJpeg(damaged).jpeg.length, 100);
      } catch (error) {
        assert(error instanceof JpegFormatError, String(error));
      }
    }),
    seeded(300),
  );
});
