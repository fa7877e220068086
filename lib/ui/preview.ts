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
 *
 * Floor 3 (wall). RFC 9110. It has no opinion on RTSP: the player says what is allowed and carries it out.
 *
 * @module
 */
import type { ClientStatistics, ReceivedFrame } from "../client/statistics.ts";
import { StateError, StatusError, TransportError, WireError } from "../errors.ts";
import { PAGE_FILES, type PageFile } from "./page_files.ts";
import { FrameStreams, STREAM_CONTENT_TYPE } from "./multipart.ts";
import { refusalOf, SECURITY_HEADERS } from "./request_guard.ts";
import { EventStreams } from "./server_events.ts";
export { openPreview } from "./http.ts";
export type { OpenPreview, OpenPreviewOptions } from "./http.ts";
export { allowedHostsOf } from "./request_guard.ts";

/** What the four buttons ask for. */
export type PreviewVerb = "setup" | "play" | "pause" | "teardown";

/** What a player tells about itself. */
export type PreviewSnapshot = ClientStatistics & {
  /** The commands that the state allows. */
  readonly allowed: readonly PreviewVerb[];
};

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
  /** Streams of video at a time. @default {16} */
  readonly maxViewers?: number;
  /** Milliseconds between two events that are not changes of state. @default {100} */
  readonly eventIntervalMs?: number;
  /** Told of errors that are our own; the browser only sees "Internal error". */
  readonly onError?: (error: unknown) => void;
}

/** Answers requests; needs no port. `close()` ends its streams, after which it answers as before. */
export interface PreviewHandler {
  (request: Request): Promise<Response>;
  /** Ends all streams of video and events. */
  close(): void;
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
  const handle = async (request: Request) => {
    try {
      return await preview.answer(request);
    } catch (error) {
      options.onError?.(error);
      return textResponse(500, "Internal error");
    }
  };
  return Object.assign(handle, { close: () => preview.close() });
}

type Answer = (request: Request) => Response | Promise<Response>;

interface Route {
  readonly method: "GET" | "POST";
  readonly answer: Answer;
}

class Preview {
  readonly #player: PreviewPlayer;
  readonly #options: PreviewOptions;
  readonly #streams: FrameStreams;
  readonly #events: EventStreams;
  readonly #routes: ReadonlyMap<string, Route>;
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
    const get = (answer: Answer): Route => ({ method: "GET", answer });
    const post = (verb: PreviewVerb): Route => ({
      method: "POST",
      answer: () => this.#command(verb),
    });
    this.#routes = new Map<string, Route>([
      ...PAGE_FILES.map((file) => [file.path, get(() => fileResponse(file))] as const),
      ["/state", get(() => jsonResponse(200, this.#state()))],
      ["/stream.mjpeg", get((request) => this.#stream(request))],
      ["/events", get((request) => this.#eventStream(request))],
      ["/snapshot.jpg", get(() => this.#snapshot("jpg"))],
      ["/snapshot.png", get(() => this.#snapshot("png"))],
      ["/setup", post("setup")],
      ["/play", post("play")],
      ["/pause", post("pause")],
      ["/teardown", post("teardown")],
    ]);
  }

  async answer(request: Request): Promise<Response> {
    const refusal = refusalOf(request, this.#options.allowedHosts);
    if (refusal !== undefined) return textResponse(403, refusal);
    const route = this.#routes.get(new URL(request.url).pathname);
    if (!route) return textResponse(404, "Nothing here; the preview is at /");
    const isHead = request.method === "HEAD";
    if (request.method !== route.method && !(isHead && route.method === "GET")) {
      const allow = route.method === "GET" ? "GET, HEAD" : "POST";
      return textResponse(405, `Use ${allow} here`, { allow });
    }
    const response = await route.answer(request);
    return isHead ? new Response(null, response) : response;
  }

  close(): void {
    this.#streams.close();
    this.#events.close();
  }

  #state() {
    const frame = this.#player.latestFrame();
    return {
      ...this.#player.snapshot(),
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

  /** One command at a time, in the order they came: each is judged by the state the one before has left. */
  async #command(verb: PreviewVerb): Promise<Response> {
    if (this.#waitingCommands >= MAX_WAITING_COMMANDS) {
      return jsonResponse(503, { error: "Too many commands are waiting" });
    }
    this.#waitingCommands++;
    const result = this.#lastCommand.then(() => this.#carryOut(verb));
    this.#lastCommand = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waitingCommands--;
    }
  }

  async #carryOut(verb: PreviewVerb): Promise<Response> {
    const { state, allowed } = this.#player.snapshot();
    if (!allowed.includes(verb)) return jsonResponse(409, forbidden(verb, state, allowed));
    try {
      await this.#player.command(verb);
      return jsonResponse(200, this.#state());
    } catch (error) {
      if (error instanceof StateError) {
        const { state, allowed } = this.#player.snapshot();
        return jsonResponse(409, { error: error.message, state, allowed });
      }
      if (error instanceof StatusError) {
        return jsonResponse(502, { error: error.message, statusCode: error.statusCode });
      }
      if (error instanceof TransportError || error instanceof WireError) {
        return jsonResponse(502, { error: error.message });
      }
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

function streamResponse(
  request: Request,
  headers: Record<string, string>,
  open: () => ReadableStream<Uint8Array> | undefined,
): Response {
  const allHeaders = { ...SECURITY_HEADERS, ...headers };
  if (request.method === "HEAD") return new Response(null, { headers: allHeaders });
  const stream = open();
  if (stream) return new Response(stream, { headers: allHeaders });
  return textResponse(503, "Too many viewers: close another window of the preview", {
    "retry-after": "5",
  });
}

function fileResponse({ text, contentType }: PageFile): Response {
  return new Response(text, { headers: { ...SECURITY_HEADERS, "content-type": contentType } });
}

function bytesResponse(bytes: Uint8Array, headers: Record<string, string>): Response {
  const body = bytes as Uint8Array<ArrayBuffer>; // never shared memory
  return new Response(body, { headers: { ...SECURITY_HEADERS, ...headers } });
}

function jsonResponse(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value) + "\n", {
    status,
    headers: { ...SECURITY_HEADERS, "content-type": "application/json" },
  });
}

function textResponse(status: number, sentence: string, headers: Record<string, string> = {}) {
  return new Response(sentence + "\n", {
    status,
    headers: { ...SECURITY_HEADERS, ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}

const MAX_WAITING_COMMANDS = 8;
