// What we use of imagescript's PNG encoder, which comes without types.

/** The pixels' layout: rows from the top, no padding, `channels` octets a pixel. */
interface PngOptions {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Effort of the compression, 0 (none) to 9. */
  readonly level?: number;
}

declare const png: {
  encode(pixels: Uint8Array, options: PngOptions): Uint8Array<ArrayBuffer>;
};
export default png;
