/**
 * What silence means while PLAYING: nothing yet, the end of the film, a closed firewall, or a lost connection.
 *
 * Floor 4 (client assembly), pure: a decision table over what is known, `now` is an argument. It acts on nothing.
 *
 * @module
 */

import type { ClientDialect, ClientTransport } from "./statistics.ts";

/** What is known about a stream that should be playing. */
export interface PlayingStream {
  /** The dialect. */
  readonly dialect: ClientDialect;
  /** The transport. */
  readonly transport: ClientTransport;
  /** Whether TCP may be tried instead of UDP. */
  readonly mayChangeToTcp: boolean;
  /** When PLAY was answered. */
  readonly playedMs: number;
  /** When the last packet came since then, `undefined` before the first. */
  readonly lastPacketMs: number | undefined;
  /** Milliseconds the film goes on after PLAY, where the server told it. */
  readonly durationMs: number | undefined;
  /** Whether the RTSP connection is gone (datagrams may still come). */
  readonly hasLostControl: boolean;
}

/** How long silence may last, in milliseconds. */
export interface SilenceLimits {
  /** Any packet at all, or one after another. */
  readonly timeoutMs: number;
  /** UDP before its first packet. */
  readonly udpSilenceMs: number;
  /** The lab's end of a film. */
  readonly labSilenceMs: number;
}

/** `wait`, `use-tcp`, the `end` of the film, or one of two failures. */
export type SilenceVerdict = "wait" | "use-tcp" | "end" | "no-packet" | "lost";

/** Decides what the silence means at `now`. */
export function judgeSilence(
  stream: PlayingStream,
  limits: SilenceLimits,
  now: number,
): SilenceVerdict {
  const { lastPacketMs, playedMs } = stream;
  if (lastPacketMs === undefined) {
    const silentMs = now - playedMs;
    if (stream.mayChangeToTcp && silentMs >= limits.udpSilenceMs) return "use-tcp";
    if (stream.durationMs === 0) return "end";
    if (stream.hasLostControl && silentMs >= LOST_CONTROL_MS) return "lost";
    return silentMs >= limits.timeoutMs ? "no-packet" : "wait";
  }
  const silentMs = now - lastPacketMs;
  if (stream.dialect === "lab") return silentMs >= limits.labSilenceMs ? "end" : "wait";
  const isOver = stream.durationMs !== undefined &&
    lastPacketMs - playedMs >= stream.durationMs - RANGE_TOLERANCE_MS;
  if (isOver && silentMs >= RANGE_END_MS) return "end";
  if (stream.hasLostControl && silentMs >= LOST_CONTROL_MS) return "lost";
  return silentMs >= limits.timeoutMs ? "lost" : "wait";
}

/** Silence after the announced end of the film that is the end, where no BYE came. */
const RANGE_END_MS = 2000;
/** A film may be over this much before its announced end: clocks differ, the last frame has a length too. */
const RANGE_TOLERANCE_MS = 1000;
/** Silence after the server has closed the RTSP connection. */
const LOST_CONTROL_MS = 1000;
