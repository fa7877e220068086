/**
 * The server's side of one RTSP connection: bytes in, calls to act on, bytes out. Both dialects.
 *
 * Floor 2 (engine): no I/O, no timers, no clock; `now` is in milliseconds on a monotonic clock. RFC 2326, and the rules
 * for a tolerant server of the Kurose-Ross streaming lab. Sibling engines: request_checks.ts, server_responses.ts. It does not
 * know files, sockets or streams: those act on its calls and hand the answers back.
 *
 * After every call of a method ask {@linkcode ServerConversation.poll} until it is empty, then
 * {@linkcode ServerConversation.nextTimeout}. Requests are answered in order, one at a time.
 *
 * @module
 */

import { RtspFormatError } from "../errors.ts";
import { formatResponse, headerValue, RtspParser, type RtspRequest } from "../rtsp.ts";
import {
  type ConversationSession,
  examineForm,
  examineRequest,
  nextStateOf,
  type RtspAnswer,
  type RtspCall,
} from "./request_checks.ts";
import { responseTo, responseToMalformed } from "./server_responses.ts";
import type { ConversationEvent, ServerConversationOptions } from "./server_session_types.ts";

export type {
  ConversationEvent,
  Refusal,
  ServerConversationOptions,
} from "./server_session_types.ts";

/**
 * The server's side of one connection.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { ServerConversation } from "./server_session.ts";
 * const conversation = new ServerConversation({
 *   sessions: { find: () => undefined },
 *   labSessionId: "123456",
 * });
 * const request = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
 * conversation.receive(new TextEncoder().encode(request), 0);
 * const events = [conversation.poll(), conversation.poll()];
 * assert(events[1]?.type === "send" && events[1].response.statusCode === 200);
 * ```
 */
export class ServerConversation {
  readonly #options: ServerConversationOptions;
  readonly #parser: RtspParser;
  readonly #events: ConversationEvent[] = [];
  readonly #held: HeldSend[] = [];
  readonly #describedPaths = new Set<string>();
  #pending: PendingRequest | undefined;
  #labSession: ConversationSession | undefined;
  #lastLabSetup: LabSetup | undefined;
  #dialect: "rtsp" | "lab" | undefined;
  #now = 0;
  #lastByteMs: number;
  #lastMessageMs: number;
  #incompleteSinceMs: number | undefined;
  #closeAtMs: number | undefined;
  #hasPeerClosed = false;
  #hasSession = false;
  #lastDueMs = -Infinity;
  #isClosed = false;
  #ignoredMessages = 0;

