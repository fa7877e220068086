/**
 * The client program between its command line and its exit code: plays, shows, keeps, and sums up.
 *
 * Floor 4 (client assembly): wires `RtspClient` to the preview, the terminal and the disk. It holds no protocol and
 * reads no flags.
 *
 * @module
 */

import { StatusError, TransportError } from "../errors.ts";
import { ImageWorker } from "../image/image.ts";
import {
  allowedHostsOf,
  createPreviewHandler,
  isLoopback,
  newToken,
  openPreview,
} from "../ui/preview.ts";
import type { OpenPreview } from "../ui/preview.ts";
import { Terminal } from "../ui/terminal.ts";
import { Backoff, pause } from "./backoff.ts";
import { openBrowser } from "./browser.ts";
import { type ClientVerb, RtspClient } from "./client.ts";
import type { ProgramOptions } from "./command_line.ts";
import type { PlayRange } from "./conversation.ts";
import { ErrorList } from "./error_list.ts";
import type { EndReason, RtspClientEvent } from "./events.ts";
import { type FrameKeeper, PngWriter, Recording } from "./keepers.ts";
import type { Credentials } from "./options.ts";
import { jsonOf, lineOf, sentenceOfEnd, statusLineOf, summaryOf } from "./report.ts";
import type { ClientStatistics } from "./statistics.ts";
import { trickOf } from "./trick_play.ts";
import { ClientWatching } from "./watching.ts";

/** What the program takes from its surroundings. */
export interface ProgramSurroundings {
  /** Name and password from the environment, if given. */
  readonly credentials: Credentials | undefined;
  /** Name and version of the program, for the files it writes. @default {"rtsp-client"} */
  readonly application?: string;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** The terminal, made anew where it is not given. */
  readonly terminal?: Terminal;
  /** Aborted by a signal: the program ends in order. */
  readonly stop: AbortSignal;
  /** Aborted by a second signal: the program ends without waiting for files. */
  readonly stopNow: AbortSignal;
}

/** Runs the client program; resolves to its exit code. Never throws for what network, server or disk do. */
export async function runClient(
  options: ProgramOptions,
  surroundings: ProgramSurroundings,
): Promise<number> {
  const terminal = surroundings.terminal ?? new Terminal();
  let watching: ClientWatching | undefined;
  try {
    watching = await ClientWatching.open({
      application: surroundings.application ?? "rtsp-client",
      hasView: options.preview !== undefined,
      isStepping: options.isStepping,
      capturePath: options.capturePath,
    });
    if (options.isStepping && !options.preview && !terminal.isInteractive) {
      throw new TransportError(
        "Cannot step: there is neither a preview with a button nor a terminal with keys",
        { operation: "step" },
      );
    }
    return await new ClientProgram(options, surroundings, { terminal, watching }).run();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    terminal.log(terminal.paint(`rtsp-client: ${error.message}`, "red"));
    return 1;
  } finally {
    await watching?.close();
    terminal.close();
  }
}

class ClientProgram {
  readonly #options: ProgramOptions;
  readonly #surroundings: ProgramSurroundings;
  readonly #terminal: Terminal;
  readonly #watching: ClientWatching;
  readonly #client: RtspClient;
  readonly #images = new ImageWorker({ isBackground: true });
  readonly #keepers: FrameKeeper[] = [];
  readonly #finished = Promise.withResolvers<void>();
  #preview: OpenPreview | undefined;
  #closing: Promise<void> | undefined;
  #frames = 0;
  #durationTimer: ReturnType<typeof setTimeout> | undefined;
  #failure: string | undefined;
  readonly #errors = new ErrorList();

