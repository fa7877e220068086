/**
 * The client as a library: plays one film from a standard RTSP server or one of the lab, and hands out its frames.
 *
 * RFC 2326 (dialogue), RFC 3550 (RTP), RFC 2435 (JPEG), and the Kurose-Ross lab's dialect of them. Floor 4: connects the
 * rooms and keeps the state machine of App. A.1. It decodes no picture and draws none.
 *
 * @module
 */

import { StateError, TransportError } from "../errors.ts";
import type {
  Conversation,
  ConversationContext,
  CredentialStore,
  FilmPosition,
  PlayRange,
} from "./conversation.ts";
import { FrameDelivery, type FrameQueueOptions } from "./delivery.ts";
import { openConversation } from "./dialect.ts";
import type { EndReason, RtspClientEvent } from "./events.ts";
import { FilmClock } from "./film_clock.ts";
import { FrameNumbering } from "./frame_numbering.ts";
import {
  type ClientSettings,
  type LabAddress,
  type RtspClientOptions,
  settingsElsewhere,
  settingsOf,
} from "./options.ts";
import { Reconnection } from "./reconnection.ts";
import type {
  ClientDialect,
  ClientState,
  ClientStatistics,
  ClientTransport,
  ReceivedFrame,
  StreamCounters,
} from "./statistics.ts";
import { silenceError, StreamWatch, type WatchVerdict } from "./stream_watch.ts";
import { ClientTally } from "./tally.ts";
import { CLIENT_VERBS, type ClientVerb } from "./verbs.ts";
import { ClientWire } from "./wire.ts";

