/**
 * The preview: an HTTP handler that shows a player's video and lets a browser press its buttons.
 *
 * | Request | Answer |
 * |---|---|
 * | `GET /` | the page |
 * | `GET /stream.mjpeg` | the video: `multipart/x-mixed-replace`, JPEGs untouched |
 * | `GET /snapshot.jpg`, `GET /snapshot.png` | the newest frame; 503 before the first |
 * | `GET /state` | JSON: state, allowed commands, statistics |
 * | `GET /events` | the same as server-sent events |
 * | `POST /setup`, `/play`, `/pause`, `/teardown` | 200 and the new state; 409 where the state forbids it, 502 where the server refused |
 * | `POST /open`, `/seek`, `/frame-step`, `/step-mode`, `/step` | the same, for the page only: JSON and `X-Preview: 1` |
 *
 * With a protocol view also what `protocol_routes.ts` names. Floor 3 (wall). RFC 9110. It has no opinion on RTSP: the
 * player says what is allowed and carries it out.
 *
 * @module
 */
import type { ClientStatistics, ReceivedFrame } from "../client/statistics.ts";
import { StateError, StatusError, TransportError, WireError } from "../errors.ts";
import type { PreviewHandler } from "./http.ts";
import { FrameStreams, STREAM_CONTENT_TYPE } from "./multipart.ts";
import type { ProtocolStep } from "./protocol_events.ts";
import { protocolRoutes } from "./protocol_routes.ts";
import type { ProtocolView } from "./protocol_view.ts";
import { bytesResponse, jsonResponse, streamResponse, textResponse } from "./responses.ts";
import { createRouter, get, jsonOf, pageRoutes, post, type Route } from "./router.ts";
import { EventStreams } from "./server_events.ts";
export { openPreview } from "./http.ts";
export type { OpenPreview, OpenPreviewOptions, PreviewHandler } from "./http.ts";
export { allowedHostsOf, isLoopback, newToken } from "./request_guard.ts";

/** What the four buttons ask for. */
export type PreviewVerb = "setup" | "play" | "pause" | "teardown";

/** What a player tells about itself. */
export type PreviewSnapshot = ClientStatistics & {
  /** The commands that the state allows. */
  readonly allowed: readonly PreviewVerb[];
  /** How long the film is, and where it stands. */
  readonly film?: PreviewFilm;
};

/** What a player knows of its film. */
export interface PreviewFilm {
  /** Seconds of its beginning. */
  readonly startSeconds: number;
  /** Seconds of its end, `null` for live sources and where nobody told. */
  readonly endSeconds: number | null;
  /** Seconds of the newest frame, `null` where nobody can tell. */
  readonly positionSeconds: number | null;
  /** Whether a jump may be asked for. */
  readonly isSeekable: boolean;
  /** How fast it plays; 1 is its own speed. */
  readonly scale: number;
  /** Speeds worth asking for; empty where there is no choice. */
  readonly scales: readonly number[];
  /** Whether single frames may be asked for. */
  readonly isSteppable?: boolean;
}

/** A place in the film, and how to go on from there. */
export interface PreviewSeek {
  /** Seconds from the beginning. @default {where the film stands} */
  readonly startSeconds?: number;
  /** How fast; negative is backwards. @default {1} */
  readonly scale?: number;
}

/** Step mode, as a person steers it. */
export interface PreviewStep {
  /** How it stands. */
  state(): ProtocolStep;
  /** Switches it. */
  setEnabled(isEnabled: boolean): void;
  /** Sends the request that waits; false when none does. */
  step(): boolean;
}