  /** A conversation at the start of a connection that began at `now`. */
  constructor(options: ServerConversationOptions, now = 0) {
    this.#options = options;
    this.#parser = new RtspParser({
      role: "server",
      dialect: "auto",
      limits: options.limits,
      keepsBytes: options.tellsBytes,
    });
    this.#now = now;
    this.#lastByteMs = now;
    this.#lastMessageMs = now;
  }

  /** The dialect of the newest request; `undefined` before the first. */
  get dialect(): "rtsp" | "lab" | undefined {
    return this.#dialect;
  }

  /** A call waits for its answer, or answers wait to be sent: reading should pause. */
  get isBusy(): boolean {
    return this.#pending !== undefined || this.#held.length >= MAX_HELD;
  }

  /** Takes bytes from the peer. */
  receive(bytes: Uint8Array, now: number): void {
    if (this.#isClosed) return;
    this.#now = now;
    this.#lastByteMs = now;
    this.#incompleteSinceMs ??= now;
    this.#parser.push(bytes);
    this.#advance();
  }

  /** The peer will send no more. */
  endOfInput(now: number): void {
    if (this.#isClosed) return;
    this.#now = now;
    this.#parser.endOfInput();
    this.#advance();
    this.#hasPeerClosed = true;
    if (this.#pending === undefined) this.#closeAfterHeld(PEER_CLOSED);
  }

  /**
   * Answers the call, or the request about a session elsewhere, that waits.
   *
   * @param answer A 2xx answer to a call moves the session by the state table.
   * @param afterSend Called by the connection once the answer has been written.
   */
  answer(answer: RtspAnswer, now: number, afterSend?: () => void): void {
    const pending = this.#pending;
    if (pending === undefined) throw new TypeError("Cannot answer: no call waits");
    this.#now = Math.max(this.#now, now);
    this.#pending = undefined;
    if (answer.statusCode < 300) this.#applySuccess(pending, answer.session);
    this.#send(pending.request, answer, 0, afterSend);
    if (this.#hasPeerClosed) return this.#closeAfterHeld(PEER_CLOSED);
    this.#advance();
  }

  /** Ends the conversation from our side; what is held back is still sent. */
  close(reason: string): void {
    this.#closeAfterHeld(reason);
  }

  /** The next thing to do, or `undefined`. */
  poll(): ConversationEvent | undefined {
    const event = this.#events.shift();
    if (event !== undefined) return event;
    const held = this.#held[0];
    if (held === undefined || held.dueMs > this.#now) return undefined;
    this.#held.shift();
    return held.event;
  }

  /** When to call {@linkcode ServerConversation.handleTimeout}, in ms; `undefined` once closed. */
  nextTimeout(): number | undefined {
    if (this.#isClosed && this.#held.length === 0) return undefined;
    let next = Infinity;
    if (this.#held.length > 0) next = this.#held[0].dueMs;
    if (this.#isClosed) return next;
    if (this.#pending === undefined) {
      const { pauseMs } = this.#parser;
      if (pauseMs !== undefined) next = Math.min(next, this.#lastByteMs + pauseMs);
      next = Math.min(next, this.#expiryMs());
    }
    if (this.#closeAtMs !== undefined) next = Math.min(next, this.#closeAtMs);
    return next === Infinity ? undefined : next;
  }

  /** Does what is due at `now`. */
  handleTimeout(now: number): void {
    this.#now = Math.max(this.#now, now);
    if (this.#isClosed || this.#pending !== undefined) return;
    const { pauseMs } = this.#parser;
    if (pauseMs !== undefined && now >= this.#lastByteMs + pauseMs) {
      this.#parser.pause();
      this.#advance();
    }
    if (this.#closeAtMs !== undefined && now >= this.#closeAtMs) {
      this.#closeAfterHeld("The lab client is done");
    } else if (now >= this.#expiryMs()) {
      const isIncomplete = this.#incompleteSinceMs !== undefined;
      this.#closeAfterHeld(isIncomplete ? "A request stayed incomplete" : "Nothing was asked");
    }
  }

  /** A session of this connection has ended, or has begun to hold the connection open. */
  setHasSession(hasSession: boolean): void {
    this.#hasSession = hasSession;
  }

  /** Counters since the beginning. */
  stats(): { readonly ignoredMessages: number } {
    return Object.freeze({ ignoredMessages: this.#ignoredMessages });
  }

  #expiryMs(): number {
    const { requestTimeoutMs = 60_000, idleTimeoutMs = 600_000 } = this.#options;
    if (this.#incompleteSinceMs !== undefined) return this.#incompleteSinceMs + requestTimeoutMs;
    return this.#hasSession ? Infinity : this.#lastMessageMs + idleTimeoutMs;
  }

  /** Reads messages until one has to be waited for. */
  #advance(): void {
    while (!this.isBusy && !this.#isClosed) {
      let message;
      try {
        message = this.#parser.next();
      } catch (error) {
        if (!(error instanceof RtspFormatError)) throw error;
        this.#refuseMalformed(error);
        return;
      }
      if (message === undefined) return;
      this.#lastMessageMs = this.#now;
      this.#incompleteSinceMs = undefined;
      if (message.type === "interleaved") {
        this.#events.push(message);
      } else if (message.type === "request") {
        this.#examine(message);
      } else {
        this.#ignoredMessages++;
      }
    }
  }

  #examine(request: RtspRequest): void {
    this.#events.push({ type: "request", request, ...this.#bytesRead() });
    this.#dialect = request.lab === undefined ? "rtsp" : "lab";
    if (request.lab !== undefined) this.#closeAtMs = undefined;
    else this.#touchSession(request);
    const formAnswer = examineForm(request);
    if (formAnswer !== undefined) return this.#send(request, formAnswer, 0);
    const refusal = this.#options.authorize?.(request, this.#now);
    if (refusal !== undefined) return this.#send(request, refusal.answer, refusal.delayMs);
    if (this.#isRepeatedLabSetup(request)) {
      return this.#send(request, { statusCode: 200, session: this.#labSession }, 0);
    }
    const onlyDescribedPath = this.#describedPaths.size === 1
      ? [...this.#describedPaths][0]
      : undefined;
    const verdict = examineRequest(request, {
      sessions: this.#options.sessions,
      labSession: this.#labSession,
      onlyDescribedPath,
    });
    if (verdict.type === "answer") return this.#send(request, verdict.answer, 0);
    if (verdict.type === "call") {
      const { call } = verdict;
      this.#pending = { request, path: call.path, call };
      this.#events.push({ type: "call", call });
      return;
    }
    const { sessionId, path } = verdict;
    this.#pending = { request, path, call: undefined };
    this.#events.push({ type: "elsewhere", request, sessionId, onlyDescribedPath });
  }

  /** Any request that names a session keeps it alive, be it OPTIONS. */
  #touchSession(request: RtspRequest): void {
    const named = headerValue(request.headers, "Session")?.split(";")[0].trim();
    const session = named === undefined ? undefined : this.#options.sessions.find(named);
    if (session !== undefined) session.lastRequestMs = this.#now;
  }

  #applySuccess(pending: PendingRequest, answered: ConversationSession | undefined): void {
    const { request, path, call } = pending;
    if (request.method === "DESCRIBE" && this.#describedPaths.size < MAX_DESCRIBED) {
      this.#describedPaths.add(path);
    }
    const session = answered ?? call?.session;
    if (call === undefined || session === undefined) return;
    if (call.method === "SETUP" && call.isLab) {
      this.#labSession = session;
      this.#lastLabSetup = labSetupOf(call.request);
      session.state = "READY";
      return;
    }
    session.state = nextStateOf(session, call.method, call.isLab);
    if (call.method === "TEARDOWN" && call.isLab) this.#labSession = undefined;
  }

  /** A client sends every request twice; and a SETUP pressed again while ready changes nothing. */
  #isRepeatedLabSetup(request: RtspRequest): boolean {
    const last = this.#lastLabSetup;
    if (request.lab === undefined || request.method !== "SETUP") return false;
    if (this.#labSession === undefined || last === undefined) return false;
    const setup = labSetupOf(request);
    if (setup.uri !== last.uri || setup.transport !== last.transport) return false;
    return this.#labSession.state === "READY" || setup.cseq === last.cseq;
  }

  #send(
    request: RtspRequest,
    answer: RtspAnswer,
    delayMs: number,
    afterSend?: () => void,
  ): void {
    const response = responseTo(request, answer, {
      labSessionId: this.#labSession?.id ?? this.#options.labSessionId,
      sessionTimeoutSeconds: this.#options.sessionTimeoutSeconds ?? 60,
    });
    const holdMs = Math.max(delayMs, request.lab?.family === "B" ? FAMILY_B_HOLD_MS : 0);
    const previous = this.#held.at(-1)?.dueMs ?? this.#lastDueMs;
    const dueMs = holdMs === 0
      ? Math.max(this.#now, previous)
      : Math.max(this.#now, previous) + holdMs;
    this.#lastDueMs = dueMs;
    const bytes = formatResponse(response);
    const event = { type: "send", bytes, response, request, afterSend } as const;
    this.#held.push({ dueMs, event });
    if (request.lab !== undefined && request.method === "TEARDOWN" && answer.statusCode < 300) {
      this.#closeAtMs = dueMs + LAB_CLOSE_GRACE_MS;
    }
  }

  #bytesRead(): { readonly bytes?: Uint8Array } {
    return this.#options.tellsBytes ? { bytes: this.#parser.messageBytes } : {};
  }

  #refuseMalformed(error: RtspFormatError): void {
    this.#events.push({ type: "malformed", error, ...this.#bytesRead() });
    const response = responseToMalformed(error);
    const event = {
      type: "send",
      bytes: formatResponse(response),
      response,
      request: undefined,
      afterSend: undefined,
    } as const;
    this.#held.push({ dueMs: Math.max(this.#now, this.#lastDueMs), event });
    this.#closeAfterHeld(error.message);
  }

  #closeAfterHeld(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pending = undefined;
    const dueMs = this.#held.at(-1)?.dueMs ?? this.#now;
    this.#held.push({ dueMs, event: { type: "close", reason } });
  }
}

/** What waits for its answer. */
interface PendingRequest {
  readonly request: RtspRequest;
  readonly path: string;
  /** `undefined` where it is answered elsewhere. */
  readonly call: RtspCall | undefined;
}

interface HeldSend {
  readonly dueMs: number;
  readonly event: ConversationEvent;
}

interface LabSetup {
  readonly uri: string;
  readonly transport: string;
  readonly cseq: string;
}

function labSetupOf(request: RtspRequest): LabSetup {
  return {
    uri: request.uri,
    transport: headerValue(request.headers, "Transport") ?? "",
    cseq: headerValue(request.headers, "CSeq") ?? "",
  };
}

/** Clients of family B note what they asked for only after they have sent it; an answer must not be quicker. */
const FAMILY_B_HOLD_MS = 10;
/** The lab's servers never close, its clients mostly do; whoever has not by then is closed. */
const LAB_CLOSE_GRACE_MS = 1000;
const PEER_CLOSED = "The peer closed the connection";
const MAX_HELD = 16;
const MAX_DESCRIBED = 16;
