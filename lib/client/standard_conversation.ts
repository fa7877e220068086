/**
 * A session with a standard RTSP server: DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN.
 *
 * RFC 2326 s10, App. A.1. Floor 4 (client assembly): connects a dialogue, a media transport and a media receiver. What
 * the server is asked first (OPTIONS) and whether it is a standard server at all is `dialect.ts`'s business.
 *
 * @module
 */

import { headerValue, type RtspResponse } from "../rtsp.ts";
import { formatRange, parseRange, parseRtpInfo } from "../rtsp_headers.ts";
import {
  type Conversation,
  type ConversationContext,
  isSuccess,
  type PlayAnswer,
  type PlayRange,
  refusalOf,
} from "./conversation.ts";
import type { Dialogue } from "./dialogue.ts";
import { MediaReceiver } from "./media_receiver.ts";
import type { MediaTransport } from "./media_transport.ts";
import { type AgreedSetup, describe, setUp } from "./standard_setup.ts";
import type { ClientTransport } from "./statistics.ts";
import { chooseStream, type ChosenStream } from "./stream_choice.ts";

/** A session with a standard server, ready to play. */
export class StandardConversation implements Conversation {
  readonly dialect = "rtsp";
  readonly media: MediaReceiver;
  readonly transportReason: string | undefined;
  readonly #context: ConversationContext;
  readonly #dialogue: Dialogue;
  readonly #stream: ChosenStream;
  readonly #description: string;
  readonly #transport: MediaTransport;
  readonly #setupUrl: string;
  #controlUrl: string;
  #hasPlayed = false;
  #isClosed = false;

  private constructor(parts: {
    context: ConversationContext;
    dialogue: Dialogue;
    stream: ChosenStream;
    description: string;
    setup: AgreedSetup;
  }) {
    this.#context = parts.context;
    this.#dialogue = parts.dialogue;
    this.#stream = parts.stream;
    this.#description = parts.description;
    this.#transport = parts.setup.transport;
    this.#setupUrl = parts.setup.url;
    this.#controlUrl = parts.stream.aggregateUrl;
    this.transportReason = parts.setup.reason;
    const { settings, numbering } = parts.context;
    this.media = new MediaReceiver({
      format: parts.stream.format,
      listener: parts.context,
      latencyMs: settings.latencyMs,
      numbering,
      onMade: (frame) => parts.context.wire.frame(frame),
    });
    const { wire } = parts.context;
    const { number: connection, localAddress, remoteAddress } = parts.dialogue;
    const { hostname } = localAddress;
    const packets = wire.packets({ payload: "jpeg", connection, hostname });
    this.#transport.start(parts.setup.agreed, this.media, packets);
    const session = { connection, remote: remoteAddress, url: parts.stream.aggregateUrl };
    wire.sessionAgreed({ ...session, dialect: "rtsp", transport: this.#transport.kind });
    this.#dialogue.setKeepAliveUri(parts.stream.aggregateUrl);
    void this.#dialogue.closed.then((error) => {
      if (!this.#isClosed) parts.context.onClosed(error);
    });
  }

  /**
   * Describes and sets up, by `transport` or by UDP and then TCP. Owns `dialogue` from now on, also when it fails.
   *
   * @throws {StatusError} when the server refuses; the message says what to do.
   * @throws {SdpFormatError} when there is no JPEG stream.
   * @throws {TransportError} when the connection fails.
   */
  static async open(
    context: ConversationContext,
    dialogue: Dialogue,
    transport: "auto" | ClientTransport,
  ): Promise<StandardConversation> {
    try {
      const described = await describe(context, dialogue, context.settings.target.href);
      dialogue = described.dialogue;
      const stream = chooseStream(described.response, described.url);
      const setup = await setUp(context, dialogue, stream, transport);
      const description = new TextDecoder().decode(described.response.body);
      return new StandardConversation({ context, dialogue, stream, description, setup });
    } catch (error) {
      dialogue.close();
      throw error;
    }
  }

  /** How media comes. */
  get transport(): ClientTransport {
    return this.#transport.kind;
  }

  /** Datagrams from others that were ignored. */
  get foreignDatagrams(): number {
    return this.#transport.foreignDatagrams;
  }

  /** Sends PLAY: from the beginning the first time, afterwards from where the film stands. */
  async play(range: PlayRange = {}): Promise<PlayAnswer> {
    const { isLive } = this.#stream;
    // Backwards there is nothing before the beginning: the server begins at the end.
    const isOpen = this.#hasPlayed || isLive || (range.scale ?? 1) < 0;
    const start = range.startSeconds ?? (isOpen ? undefined : 0);
    const end = range.endSeconds;
    const hasRange = start !== undefined || end !== undefined;
    const value = formatRange({ unit: "npt", start, end });
    if (this.#hasPlayed) this.media.reset();
    this.#transport.punch();
    const scale = scaleHeaders(range.scale);
    const headers: [string, string][] = hasRange ? [["Range", value], ...scale] : scale;
    let response = await this.#ask("PLAY", headers);
    if (response.statusCode === 459) {
      this.#controlUrl = this.#setupUrl; // "Aggregate operation not allowed": the stream's own URL then
      response = await this.#ask("PLAY", headers);
    }
    if (response.statusCode === 457 && range.startSeconds === undefined && hasRange) {
      response = await this.#ask("PLAY", scale); // a live source that knows no ranges
    }
    if (!isSuccess(response)) throw this.#refusal(response, "PLAY");
    this.#hasPlayed = true;
    const rtpTimestamp = this.#announce(response);
    const played = playedRange(response);
    const used = scaleOf(response);
    const seconds = durationOf(played, this.#stream.endSeconds);
    return {
      durationSeconds: seconds === undefined ? undefined : seconds / Math.abs(used ?? 1),
      startSeconds: played?.start ?? start,
      rtpTimestamp,
      scale: used,
    };
  }

  /** See {@linkcode Conversation.clockRateHz}. */
  get clockRateHz(): number {
    return this.#stream.format.clockRateHz ?? 90_000;
  }

  /** From where to where the film was described; nothing for a live source. */
  get extent(): { readonly startSeconds: number; readonly endSeconds: number } | undefined {
    const { endSeconds } = this.#stream;
    return endSeconds === undefined ? undefined : { startSeconds: 0, endSeconds };
  }

  /** Sends PAUSE. */
  async pause(): Promise<void> {
    const response = await this.#ask("PAUSE", []);
    if (!isSuccess(response)) throw this.#refusal(response, "PAUSE");
    this.media.reset();
  }

  /** Sends TEARDOWN and closes everything, whatever the server does. */
  async teardown(): Promise<void> {
    this.#isClosed = true;
    this.media.goodbye();
    this.media.close();
    try {
      await this.#dialogue.request({
        method: "TEARDOWN",
        uri: this.#controlUrl,
        timeoutMs: TEARDOWN_TIMEOUT_MS,
      });
    } catch {
      // Gone already, which is what was wanted.
    } finally {
      this.close();
    }
  }

  /** The session description as the server gave it. */
  describe(): Promise<string | undefined> {
    return Promise.resolve(this.#description);
  }

  /** Closes everything without a word. */
  close(): void {
    this.#isClosed = true;
    this.#dialogue.close();
    this.#transport.close();
    this.media.close();
  }

  #ask(method: string, headers: [string, string][]): Promise<RtspResponse> {
    return this.#dialogue.request({ method, uri: this.#controlUrl, headers });
  }

  #refusal(response: RtspResponse, method: string): Error {
    const { settings, credentials } = this.#context;
    const hasCredentials = credentials.known !== undefined;
    return refusalOf(response, { method, url: settings.target.href, hasCredentials });
  }

