/**
 * Requests of one connection about sessions that other threads keep: they are taken there, and what comes back is written
 * as if the session were here.
 *
 * Floor 4 (assembly). The other side is `guest_connections.ts`. Which thread keeps a session stands in its identifier.
 *
 * @module
 */

import type { ConversationEvent } from "../engine/server_session.ts";
import type { CallOutcome } from "./calls.ts";
import type { ConnectionWriter, WriteSource } from "./connection_writer.ts";
import type { ServerThread } from "./server_thread.ts";
import { threadOfSession } from "./session_ids.ts";
import type { ConnectionPlace, Errand, ErrandReply, HeldThere } from "./thread_messages.ts";

/** A request about a session that another thread keeps. */
export type RequestElsewhere = Extract<ConversationEvent, { type: "elsewhere" }>;

/** What {@linkcode ConnectionErrands} belong to. */
export interface ErrandOptions {
  /** The thread of the connection. */
  readonly thread: ServerThread;
  /** The connection, as others shall know it. */
  readonly place: ConnectionPlace;
  /** Its writer. */
  readonly writer: ConnectionWriter;
  /** Channels it uses for sessions of its own. */
  readonly channels: ReadonlyMap<number, unknown>;
  /** Another thread began, or ceased, to keep sessions for it. */
  readonly onHeld: () => void;
  /** It has to be closed. */
  readonly close: (reason: string) => void;
}

/** All errands of one connection, one at a time. */
export class ConnectionErrands {
  readonly #options: ErrandOptions;
  /** What is kept for the connection, by thread; those that know the connection. */
  readonly #held = new Map<number, HeldThere>();
  readonly #bytes = new Map<number, BytesFromThere>();
  #waiting: ((outcome: CallOutcome) => void) | undefined;
  #isClosed = false;

  /** Nothing was asked about sessions elsewhere yet. */
  constructor(options: ErrandOptions) {
    this.#options = options;
  }

  /** Sessions that were set up by the connection live elsewhere. */
  get hasSessions(): boolean {
    for (const held of this.#held.values()) if (held.sessions > 0) return true;
    return false;
  }

  /** Whether such a session uses an interleaved channel. */
  usesChannel(channel: number): boolean {
    return this.#userOf(channel) !== undefined;
  }

  /** Takes a request to where its session is; settles with the answer. */
  run({ request, sessionId, onlyDescribedPath }: RequestElsewhere): Promise<CallOutcome> {
    const thread = threadOfSession(sessionId)!;
    const { place } = this.#options;
    if (!this.#held.has(thread)) this.#held.set(thread, NOTHING_HELD);
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    this.#waiting = resolve;
    const channels = [...this.#options.channels.keys()];
    for (const [other, held] of this.#held) if (other !== thread) channels.push(...held.channels);
    this.#post({ kind: "request", place, request, onlyDescribedPath, channels }, thread);
    return promise;
  }

  /** Something was asked on the connection, with this `Session` header if any: both keep sessions alive. */
  heard(session: string | undefined): void {
    const { thread: here, place } = this.#options;
    const connection = place.number;
    const sessionId = session?.split(";")[0].trim();
    const owner = sessionId && threadOfSession(sessionId);
    if (sessionId && owner !== undefined && owner !== here.index) {
      this.#post({ kind: "named", sessionId }, owner as number);
    }
    for (const [thread, held] of this.#held) {
      if (held.sessions > 0) this.#post({ kind: "heard", connection }, thread);
    }
  }

  /**
   * An interleaved packet has come.
   *
   * @returns false where nobody elsewhere waits for it.
   */
  receiveInterleaved(channel: number, payload: Uint8Array): boolean {
    const thread = this.#userOf(channel);
    if (thread === undefined) return false;
    const connection = this.#options.place.number;
    // Only these octets shall be cloned, not the buffer they stand in.
    const own = payload.slice();
    this.#post({ kind: "interleaved", connection, channel, payload: own }, thread);
    return true;
  }

  /** Takes what another thread has to say to the connection. */
  receive(reply: ErrandReply, from: number): void {
    if (this.#isClosed) return;
    switch (reply.kind) {
      case "answer": {
        const { answer, wantsSent, held, connection } = reply;
        this.#hold(from, held);
        const afterSend = () => this.#post({ kind: "sent", connection }, from);
        const settle = this.#waiting;
        this.#waiting = undefined;
        return settle?.({ answer, afterSend: wantsSent ? afterSend : undefined });
      }
      case "held":
        return this.#hold(from, reply.held);
      case "bytes":
        return this.#write(reply.bytes, from);
      case "close":
        return this.#options.close(reply.reason);
    }
  }

  /** The connection is no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const connection = this.#options.place.number;
    for (const thread of this.#held.keys()) this.#post({ kind: "gone", connection }, thread);
  }

  #hold(thread: number, held: HeldThere): void {
    this.#held.set(thread, held);
    this.#options.onHeld();
  }

  #userOf(channel: number): number | undefined {
    for (const [thread, { channels }] of this.#held) if (channels.includes(channel)) return thread;
    return undefined;
  }

  #write(bytes: Uint8Array<ArrayBuffer>, from: number): void {
    let source = this.#bytes.get(from);
    if (source === undefined) {
      const connection = this.#options.place.number;
      source = new BytesFromThere(() => this.#post({ kind: "taken", connection }, from));
      this.#bytes.set(from, source);
    }
    source.bytes = bytes;
    this.#options.writer.offer(source);
  }

  #post(errand: Errand, thread: number): void {
    this.#options.thread.others.post(errand, thread);
  }
}

/** A frame of another thread on its way into the connection; the thread sends no other before it is taken. */
class BytesFromThere implements WriteSource {
  bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly #onTaken: () => void;

  constructor(onTaken: () => void) {
    this.#onTaken = onTaken;
  }

  takeBytes(): Uint8Array<ArrayBuffer> | undefined {
    const { bytes } = this;
    this.bytes = undefined;
    if (bytes !== undefined) this.#onTaken();
    return bytes;
  }
}

/** Before another thread has answered anything, and where there is no such thread. */
export const NOTHING_HELD: HeldThere = { sessions: 0, channels: [] };
