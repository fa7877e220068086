/**
 * The discrete cosine transform of blocks of 8x8 samples, both ways, after Arai, Agui and Nakajima (1988): the factors
 * that all terms share are joined with the quantization steps. ITU-T T.81 A.3.3.
 *
 * Floor 1. Exact within the precision of 32-bit floats; samples are centred on 0.
 *
 * @module
 */
import { ZIGZAG } from "./tables.ts";

/** Scale factors by zigzag place for {@linkcode inverseTransform}: `steps` are quantization steps in zigzag order. */
export function inverseScales(steps: ArrayLike<number>): Float32Array {
  return Float32Array.from(ZIGZAG, (place, k) => steps[k] * sharedFactor(place) / 8);
}

/** Scale factors by zigzag place for {@linkcode forwardTransform}. */
export function forwardScales(steps: ArrayLike<number>): Float32Array {
  return Float32Array.from(ZIGZAG, (place, k) => 1 / (steps[k] * sharedFactor(place) * 8));
}

/**
 * Samples of the block whose coefficients (zigzag order) start at `at`, into the 64 places of `samples`, row by row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forwardScales, forwardTransform, inverseScales, inverseTransform } from "./dct.ts";
 *
 * const steps = new Uint8Array(64).fill(1), samples = new Float32Array(64);
 * const values = new Int16Array(64);
 * values[0] = 80;
 * inverseTransform(values, { at: 0, scales: inverseScales(steps) }, samples);
 * assertEquals([samples[0], samples[63]], [10, 10]);
 * forwardTransform(samples, { at: 0, scales: forwardScales(steps) }, values);
 * assertEquals([values[0], values[1]], [80, 0]);
 * ```
 */
export function inverseTransform(
  values: Int16Array,
  { at, scales }: { readonly at: number; readonly scales: Float32Array },
  samples: Float32Array,
): void {
  let hasDetail = false;
  for (let k = 0; k < 64; k++) {
    const value = values[at + k];
    samples[ZIGZAG[k]] = value * scales[k];
    if (value !== 0 && k > 0) hasDetail = true;
  }
  if (!hasDetail) {
    samples.fill(samples[0]);
    return;
  }
  for (let column = 0; column < 8; column++) inverseLine(samples, column, 8);
  for (let row = 0; row < 64; row += 8) inverseLine(samples, row, 1);
}

/** Quantized coefficients of the 64 `samples` (which are used up) into `values`, zigzag order, from `at` on. */
export function forwardTransform(
  samples: Float32Array,
  { at, scales }: { readonly at: number; readonly scales: Float32Array },
  values: Int16Array,
): void {
  for (let row = 0; row < 64; row += 8) forwardLine(samples, row, 1);
  for (let column = 0; column < 8; column++) forwardLine(samples, column, 8);
  for (let k = 0; k < 64; k++) values[at + k] = Math.round(samples[ZIGZAG[k]] * scales[k]);
}

function inverseLine(s: Float32Array, at: number, step: number): void {
  const i1 = at + step, i2 = i1 + step, i3 = i2 + step;
  const i4 = i3 + step, i5 = i4 + step, i6 = i5 + step, i7 = i6 + step;
  const evenSum = s[at] + s[i4], evenDifference = s[at] - s[i4];
  const outer = s[i2] + s[i6], inner = (s[i2] - s[i6]) * Math.SQRT2 - outer;
  const e0 = evenSum + outer, e3 = evenSum - outer;
  const e1 = evenDifference + inner, e2 = evenDifference - inner;
  const z13 = s[i5] + s[i3], z10 = s[i5] - s[i3];
  const z11 = s[i1] + s[i7], z12 = s[i1] - s[i7];
  const z5 = (z10 + z12) * 1.847759065;
  const o7 = z11 + z13;
  const o6 = z5 - z10 * 2.613125930 - o7;
  const o5 = (z11 - z13) * Math.SQRT2 - o6;
  const o4 = z12 * 1.082392200 - z5 + o5;
  s[at] = e0 + o7;
  s[i7] = e0 - o7;
  s[i1] = e1 + o6;
  s[i6] = e1 - o6;
  s[i2] = e2 + o5;
  s[i5] = e2 - o5;
  s[i4] = e3 + o4;
  s[i3] = e3 - o4;
}

function forwardLine(s: Float32Array, at: number, step: number): void {
  const i1 = at + step, i2 = i1 + step, i3 = i2 + step;
  const i4 = i3 + step, i5 = i4 + step, i6 = i5 + step, i7 = i6 + step;
  const a0 = s[at] + s[i7], d0 = s[at] - s[i7];
  const a1 = s[i1] + s[i6], d1 = s[i1] - s[i6];
  const a2 = s[i2] + s[i5], d2 = s[i2] - s[i5];
  const a3 = s[i3] + s[i4], d3 = s[i3] - s[i4];
  const b0 = a0 + a3, b3 = a0 - a3, b1 = a1 + a2, b2 = a1 - a2;
  s[at] = b0 + b1;
  s[i4] = b0 - b1;
  const z1 = (b2 + b3) * Math.SQRT1_2;
  s[i2] = b3 + z1;
  s[i6] = b3 - z1;
  const c0 = d3 + d2, c1 = d2 + d1, c2 = d1 + d0;
  const z5 = (c0 - c2) * 0.382683433;
  const z2 = 0.541196100 * c0 + z5, z4 = 1.306562965 * c2 + z5, z3 = c1 * Math.SQRT1_2;
  const z11 = d0 + z3, z13 = d0 - z3;
  s[i5] = z13 + z2;
  s[i3] = z13 - z2;
  s[i1] = z11 + z4;
  s[i7] = z11 - z4;
}

/** What the algorithm leaves out of the coefficient at a place (row by row): cos(k pi / 16) * sqrt 2 of row and column. */
function sharedFactor(place: number): number {
  return lineFactor(place >> 3) * lineFactor(place & 7);
}

function lineFactor(k: number): number {
  return k === 0 ? 1 : Math.cos(k * Math.PI / 16) * Math.SQRT2;
}
