import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  forwardScales,
  forwardTransform,
  inverseScales,
  inverseTransform,
} from "../../lib/jpeg/dct.ts";
import { ZIGZAG } from "../../lib/jpeg/tables.ts";
import { seeded } from "../support/property.ts";

/** The definition (T.81 A.3.3), term by term. */
function definedInverse(values: Int16Array, steps: readonly number[]): Float64Array {
  const samples = new Float64Array(64);
  const c = (k: number) => k === 0 ? Math.SQRT1_2 : 1;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let k = 0; k < 64; k++) {
        const u = ZIGZAG[k] & 7, v = ZIGZAG[k] >> 3;
        sum += c(u) * c(v) * values[k] * steps[k] *
          Math.cos((2 * x + 1) * u * Math.PI / 16) * Math.cos((2 * y + 1) * v * Math.PI / 16);
      }
      samples[y * 8 + x] = sum / 4;
    }
  }
  return samples;
}

const blocks = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 64, maxLength: 64 })
  .map((values) => Int16Array.from(values));
const tables = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 64, maxLength: 64 });

Deno.test("property: inverseTransform() is the transform that T.81 defines", () => {
  fc.assert(
    fc.property(blocks, tables, (values, steps) => {
      const samples = new Float32Array(64);
      inverseTransform(values, { at: 0, scales: inverseScales(steps) }, samples);
      definedInverse(values, steps).forEach((sample, i) => {
        assert(Math.abs(sample - samples[i]) < 0.02, `${samples[i]} at ${i}, wanted ${sample}`);
      });
    }),
    seeded(100),
  );
});

Deno.test("property: forwardTransform() gives back the coefficients of what inverseTransform() made", () => {
  fc.assert(
    fc.property(blocks, tables, (values, steps) => {
      const samples = new Float32Array(64), again = new Int16Array(128);
      inverseTransform(values, { at: 0, scales: inverseScales(steps) }, samples);
      forwardTransform(samples, { at: 64, scales: forwardScales(steps) }, again);
      assertEquals(again.subarray(64), values);
    }),
    seeded(100),
  );
});
