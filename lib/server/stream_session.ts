/**
 * A session and all sessions: what SETUP begins and TEARDOWN, the timeout or the end of a connection ends.
 *
 * Floor 4 (assembly). RFC 2326 s12.37. The state is moved by the conversations (`lib/engine/server_session.ts`).
 *
 * @module
 */

import type { ConversationSession, SessionDirectory } from "../engine/request_checks.ts";
import type { RtspState } from "../engine/rtsp_state.ts";
import type { WireTap } from "../engine/wire_tap.ts";
import type { ServerSessionSnapshot } from "./events.ts";
import type { SharedMovie } from "./media_library.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { RtcpReader } from "./rtp_ports.ts";
import type { ServerThread } from "./server_thread.ts";
import { threadOfSession } from "./session_ids.ts";
import type { SessionStream } from "./session_stream.ts";
import type { SessionPackets } from "./wire.ts";

/** What a {@linkcode StreamSession} is made of. */
export interface StreamSessionOptions {
  /** Number for logs, from 1. */
  readonly number: number;
  /** Identifier for the `Session` header. */
  readonly id: string;
  /** The dialect of its client. */
  readonly dialect: "rtsp" | "lab";
  /** The movie; released when the session ends. */
  readonly movie: SharedMovie;
  /** Host of the client. */
  readonly hostname: string;
  /** Address of the client's connection as text. */
  readonly remote: string;
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** Told of its changes of state. */
  readonly tap?: WireTap;
}

/** One session: a movie on its way to one reader. */
export class StreamSession implements ConversationSession, RtcpReader {
  /** See {@linkcode StreamSessionOptions.number}. */
  readonly number: number;
  /** See {@linkcode StreamSessionOptions.id}. */
  readonly id: string;
  /** See {@linkcode StreamSessionOptions.dialect}. */
  readonly dialect: "rtsp" | "lab";
  /** See {@linkcode StreamSessionOptions.movie}. */
  readonly movie: SharedMovie;
  /** See {@linkcode StreamSessionOptions.hostname}. */
  readonly hostname: string;
  /** See {@linkcode StreamSessionOptions.remote}. */
  readonly remote: string;
  /** Tells of its packets, where somebody watches. */
  packets: SessionPackets | undefined;
  /** When the last request named it. */
  lastRequestMs: number;
  /** When the last RTCP packet came. */
  lastRtcpMs: number = -Infinity;
  /** The URL of its stream as SETUP named it, for RTP-Info; empty in the lab's dialect. */
  streamUrl = "";
  /** The number of the connection whose end ends it; `undefined` when it outlives its connections. */
  boundConnection: number | undefined;
  /** Called when it ends: gives ports and channels back. */
  releaseTransport: () => void = () => {};
  readonly #beganMs: number;
  readonly #timer: PacerTimer;
  readonly #tap: WireTap | undefined;
  #state: RtspState = "INIT";
  #stream: SessionStream | undefined;

  /** A session without a stream yet. */
  constructor(options: StreamSessionOptions) {
    this.number = options.number;
    this.id = options.id;
    this.dialect = options.dialect;
    this.movie = options.movie;
    this.hostname = options.hostname;
    this.remote = options.remote;
    this.#timer = options.timer;
    this.#tap = options.tap;
    this.#beganMs = options.timer.now();
    this.lastRequestMs = this.#beganMs;
  }

  /** State; moved by the conversations. */
  get state(): RtspState {
    return this.#state;
  }

  /** A request has moved it. */
  set state(state: RtspState) {
    this.#move(state, "");
  }

