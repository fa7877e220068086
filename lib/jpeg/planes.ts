/**
 * Planes of samples: made of coefficients, resampled, made into coefficients again.
 *
 * Floor 1. ITU-T T.81 A.1.1: the samples of subsampled components lie in the middle of those that they stand for.
 *
 * @module
 */
import type { ComponentCoefficients } from "./coefficients.ts";
import { forwardScales, forwardTransform, inverseScales, inverseTransform } from "./dct.ts";

/** One component's samples, 0 to 255, with no padding. */
export interface Plane {
  /** Samples in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Row by row. */
  readonly samples: Float32Array;
}

/** How {@linkcode planeOf} reads coefficients. */
export interface PlaneOptions {
  /** Quantization steps, zigzag order. */
  readonly steps: ArrayLike<number>;
  /** Bits a sample: 8, or 12, which are brought to the range of 8. */
  readonly precision: number;
  /** Samples in a row that belong to the picture. */
  readonly width: number;
  /** Rows that belong to the picture. */
  readonly height: number;
}

/** The samples that a decoder shows, but for rounding. */
export function planeOf(component: ComponentCoefficients, options: PlaneOptions): Plane {
  const { width, height, precision } = options;
  const samples = new Float32Array(width * height);
  const block = new Float32Array(64);
  const scales = inverseScales(options.steps);
  const range = 2 ** precision, gain = 255 / (range - 1);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      const at = ((top >> 3) * component.blocksPerLine + (left >> 3)) * 64;
      inverseTransform(component.values, { at, scales }, block);
      const rows = Math.min(8, height - top), columns = Math.min(8, width - left);
      for (let y = 0; y < rows; y++) {
        const line = (top + y) * width + left;
        for (let x = 0; x < columns; x++) {
          const sample = (block[y * 8 + x] + range / 2) * gain;
          samples[line + x] = sample < 0 ? 0 : sample > 255 ? 255 : sample;
        }
      }
    }
  }
  return { width, height, samples };
}

/** How large a plane shall be, in itself and for each of its samples. */
export interface ResampleOptions {
  /** Samples in a row of the result. */
  readonly width: number;
  /** Rows of the result. */
  readonly height: number;
  /** Columns of the source for one of the result. */
  readonly columnsPerSample: number;
  /** Rows of the source for one of the result. */
  readonly rowsPerSample: number;
}

/** Means of what each sample covers where the result is coarser, lines between neighbours where it is finer. */
export function resample(plane: Plane, options: ResampleOptions): Plane {
  const { width, height, columnsPerSample, rowsPerSample } = options;
  if (width === plane.width && height === plane.height && columnsPerSample === 1) return plane;
  const columns = weightsFor(plane.width, width, columnsPerSample);
  const rows = weightsFor(plane.height, height, rowsPerSample);
  const narrow = new Float32Array(width * plane.height);
  for (let y = 0; y < plane.height; y++) {
    const line = y * plane.width, target = y * width;
    for (let x = 0; x < width; x++) {
      const { first, weights } = columns[x];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += plane.samples[line + first + i] * weights[i];
      narrow[target + x] = sum;
    }
  }
  const samples = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = rows[y];
    const line = y * width;
    for (let i = 0; i < weights.length; i++) {
      const from = (first + i) * width, weight = weights[i];
      for (let x = 0; x < width; x++) samples[line + x] += narrow[from + x] * weight;
    }
  }
  return { width, height, samples };
}

interface Weights {
  readonly first: number;
  readonly weights: readonly number[];
}

function weightsFor(sourceSize: number, size: number, step: number): Weights[] {
  return Array.from({ length: size }, (_, i) => {
    if (step <= 1) {
      const middle = Math.min(Math.max((i + 0.5) * step - 0.5, 0), sourceSize - 1);
      const first = Math.min(Math.floor(middle), Math.max(0, sourceSize - 2));
      return sourceSize === 1
        ? { first: 0, weights: [1] }
        : { first, weights: [1 - (middle - first), middle - first] };
    }
    const start = Math.min(i * step, sourceSize - 1), end = Math.min((i + 1) * step, sourceSize);
    const first = Math.floor(start), weights: number[] = [];
    for (let at = first; at < end; at++) {
      weights.push((Math.min(at + 1, end) - Math.max(at, start)) / (end - start));
    }
    return { first, weights };
  });
}

/** Coefficients of a plane whose edges are repeated into the padding; values that baseline has no code for are cut. */
export function coefficientsOf(
  plane: Plane,
  options: {
    readonly steps: ArrayLike<number>;
    readonly columns: number;
    readonly lines: number;
  },
): Int16Array {
  const { columns, lines } = options, { width, height, samples } = plane;
  const values = new Int16Array(columns * lines * 64);
  const block = new Float32Array(64);
  const scales = forwardScales(options.steps);
  for (let line = 0; line < lines; line++) {
    for (let column = 0; column < columns; column++) {
      for (let y = 0; y < 8; y++) {
        const from = Math.min(line * 8 + y, height - 1) * width;
        for (let x = 0; x < 8; x++) {
          block[y * 8 + x] = samples[from + Math.min(column * 8 + x, width - 1)] - 128;
        }
      }
      forwardTransform(block, { at: (line * columns + column) * 64, scales }, values);
    }
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value > 1023) values[i] = 1023;
    else if (value < -1023) values[i] = -1023;
  }
  return values;
}
