/**
 * The client's command line: words in, options out.
 *
 * Floor 4 (client assembly), pure: it reads no environment and opens nothing. The text of `--help` is in
 * `command_line_help.ts`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { parsePreviewAddress } from "../ui/http.ts";
import { type LabAddress, type RtspClientOptions, settingsOf } from "./options.ts";

/** A command line that cannot be carried out; the message says what to do. */
export class UsageError extends Error {
  /** Name of the class. */
  override name = "UsageError";
}

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
  readonly recordFormat: "jpeg" | "lab";
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
  const given = parseArgs(words, {
    boolean: FLAGS,
    string: VALUES,
    negatable: ["preview"],
    alias: { help: "h", version: "V" },
    unknown(word) {
      if (!word.startsWith("-") || /^-\d+$/.test(word)) return true;
      throw new UsageError(`Unknown option "${word.split("=")[0]}"`);
    },
  });
  if (given.help === true) return { kind: "help" };
  if (given.version === true) return { kind: "version" };
  const value = (name: string) => textOf(given, name);
  const url = addressOf(given._.map(String));
  const client: RtspClientOptions = {
    ...url,
    dialect: oneOf(value("dialect"), "--dialect", ["auto", "rtsp", "lab"]),
    transport: oneOf(value("transport"), "--transport", ["auto", "udp", "tcp"]),
    rtpPort: numberOf(value("rtp-port"), "--rtp-port", 0, 65535, true) ?? url.rtpPort,
    latencyMs: numberOf(value("latency"), "--latency", 0, 60_000),
    timeoutMs: inMilliseconds(numberOf(value("timeout"), "--timeout", 0.1, 3600)),
    reconnects: given.reconnect === true,
  };
  checkTarget(client);
  const options: ProgramOptions = {
    client,
    preview: previewOf(given.preview),
    opensBrowser: given.open === true,
    isManual: given.manual === true,
    durationSeconds: numberOf(value("duration"), "--duration", 0.01, 1e9),
    frameCount: numberOf(value("frames"), "--frames", 1, 1e12, true),
    isJson: given.json === true,
    pngFolder: value("png"),
    pngEvery: numberOf(value("png-every"), "--png-every", 1, 1e9, true) ?? 1,
    recordPath: value("record"),
    recordFormat: oneOf(value("record-format"), "--record-format", ["jpeg", "lab"]) ?? "jpeg",
    isStepping: given.step === true,
    capturePath: value("capture"),
    describesOnly: given.describe === true,
  };
  checkTogether(options, given);
  return { kind: "run", options };
}

const FLAGS = [
  "help",
  "version",
  "open",
  "manual",
  "json",
  "reconnect",
  "describe",
  "step",
] as const;
const VALUES = [
  "dialect",
  "transport",
  "rtp-port",
  "latency",
  "timeout",
  "duration",
  "frames",
  "png",
  "png-every",
  "record",
  "record-format",
  "capture",
  "preview",
] as const;

type Given = Readonly<Record<string, unknown>>;

function textOf(given: Given, name: string): string | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--${name} wants a value`);
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
  const port = numberOf(portText, "PORT", 1, 65535, true)!;
  const rtpPort = numberOf(rtpPortText, "RTP_PORT", 0, 65535, true)!;
  if (host === "" || /[\s/@]/.test(host)) throw new UsageError(`HOST "${host}" is no host name`);
  if (file === "") throw new UsageError("FILE is empty");
  return { url: { host, port, file }, rtpPort };
}

function previewOf(value: unknown): ProgramOptions["preview"] {
  if (value === false) return undefined;
  if (value === undefined) return { hostname: "127.0.0.1", port: 8080 };
  const address = parsePreviewAddress(String(value));
  if (!address) throw new UsageError(`--preview wants PORT or ADDR:PORT, got "${value}"`);
  return address;
}

function numberOf(
  text: string | undefined,
  name: string,
  low: number,
  high: number,
  isWhole = false,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high && (!isWhole || Number.isInteger(value))) return value;
  throw new UsageError(
    `${name} wants a ${isWhole ? "whole number" : "number"} from ${low} to ${high}, got "${text}"`,
  );
}

function oneOf<T extends string>(
  text: string | undefined,
  name: string,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text);
  if (found) return found;
  throw new UsageError(`${name} wants ${choices.join(", ")}, got "${text}"`);
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

function checkTogether(options: ProgramOptions, given: Given): void {
  if (options.opensBrowser && !options.preview) {
    throw new UsageError("--open shows the preview and --no-preview forbids it, leave one out");
  }
  if (options.isManual && !options.preview && options.isJson) {
    throw new UsageError("--manual waits for the preview's buttons or for keys, leave out --json");
  }
  if (options.isStepping && !options.preview && options.isJson) {
    throw new UsageError("--step waits for the preview's button or for a key, leave out --json");
  }
  if (given["png-every"] !== undefined && options.pngFolder === undefined) {
    throw new UsageError("--png-every needs --png DIR");
  }
  if (given["record-format"] !== undefined && options.recordPath === undefined) {
    throw new UsageError("--record-format needs --record FILE");
  }
  if (options.describesOnly && (options.isJson || options.isManual)) {
    throw new UsageError("--describe prints the description only, leave out --json and --manual");
  }
}
