/**
 * One picture made ready for RTP/JPEG: left alone where it can be, repaired without loss where that is enough, converted
 * where nothing else helps, refused where it is damaged. {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435}.
 *
 * Floor 1. `repair.ts` and `conversion.ts` do the work; this decides between them.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { convertJpeg } from "./conversion.ts";
import type { JpegImage } from "./image.ts";
import { hasWholeScan } from "./integrity.ts";
import { parseJpeg } from "./markers.ts";
import { repairJpeg } from "./repair.ts";
import { planRepair, type RepairAction, type RestartChoice } from "./repair_plan.ts";
import type { ScanRecoder } from "./scan_recoder.ts";

/** How far pictures may be changed: not at all, only so that decoders give the same pixels, or as far as needed. */
export type RepairLevel = "off" | "lossless" | "all";

/** How {@linkcode prepareJpeg} works. */
export interface PreparationOptions {
  /** How far pictures may be changed. @default {"all"} */
  readonly level?: RepairLevel;
  /** Which restart markers the result shall have. @default {"keep"} */
  readonly restart?: RestartChoice;
  /** Pixels of the result at most, where the level is "all". @default {65535} */
  readonly maxWidth?: number;
  /** Pixels, likewise. @default {65535} */
  readonly maxHeight?: number;
  /** Working memory, worth keeping from picture to picture. */
  readonly recoder?: ScanRecoder;
}

/** A picture that is ready, and what was done to it. */
export interface PreparedJpeg {
  /** The picture: the octets that were given, borrowed, where nothing was to be done; else owned. */
  readonly jpeg: Uint8Array;
  /** What was done. */
  readonly actions: readonly RepairAction[];
}

/**
 * Makes a picture ready.
 *
 * @throws {JpegFormatError} where it is damaged, or cannot be made ready at this level; the message says why.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { prepareJpeg } from "./preparation.ts";
 *
 * const picture = Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958);
 * assertEquals(prepareJpeg(picture), { jpeg: picture, actions: [] });
 * assertEquals(prepareJpeg(picture, { maxWidth: 160 }).actions, ["scaled"]);
 * ```
 */
export function prepareJpeg(jpeg: Uint8Array, options: PreparationOptions = {}): PreparedJpeg {
  const { level = "all", restart, recoder } = options;
  if (level === "off") return { jpeg, actions: [] };
  const image = parseJpeg(jpeg);
  if (!image.hasEndOfImage && !hasWholeScan(jpeg, recoder)) throw truncated(jpeg, image);
  if (mustConvert(image, options)) return convertJpeg(jpeg, options);
  return repairJpeg(jpeg, { restart, recoder });
}

/**
 * Whether {@linkcode prepareJpeg} has anything to do, told from the markers alone: a fraction of the time.
 *
 * @throws {JpegFormatError} where the markers are damaged.
 */
export function needsPreparation(jpeg: Uint8Array, options: PreparationOptions = {}): boolean {
  if (options.level === "off") return false;
  const image = parseJpeg(jpeg), { actions, obstacle } = planRepair(image, options.restart);
  return actions.length > 0 || obstacle !== undefined || !image.hasEndOfImage ||
    mustConvert(image, options);
}

function mustConvert(image: JpegImage, options: PreparationOptions): boolean {
  if ((options.level ?? "all") !== "all") return false;
  const { maxWidth = 65_535, maxHeight = 65_535 } = options;
  return image.width > maxWidth || image.height > maxHeight ||
    planRepair(image).obstacle?.isConvertible === true;
}

function truncated(jpeg: Uint8Array, image: JpegImage): JpegFormatError {
  return new JpegFormatError(
    `Cannot use JPEG: it has no EOI, and its ${jpeg.length} octets end before its last block`,
    { code: "truncated", offset: image.scanEnd, rfc: "T.81 B.2.1" },
  );
}
