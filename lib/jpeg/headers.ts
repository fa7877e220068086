/**
 * Writes a baseline picture of three components around a scan: JFIF, two quantization tables, the standard Huffman
 * tables. {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex B}, T.871 (JFIF).
 *
 * Floor 1. The scan is the caller's: `scan_recoder.ts` and `baseline_scan.ts` make it.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { STANDARD_HUFFMAN_TABLES } from "./tables.ts";

/** How colour is subsampled in a picture that RTP/JPEG can carry. */
export type ChromaSampling = "4:2:2" | "4:2:0";

/** What stands before the scan. */
export interface BaselineDescription {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Subsampling of colour. */
  readonly sampling: ChromaSampling;
  /** 64 steps of 1 to 255, zigzag order. */
  readonly luma: ArrayLike<number>;
  /** Likewise, for both other components. */
  readonly chroma: ArrayLike<number>;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
}

/**
 * The whole picture, from SOI to EOI; owned.
 *
 * @param scan Entropy-coded data, stuffed, with the standard Huffman tables.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeBaselineJpeg } from "./headers.ts";
 * import { parseJpeg } from "./markers.ts";
 *
 * const steps = new Uint8Array(64).fill(1);
 * const jpeg = encodeBaselineJpeg(
 *   { width: 8, height: 8, sampling: "4:2:2", luma: steps, chroma: steps, restartInterval: 0 },
 *   Uint8Array.of(1, 2, 3),
 * );
 * assertEquals([parseJpeg(jpeg).width, parseJpeg(jpeg).huffmanTables], [8, "standard"]);
 * ```
 */
export function encodeBaselineJpeg(
  picture: BaselineDescription,
  scan: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { width, height, restartInterval } = picture;
  const lumaFactors = picture.sampling === "4:2:0" ? 0x22 : 0x21;
  const restart = restartInterval > 0
    ? [0xff, 0xdd, 0, 4, restartInterval >> 8, restartInterval & 0xff]
    : [];
  return concat([
    Uint8Array.of(0xff, 0xd8),
    // JFIF 1.2, square pixels, no thumbnail.
    Uint8Array.of(0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 2, 0, 0, 1, 0, 1, 0, 0),
    Uint8Array.of(0xff, 0xdb, 0, 132, 0, ...Array.from(picture.luma)),
    Uint8Array.of(1, ...Array.from(picture.chroma)),
    Uint8Array.from(restart),
    Uint8Array.of(0xff, 0xc0, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3),
    Uint8Array.of(1, lumaFactors, 0, 2, 0x11, 1, 3, 0x11, 1),
    STANDARD_HUFFMAN_TABLES,
    Uint8Array.of(0xff, 0xda, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0),
    scan,
    Uint8Array.of(0xff, 0xd9),
  ]);
}

/**
 * The picture with the standard Huffman tables in it where it has none at all, as Motion-JPEG in AVI files and from
 * webcams has not; the same octets, borrowed, where it has some or is not to be understood. Decoders need them,
 * RTP/JPEG does not.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withHuffmanTables } from "./headers.ts";
 *
 * const bare = Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 7, 0xff, 0xd9);
 * const whole = withHuffmanTables(bare);
 * assertEquals([whole.length, withHuffmanTables(whole) === whole], [bare.length + 420, true]);
 * ```
 */
export function withHuffmanTables(jpeg: Uint8Array): Uint8Array {
  let at = 2;
  while (at + 4 <= jpeg.length) {
    if (jpeg[at] !== 0xff || jpeg[at + 1] === 0xff) {
      at++;
      continue;
    }
    const marker = jpeg[at + 1];
    // Huffman tables are there; or they would mean nothing: progressive, lossless and arithmetic-coded pictures.
    if (marker === 0xc4 || (marker > 0xc1 && marker <= 0xcf && marker !== 0xc8)) return jpeg;
    if (marker === 0xda) {
      return concat([jpeg.subarray(0, at), STANDARD_HUFFMAN_TABLES, jpeg.subarray(at)]);
    }
    if (marker === 0xd9) return jpeg;
    const isAlone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += 2 + (isAlone ? 0 : Math.max(2, jpeg[at + 2] << 8 | jpeg[at + 3]));
  }
  return jpeg;
}
