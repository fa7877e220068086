/**
 * Connections of other threads as far as they are about sessions of this one: their requests are answered here, their
 * interleaved packets come from here.
 *
 * Floor 4 (assembly). The other side is `errands.ts`: it has read the request and checked the credentials, and writes
 * the answer.
 *
 * @module
 */

import {
  type ConversationSession,
  examineRequest,
  nextStateOf,
  type RtspAnswer,
} from "../engine/request_checks.ts";
import type { ByteStream, SocketAddress } from "../net/socket.ts";
import { answerCall } from "./calls.ts";
import { ConnectionWriter } from "./connection_writer.ts";
import type { CallConnection, ServerParts } from "./parts.ts";
import type { StreamSession } from "./stream_session.ts";
import type { ConnectionPlace, Errand, ErrandReply } from "./thread_messages.ts";

/** All guests of a thread. */
export class GuestConnections {
  readonly #parts: ServerParts;
  readonly #guests = new Map<number, GuestConnection>();
  #strayPackets = 0;

  /** Nobody is a guest yet. */
  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** Interleaved packets that came for sessions which were gone by then. */
  get strayPackets(): number {
    return this.#strayPackets;
  }

  /** Does what the thread `from` asks for one of its connections. */
  receive(errand: Errand, from: number): void {
    if (errand.kind === "request") {
      const { number } = errand.place;
      let guest = this.#guests.get(number);
      if (guest === undefined) {
        const reply = (message: ErrandReply) => this.#parts.thread!.others.post(message, from);
        guest = new GuestConnection(this.#parts, errand.place, reply);
        this.#guests.set(number, guest);
      }
      guest.answer(errand);
      return;
    }
    const { sessions, timer } = this.#parts;
    if (errand.kind === "named") {
      const session = sessions.find(errand.sessionId);
      if (session !== undefined) session.lastRequestMs = timer.now();
      return;
    }
    const guest = this.#guests.get(errand.connection);
    if (guest === undefined) return;
    switch (errand.kind) {
      case "sent":
        return guest.sent();
      case "taken":
        return guest.stream.taken();
      case "heard":
        return guest.heard();
      case "interleaved":
        if (!guest.receiveInterleaved(errand.channel, errand.payload)) this.#strayPackets++;
        return;
      case "gone":
        this.#guests.delete(errand.connection);
        return guest.end();
    }
  }

  /** Settles once their own threads have taken everything that is for them. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#guests.values()].map(({ writer }) => writer.flushed()));
  }

  /** A session has ended. */
  forget(session: StreamSession): void {
    for (const guest of this.#guests.values()) guest.forget(session);
  }
}

/** One connection of another thread. */
class GuestConnection implements CallConnection {
  readonly number: number;
  readonly stream: GuestStream;
  readonly writer: ConnectionWriter;
  /** Lab clients have their session on their own connection. */
  readonly labSessionId = "";
  readonly sessions: Set<StreamSession> = new Set();
  readonly channels: Map<number, StreamSession> = new Map();
  readonly #parts: ServerParts;
  readonly #reply: (reply: ErrandReply) => void;
  /** Channels in use on the connection for sessions of other threads. */
  #channelsThere: ReadonlySet<number> = new Set();
  #afterSend: (() => void) | undefined;
  #isEnded = false;

  constructor(
    parts: ServerParts,
    { number, local, remote }: ConnectionPlace,
    reply: (reply: ErrandReply) => void,
  ) {
    this.#parts = parts;
    this.#reply = reply;
    this.number = number;
    this.stream = new GuestStream(local, remote, (bytes) => {
      reply({ kind: "bytes", connection: number, bytes });
    });
    this.writer = new ConnectionWriter(this.stream, {
      now: () => parts.timer.now(),
      onBroken: (error) => {
        const reason = error instanceof Error ? error.message : String(error);
        reply({ kind: "close", connection: number, reason });
      },
    });
  }

  usesChannel(channel: number): boolean {
    return this.channels.has(channel) || this.#channelsThere.has(channel);
  }

  /** Answers a request as a conversation would that had this session. */
  async answer(
    { request, onlyDescribedPath, channels }: Extract<Errand, { kind: "request" }>,
  ): Promise<void> {
    const parts = this.#parts;
    this.#channelsThere = new Set(channels);
    const verdict = examineRequest(request, {
      sessions: parts.sessions,
      labSession: undefined,
      onlyDescribedPath,
    });
    if (verdict.type === "elsewhere") throw new TypeError("Cannot answer: the session is not here");
    if (verdict.type === "answer") return this.#send(verdict.answer);
    const { call } = verdict;
    const { answer, afterSend } = await answerCall(parts, this, call);
    if (this.#isEnded) return;
    const session = answer.session ?? call.session;
    if (answer.statusCode < 300 && session !== undefined) {
      session.state = nextStateOf(session, call.method, false);
    }
    this.#send(answer, afterSend);
  }

  /** The answer has been written. */
  sent(): void {
    const afterSend = this.#afterSend;
    this.#afterSend = undefined;
    afterSend?.();
  }

  heard(): void {
    for (const session of this.sessions) session.lastRequestMs = this.#parts.timer.now();
  }

  receiveInterleaved(channel: number, payload: Uint8Array): boolean {
    const session = this.channels.get(channel);
    if (session === undefined) return false;
    session.receiveInterleaved(channel, payload);
    return true;
  }

  forget(session: StreamSession): void {
    if (!this.sessions.delete(session)) return;
    this.#reply({ kind: "held", connection: this.number, held: this.#held() });
  }

  end(): void {
    this.#isEnded = true;
    this.writer.close();
    this.stream.close();
    for (const session of [...this.sessions]) {
      if (session.boundConnection !== this.number) continue;
      this.#parts.sessions.end(session, "its connection ended");
    }
  }

  #send(answer: RtspAnswer, afterSend?: () => void): void {
    this.#afterSend = afterSend;
    this.#reply({
      kind: "answer",
      connection: this.number,
      answer: { ...answer, session: copyOf(answer.session) },
      wantsSent: afterSend !== undefined,
      held: this.#held(),
    });
  }

  #held() {
    return { sessions: this.sessions.size, channels: [...this.channels.keys()] };
  }
}

/** The writing side of a connection of another thread: one piece under way at a time. */
class GuestStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly #send: (bytes: Uint8Array<ArrayBuffer>) => void;
  #whenTaken: (() => void) | undefined;
  #isClosed = false;

  constructor(
    local: SocketAddress,
    remote: SocketAddress,
    send: (bytes: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.localAddress = local;
    this.remoteAddress = remote;
    this.#send = send;
  }

  /** Requests come as letters. */
  read(): Promise<null> {
    return Promise.resolve(null);
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenTaken = resolve;
    this.#send(bytes.slice());
    await promise;
  }

  /** The connection has taken what was sent last. */
  taken(): void {
    this.#whenTaken?.();
    this.#whenTaken = undefined;
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.taken();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A session as answers name it. */
function copyOf(session: ConversationSession | undefined): ConversationSession | undefined {
  if (session === undefined) return undefined;
  const { id, path, state, lastRequestMs } = session;
  return { id, path, state, lastRequestMs };
}