export { CLIENT_VERBS, type ClientVerb } from "./verbs.ts";

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
  #settings: ClientSettings;
  readonly #credentials: CredentialStore;
  readonly #wire: ClientWire;
  readonly #numbering = new FrameNumbering({ followsSequence: true });
  readonly #delivery = new FrameDelivery();
  #tally = new ClientTally();
  readonly #film = new FilmClock();
  readonly #listeners = new Set<(event: RtspClientEvent) => void>();
  readonly #abort = new AbortController();
  #state: ClientState = "INIT";
  #conversation: Conversation | undefined;
  #verbs: Promise<unknown> = Promise.resolve();
  #dialect: ClientDialect | undefined;
  #transport: "auto" | ClientTransport;
  #usedTransport: ClientTransport | undefined;
  readonly #watch: StreamWatch;
  readonly #reconnection: Reconnection;
  #range: PlayRange = {};
  #hasEnded = false;

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
    this.#wire = new ClientWire(options);
    this.#watch = new StreamWatch(this.#settings, (verdict, of) => this.#onSilence(verdict, of));
    this.#reconnection = new Reconnection({
      delayMs: this.#settings.reconnectDelayMs,
      attempt: (signal) => this.#reconnect(signal),
      failed: (error) => {
        this.#forget({ atLastFrame: true });
        this.#fail(error);
      },
      note: (text) => this.#note(text),
    });
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

  /** How long the film is, and where it stands. */
  get film(): FilmPosition {
    return this.#film.position(this.#conversation, this.#state !== "INIT");
  }

  /** Number of the session that was set up last, for those who watch; 0 before the first. */
  get sessionNumber(): number {
    return this.#wire.session;
  }

  /** Units of the RTP timestamp in a second; `undefined` where nobody knows them. */
  get clockRateHz(): number | undefined {
    return this.#conversation?.clockRateHz;
  }

  /** What the present session has received; `undefined` where there is none. */
  get stream(): StreamCounters | undefined {
    const media = this.#conversation?.media;
    return media && { ...media.counters(), framesDropped: media.framesDropped };
  }

  /** A snapshot of everything counted since the client was made, or sent elsewhere. */
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
      this.#reconnection.stop();
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
   * Shows one frame and pauses: the one behind the newest, or before it; READY or PLAYING to READY. To the server it is
   * a PLAY of the range from one moment to the same, between pauses.
   *
   * @throws {StateError} in another state, and where nobody can tell where the film stands. Otherwise what
   * {@linkcode RtspClient.setup} throws.
   */
  step(direction: 1 | -1): Promise<void> {
    return this.#serially(async () => {
      if (this.#state === "PLAYING") await this.#pauseNow();
      this.#require("play");
      const moment = this.#film.momentBeside(direction, this.#conversation);
      if (moment === undefined) {
        throw new StateError("Cannot step: play first, on a server that tells the film's times", {
          state: this.#state,
          allowed: this.allowed,
        });
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const stopListening = this.#delivery.onFrame(() => resolve());
      const patience = setTimeout(resolve, STEP_PATIENCE_MS);
      try {
        await this.#playNow({ startSeconds: moment, endSeconds: moment });
        this.#watch.stop();
        await promise;
      } finally {
        clearTimeout(patience);
        stopListening();
      }
      if (this.#state === "PLAYING") await this.#pauseNow();
    });
  }

  /**
   * Ends the session and closes the connection: READY or PLAYING to INIT. Also ends attempts to reconnect.
   *
   * @throws {StateError} in INIT, when nothing is there to end.
   */
  teardown(): Promise<void> {
    const wasReconnecting = this.#reconnection.stop();
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

  /**
   * Ends what is being played and turns to another film, in INIT. Counting begins anew.
   *
   * @param url A URL, or the name of another film on the same server. Names and passwords stay with their server.
   * @throws {RtspFormatError} (rejects) for a text that is no RTSP URL; then nothing has changed.
   */
  open(url: string | LabAddress): Promise<void> {
    return this.#serially(async () => {
      const settings = settingsElsewhere(this.#settings, url, this.#credentials.known);
      this.#reconnection.stop();
      if (this.#state !== "INIT") await this.#leave();
      const old = this.#settings.target;
      const isSameServer = settings.target.host === old.host && settings.target.port === old.port;
      this.#settings = settings;
      this.#credentials.known = settings.credentials;
      if (!isSameServer) {
        this.#credentials.wasAsked = false;
        this.#dialect = undefined;
        this.#usedTransport = undefined;
        this.#transport = settings.transport;
      }
      this.#range = {};
      this.#hasEnded = false;
      this.#tally = new ClientTally();
      this.#film.reset();
      this.#note(`Turned to ${settings.target.href}`);
    });
  }

  /** Ends everything: TEARDOWN if there is a session, then silence. Never fails; harmless when repeated. */
  async close(): Promise<void> {
    this.#reconnection.stop();
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
    this.#wire.beginSession();
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
    if (this.#state === "INIT") this.#enter("READY", "SETUP");
  }

  #contextFor(handle: { conversation?: Conversation }): ConversationContext {
    const isCurrent = () =>
      handle.conversation !== undefined && handle.conversation === this.#conversation;
    return {
      settings: this.#settings,
      numbering: this.#numbering,
      credentials: this.#credentials,
      wire: this.#wire,
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
    const answer = await conversation.play(range);
    const { durationSeconds } = answer;
    this.#range = range;
    if (conversation !== this.#conversation) return; // lost meanwhile
    this.#tally.playStarted(performance.now());
    this.#film.played(range, answer);
    this.#enter("PLAYING", "PLAY");
    this.#watch.start({
      conversation,
      playedMs: this.#wire.beforeRequest ? performance.now() : asked,
      durationMs: durationSeconds === undefined ? undefined : durationSeconds * 1000,
      mayChangeToTcp: conversation.dialect === "rtsp" && conversation.transport === "udp" &&
        this.#transport === "auto",
    });
  }

  async #pauseNow(): Promise<void> {
    this.#watch.stop();
    try {
      await this.#conversation!.pause();
    } catch (error) {
      if (this.#state === "PLAYING") this.#watch.resume();
      throw error;
    }
    this.#tally.playStopped(performance.now(), { atLastFrame: this.#hasEnded });
    this.#enter("READY", "PAUSE");
  }

  async #leave(): Promise<void> {
    this.#watch.stop();
    const conversation = this.#conversation;
    if (conversation) await conversation.teardown();
    this.#forget({ atLastFrame: this.#hasEnded, cause: "TEARDOWN" });
  }

  /** The conversation is over: its counters are kept, the state is INIT. */
  #forget(options: { readonly atLastFrame: boolean; readonly cause?: string }): void {
    this.#watch.stop();
    this.#tally.playStopped(performance.now(), options);
    this.#tally.retire();
    this.#conversation?.close();
    this.#conversation = undefined;
    const { cause = "connection lost" } = options;
    if (this.#state !== "INIT") this.#enter("INIT", cause);
    this.#wire.endSession(cause);
  }

  #takeFrame(frame: ReceivedFrame): void {
    this.#tally.frame(frame, performance.now());
    this.#film.frame(frame);
    this.#delivery.deliver(frame);
    this.#emit({ type: "frame", frame });
  }

  #end(reason: EndReason): void {
    if (this.#hasEnded || this.#state !== "PLAYING") return;
    this.#hasEnded = true;
    this.#watch.stop();
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
        this.#watch.controlLost(); // datagrams may still come: the watch decides
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
    if (this.#settings.reconnects && !this.#abort.signal.aborted) this.#reconnection.start();
    else this.#delivery.end(error);
  }

  #fail(error: Error): void {
    this.#tally.error(error.message);
    this.#emit({ type: "error", error });
  }

  #onSilence(verdict: WatchVerdict, conversation: Conversation): void {
    if (conversation !== this.#conversation || this.#state !== "PLAYING") return;
    if (verdict === "end") this.#end(conversation.dialect === "lab" ? "silence" : "range");
    else if (verdict === "use-tcp") this.#changeToTcp();
    else this.#lose(silenceError(verdict, conversation, this.#settings));
  }

  #changeToTcp(): void {
    this.#watch.stop();
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

  #reconnect(signal: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      if (signal.aborted) return;
      await this.#open();
      await this.#playNow(this.#range);
    });
  }

  #note(text: string): void {
    this.#emit({ type: "note", text });
  }

  #enter(state: ClientState, cause: string): void {
    if (state === this.#state) return;
    this.#wire.transition(this.#state, state, cause);
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

/** How long a single frame is waited for. */
const STEP_PATIENCE_MS = 2000;
