/**
 * The dialogue and the statistics as files: text, a Mermaid sequence diagram, CSV and JSON.
 *
 * Floor 3 (wall), pure. RFC 4180 for CSV. Words of the network are escaped for each format, control characters made
 * visible; credentials were overwritten before they got here.
 *
 * @module
 */
import type {
  ProtocolMessage,
  ProtocolSample,
  ProtocolSession,
  ProtocolTransition,
} from "./protocol_events.ts";

/** What is written. */
export interface ExportedDialogue {
  /** Which program was watched. */
  readonly side: "client" | "server";
  /** Messages, oldest first. */
  readonly messages: readonly ProtocolMessage[];
  /** Changes of state, oldest first. */
  readonly transitions: readonly ProtocolTransition[];
}

/** What is measured. */
export interface ExportedStatistics {
  /** Sessions. */
  readonly sessions: readonly ProtocolSession[];
  /** Seconds, oldest first. */
  readonly samples: readonly ProtocolSample[];
  /** Changes of state, oldest first. */
  readonly transitions: readonly ProtocolTransition[];
}

/** The dialogue as plain text: each message with its time, its way and its lines. */
export function formatDialogueText({ side, messages, transitions }: ExportedDialogue): string {
  const moves = [...transitions];
  const lines: string[] = [];
  const tellMoves = (before: number) => {
    while (moves.length > 0 && moves[0].time <= before) {
      const { time, session, from, to, cause } = moves.shift()!;
      lines.push(
        `=== ${clock(time)}  session ${session}: ${from} -> ${to} (${visible(cause)})`,
        "",
      );
    }
  };
  for (const message of messages) {
    tellMoves(message.time);
    lines.push(titleOf(message, side));
    for (const { severity, text, rfc } of message.oddities) {
      lines.push(`    ! ${severity}: ${visible(text)} (${rfc})`);
    }
    const { text, rest } = bodyText(message);
    for (const line of text.split("\n")) lines.push(`    ${visible(line.replace(/\r$/, ""))}`);
    if (rest > 0) lines.push(`    (${rest} bytes more)`);
    lines.push("");
  }
  tellMoves(Infinity);
  return `${lines.join("\n")}\n`;
}

/** The dialogue as a Mermaid sequence diagram. */
export function formatDialogueMermaid({ side, messages, transitions }: ExportedDialogue): string {
  const events = [
    ...messages.map((message) => ({ time: message.time, lines: arrowLines(message, side) })),
    ...transitions.map(({ time, from, to }) => ({
      time,
      lines: [`Note over ${side === "client" ? "C" : "S"}: ${from} → ${to}`],
    })),
  ].sort((a, b) => a.time - b.time);
  const lines = ["sequenceDiagram", "participant C as Client", "participant S as Server"];
  for (const event of events) lines.push(...event.lines);
  return `${lines[0]}\n${lines.slice(1).map((line) => `    ${line}\n`).join("")}`;
}

/** The seconds as CSV (RFC 4180), one row each; times in ISO 8601. */
export function formatStatisticsCsv({ samples }: ExportedStatistics): string {
  const rows = samples.map((sample) =>
    SAMPLE_COLUMNS.map((name) => {
      const value = sample[name];
      return name === "time" ? new Date(value as number).toISOString() : value ?? "";
    }).join(",")
  );
  return [SAMPLE_COLUMNS.join(","), ...rows].map((row) => `${row}\r\n`).join("");
}

/** Sessions, seconds and changes of state as JSON. */
export function formatStatisticsJson(statistics: ExportedStatistics): string {
  return `${JSON.stringify(statistics, null, 2)}\n`;
}

const SAMPLE_COLUMNS = [
  ...["time", "session", "state", "bitRate", "frameRate", "packetRate", "lost", "lossRatio"],
  ...["reordered", "jitterMs", "bufferedPackets", "roundTripMs", "frameLatencyMs"],
  ...["captureLatencyMs", "packets", "bytes", "frames", "framesDropped", "totalLost"],
] as (keyof ProtocolSample)[];
const MAX_LABEL = 120;

function titleOf(message: ProtocolMessage, side: "client" | "server"): string {
  const { time, connection, direction, roundTripMs, size, isAutomatic } = message;
  const isToServer = (direction === "out") === (side === "client");
  const parts = [clock(time), isToServer ? "C -> S" : "S -> C", `connection ${connection}`];
  parts.push(`${size} bytes`);
  if (roundTripMs !== null) parts.push(`after ${roundTripMs} ms`);
  if (isAutomatic) parts.push("automatic");
  return `--- ${parts.join("  ")}`;
}

function bodyText(message: ProtocolMessage): { text: string; rest: number } {
  const bytes = Uint8Array.fromBase64(message.bytes);
  const text = new TextDecoder().decode(bytes).replace(/(\r?\n)+$/, "");
  return { text, rest: message.size - bytes.length };
}

function arrowLines(message: ProtocolMessage, side: "client" | "server"): string[] {
  const { direction, kind, method, uri, statusCode, reasonPhrase, cseq, roundTripMs } = message;
  const isToServer = (direction === "out") === (side === "client");
  const [from, to] = isToServer ? ["C", "S"] : ["S", "C"];
  const number = cseq === null ? "no CSeq" : `CSeq ${cseq}`;
  const label = kind === "request"
    ? `${method} ${uri} (${number})`
    : kind === "response"
    ? `${statusCode} ${reasonPhrase} (${number}${
      roundTripMs === null ? "" : `, ${roundTripMs} ms`
    })`
    : `${message.size} bytes that are no RTSP`;
  const lines = [`${from}${kind === "response" ? "--" : "-"}>>${to}: ${mermaidText(label)}`];
  for (const { severity, text } of message.oddities) {
    if (severity !== "note") lines.push(`Note right of S: ${mermaidText(text)}`);
  }
  return lines;
}

/** Mermaid reads HTML, entities and `;` in labels: what is not plain becomes a numbered entity of its own kind. */
function mermaidText(text: string): string {
  const short = text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text;
  return visible(short).replace(
    /[^A-Za-z0-9 .,:/_()?=&*+\-…]/gu,
    (character) => `#${character.codePointAt(0)};`,
  );
}

/** Control characters steer terminals, and some others turn the direction of text. */
function visible(text: string): string {
  return text.replace(
    INVISIBLE,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const INVISIBLE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

function clock(time: number): string {
  return new Date(time).toISOString().slice(11, 23);
}
