/**
 * An RTSP conversation over one TCP connection: requests that can be awaited, on top of the pure client session.
 *
 * Floor 4 (client assembly): connects `engine/client_session.ts` and `net/tcp.ts`. It knows the wire's turn-taking and
 * nothing of media: interleaved data goes to whoever asked for it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { TransportError } from "../errors.ts";
import { formatInterleaved, type RtspRequest, type RtspResponse } from "../rtsp.ts";
import type { Hash } from "../auth.ts";
import { type ClientRequest, ClientSession } from "../engine/client_session.ts";
import type { ClientSessionEvent } from "../engine/client_session.ts";
import type { Credentials } from "../engine/client_credentials.ts";
import type { LabRequestForm } from "../engine/lab_requests.ts";
import { connectTcp } from "../net/tcp.ts";
import type { ByteStream, SocketAddress } from "../net/socket.ts";
import { Alarm } from "./alarm.ts";
import type { ClientWire } from "./wire.ts";

/** Who is told about what happens on a {@linkcode Dialogue} besides the answers. */
export interface DialogueListener {
  /** A request went out, without its Authorization. */
  onRequest?(request: RtspRequest): void;
  /** An answer came in, also one that was repeated with credentials and one to a keepalive. */
  onResponse?(request: RtspRequest, response: RtspResponse): void;
  /** The server asked something by itself, for example ANNOUNCE at the end of a film. */
  onServerRequest?(request: RtspRequest): void;
  /** The server forgot the session. */
  onSessionLost?(): void;
  /** Something odd that did no harm. */
  onNotice?(text: string): void;
}

/** Where and how a {@linkcode Dialogue} is held. */
export interface DialogueOptions extends DialogueListener {
  /** Name or address of the server. */
  readonly host: string;
  /** Its RTSP port. */
  readonly port: number;
  /** Dialect of the requests. */
  readonly dialect: "rtsp" | "lab";
  /** Whether lab answers to standard requests are understood. */
  readonly detectsLab?: boolean;
  /** Spelling of lab requests. */
  readonly labForm?: LabRequestForm;
  /** Value of the `User-Agent` header. */
  readonly userAgent: string;
  /** Name and password, if known. */
  readonly credentials?: Credentials;
  /** Milliseconds for the connection and, where a request says nothing else, for each answer. */
  readonly timeoutMs: number;
  /** Ends the attempt to connect, and lets requests go that are held back. */
  readonly signal?: AbortSignal;
  /** Who watches the wire, and may hold requests back. */
  readonly wire?: ClientWire;
}

interface Waiter {
  readonly method: string;
  readonly resolve: (response: RtspResponse) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to an RTSP server. */
export class Dialogue implements Disposable {
  readonly #stream: ByteStream;
  readonly #options: DialogueOptions;
  readonly #session: ClientSession;
  readonly #alarm: Alarm;
  readonly #waiters = new Map<number, Waiter>();
  readonly #closed = Promise.withResolvers<Error | undefined>();
  #onInterleaved: ((channel: number, payload: Uint8Array) => void) | undefined;
  #writes: Promise<void> = Promise.resolve();
  #pendingWrites = 0;
  readonly #gone = new AbortController();
  #hasEnded = false;
  /** Number of the connection, for those who watch; 0 where nobody does. */
  readonly number: number;

