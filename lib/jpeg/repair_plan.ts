/**
 * What a picture needs before RTP/JPEG can carry it, told from its markers alone.
 * {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435 s4.1}.
 *
 * Floor 1. `repair.ts` does what this plans without loss, `conversion.ts` what it cannot.
 *
 * @module
 */
import type { ChromaSampling } from "./headers.ts";
import type { JpegImage, JpegScan } from "./image.ts";
import { factorsText, mcuCountOf, samplingName } from "./sampling.ts";

/** What is done to a picture without changing what it shows. */
export type LosslessAction =
  | "huffman-tables"
  | "arithmetic"
  | "baseline"
  | "one-scan"
  | "sampling-notation"
  | "neutral-chroma"
  | "quantization-tables"
  | "restart-markers";

/** What is done to a picture where nothing else helps. */
export type LossyAction =
  | "lossless-coding"
  | "colour-resampled"
  | "colour-converted"
  | "sample-bits"
  | "scaled";

/** What was, or would be, done to a picture. */
export type RepairAction = LosslessAction | LossyAction;

/** Why a picture cannot be carried without loss, and whether it can at all. */
export interface RepairObstacle {
  /** For programs. */
  readonly code:
    | "unsupported-coding"
    | "unsupported-precision"
    | "unsupported-components"
    | "unsupported-colour"
    | "unsupported-sampling";
  /** For people, as in "it is 4:4:4". */
  readonly reason: string;
  /** Whether `conversion.ts` can make it fit. */
  readonly isConvertible: boolean;
}

/** What a picture needs. */
export interface RepairPlan {
  /** In the order in which they are told; empty where only headers matter. */
  readonly actions: readonly LosslessAction[];
  /** How colour will be subsampled. */
  readonly sampling: ChromaSampling;
  /** MCUs between restart markers in the result, 0 for none. */
  readonly restartInterval: number;
  /** True where the blocks must be taken apart, false where symbols can be copied one by one. */
  readonly needsCoefficients: boolean;
  /** What stands against it. */
  readonly obstacle: RepairObstacle | undefined;
}

/** Which restart markers the result shall have. */
export type RestartChoice = "keep" | "none" | "rows";

/**
 * Tells what `image` needs.
 *
 * @param restart `"keep"` leaves restart markers as they are, `"none"` takes them out, `"rows"` puts one after each
 * row of MCUs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJpeg } from "./markers.ts";
 * import { planRepair } from "./repair_plan.ts";
 *
 * const image = parseJpeg(Deno.readFileSync("media/video.mjpeg").subarray(5));
 * assertEquals(planRepair(image, "keep").actions, []);
 * assertEquals(planRepair(image, "rows").actions, ["restart-markers"]);
 * ```
 */
export function planRepair(image: JpegImage, restart: RestartChoice = "keep"): RepairPlan {
  const { components, scans, frameType } = image;
  const isGrey = components.length === 1;
  const name = samplingName(components);
  const sampling: ChromaSampling = name === "4:2:2" ? "4:2:2" : "4:2:0";
  const isUsual = USUAL_FACTORS.includes(factorsText(components));
  const isProgressive = (frameType & 3) === 2, isArithmetic = frameType >= 0xc8;
  const isOneScan = holdsAll(scans, components.length);
  const hasSteps = areStepsExpressible(image);
  const needsCoefficients = isProgressive || isArithmetic || isGrey || !isOneScan || !isUsual ||
    !hasSteps;
  const restartInterval = wantedInterval(image, { restart, sampling, isKept: !needsCoefficients });
  const actions: LosslessAction[] = [];
  if (isArithmetic) actions.push("arithmetic");
  if (isProgressive) actions.push("baseline");
  else if (!isOneScan) actions.push("one-scan");
  if (isGrey) actions.push("neutral-chroma");
  else if (!isUsual) actions.push("sampling-notation");
  if (!hasSteps) actions.push("quantization-tables");
  // A progressive picture has no use for the standard tables: that they change with it need not be told.
  if (image.huffmanTables === "custom" && !isProgressive) actions.push("huffman-tables");
  if (restartInterval !== effectiveInterval(image)) actions.push("restart-markers");
  return {
    actions,
    sampling,
    restartInterval,
    needsCoefficients,
    obstacle: obstacleOf(image, name),
  };
}

/** How an action is told to people, after a number of frames. */
export function actionText(action: RepairAction): string {
  return ACTION_TEXTS[action];
}

/** Whether an action leaves every pixel as it was. */
export function isLossless(action: RepairAction): boolean {
  return !LOSSY.includes(action);
}

