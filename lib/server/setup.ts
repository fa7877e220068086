/**
 * Answering SETUP: which transport, which session, which stream.
 *
 * Floor 4 (assembly). RFC 2326 s10.4, s12.39; the lab's SETUP with one UDP port.
 *
 * @module
 */

import { Playback } from "../engine/playback.ts";
import { type RtspAnswer, type RtspCall, withReason } from "../engine/request_checks.ts";
import { RtspFormatError } from "../errors.ts";
import { endpointText } from "../ip_address.ts";
import { LAB_MAX_JPEG } from "../rtp_lab.ts";
import { headerValues } from "../rtsp.ts";
import {
  formatTransport,
  isLabProtocol,
  parseTransport,
  type TransportSpec,
} from "../rtsp_headers.ts";
import { withoutCredentials } from "../rtsp_url.ts";
import { admit } from "./admission.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import type { HeldFilm } from "./live_film.ts";
import { LiveStream } from "./live_stream.ts";
import type { SharedMovie } from "./media_library.ts";
import type { CallConnection, ServerParts } from "./parts.ts";
import { newSessionId } from "./session_ids.ts";
import { MediaStream } from "./stream.ts";
import { isServable, type MadeTransport, makeTransport } from "./session_transport.ts";
import { cnameAt, newSender } from "./stream_sender.ts";
import { StreamSession } from "./stream_session.ts";

/**
 * Answers SETUP.
 *
 * @throws {MediaError} when there is no such movie (404).
 */
export async function answerSetup(
  parts: ServerParts,
  connection: CallConnection,
  call: RtspCall,
): Promise<RtspAnswer> {
  const offers = offersOf(call);
  const isOtherTrack = call.track !== undefined && call.track !== "0" && !call.isLab;
  if (isOtherTrack) return withReason(404, `"${call.path}" has one stream only: trackID=0`);
  const existing = call.isLab ? undefined : existingSession(connection, call, offers);
  const movie = existing?.movie ?? await parts.library.open(call.path, call.isLab);
  let isKept = existing !== undefined;
  try {
    const offer = offers.find((spec) => isServable(parts, connection, spec));
    if (offer === undefined) return { statusCode: 461, session: existing };
    const format: PayloadFormat = call.isLab || isLabProtocol(offer.protocol) ? "lab" : "jpeg";
    if (existing !== undefined && existing.stream.format !== format) {
      return { statusCode: 461, session: existing };
    }
    const refusal = refusalOf(movie, format, parts);
    if (refusal !== undefined) {
      parts.emit({ type: "warning", message: `415 for "${movie.path}": ${refusal}` });
      return withReason(415, refusal);
    }
    if (existing !== undefined) return switchTransport(parts, connection, call, existing, offer);
    if (call.isLab) endLabSession(parts, connection);
    const cname = cnameAt(connection.stream.localAddress);
    const held = await parts.live?.hold({ movie, format, isNumbered: call.isLab, cname });
    const limit = admit(parts, connection);
    if (limit !== undefined) {
      held?.release();
      return withReason(453, `No further session: ${limit}`);
    }
    isKept = true;
    return beginSession(parts, connection, call, { movie, offer, format, held });
  } finally {
    if (!isKept) movie.release();
  }
}

/** Why a movie cannot be sent in that format, or `undefined`. */
export function refusalOf(
  movie: SharedMovie,
  format: PayloadFormat,
  parts: ServerParts,
): string | undefined {
  if (format === "jpeg") return movie.jpegRefusal;
  const { largestFrameBytes } = movie.file.index;
  if (largestFrameBytes <= LAB_MAX_JPEG || (parts.options.fit ?? true)) return undefined;
  return `"${movie.path}" has a frame of ${largestFrameBytes} bytes; one datagram of the lab's dialect holds ${LAB_MAX_JPEG}: start the server without --no-fit, or use standard RTSP`;
}

function offersOf(call: RtspCall): TransportSpec[] {
  const values = headerValues(call.request.headers, "Transport");
  try {
    return values.length === 0 ? [] : parseTransport(values.join(","));
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    return [];
  }
}

/**
 * The session that a SETUP is about: the named one; or, without a name, the one of the same movie on this connection
 * whose packets went another way: FFmpeg asks so for TCP when UDP stays silent.
 */
function existingSession(
  connection: CallConnection,
  call: RtspCall,
  offers: readonly TransportSpec[],
): StreamSession | undefined {
  if (call.session !== undefined) return call.session as StreamSession;
  for (const session of connection.sessions) {
    const isOther = offers.length > 0 &&
      offers.every((offer) => offer.lowerTransport !== session.stream.transport.kind);
    if (session.path === call.path && session.dialect === "rtsp" && isOther) return session;
  }
  return undefined;
}

