/**
 * What a client program watches its wire with: the protocol view of the preview, step mode, and a capture file.
 *
 * Floor 4 (client assembly): connects `RtspClient` with `ui/` and `disk/`. It decides nothing.
 *
 * @module
 */

import { CaptureFile } from "../disk.ts";
import { joinTaps, type WireTap } from "../engine/wire_tap.ts";
import type { PreviewPlayer, PreviewStep } from "../ui/preview.ts";
import { ProtocolView } from "../ui/protocol_view.ts";
import type { RtspClient } from "./client.ts";
import { sizeOf } from "./keepers.ts";
import { StepGate } from "./step_gate.ts";
import type { BeforeRequest } from "./wire.ts";

/** What is wanted. */
export interface WatchingOptions {
  /** Name and version of the program. */
  readonly application: string;
  /** Whether there is a preview that shows the protocol. */
  readonly hasView: boolean;
  /** Whether requests wait from the beginning. */
  readonly isStepping: boolean;
  /** File to capture to, `undefined` for none. */
  readonly capturePath: string | undefined;
}

/** Watches one client. */
export class ClientWatching {
  /** The protocol view, where there is a preview. */
  readonly view: ProtocolView | undefined;
  /** The capture, where one is asked for. */
  readonly capture: CaptureFile | undefined;
  /** To be given to the client. */
  readonly tap: WireTap | undefined;
  /** To be given to the client. */
  readonly beforeRequest: BeforeRequest | undefined;
  readonly #capturePath: string | undefined;
  readonly #gate: StepGate | undefined;
  readonly #listeners = new Set<() => void>();
  #client: RtspClient | undefined;

  private constructor(options: WatchingOptions, capture: CaptureFile | undefined) {
    const { hasView, application, isStepping } = options;
    this.capture = capture;
    this.#capturePath = options.capturePath;
    if (hasView || isStepping) {
      const gate = new StepGate({ isEnabled: isStepping, onChange: () => this.#changed() });
      this.#gate = gate;
      this.beforeRequest = (request, signal) => gate.hold(request, signal);
    }
    if (hasView) {
      const counters = () => this.#counters();
      const step = () => this.#step();
      this.view = new ProtocolView({ side: "client", application, counters, step });
    }
    this.tap = joinTaps([this.view?.tap, capture?.tap].filter((tap) => tap !== undefined));
  }

  /**
   * Opens the capture file, where one is asked for.
   *
   * @throws {TransportError} when it cannot be written.
   */
  static async open(options: WatchingOptions): Promise<ClientWatching> {
    const { capturePath, application } = options;
    const capture = capturePath === undefined
      ? undefined
      : await CaptureFile.open(capturePath, { application });
    return new ClientWatching(options, capture);
  }

  /** Lets the request go that waits; false when none does. */
  step(): boolean {
    return this.#gate?.step() ?? false;
  }

  /** The request that waits, in one line; `undefined` when none does. */
  get waiting(): string | undefined {
    const { method, uri } = this.#gate?.waiting ?? {};
    return method === undefined ? undefined : `${method} ${uri}`;
  }

  /** Calls `listener` when what waits has changed. */
  onStep(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * The client as the preview knows players.
   *
   * @param startsAtOnce Whether another film is set up and played as soon as it is opened.
   */
  playerOf(client: RtspClient, options: { readonly startsAtOnce: boolean }): PreviewPlayer {
    this.#client = client;
    return {
      snapshot: () => ({
        ...client.statistics(),
        allowed: client.allowed,
        film: client.film,
      }),
      command: (verb) => client[verb](),
      open: async (url) => {
        await client.open(url);
        if (!options.startsAtOnce) return;
        await client.setup();
        await client.play();
      },
      seek: (to) => client.play(to),
      stepFrame: (direction) => client.step(direction),
      step: this.#previewStep(),
      latestFrame: () => client.latestFrame,
      onFrame: (listener) => client.onFrame(listener),
      onChange: (listener) => {
        this.#listeners.add(listener);
        const stop = client.on((event) => event.type === "frame" ? undefined : listener());
        return () => {
          stop();
          this.#listeners.delete(listener);
        };
      },
    };
  }

  /** Ends the capture; the view is closed by its preview, and here where there was none. */
  async close(): Promise<void> {
    this.view?.close();
    await this.capture?.close();
  }

  /** What the capture holds, in a sentence. */
  summary(): string | undefined {
    const { capture } = this;
    if (!capture) return undefined;
    const { packets, bytes, dropped } = capture;
    const missing = dropped > 0 ? `, ${dropped} packets are missing` : "";
    return `Captured ${packets} packets to ${this.#capturePath} (${sizeOf(bytes)}${missing})`;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #previewStep(): PreviewStep | undefined {
    const gate = this.#gate;
    return gate && {
      state: () => this.#step(),
      setEnabled: (isEnabled) => gate.setEnabled(isEnabled),
      step: () => gate.step(),
    };
  }

  #step() {
    const { isEnabled = false, waiting } = this.#gate ?? {};
    return {
      isEnabled,
      waiting: waiting
        ? {
          method: waiting.method,
          uri: waiting.uri,
          since: Math.round(performance.timeOrigin + waiting.sinceMs),
        }
        : null,
    };
  }

  #counters() {
    const client = this.#client;
    const stream = client?.stream;
    if (!client || !stream) return [];
    return [{ session: client.sessionNumber, ...stream, jitterMs: stream.jitterMs }];
  }
}
