/**
 * What `codec.ts` uses of imagescript's PNG encoder, which comes without types. Floor 3.
 *
 * @module
 */

/** The pixels' layout: rows from the top, no padding, `channels` octets a pixel. */
export interface PngOptions {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Octets a pixel: 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Effort of the compression, 0 (none) to 9. */
  readonly level?: number;
}

/** imagescript's PNG codec. */
declare const png: {
  /** Encodes pixels without loss; the result is owned. */
  encode(pixels: Uint8Array, options: PngOptions): Uint8Array<ArrayBuffer>;
};
export default png;
