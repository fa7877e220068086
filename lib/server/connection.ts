/**
 * One RTSP connection of a server: bytes from the stream to the conversation, its calls to the rooms that act on them,
 * its answers back.
 *
 * Floor 4 (assembly). No protocol decisions: those are the conversation's.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import { type ConversationEvent, ServerConversation } from "../engine/server_session.ts";
import type { WireMessage } from "../engine/wire_tap.ts";
import { endpointText } from "../ip_address.ts";
import type { ByteStream } from "../net/socket.ts";
import { headerValue, type RtspRequest } from "../rtsp.ts";
import { withoutCredentials } from "../rtsp_url.ts";
import { answerCall, type CallOutcome } from "./calls.ts";
import { ConnectionWriter } from "./connection_writer.ts";
import { ConnectionErrands } from "./errands.ts";
import type { CallConnection, ServerParts } from "./parts.ts";
import type { StreamSession } from "./stream_session.ts";

/** Counters of all connections of a server. */
export interface ConnectionCounters {
  /** Requests read. */
  requests: number;
  /** Messages that could not be read. */
  malformedMessages: number;
  /** Interleaved packets on channels nobody uses. */
  strayPackets: number;
}

/** One connection, from its acceptance to its end. */
export class RtspConnection implements CallConnection, Paced {
  /** See {@linkcode CallConnection.number}. */
  readonly number: number;
  /** See {@linkcode CallConnection.stream}. */
  readonly stream: ByteStream;
  /** See {@linkcode CallConnection.writer}. */
  readonly writer: ConnectionWriter;
  /** See {@linkcode CallConnection.labSessionId}. */
  readonly labSessionId: string;
  /** See {@linkcode CallConnection.sessions}. */
  readonly sessions: Set<StreamSession> = new Set();
  /** See {@linkcode CallConnection.channels}. */
  readonly channels: Map<number, StreamSession> = new Map();
  /** The pacer's place, for the conversation's timeouts. */
  pacing: Paced["pacing"] = undefined;
  readonly #parts: ServerParts;
  readonly #counters: ConnectionCounters;
  readonly #conversation: ServerConversation;
  readonly #remote: string;
  /** What it asks about sessions of other threads, where there are any. */
  readonly errands: ConnectionErrands | undefined;
  #isClosed = false;
  #closeReason = "";
  #whenReady: (() => void) | undefined;

