/**
 * The command line of `rtsp-server`: its options, their values, its help.
 *
 * Floor 4 (assembly), without I/O. What cannot be understood is a {@linkcode UsageError} with one sentence that says so.
 *
 * @module
 */

import {
  type CommandLineOption,
  decimalNumber,
  oneOf,
  optionLines,
  previewAddress,
  readWords,
  UsageError,
  wholeNumber,
} from "../command_line.ts";
import type { RepairLevel, RestartChoice } from "../jpeg.ts";
import {
  DEFAULT_BURST_PACKETS,
  DEFAULT_CACHE_BYTES,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
  DEFAULT_PORT,
  DEFAULT_SESSION_TIMEOUT_SECONDS,
  MAX_THREADS,
} from "./options.ts";
import type { UdpChoice } from "./udp_choice.ts";

/** How much the log tells. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** The command line, understood. */
export interface ServerCommand {
  /** What to do. */
  readonly action: "run" | "help" | "version";
  /** TCP port, 0 for one the system chooses. */
  readonly port: number;
  /** Address to listen on. */
  readonly host: string;
  /** Folder with the movies, where one was named. */
  readonly media: string | undefined;
  /** Frames a second for all movies. */
  readonly frameRateHz: number | undefined;
  /** The line between the pictures of multipart streams. */
  readonly boundary: string | undefined;
  /** Follow files that grow. */
  readonly follow: boolean;
  /** Start over at the end. */
  readonly loop: boolean;
  /** One endless stream of each movie for all readers. */
  readonly live: boolean;
  /** How much the log tells. */
  readonly logLevel: LogLevel;
  /** JSON lines on standard output. */
  readonly json: boolean;
  /** UDP ports to choose from. */
  readonly rtpPorts: readonly [number, number] | undefined;
  /** How UDP is sent. */
  readonly udp: UdpChoice;
  /** Packets of a frame that leave at once over UDP. */
  readonly burstPackets: number;
  /** Threads; `undefined` for as many as are needed. */
  readonly workers: number | undefined;
  /** Names and passwords of the command line, in order. */
  readonly users: readonly (readonly [name: string, password: string])[];
  /** File with more of them. */
  readonly usersFile: string | undefined;
  /** Connections in all. */
  readonly maxConnections: number;
  /** Connections from one address. */
  readonly maxConnectionsPerAddress: number;
  /** Encode frames anew that are too large for lab clients. */
  readonly fit: boolean;
  /** How far frames may be changed that RTP/JPEG cannot carry as they are. */
  readonly repair: RepairLevel;
  /** Which restart markers frames shall have. */
  readonly restartMarkers: RestartChoice;
  /** Pixels that frames have at most. */
  readonly maxSize: { readonly width: number; readonly height: number } | undefined;
  /** Octets of repaired and fitted frames kept in memory. */
  readonly cacheBytes: number;
  /** Seconds of silence after which a session ends. */
  readonly sessionTimeoutSeconds: number;
  /** Where the preview listens; `undefined` for none. */
  readonly preview: { readonly hostname: string; readonly port: number } | undefined;
  /** File to capture the wire to; `undefined` for none. */
  readonly capture: string | undefined;
}

