/**
 * Motion-JPEG streams that are odd, each in one way: what cameras, editors and encoders really write, and what the
 * standard allows although hardly anybody does it. Made by ffmpeg, cjpeg, jpegtran and ImageMagick, and by surgery.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { RECIPES } from "./odd_recipes.ts";
import { runOk } from "./process.ts";

/** What our server makes of a stream. */
export type Outcome = "as it is" | "re-coded, lossless" | "re-encoded" | "refused";

/** One odd stream. */
export interface OddStream {
  /** Names its oddity; its file name without `.mjpeg`. */
  readonly name: string;
  /** The oddity in words. */
  readonly oddity: string;
  /** What our server makes of it. */
  readonly outcome: Outcome;
  /** The whole file. */
  readonly file: Uint8Array;
  /** JPEGs that show what a reader must see; the frames themselves where decoders can read them. */
  readonly reference: readonly Uint8Array[];
  /** Who can show it: ffmpeg cannot do without a size in the payload header. */
  readonly readers: "all" | "not ffmpeg";
}

/** Makes all of them; takes some seconds. */
export async function oddStreams(): Promise<OddStream[]> {
  const sources = await draw();
  const streams: OddStream[] = [];
  for (const recipe of RECIPES) {
    const frames: Uint8Array[] = [];
    for (const picture of sources[recipe.source ?? "sharp"]) {
      frames.push(await recipe.make(picture));
    }
    const reference: Uint8Array[] = [];
    for (const [i, picture] of sources[recipe.source ?? "sharp"].entries()) {
      reference.push(await recipe.reference?.(picture) ?? frames[i]);
    }
    const kept = reference.filter((_, i) => !recipe.isLost?.(i));
    const file = recipe.file?.(frames) ?? concat(frames);
    const { name, oddity, outcome, readers = "all" } = recipe;
    streams.push({ name, oddity, outcome, file, reference: kept, readers });
  }
  return streams;
}

/** Frames of each stream. */
export const FRAME_COUNT = 3;

/** Which pictures a stream shows. */
export type Source = "sharp" | "smooth" | "plain" | "uneven" | "tiny" | "wide" | "tall";

/** How a stream is made. */
export interface Recipe {
  readonly name: string;
  readonly oddity: string;
  readonly outcome: Outcome;
  /** Which pictures. @default {"sharp"} */
  readonly source?: Source;
  /** Makes a frame of a picture in PPM form. */
  readonly make: (picture: Uint8Array) => Promise<Uint8Array>;
  /** Makes the frame that it must look like, where decoders cannot read it itself. */
  readonly reference?: (picture: Uint8Array) => Promise<Uint8Array>;
  /** Makes the file; without it frames stand one behind the other. */
  readonly file?: (frames: readonly Uint8Array[]) => Uint8Array;
  /** Frames that cannot be had any more. */
  readonly isLost?: (index: number) => boolean;
  readonly readers?: "not ffmpeg";
}

/** Sharp ones are for what stays as it is; smooth ones, with noise in luma, for what is re-encoded. */
const SOURCES: Readonly<Record<Source, string>> = {
  sharp: "testsrc2=size=96x80:rate=25",
  smooth:
    "gradients=size=112x64:rate=25:c0=0x804020:c1=0x208040:c2=0x402080:n=3:seed=7:speed=0.1," +
    "format=yuv444p,noise=c0s=6:c0_seed=3,format=rgb24",
  plain: "gradients=size=112x64:rate=25:c0=0x804020:c1=0x208040:c2=0x402080:n=3:seed=7:speed=0.1",
  uneven: "testsrc2=size=99x61:rate=25",
  tiny: "testsrc2=size=16x16:rate=25,crop=5:3",
  wide: "testsrc2=size=2064x32:rate=25",
  tall: "testsrc2=size=32x2064:rate=25",
};

async function draw(): Promise<Record<Source, Uint8Array[]>> {
  const drawn = await Promise.all(
    Object.entries(SOURCES).map(async ([name, filter]) => {
      const { stdout } = await runOk("ffmpeg", {
        args: [
          ...["-v", "error", "-f", "lavfi", "-i", filter, "-frames:v", String(FRAME_COUNT)],
          ...["-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "-"],
        ],
      });
      const size = stdout.length / FRAME_COUNT;
      const pictures = Array.from(
        { length: FRAME_COUNT },
        (_, i) => stdout.subarray(i * size, (i + 1) * size),
      );
      return [name, pictures];
    }),
  );
  return Object.fromEntries(drawn);
}