function beginSession(
  parts: ServerParts,
  connection: CallConnection,
  call: RtspCall,
  choice: {
    readonly movie: SharedMovie;
    readonly offer: TransportSpec;
    readonly format: PayloadFormat;
    readonly held: HeldFilm | undefined;
  },
): RtspAnswer {
  const { movie, offer, format, held } = choice;
  const { remoteAddress } = connection.stream;
  const session = new StreamSession({
    number: parts.sessions.nextNumber(),
    id: call.isLab ? connection.labSessionId : newSessionId(parts.thread?.index),
    dialect: call.isLab ? "lab" : "rtsp",
    movie,
    hostname: remoteAddress.hostname,
    remote: endpointText(remoteAddress),
    timer: parts.timer,
    tap: parts.options.tap,
  });
  const isOwn = held === undefined || call.isLab;
  const { random } = parts.options;
  const sender = isOwn
    ? newSender({ random, cname: cnameAt(connection.stream.localAddress), isLab: call.isLab })
    : held.film.sender;
  const { number } = session;
  const made = makeTransport(parts, connection, offer, {
    isLab: call.isLab,
    ssrc: sender.ssrc,
    session: number,
    format,
  });
  session.packets = made.packets;
  const { timer } = parts;
  const shared = { format, transport: made.transport, timer, ...listenersOf(parts, session) };
  session.stream = held === undefined
    ? new MediaStream({
      ...shared,
      movie,
      playback: new Playback({
        timeline: movie.timeline,
        isLooping: parts.options.loop,
        isGrowing: movie.growth !== undefined && !movie.growth.isEnded,
      }),
      sender,
      batches: parts.batches,
      phases: parts.phases,
      hasReports: !call.isLab,
    })
    : new LiveStream({ ...shared, held, numbers: isOwn ? sender : undefined });
  made.attach(session);
  bind(connection, session, made);
  parts.sessions.add(session);
  connection.sessions.add(session);
  tellSession(parts, connection, session);
  const { dialect, path, remote } = session;
  const transport = made.transport.kind;
  parts.emit({
    type: "session-begun",
    session: session.number,
    path,
    remote,
    dialect,
    transport,
    payload: format,
  });
  return setupAnswer(session, call, made);
}

/** What a stream has to tell. */
function listenersOf({ emit }: ServerParts, session: StreamSession) {
  const { number, path, remote } = session;
  return {
    onEnd: () => emit({ type: "stream-ended", session: number, path, remote }),
    onFault: (message: string) => emit({ type: "warning", message }),
    onSlow: (frames: number) => {
      const cause = session.stream.transport.kind === "TCP"
        ? "the client reads its connection too slowly"
        : "the UDP socket takes no more";
      emit({
        type: "warning",
        message: `${remote} misses ${frames} frames of "${path}": ${cause}`,
      });
    },
  };
}

function switchTransport(
  parts: ServerParts,
  connection: CallConnection,
  call: RtspCall,
  session: StreamSession,
  offer: TransportSpec,
): RtspAnswer {
  session.releaseTransport();
  const made = makeTransport(parts, connection, offer, {
    isLab: false,
    ssrc: session.ssrc,
    session: session.number,
    format: session.stream.format,
  });
  session.packets = made.packets;
  session.stream.replaceTransport(made.transport);
  made.attach(session);
  bind(connection, session, made);
  connection.sessions.add(session);
  tellSession(parts, connection, session);
  return setupAnswer(session, call, made);
}

/** For those who watch the wire. */
function tellSession(
  { options }: ServerParts,
  { number: connection, stream }: CallConnection,
  session: StreamSession,
): void {
  const { number: id, dialect, path: url } = session;
  const transport = session.stream.transport.kind === "UDP" ? "udp" : "tcp";
  const remote = stream.remoteAddress;
  options.tap?.session?.({ id, connection, url, remote, dialect, transport }, performance.now());
}

function bind(connection: CallConnection, session: StreamSession, made: MadeTransport): void {
  session.releaseTransport = () => made.release(session);
  // Nothing but its connection tells of a lab client's end, and interleaved packets have nowhere else to go.
  const isBound = session.dialect === "lab" || made.transport.kind === "TCP";
  session.boundConnection = isBound ? connection.number : undefined;
}

function setupAnswer(session: StreamSession, call: RtspCall, made: MadeTransport): RtspAnswer {
  if (call.isLab) return { statusCode: 200, session };
  session.streamUrl = withoutCredentials(call.request.uri);
  return { statusCode: 200, session, headers: [["Transport", formatTransport(made.reply)]] };
}

function endLabSession(parts: ServerParts, connection: CallConnection): void {
  for (const session of [...connection.sessions]) {
    if (session.dialect === "lab") parts.sessions.end(session, "set up anew");
  }
}
