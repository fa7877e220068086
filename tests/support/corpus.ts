/**
 * Makes the Motion-JPEG files that tests stream: each differs from the others in one thing that matters on the wire.
 *
 * ffmpeg draws the pictures, cjpeg and jpegtran (or ffmpeg) code them. What was made is kept in a folder of the
 * system's temporary directory, under a name that is the digest of its recipe, so that a second run finds it.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { createHash } from "node:crypto";
import { runOk } from "./process.ts";

/** What a movie is made of. */
export interface Recipe {
  /** Width of the picture in pixels. */
  readonly width: number;
  /** Height of the picture in pixels. */
  readonly height: number;
  /** Number of frames; all differ. */
  readonly frameCount: number;
  /** Sampling of luma against chroma, as cjpeg writes it. @default {"2x2"} */
  readonly sampling?: "2x2" | "2x1" | "1x1" | "grey";
  /** Quality 1 to 99 of the tables of T.81 Annex K. @default {75} */
  readonly quality?: number;
  /**
   * `"standard"`: Annex K scaled by the quality; `"odd"`: two tables of our own; `"shared"`: ffmpeg's coder,
   * which writes one table for all components.
   * @default {"standard"}
   */
  readonly tables?: "standard" | "odd" | "shared";
  /** Restart interval as cjpeg takes it: rows of MCUs, or MCUs with a `B` behind. */
  readonly restart?: string;
  /** Whether an EXIF segment with a whole small JPEG inside goes before the tables. */
  readonly hasThumbnail?: boolean;
  /** Extra switches of cjpeg, for files that RTP/JPEG cannot carry. */
  readonly switches?: readonly string[];
}

/** The movies by name. Sizes are small: a test of one of them takes about a second of film. */
export const RECIPES = {
  /** The plain case. */
  "420": { width: 320, height: 240, frameCount: 30 },
  /** The plain case with twice the chroma. */
  "422": { width: 320, height: 240, frameCount: 30, sampling: "2x1", quality: 90 },
  /** Restart markers after every row of MCUs; a size that fills no MCU. */
  "420-restart-326x246": { width: 326, height: 246, frameCount: 30, restart: "1" },
  /** Restart markers after every four MCUs. */
  "422-restart": { width: 320, height: 240, frameCount: 30, sampling: "2x1", restart: "4B" },
  /** Tables that no quality factor describes; a size that fills no MCU. */
  "420-odd-326x246": { width: 326, height: 246, frameCount: 30, tables: "odd" },
  /** Everything unusual at once. */
  "422-odd-restart-330x250": {
    width: 330,
    height: 250,
    frameCount: 30,
    sampling: "2x1",
    tables: "odd",
    restart: "2",
  },
  /** One table for three components, as ffmpeg codes. */
  "420-shared": { width: 320, height: 240, frameCount: 30, tables: "shared" },
  /** A picture that is wider than RFC 2435 can say. */
  "wide": { width: 2064, height: 48, frameCount: 25 },
  /** An end-of-image marker long before the end of the image. */
  "thumbnail": { width: 320, height: 240, frameCount: 30, hasThumbnail: true },
  /** Few packets a frame, many frames: for long runs. */
  "small": { width: 160, height: 120, frameCount: 100, quality: 60 },
  /** Many packets a frame: for loss and reordering. */
  "large": { width: 640, height: 480, frameCount: 40, quality: 85 },
  /** No subsampling: no type of RFC 2435. */
  "444": { width: 160, height: 120, frameCount: 5, sampling: "1x1" },
  /** Several scans. */
  "progressive": { width: 160, height: 120, frameCount: 5, switches: ["-progressive"] },
  /** No Huffman codes at all. */
  "arithmetic": { width: 160, height: 120, frameCount: 5, switches: ["-arithmetic"] },
  /** Both at once, with restart markers. */
  "arithmetic-progressive": {
    width: 160,
    height: 120,
    frameCount: 5,
    switches: ["-arithmetic", "-progressive"],
    restart: "2",
  },
  /** Huffman tables of its own. */
  "optimized": { width: 160, height: 120, frameCount: 5, switches: ["-optimize"] },
  /** One component. */
  "grey": { width: 160, height: 120, frameCount: 5, sampling: "grey" },
} as const satisfies Record<string, Recipe>;

/** Name of a movie of the corpus. */
export type MovieName = keyof typeof RECIPES;

/** A movie that was made. */
export interface Movie {
  /** Its name among the recipes. */
  readonly name: MovieName;
  /** How it was made. */
  readonly recipe: Recipe;
  /** The frames, as coded. */
  readonly frames: readonly Uint8Array[];
  /** All frames one behind the other, as `ffmpeg -f mjpeg` writes them. */
  readonly path: string;
}

const made = new Map<MovieName, Promise<Movie>>();

/** Makes a movie, or finds it made. */
export function movieOf(name: MovieName): Promise<Movie> {
  let movie = made.get(name);
  if (movie === undefined) made.set(name, movie = find(name));
  return movie;
}

/** The octets of a movie in the lab's format: five digits of length before each frame. */
export function labFileOf(movie: Movie): Uint8Array {
  return concat(movie.frames.flatMap((frame) => [
    new TextEncoder().encode(String(frame.length).padStart(5, "0")),
    frame,
  ]));
}

