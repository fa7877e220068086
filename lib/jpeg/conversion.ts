/**
 * Makes pictures fit for RTP/JPEG that it cannot carry as they are: 4:4:4, 4:4:0, 4:1:1, RGB, CMYK, 12 bits, lossless, or
 * larger than asked. {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435 s4.1}, ITU-T T.81, T.871 (colour).
 *
 * Floor 1. It changes as little as it can: where only colour has too many samples, luma keeps its coefficients and so every
 * bit. What can be had without loss is `repair.ts`'s. It takes tens of milliseconds for a large picture: programs
 * run it in a thread of its own.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { encodeBaselineScan } from "./baseline_scan.ts";
import { decodeCoefficients, type JpegCoefficients } from "./coefficients.ts";
import { type ChromaSampling, encodeBaselineJpeg } from "./headers.ts";
import type { JpegImage } from "./image.ts";
import { decodeLossless } from "./lossless.ts";
import { parseJpeg } from "./markers.ts";
import { coefficientsOf, type Plane, planeOf, resample } from "./planes.ts";
import {
  planRepair,
  quantizationOf,
  type RepairAction,
  type RestartChoice,
} from "./repair_plan.ts";
import { layOutBlocks, lumaFactors, ownBlocks } from "./sampling.ts";
import { STANDARD_HUFFMAN, standardQuantizationTables } from "./tables.ts";

/** How {@linkcode convertJpeg} works. */
export interface ConversionOptions {
  /** Pixels of the result at most; larger pictures are scaled down, their shape kept. @default {65535} */
  readonly maxWidth?: number;
  /** Pixels, likewise. @default {65535} */
  readonly maxHeight?: number;
  /** Which restart markers the result shall have. @default {"keep"} */
  readonly restart?: RestartChoice;
}

/** A picture that RTP/JPEG can carry. */
export interface ConvertedJpeg {
  /** Owned. */
  readonly jpeg: Uint8Array;
  /** What was done. */
  readonly actions: readonly RepairAction[];
}

/** Pixels above this are refused: a picture of 8192 x 4320 passes. */
export const MAX_CONVERTED_PIXELS = 36_000_000;

/**
 * A picture like the given one, as baseline 4:2:2 or 4:2:0 with standard Huffman tables. Steps of quantization are those
 * of the source or of quality 90, whichever are finer.
 *
 * @throws {JpegFormatError} where the picture is damaged, or of a coding or a size that this cannot read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { convertJpeg } from "./conversion.ts";
 * import { parseJpeg } from "./markers.ts";
 *
 * const picture = Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958);
 * const { jpeg, actions } = convertJpeg(picture, { maxWidth: 200, maxHeight: 200 });
 * assertEquals([parseJpeg(jpeg).width, parseJpeg(jpeg).height, actions], [200, 150, ["scaled"]]);
 * ```
 */
