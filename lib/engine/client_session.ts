/**
 * The client's side of one RTSP connection: numbers requests, matches answers, proves who it is, keeps the session
 * alive, and knows which request the state allows. Speaks RFC 2326 and the lab's dialect by one and the same code.
 *
 * RFC 2326 (messages s4-7, state machine App. A.1, sessions s12.37). Floor 2, uses `engine/rtsp_state.ts`,
 * `engine/client_credentials.ts`, `engine/client_keep_alive.ts` and `engine/lab_requests.ts`. It opens no connection, reads no clock and decides nothing about media: which
 * request comes next is the caller's choice. Bytes to write come out of {@linkcode ClientSession.poll}.
 *
 * @module
 */

import { RtspFormatError, StateError } from "../errors.ts";
import {
  formatRequest,
  formatResponse,
  headerValue,
  headerValues,
  type RtspHeader,
  RtspParser,
  type RtspRequest,
  type RtspResponse,
} from "../rtsp.ts";
import { parsePublic, parseSession } from "../rtsp_headers.ts";
import { allowedMethods, CLIENT_STATE_TABLE, type RtspState, transitionOf } from "./rtsp_state.ts";
import { ClientCredentials, type Credentials } from "./client_credentials.ts";
import { KeepAlive } from "./client_keep_alive.ts";
import type {
  ClientRequest,
  ClientSessionEvent,
  ClientSessionOptions,
} from "./client_session_types.ts";
import { formatLabRequest, labFormOf } from "./lab_requests.ts";
import { type OutstandingRequest, OutstandingRequests } from "./outstanding_requests.ts";

export type {
  ClientRequest,
  ClientSessionEvent,
  ClientSessionOptions,
} from "./client_session_types.ts";

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;

/**
 * The client's side of one RTSP connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const session = new ClientSession({ dialect: "rtsp", hash: () => "", random: () => 0.5 });
 * session.request({ method: "OPTIONS", uri: "rtsp://127.0.0.1/movie" }, 0);
 * const sent = session.poll();
 * assertEquals(sent?.type, "send");
 * ```
 */