  private constructor(stream: ByteStream, options: DialogueOptions) {
    this.#stream = stream;
    this.#options = options;
    this.number = options.wire?.connected(stream) ?? 0;
    this.#session = new ClientSession({
      dialect: options.dialect,
      detectsLab: options.detectsLab,
      labForm: options.labForm,
      userAgent: options.userAgent,
      credentials: options.credentials,
      hash: nodeHash,
      random: Math.random,
      tellsMessages: options.wire?.tap?.message !== undefined,
    });
    this.#alarm = new Alarm((now) => {
      this.#session.handleTimeout(now);
      this.#pump();
    });
  }

  /**
   * Connects and starts to listen.
   *
   * @throws {TransportError} when no connection could be made.
   */
  static async connect(options: DialogueOptions): Promise<Dialogue> {
    const { host, port, timeoutMs, signal } = options;
    const stream = await connectTcp({ hostname: host, port, timeoutMs, signal });
    const dialogue = new Dialogue(stream, options);
    void dialogue.#listen();
    return dialogue;
  }

  /** The server's address as the connection knows it. */
  get remoteAddress(): SocketAddress {
    return this.#stream.remoteAddress;
  }

  /** This end's address. */
  get localAddress(): SocketAddress {
    return this.#stream.localAddress;
  }

  /** The session's identifier, once there is one. */
  get sessionId(): string | undefined {
    return this.#session.sessionId;
  }

  /** Whether the connection is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Settles when the connection is gone: with the error, or `undefined` when either side closed it in order. */
  get closed(): Promise<Error | undefined> {
    return this.#closed.promise;
  }

  /** Names the receiver of interleaved data (RFC 2326 s10.12). */
  set onInterleaved(receiver: ((channel: number, payload: Uint8Array) => void) | undefined) {
    this.#onInterleaved = receiver;
  }

  /** Names the URL for keepalives. */
  setKeepAliveUri(uri: string): void {
    this.#session.setKeepAliveUri(uri);
  }

  /** Sets name and password for the requests to come. */
  setCredentials(credentials: Credentials): void {
    this.#session.setCredentials(credentials);
  }

  /**
   * Sends a request and waits for its answer, whatever its status. What holds it back before is in no timeout.
   *
   * @param onSent Called when it is sent.
   * @throws {StateError} when the state forbids the method.
   * @throws {TransportError} when the connection ends first (`errno` `"ECONNRESET"`) or no answer comes in time
   * (`"ETIMEDOUT"`).
   */
  request(order: ClientRequest, onSent?: () => void): Promise<RtspResponse> {
    const held = this.#hold(order);
    if (held) return held.then(() => this.#send(order, onSent));
    return this.#send(order, onSent);
  }

  #hold(order: ClientRequest): Promise<void> | undefined {
    const { wire, signal } = this.#options;
    if (!wire?.beforeRequest) return undefined;
    const gone = this.#gone.signal;
    return wire.beforeRequest(order, signal ? AbortSignal.any([signal, gone]) : gone);
  }

  #send(order: ClientRequest, onSent: (() => void) | undefined): Promise<RtspResponse> {
    if (this.#hasEnded) return Promise.reject(this.#hungUp(order.method));
    onSent?.();
    const { promise, resolve, reject } = Promise.withResolvers<RtspResponse>();
    try {
      const timeoutMs = order.timeoutMs ?? this.#options.timeoutMs;
      const id = this.#session.request({ ...order, timeoutMs }, performance.now());
      this.#waiters.set(id, { method: order.method, resolve, reject });
    } catch (error) {
      reject(error);
    }
    this.#pump();
    return promise;
  }

  /** Sends one interleaved packet; dropped when the connection does not keep up. */
  sendInterleaved(channel: number, payload: Uint8Array): void {
    if (this.#pendingWrites < MAX_PENDING_WRITES) this.#write(formatInterleaved(channel, payload));
  }

  /** Closes the connection. Harmless when repeated. */
  close(): void {
    this.#end(undefined);
  }

  /** The same as {@linkcode Dialogue.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(READ_BUFFER_BYTES);
    let cause: Error | undefined;
    try {
      for (;;) {
        const count = await this.#stream.read(buffer);
        if (count === null || this.#hasEnded) break;
        this.#session.receive(buffer.subarray(0, count), performance.now());
        this.#pump();
      }
    } catch (error) {
      cause = error as Error;
    }
    if (!this.#hasEnded) {
      this.#session.endOfInput(performance.now());
      this.#pump();
    }
    this.#end(cause);
  }

  #pump(): void {
    for (let event = this.#session.poll(); event; event = this.#session.poll()) this.#take(event);
    if (!this.#hasEnded) this.#alarm.set(this.#session.nextTimeout());
  }

  #take(event: ClientSessionEvent): void {
    switch (event.type) {
      case "send":
        return this.#write(event.bytes);
      case "message": {
        const { type: _, ...message } = event;
        return this.#options.wire?.message({ connection: this.number, ...message });
      }
      case "request":
        return this.#options.onRequest?.(event.request);
      case "response":
        this.#options.onResponse?.(event.request, event.response);
        if (event.isFinal) this.#takeWaiter(event.id)?.resolve(event.response);
        return;
      case "timeout":
        return this.#takeWaiter(event.id)?.reject(this.#silent(event.method));
      case "interleaved":
        return this.#onInterleaved?.(event.channel, event.payload);
      case "server-request":
        return this.#options.onServerRequest?.(event.request);
      case "session-lost":
        return this.#options.onSessionLost?.();
      case "notice":
        return this.#options.onNotice?.(event.text);
      case "failed":
        return this.#end(event.error);
      case "state":
        return;
    }
  }

  #takeWaiter(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    return waiter;
  }

  #write(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#pendingWrites++;
    this.#writes = this.#writes.then(() => this.#hasEnded ? undefined : this.#stream.write(bytes))
      .catch((error) => {
        // An answer may still lie in the receive buffer: the reading side tells the end.
        if (this.#waiters.size === 0) this.#end(error as Error);
      })
      .finally(() => this.#pendingWrites--);
  }

  #end(cause: Error | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#alarm.close();
    this.#stream.close();
    this.#gone.abort();
    this.#options.wire?.disconnected(this.number);
    for (const waiter of this.#waiters.values()) {
      waiter.reject(cause && !isBroken(cause) ? cause : this.#hungUp(waiter.method, cause));
    }
    this.#waiters.clear();
    this.#closed.resolve(cause);
  }

  #hungUp(method: string, cause?: Error): TransportError {
    const { host, port } = this.#options;
    return new TransportError(
      `Cannot ${method}: ${host} port ${port} closed the connection without an answer`,
      { operation: method, errno: "ECONNRESET", cause },
    );
  }

  #silent(method: string): TransportError {
    const { host, port } = this.#options;
    return new TransportError(
      `Cannot ${method}: ${host} port ${port} gave no answer in time`,
      { operation: method, errno: "ETIMEDOUT" },
    );
  }
}

/** Whether the connection broke, as opposed to carrying something that cannot be read. */
function isBroken(error: Error): boolean {
  return error instanceof TransportError;
}

const nodeHash: Hash = (algorithm, text) =>
  createHash(algorithm === "MD5" ? "md5" : "sha256").update(text, "utf8").digest("hex");

const READ_BUFFER_BYTES = 65_536;
const MAX_PENDING_WRITES = 64;
