/**
 * The frame numbers that are drawn into the bundled sample, read from decoded pictures.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { readFrameNumber } from "../../tools/sample_strip.ts";
import { runOk } from "./process.ts";

const WIDTH = 320, HEIGHT = 240;

/** The numbers (from 1) in a file of pictures of 320x240, or in frames in memory; `undefined` where there is none. */
export async function sampleNumbers(
  source: string | readonly Uint8Array[],
): Promise<(number | undefined)[]> {
  const isPath = typeof source === "string";
  const { stdout } = await runOk("ffmpeg", {
    args: [
      ...["-v", "error", "-f", "mjpeg", "-i", isPath ? source : "pipe:0"],
      ...["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
    ],
    stdin: isPath ? undefined : concat(source),
  });
  return numbersIn(stdout);
}

/** The numbers in grey pictures of 320x240, one behind the other. */
export function numbersIn(samples: Uint8Array): (number | undefined)[] {
  const size = WIDTH * HEIGHT;
  return Array.from({ length: Math.floor(samples.length / size) }, (_, i) =>
    readFrameNumber({
      width: WIDTH,
      height: HEIGHT,
      channels: 1,
      samples: samples.subarray(i * size, (i + 1) * size),
    }));
}
