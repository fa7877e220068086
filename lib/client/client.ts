/**
 * The client as a library: plays one film from a standard RTSP server or one of the lab, and hands out its frames.
 *
 * RFC 2326 (dialogue), RFC 3550 (RTP), RFC 2435 (JPEG), and the Kurose-Ross lab's dialect of them. Floor 4: what callers
 * see of a client; its state machine is `film_player.ts`. It decodes no picture and draws none.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { FilmPosition, PlayRange } from "./conversation.ts";
import type { FrameQueueOptions } from "./delivery.ts";
import type { RtspClientEvent } from "./events.ts";
import { FilmPlayer } from "./film_player.ts";
import type { LabAddress, RtspClientOptions } from "./options.ts";
import type { ClientState, ClientStatistics, ReceivedFrame, StreamCounters } from "./statistics.ts";
import type { ClientVerb } from "./verbs.ts";

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
  readonly #player: FilmPlayer;
  readonly #listeners = new Set<(event: RtspClientEvent) => void>();

  /**
   * Makes a client that has not connected yet.
   *
   * @throws {RtspFormatError} for a text that is no RTSP URL.
   * @throws {RangeError} for a number that cannot be.
   */
  constructor(options: RtspClientOptions) {
    this.#player = new FilmPlayer(options, (event) => this.#emit(event));
  }

  /** Where the client stands. */
  get state(): ClientState {
    return this.#player.state;
  }

  /** What the state allows just now. */
  get allowed(): readonly ClientVerb[] {
    return this.#player.allowed;
  }

  /** What is played, without credentials. */
  get url(): string {
    return this.#player.url;
  }

  /** The newest frame, `undefined` before the first; it stays after the end. */
  get latestFrame(): ReceivedFrame | undefined {
    return this.#player.delivery.latest;
  }

  /** Whether the film is over (the server's session may still be there: see {@linkcode RtspClient.teardown}). */
  get hasEnded(): boolean {
    return this.#player.hasEnded;
  }

  /** Calls `listener` for everything that happens, synchronously, until the returned function is called. */
  on(listener: (event: RtspClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` for every frame, synchronously: it must be quick. Returns a function that ends it. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void {
    return this.#player.delivery.onFrame(listener);
  }

  /**
   * Frames from this call on until the film ends, as an async iterator. A loop that is too slow gets the newest frames
   * and loses the oldest. It throws when the connection is lost.
   */
  frames(options?: FrameQueueOptions): AsyncIterableIterator<ReceivedFrame> {
    return this.#player.delivery.frames(options);
  }

  /** How long the film is, and where it stands. */
  get film(): FilmPosition {
    return this.#player.film;
  }

  /** Number of the session that was set up last, for those who watch; 0 before the first. */
  get sessionNumber(): number {
    return this.#player.sessionNumber;
  }

  /** Units of the RTP timestamp in a second; `undefined` where nobody knows them. */
  get clockRateHz(): number | undefined {
    return this.#player.conversation?.clockRateHz;
  }

  /** What the present session has received; `undefined` where there is none. */
  get stream(): StreamCounters | undefined {
    const media = this.#player.conversation?.media;
    return media && { ...media.counters(), framesDropped: media.framesDropped };
  }

  /** A snapshot of everything counted since the client was made, or sent elsewhere. */
  statistics(): ClientStatistics {
    return this.#player.statistics();
  }

  /**
   * Connects, describes and sets up: INIT to READY.
   *
   * @throws {StateError} in another state.
   * @throws {StatusError} when the server refuses, {@linkcode SdpFormatError} when it has no JPEG stream,
   * {@linkcode TransportError} when the connection fails. The messages say what to do next.
   */
  setup(): Promise<void> {
    return this.#player.serially(() => this.#player.setup());
  }

  /**
   * Plays: READY to PLAYING. With a range also while PLAYING: a jump to another place of the film.
   *
   * @throws {StateError} in another state. Otherwise what {@linkcode RtspClient.setup} throws.
   */
  play(range?: PlayRange): Promise<void> {
    return this.#player.serially(() => this.#player.play(range));
  }

  /**
   * Pauses: PLAYING to READY.
   *
   * @throws {StateError} in another state. Otherwise what {@linkcode RtspClient.setup} throws.
   */
  pause(): Promise<void> {
    return this.#player.serially(() => this.#player.pause());
  }

  /**
   * Shows one frame and pauses: the one behind the newest, or before it; READY or PLAYING to READY. To the server it is
   * a PLAY of the range from one moment to the same, between pauses.
   *
   * @throws {StateError} in another state, and where nobody can tell where the film stands. Otherwise what
   * {@linkcode RtspClient.setup} throws.
   */
  step(direction: 1 | -1): Promise<void> {
    return this.#player.serially(() => this.#player.step(direction));
  }

  /**
   * Ends the session and closes the connection: READY or PLAYING to INIT. Also ends attempts to reconnect.
   *
   * @throws {StateError} in INIT, when nothing is there to end.
   */
  teardown(): Promise<void> {
    const wasReconnecting = this.#player.stopReconnecting();
    return this.#player.serially(async () => {
      if (!wasReconnecting || this.state !== "INIT") await this.#player.teardown();
    });
  }

  /** The description of the film (SDP) in READY or PLAYING; `undefined` where the server has none to give. */
  describe(): Promise<string | undefined> {
    return this.#player.serially(() => this.#player.describe());
  }

  /**
   * Ends what is being played and turns to another film, in INIT. Counting begins anew.
   *
   * @param url A URL, or the name of another film on the same server. Names and passwords stay with their server.
   * @throws {RtspFormatError} (rejects) for a text that is no RTSP URL; then nothing has changed.
   */
  open(url: string | LabAddress): Promise<void> {
    return this.#player.serially(() => this.#player.turnTo(url));
  }

  /** Ends everything: TEARDOWN if there is a session, then silence. Never fails; harmless when repeated. */
  async close(): Promise<void> {
    this.#player.abort(
      new TransportError("Cannot go on: the client was closed", { operation: "close" }),
    );
    await this.#player.serially(() => this.#player.leave()).catch(() => {});
    this.#player.delivery.end();
  }

  /** The same as {@linkcode RtspClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
