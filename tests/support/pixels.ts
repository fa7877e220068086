/**
 * Pixels of pictures as djpeg decodes them, and how far two pictures are apart.
 *
 * @module
 */
import { runOk } from "./process.ts";

/** A decoded picture: RGB, three octets a pixel, rows from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** Decodes a picture. */
export async function pixelsOf(jpeg: Uint8Array): Promise<Pixels> {
  const { stdout } = await runOk("djpeg", { args: ["-rgb", "-ppm"], stdin: jpeg });
  const head = new TextDecoder("latin1").decode(stdout.subarray(0, 40));
  const match = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(head)!;
  return {
    width: Number(match[1]),
    height: Number(match[2]),
    rgb: stdout.subarray(match[0].length),
  };
}

/** Peak signal to noise ratio in dB over what both pictures show; Infinity where they are the same. */
export function psnr(a: Pixels, b: Pixels): number {
  const width = Math.min(a.width, b.width), height = Math.min(a.height, b.height);
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * 3; x++) {
      const difference = a.rgb[y * a.width * 3 + x] - b.rgb[y * b.width * 3 + x];
      sum += difference * difference;
    }
  }
  return 10 * Math.log10(255 * 255 * width * height * 3 / sum);
}