/** A fresh folder with the given files in it; `await using` removes it. */
export class MediaFolder implements AsyncDisposable {
  /** Where it is. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder; a key is a path inside it, a value is what goes there. */
  static async make(files: Record<string, Movie | Uint8Array>): Promise<MediaFolder> {
    const path = await Deno.makeTempDir({ prefix: "deno-rtsp-media-" });
    for (const [name, content] of Object.entries(files)) {
      const target = `${path}/${name}`;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      if (content instanceof Uint8Array) await Deno.writeFile(target, content);
      else await Deno.copyFile(content.path, target);
    }
    return new MediaFolder(path);
  }

  /** Removes the folder and all in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** The movie in a Matroska file, frames untouched: what a GStreamer server can pace. Returns the path. */
export async function matroskaOf(
  movie: Movie,
  folder: MediaFolder,
  frameRateHz = 25,
): Promise<string> {
  const path = `${folder.path}/${movie.name}.mkv`;
  const input = ["-f", "mjpeg", "-framerate", String(frameRateHz), "-i", movie.path];
  await runOk("ffmpeg", { args: ["-v", "error", ...input, "-c", "copy", path] });
  return path;
}

/** Where made movies are kept between runs. */
function cacheFolder(): string {
  const base = Deno.env.get("TMPDIR") ?? "/tmp";
  return `${base}/deno-rtsp-corpus-${Deno.uid() ?? 0}`;
}

async function find(name: MovieName): Promise<Movie> {
  const recipe: Recipe = RECIPES[name];
  const digest = createHash("sha256").update(JSON.stringify([3, recipe])).digest("hex");
  const folder = cacheFolder();
  const path = `${folder}/${name}-${digest.slice(0, 16)}.mjpeg`;
  const sizesPath = `${path}.sizes`;
  let sizes = await readSizes(sizesPath);
  if (sizes === undefined) {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const frames = await makeFrames(recipe);
    sizes = frames.map((frame) => frame.length);
    await writeWhole(path, concat(frames));
    await writeWhole(sizesPath, new TextEncoder().encode(JSON.stringify(sizes)));
  }
  const bytes = await Deno.readFile(path);
  let end = 0;
  const frames = sizes.map((size) => bytes.subarray(end, end += size));
  return { name, recipe, frames, path };
}

async function readSizes(path: string): Promise<number[] | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Other tests may make the same file at this moment: write elsewhere, then rename. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(draft, bytes);
  await Deno.rename(draft, path);
}

async function makeFrames(recipe: Recipe): Promise<Uint8Array[]> {
  const frames = recipe.tables === "shared"
    ? splitAtSoi(await drawn(recipe, FFMPEG_JPEG))
    : await codeWithCjpeg(recipe);
  if (!recipe.hasThumbnail) return frames;
  const [thumbnail] = await codeWithCjpeg({ width: 32, height: 24, frameCount: 1 });
  return frames.map((frame) => concat([frame.subarray(0, 2), exif(thumbnail), frame.subarray(2)]));
}

const FFMPEG_JPEG = ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-huffman", "default"].concat(
  ["-q:v", "4", "-f", "mjpeg"],
);
const PPM = ["-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe"];

/** The moving test pattern in the form that ffmpeg's output options ask for. */
async function drawn(recipe: Recipe, output: readonly string[]): Promise<Uint8Array> {
  const { stdout } = await runOk("ffmpeg", {
    args: [
      ...["-v", "error", "-f", "lavfi"],
      ...["-i", `testsrc2=size=${recipe.width}x${recipe.height}:rate=25`],
      ...["-frames:v", String(recipe.frameCount)],
      ...output,
      "-",
    ],
  });
  return stdout;
}

async function codeWithCjpeg(recipe: Recipe): Promise<Uint8Array[]> {
  const pictures = await drawn(recipe, PPM);
  const pictureSize = pictures.length / recipe.frameCount;
  await using tables = await MediaFolder.make({ "tables": ODD_TABLES });
  const frames: Uint8Array[] = [];
  for (let i = 0; i < recipe.frameCount; i++) {
    const { stdout } = await runOk("cjpeg", {
      args: cjpegSwitches(recipe, `${tables.path}/tables`),
      stdin: pictures.subarray(i * pictureSize, (i + 1) * pictureSize),
    });
    frames.push(stdout);
  }
  return frames;
}

function cjpegSwitches(recipe: Recipe, tablesPath: string): string[] {
  return [
    "-baseline",
    ...(recipe.tables === "odd"
      ? ["-qtables", tablesPath, "-qslots", "0,1,1"]
      : ["-quality", String(recipe.quality ?? 75)]),
    ...(recipe.sampling === "grey"
      ? ["-grayscale"]
      : ["-sample", `${recipe.sampling ?? "2x2"},1x1,1x1`]),
    ...(recipe.restart ? ["-restart", recipe.restart] : []),
    ...(recipe.switches ?? []),
  ];
}

/** Two tables in the text form of cjpeg that no quality factor makes: they rise along the rows, not the diagonal. */
const ODD_TABLES = new TextEncoder().encode(
  [7, 11].map((first) => Array.from({ length: 64 }, (_, i) => first + (i % 8) * 3 + (i >> 3)))
    .map((table) => table.join(" ")).join("\n\n") + "\n",
);

/** An APP1 segment with a first directory that nobody needs and a whole JPEG behind it. */
function exif(thumbnail: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode("Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0");
  const length = 2 + head.length + thumbnail.length;
  return concat([new Uint8Array([0xff, 0xe1, length >> 8, length & 255]), head, thumbnail]);
}

/** Splits what ffmpeg's muxer wrote. Its coder stuffs every FF, so `FF D8 FF` starts a frame and nothing else. */
function splitAtSoi(bytes: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd8 && bytes[i + 2] === 0xff) starts.push(i);
  }
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
}
