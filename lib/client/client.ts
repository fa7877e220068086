/**
 * The client as a library: plays one film from a standard RTSP server or one of the lab, and hands out its frames.
 *
 * RFC 2326 (dialogue), RFC 3550 (RTP), RFC 2435 (JPEG), and the Kurose-Ross lab's dialect of them. Floor 4: connects the
 * rooms and keeps the state machine of App. A.1. It decodes no picture and draws none.
 *
 * @module
 */

import { StateError, TransportError } from "../errors.ts";
import { Backoff, pause } from "./backoff.ts";
import type {
  Conversation,
  ConversationContext,
  CredentialStore,
  PlayRange,
} from "./conversation.ts";
import { FrameDelivery, type FrameQueueOptions } from "./delivery.ts";
import { openConversation } from "./dialect.ts";
import type { EndReason, RtspClientEvent } from "./events.ts";
import { FrameNumbering } from "./frame_numbering.ts";
import { type ClientSettings, type RtspClientOptions, settingsOf } from "./options.ts";
import { judgeSilence } from "./silence.ts";
import type {
  ClientDialect,
  ClientState,
  ClientStatistics,
  ClientTransport,
  ReceivedFrame,
} from "./statistics.ts";
import { ClientTally } from "./tally.ts";

/** What a person (or a program) can ask of a client: the four buttons of the lab. */
export type ClientVerb = "setup" | "play" | "pause" | "teardown";

/** Which verbs each state allows (RFC 2326 App. A.1, as the lab's window has it). */
export const CLIENT_VERBS: Readonly<Record<ClientState, readonly ClientVerb[]>> = {
  INIT: ["setup"],
  READY: ["play", "teardown"],
  PLAYING: ["pause", "teardown"],
};

/**
 * Plays one film.
 *
 * Verbs that are called while another is under way wait for it. A verb that fails leaves the state as it was.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * await using client = new RtspClient({ url: "rtsp://127.0.0.1:8554/video.mjpeg" });
 * assertEquals(client.state, "INIT");
 * assertEquals(client.allowed, ["setup"]);
 * ```
 */
export class RtspClient implements AsyncDisposable {
  readonly #settings: ClientSettings;
  readonly #credentials: CredentialStore;
  readonly #numbering = new FrameNumbering({ followsSequence: true });
  readonly #delivery = new FrameDelivery();
  readonly #tally = new ClientTally();
  readonly #listeners = new Set<(event: RtspClientEvent) => void>();
  readonly #abort = new AbortController();
  #state: ClientState = "INIT";
  #conversation: Conversation | undefined;
  #verbs: Promise<unknown> = Promise.resolve();
  #dialect: ClientDialect | undefined;
  #transport: "auto" | ClientTransport;
  #usedTransport: ClientTransport | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #range: PlayRange = {};
  #playedMs = 0;
  #durationMs: number | undefined;
  #hasLostControl = false;
  #hasEnded = false;
  #reconnecting: AbortController | undefined;

  /**
   * Makes a client that has not connected yet.
   *
   * @throws {RtspFormatError} for a text that is no RTSP URL.
   * @throws {RangeError} for a number that cannot be.
   */
  constructor(options: RtspClientOptions) {
    this.#settings = settingsOf(options);
    this.#credentials = { known: this.#settings.credentials, wasAsked: false };
    this.#transport = this.#settings.transport;
  }

  /** Where the client stands. */
  get state(): ClientState {
    return this.#state;
  }