/** What the preview shows and steers. */
export interface PreviewPlayer {
  /** State and statistics as of now. */
  snapshot(): PreviewSnapshot;
  /**
   * Carries out a command and resolves when the server has agreed.
   *
   * @throws {StateError} (rejects) if the state forbids it.
   * @throws {StatusError} (rejects) if the server refused.
   * @throws {TransportError} (rejects) if the server cannot be reached.
   */
  command(verb: PreviewVerb): Promise<void>;
  /**
   * Turns to another film, by its URL or by its name on the same server. Rejects like `command()`.
   *
   * @throws {RangeError} (rejects) for a URL that cannot be played.
   */
  open?(url: string): Promise<void>;
  /** Jumps, or changes the speed. Rejects like `command()`. */
  seek?(to: PreviewSeek): Promise<void>;
  /** Shows the frame behind the newest (1) or before it (-1), and pauses. Rejects like `command()`. */
  stepFrame?(direction: 1 | -1): Promise<void>;
  /** Step mode, where there is such a thing. */
  readonly step?: PreviewStep;
  /** The newest frame, `undefined` before the first. */
  latestFrame(): ReceivedFrame | undefined;
  /** Calls `listener` with each frame from now on; returns what ends that. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void;
  /** Calls `listener` when the state or anything else may have changed; returns what ends that. */
  onChange(listener: () => void): () => void;
}

/** Settings of {@linkcode createPreviewHandler}. */
export interface PreviewOptions {
  /** Turns a JPEG into a PNG. */
  readonly png: (jpeg: Uint8Array) => Promise<Uint8Array>;
  /** Hosts that requests may name, see `allowedHostsOf()`. */
  readonly allowedHosts: readonly string[];
  /** What everybody has to know, where the preview is bound to more than this machine. @default {nothing} */
  readonly token?: string;
  /** The protocol view; the preview closes it. */
  readonly protocol?: ProtocolView;
  /** Streams of video at a time. @default {16} */
  readonly maxViewers?: number;
  /** Milliseconds between two events that are not changes of state. @default {100} */
  readonly eventIntervalMs?: number;
  /** Told of errors that are our own; the browser only sees "Internal error". */
  readonly onError?: (error: unknown) => void;
}

/**
 * Makes the handler of a player's preview.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const player = { // as good as none: no frame, and nothing allowed
 *   snapshot: () => ({ state: "INIT", allowed: [] }) as unknown as PreviewSnapshot,
 *   command: () => Promise.resolve(),
 *   latestFrame: () => undefined,
 *   onFrame: () => () => {},
 *   onChange: () => () => {},
 * };
 * const png = (jpeg: Uint8Array) => Promise.resolve(jpeg);
 * const handler = createPreviewHandler(player, { png, allowedHosts: ["localhost"] });
 * const page = await handler(new Request("http://localhost/"));
 * assertEquals(page.status, 200);
 * const rebound = await handler(new Request("http://evil.example/"));
 * assertEquals(rebound.status, 403);
 * ```
 */
export function createPreviewHandler(
  player: PreviewPlayer,
  options: PreviewOptions,
): PreviewHandler {
  const preview = new Preview(player, options);
  const handle = createRouter(preview.routes, options);
  return Object.assign(handle, { close: () => preview.close() });
}

class Preview {
  readonly #player: PreviewPlayer;
  readonly #options: PreviewOptions;
  readonly #streams: FrameStreams;
  readonly #events: EventStreams;
  /** What can be asked for. */
  readonly routes: ReadonlyMap<string, Route>;
  #lastCommand: Promise<unknown> = Promise.resolve();
  #waitingCommands = 0;
  #png: { readonly frame: ReceivedFrame; readonly bytes: Promise<Uint8Array> } | undefined;

