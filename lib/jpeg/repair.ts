/**
 * Makes a picture fit for RTP/JPEG without touching what it shows: other Huffman tables, one scan, another layout of the
 * same blocks. {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81},
 * {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435}.
 *
 * Floor 1. Decoders give the same pixels before and after, bit by bit. What cannot be had so is refused:
 * `conversion.ts` does it with loss.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { encodeBaselineScan } from "./baseline_scan.ts";
import { type ComponentCoefficients, decodeCoefficients } from "./coefficients.ts";
import { encodeBaselineJpeg } from "./headers.ts";
import type { JpegImage } from "./image.ts";
import { parseJpeg } from "./markers.ts";
import {
  type LosslessAction,
  planRepair,
  quantizationOf,
  type RepairPlan,
  type RestartChoice,
} from "./repair_plan.ts";
import { layOutBlocks, lumaFactors, mcuCountOf, ownBlocks } from "./sampling.ts";
import { ScanRecoder } from "./scan_recoder.ts";
import { STANDARD_HUFFMAN, standardQuantizationTables } from "./tables.ts";

/** How {@linkcode repairJpeg} works. */
export interface RepairOptions {
  /** Which restart markers the result shall have. @default {"keep"} */
  readonly restart?: RestartChoice;
  /** Working memory, worth keeping from picture to picture. */
  readonly recoder?: ScanRecoder;
}

/** A picture that RTP/JPEG can carry. */
export interface RepairedJpeg {
  /** The picture: the very octets that were given, borrowed, where nothing was to be done; else owned. */
  readonly jpeg: Uint8Array;
  /** What was done. */
  readonly actions: readonly LosslessAction[];
}

/**
 * Re-codes a picture, without loss, so that RTP/JPEG can carry it: baseline, one interleaved scan, standard Huffman
 * tables, 4:2:0 or 4:2:2, one table of 8-bit steps for luma and one for chroma, restart markers as asked.
 *
 * Pictures that RTP/JPEG can carry as they are stay untouched, whatever their headers look like: identifiers, tables
 * that all components share, 16-bit tables of small steps, missing Huffman tables, EXIF.
 *
 * @throws {JpegFormatError} where the markers or the data are damaged; with a code of `RepairObstacle` and the reason for
 * people where it cannot be done without loss.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJpeg } from "./markers.ts";
 * import { repairJpeg } from "./repair.ts";
 *
 * const film = Deno.readFileSync("media/video.mjpeg");
 * const picture = film.subarray(5, 5 + parseJpeg(film.subarray(5)).end);
 * assertEquals(repairJpeg(picture).jpeg, picture);
 * const withMarkers = repairJpeg(picture, { restart: "rows" });
 * assertEquals(withMarkers.actions, ["restart-markers"]);
 * assertEquals(parseJpeg(withMarkers.jpeg).restartInterval, 20);
 * assertEquals(repairJpeg(withMarkers.jpeg, { restart: "none" }).actions, ["restart-markers"]);
 * ```
 */
export function repairJpeg(jpeg: Uint8Array, options: RepairOptions = {}): RepairedJpeg {
  const image = parseJpeg(jpeg);
  const plan = planRepair(image, options.restart);
  if (plan.obstacle !== undefined) {
    const { code, reason } = plan.obstacle;
    throw unfit(code, reason);
  }
  if (plan.actions.length === 0) return { jpeg, actions: [] };
  const repaired = plan.needsCoefficients
    ? rebuild(jpeg, image, plan)
    : recode(jpeg, { image, plan, recoder: options.recoder ?? new ScanRecoder() });
  return { jpeg: repaired, actions: plan.actions };
}

/** Copies symbol by symbol: several times as fast as taking blocks apart. */
function recode(
  jpeg: Uint8Array,
  { image, plan, recoder }: {
    readonly image: JpegImage;
    readonly plan: RepairPlan;
    readonly recoder: ScanRecoder;
  },
): Uint8Array {
  const [scan] = image.scans;
  const components = scan.components.map(({ component, dc, ac }) => {
    if (dc === undefined || ac === undefined) {
      throw unfit("huffman-table-missing", "a scan names a Huffman table that is not there");
    }
    const { h, v } = image.components[component];
    return {
      blocksPerMcu: h * v,
      from: { dc, ac },
      to: component === 0 ? STANDARD_HUFFMAN.luma : STANDARD_HUFFMAN.chroma,
    };
  });
  const recoded = recoder.recode(jpeg.subarray(scan.start, scan.end), {
    components,
    mcuCount: mcuCountOf(image),
    restartInterval: scan.restartInterval,
    targetRestartInterval: plan.restartInterval,
  });
  return encodeBaselineJpeg({ ...image, ...plan, ...stepsOf(image) }, recoded);
}