export function convertJpeg(jpeg: Uint8Array, options: ConversionOptions = {}): ConvertedJpeg {
  const image = parseJpeg(jpeg);
  checkConvertible(image, planRepair(image).obstacle);
  const size = sizeWithin(image, options);
  const sampling = samplingFor(image);
  let parts: Parts;
  if (image.frameType === LOSSLESS) {
    parts = fromPlanes({ image, size, planes: decodeLossless(jpeg, image), tables: [] }, sampling);
  } else {
    const tables = tablesOf(image);
    const coefficients = decodeCoefficients(jpeg, { height: image.height });
    const source: Source = { image, coefficients, tables, size };
    const isScaled = size.width !== image.width || size.height !== image.height;
    parts = !isScaled && hasUsableLuma(image) ? keepingLuma(source, sampling) : fromPlanes(
      { ...source, planes: image.components.map((_, i) => planeFor(source, i)) },
      sampling,
    );
  }
  const hasMarkers = options.restart === "rows" ||
    (options.restart !== "none" && image.restartInterval > 0);
  const restartInterval = hasMarkers ? Math.ceil(size.width / 16) : 0;
  return {
    jpeg: encode(parts, { size, sampling, restartInterval }),
    actions: actionsFor(image, size),
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Source {
  readonly image: JpegImage;
  readonly coefficients: JpegCoefficients;
  /** Steps by component, zigzag order. */
  readonly tables: readonly ArrayLike<number>[];
  /** Pixels of the result. */
  readonly size: Size;
}

/** A source whose samples are known. */
type DecodedSource = Pick<Source, "image" | "tables" | "size"> & {
  readonly planes: readonly Plane[];
};

/** What the result is written from: coefficients in the steps of the tables. */
interface Parts {
  readonly luma: ArrayLike<number>;
  readonly chroma: ArrayLike<number>;
  readonly values: readonly Int16Array[];
}

/** Luma keeps its coefficients; only colour is transformed. */
function keepingLuma(source: Source, sampling: ChromaSampling): Parts {
  const { image, coefficients, tables } = source;
  const [y] = coefficients.components;
  const luma = layOutBlocks(y, ownBlocks(coefficients, y), blocksOf(image, sampling, 0));
  const chroma = finest([tables[1], tables[2], FINE.chroma]);
  const colours = [1, 2].map((i) => {
    const plane = planeFor(source, i);
    const values = coefficientsOf(subsampled(plane, source, { sampling, component: i }), {
      steps: chroma,
      ...blocksOf(image, sampling, i),
    });
    return values;
  });
  return { luma: tables[0], chroma, values: [luma, ...colours] };
}

/** All components are transformed. */
function fromPlanes(source: DecodedSource, sampling: ChromaSampling): Parts {
  const { image, tables, size, planes } = source;
  const isYcc = image.colorSpace === "YCbCr" || image.colorSpace === "grey";
  const luma = isYcc && tables.length > 0 ? finest([tables[0], FINE.luma]) : FINE.luma;
  const chroma = isYcc && tables.length === 3
    ? finest([tables[1], tables[2], FINE.chroma])
    : FINE.chroma;
  const colours = isYcc ? planes : yccPlanes(planes.map((plane) => stretched(plane, image)), image);
  const values = [0, 1, 2].map((i) => {
    const blocks = blocksOf(size, sampling, i);
    const plane = colours[i];
    if (plane === undefined) return new Int16Array(blocks.columns * blocks.lines * 64);
    const component = isYcc ? i : -1 - i;
    const steps = i === 0 ? luma : chroma;
    return coefficientsOf(subsampled(plane, source, { sampling, component }), {
      steps,
      ...blocks,
    });
  });
  return { luma, chroma, values };
}

function encode(
  parts: Parts,
  { size, sampling, restartInterval }: {
    readonly size: Size;
    readonly sampling: ChromaSampling;
    readonly restartInterval: number;
  },
): Uint8Array {
  const components = parts.values.map((values, i) => {
    const { columns, lines } = blocksOf(size, sampling, i);
    const factors = i === 0 ? lumaFactors(sampling) : { h: 1, v: 1 };
    const quantizationTable = Math.min(i, 1);
    return {
      ...factors,
      ...{ id: i + 1, quantizationTable, blocksPerLine: columns, blockLines: lines, values },
    };
  });
  const { luma, chroma } = STANDARD_HUFFMAN;
  const scan = encodeBaselineScan({ precision: 8, ...size, components }, {
    tables: [luma, chroma, chroma],
    restartInterval,
  });
  return encodeBaselineJpeg({ ...size, sampling, ...parts, restartInterval }, scan);
}

/** Columns and lines of blocks of component `i` of the result, padded to whole MCUs. */
function blocksOf(size: Size, sampling: ChromaSampling, i: number) {
  const { h, v } = lumaFactors(sampling);
  const columns = Math.ceil(size.width / (8 * h)), lines = Math.ceil(size.height / (8 * v));
  return i === 0
    ? { h, v, columns: columns * h, lines: lines * v }
    : { h: 1, v: 1, columns, lines };
}

function planeFor({ image, coefficients, tables }: Source, i: number): Plane {
  const { h, v } = image.components[i];
  const [hMax, vMax] = largestFactors(image);
  return planeOf(coefficients.components[i], {
    steps: tables[i],
    precision: image.precision,
    width: Math.ceil(image.width * h / hMax),
    height: Math.ceil(image.height * v / vMax),
  });
}

/** A plane in the grid that its component has in the result; a negative component says that it has full size now. */
function subsampled(
  plane: Plane,
  { image, size }: Pick<Source, "image" | "size">,
  { sampling, component }: { readonly sampling: ChromaSampling; readonly component: number },
): Plane {
  const isLuma = component === 0 || component === -1;
  const factors = isLuma ? { h: 1, v: 1 } : lumaFactors(sampling);
  const [hMax, vMax] = largestFactors(image);
  const { h, v } = component < 0 ? { h: hMax, v: vMax } : image.components[component];
  return resample(plane, {
    width: Math.ceil(size.width / factors.h),
    height: Math.ceil(size.height / factors.v),
    columnsPerSample: factors.h * h / hMax * image.width / size.width,
    rowsPerSample: factors.v * v / vMax * image.height / size.height,
  });
}

/** A plane with a sample for each pixel. */
function stretched(plane: Plane, { width, height }: JpegImage): Plane {
  const columnsPerSample = plane.width / width, rowsPerSample = plane.height / height;
  return resample(plane, { width, height, columnsPerSample, rowsPerSample });
}

/** RGB, CMYK or YCCK as YCbCr (T.871 s7). The formulas for inks are those of every viewer. */
function yccPlanes(planes: readonly Plane[], image: JpegImage): Plane[] {
  const { width, height } = image, count = width * height;
  const [y, cb, cr] = [0, 1, 2].map(() => new Float32Array(count));
  const [first, second, third, black] = planes.map(({ samples }) => samples);
  for (let i = 0; i < count; i++) {
    let r = first[i], g = second[i], b = third[i];
    if (image.colorSpace === "YCCK") {
      const luma = r, blue = g - 128, red = b - 128;
      // Adobe's inks are stored inverted, and were inverted once more on the way to YCC.
      r = 255 - clamp(luma + 1.402 * red);
      g = 255 - clamp(luma - 0.344136 * blue - 0.714136 * red);
      b = 255 - clamp(luma + 1.772 * blue);
    }
    if (black !== undefined) {
      const isInverted = image.hasAdobeSegment;
      const light = (isInverted ? black[i] : 255 - black[i]) / 255;
      r = (isInverted ? r : 255 - r) * light;
      g = (isInverted ? g : 255 - g) * light;
      b = (isInverted ? b : 255 - b) * light;
    }
    y[i] = 0.299 * r + 0.587 * g + 0.114 * b;
    cb[i] = (b - y[i]) / 1.772 + 128;
    cr[i] = (r - y[i]) / 1.402 + 128;
  }
  return [y, cb, cr].map((samples) => ({ width, height, samples }));
}

function clamp(sample: number): number {
  return Math.min(255, Math.max(0, sample));
}

/** 4:2:0 where colour has at most half the lines of luma already, or there is none; else 4:2:2, which keeps all lines. */
function samplingFor(image: JpegImage): ChromaSampling {
  const isYcc = image.colorSpace === "YCbCr";
  if (image.colorSpace === "grey") return "4:2:0";
  const [, vMax] = largestFactors(image);
  return isYcc && image.components.slice(1).every(({ v }) => v * 2 <= vMax) ? "4:2:0" : "4:2:2";
}

/** Whether luma has a sample for each pixel, in a form that baseline can say. */
function hasUsableLuma(image: JpegImage): boolean {
  const [hMax, vMax] = largestFactors(image), [{ h, v }] = image.components;
  return image.colorSpace === "YCbCr" && image.precision === 8 && h === hMax && v === vMax &&
    (quantizationOf(image, 0)?.every((step: number) => step <= 255) ?? false);
}

function largestFactors({ components }: JpegImage): [number, number] {
  return [Math.max(...components.map(({ h }) => h)), Math.max(...components.map(({ v }) => v))];
}

/** The largest size of the same shape that both limits allow. */
function sizeWithin({ width, height }: Size, options: ConversionOptions): Size {
  const { maxWidth = 65_535, maxHeight = 65_535 } = options;
  const factor = Math.min(1, maxWidth / width, maxHeight / height);
  return {
    width: Math.max(1, Math.round(width * factor)),
    height: Math.max(1, Math.round(height * factor)),
  };
}

function actionsFor(image: JpegImage, size: Size): RepairAction[] {
  const actions: RepairAction[] = [];
  const code = planRepair(image).obstacle?.code;
  if (image.frameType === LOSSLESS) actions.push("lossless-coding");
  if (image.precision !== 8) actions.push("sample-bits");
  if (code === "unsupported-colour") actions.push("colour-converted");
  if (code === "unsupported-sampling") actions.push("colour-resampled");
  if (size.width !== image.width || size.height !== image.height) actions.push("scaled");
  return actions;
}

function tablesOf(image: JpegImage): ArrayLike<number>[] {
  return image.components.map(({ quantizationTable }, i) => {
    const table = quantizationOf(image, i);
    if (table !== undefined && !table.includes(0)) return table;
    throw inconvertible("quantization-table-missing", `table ${quantizationTable} is missing`);
  });
}

/** At each place the smallest step of all tables. */
function finest(tables: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, i) => Math.min(...tables.map((table) => table[i])));
}

function checkConvertible(
  image: JpegImage,
  obstacle:
    | { readonly code: string; readonly reason: string; readonly isConvertible: boolean }
    | undefined,
): void {
  if (obstacle?.isConvertible === false) throw inconvertible(obstacle.code, obstacle.reason);
  const pixels = image.width * image.height;
  if (pixels <= MAX_CONVERTED_PIXELS) return;
  throw inconvertible("too-large", `${pixels} pixels, at most ${MAX_CONVERTED_PIXELS} are taken`);
}

function inconvertible(code: string, reason: string): JpegFormatError {
  return new JpegFormatError(`Cannot convert JPEG: ${reason}`, {
    code,
    offset: 0,
    rfc: "RFC 2435 s4.1",
  });
}

/** SOF3. */
const LOSSLESS = 0xc3;
/** Steps that are fine enough for what is encoded a second time. */
const FINE = standardQuantizationTables(90);
