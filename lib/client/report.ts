/**
 * What the client program says to people and scripts: lines, the status line, the summary, the JSON object.
 *
 * Floor 4 (client assembly), pure text.
 *
 * @module
 */

import type { Paint } from "../ui/terminal.ts";
import type { EndReason, RtspClientEvent } from "./events.ts";
import { sizeOf } from "./keepers.ts";
import type { ClientStatistics } from "./statistics.ts";

/** One line for an event, `undefined` where it needs none. */
export function lineOf(event: RtspClientEvent): string | undefined {
  switch (event.type) {
    case "note":
      return event.text;
    case "dialect":
      return event.dialect === "lab" ? "Dialect: lab" : undefined;
    case "transport":
      return `Transport: ${event.transport === "udp" ? "UDP" : "TCP, on the RTSP connection"}`;
    case "state":
      return `State: ${event.state}`;
    default:
      return undefined;
  }
}

/** Why the film ended, in a sentence. */
export function sentenceOfEnd(reason: EndReason): string {
  switch (reason) {
    case "goodbye":
      return "The film is over: the server said goodbye";
    case "range":
      return "The film is over: its announced end was reached";
    case "silence":
      return "The film is over: nothing more came";
    case "notice":
      return "The film is over: the server announced its end";
    case "closed":
      return "The film is over: the server closed the connection";
  }
}

/** The status line of a terminal. */
export function statusLineOf(
  statistics: ClientStatistics,
  options: {
    readonly number: number;
    readonly progress: readonly string[];
    readonly paint: (text: string, paint: Paint) => string;
  },
): string {
  const { state, frameRate, bitRate, lost, lossRatio, jitterMs } = statistics;
  const { number, progress, paint } = options;
  const loss = `lost ${lost} (${(lossRatio * 100).toFixed(1)} %)`;
  const parts = [
    paint(state.padEnd(7), STATE_PAINTS[state]),
    `frame ${number}`,
    `${frameRate.toFixed(1)} fps`,
    `${(bitRate / 1e6).toFixed(2)} Mbit/s`,
    lost > 0 ? paint(loss, "yellow") : loss,
    `jitter ${jitterMs.toFixed(1)} ms`,
    ...progress,
    paint("s setup  p play  space pause  t teardown  q quit", "dim"),
  ];
  return parts.join("  ");
}

/** The summary for people, one line. */
export function summaryOf(statistics: ClientStatistics): string {
  const { url, dialect, transport, frames, packets, bytes, lost, framesDropped } = statistics;
  const { frameRate, bitRate, lossRatio, jitterMs, durationSeconds } = statistics;
  const way = `${dialect === "lab" ? "lab dialect" : "RTSP"} over ${transport ?? "nothing"}`
    .replace("udp", "UDP").replace("tcp", "TCP");
  const dropped = framesDropped > 0 ? `, ${framesDropped} incomplete frames dropped` : "";
  return `Played ${url} (${way}) for ${durationSeconds.toFixed(1)} s: ${frames} frames ` +
    `(${frameRate.toFixed(1)}/s), ${packets} packets, ${sizeOf(bytes)} ` +
    `(${(bitRate / 1e6).toFixed(2)} Mbit/s), ${lost} lost (${(lossRatio * 100).toFixed(2)} %)` +
    `${dropped}, jitter ${jitterMs.toFixed(2)} ms`;
}

/** The JSON object of `--json`, on one line. */
export function jsonOf(statistics: ClientStatistics): string {
  return JSON.stringify(statistics);
}

const STATE_PAINTS: Readonly<Record<ClientStatistics["state"], Paint>> = {
  INIT: "dim",
  READY: "cyan",
  PLAYING: "green",
};