  /** What the state allows just now. */
  get allowed(): readonly ClientVerb[] {
    return CLIENT_VERBS[this.#state];
  }

  /** What is played, without credentials. */
  get url(): string {
    return this.#settings.target.href;
  }

  /** The newest frame, `undefined` before the first; it stays after the end. */
  get latestFrame(): ReceivedFrame | undefined {
    return this.#delivery.latest;
  }

  /** Whether the film is over (the server's session may still be there: see {@linkcode RtspClient.teardown}). */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Calls `listener` for everything that happens, synchronously, until the returned function is called. */
  on(listener: (event: RtspClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` for every frame, synchronously: it must be quick. Returns a function that ends it. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void {
    return this.#delivery.onFrame(listener);
  }

  /**
   * Frames from this call on until the film ends, as an async iterator. A loop that is too slow gets the newest frames
   * and loses the oldest. It throws when the connection is lost.
   */
  frames(options?: FrameQueueOptions): AsyncIterableIterator<ReceivedFrame> {
    return this.#delivery.frames(options);
  }

  /** A snapshot of everything counted since the client was made. */
  statistics(): ClientStatistics {
    return this.#tally.snapshot({
      state: this.#state,
      url: this.url,
      dialect: this.#dialect ?? null,
      transport: this.#usedTransport ?? null,
    }, performance.now());
  }

  /**
   * Connects, describes and sets up: INIT to READY.
   *
   * @throws {StateError} in another state.
   * @throws {StatusError} when the server refuses, {@linkcode SdpFormatError} when it has no JPEG stream,
   * {@linkcode TransportError} when the connection fails. The messages say what to do next.
   */
  setup(): Promise<void> {
    return this.#serially(async () => {
      this.#require("setup");
      this.#stopReconnecting();
      await this.#open();
    });
  }

  /**
   * Plays: READY to PLAYING. With a range also while PLAYING: a jump to another place of the film.
   *
   * @throws {StateError} in another state. Otherwise what {@linkcode RtspClient.setup} throws.
   */
  play(range?: PlayRange): Promise<void> {
    return this.#serially(async () => {
      const isJump = range !== undefined && this.#state === "PLAYING";
      if (!isJump) this.#require("play");
      else await this.#pauseNow();
      await this.#playNow(range ?? {});
    });
  }

  /**
   * Pauses: PLAYING to READY.
   *
   * @throws {StateError} in another state. Otherwise what {@linkcode RtspClient.setup} throws.
   */
  pause(): Promise<void> {
    return this.#serially(async () => {
      this.#require("pause");
      await this.#pauseNow();
    });
  }

  /**
   * Ends the session and closes the connection: READY or PLAYING to INIT. Also ends attempts to reconnect.
   *
   * @throws {StateError} in INIT, when nothing is there to end.
   */
  teardown(): Promise<void> {
    const wasReconnecting = this.#stopReconnecting();
    return this.#serially(async () => {
      if (wasReconnecting && this.#state === "INIT") return;
      this.#require("teardown");
      await this.#leave();
      this.#delivery.end();
    });
  }

  /** The description of the film (SDP) in READY or PLAYING; `undefined` where the server has none to give. */
  describe(): Promise<string | undefined> {
    return this.#serially(() => {
      if (!this.#conversation) this.#require("play");
      return this.#conversation!.describe();
    });
  }

  /** Ends everything: TEARDOWN if there is a session, then silence. Never fails; harmless when repeated. */
  async close(): Promise<void> {
    this.#stopReconnecting();
    this.#abort.abort(
      new TransportError("Cannot go on: the client was closed", { operation: "close" }),
    );
    await this.#serially(() => this.#leave()).catch(() => {});
    this.#delivery.end();
  }

  /** The same as {@linkcode RtspClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #serially<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#verbs.then(task);
    this.#verbs = result.catch(() => {});
    return result;
  }

  #require(verb: ClientVerb): void {
    if (this.allowed.includes(verb)) return;
    throw new StateError(
      `Cannot ${verb}: the state is ${this.#state}, which allows ${this.allowed.join(" and ")}`,
      { state: this.#state, allowed: this.allowed },
    );
  }

  async #open(): Promise<void> {
    this.#abort.signal.throwIfAborted();
    this.#hasEnded = false;
    this.#hasLostControl = false;
    const handle: { conversation?: Conversation } = {};
    const context = this.#contextFor(handle);
    const { conversation, reason } = await openConversation(
      context,
      this.#transport,
      this.#dialect,
    );
    handle.conversation = conversation;
    this.#conversation = conversation;
    this.#tally.adopt(conversation.media);
    const { dialect, transport, transportReason } = conversation;
    if (dialect !== this.#dialect) this.#emit({ type: "dialect", dialect, reason });
    this.#dialect = dialect;
    this.#usedTransport = transport;
    if (transportReason) this.#note(`Media comes over TCP: ${transportReason}`);
    this.#emit({ type: "transport", transport, reason: transportReason });
    if (this.#state === "INIT") this.#enter("READY");
  }

  #contextFor(handle: { conversation?: Conversation }): ConversationContext {
    const isCurrent = () =>
      handle.conversation !== undefined && handle.conversation === this.#conversation;
    return {
      settings: this.#settings,
      numbering: this.#numbering,
      credentials: this.#credentials,
      signal: this.#abort.signal,
      note: (text) => this.#note(text),
      onRequest: (request) => this.#emit({ type: "request", request }),
      onResponse: (request, response) => this.#emit({ type: "response", request, response }),
      onFrame: (frame) => {
        if (isCurrent()) this.#takeFrame(frame);
      },
      onGoodbye: () => {
        if (isCurrent()) this.#end("goodbye");
      },
      onEnd: (reason) => {
        if (isCurrent()) this.#end(reason);
      },
      onClosed: (error) => {
        if (isCurrent()) this.#connectionClosed(error);
      },
    };
  }

  async #playNow(range: PlayRange): Promise<void> {
    const conversation = this.#conversation!;
    const asked = performance.now();
    this.#tally.playAsked(asked);
    this.#hasEnded = false;
    this.#playedMs = asked;
    const { durationSeconds } = await conversation.play(range);
    this.#range = range;
    this.#durationMs = durationSeconds === undefined ? undefined : durationSeconds * 1000;
    this.#tally.playStarted(performance.now());
    if (conversation === this.#conversation) this.#enter("PLAYING");
    this.#startWatch();
  }

  async #pauseNow(): Promise<void> {
    this.#stopWatch();
    try {
      await this.#conversation!.pause();
    } catch (error) {
      if (this.#state === "PLAYING") this.#startWatch();
      throw error;
    }
    this.#tally.playStopped(performance.now(), { atLastFrame: this.#hasEnded });
    this.#enter("READY");
  }

  async #leave(): Promise<void> {
    this.#stopWatch();
    const conversation = this.#conversation;
    if (conversation) await conversation.teardown();
    this.#forget({ atLastFrame: this.#hasEnded });
  }

  /** The conversation is over: its counters are kept, the state is INIT. */
  #forget(options: { readonly atLastFrame: boolean }): void {
    this.#stopWatch();
    this.#tally.playStopped(performance.now(), options);
    this.#tally.retire();
    this.#conversation?.close();
    this.#conversation = undefined;
    if (this.#state !== "INIT") this.#enter("INIT");
  }

  #takeFrame(frame: ReceivedFrame): void {
    this.#tally.frame(frame, performance.now());
    this.#delivery.deliver(frame);
    this.#emit({ type: "frame", frame });
  }

  #end(reason: EndReason): void {
    if (this.#hasEnded || this.#state !== "PLAYING") return;
    this.#hasEnded = true;
    this.#stopWatch();
    this.#tally.playStopped(performance.now(), { atLastFrame: true });
    this.#emit({ type: "end", reason });
    this.#delivery.end();
  }

  #connectionClosed(error: Error | undefined): void {
    const conversation = this.#conversation!;
    if (this.#hasEnded) return this.#forget({ atLastFrame: true });
    if (this.#state === "PLAYING" && conversation.media.lastArrivalMs !== undefined) {
      if (conversation.dialect === "lab") {
        this.#end("closed");
        return this.#forget({ atLastFrame: true });
      }
      if (conversation.transport === "udp" && !error) {
        this.#hasLostControl = true; // datagrams may still come: the watch decides
        return;
      }
    }
    const { host, port } = this.#settings.target;
    this.#lose(
      new TransportError(
        `Cannot go on: ${host} port ${port} ${
          error ? `broke the connection (${error.message})` : "closed the connection"
        }, try again or use --reconnect`,
        { operation: "receive", cause: error },
      ),
    );
  }