  /** A connection that has just been accepted. */
  constructor(
    parts: ServerParts,
    options: {
      readonly number: number;
      readonly stream: ByteStream;
      readonly counters: ConnectionCounters;
    },
  ) {
    this.#parts = parts;
    this.#counters = options.counters;
    this.number = options.number;
    this.stream = options.stream;
    this.#remote = endpointText(options.stream.remoteAddress);
    this.labSessionId = labSessionId();
    const { timer } = parts;
    this.writer = new ConnectionWriter(options.stream, {
      now: () => timer.now(),
      onWait: () => timer.stayResponsive(),
      onBroken: (error) => this.close(error instanceof Error ? error.message : String(error)),
    });
    const { tap } = parts.options;
    const { localAddress: local, remoteAddress: remote } = options.stream;
    const id = this.number;
    this.errands = parts.thread && new ConnectionErrands({
      thread: parts.thread,
      place: { number: id, local, remote },
      writer: this.writer,
      channels: this.channels,
      onHeld: () => this.#tellHasSession(),
      close: (reason) => this.close(reason),
    });
    tap?.connectionOpened?.({ id, local, remote, isOpener: false }, performance.now());
    const { hostname } = remote;
    this.#conversation = new ServerConversation({
      sessions: parts.sessions,
      labSessionId: this.labSessionId,
      authorize: parts.authentication?.gateFor(hostname),
      sessionTimeoutSeconds: parts.options.sessionTimeoutSeconds,
      requestTimeoutMs: parts.options.requestTimeoutMs,
      idleTimeoutMs: parts.options.idleTimeoutMs,
      tellsBytes: tap?.message !== undefined,
    }, timer.now());
  }

  /** Reads until the connection ends, then ends what depends on it. */
  async run(): Promise<void> {
    const { emit, timer } = this.#parts;
    emit({ type: "connection-opened", connection: this.number, remote: this.#remote });
    this.#reschedule();
    const buffer = new Uint8Array(READ_BUFFER_BYTES);
    try {
      for (;;) {
        if (this.#conversation.isBusy) await new Promise<void>((ready) => this.#whenReady = ready);
        await this.#parts.thread?.others.congestion();
        const count = await this.stream.read(buffer);
        if (count === null) break;
        timer.stayResponsive();
        this.#conversation.receive(buffer.subarray(0, count), timer.now());
        this.#drain();
      }
      if (!this.#isClosed) {
        this.#endBoundSessions("its connection ended");
        this.#conversation.endOfInput(timer.now());
        this.#drain();
      }
      await this.#whenClosed.promise;
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    } finally {
      this.#endBoundSessions("its connection ended");
      timer.cancel(this);
      const reason = this.#closeReason;
      emit({ type: "connection-closed", connection: this.number, remote: this.#remote, reason });
    }
  }

  readonly #whenClosed = Promise.withResolvers<void>();

  /** The conversation's timeouts. */
  onDue(now: number): void {
    this.#conversation.handleTimeout(now);
    this.#drain();
  }

  /** For how long the write under way has been waiting, in ms. */
  stalledMs(now: number): number {
    return this.writer.stalledMs(now);
  }

  /** A session of this connection has ended. */
  forget(session: StreamSession): void {
    this.sessions.delete(session);
    this.#tellHasSession();
    this.#reschedule();
  }

  /** See {@linkcode CallConnection.usesChannel}. */
  usesChannel(channel: number): boolean {
    return this.channels.has(channel) || this.errands?.usesChannel(channel) === true;
  }

  /** Closes at once. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeReason = reason;
    this.errands?.close();
    this.writer.close();
    this.stream.close();
    this.#parts.timer.cancel(this);
    this.#parts.options.tap?.connectionClosed?.(this.number, performance.now());
    this.#whenReady?.();
    this.#whenClosed.resolve();
  }

  /** Writes what is waiting, for a short while, then closes. */
  async finish(reason: string): Promise<void> {
    let timeout: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => timeout = setTimeout(resolve, FINISH_MS));
    await Promise.race([this.writer.flushed(), patience]);
    clearTimeout(timeout);
    await this.stream.closeWrite();
    this.close(reason);
  }

  #drain(): void {
    for (
      let event = this.#conversation.poll();
      event !== undefined && !this.#isClosed;
      event = this.#conversation.poll()
    ) {
      this.#act(event);
    }
    this.#reschedule();
    if (!this.#conversation.isBusy) {
      this.#whenReady?.();
      this.#whenReady = undefined;
    }
  }

  #act(event: ConversationEvent): void {
    const { emit } = this.#parts;
    const connection = this.number;
    const remote = this.#remote;
    switch (event.type) {
      case "request": {
        const { request } = event;
        this.#counters.requests++;
        this.#tell({ direction: "in", bytes: event.bytes, message: request });
        // Some players ask for nothing but OPTIONS without a Session header: that keeps alive what they have set up.
        for (const session of this.sessions) session.lastRequestMs = this.#parts.timer.now();
        this.errands?.heard(headerValue(request.headers, "Session"));
        emit({
          type: "request",
          connection,
          remote,
          method: request.method,
          uri: withoutCredentials(request.uri),
          cseq: headerValue(request.headers, "CSeq"),
          dialect: request.lab === undefined ? "rtsp" : "lab",
        });
        break;
      }
      case "call":
        this.#answer(answerCall(this.#parts, this, event.call));
        break;
      case "elsewhere":
        this.#answer(this.errands!.run(event));
        break;
      case "interleaved":
        this.#receiveInterleaved(event.channel, event.payload);
        break;
      case "send": {
        const { statusCode, reasonPhrase } = event.response;
        const { request } = event;
        const cseq = request && headerValue(request.headers, "CSeq");
        const method = request?.method;
        emit({ type: "response", connection, remote, statusCode, reasonPhrase, method, cseq });
        this.#tell({ direction: "out", bytes: event.bytes, message: event.response, request });
        this.writer.write(event.bytes, event.afterSend);
        break;
      }
      case "malformed":
        this.#counters.malformedMessages++;
        this.#tell({ direction: "in", bytes: event.bytes, message: undefined });
        emit({ type: "malformed", connection, remote, reason: event.error.message });
        break;
      case "close":
        this.finish(event.reason);
        break;
    }
  }

  /** For those who watch the wire. */
  #tell(told: {
    readonly direction: WireMessage["direction"];
    readonly bytes: Uint8Array | undefined;
    readonly message: WireMessage["message"];
    readonly request?: RtspRequest;
  }): void {
    const { options, sessions } = this.#parts;
    const { bytes, message } = told;
    if (!options.tap?.message || bytes === undefined) return;
    const id = message && headerValue(message.headers, "Session")?.split(";")[0].trim();
    const only = this.sessions.size === 1 ? [...this.sessions][0] : undefined;
    const session = (id === undefined ? undefined : sessions.find(id)) ?? only;
    options.tap.message(
      { connection: this.number, session: session?.number, ...told, bytes },
      performance.now(),
    );
  }

  async #answer(outcome: Promise<CallOutcome>): Promise<void> {
    const { answer, afterSend } = await outcome;
    // What was set up meanwhile has nowhere to go.
    if (this.#isClosed) return this.#endBoundSessions("its connection ended");
    this.#conversation.answer(answer, this.#parts.timer.now(), afterSend);
    this.#tellHasSession();
    this.#drain();
  }

  #tellHasSession(): void {
    this.#conversation.setHasSession(this.sessions.size > 0 || this.errands?.hasSessions === true);
  }

  #receiveInterleaved(channel: number, payload: Uint8Array): void {
    const session = this.channels.get(channel);
    if (session !== undefined) session.receiveInterleaved(channel, payload);
    else if (!this.errands?.receiveInterleaved(channel, payload)) this.#counters.strayPackets++;
  }

  /** A stream on this connection cannot outlive it; one that is bound to another can. */
  #endBoundSessions(reason: string): void {
    for (const session of [...this.sessions]) {
      if (session.boundConnection === this.number) this.#parts.sessions.end(session, reason);
    }
  }

  #reschedule(): void {
    const { timer } = this.#parts;
    const next = this.#isClosed ? undefined : this.#conversation.nextTimeout();
    if (next === undefined) timer.cancel(this);
    else timer.schedule(this, next);
  }
}

/** Six digits without a leading zero: lab clients read it as a number. */
function labSessionId(): string {
  return String(100_000 + crypto.getRandomValues(new Uint32Array(1))[0] % 900_000);
}

/** Every connection holds one for as long as it lives; requests have a few hundred octets, reports less. */
const READ_BUFFER_BYTES = 1024;
const FINISH_MS = 1000;