/** Takes the blocks out of all scans and writes them anew. */
function rebuild(jpeg: Uint8Array, image: JpegImage, plan: RepairPlan): Uint8Array {
  const { width, height } = image;
  const coefficients = decodeCoefficients(jpeg, { height });
  const steps = stepsOf(image);
  const luma = lumaFactors(plan.sampling);
  const mcusPerLine = Math.ceil(width / (8 * luma.h)), mcuLines = Math.ceil(height / (8 * luma.v));
  const components = [luma, { h: 1, v: 1 }, { h: 1, v: 1 }].map((factors, i) => {
    const blocksPerLine = mcusPerLine * factors.h, blockLines = mcuLines * factors.v;
    const source: ComponentCoefficients | undefined = coefficients.components[i];
    const wanted = { ...factors, columns: blocksPerLine, lines: blockLines };
    const values = source === undefined
      ? new Int16Array(blocksPerLine * blockLines * 64)
      : layOutBlocks(source, ownBlocks(coefficients, source), wanted);
    const table = quantizationOf(image, i);
    if (table !== undefined) express(values, table, i === 0 ? steps.luma : steps.chroma);
    const quantizationTable = Math.min(i, 1);
    return { ...factors, id: i + 1, quantizationTable, blocksPerLine, blockLines, values };
  });
  const { luma: lumaTables, chroma } = STANDARD_HUFFMAN;
  const scan = encodeBaselineScan({ precision: 8, width, height, components }, {
    tables: [lumaTables, chroma, chroma],
    restartInterval: plan.restartInterval,
  });
  return encodeBaselineJpeg({ width, height, ...plan, ...steps }, scan);
}

interface Steps {
  readonly luma: ArrayLike<number>;
  readonly chroma: ArrayLike<number>;
}

/**
 * Two tables of 8-bit steps in which all coefficients can be said exactly: where Cb and Cr differ, or a step is above
 * 255, the largest common divisor below that.
 */
function stepsOf(image: JpegImage): Steps {
  const tables = image.components.map((_, i) => {
    const table = quantizationOf(image, i);
    if (table !== undefined && !table.includes(0)) return Array.from(table);
    throw unfit(
      "quantization-table-missing",
      table === undefined
        ? `quantization table ${image.components[i].quantizationTable} is missing`
        : "a quantization step is 0",
    );
  });
  const [y, cb, cr] = tables;
  const luma = y.map((step) => divisorUpTo255(step));
  if (cb === undefined) return { luma, chroma: chromaBeside(luma) };
  return { luma, chroma: cb.map((step, i) => divisorUpTo255(commonDivisor(step, cr[i]))) };
}

/** The table that belongs to a standard luma table, so that a quality factor can stand for both; else the same one. */
function chromaBeside(luma: readonly number[]): ArrayLike<number> {
  for (let q = 1; q <= 99; q++) {
    const standard = standardQuantizationTables(q);
    if (luma.every((step, i) => step === standard.luma[i])) return standard.chroma;
  }
  return luma;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function divisorUpTo255(step: number): number {
  let divisor = Math.min(step, 255);
  while (step % divisor !== 0) divisor--;
  return divisor;
}

/** Says coefficients in smaller steps; their products with the steps stay what they were. */
function express(values: Int16Array, from: ArrayLike<number>, to: ArrayLike<number>): void {
  const factors = Array.from(from, (step, i) => step / to[i]);
  if (factors.every((factor) => factor === 1)) return;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] * factors[at & 63];
    // T.81 F.1.2: a baseline scan of 8-bit samples has codes for no more.
    if (value > 2047 || value < -2047) {
      throw unfit("unsupported-quantization-tables", "its quantization steps have no common ones");
    }
    values[at] = value;
  }
}

function unfit(code: string, reason: string): JpegFormatError {
  return new JpegFormatError(`Cannot repair JPEG without loss: ${reason}`, {
    code,
    offset: 0,
    rfc: "RFC 2435 s3.1, s4.1",
  });
}
