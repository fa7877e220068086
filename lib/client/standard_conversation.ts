/**
 * A session with a standard RTSP server: DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN.
 *
 * RFC 2326 s10, App. A.1. Floor 4 (client assembly): connects a dialogue, a media transport and a media receiver. What
 * the server is asked first (OPTIONS) and whether it is a standard server at all is `dialect.ts`'s business.
 *
 * @module
 */

import { SdpFormatError, TransportError } from "../errors.ts";
import { headerValue, type RtspResponse } from "../rtsp.ts";
import {
  formatRange,
  parseRange,
  parseRtpInfo,
  parseTransport,
  type TransportSpec,
} from "../rtsp_headers.ts";
import { parseRtspUrl } from "../rtsp_url.ts";
import {
  type Conversation,
  type ConversationContext,
  type PlayAnswer,
  type PlayRange,
  refusalOf,
} from "./conversation.ts";
import { Dialogue } from "./dialogue.ts";
import { MediaReceiver } from "./media_receiver.ts";
import { InterleavedTransport, type MediaTransport, UdpTransport } from "./media_transport.ts";
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
    this.transportReason = parts.setup.reason;
    const { settings, numbering } = parts.context;
    this.media = new MediaReceiver({
      format: parts.stream.format,
      listener: parts.context,
      latencyMs: settings.latencyMs,
      numbering,
    });
    this.#transport.start(parts.setup.agreed, this.media);
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
    const { isLive, aggregateUrl } = this.#stream;
    const start = range.startSeconds ?? (this.#hasPlayed || isLive ? undefined : 0);
    const end = range.endSeconds;
    const hasRange = start !== undefined || end !== undefined;
    const value = formatRange({ unit: "npt", start, end });
    if (this.#hasPlayed) this.media.reset();
    this.#transport.punch();
    let response = await this.#ask("PLAY", aggregateUrl, hasRange ? [["Range", value]] : []);
    if (response.statusCode === 457 && range.startSeconds === undefined && hasRange) {
      response = await this.#ask("PLAY", aggregateUrl, []); // a live source that knows no ranges
    }
    if (!isSuccess(response)) throw this.#refusal(response, "PLAY");
    this.#hasPlayed = true;
    this.#announce(response);
    return { durationSeconds: durationOf(response, this.#stream.endSeconds) };
  }

  /** Sends PAUSE. */
  async pause(): Promise<void> {
    const response = await this.#ask("PAUSE", this.#stream.aggregateUrl, []);
    if (!isSuccess(response)) throw this.#refusal(response, "PAUSE");
    this.media.reset();
  }

  /** Sends TEARDOWN and closes everything, whatever the server does. */
  async teardown(): Promise<void> {
    this.#isClosed = true;
    this.media.goodbye();
    this.media.close();
    try {
      const { aggregateUrl } = this.#stream;
      await this.#dialogue.request({
        method: "TEARDOWN",
        uri: aggregateUrl,
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

  #ask(method: string, uri: string, headers: [string, string][]): Promise<RtspResponse> {
    return this.#dialogue.request({ method, uri, headers });
  }

  #refusal(response: RtspResponse, method: string): Error {
    const { settings, credentials } = this.#context;
    const hasCredentials = credentials.known !== undefined;
    return refusalOf(response, { method, url: settings.target.href, hasCredentials });
  }

  /** RTP-Info tells the first packet, so that loss is counted from the very start (RFC 2326 s12.33). */
  #announce(response: RtspResponse): void {
    const value = headerValue(response.headers, "RTP-Info");
    if (value === undefined) return;
    const infos = parseRtpInfo(value);
    const ours = infos.find(({ url }) => url === this.#setupUrl) ??
      (infos.length === 1 ? infos[0] : undefined);
    if (ours && (ours.seq !== undefined || ours.rtptime !== undefined)) {
      this.media.expect(ours.seq, ours.rtptime);
    }
  }
}

interface Described {
  readonly dialogue: Dialogue;
  readonly response: RtspResponse;
  readonly url: string;
}

/** DESCRIBE, with a question for the password and with redirections (RFC 2326 s11.3). */
async function describe(
  context: ConversationContext,
  dialogue: Dialogue,
  url: string,
): Promise<Described> {
  for (let redirections = 0;; redirections++) {
    const headers = [["Accept", "application/sdp"]] as const;
    const order = { method: "DESCRIBE", uri: url, headers };
    let response = await dialogue.request(order);
    if (response.statusCode === 401 && await learnCredentials(context, dialogue)) {
      response = await dialogue.request(order);
    }
    if (isSuccess(response)) return { dialogue, response, url };
    const location = headerValue(response.headers, "Location");
    const isRedirection = response.statusCode >= 300 && response.statusCode < 400;
    if (!isRedirection || location === undefined || redirections >= MAX_REDIRECTIONS) {
      const hasCredentials = context.credentials.known !== undefined;
      dialogue.close();
      throw refusalOf(response, { method: "DESCRIBE", url, hasCredentials });
    }
    const next = parseRtspUrl(location);
    context.note(`The server sends us on to ${next.href}`);
    const { host, port } = parseRtspUrl(url);
    if (next.host !== host || next.port !== port) {
      dialogue.close();
      // The password was meant for the first server, not for another.
      const credentials = next.host === host ? context.credentials.known : undefined;
      dialogue = await connectStandard(context, { host: next.host, port: next.port, credentials });
    }
    url = next.href;
  }
}

/** Connects to a standard server with the client's own settings. */
export function connectStandard(
  context: ConversationContext,
  to: {
    readonly host: string;
    readonly port: number;
    readonly credentials: ConversationContext["credentials"]["known"];
    readonly detectsLab?: boolean;
  },
): Promise<Dialogue> {
  const { settings, signal } = context;
  return Dialogue.connect({
    ...to,
    dialect: "rtsp",
    userAgent: settings.userAgent,
    timeoutMs: settings.timeoutMs,
    signal,
    onRequest: (request) => context.onRequest(request),
    onResponse: (request, response) => context.onResponse(request, response),
    onNotice: (text) => context.note(text),
    onServerRequest: (request) => {
      // 2101 and 2102 are the end-of-stream codes that servers put into an ANNOUNCE.
      const notice = headerValue(request.headers, "Notice") ?? "";
      if (request.method === "ANNOUNCE" && /^210[1-4]\b/.test(notice)) context.onEnd("notice");
    },
    onSessionLost: () => {
      context.onClosed(
        new TransportError("The server has forgotten the session", { operation: "keepalive" }),
      );
    },
  });
}

async function learnCredentials(
  context: ConversationContext,
  dialogue: Dialogue,
): Promise<boolean> {
  const { credentials, settings } = context;
  if (credentials.known || credentials.wasAsked || !settings.askCredentials) return false;
  credentials.wasAsked = true;
  credentials.known = await settings.askCredentials();
  if (credentials.known) dialogue.setCredentials(credentials.known);
  return credentials.known !== undefined;
}

interface AgreedSetup {
  readonly transport: MediaTransport;
  readonly agreed: TransportSpec;
  readonly url: string;
  readonly reason?: string;
}

/** SETUP by the wanted transport; `auto` asks for TCP on the same connection after a 461 (RFC 2326 s11.3.14). */
async function setUp(
  context: ConversationContext,
  dialogue: Dialogue,
  stream: ChosenStream,
  wanted: "auto" | ClientTransport,
): Promise<AgreedSetup> {
  const { settings } = context;
  let udpRefusal: RtspResponse | undefined;
  if (wanted !== "tcp") {
    if (settings.rtpPort % 2 === 1) {
      context.note(
        `RTP port ${settings.rtpPort} is odd: RTCP uses ${
          settings.rtpPort + 1
        }, even ports are usual`,
      );
    }
    const server = dialogue.remoteAddress;
    const udp = UdpTransport.open({ rtpPort: settings.rtpPort, hasRtcp: true, server });
    const outcome = await setUpBy(udp, dialogue, stream, context);
    if ("agreed" in outcome) return outcome;
    const { refusal } = outcome;
    if (wanted === "udp" || refusal.statusCode !== 461) throw refuse(context, refusal);
    udpRefusal = refusal;
  }
  const outcome = await setUpBy(new InterleavedTransport(dialogue), dialogue, stream, context);
  if (!("agreed" in outcome)) throw refuse(context, outcome.refusal);
  const reason = udpRefusal &&
    `the server refuses UDP (${udpRefusal.statusCode} ${udpRefusal.reasonPhrase})`;
  return { ...outcome, reason };
}

function refuse(context: ConversationContext, response: RtspResponse): Error {
  const { settings, credentials } = context;
  return refusalOf(response, {
    method: "SETUP",
    url: settings.target.href,
    hasCredentials: credentials.known !== undefined,
  });
}

async function setUpBy(
  transport: MediaTransport,
  dialogue: Dialogue,
  stream: ChosenStream,
  context: ConversationContext,
): Promise<AgreedSetup | { readonly refusal: RtspResponse }> {
  let refusal: RtspResponse | undefined;
  try {
    for (const url of stream.setupUrls) {
      const headers = [["Transport", transport.offer]] as const;
      const response = await dialogue.request({ method: "SETUP", uri: url, headers });
      if (isSuccess(response)) return agree(transport, dialogue, response, url);
      // The server may join URLs the other way; the first refusal is the better reason.
      refusal ??= response;
      if (response.statusCode !== 404 && response.statusCode !== 400) break;
    }
  } catch (error) {
    transport.close();
    throw error;
  }
  transport.close();
  if (!refusal) {
    throw new SdpFormatError(`Cannot play "${context.settings.target.href}": no control URL`, {
      code: "no-control",
      offset: 0,
      rfc: "RFC 2326 C.1.1",
    });
  }
  return { refusal };
}

/** The server has the last word on the transport: channels, ports, and sometimes the transport itself. */
function agree(
  asked: MediaTransport,
  dialogue: Dialogue,
  response: RtspResponse,
  url: string,
): AgreedSetup {
  const value = headerValue(response.headers, "Transport");
  const agreed = parseTransport(value ?? asked.offer)[0];
  if (agreed.isMulticast) {
    throw new TransportError(
      `Cannot receive from "${url}": the server sends by multicast only, try --transport tcp`,
      { operation: "SETUP" },
    );
  }
  if (agreed.lowerTransport === "TCP" && asked.kind === "udp") {
    asked.close();
    const reason = "the server answered with TCP";
    return { transport: new InterleavedTransport(dialogue), agreed, url, reason };
  }
  if (agreed.lowerTransport === "UDP" && asked.kind === "tcp" && value !== undefined) {
    throw new TransportError(
      `Cannot receive from "${url}": asked for TCP, the server answered "${value}"`,
      { operation: "SETUP" },
    );
  }
  return { transport: asked, agreed, url };
}

function isSuccess(response: RtspResponse): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}

/** Seconds that will be played: from the answer's Range, else from the description. */
function durationOf(response: RtspResponse, endSeconds: number | undefined): number | undefined {
  const value = headerValue(response.headers, "Range");
  if (value === undefined) return undefined;
  try {
    const range = parseRange(value);
    if (range.unit !== "npt" || range.start === "now") return undefined;
    const end = range.end ?? endSeconds;
    return end === undefined ? undefined : Math.max(0, end - (range.start ?? 0));
  } catch {
    return undefined;
  }
}

const TEARDOWN_TIMEOUT_MS = 1500;
const MAX_REDIRECTIONS = 5;
