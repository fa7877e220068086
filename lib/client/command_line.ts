/**
 * The client's command line: words in, options out.
 *
 * Floor 4 (client assembly), pure: it reads no environment and opens nothing. The text of `--help` is in
 * `command_line_help.ts`.
 *
 * @module
 */

import {
  type Bounds,
  type CommandLineWords,
  decimalNumber,
  oneOf,
  previewAddress,
  readWords,
  UsageError,
  wholeNumber,
} from "../command_line.ts";
import type { RecordingFormat } from "../disk.ts";
import { parseRange } from "../rtsp_headers.ts";
import { CLIENT_OPTIONS } from "./command_line_help.ts";
import { type LabAddress, type RtspClientOptions, settingsOf } from "./options.ts";

/** Everything the client program is told. */
export interface ProgramOptions {
  /** What is played, and how; credentials and questions are added later. */
  readonly client: RtspClientOptions;
  /** Where the preview listens; `undefined` for none. */
  readonly preview: { readonly hostname: string; readonly port: number } | undefined;
  /** Whether a browser is started with the preview. */
  readonly opensBrowser: boolean;
  /** Whether the program waits for the buttons instead of playing at once. */
  readonly isManual: boolean;
  /** Where in the film to begin, in seconds; `undefined` for its beginning. */
  readonly startSeconds: number | undefined;
  /** How fast to play, and which way; `undefined` for the film's own speed. */
  readonly scale: number | undefined;
  /** Seconds to play, `undefined` for all of the film. */
  readonly durationSeconds: number | undefined;
  /** Frames to play, `undefined` for all of the film. */
  readonly frameCount: number | undefined;
  /** Whether the result is one JSON object on standard output. */
  readonly isJson: boolean;
  /** Folder for PNG files, `undefined` for none. */
  readonly pngFolder: string | undefined;
  /** Every how many frames one PNG is made. */
  readonly pngEvery: number;
  /** File to record to, `undefined` for none. */
  readonly recordPath: string | undefined;
  /** Format of that file. */
  readonly recordFormat: RecordingFormat;
  /** Whether each request waits for a click, or the key n. */
  readonly isStepping: boolean;
  /** File to capture the wire to, `undefined` for none. */
  readonly capturePath: string | undefined;
  /** Whether only the film's description is printed. */
  readonly describesOnly: boolean;
}

/** What a command line asks for. */
export type CommandLine =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly options: ProgramOptions };