export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #parser: RtspParser;
  readonly #credentials: ClientCredentials;
  readonly #events: ClientSessionEvent[] = [];
  readonly #outstanding = new OutstandingRequests();
  #state: RtspState = "INIT";
  #nextCseq: number;
  #nextId = 1;
  #sessionId: string | undefined;
  readonly #keepAlive = new KeepAlive();
  #pauseDueMs: number | undefined;
  #toldBytes: Uint8Array | undefined;
  #isLab: boolean;
  #hasFailed = false;

  /** A conversation that has not begun. */
  constructor(options: ClientSessionOptions) {
    this.#options = options;
    this.#isLab = options.dialect === "lab";
    this.#nextCseq = options.firstCseq ?? 1;
    this.#credentials = new ClientCredentials({
      credentials: options.credentials,
      hash: options.hash,
      random: options.random,
    });
    this.#parser = new RtspParser({
      role: "client",
      dialect: this.#isLab ? "lab" : options.detectsLab ? "auto" : "rtsp",
      keepsBytes: options.tellsMessages,
    });
  }

  /** The state of RFC 2326 App. A.1. */
  get state(): RtspState {
    return this.#state;
  }

  /** The session's identifier once SETUP has been answered. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Milliseconds the session lives without a request. */
  get sessionTimeoutMs(): number {
    return this.#keepAlive.sessionTimeoutMs;
  }

  /** Sets or replaces name and password, for example after they were asked for. */
  setCredentials(credentials: Credentials): void {
    this.#credentials.set(credentials);
  }

  /** Names the URL that keepalives go to: the aggregate URL of the session. */
  setKeepAliveUri(uri: string): void {
    this.#keepAlive.uri = uri;
  }

  /**
   * Sends a request and returns its number, which the answer's event carries.
   *
   * @throws {StateError} Where the state forbids the method (RFC 2326 App. A.1).
   */
  request(order: ClientRequest, now: number): number {
    const cell = transitionOf(CLIENT_STATE_TABLE, this.#state, order.method);
    if (cell && !("next" in cell)) {
      const allowed = allowedMethods(this.#state, CLIENT_STATE_TABLE);
      throw new StateError(
        `Cannot send "${order.method}": the state is ${this.#state}, wanted one of ${
          allowed.join(", ")
        }`,
        { state: this.#state, allowed },
      );
    }
    const id = this.#nextId++;
    this.#send(order, { id, now, isKeepAlive: false, retries: 0 });
    return id;
  }

  /** Takes octets from the connection. Borrowed: they are read before the call returns. */
  receive(bytes: Uint8Array, now: number): void {
    if (this.#hasFailed) return;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#drain(now);
  }

  /** Tells that the server has ended the connection: a message that only the end completes is read now. */
  endOfInput(now: number): void {
    if (this.#hasFailed) return;
    try {
      this.#parser.endOfInput();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#drain(now);
  }

  /** The next event, `undefined` when there is none at the moment. */
  poll(): ClientSessionEvent | undefined {
    return this.#events.shift();
  }

  /** When {@linkcode ClientSession.handleTimeout} wants to be called, in milliseconds of the same clock as `now`. */
  nextTimeout(): number | undefined {
    const next = Math.min(
      this.#pauseDueMs ?? Infinity,
      this.#outstanding.nextDeadlineMs(),
      this.#keepAliveDueMs() ?? Infinity,
    );
    return next === Infinity ? undefined : next;
  }

  /** Does what is due at `now`: ends a lab message after its pause, gives up on answers, keeps the session alive. */
  handleTimeout(now: number): void {
    if (this.#pauseDueMs !== undefined && now >= this.#pauseDueMs) {
      this.#pauseDueMs = undefined;
      this.#parser.pause();
      this.#drain(now);
    }
    for (const { id, order, isKeepAlive } of this.#outstanding.takeExpired(now)) {
      if (!isKeepAlive) this.#events.push({ type: "timeout", id, method: order.method });
    }
    const keepAliveDueMs = this.#keepAliveDueMs();
    if (keepAliveDueMs !== undefined && now >= keepAliveDueMs) this.#sendKeepAlive(now);
  }

  #keepAliveDueMs(): number | undefined {
    if (this.#isLab || this.#state === "INIT" || this.#sessionId === undefined) return undefined;
    return this.#keepAlive.dueMs;
  }

  #sendKeepAlive(now: number): void {
    const id = this.#nextId++;
    this.#send(this.#keepAlive.request, { id, now, isKeepAlive: true, retries: 0 });
  }

  #send(
    order: ClientRequest,
    context: { id: number; now: number; isKeepAlive: boolean; retries: number },
  ): void {
    const cseq = this.#nextCseq++;
    const headers: RtspHeader[] = [["CSeq", String(cseq)]];
    if (this.#sessionId !== undefined) headers.push(["Session", this.#sessionId]);
    else if (this.#isLab && order.method !== "SETUP") headers.push(["Session", "0"]);
    if (order.headers) headers.push(...order.headers);
    const shown: RtspHeader[] = [...headers];
    if (!this.#isLab) {
      if (this.#options.userAgent) {
        headers.push(["User-Agent", this.#options.userAgent]);
        shown.push(["User-Agent", this.#options.userAgent]);
      }
      const authorization = this.#credentials.authorize(order.method, order.uri);
      if (authorization !== undefined) {
        headers.push(["Authorization", authorization]);
        shown.push(["Authorization", "(hidden)"]);
      }
    }
    const { method, uri } = order;
    const body = order.body ?? EMPTY;
    const request: RtspRequest = {
      type: "request",
      method,
      uri,
      version: "RTSP/1.0",
      headers,
      body,
    };
    const labForm = this.#options.labForm ?? "canonical";
    const bytes = this.#isLab ? formatLabRequest(request, labForm) : formatRequest(request);
    const lab = this.#isLab ? labFormOf(labForm) : undefined;
    const visible = { ...request, headers: shown, lab };
    const deadlineMs = context.now + (order.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
    const { id, isKeepAlive, retries } = context;
    this.#outstanding.add({ id, order, isKeepAlive, retries, request: visible, cseq, deadlineMs });
    this.#parser.expectResponseTo(method);
    this.#keepAlive.requestSent(context.now);
    this.#events.push({ type: "send", bytes });
    this.#tell({
      direction: "out",
      bytes,
      message: visible,
      isAutomatic: isKeepAlive || retries > 0,
    });
    this.#events.push({ type: "request", request: visible, isKeepAlive });
  }

  /** A `message` event, where somebody wants it. */
  #tell(told: {
    readonly direction: "in" | "out";
    readonly bytes: Uint8Array | undefined;
    readonly message: RtspRequest | RtspResponse | undefined;
    readonly request?: RtspRequest;
    readonly isAutomatic?: boolean;
  }): void {
    const { bytes, request, isAutomatic = false } = told;
    if (!this.#options.tellsMessages || bytes === undefined || bytes === this.#toldBytes) return;
    this.#toldBytes = bytes;
    this.#events.push({ type: "message", ...told, bytes, request, isAutomatic });
  }

  #drain(now: number): void {
    try {
      for (let message = this.#parser.next(); message; message = this.#parser.next()) {
        if (message.type === "interleaved") {
          this.#events.push({
            type: "interleaved",
            channel: message.channel,
            payload: message.payload,
          });
          continue;
        }
        const bytes = this.#parser.messageBytes;
        const pending = message.type === "response" ? this.#outstanding.of(message) : undefined;
        const request = pending?.request;
        this.#tell({ direction: "in", bytes, message, request, isAutomatic: pending?.isKeepAlive });
        if (message.type === "request") this.#answer(message);
        else this.#acceptResponse(message, now);
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    const pauseMs = this.#parser.pauseMs;
    this.#pauseDueMs = pauseMs === undefined ? undefined : now + pauseMs;
  }

  #fail(error: unknown): void {
    if (!(error instanceof RtspFormatError)) throw error;
    this.#tell({ direction: "in", bytes: this.#parser.messageBytes, message: undefined });
    this.#hasFailed = true;
    this.#pauseDueMs = undefined;
    this.#events.push({ type: "failed", error });
  }

  /** A server may ask too: keepalives get 200, ANNOUNCE (end-of-stream notices) 200, the rest 501 (RFC 2326 s10). */
  #answer(request: RtspRequest): void {
    const isKnown = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"].includes(
      request.method,
    );
    const headers: RtspHeader[] = [["CSeq", headerValue(request.headers, "CSeq") ?? "0"]];
    if (request.method === "OPTIONS") {
      headers.push(["Public", "OPTIONS, GET_PARAMETER, SET_PARAMETER, ANNOUNCE"]);
    }
    const response: RtspResponse = {
      type: "response",
      version: "RTSP/1.0",
      statusCode: isKnown ? 200 : 501,
      reasonPhrase: isKnown ? "OK" : "Not Implemented",
      headers,
      body: EMPTY,
    };
    const bytes = formatResponse(response);
    this.#events.push({ type: "send", bytes });
    this.#tell({ direction: "out", bytes, message: response, request });
    this.#events.push({ type: "server-request", request });
  }

  #acceptResponse(response: RtspResponse, now: number): void {
    if (response.statusCode >= 100 && response.statusCode < 200) return; // provisional: keep waiting
    const taken = this.#outstanding.take(response);
    if (!taken) return;
    const { request: pending, notice } = taken;
    if (notice !== undefined) this.#events.push({ type: "notice", text: notice });
    if (response.statusCode === 401 && this.#retryWithCredentials(pending, response, now)) return;
    if (response.statusCode >= 200 && response.statusCode < 300) this.#adopt(pending, response);
    if (pending.isKeepAlive) this.#reviewKeepAlive(response);
    this.#events.push({
      type: "response",
      id: pending.id,
      request: pending.request,
      response,
      isFinal: true,
      isKeepAlive: pending.isKeepAlive,
    });
  }

  #retryWithCredentials(pending: OutstandingRequest, response: RtspResponse, now: number): boolean {
    const challenges = headerValues(response.headers, "WWW-Authenticate");
    const outcome = this.#credentials.challenge(challenges);
    if (outcome === "unusable") return false;
    if (pending.retries >= (outcome === "stale" ? 2 : 1)) return false;
    this.#events.push({
      type: "response",
      id: pending.id,
      request: pending.request,
      response,
      isFinal: false,
      isKeepAlive: pending.isKeepAlive,
    });
    const { id, isKeepAlive } = pending;
    this.#send(pending.order, { id, now, isKeepAlive, retries: pending.retries + 1 });
    return true;
  }

  #adopt(pending: OutstandingRequest, response: RtspResponse): void {
    const { method } = pending.order;
    const publicValue = headerValue(response.headers, "Public");
    if (publicValue !== undefined) this.#keepAlive.learnMethods(parsePublic(publicValue));
    if (method !== "TEARDOWN") this.#adoptSession(headerValue(response.headers, "Session"));
    const cell = transitionOf(CLIENT_STATE_TABLE, this.#state, method);
    if (cell && "next" in cell && cell.next !== this.#state) this.#enter(cell.next);
    if (method === "TEARDOWN") this.#sessionId = undefined;
  }

  #adoptSession(value: string | undefined): void {
    if (value === undefined) return;
    if (this.#isLab) {
      const token = value.split(";")[0].trim();
      if (token !== "" && this.#sessionId === undefined) this.#sessionId = token;
      return;
    }
    const { id, timeoutSeconds } = parseSession(value);
    this.#sessionId = id;
    if (timeoutSeconds !== undefined) this.#keepAlive.sessionTimeoutMs = timeoutSeconds * 1000;
  }

  #reviewKeepAlive(response: RtspResponse): void {
    if (response.statusCode === 454) this.#events.push({ type: "session-lost" });
    else if (response.statusCode >= 400) this.#keepAlive.fallBack();
  }

  #enter(state: RtspState): void {
    this.#state = state;
    this.#events.push({ type: "state", state });
  }
}

const EMPTY = new Uint8Array(0);