  #lose(error: Error): void {
    this.#fail(error);
    this.#forget({ atLastFrame: true });
    if (this.#settings.reconnects && !this.#abort.signal.aborted) void this.#reconnect();
    else this.#delivery.end(error);
  }

  #fail(error: Error): void {
    this.#tally.error(error.message);
    this.#emit({ type: "error", error });
  }

  #startWatch(): void {
    this.#stopWatch();
    this.#watch = setInterval(() => this.#judge(performance.now()), WATCH_PERIOD_MS);
  }

  #stopWatch(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #judge(now: number): void {
    const conversation = this.#conversation;
    if (!conversation || this.#state !== "PLAYING") return;
    const { timeoutMs, udpSilenceMs, labSilenceMs } = this.#settings;
    const { dialect, transport, media } = conversation;
    const arrivalMs = media.lastArrivalMs;
    const verdict = judgeSilence(
      {
        dialect,
        transport,
        mayChangeToTcp: dialect === "rtsp" && transport === "udp" && this.#transport === "auto",
        playedMs: this.#playedMs,
        lastPacketMs: arrivalMs !== undefined && arrivalMs >= this.#playedMs
          ? arrivalMs
          : undefined,
        durationMs: this.#durationMs,
        hasLostControl: this.#hasLostControl,
      },
      { timeoutMs, udpSilenceMs, labSilenceMs },
      now,
    );
    if (verdict === "wait") return;
    if (verdict === "end") return this.#end(dialect === "lab" ? "silence" : "range");
    if (verdict === "use-tcp") return this.#changeToTcp();
    // A lab film that was paused at its very end has nothing more to send.
    if (verdict === "no-packet" && dialect === "lab" && arrivalMs !== undefined) {
      return this.#end("silence");
    }
    this.#lose(this.#silenceError(verdict, conversation));
  }

  #silenceError(verdict: "no-packet" | "lost", conversation: Conversation): TransportError {
    const { host } = this.#settings.target;
    const seconds = this.#settings.timeoutMs / 1000;
    const { foreignDatagrams, transport, dialect } = conversation;
    const foreign = foreignDatagrams > 0
      ? `; ${foreignDatagrams} datagrams came from other addresses and were ignored`
      : "";
    const advice = transport === "udp" && dialect === "rtsp"
      ? "a firewall may stop UDP, try --transport tcp"
      : "check the film and the firewall";
    const text = verdict === "no-packet"
      ? `Cannot receive: ${host} agreed to play and sent no packet for ${seconds} s; ${advice}${foreign}`
      : `Cannot go on: no packet from ${host} any more, the connection is lost; try again or use --reconnect`;
    return new TransportError(text, { operation: "receive", errno: "ETIMEDOUT" });
  }

  #changeToTcp(): void {
    this.#stopWatch();
    const seconds = this.#settings.udpSilenceMs / 1000;
    const reason = `no UDP packet came within ${seconds} s`;
    this.#note(`Changing to TCP: ${reason}`);
    void this.#serially(async () => {
      const old = this.#conversation;
      if (this.#state !== "PLAYING" || !old) return;
      this.#transport = "tcp";
      this.#conversation = undefined;
      this.#tally.retire();
      await old.teardown();
      await this.#open();
      await this.#playNow(this.#range);
    }).catch((error) => this.#lose(error));
  }

  async #reconnect(): Promise<void> {
    this.#stopReconnecting();
    const cancel = new AbortController();
    this.#reconnecting = cancel;
    const backoff = new Backoff(this.#settings.reconnectDelayMs);
    while (!cancel.signal.aborted) {
      const waitMs = backoff.next();
      this.#note(`Connecting again in ${(waitMs / 1000).toFixed(1)} s`);
      if (!await pause(waitMs, cancel.signal)) return;
      try {
        await this.#serially(async () => {
          if (cancel.signal.aborted) return;
          await this.#open();
          await this.#playNow(this.#range);
        });
        if (this.#reconnecting === cancel) this.#reconnecting = undefined;
        return;
      } catch (error) {
        if (cancel.signal.aborted) return;
        this.#forget({ atLastFrame: true });
        this.#fail(error as Error);
      }
    }
  }

  #stopReconnecting(): boolean {
    const wasReconnecting = this.#reconnecting !== undefined;
    this.#reconnecting?.abort();
    this.#reconnecting = undefined;
    return wasReconnecting;
  }

  #note(text: string): void {
    this.#emit({ type: "note", text });
  }

  #enter(state: ClientState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit({ type: "state", state });
  }

  #emit(event: RtspClientEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

const WATCH_PERIOD_MS = 100;
