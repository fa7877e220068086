/**
 * `rtsp-server inspect`: tells what is in films, and what it takes to play them.
 *
 * Floor 4 (assembly). It reads files, folders and RTSP streams, and hands lines to whoever prints them.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { RtspClient } from "../client/client.ts";
import { type MovieFile, openMovie } from "../disk.ts";
import { FrameFileError, StatusError, TransportError } from "../errors.ts";
import {
  FilmExaminer,
  type FilmReport,
  isWhollyPlayable,
  reportLines,
} from "../frames/film_report.ts";
import { withoutCredentials } from "../rtsp_url.ts";

/** What `rtsp-server inspect --help` prints. */
export const INSPECT_HELP = `rtsp-server inspect FILE|DIR|URL... [options]

Tells what films are made of, which frames are damaged and where, and what RTP/JPEG and the
clients of the streaming lab need done. The exit code is 1 when something cannot be played.

  --json       print one line of JSON for each film
  --seconds N  how long to read a URL (default 5)
  --help       show this text
`;

/** A film that was inspected, as `--json` prints it. */
export type Inspection =
  | (FilmReport & {
    /** Path or URL. */
    readonly name: string;
    /** How the frames are stored, or "rtsp". */
    readonly format: string;
    /** Seconds that the film takes. */
    readonly durationSeconds: number;
    /** Frames a second. */
    readonly frameRateHz: number;
    /** Whether all of it can be played. */
    readonly isPlayable: boolean;
  })
  | {
    /** Path or URL. */
    readonly name: string;
    /** Why there is nothing to tell. */
    readonly error: string;
    /** Always: nothing of it can be played. */
    readonly isPlayable: false;
  };

/**
 * Inspects what the arguments name.
 *
 * @param print Takes text for standard output, line ends included.
 * @returns the exit code: 0 where everything can be played, 1 where something cannot, 2 for arguments that make no sense.
 */
export async function inspect(
  args: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  let unknown: string | undefined;
  const flags = parseArgs([...args], {
    boolean: ["json", "help"],
    string: ["seconds", "_"],
    alias: { h: "help" },
    default: { seconds: "5" },
    unknown: (arg) => {
      if (!arg.startsWith("-")) return true;
      unknown ??= arg;
      return false;
    },
  });
  const names = flags._.map(String), seconds = Number(flags.seconds);
  if (flags.help) {
    print(INSPECT_HELP);
    return 0;
  }
  if (unknown !== undefined || names.length === 0 || !(seconds > 0)) {
    const why = unknown === undefined
      ? names.length === 0 ? "It names no film" : "--seconds must be a number above 0"
      : `There is no option "${unknown}"`;
    print(`${why}.\n\n${INSPECT_HELP}`);
    return 2;
  }
  let code = 0;
  for await (const inspection of inspections(names, seconds)) {
    if (!inspection.isPlayable) code = 1;
    print(flags.json ? `${JSON.stringify(inspection)}\n` : `${linesOf(inspection).join("\n")}\n`);
  }
  return code;
}

/** Inspects one film after the other; folders are walked in order. */
async function* inspections(
  names: readonly string[],
  seconds: number,
): AsyncIterableIterator<Inspection> {
  for (const name of names) {
    if (/^rtsp:\/\//i.test(name)) {
      yield await inspectUrl(name, seconds);
      continue;
    }
    let isFolder = false;
    try {
      isFolder = (await Deno.stat(name)).isDirectory;
    } catch {
      // Opening it says why better than this could.
    }
    if (!isFolder) yield await inspectFile(name);
    else for await (const path of filesIn(name)) yield* inspectFound(path);
  }
}

/** A file that was found in a folder: what is no film, and is not called one, is passed over. */
async function* inspectFound(path: string): AsyncIterableIterator<Inspection> {
  const inspection = await inspectFile(path);
  if (!("error" in inspection) || FILM_NAMES.test(path)) yield inspection;
}

async function* filesIn(folder: string): AsyncIterableIterator<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isFile } of entries) {
    const path = `${folder.replace(/\/+$/, "")}/${name}`;
    if (isDirectory) yield* filesIn(path);
    else if (isFile) yield path;
  }
}

async function inspectFile(path: string): Promise<Inspection> {
  try {
    await using movie = await openMovie(path);
    const report = await examine(movie);
    const { frameRateHz, durationSeconds } = movie.index.timeline;
    return {
      name: path,
      format: movie.format,
      durationSeconds: rounded(durationSeconds),
      frameRateHz: rounded(frameRateHz),
      isPlayable: isWhollyPlayable(report),
      ...report,
    };
  } catch (error) {
    if (!(error instanceof FrameFileError || error instanceof TransportError)) throw error;
    return { name: path, error: error.message, isPlayable: false };
  }
}

async function examine(movie: MovieFile): Promise<FilmReport> {
  const examiner = new FilmExaminer();
  for (let i = 0; i < movie.frameCount; i++) {
    examiner.add(await movie.readFrame(i), movie.index.offsetOf(i));
  }
  for (const fault of movie.index.damaged) examiner.addFault(fault);
  return examiner.report();
}

async function inspectUrl(url: string, seconds: number): Promise<Inspection> {
  const examiner = new FilmExaminer(), name = withoutCredentials(url);
  let offset = 0, first: number | undefined, last = 0;
  try {
    await using client = new RtspClient({ url });
    const over = Promise.withResolvers<void>();
    client.on((event) => {
      if (event.type === "end") over.resolve();
      if (event.type === "error") over.reject(event.error);
      if (event.type !== "frame") return;
      const { jpeg, arrivalMs } = event.frame;
      examiner.add(jpeg, offset);
      offset += jpeg.length;
      first ??= arrivalMs;
      last = arrivalMs;
    });
    const timer = setTimeout(over.resolve, seconds * 1000);
    try {
      await client.setup();
      await client.play();
      await over.promise;
      await client.teardown();
    } finally {
      clearTimeout(timer);
    }
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof TransportError)) throw error;
    return { name, error: error.message, isPlayable: false };
  }
  const report = examiner.report(), spanSeconds = (last - (first ?? last)) / 1000;
  const frameRateHz = spanSeconds > 0 ? rounded((report.frames - 1) / spanSeconds) : 0;
  const isPlayable = isWhollyPlayable(report);
  return {
    ...{ name, format: "rtsp", durationSeconds: rounded(spanSeconds), frameRateHz, isPlayable },
    ...report,
  };
}

function linesOf(inspection: Inspection): string[] {
  const { name } = inspection;
  if ("error" in inspection) return [`${name}: cannot be played`, `  ${inspection.error}`];
  const { format, frames, durationSeconds, frameRateHz, bytes } = inspection;
  const kind = FORMAT_NAMES[format] ?? format;
  return [
    `${name}: ${kind}, ${frames} frames, ${durationSeconds} s at ${frameRateHz}/s, ${bytes} bytes`,
    ...reportLines(inspection),
  ];
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

const FILM_NAMES = /\.(mjpe?g|jpe?g|avi|mov|mp4|mkv)$/i;
const FORMAT_NAMES: Readonly<Record<string, string>> = {
  lab: "the lab's format",
  jpeg: "bare JPEGs",
  avi: "AVI",
  quicktime: "QuickTime or MP4",
  matroska: "Matroska",
  multipart: "multipart stream",
  images: "numbered pictures",
  rtsp: "RTSP stream",
};