/** All options, in the order of the help. */
const OPTIONS: readonly CommandLineOption[] = [
  {
    name: "host",
    value: "ADDR",
    effect: "address to listen on (default 0.0.0.0; :: takes IPv6 too)",
  },
  {
    name: "media",
    value: "DIR",
    effect: "folder with the movies (default ./media if it exists, else .)",
  },
  {
    name: "fps",
    value: "N",
    effect: "frames a second (default: the file's own, else 20 or 25)",
  },
  {
    name: "boundary",
    value: "TEXT",
    effect: "line between the pictures of multipart files",
  },
  { name: "follow", effect: "wait at the end of movies for frames that are appended" },
  { name: "loop", effect: "start movies over at their end; those that --follow follows wait" },
  { name: "live", effect: "play movies as a camera does: all readers see the same moment" },
  { name: "log-level", value: "L", effect: "error, warn, info or debug (default info)" },
  { name: "json", effect: "print events as JSON lines on standard output" },
  {
    name: "rtp-ports",
    value: "A-B",
    effect: "UDP ports to choose an even-odd pair from (default: any)",
  },
  {
    name: "udp",
    value: "WAY",
    effect: "how UDP is sent: auto, portable or linux (default auto)",
  },
  {
    name: "burst",
    value: "PACKETS",
    effect: `packets of a frame that leave at once over UDP (default ${DEFAULT_BURST_PACKETS})`,
  },
  {
    name: "workers",
    value: "N",
    effect: "threads (default: more when needed, up to all cores)",
  },
  {
    name: "user",
    value: "NAME:PASSWORD",
    effect: "ask clients for a name and password (repeatable)",
  },
  { name: "users", value: "FILE", effect: "the same from a file with one NAME:PASSWORD a line" },
  {
    name: "max-connections",
    value: "N",
    effect: `connections in all (default ${DEFAULT_MAX_CONNECTIONS})`,
  },
  {
    name: "max-connections-per-address",
    value: "N",
    effect: `connections from one address (default ${DEFAULT_MAX_CONNECTIONS_PER_ADDRESS})`,
  },
  { name: "no-fit", effect: "do not re-encode frames that are too large for lab clients" },
  {
    name: "repair",
    value: "L",
    effect: "mend what RTP/JPEG cannot carry: off, lossless, all (default all)",
  },
  {
    name: "restart-interval",
    value: "R",
    effect: "restart markers of frames: keep, none or rows (default keep)",
  },
  {
    name: "max-size",
    value: "WxH",
    effect: "scale larger frames down, for RTP/JPEG (default: never)",
  },
  {
    name: "cache",
    value: "BYTES",
    effect: "memory for repaired frames, as in 64M (default 256M)",
  },
  {
    name: "session-timeout",
    value: "S",
    effect: `seconds of silence that end a session (default ${DEFAULT_SESSION_TIMEOUT_SECONDS})`,
  },
  {
    name: "preview",
    value: "[ADDR:]PORT",
    effect: "show sessions and protocol to a browser (default: not at all)",
  },
  {
    name: "capture",
    value: "FILE",
    effect: "write what goes over the wire as pcapng, without passwords",
  },
  { name: "help", letter: "h", effect: "show this text" },
  { name: "version", letter: "V", effect: "show the version" },
];

/** What `--help` prints. */
export function serverHelp(): string {
  return `rtsp-server [PORT] [options]

Serves the Motion-JPEG movies of a folder by RTSP: to standard players, and to the
clients of the Kurose-Ross streaming lab, on the same port (default ${DEFAULT_PORT}; 0: any free one).
A sample, video.mjpeg, is built in.

${optionLines(OPTIONS).join("\n")}

Examples:
  rtsp-server                          serve ./media on port ${DEFAULT_PORT}
  rtsp-server 1025 --media ~/films     another port and folder
  rtsp-server --user ann:secret        only for ann
  rtsp-server inspect ~/films          tell what films are made of, and what is damaged

And in another terminal:
  ffplay rtsp://127.0.0.1:${DEFAULT_PORT}/video.mjpeg
  gst-launch-1.0 playbin uri=rtsp://127.0.0.1:${DEFAULT_PORT}/video.mjpeg
  rtsp-client 127.0.0.1 ${DEFAULT_PORT} 5008 video.mjpeg
  python ClientLauncher.py 127.0.0.1 ${DEFAULT_PORT} 5008 video.mjpeg     (the lab's own client)
`;
}

/**
 * Reads the arguments.
 *
 * @throws {UsageError} when they cannot be understood.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseServerArguments } from "./command_line.ts";
 * assertEquals(parseServerArguments(["1025", "--loop"]).port, 1025);
 * ```
 */