  /**
   * RTP-Info tells the first packet, so that loss is counted from the very start (RFC 2326 s12.33).
   *
   * @returns its timestamp, where that is told.
   */
  #announce(response: RtspResponse): number | undefined {
    const value = headerValue(response.headers, "RTP-Info");
    if (value === undefined) return undefined;
    const infos = parseRtpInfo(value);
    const ours = infos.find(({ url }) => url === this.#setupUrl) ??
      (infos.length === 1 ? infos[0] : undefined);
    if (ours && (ours.seq !== undefined || ours.rtptime !== undefined)) {
      this.media.expect(ours.seq, ours.rtptime);
    }
    return ours?.rtptime;
  }
}

interface PlayedRange {
  readonly start: number;
  readonly end: number | undefined;
}

/** The answer's Range, where it has one in seconds. */
function playedRange(response: RtspResponse): PlayedRange | undefined {
  const value = headerValue(response.headers, "Range");
  if (value === undefined) return undefined;
  try {
    const range = parseRange(value);
    if (range.unit !== "npt" || range.start === "now") return undefined;
    return { start: range.start ?? 0, end: range.end };
  } catch {
    return undefined;
  }
}

/** Seconds that will be played: up to the answer's end, else that of the description. */
function durationOf(played: PlayedRange | undefined, endSeconds: number | undefined) {
  const end = played?.end ?? endSeconds;
  return played === undefined || end === undefined ? undefined : Math.abs(end - played.start);
}

function scaleHeaders(scale: number | undefined): [string, string][] {
  return scale === undefined ? [] : [["Scale", String(Number(scale.toFixed(3)))]];
}

function scaleOf(response: RtspResponse): number | undefined {
  const value = Number(headerValue(response.headers, "Scale") ?? Number.NaN);
  return Number.isFinite(value) && value !== 0 ? value : undefined;
}

const TEARDOWN_TIMEOUT_MS = 1500;
