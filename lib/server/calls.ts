/**
 * Acting on the calls of a conversation: DESCRIBE, PLAY, PAUSE, TEARDOWN; SETUP stands in setup.ts.
 *
 * Floor 4 (assembly). RFC 2326 s10, s12.29, s12.33.
 *
 * @module
 */

import type { PlaybackRequest, PlayingRange } from "../engine/playback.ts";
import { type RtspAnswer, type RtspCall, withReason } from "../engine/request_checks.ts";
import { RtspFormatError } from "../errors.ts";
import { headerValue, type RtspHeader } from "../rtsp.ts";
import { formatRange, formatRtpInfo, parseRange } from "../rtsp_headers.ts";
import { describeLabMovie, describeMovie } from "./description.ts";
import { MediaError } from "./media_library.ts";
import type { CallConnection, ServerParts } from "./parts.ts";
import { answerSetup, refusalOf } from "./setup.ts";
import type { StreamSession } from "./stream_session.ts";

/** An answer, and what to do once it has been written. */
export interface CallOutcome {
  /** The answer. */
  readonly answer: RtspAnswer;
  /** Called once the answer has been written. */
  readonly afterSend?: () => void;
}

/** Acts on a call. Never rejects for what the client asked: that has a status code. */
export async function answerCall(
  parts: ServerParts,
  connection: CallConnection,
  call: RtspCall,
): Promise<CallOutcome> {
  try {
    switch (call.method) {
      case "DESCRIBE":
        return { answer: await answerDescribe(parts, connection, call) };
      case "SETUP":
        return { answer: await answerSetup(parts, connection, call) };
      case "PLAY":
        return answerPlay(parts, call);
      case "PAUSE":
        return { answer: answerPause(parts, call) };
      case "TEARDOWN":
        return { answer: answerTeardown(parts, call) };
    }
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    // The client learns nothing about the disk: the reason is for the log.
    parts.emit({ type: "warning", message: `404 to ${call.method}: ${error.message}` });
    return { answer: { statusCode: 404 } };
  }
}

async function answerDescribe(
  parts: ServerParts,
  connection: CallConnection,
  call: RtspCall,
): Promise<RtspAnswer> {
  const movie = await parts.library.open(call.path, call.isLab);
  try {
    const { localAddress } = connection.stream;
    if (call.request.lab !== undefined) {
      const description = describeLabMovie(movie, call.request.lab, {
        sessionId: connection.labSessionId,
        clientPort: labPortOf(call.session as StreamSession | undefined),
        localHostname: localAddress.hostname,
      });
      return { statusCode: 200, session: call.session, ...description };
    }
    const refusal = refusalOf(movie, "jpeg", parts);
    if (refusal !== undefined) {
      parts.emit({ type: "warning", message: `415 for "${movie.path}": ${refusal}` });
      return withReason(415, refusal);
    }
    const description = describeMovie(movie, {
      requestUri: call.request.uri,
      localHostname: localAddress.hostname,
      isLooping: parts.options.loop ?? false,
    });
    return { statusCode: 200, ...description };
  } finally {
    movie.release();
  }
}

function answerPlay(parts: ServerParts, call: RtspCall): CallOutcome {
  const session = call.session as StreamSession;
  const { stream } = session;
  const request = playbackRequestOf(call, session);
  if (request === undefined) return { answer: { statusCode: 457, session } };
  const now = parts.timer.now();
  const isGoingOn = session.state === "PLAYING" && request.start === undefined &&
    request.end === undefined && stream.playback.isPlaying;
  if (isGoingOn) {
    return { answer: playAnswer(session, call, stream.playback.current(now)) };
  }
  const range = stream.play(request, now);
  if (range === undefined) return { answer: { statusCode: 457, session } };
  const { number, path, remote } = session;
  return {
    answer: playAnswer(session, call, range),
    afterSend: () => {
      if (session.state !== "PLAYING") return;
      const fromSeconds = Math.round(range.startSeconds * 1000) / 1000;
      parts.emit({ type: "session-playing", session: number, path, remote, fromSeconds });
      stream.begin();
    },
  };
}

function playAnswer(session: StreamSession, call: RtspCall, range: PlayingRange): RtspAnswer {
  if (call.isLab) return { statusCode: 200, session };
  const { sender } = session.stream;
  const headers: RtspHeader[] = [
    ["Range", formatRange({ unit: "npt", start: range.startSeconds, end: range.endSeconds })],
    [
      "RTP-Info",
      formatRtpInfo([{
        url: session.streamUrl,
        seq: sender.nextSequenceNumber,
        rtptime: sender.timestampAt(range.mediaTicks),
      }]),
    ],
  ];
  // Only the natural speed is there; whoever asked for another is told so (RFC 2326 s12.34).
  if (headerValue(call.request.headers, "Scale") !== undefined) headers.push(["Scale", "1.0"]);
  return { statusCode: 200, session, headers };
}

/** What to play, or `undefined` where the range cannot be served (457). */
function playbackRequestOf(call: RtspCall, session: StreamSession): PlaybackRequest | undefined {
  const { headers } = call.request;
  if (call.isLab) {
    // An extension of some lab clients: the frame to go on with, from 1.
    const frame = Number(headerValue(headers, "Frame") ?? Number.NaN);
    return frame >= 1 ? { start: (frame - 1) / session.movie.frameRateHz } : {};
  }
  const value = headerValue(headers, "Range");
  if (value === undefined) return {};
  try {
    const range = parseRange(value);
    return range.unit === "npt" ? { start: range.start, end: range.end } : undefined;
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    return undefined;
  }
}

function answerPause(parts: ServerParts, call: RtspCall): RtspAnswer {
  const session = call.session as StreamSession;
  session.stream.pause();
  const { number, path, remote } = session;
  const atSeconds = Math.round(session.stream.playback.positionSeconds * 1000) / 1000;
  parts.emit({ type: "session-paused", session: number, path, remote, atSeconds });
  if (call.isLab) return { statusCode: 200, session };
  return {
    statusCode: 200,
    session,
    headers: [["Range", formatRange({ unit: "npt", start: atSeconds })]],
  };
}

function answerTeardown(parts: ServerParts, call: RtspCall): RtspAnswer {
  const session = call.session as StreamSession;
  parts.sessions.end(session, "TEARDOWN");
  return { statusCode: 200, session };
}

/** The port a lab description names: the client's own, where it has told one. */
function labPortOf(session: StreamSession | undefined): number {
  const transport = session?.stream.transport;
  return transport !== undefined && "rtpAddress" in transport
    ? (transport.rtpAddress as { port: number }).port
    : 0;
}
