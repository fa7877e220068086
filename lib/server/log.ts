/**
 * Events as lines: for people on standard error, as JSON for programs on standard output.
 *
 * Floor 4 (assembly), without I/O: lines go to a function handed in.
 *
 * @module
 */

import { bold, cyan, dim, red, yellow } from "@std/fmt/colors";
import type { LogLevel } from "./command_line.ts";
import type { ServerEvent, ServerSessionSnapshot } from "./events.ts";

/** How a log is written. */
export interface LogOptions {
  /** What is told: this level and those before it (error, warn, info, debug). */
  readonly level: LogLevel;
  /** Uses colours. */
  readonly hasColors: boolean;
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
  /** The wall clock. */
  readonly now: () => Date;
}

/** Writes events for people. Floods of one kind of warning are cut to a few a second, and their number is told. */
export class EventLog {
  readonly #options: LogOptions;
  readonly #floods = new Map<string, Flood>();

  /** A log that has written nothing. */
  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** Writes the event, if its level is told. */
  tell(event: ServerEvent): void {
    const told = describe(event);
    if (LEVELS.indexOf(told.level) > LEVELS.indexOf(this.#options.level)) return;
    if (told.level === "warn" && this.#isFlooding(event.type)) return;
    this.#write(told.level, told.text);
  }

  #isFlooding(kind: string): boolean {
    const now = this.#options.now().getTime();
    let flood = this.#floods.get(kind);
    if (flood === undefined || now - flood.sinceMs >= FLOOD_INTERVAL_MS) {
      if (flood !== undefined && flood.silenced > 0) {
        this.#write("warn", `${flood.silenced} more of this kind were not shown`);
      }
      flood = { sinceMs: now, count: 0, silenced: 0 };
      this.#floods.set(kind, flood);
    }
    if (++flood.count <= FLOOD_LINES) return false;
    flood.silenced++;
    return true;
  }

  #write(level: LogLevel, text: string): void {
    const { hasColors, write, now } = this.#options;
    const time = now().toTimeString().slice(0, 8);
    const safe = printable(text);
    if (!hasColors) return write(`${time} ${level.padEnd(5)} ${safe}`);
    write(`${dim(time)} ${PAINT[level](level.padEnd(5))} ${safe}`);
  }
}

/** An event as one line of JSON: `event` names its kind, `time` is ISO 8601. Numbers keep their units as documented. */
export function jsonLine(event: ServerEvent, now: Date): string {
  const { type, ...fields } = event;
  return JSON.stringify({ event: type, time: now.toISOString(), ...fields });
}

/** Whether an event is told to programs at a log level: the dialogue itself only at debug. */
export function isToldAsJson(event: ServerEvent, level: LogLevel): boolean {
  return level === "debug" || describe(event).level !== "debug";
}

interface Flood {
  sinceMs: number;
  count: number;
  silenced: number;
}

function describe(event: ServerEvent): { level: LogLevel; text: string } {
  switch (event.type) {
    case "listening":
      return info(`listening on ${event.address} port ${event.port}: ${event.url}`);
    case "connection-opened":
      return debug(`${event.remote} connected`);
    case "connection-closed":
      return debug(`${event.remote} disconnected: ${event.reason}`);
    case "connection-refused":
      return warn(`refused a connection from ${event.remote}: ${event.reason}`);
    case "request":
      return debug(
        `${event.remote} > ${event.method} ${event.uri} (CSeq ${
          event.cseq ?? "none"
        }, ${event.dialect})`,
      );
    case "response":
      return debug(
        `${event.remote} < ${event.statusCode} ${event.reasonPhrase} (CSeq ${
          event.cseq ?? "none"
        })`,
      );
    case "malformed":
      return warn(`${event.remote}: ${event.reason}`);
    case "media-opened":
      return info(
        `opened ${event.path}: ${event.frames} frames, ${event.width}x${event.height}, ${event.frameRateHz}/s`,
      );
    case "session-begun": {
      const dialect = event.dialect === "lab" ? "lab dialect" : "RTSP";
      return info(`${event.remote} set up ${event.path} (${dialect}, ${event.transport})`);
    }
    case "session-playing":
      return info(`${event.remote} plays ${event.path} from ${event.fromSeconds} s`);
    case "session-paused":
      return info(`${event.remote} paused ${event.path} at ${event.atSeconds} s`);
    case "stream-ended":
      return info(`${event.remote} has seen ${event.path} to the end`);
    case "session-ended":
      return info(`${event.remote} ended ${event.path}: ${event.reason}; ${summary(event)}`);
    case "notice":
      return info(event.message);
    case "warning":
      return warn(event.message);
  }
}

function summary(session: ServerSessionSnapshot): string {
  const parts = [
    `${session.frames} frames`,
    `${session.packets} packets`,
    `${session.bytes} bytes`,
    `${session.durationSeconds.toFixed(1)} s`,
  ];
  if (session.framesDropped > 0) parts.push(`${session.framesDropped} frames left out`);
  if (session.receiverReports > 0) {
    parts.push(`client lost ${session.packetsLost}, jitter ${session.jitterMs ?? 0} ms`);
  }
  return parts.join(", ");
}

/** Names of files and peers' words may hold anything; a terminal must not obey them. */
function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- control characters are what is replaced
    /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function info(text: string) {
  return { level: "info", text } as const;
}

function debug(text: string) {
  return { level: "debug", text } as const;
}

function warn(text: string) {
  return { level: "warn", text } as const;
}

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];
const PAINT: Readonly<Record<LogLevel, (text: string) => string>> = {
  error: (text) => bold(red(text)),
  warn: yellow,
  info: cyan,
  debug: dim,
};
const FLOOD_INTERVAL_MS = 1000;
const FLOOD_LINES = 5;
