/**
 * The way to a session with a standard server: DESCRIBE, with logins and redirections, and SETUP, by UDP or TCP.
 *
 * RFC 2326 s10.2, s10.4, s11.3. Floor 4 (client assembly). What happens once the session stands is
 * `standard_conversation.ts`'s business.
 *
 * @module
 */

import { SdpFormatError, TransportError } from "../errors.ts";
import { headerValue, type RtspResponse } from "../rtsp.ts";
import { parseTransport, type TransportSpec } from "../rtsp_headers.ts";
import { parseRtspUrl } from "../rtsp_url.ts";
import { type ConversationContext, isSuccess, refusalOf } from "./conversation.ts";
import { Dialogue } from "./dialogue.ts";
import { InterleavedTransport, type MediaTransport, UdpTransport } from "./media_transport.ts";
import type { ClientTransport } from "./statistics.ts";
import type { ChosenStream } from "./stream_choice.ts";

/** What DESCRIBE brought. */
export interface Described {
  /** The connection that answered: another one after a redirection. */
  readonly dialogue: Dialogue;
  /** The answer, a 2xx. */
  readonly response: RtspResponse;
  /** The URL that was described in the end. */
  readonly url: string;
}

/** DESCRIBE, with a question for the password and with redirections (RFC 2326 s11.3). */
export async function describe(
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
    wire: context.wire,
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

/** Resolves when nobody waits for an answer any more. */
function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

async function learnCredentials(
  context: ConversationContext,
  dialogue: Dialogue,
): Promise<boolean> {
  const { credentials, settings } = context;
  if (credentials.known || credentials.wasAsked || !settings.askCredentials) return false;
  credentials.wasAsked = true;
  credentials.known = await Promise.race([settings.askCredentials(), abortOf(context.signal)]);
  if (credentials.known) dialogue.setCredentials(credentials.known);
  return credentials.known !== undefined;
}

/** What SETUP brought. */
export interface AgreedSetup {
  /** How media will come. */
  readonly transport: MediaTransport;
  /** What the server agreed to. */
  readonly agreed: TransportSpec;
  /** The URL that was set up. */
  readonly url: string;
  /** Why the transport is not the first choice. */
  readonly reason?: string;
}

/** SETUP by the wanted transport; `auto` asks for TCP on the same connection after a 461 (RFC 2326 s11.3.14). */
export async function setUp(
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
    const udp = UdpTransport.open({
      rtpPort: settings.rtpPort,
      hasRtcp: true,
      server,
      note: context.note,
      thread: context.receiveThread,
    });
    const outcome = await setUpBy(udp, dialogue, stream, context);
    if ("agreed" in outcome) return outcome;
    const { refusal } = outcome;
    const isHopeless = HOPELESS_BY_TCP_TOO.includes(refusal.statusCode);
    if (wanted === "udp" || isHopeless) throw refuse(context, refusal);
    udpRefusal = refusal;
  }
  const outcome = await setUpBy(new InterleavedTransport(dialogue), dialogue, stream, context);
  if (!("agreed" in outcome)) throw refuse(context, udpRefusal ?? outcome.refusal);
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

/** Refusals of a SETUP that have nothing to do with its transport; 461 is what should come, others do too. */
const HOPELESS_BY_TCP_TOO: readonly number[] = [401, 403, 404, 453, 454, 503];
const MAX_REDIRECTIONS = 5;