export function parseServerArguments(args: readonly string[]): ServerCommand {
  const { alone, has, value, values } = readWords(args, OPTIONS);
  if (alone.length > 1) {
    throw new UsageError(`"${alone[1]}" is one argument too many: only PORT stands alone`);
  }
  return {
    action: has("help") ? "help" : has("version") ? "version" : "run",
    port: alone.length === 0 ? DEFAULT_PORT : wholeNumber("PORT", alone[0], { from: 0, to: 65535 }),
    host: value("host") ?? "0.0.0.0",
    media: value("media"),
    frameRateHz: has("fps") ? frameRate(value("fps")!) : undefined,
    boundary: value("boundary"),
    follow: has("follow"),
    loop: has("loop"),
    live: has("live"),
    logLevel: oneOf("--log-level", value("log-level") ?? "info", LOG_LEVELS),
    json: has("json"),
    rtpPorts: has("rtp-ports") ? portRange(value("rtp-ports")!) : undefined,
    udp: oneOf("--udp", value("udp") ?? "auto", UDP_CHOICES),
    burstPackets: wholeNumber("--burst", value("burst") ?? String(DEFAULT_BURST_PACKETS), {
      from: 1,
      to: 100_000,
    }),
    workers: has("workers") ? threads(value("workers")!, SINGLE_THREADED.filter(has)) : undefined,
    users: values("user").map((text) => credentials("--user", text)),
    usersFile: value("users"),
    maxConnections: wholeNumber(
      "--max-connections",
      value("max-connections") ?? String(DEFAULT_MAX_CONNECTIONS),
      { from: 1, to: 1_000_000 },
    ),
    maxConnectionsPerAddress: wholeNumber(
      "--max-connections-per-address",
      value("max-connections-per-address") ?? String(DEFAULT_MAX_CONNECTIONS_PER_ADDRESS),
      { from: 1, to: 1_000_000 },
    ),
    fit: !has("no-fit"),
    repair: oneOf("--repair", value("repair") ?? "all", REPAIR_LEVELS),
    restartMarkers: oneOf(
      "--restart-interval",
      value("restart-interval") ?? "keep",
      RESTART_CHOICES,
    ),
    maxSize: has("max-size") ? size(value("max-size")!) : undefined,
    cacheBytes: has("cache") ? byteCount(value("cache")!) : DEFAULT_CACHE_BYTES,
    sessionTimeoutSeconds: wholeNumber(
      "--session-timeout",
      value("session-timeout") ?? String(DEFAULT_SESSION_TIMEOUT_SECONDS),
      { from: 1, to: 86_400 },
    ),
    preview: has("preview") ? previewAddress(value("preview")!) : undefined,
    capture: value("capture"),
  };
}

/**
 * Reads a file of users: one `NAME:PASSWORD` a line; empty lines and lines that begin with `#` are passed over.
 *
 * @throws {UsageError} when a line is something else; the message tells its number, not what is in it.
 */
export function parseUsersFile(
  text: string,
  path: string,
): (readonly [name: string, password: string])[] {
  const users: (readonly [string, string])[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    users.push(credentials(`line ${index + 1} of "${path}"`, line));
  });
  if (users.length === 0) {
    throw new UsageError(`"${path}" names no user: write one NAME:PASSWORD a line`);
  }
  return users;
}

function frameRate(text: string): number {
  const value = decimalNumber("--fps", text, { from: 0, to: 1000 });
  if (value > 0) return value;
  throw new UsageError(`--fps is "${text}": it must be above 0`);
}

function threads(text: string, singleThreaded: readonly string[]): number {
  const count = wholeNumber("--workers", text, { from: 1, to: MAX_THREADS });
  if (count === 1 || singleThreaded.length === 0) return count;
  throw new UsageError(
    `--${singleThreaded[0]} works with one thread: leave out --workers, or say 1`,
  );
}

function size(text: string): { readonly width: number; readonly height: number } {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  const width = Number(match?.[1] ?? 0), height = Number(match?.[2] ?? 0);
  if (width >= 8 && height >= 8 && width <= 65_535 && height <= 65_535) return { width, height };
  throw new UsageError(`--max-size is "${text}": it must be pixels like 1920x1080, at least 8x8`);
}

function byteCount(text: string): number {
  const match = /^(\d{1,12})([kKmMgG]?)i?[bB]?$/.exec(text);
  if (match !== null) return Number(match[1]) * BYTES_OF[match[2].toLowerCase()];
  throw new UsageError(`--cache is "${text}": it must be octets, like 67108864 or 64M`);
}

function portRange(text: string): readonly [number, number] {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const from = Number(match?.[1] ?? Number.NaN);
  const to = Number(match?.[2] ?? Number.NaN);
  if (from >= 1 && to <= 65535 && from + from % 2 + 1 <= to) return [from, to];
  throw new UsageError(
    `--rtp-ports is "${text}": it must hold an even port and the next one, like 50000-50001`,
  );
}

function credentials(where: string, text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(colon, 0));
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (colon < 1 || /["\x00-\x1f\x7f]/.test(name)) {
    throw new UsageError(`${where} must be NAME:PASSWORD, with no quotation mark in the name`);
  }
  return [name, text.slice(colon + 1)];
}

const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];
const UDP_CHOICES: readonly UdpChoice[] = ["auto", "portable", "linux"];
const REPAIR_LEVELS: readonly RepairLevel[] = ["off", "lossless", "all"];
const RESTART_CHOICES: readonly RestartChoice[] = ["keep", "none", "rows"];
/** Watching the wire is done in one place. */
const SINGLE_THREADED: readonly string[] = ["preview", "capture"];
const BYTES_OF: Readonly<Record<string, number>> = { "": 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };
