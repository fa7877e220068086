import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import {
  decodeCoefficients,
  encodeBaselineScan,
  type HuffmanSpecification,
  type RecodeScanOptions,
  ScanRecoder,
  STANDARD_HUFFMAN,
} from "../../lib/jpeg.ts";
import { seeded } from "../support/property.ts";
import { generator, writeRandomJpeg } from "../support/random_jpegs.ts";

const { luma, chroma } = STANDARD_HUFFMAN;
const SHAPE = {
  ...{ width: 70, height: 50, ids: [1, 2, 3], restartInterval: 0, hasOwnScans: false },
  tables: "standard",
  factors: [[2, 2], [1, 1], [1, 1]],
  steps: [1, 1, 1].map((step) => Array<number>(64).fill(step)),
} as const;
/** 70x50 pixels in MCUs of 16x16. */
const MCU_COUNT = 5 * 4;

/** Symbols in reverse order under the lengths of the standard table. */
function reversed({ counts, symbols }: HuffmanSpecification): HuffmanSpecification {
  return { counts, symbols: Array.from(symbols).reverse() };
}

const REVERSED = { dc: reversed(luma.dc), ac: reversed(luma.ac) };

function optionsFor(options: Partial<RecodeScanOptions> = {}): RecodeScanOptions {
  return {
    components: [4, 1, 1].map((blocksPerMcu, i) => ({
      blocksPerMcu,
      from: REVERSED,
      to: i === 0 ? luma : chroma,
    })),
    mcuCount: MCU_COUNT,
    restartInterval: 0,
    ...options,
  };
}

Deno.test("property: ScanRecoder writes what the encoder writes, for any coefficients, tables and restart markers", () => {
  const recoder = new ScanRecoder();
  const intervals = fc.constantFrom(0, 1, 3, 5, 19, 20, 1000);
  fc.assert(
    fc.property(fc.nat(), intervals, intervals, (seed, restartInterval, targetRestartInterval) => {
      const picture = decodeCoefficients(writeRandomJpeg({ ...SHAPE, seed }).jpeg);
      const scan = encodeBaselineScan(picture, {
        tables: [REVERSED, REVERSED, REVERSED],
        restartInterval,
      });
      assertEquals(
        recoder.recode(scan, optionsFor({ restartInterval, targetRestartInterval })),
        encodeBaselineScan(picture, {
          tables: [luma, chroma, chroma],
          restartInterval: targetRestartInterval,
        }),
      );
    }),
    seeded(60),
  );
});

Deno.test("ScanRecoder names what is wrong with a scan", () => {
  const recoder = new ScanRecoder();
  const picture = decodeCoefficients(writeRandomJpeg({ ...SHAPE, seed: 3 }).jpeg);
  const scan = encodeBaselineScan(picture, { tables: [REVERSED, REVERSED, REVERSED] });
  const codeOf = (octets: Uint8Array, options: Partial<RecodeScanOptions> = {}) =>
    assertThrows(() => recoder.recode(octets, optionsFor(options)), JpegFormatError).code;
  assertEquals(codeOf(scan.subarray(0, scan.length >> 1)), "scan-truncated");
  assertEquals(codeOf(new Uint8Array(0)), "scan-truncated");
  assertEquals(codeOf(scan, { restartInterval: 2 }), "scan-restart-missing");
  const one = (from: HuffmanSpecification, to: HuffmanSpecification) => ({
    components: [{ blocksPerMcu: 1, from: { dc: from, ac: luma.ac }, to: { dc: to, ac: luma.ac } }],
    mcuCount: 1,
  });
  const few: HuffmanSpecification = { counts: [0, 1, ...Array(14).fill(0)], symbols: [3] };
  assertEquals(
    codeOf(Uint8Array.of(0xff, 0, 0xff, 0, 0xff, 0), one(few, luma.dc)),
    "huffman-code-unknown",
  );
  assertEquals(
    codeOf(Uint8Array.of(0b01000000, 0, 0), one(luma.dc, few)),
    "huffman-symbol-not-standard",
  );
  const full: HuffmanSpecification = { counts: [3, ...Array(15).fill(0)], symbols: [0, 1, 2] };
  assertEquals(codeOf(new Uint8Array(9), one(full, luma.dc)), "huffman-table-invalid");
  const runs: HuffmanSpecification = { counts: [1, ...Array(15).fill(0)], symbols: [0xe1] };
  const overrun = {
    components: [{ blocksPerMcu: 1, from: { dc: luma.dc, ac: runs }, to: luma }],
    mcuCount: 1,
  };
  assertEquals(codeOf(new Uint8Array(9), overrun), "scan-coefficients-overrun");
});

Deno.test("property: ScanRecoder throws nothing but JpegFormatError, and stays usable", () => {
  const recoder = new ScanRecoder();
  const picture = decodeCoefficients(writeRandomJpeg({ ...SHAPE, seed: 4 }).jpeg);
  const tables = [REVERSED, REVERSED, REVERSED];
  const scan = encodeBaselineScan(picture, { tables, restartInterval: 5 });
  const expected = encodeBaselineScan(picture, { tables: [luma, chroma, chroma] });
  const options = optionsFor({ restartInterval: 5, targetRestartInterval: 0 });
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 20 }), (seed, count) => {
      const random = generator(seed), damaged = scan.slice();
      for (let i = 0; i < count; i++) {
        damaged[Math.floor(random() * scan.length)] = Math.floor(random() * 256);
      }
      try {
        recoder.recode(damaged, options);
      } catch (error) {
        if (!(error instanceof JpegFormatError)) throw error;
      }
      assertEquals(recoder.recode(scan, options), expected);
    }),
    seeded(200),
  );
});
