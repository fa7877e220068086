/**
 * Sampling factors: what they are called, which of them say the same, and blocks laid out under others.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 A.1.1, A.2}.
 *
 * Floor 1. Blocks are moved and never changed.
 *
 * @module
 */
import type { ComponentCoefficients, JpegCoefficients } from "./coefficients.ts";
import type { ChromaSampling } from "./headers.ts";
import type { JpegImage } from "./image.ts";

/** Sampling factors of a component. */
export interface SamplingFactors {
  /** Horizontal, 1 to 4. */
  readonly h: number;
  /** Vertical, 1 to 4. */
  readonly v: number;
}

/**
 * What the factors of three components mean: 2x2,1x2,1x2 is 4:2:2 just as 2x1,1x1,1x1 is, for only their ratios count.
 *
 * @returns a name such as "4:2:0" or "4:4:4"; the factors themselves where no name exists.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { samplingName } from "./sampling.ts";
 *
 * const full = { h: 2, v: 2 }, narrow = { h: 1, v: 2 };
 * assertEquals(samplingName([full, narrow, narrow]), "4:2:2");
 * assertEquals(samplingName([narrow, full, full]), "1x2,2x2,2x2");
 * ```
 */
export function samplingName(components: readonly SamplingFactors[]): string {
  const [y, cb, cr] = components;
  if (components.length === 1) return "grey";
  const h = y.h / cb.h, v = y.v / cb.v;
  const areAlike = components.length === 3 && cb.h === cr.h && cb.v === cr.v;
  return (areAlike ? NAMES[`${h}x${v}`] : undefined) ?? factorsText(components);
}

/** The factors as people write them: "2x1,1x1,1x1". */
export function factorsText(components: readonly SamplingFactors[]): string {
  return components.map(({ h, v }) => `${h}x${v}`).join(",");
}

/** The factors of luma that say a sampling where those of the other components are 1x1. */
export function lumaFactors(sampling: ChromaSampling): SamplingFactors {
  return { h: 2, v: sampling === "4:2:0" ? 2 : 1 };
}

/** A grid of blocks made of whole MCUs. */
export interface BlockGrid {
  /** Blocks in a line. */
  readonly columns: number;
  /** Lines of blocks. */
  readonly lines: number;
  /** Blocks of an MCU side by side. */
  readonly h: number;
  /** Blocks of an MCU one below the other. */
  readonly v: number;
}

/**
 * The blocks of a component in another grid: padding is cut off, or made of blocks of one colour that cost next to
 * nothing, as libjpeg makes it: each has the DC of the block coded before it.
 *
 * @param own Columns and lines of blocks that hold the picture.
 */
export function layOutBlocks(
  component: ComponentCoefficients,
  own: { readonly columns: number; readonly lines: number },
  wanted: BlockGrid,
): Int16Array {
  const { h, v } = wanted;
  const values = new Int16Array(wanted.columns * wanted.lines * 64);
  const columns = Math.min(own.columns, wanted.columns);
  for (let y = 0; y < wanted.lines; y++) {
    const line = y * wanted.columns;
    if (y < own.lines) {
      const from = y * component.blocksPerLine * 64;
      values.set(component.values.subarray(from, from + columns * 64), line * 64);
    }
    for (let x = y < own.lines ? columns : 0; x < wanted.columns; x++) {
      if (x % h > 0) values[(line + x) * 64] = values[(line + x - 1) * 64];
      else if (y % v > 0) {
        values[(line + x) * 64] = values[(line - wanted.columns + x + h - 1) * 64];
      }
    }
  }
  return values;
}

/** Columns and lines of blocks that hold a component's samples (T.81 A.2.2). */
export function ownBlocks(
  picture: Pick<JpegCoefficients, "width" | "height" | "components">,
  component: SamplingFactors,
): { columns: number; lines: number } {
  const hMax = Math.max(...picture.components.map(({ h }) => h));
  const vMax = Math.max(...picture.components.map(({ v }) => v));
  return {
    columns: Math.ceil(Math.ceil(picture.width * component.h / hMax) / 8),
    lines: Math.ceil(Math.ceil(picture.height * component.v / vMax) / 8),
  };
}

/** MCUs of a scan that holds all components. */
export function mcuCountOf({ width, height, components }: JpegImage): number {
  const isAlone = components.length === 1;
  const h = isAlone ? 1 : Math.max(...components.map((component) => component.h));
  const v = isAlone ? 1 : Math.max(...components.map((component) => component.v));
  return Math.ceil(width / (8 * h)) * Math.ceil(height / (8 * v));
}

/** By the ratio of luma's factors to the others'. */
const NAMES: Readonly<Record<string, string>> = {
  "1x1": "4:4:4",
  "1x2": "4:4:0",
  "2x1": "4:2:2",
  "2x2": "4:2:0",
  "4x1": "4:1:1",
  "4x2": "4:1:0",
  "1x4": "4:4:0 with a quarter of the lines",
};