/**
 * Reads a command line.
 *
 * @throws {UsageError} for anything that cannot be meant.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const line = parseCommandLine(["127.0.0.1", "1025", "5008", "video.mjpeg", "--no-preview"]);
 * assertEquals(line.kind === "run" && line.options.client.rtpPort, 5008);
 * ```
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const given = readWords(words, CLIENT_OPTIONS);
  const { has, value } = given;
  if (has("help")) return { kind: "help" };
  if (has("version")) return { kind: "version" };
  const url = addressOf(given.alone);
  const client: RtspClientOptions = {
    ...url,
    dialect: wordOf(given, "dialect", ["auto", "rtsp", "lab"]),
    transport: wordOf(given, "transport", ["auto", "udp", "tcp"]),
    udp: wordOf(given, "udp", ["auto", "portable", "linux"]),
    rtpPort: countOf(given, "rtp-port", { from: 0, to: 65535 }) ?? url.rtpPort,
    latencyMs: numberOf(given, "latency", { from: 0, to: 60_000 }),
    timeoutMs: inMilliseconds(numberOf(given, "timeout", { from: 0.1, to: 3600 })),
    reconnects: has("reconnect"),
  };
  checkTarget(client);
  const options: ProgramOptions = {
    client,
    preview: has("no-preview") ? undefined : previewOf(value("preview")),
    opensBrowser: has("open"),
    isManual: has("manual"),
    startSeconds: has("start") ? momentOf(value("start")!) : undefined,
    scale: has("scale") ? scaleOf(value("scale")!) : undefined,
    durationSeconds: numberOf(given, "duration", { from: 0.01, to: 1e9 }),
    frameCount: countOf(given, "frames", { from: 1, to: 1e12 }),
    isJson: has("json"),
    pngFolder: value("png"),
    pngEvery: countOf(given, "png-every", { from: 1, to: 1e9 }) ?? 1,
    recordPath: value("record"),
    recordFormat: wordOf(given, "record-format", RECORDING_FORMATS) ?? "jpeg",
    isStepping: has("step"),
    capturePath: value("capture"),
    describesOnly: has("describe"),
  };
  checkTogether(options, given);
  return { kind: "run", options };
}

function addressOf(words: readonly string[]): { url: string | LabAddress; rtpPort?: number } {
  if (words.length === 1 && /^rtsps?:\/\//i.test(words[0])) return { url: words[0] };
  if (words.length === 1) {
    throw new UsageError('Wanted an rtsp:// URL, or the four words "HOST PORT RTP_PORT FILE"');
  }
  if (words.length !== 4) {
    throw new UsageError(
      `Wanted an rtsp:// URL or "HOST PORT RTP_PORT FILE", got ${words.length} words`,
    );
  }
  const [host, portText, rtpPortText, file] = words;
  const port = wholeNumber("PORT", portText, { from: 1, to: 65535 });
  const rtpPort = wholeNumber("RTP_PORT", rtpPortText, { from: 0, to: 65535 });
  if (host === "" || /[\s/@]/.test(host)) throw new UsageError(`HOST "${host}" is no host name`);
  if (file === "") throw new UsageError("FILE is empty");
  return { url: { host, port, file }, rtpPort };
}

function previewOf(text: string | undefined): ProgramOptions["preview"] {
  return text === undefined ? { hostname: "127.0.0.1", port: 8080 } : previewAddress(text);
}

function wordOf<Word extends string>(
  given: CommandLineWords,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = given.value(name);
  return text === undefined ? undefined : oneOf(`--${name}`, text, words);
}

function numberOf(given: CommandLineWords, name: string, bounds: Bounds): number | undefined {
  const text = given.value(name);
  return text === undefined ? undefined : decimalNumber(`--${name}`, text, bounds);
}

function countOf(given: CommandLineWords, name: string, bounds: Bounds): number | undefined {
  const text = given.value(name);
  return text === undefined ? undefined : wholeNumber(`--${name}`, text, bounds);
}

/** Normal play time as RFC 2326 s3.6 writes it: seconds, or hours:minutes:seconds. */
function momentOf(text: string): number {
  try {
    const range = parseRange(`npt=${text}-`);
    if (range.unit === "npt" && typeof range.start === "number") return range.start;
  } catch {
    // Told below.
  }
  throw new UsageError(`--start wants seconds or H:MM:SS, got "${text}"`);
}

function scaleOf(text: string): number {
  const scale = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (scale !== 0 && Math.abs(scale) <= 32) return scale;
  throw new UsageError(`--scale wants a number from -32 to 32 that is not 0, got "${text}"`);
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

/** A URL that cannot be used is a mistake of the command line, to be told before anything else. */
function checkTarget(client: RtspClientOptions): void {
  try {
    settingsOf(client);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const RECORDING_FORMATS: readonly RecordingFormat[] = ["jpeg", "lab", "avi", "images"];

function checkTogether(options: ProgramOptions, given: CommandLineWords): void {
  if (given.has("preview") && given.has("no-preview")) {
    throw new UsageError("--preview and --no-preview exclude each other, leave one out");
  }
  if (options.opensBrowser && !options.preview) {
    throw new UsageError("--open shows the preview and --no-preview forbids it, leave one out");
  }
  if (options.isManual && !options.preview && options.isJson) {
    throw new UsageError("--manual waits for the preview's buttons or for keys, leave out --json");
  }
  if (options.isStepping && !options.preview && options.isJson) {
    throw new UsageError("--step waits for the preview's button or for a key, leave out --json");
  }
  if (given.has("png-every") && options.pngFolder === undefined) {
    throw new UsageError("--png-every needs --png DIR");
  }
  if (given.has("record-format") && options.recordPath === undefined) {
    throw new UsageError("--record-format needs --record FILE");
  }
  if (options.describesOnly && (options.isJson || options.isManual)) {
    throw new UsageError("--describe prints the description only, leave out --json and --manual");
  }
}
