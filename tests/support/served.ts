/**
 * Our own server, started for one test with the files it needs.
 *
 * @module
 */
import type { ServerEvent } from "../../lib/server/events.ts";
import type { RtspServerOptions } from "../../lib/server/options.ts";
import type { RtspServer } from "../../lib/server/server.ts";
import type { RtspServerPool } from "../../lib/server/server_pool.ts";
import { MediaFolder, type Movie } from "./corpus.ts";
import { startServer } from "./test_server.ts";

/** A server and its folder of media; `await using` ends both. */
export class Served implements AsyncDisposable {
  /** The server. */
  readonly server: RtspServer | RtspServerPool;
  /** What it has told so far. */
  readonly events: readonly ServerEvent[];
  readonly #folder: MediaFolder;

  private constructor(
    server: RtspServer | RtspServerPool,
    events: readonly ServerEvent[],
    folder: MediaFolder,
  ) {
    this.server = server;
    this.events = events;
    this.#folder = folder;
  }

  /** Starts a server on 127.0.0.1, on a port of the system's choice, 50 frames a second unless told otherwise. */
  static async start(
    files: Record<string, Movie | Uint8Array>,
    options: Partial<RtspServerOptions> & { readonly workers?: number } = {},
  ): Promise<Served> {
    const folder = await MediaFolder.make(files);
    const events: ServerEvent[] = [];
    try {
      const server = await startServer({
        hostname: "127.0.0.1",
        port: 0,
        media: folder.path,
        frameRateHz: 50,
        // The machine may be busy with other tests: no frame is left out for that.
        maxLatenessMs: Infinity,
        listener: (event) => events.push(event),
        ...options,
      });
      return new Served(server, events, folder);
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server's TCP port. */
  get port(): number {
    return this.server.address.port;
  }

  /** What the server counted for each session that has ended: for the message of a test that fails. */
  account(): string {
    const ends = this.events.filter((event) => event.type === "session-ended");
    return ends.map((end) => JSON.stringify(end)).join("\n");
  }

  /** URL of a file, percent-encoded, with `user:password` in front where given. */
  url(name: string, user?: string): string {
    const path = name.split("/").map(encodeURIComponent).join("/");
    return `rtsp://${user === undefined ? "" : `${user}@`}127.0.0.1:${this.port}/${path}`;
  }

  /** Ends the server, then removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
