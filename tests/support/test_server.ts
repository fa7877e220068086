/**
 * A server for one test, with its folder of movies and the events it has told.
 *
 * @module
 */
import type { ServerEvent } from "../../lib/server/events.ts";
import { RtspServer, type RtspServerOptions } from "../../lib/server/server.ts";
import { RtspServerPool } from "../../lib/server/server_pool.ts";
import { labFile, sampleFrames } from "./sample_frames.ts";

/** A running server; `await using` ends it and removes its folder. */
export class TestServer implements AsyncDisposable {
  readonly server: RtspServer | RtspServerPool;
  readonly folder: string;
  readonly events: ServerEvent[];

  private constructor(server: RtspServer | RtspServerPool, folder: string, events: ServerEvent[]) {
    this.server = server;
    this.folder = folder;
    this.events = events;
  }

  /** Starts with these files, or with `movie.mjpeg`, 20 frames in the lab's format, at 50 frames a second. */
  static async start(
    options: Partial<RtspServerOptions> & { readonly workers?: number } = {},
    files: Record<string, Uint8Array> = { "movie.mjpeg": labFile(sampleFrames(20)) },
  ): Promise<TestServer> {
    const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-" });
    for (const [name, bytes] of Object.entries(files)) {
      const parent = name.split("/").slice(0, -1).join("/");
      if (parent !== "") await Deno.mkdir(`${folder}/${parent}`, { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    const events: ServerEvent[] = [];
    const server = await startServer({
      media: folder,
      hostname: "127.0.0.1",
      port: 0,
      frameRateHz: 50,
      // The machine may be busy with other tests: no frame is left out for that.
      maxLatenessMs: Infinity,
      listener: (event) => events.push(event),
      ...options,
    });
    return new TestServer(server, folder, events);
  }

  /** The server as one that has a single thread for sure: it was given a tap. */
  get single(): RtspServer {
    if (this.server instanceof RtspServer) return this.server;
    throw new TypeError("Cannot take the server for a single thread: it was started without a tap");
  }

  get port(): number {
    return this.server.address.port;
  }

  url(path: string): string {
    return this.server.url(path);
  }

  /** Waits for an event of this type; those told already count. */
  async event<Type extends ServerEvent["type"]>(
    type: Type,
    timeoutMs = 5000,
  ): Promise<Extract<ServerEvent, { type: Type }>> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const found = this.events.find((event) => event.type === type);
      if (found !== undefined) return found as Extract<ServerEvent, { type: Type }>;
      if (performance.now() > end) throw new Error(`no "${type}" within ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** One thread, or as many as `workers` or the variable `TEST_WORKERS` say; a wire that is watched takes one. */
export function startServer(
  options: RtspServerOptions & { readonly workers?: number },
): Promise<RtspServer | RtspServerPool> {
  const { workers = Number(Deno.env.get("TEST_WORKERS") ?? 1) } = options;
  return workers === 1 || options.tap !== undefined
    ? RtspServer.start(options)
    : RtspServerPool.start({ ...options, workers });
}