  constructor(
    options: ProgramOptions,
    surroundings: ProgramSurroundings,
    parts: { readonly terminal: Terminal; readonly watching: ClientWatching },
  ) {
    const { terminal, watching } = parts;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#terminal = terminal;
    this.#watching = watching;
    this.#client = new RtspClient({
      ...options.client,
      tap: watching.tap,
      beforeRequest: watching.beforeRequest,
      credentials: surroundings.credentials,
      askCredentials: terminal.isInteractive ? () => this.#askCredentials() : undefined,
    });
  }

  async run(): Promise<number> {
    const { stop } = this.#surroundings;
    const onStop = () => this.#finish();
    if (stop.aborted) onStop();
    stop.addEventListener("abort", onStop, { once: true });
    let statusTimer: ReturnType<typeof setInterval> | undefined;
    try {
      if (this.#options.describesOnly) return await this.#describe();
      await this.#openKeepers();
      this.#listen();
      this.#openPreview();
      statusTimer = setInterval(() => this.#showStatus(), STATUS_PERIOD_MS);
      if (!this.#options.isManual) void this.#start();
      await this.#finished.promise;
      await this.#closing;
      await this.#finishKeepers();
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      clearInterval(statusTimer);
      clearTimeout(this.#durationTimer);
      stop.removeEventListener("abort", onStop);
      await this.#client.close();
      this.#terminal.status("");
      await this.#preview?.close();
      await this.#watching.close();
      this.#images.close();
      const { capture } = this.#watching;
      if (capture?.fault) this.#fail(capture.fault);
    }
    return this.#conclude();
  }

  async #describe(): Promise<number> {
    try {
      await this.#client.setup();
      const description = await this.#client.describe();
      if (description === undefined) {
        throw new TransportError("Cannot describe: the server has no description to give", {
          operation: "DESCRIBE",
        });
      }
      this.#surroundings.print(description.replace(/\r\n/g, "\n").trimEnd());
    } catch (error) {
      this.#fail(error as Error);
    }
    return this.#failure === undefined ? 0 : 1;
  }

  /** SETUP and PLAY at once, the lab's second exercise; again and again with `--reconnect`. */
  async #start(): Promise<void> {
    const { client } = this.#options;
    const { stop } = this.#surroundings;
    const backoff = new Backoff(client.reconnectDelayMs ?? 1000);
    for (;;) {
      try {
        if (this.#client.state === "INIT") await this.#client.setup();
        if (this.#client.state === "READY") await this.#client.play(this.#firstRange());
        return;
      } catch (error) {
        if (this.#closing) return;
        const isHopeless = error instanceof StatusError && error.statusCode === 401;
        if (!client.reconnects || isHopeless) {
          this.#fail(error as Error);
          return this.#finish();
        }
        this.#warn((error as Error).message);
        const waitMs = backoff.next();
        this.#say(`Connecting again in ${(waitMs / 1000).toFixed(1)} s`);
        if (!await pause(waitMs, stop)) return;
      }
    }
  }

  #listen(): void {
    this.#client.on((event) => this.#onEvent(event));
    this.#client.onFrame((frame) => {
      if (this.#closing) return;
      this.#frames++;
      for (const keeper of this.#keepers) keeper.keep(frame);
      const { frameCount } = this.#options;
      if (frameCount !== undefined && this.#frames >= frameCount) this.#finish();
    });
    if (this.#terminal.isInteractive) this.#terminal.onKey((key) => this.#onKey(key));
    let told: string | undefined;
    this.#watching.onStep(() => {
      const { waiting } = this.#watching;
      if (waiting === told) return;
      told = waiting;
      if (waiting !== undefined) this.#say(`Waiting to send ${waiting}`);
    });
  }

  #onEvent(event: RtspClientEvent): void {
    if (event.type === "frame") return;
    if (event.type === "state") this.#showStatus();
    const line = lineOf(event);
    if (line !== undefined) this.#say(line);
    if (event.type === "state" && event.state === "PLAYING") this.#startDuration();
    if (event.type === "end") this.#onEnd(event.reason);
    if (event.type === "error") {
      this.#warn(event.error.message);
      if (this.#options.client.reconnects || this.#options.isManual) return;
      this.#failure ??= event.error.message;
      this.#finish();
    }
  }

  #startDuration(): void {
    const { durationSeconds } = this.#options;
    if (durationSeconds === undefined || this.#durationTimer !== undefined) return;
    this.#durationTimer = setTimeout(() => {
      if (this.#frames === 0 && !this.#options.isManual) {
        this.#fail(
          new TransportError(
            `Cannot receive: no frame came within ${durationSeconds} s, check the film and the firewall`,
            { operation: "receive" },
          ),
        );
      }
      this.#finish();
    }, durationSeconds * 1000);
  }

  #onEnd(reason: EndReason): void {
    this.#say(sentenceOfEnd(reason));
    if (!this.#staysAtEnd) return this.#finish();
    this.#command("teardown");
    if (this.#terminal.isInteractive) {
      this.#say("The last picture stays in the preview: q ends, s and p play it again");
    }
  }

  /** A person with a preview wants to look at the last picture; a script wants to go on. */
  get #staysAtEnd(): boolean {
    const options = this.#options;
    if (options.isManual) return true;
    const isScripted = options.isJson || options.durationSeconds !== undefined ||
      options.frameCount !== undefined || options.recordPath !== undefined ||
      options.pngFolder !== undefined;
    return this.#preview !== undefined && this.#terminal.isInteractive && !isScripted;
  }

  #onKey(key: string): void {
    const { state } = this.#client;
    if (key === "q" || key === "\x03" || key === "\x04") return this.#finish();
    if (key === "s") this.#command("setup");
    else if (key === "p") this.#command("play");
    else if (key === " ") this.#command(state === "READY" ? "play" : "pause");
    else if (key === "t") this.#command("teardown");
    else if (key === "n") this.#watching.step();
    else this.#attempt(trickOf(key, this.#client));
  }

  /** What the command line says of where to begin and how fast. */
  #firstRange(): PlayRange | undefined {
    const { startSeconds, scale } = this.#options;
    return startSeconds === undefined && scale === undefined ? undefined : { startSeconds, scale };
  }

  /** A button was pressed; what it cannot do is told, and nothing more. */
  #command(verb: ClientVerb): void {
    this.#attempt(this.#client[verb]());
  }

  #attempt(action: Promise<void> | undefined): void {
    action?.catch((error) => {
      if (!this.#closing) this.#warn((error as Error).message);
    });
  }

  #finish(): void {
    if (this.#closing) return;
    this.#terminal.status("");
    this.#closing = this.#client.close();
    this.#finished.resolve();
  }

  async #openKeepers(): Promise<void> {
    const { recordPath, recordFormat, pngFolder, pngEvery } = this.#options;
    if (recordPath !== undefined) {
      this.#keepers.push(
        await Recording.open(recordPath, recordFormat, () => this.#client.clockRateHz),
      );
    }
    if (pngFolder !== undefined) {
      this.#keepers.push(
        await PngWriter.open(pngFolder, { every: pngEvery, images: this.#images }),
      );
    }
  }

  async #finishKeepers(): Promise<void> {
    const waiting = this.#keepers.reduce((sum, keeper) => sum + keeper.pending, 0);
    if (waiting > 20) this.#say(`Writing ${waiting} more frames`);
    const { stopNow } = this.#surroundings;
    const cutShort = new Promise<void>((resolve) => {
      if (stopNow.aborted) resolve();
      stopNow.addEventListener("abort", () => resolve(), { once: true });
    });
    for (const keeper of this.#keepers) {
      await Promise.race([keeper.finish(), cutShort]);
      if (stopNow.aborted) this.#fail(new Error(`Cannot wait: ${keeper.pending} frames unwritten`));
      for (const fault of keeper.faults()) this.#fail(new Error(fault));
    }
  }

  #openPreview(): void {
    const { preview, opensBrowser } = this.#options;
    if (!preview) return;
    const token = isLoopback(preview.hostname) ? undefined : newToken();
    const player = this.#watching.playerOf(this.#client, { startsAtOnce: !this.#options.isManual });
    const handler = createPreviewHandler(player, {
      png: (jpeg) => this.#images.toPng(jpeg),
      allowedHosts: allowedHostsOf(preview.hostname),
      token,
      protocol: this.#watching.view,
      onError: (error) => this.#warn(`Preview: ${(error as Error).message ?? error}`),
    });
    this.#preview = openPreview(handler, { ...preview, token });
    const isOther = preview.port !== 0 && this.#preview.port !== preview.port;
    const why = isOther ? ` (port ${preview.port} is in use)` : "";
    this.#say(`Preview: ${this.#preview.address}${why}`);
    if (opensBrowser) {
      openBrowser(this.#preview.address).catch((error) => this.#warn((error as Error).message));
    }
  }

  async #askCredentials(): Promise<Credentials | undefined> {
    const username = await this.#terminal.ask("User name: ");
    if (username === undefined || username === "") return undefined;
    const password = await this.#terminal.ask("Password: ", { isSecret: true });
    return password === undefined ? undefined : { username, password };
  }

  #showStatus(): void {
    if (!this.#terminal.isInteractive || this.#closing) return;
    const progress = this.#keepers.map((keeper) => keeper.progress());
    const number = this.#client.latestFrame?.number ?? 0;
    const statistics = this.#client.statistics();
    this.#terminal.status(
      statusLineOf(statistics, { number, progress, paint: (t, p) => this.#terminal.paint(t, p) }),
    );
  }

  #say(line: string): void {
    this.#terminal.log(line);
  }

  #warn(sentence: string): void {
    if (!this.#errors.add(sentence)) return;
    this.#terminal.log(this.#terminal.paint(`rtsp-client: ${sentence}`, "yellow"));
  }

  #fail(error: Error): void {
    this.#failure ??= error.message;
    if (!this.#errors.add(error.message)) return;
    this.#terminal.log(this.#terminal.paint(`rtsp-client: ${error.message}`, "red"));
  }

  #conclude(): number {
    const statistics: ClientStatistics = {
      ...this.#client.statistics(),
      errors: this.#errors.sentences,
    };
    const { print } = this.#surroundings;
    if (this.#options.isJson) print(jsonOf(statistics));
    else {
      if (statistics.frames > 0) print(summaryOf(statistics));
      for (const keeper of this.#keepers) print(keeper.summary());
      const captured = this.#watching.summary();
      if (captured !== undefined) print(captured);
    }
    return this.#failure === undefined ? 0 : 1;
  }
}

const STATUS_PERIOD_MS = 250;