  #move(to: RtspState, cause: string): void {
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    this.#tap?.transition?.({ session: this.number, from, to, cause }, performance.now());
  }

  /** Path of the movie. */
  get path(): string {
    return this.movie.path;
  }

  /** Its stream. */
  get stream(): SessionStream {
    if (this.#stream === undefined) throw new TypeError("Cannot use the stream: it is not set up");
    return this.#stream;
  }

  /** SETUP has made its stream. */
  set stream(stream: SessionStream) {
    this.#stream = stream;
  }

  /** The SSRC of its stream. */
  get ssrc(): number {
    return this.stream.ssrc;
  }

  /** Takes RTCP of its reader. */
  receiveRtcp(bytes: Uint8Array): void {
    const now = this.#timer.now();
    this.lastRtcpMs = now;
    this.packets?.receivedReport(bytes);
    this.stream.receiveRtcp(bytes, now, this.#timer.unixMsAt(now));
  }

  /** Takes a packet that came on one of its interleaved channels; nothing is expected on that of RTP. */
  receiveInterleaved(channel: number, bytes: Uint8Array): void {
    const { transport } = this.stream;
    const isRtp = "rtpChannel" in transport && transport.rtpChannel === channel;
    if (!isRtp) this.receiveRtcp(bytes);
  }

  /** When its client was last heard of, in ms. */
  get lastHeardMs(): number {
    return Math.max(this.lastRequestMs, this.lastRtcpMs);
  }

  /** What it has done so far. */
  snapshot(): ServerSessionSnapshot {
    const { sender: sent, framesSent, framesDropped, ...stats } = this.stream.stats();
    return {
      session: this.number,
      path: this.path,
      remote: this.remote,
      dialect: this.dialect,
      transport: this.stream.transport.kind,
      payload: this.stream.format,
      state: this.state,
      durationSeconds: rounded((this.#timer.now() - this.#beganMs) / 1000),
      positionSeconds: rounded(stats.positionSeconds),
      frames: framesSent,
      framesDropped,
      repairs: stats.repairs,
      packets: sent.packetsSent,
      bytes: sent.octetsSent,
      worstLatenessMs: rounded(stats.worstLatenessMs),
      receiverReports: sent.receiverReports,
      packetsLost: sent.cumulativeLost ?? 0,
      fractionLost: rounded(sent.fractionLost ?? 0),
      jitterMs: sent.jitterMs === undefined ? undefined : rounded(sent.jitterMs),
      roundTripMs: sent.roundTripMs === undefined ? undefined : rounded(sent.roundTripMs),
    };
  }

  /** Ends the stream and gives back what it holds. */
  end(saysGoodbye: boolean, reason: string): void {
    this.#stream?.end(saysGoodbye);
    this.#move("INIT", reason);
    this.#tap?.sessionEnded?.(this.number, reason, performance.now());
    this.releaseTransport();
    this.releaseTransport = () => {};
    this.movie.release();
  }
}

/** All sessions of a server. */
export class SessionTable implements SessionDirectory {
  readonly #byId = new Map<string, StreamSession>();
  readonly #labSessions = new Set<StreamSession>();
  readonly #onEnded: (session: StreamSession, reason: string) => void;
  readonly #thread: ServerThread | undefined;
  #begun = 0;

  /**
   * `onEnded` is called after a session has ended, with the reason. Where the server has several threads, `thread` is
   * the one that keeps these.
   */
  constructor(
    onEnded: (session: StreamSession, reason: string) => void,
    thread?: ServerThread,
  ) {
    this.#onEnded = onEnded;
    this.#thread = thread;
  }

  /** Living sessions. */
  get size(): number {
    return this.#byId.size + this.#labSessions.size;
  }

  /** Sessions begun so far. */
  get begun(): number {
    return this.#begun;
  }

  /** A number for the next session. */
  nextNumber(): number {
    this.#begun++;
    return this.#thread?.numbers.nextSession() ?? this.#begun;
  }

  /** Whether another thread keeps the session of an identifier, if there is one. */
  isElsewhere(id: string): boolean {
    if (this.#thread === undefined) return false;
    const owner = threadOfSession(id);
    return owner !== undefined && owner !== this.#thread.index;
  }

  /** The standard session of an identifier. Lab sessions belong to their connection and cannot be named by others. */
  find(id: string): StreamSession | undefined {
    return this.#byId.get(id);
  }

  /** All living sessions. */
  *all(): IterableIterator<StreamSession> {
    yield* this.#byId.values();
    yield* this.#labSessions;
  }

  /** Keeps a session. */
  add(session: StreamSession): void {
    if (session.dialect === "lab") this.#labSessions.add(session);
    else this.#byId.set(session.id, session);
  }

  /** Ends a session; harmless when it has ended. */
  end(session: StreamSession, reason: string, saysGoodbye = false): void {
    const isKnown = this.#labSessions.delete(session) ||
      (this.#byId.get(session.id) === session && this.#byId.delete(session.id));
    if (!isKnown) return;
    const hasGoodbye = saysGoodbye && session.dialect === "rtsp";
    session.end(hasGoodbye, reason);
    this.#onEnded(session, reason);
  }

  /** Ends the sessions that nobody has been heard of for `timeoutMs`; those bound to a living connection stay. */
  expire(now: number, timeoutMs: number): void {
    for (const session of [...this.#byId.values()]) {
      if (session.boundConnection !== undefined) continue;
      if (now - session.lastHeardMs < timeoutMs) continue;
      const sinceRequest = Math.round((now - session.lastRequestMs) / 1000);
      const sinceRtcp = session.lastRtcpMs === -Infinity
        ? "never any RTCP"
        : `last RTCP ${Math.round((now - session.lastRtcpMs) / 1000)} s ago`;
      this.end(session, `expired: last request ${sinceRequest} s ago, ${sinceRtcp}`);
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
