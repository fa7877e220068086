/**
 * Looks at a playing stream ten times a second and tells when its silence means something.
 *
 * Floor 4 (client assembly): the timer around `silence.ts`, and the sentences for its failures. It acts on nothing.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { Conversation } from "./conversation.ts";
import type { ClientSettings } from "./options.ts";
import { judgeSilence, type SilenceVerdict } from "./silence.ts";

/** A stream that has begun to play. */
export interface WatchedStream {
  /** The session it belongs to. */
  readonly conversation: Conversation;
  /** When PLAY was sent. */
  readonly playedMs: number;
  /** How long it will play, where the server told it. */
  readonly durationMs: number | undefined;
  /** Whether TCP may be tried instead of UDP. */
  readonly mayChangeToTcp: boolean;
}

/** What a {@linkcode StreamWatch} tells. */
export type WatchVerdict = Exclude<SilenceVerdict, "wait">;

/** Watches one stream at a time. */
export class StreamWatch {
  readonly #settings: ClientSettings;
  readonly #tell: (verdict: WatchVerdict, conversation: Conversation) => void;
  #stream: WatchedStream | undefined;
  #hasLostControl = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `tell` is called until {@linkcode StreamWatch.stop}. */
  constructor(
    settings: ClientSettings,
    tell: (verdict: WatchVerdict, conversation: Conversation) => void,
  ) {
    this.#settings = settings;
    this.#tell = tell;
  }

  /** Watches this stream from now on, instead of any other. */
  start(stream: WatchedStream): void {
    this.stop();
    this.#stream = stream;
    this.#hasLostControl = false;
    this.#timer = setInterval(() => this.#look(stream, performance.now()), PERIOD_MS);
  }

  /** Goes on with the stream that was watched last. */
  resume(): void {
    if (this.#stream) this.start(this.#stream);
  }

  /** The RTSP connection is gone; datagrams may still come. */
  controlLost(): void {
    this.#hasLostControl = true;
  }

  /** Watches nothing any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look({ conversation, playedMs, durationMs, mayChangeToTcp }: WatchedStream, now: number): void {
    const { dialect, transport, media } = conversation;
    const arrivalMs = media.lastArrivalMs;
    const verdict = judgeSilence(
      {
        dialect,
        transport,
        mayChangeToTcp,
        playedMs,
        lastPacketMs: arrivalMs !== undefined && arrivalMs >= playedMs ? arrivalMs : undefined,
        durationMs,
        hasLostControl: this.#hasLostControl,
      },
      this.#settings,
      now,
    );
    if (verdict === "wait") return;
    // A lab film that was paused at its very end has nothing more to send.
    const isOver = verdict === "no-packet" && dialect === "lab" && arrivalMs !== undefined;
    this.#tell(isOver ? "end" : verdict, conversation);
  }
}

/** The sentence for a silence that is a failure. */
export function silenceError(
  verdict: "no-packet" | "lost",
  conversation: Conversation,
  settings: ClientSettings,
): TransportError {
  const { host } = settings.target;
  const { foreignDatagrams, transport, dialect } = conversation;
  const foreign = foreignDatagrams > 0
    ? `; ${foreignDatagrams} datagrams came from other addresses and were ignored`
    : "";
  const advice = transport === "udp" && dialect === "rtsp"
    ? "a firewall may stop UDP, try --transport tcp"
    : "check the film and the firewall";
  const text = verdict === "no-packet"
    ? `Cannot receive: ${host} agreed to play and sent no packet for ${
      settings.timeoutMs / 1000
    } s; ${advice}${foreign}`
    : `Cannot go on: no packet from ${host} any more, the connection is lost; try again or use --reconnect`;
  return new TransportError(text, { operation: "receive", errno: "ETIMEDOUT" });
}

/** What the user is told when the server's connection ends before the film does. */
export function closedError(error: Error | undefined, settings: ClientSettings): TransportError {
  const { host, port } = settings.target;
  const what = error ? `broke the connection (${error.message})` : "closed the connection";
  return new TransportError(
    `Cannot go on: ${host} port ${port} ${what}, try again or use --reconnect`,
    { operation: "receive", cause: error },
  );
}

const PERIOD_MS = 100;