/** What T.81 calls a frame type. */
export function codingName(frameType: number): string {
  const kind = ["baseline", "extended sequential", "progressive", "lossless"][frameType & 3];
  const differential = frameType & 4 ? "differential " : "";
  return `${differential}${kind}${frameType >= 0xc8 ? " with arithmetic coding" : ""}`;
}

function obstacleOf(image: JpegImage, name: string): RepairObstacle | undefined {
  const { frameType, precision, components, colorSpace } = image;
  if (!READABLE.includes(frameType)) {
    const reason = `it is ${codingName(frameType)}`;
    // Nine bits are what ffmpeg writes of RGB, in colours that no standard describes.
    const isConvertible = frameType === LOSSLESS && precision !== 9;
    return { code: "unsupported-coding", reason, isConvertible };
  }
  if (components.length === 2) {
    const reason = "it has 2 components, wanted 1, 3 or 4";
    return { code: "unsupported-components", reason, isConvertible: false };
  }
  if (precision !== 8) {
    const reason = `its samples have ${precision} bits, wanted 8`;
    return { code: "unsupported-precision", reason, isConvertible: precision === 12 };
  }
  if (colorSpace !== "YCbCr" && colorSpace !== "grey") {
    const reason = `it is ${colorSpace}, wanted YCbCr or grey`;
    return { code: "unsupported-colour", reason, isConvertible: true };
  }
  if (name === "grey" || name === "4:2:0" || name === "4:2:2") return undefined;
  const reason = `it is ${/^4/.test(name) ? name : `subsampled ${name}`}, wanted 4:2:0 or 4:2:2`;
  return { code: "unsupported-sampling", reason, isConvertible: true };
}

/** One scan with all components in the order of the frame. */
function holdsAll(scans: readonly JpegScan[], componentCount: number): boolean {
  const [{ components }] = scans;
  return scans.length === 1 && components.length === componentCount &&
    components.every(({ component }, i) => component === i);
}

/** 8-bit steps, and the same for Cb and Cr. */
function areStepsExpressible(image: JpegImage): boolean {
  const tables = image.components.map((_, i) => quantizationOf(image, i));
  const [, cb, cr] = tables;
  return tables.every((table) => table?.every((step: number) => step <= 255) ?? true) &&
    (cb === undefined || cr === undefined || cb.every((step: number, i) => step === cr[i]));
}

/** The table in force when a component was first coded. */
export function quantizationOf(
  image: JpegImage,
  component: number,
): Uint8Array | Uint16Array | undefined {
  for (const scan of image.scans) {
    for (const part of scan.components) if (part.component === component) return part.quantization;
  }
  return undefined;
}

/** Restart markers that really occur: an interval as long as the scan makes none. */
function effectiveInterval(image: JpegImage): number {
  const [scan] = image.scans;
  return scan.restartInterval < mcuCountOf(image) ? scan.restartInterval : 0;
}

function wantedInterval(
  image: JpegImage,
  { restart, sampling, isKept }: {
    readonly restart: RestartChoice;
    readonly sampling: ChromaSampling;
    readonly isKept: boolean;
  },
): number {
  const interval = effectiveInterval(image);
  if (restart === "none" || (restart === "keep" && interval === 0)) return 0;
  // Where blocks are laid out anew, the old number of MCUs means nothing any more.
  if (restart === "keep" && isKept) return interval;
  const lines = Math.ceil(image.height / (sampling === "4:2:0" ? 16 : 8));
  return lines > 1 ? Math.ceil(image.width / 16) : 0;
}

/** Frame types whose coefficients can be had: all but lossless and hierarchical ones. */
const READABLE: readonly number[] = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const LOSSLESS = 0xc3;
const USUAL_FACTORS: readonly string[] = ["2x1,1x1,1x1", "2x2,1x1,1x1"];
const LOSSY: readonly RepairAction[] = [
  "lossless-coding",
  "colour-resampled",
  "colour-converted",
  "sample-bits",
  "scaled",
];
const ACTION_TEXTS: Readonly<Record<RepairAction, string>> = {
  "huffman-tables": "re-coded to standard Huffman tables",
  "arithmetic": "re-coded from arithmetic to Huffman codes",
  "baseline": "re-coded from progressive to baseline",
  "one-scan": "interleaved into one scan",
  "sampling-notation": "laid out in the usual notation of their sampling",
  "neutral-chroma": "given neutral colour",
  "quantization-tables": "given two quantization tables of 8 bits",
  "restart-markers": "given other restart markers",
  "lossless-coding": "re-encoded from lossless coding",
  "colour-resampled": "given subsampled colour",
  "colour-converted": "converted to YCbCr",
  "sample-bits": "reduced to 8 bits a sample",
  "scaled": "scaled down",
};
