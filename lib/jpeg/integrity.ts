/**
 * Whether the entropy-coded data of a picture is all there, found by reading its Huffman codes.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex F}.
 *
 * Floor 1, built on `markers.ts` and `scan_recoder.ts`. It cannot see a changed coefficient, only that data are missing or
 * make no sense, and that not always: of cuts of 100 to 1,400 octets at random, about one in 600 goes unseen.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import type { JpegImage, JpegScan } from "./image.ts";
import { parseJpeg } from "./markers.ts";
import { mcuCountOf } from "./sampling.ts";
import { type ScanComponent, ScanRecoder } from "./scan_recoder.ts";

/**
 * False when the data of a baseline picture end before its last block, go on after it, or hold codes that do not exist, as
 * they do where a piece of them was lost. True also for pictures that this cannot judge: progressive, arithmetic, several scans.
 *
 * @param recoder Working memory, worth keeping from picture to picture.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat } from "@std/bytes";
 * import { hasWholeScan } from "./integrity.ts";
 *
 * const picture = Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958);
 * assertEquals(hasWholeScan(picture), true);
 * assertEquals(hasWholeScan(concat([picture.subarray(0, 5000), picture.subarray(6400)])), false);
 * ```
 */
export function hasWholeScan(jpeg: Uint8Array, recoder: ScanRecoder = new ScanRecoder()): boolean {
  try {
    const image = parseJpeg(jpeg), [scan] = image.scans;
    const components = image.scans.length === 1 && image.frameType <= 0xc1 && image.precision === 8
      ? scanComponents(image, scan)
      : undefined;
    if (components === undefined) return true;
    const { restartInterval } = scan, octets = jpeg.subarray(scan.start, scan.end);
    const read = recoder.recode(octets, {
      components,
      mcuCount: mcuCountOf(image),
      restartInterval,
    });
    // The same tables give the same codes: what is shorter left octets behind the last block unread.
    return read.length >= octets.length - TOLERATED_PADDING_BYTES;
  } catch (error) {
    if (error instanceof JpegFormatError) return false;
    throw error;
  }
}

/** Some encoders fill the last word. */
const TOLERATED_PADDING_BYTES = 4;

/** Each component of a scan that holds all of the picture, re-coded to the tables it has; nothing for other scans. */
function scanComponents(image: JpegImage, scan: JpegScan): ScanComponent[] | undefined {
  if (scan.components.length !== image.components.length) return undefined;
  const isAlone = scan.components.length === 1;
  const parts: ScanComponent[] = [];
  for (const { component, dc, ac } of scan.components) {
    if (dc === undefined || ac === undefined) return undefined;
    const { h, v } = image.components[component], tables = { dc, ac };
    parts.push({ blocksPerMcu: isAlone ? 1 : h * v, from: tables, to: tables });
  }
  return parts;
}
