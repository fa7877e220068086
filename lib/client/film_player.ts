/**
 * The state machine of a client (RFC 2326 App. A.1): one film, one conversation at a time, and what becomes of it when it
 * ends, falls silent, has to change to TCP, or is lost.
 *
 * Floor 4 (client assembly): `RtspClient` in `client.ts` is its face.
 *
 * @module
 */

import { StateError } from "../errors.ts";
import type {
  Conversation,
  ConversationContext,
  CredentialStore,
  FilmPosition,
  PlayRange,
} from "./conversation.ts";
import { FrameDelivery } from "./delivery.ts";
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
} from "./statistics.ts";
import { closedError, silenceError, StreamWatch, type WatchVerdict } from "./stream_watch.ts";
import { ClientTally } from "./tally.ts";
import { CLIENT_VERBS, type ClientVerb } from "./verbs.ts";
import { ClientWire } from "./wire.ts";

/** Plays a film. Its verbs expect to be called one at a time: see {@linkcode FilmPlayer.serially}. */
export class FilmPlayer {
  /** Frames on their way to those who asked for them. */
  readonly delivery: FrameDelivery = new FrameDelivery();
  #settings: ClientSettings;
  readonly #credentials: CredentialStore;
  readonly #wire: ClientWire;
  readonly #numbering = new FrameNumbering({ followsSequence: true });
  #tally = new ClientTally();
  readonly #film = new FilmClock();
  readonly #emit: (event: RtspClientEvent) => void;
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

  /** See {@linkcode RtspClient}. */
  constructor(options: RtspClientOptions, emit: (event: RtspClientEvent) => void) {
    this.#emit = emit;
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

  /** See {@linkcode RtspClient.state}. */
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

  /** Whether the film is over. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The conversation under way. */
  get conversation(): Conversation | undefined {
    return this.#conversation;
  }

  /** Number of the session that was set up last, 0 before the first. */
  get sessionNumber(): number {
    return this.#wire.session;
  }

  /** How long the film is, and where it stands. */
  get film(): FilmPosition {
    return this.#film.position(this.#conversation, this.#state !== "INIT");
  }

  /** A snapshot of everything counted. */
  statistics(): ClientStatistics {
    return this.#tally.snapshot({
      state: this.#state,
      url: this.url,
      dialect: this.#dialect ?? null,
      transport: this.#usedTransport ?? null,
    }, performance.now());
  }

  /** See {@linkcode RtspClient.setup}. */
  async setup(): Promise<void> {
    this.#require("setup");
    this.#reconnection.stop();
    await this.#open();
  }

  /** See {@linkcode RtspClient.play}. */
  async play(range?: PlayRange): Promise<void> {
    const isJump = range !== undefined && this.#state === "PLAYING";
    if (!isJump) this.#require("play");
    else await this.#pauseNow();
    await this.#playNow(range ?? {});
  }

  /** See {@linkcode RtspClient.pause}. */
  async pause(): Promise<void> {
    this.#require("pause");
    await this.#pauseNow();
  }

  /** See {@linkcode RtspClient.step}. */
  async step(direction: 1 | -1): Promise<void> {
    if (this.#state === "PLAYING") await this.#pauseNow();
    this.#require("play");
    const moment = this.#film.momentBeside(direction, this.#conversation);
    if (moment === undefined) {
      throw new StateError("Cannot step: play first, on a server that tells the film's times", {
        state: this.#state,
        allowed: this.allowed,
      });
    }
    using frame = this.delivery.next(STEP_PATIENCE_MS);
    await this.#playNow({ startSeconds: moment, endSeconds: moment });
    this.#watch.stop();
    await frame.settled;
    if (this.#state === "PLAYING") await this.#pauseNow();
  }

  /** See {@linkcode RtspClient.teardown}. */
  async teardown(): Promise<void> {
    this.#require("teardown");
    await this.leave();
    this.delivery.end();
  }

  /** See {@linkcode RtspClient.describe}. */
  describe(): Promise<string | undefined> {
    if (!this.#conversation) this.#require("play");
    return this.#conversation!.describe();
  }

  /** See {@linkcode RtspClient.open}. */
  async turnTo(url: string | LabAddress): Promise<void> {
    const settings = settingsElsewhere(this.#settings, url, this.#credentials.known);
    this.#reconnection.stop();
    if (this.#state !== "INIT") await this.leave();
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
  }

  /** Ends attempts to reconnect; tells whether there were any. */
  stopReconnecting(): boolean {
    return this.#reconnection.stop();
  }

  /** Gives up what is under way, for good. */
  abort(reason: Error): void {
    this.#reconnection.stop();
    this.#abort.abort(reason);
  }

  /** Does a task when those before it are done. */
  serially<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#verbs.then(task);
    this.#verbs = result.catch(() => {});
    return result;
  }

  /** @throws {StateError} when the state forbids the verb. */
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

  /** Ends the session and the connection, if there are any. */
  async leave(): Promise<void> {
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
    this.delivery.deliver(frame);
    this.#emit({ type: "frame", frame });
  }

  #end(reason: EndReason): void {
    if (this.#hasEnded || this.#state !== "PLAYING") return;
    this.#hasEnded = true;
    this.#watch.stop();
    this.#tally.playStopped(performance.now(), { atLastFrame: true });
    this.#emit({ type: "end", reason });
    this.delivery.end();
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
    this.#lose(closedError(error, this.#settings));
  }

  #lose(error: Error): void {
    this.#fail(error);
    this.#forget({ atLastFrame: true });
    if (this.#settings.reconnects && !this.#abort.signal.aborted) this.#reconnection.start();
    else this.delivery.end(error);
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
    void this.serially(async () => {
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
    return this.serially(async () => {
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
}

/** How long a single frame is waited for. */
const STEP_PATIENCE_MS = 2000;
