/**
 * Decodes Motion-JPEG with ffmpeg and names each picture by a digest, so that two streams can be compared.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { runOk, textOf } from "./process.ts";

/** Where to cut before comparing: RTP/JPEG counts in units of 8 pixels, the rest of the last unit is padding. */
export interface Crop {
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** ffmpeg's output options that name every decoded picture, none dropped, none doubled. */
export function framemd5Options(crop?: Crop): string[] {
  return [
    ...["-an", "-fps_mode", "passthrough"],
    ...(crop ? ["-vf", `crop=${crop.width}:${crop.height}:0:0:exact=1`] : []),
    ...["-f", "framemd5", "-"],
  ];
}

/** The digests in what `-f framemd5` wrote, in order, each with the picture's size in octets. */
export function digestsIn(framemd5: string): string[] {
  return framemd5.split("\n").filter((line) => /^\d/.test(line)).map((line) => {
    const fields = line.split(",").map((field) => field.trim());
    return `${fields[4]}:${fields[5]}`;
  });
}

/** Digests of the pictures in a file of concatenated JPEGs, or in frames in memory. */
export async function picturesOf(
  source: string | readonly Uint8Array[],
  crop?: Crop,
): Promise<string[]> {
  const isPath = typeof source === "string";
  const result = await runOk("ffmpeg", {
    args: [
      ...["-v", "error", "-f", "mjpeg", "-framerate", "25", "-i", isPath ? source : "pipe:0"],
      ...framemd5Options(crop),
    ],
    stdin: isPath ? undefined : concat(source),
  });
  return digestsIn(textOf(result));
}