  constructor(player: PreviewPlayer, options: PreviewOptions) {
    this.#player = player;
    this.#options = options;
    this.#streams = new FrameStreams(player, options.maxViewers ?? 16);
    this.#events = new EventStreams({
      json: () => JSON.stringify(this.#state()),
      urgent: () => urgentPart(player.snapshot()),
      onChange: (listener) => player.onChange(listener),
    }, { maxSubscribers: 64, intervalMs: options.eventIntervalMs ?? 100 });
    const command = (verb: PreviewVerb) =>
      post(() => this.#inOrder(() => this.#judged(verb, () => player.command(verb))));
    this.routes = new Map<string, Route>([
      ...pageRoutes(),
      ["/state", get(() => jsonResponse(200, this.#state()))],
      ["/stream.mjpeg", get((request) => this.#stream(request))],
      ["/events", get((request) => this.#eventStream(request))],
      ["/snapshot.jpg", get(() => this.#snapshot("jpg"))],
      ["/snapshot.png", get(() => this.#snapshot("png"))],
      ["/setup", command("setup")],
      ["/play", command("play")],
      ["/pause", command("pause")],
      ["/teardown", command("teardown")],
      ...pageOnly({
        "/open": (request) => this.#open(request),
        "/seek": (request) => this.#seek(request),
        "/frame-step": (request) => this.#stepFrame(request),
        "/step-mode": (request) => this.#setStepMode(request),
        "/step": () => this.#step(),
      }),
      ...(options.protocol ? protocolRoutes(options.protocol, "client") : []),
    ]);
  }

  close(): void {
    this.#streams.close();
    this.#events.close();
    this.#options.protocol?.close();
  }

  #state() {
    const frame = this.#player.latestFrame();
    return {
      side: "client",
      ...this.#player.snapshot(),
      step: this.#player.step?.state(),
      frame: frame
        ? { number: frame.number, timestamp: frame.timestamp, bytes: frame.jpeg.length }
        : null,
      viewers: this.#streams.viewers,
      framesSkipped: this.#streams.skipped,
    };
  }

  #stream(request: Request): Response {
    const headers = { "content-type": STREAM_CONTENT_TYPE };
    return streamResponse(request, headers, () => this.#streams.open());
  }

  #eventStream(request: Request): Response {
    const headers = { "content-type": "text/event-stream; charset=utf-8" };
    return streamResponse(request, headers, () => this.#events.open());
  }

  async #snapshot(format: "jpg" | "png"): Promise<Response> {
    const frame = this.#player.latestFrame();
    if (!frame) return textResponse(503, "No frame has come yet", { "retry-after": "1" });
    const name = `frame-${String(frame.number).padStart(6, "0")}.${format}`;
    const headers = {
      "content-disposition": `inline; filename="${name}"`,
      "x-frame-number": String(frame.number),
    };
    if (format === "jpg") {
      return bytesResponse(frame.jpeg, { ...headers, "content-type": "image/jpeg" });
    }
    try {
      return bytesResponse(await this.#pngOf(frame), { ...headers, "content-type": "image/png" });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return textResponse(error instanceof WireError ? 502 : 503, error.message);
    }
  }

  /** Requests for one and the same frame share the work. */
  #pngOf(frame: ReceivedFrame): Promise<Uint8Array> {
    if (this.#png?.frame !== frame) this.#png = { frame, bytes: this.#options.png(frame.jpeg) };
    return this.#png.bytes;
  }

  async #open(request: Request): Promise<Response> {
    const { open } = this.#player;
    const { url } = await jsonOf(request) ?? {};
    if (typeof url !== "string" || url.trim() === "" || url.length > MAX_URL_LENGTH) {
      return jsonResponse(400, { error: 'Wanted JSON of the form {"url": "rtsp://…"}' });
    }
    if (!open) return textResponse(404, "This preview shows one film only");
    return this.#inOrder(() => this.#outcomeOf(() => open.call(this.#player, url)));
  }

  async #seek(request: Request): Promise<Response> {
    const { seek } = this.#player;
    const { npt, scale } = await jsonOf(request) ?? {};
    const isPlace = npt === undefined || isNumberIn(npt, 0, 1e9);
    const isSpeed = scale === undefined || (isNumberIn(scale, -100, 100) && scale !== 0);
    if (!isPlace || !isSpeed || (npt === undefined && scale === undefined)) {
      return jsonResponse(400, { error: 'Wanted JSON of the form {"npt": 12.5} in seconds' });
    }
    if (!seek) return textResponse(404, "This preview knows no place in the film");
    const to = { startSeconds: npt as number | undefined, scale: scale as number | undefined };
    return this.#inOrder(() => {
      const { state } = this.#player.snapshot();
      const act = () => seek.call(this.#player, to);
      return state === "PLAYING" ? this.#outcomeOf(act) : this.#judged("play", act);
    });
  }

  async #stepFrame(request: Request): Promise<Response> {
    const { stepFrame } = this.#player;
    const { frames } = await jsonOf(request) ?? {};
    if (frames !== 1 && frames !== -1) {
      return jsonResponse(400, { error: 'Wanted JSON of the form {"frames": 1}, or -1' });
    }
    if (!stepFrame) return textResponse(404, "This preview knows no single frames");
    return this.#inOrder(() => {
      const { state } = this.#player.snapshot();
      const act = () => stepFrame.call(this.#player, frames);
      return state === "PLAYING" ? this.#outcomeOf(act) : this.#judged("play", act);
    });
  }

  async #setStepMode(request: Request): Promise<Response> {
    const { enabled } = await jsonOf(request) ?? {};
    if (typeof enabled !== "boolean") {
      return jsonResponse(400, { error: 'Wanted JSON of the form {"enabled": true}' });
    }
    const { step } = this.#player;
    if (!step) return textResponse(404, "This preview has no step mode");
    step.setEnabled(enabled);
    return jsonResponse(200, this.#state());
  }

  /** Not in the row of commands: a command may be what waits for it. */
  #step(): Response {
    const { step } = this.#player;
    if (!step) return textResponse(404, "This preview has no step mode");
    if (step.step()) return jsonResponse(200, this.#state());
    return jsonResponse(409, { error: "Cannot step: no request waits" });
  }

  /** One command at a time, in the order they came: each is judged by the state the one before has left. */
  async #inOrder(carryOut: () => Promise<Response>): Promise<Response> {
    if (this.#waitingCommands >= MAX_WAITING_COMMANDS) {
      return jsonResponse(503, { error: "Too many commands are waiting" });
    }
    this.#waitingCommands++;
    const result = this.#lastCommand.then(carryOut);
    this.#lastCommand = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waitingCommands--;
    }
  }

  #judged(verb: PreviewVerb, act: () => Promise<void>): Promise<Response> {
    const { state, allowed } = this.#player.snapshot();
    if (!allowed.includes(verb)) {
      return Promise.resolve(jsonResponse(409, forbidden(verb, state, allowed)));
    }
    return this.#outcomeOf(act);
  }

  async #outcomeOf(act: () => Promise<void>): Promise<Response> {
    try {
      await act();
      return jsonResponse(200, this.#state());
    } catch (error) {
      if (error instanceof StateError) {
        const { state, allowed } = this.#player.snapshot();
        return jsonResponse(409, { error: error.message, state, allowed });
      }
      if (error instanceof StatusError) {
        return jsonResponse(502, { error: error.message, statusCode: error.statusCode });
      }
      if (error instanceof WireError && error.code === "url") {
        return jsonResponse(400, { error: error.message });
      }
      if (error instanceof TransportError || error instanceof WireError) {
        return jsonResponse(502, { error: error.message });
      }
      if (error instanceof RangeError) return jsonResponse(400, { error: error.message });
      throw error;
    }
  }
}

function forbidden(verb: PreviewVerb, state: string, allowed: readonly PreviewVerb[]) {
  const possible = allowed.length > 0 ? allowed.map((v) => v.toUpperCase()).join(", ") : "nothing";
  return {
    error: `Cannot ${verb.toUpperCase()} in state ${state}: it allows ${possible}`,
    state,
    allowed,
  };
}

/** A change of these is shown at once. */
function urgentPart({ state, allowed, dialect, transport, errors }: PreviewSnapshot): string {
  return JSON.stringify([state, allowed, dialect, transport, errors]);
}

function pageOnly(answers: Readonly<Record<string, Route["answer"]>>): [string, Route][] {
  return Object.entries(answers).map(([path, answer]) => [
    path,
    { ...post(answer), isForPageOnly: true },
  ]);
}

function isNumberIn(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && value >= low && value <= high;
}

const MAX_URL_LENGTH = 4096;
const MAX_WAITING_COMMANDS = 8;
