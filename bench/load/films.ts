/**
 * The films of the load benchmark: noisy test pictures of a wanted size, made by ffmpeg, and the same frames in each
 * container that a server wants.
 *
 * @module
 */
import { encodeLabFrame } from "../../lib/frames/lab_file.ts";
import { concat } from "@std/bytes";

/** What a film shall be. */
export interface FilmPlan {
  /** Name of its folder. */
  readonly name: string;
  /** Width and height, as ffmpeg writes them. */
  readonly size: string;
  /** Frames a second. */
  readonly frameRateHz: number;
  /** Octets of a frame, on average. */
  readonly frameBytes: number;
  /** Seconds until it repeats; servers that cannot repeat get copies of it in a row. */
  readonly seconds: number;
}

/** A film on disk, in a folder of its own: `film` in each form. */
export interface Film extends FilmPlan {
  /** The folder. */
  readonly folder: string;
  /** Bare JPEGs, one after the other: `film.mjpeg`. */
  readonly mjpeg: string;
  /** The same frames {@linkcode PLAYED_SECONDS} long in Matroska. */
  readonly mkv: string;
}

/** 640x480 at 30 frames a second, about 30 kB each. */
export const VGA: FilmPlan = {
  name: "vga",
  size: "640x480",
  frameRateHz: 30,
  frameBytes: 30_000,
  seconds: 9,
};
/** 1280x720 at 30 frames a second, about 100 kB each. */
export const HD: FilmPlan = {
  name: "hd",
  size: "1280x720",
  frameRateHz: 30,
  frameBytes: 100_000,
  seconds: 9,
};
/** What the lab's clients play: 20 frames a second of about 12 kB. */
export const LAB: FilmPlan = {
  name: "lab",
  size: "320x240",
  frameRateHz: 20,
  frameBytes: 12_000,
  seconds: 9,
};

/** A film whose frames have about so many octets. */
export function filmOfBytes(frameBytes: number): FilmPlan {
  const size = frameBytes < 20_000 ? "320x240" : frameBytes < 80_000 ? "640x480" : "1280x720";
  return { name: `f${frameBytes}`, size, frameRateHz: 30, frameBytes, seconds: 3 };
}

/** Makes a film unless the folder has it already. */
export async function makeFilm(plan: FilmPlan, folder: string): Promise<Film> {
  const film = { ...plan, folder: `${folder}/${plan.name}` };
  const mjpeg = `${film.folder}/film.mjpeg`;
  const mkv = `${film.folder}/film.mkv`;
  try {
    await Deno.stat(mkv);
  } catch {
    await Deno.mkdir(film.folder, { recursive: true });
    const frames = await picturesOf(plan);
    await Deno.writeFile(mjpeg, concat(frames));
    if (plan.frameBytes <= LAB_FRAME_BYTES) {
      await Deno.writeFile(`${film.folder}/film.Mjpeg`, repeated(frames.map(encodeLabFrame), plan));
    }
    const repeat = ["-stream_loop", String(Math.ceil(PLAYED_SECONDS / plan.seconds) - 1)];
    const rate = ["-framerate", String(plan.frameRateHz)];
    await ffmpeg([...repeat, ...rate, "-i", mjpeg, "-c", "copy", "-y", mkv]);
  }
  return { ...film, mjpeg, mkv };
}

/** The lab's server cannot repeat a file. */
function repeated(frames: readonly Uint8Array[], plan: FilmPlan): Uint8Array {
  const once = concat([...frames]);
  return concat(Array.from({ length: Math.ceil(PLAYED_SECONDS / plan.seconds) }, () => once));
}

/** Frames of constant rate: the first ones, in which ffmpeg looks for the right quality, are left out. */
async function picturesOf({ size, frameRateHz, frameBytes, seconds }: FilmPlan) {
  const bitRate = String(frameBytes * 8 * frameRateHz);
  const pixels = size.split("x").map(Number).reduce((a, b) => a * b);
  const noise = Math.min(100, Math.max(20, Math.round(frameBytes / pixels * 160)));
  const source = `testsrc2=size=${size}:rate=${frameRateHz},noise=alls=${noise}:allf=t`;
  const count = frameRateHz * seconds;
  const rate = ["-b:v", bitRate, "-minrate", bitRate, "-maxrate", bitRate];
  const bytes = await ffmpeg([
    ...["-f", "lavfi", "-i", source, "-frames:v", String(count + SKIPPED_FRAMES)],
    ...["-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p"],
    ...rate,
    ...["-bufsize", String(frameBytes * 8 * 4), "-f", "mjpeg", "-"],
  ]);
  const frames: Uint8Array[] = [];
  for (let start = 0, i = 2; i < bytes.length; i++) {
    if (bytes[i - 1] !== 0xff || bytes[i] !== 0xd9) continue;
    frames.push(bytes.subarray(start, i + 1));
    start = i + 1;
  }
  return frames.slice(SKIPPED_FRAMES);
}

async function ffmpeg(args: readonly string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", ...args],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot make a film: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

/** So long must a film of a server be that cannot repeat it. */
export const PLAYED_SECONDS = 36;
const SKIPPED_FRAMES = 30;
/** Larger frames do not fit the lab's clients. */
const LAB_FRAME_BYTES = 15_000;
