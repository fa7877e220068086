/**
 * What a server program watches its wire with: a preview of all its sessions, and a capture file.
 *
 * Floor 4 (assembly): connects `RtspServer` with `ui/` and `disk/`. It decides nothing.
 *
 * @module
 */

import { CaptureFile } from "../disk.ts";
import { joinTaps, type WireTap } from "../engine/wire_tap.ts";
import {
  allowedHostsOf,
  isLoopback,
  newToken,
  type OpenPreview,
  openPreview,
} from "../ui/preview.ts";
import { ProtocolView } from "../ui/protocol_view.ts";
import { createServerPreviewHandler } from "../ui/server_preview.ts";
import type { RtspServer } from "./server.ts";

/** What is wanted. */
export interface ServerWatchingOptions {
  /** Name and version of the program. */
  readonly application: string;
  /** Where the preview listens; `undefined` for none. */
  readonly preview: { readonly hostname: string; readonly port: number } | undefined;
  /** File to capture to; `undefined` for none. */
  readonly capturePath: string | undefined;
  /** Takes a sentence about something that went wrong. */
  readonly warn: (sentence: string) => void;
}

/** Watches one server. */
export class ServerWatching implements AsyncDisposable {
  /** To be given to the server. */
  readonly tap: WireTap | undefined;
  readonly #options: ServerWatchingOptions;
  readonly #view: ProtocolView | undefined;
  readonly #capture: CaptureFile | undefined;
  #server: RtspServer | undefined;
  #preview: OpenPreview | undefined;

  private constructor(options: ServerWatchingOptions, capture: CaptureFile | undefined) {
    this.#options = options;
    this.#capture = capture;
    const { application, preview } = options;
    if (preview !== undefined) {
      const counters = () => this.#counters();
      this.#view = new ProtocolView({ side: "server", application, counters });
    }
    this.tap = joinTaps([this.#view?.tap, capture?.tap].filter((tap) => tap !== undefined));
  }

  /**
   * Opens the capture file, where one is asked for.
   *
   * @throws {TransportError} when it cannot be written.
   */
  static async open(options: ServerWatchingOptions): Promise<ServerWatching> {
    const { capturePath, application } = options;
    const capture = capturePath === undefined
      ? undefined
      : await CaptureFile.open(capturePath, { application });
    return new ServerWatching(options, capture);
  }

  /**
   * Opens the preview of a server that was given the tap, where one is asked for.
   *
   * @returns its address.
   * @throws {TransportError} when no port is free.
   */
  show(server: RtspServer): string | undefined {
    this.#server = server;
    const { preview, warn } = this.#options;
    if (preview === undefined || this.#view === undefined) return undefined;
    const token = isLoopback(preview.hostname) ? undefined : newToken();
    const handler = createServerPreviewHandler(server, {
      allowedHosts: allowedHostsOf(preview.hostname),
      token,
      protocol: this.#view,
      onError: (error) => warn(`Preview: ${error instanceof Error ? error.message : error}`),
    });
    this.#preview = openPreview(handler, { ...preview, token });
    return this.#preview.address;
  }

  /** What the capture holds, in a sentence; after the end. */
  summary(): string | undefined {
    if (this.#capture === undefined) return undefined;
    const { packets, bytes, dropped } = this.#capture;
    const missing = dropped > 0 ? `; ${dropped} packets are missing` : "";
    return `Captured ${packets} packets to "${this.#options.capturePath}", ${bytes} bytes${missing}`;
  }

  /** Closes preview and capture; after the server, so that its farewell is in them. */
  async close(): Promise<void> {
    await this.#preview?.close();
    this.#view?.close();
    await this.#capture?.close();
    if (this.#capture?.fault) this.#options.warn(this.#capture.fault.message);
  }

  /** The same as {@linkcode ServerWatching.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #counters() {
    return (this.#server?.sessions() ?? []).map((session) => ({
      session: session.session,
      packets: session.packets,
      bytes: session.bytes,
      lost: session.packetsLost,
      reordered: 0,
      jitterMs: session.jitterMs ?? null,
      bufferedPackets: 0,
      framesDropped: session.framesDropped,
      roundTripMs: session.roundTripMs ?? null,
      frameLatencyMs: session.worstLatenessMs,
    }));
  }
}
