/**
 * Acting on the calls of a conversation: DESCRIBE, PLAY, PAUSE, TEARDOWN; SETUP stands in setup.ts.
 *
 * Floor 4 (assembly). RFC 2326 s10, s12.29, s12.33.
 *
 * @module
 */

import { filmRangeOf, formatPlayedRange } from "../engine/media_range.ts";
import type { PlaybackRequest, PlayingRange } from "../engine/playback.ts";
import { type RtspAnswer, type RtspCall, withReason } from "../engine/request_checks.ts";
import { RtspFormatError } from "../errors.ts";
import { headerValue, type RtspHeader } from "../rtsp.ts";
import { formatRange, formatRtpInfo, parseScale, parseSpeed } from "../rtsp_headers.ts";
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

/** Acts on a call. Never rejects: what the client asked has a status code, and so have our own bugs. */
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
    if (!(error instanceof MediaError)) {
      parts.emit({ type: "warning", message: `500 to ${call.method}: ${describeBug(error)}` });
      return { answer: { statusCode: 500, session: call.session } };
    }
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
      localAddress: connection.stream.localAddress,
      isLooping: parts.options.loop ?? false,
      isLive: parts.live !== undefined,
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
  if ("statusCode" in request) return { answer: request };
  const now = parts.timer.now();
  const isGoingOn = session.state === "PLAYING" && stream.isPlaying &&
    Object.values(request).every((value) => value === undefined);
  if (isGoingOn) {
    return { answer: playAnswer(session, call, stream.current(now)) };
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

/** What is really played: of Scale and Speed only what was asked about (RFC 2326 s12.34, s12.35). */
function playAnswer(session: StreamSession, call: RtspCall, range: PlayingRange): RtspAnswer {
  if (call.isLab) return { statusCode: 200, session };
  const { stream, streamUrl: url } = session;
  const asked = (name: string) => headerValue(call.request.headers, name);
  const headers: RtspHeader[] = [
    ["Range", stream.isLive ? LIVE_RANGE : formatPlayedRange(range, asked("Range"), session.movie)],
    ["RTP-Info", formatRtpInfo([{ url, ...stream.nextPacket(range) }])],
  ];
  if (asked("Scale") !== undefined) headers.push(["Scale", decimal(range.scale)]);
  if (asked("Speed") !== undefined) headers.push(["Speed", decimal(range.speed)]);
  return { statusCode: 200, session, headers };
}

/**
 * What to play, or why it cannot be: 457 for a range, 400 for numbers that are none. Of a live film there is only the
 * present to be had, whatever is asked for: players ask for its beginning, and the answer tells them.
 */
function playbackRequestOf(call: RtspCall, session: StreamSession): PlaybackRequest | RtspAnswer {
  const { headers } = call.request;
  const { isLive } = session.stream;
  if (call.isLab) {
    // An extension of some lab clients: the frame to go on with, from 1.
    const frame = Number(headerValue(headers, "Frame") ?? Number.NaN);
    const { timeline } = session.movie;
    return isLive
      ? {}
      : frame >= 1 && frame <= timeline.frameCount
      ? { start: timeline.secondsOf(frame - 1) }
      : frame >= 1
      ? { statusCode: 457, session }
      : {};
  }
  const range = headerValue(headers, "Range");
  const scale = headerValue(headers, "Scale");
  const speed = headerValue(headers, "Speed");
  try {
    const part = range === undefined ? {} : filmRangeOf(range, session.movie);
    if (part === undefined && !isLive) {
      return withReason(457, `"${session.path}" does not know when it was taken: use npt`, session);
    }
    const request = {
      ...part,
      scale: scale === undefined ? undefined : parseScale(scale),
      speed: speed === undefined ? undefined : parseSpeed(speed),
    };
    if (request.scale !== 0) return isLive ? {} : request;
    return withReason(400, "Scale 0 would show nothing for ever: use PAUSE", session);
  } catch (error) {
    if (!(error instanceof RtspFormatError)) throw error;
    return error.code === "range"
      ? { statusCode: 457, session }
      : withReason(400, error.message, session);
  }
}

/** A factor as headers say it: `2.0`, `-0.5`, `0.333`. */
function decimal(factor: number): string {
  const text = String(Math.round(factor * 1000) / 1000);
  return text.includes(".") ? text : `${text}.0`;
}

function answerPause(parts: ServerParts, call: RtspCall): RtspAnswer {
  const session = call.session as StreamSession;
  session.stream.pause();
  const { number, path, remote } = session;
  const atSeconds = Math.round(session.stream.positionSeconds * 1000) / 1000;
  parts.emit({ type: "session-paused", session: number, path, remote, atSeconds });
  if (call.isLab || session.stream.isLive) return { statusCode: 200, session };
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

function describeBug(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** The port a lab description names: the client's own, where it has told one. */
function labPortOf(session: StreamSession | undefined): number {
  const transport = session?.stream.transport;
  return transport !== undefined && "rtpAddress" in transport
    ? (transport.rtpAddress as { port: number }).port
    : 0;
}

/** There is no other moment to be had. */
const LIVE_RANGE = "npt=now-";
