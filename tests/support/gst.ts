/**
 * GStreamer as a peer: a server to play from and a player to serve.
 *
 * @module
 */
import { run, RunningProgram } from "./process.ts";
import { PYTHON } from "./programs.ts";

/** How the GStreamer server is to behave. */
export interface GstServerOptions {
  /** Which lower transports it allows. @default {"both"} */
  readonly transport?: "both" | "udp" | "tcp";
  /** Which credentials it asks for; the user is `user`, the password `secret`. @default {"none"} */
  readonly auth?: "none" | "basic" | "digest";
  /** Whether all clients see one pipeline. @default {false} */
  readonly isShared?: boolean;
  /** RTP payload type. @default {26} */
  readonly payloadType?: number;
  /** Session timeout in seconds. @default {60} */
  readonly timeoutSeconds?: number;
}

/** A GStreamer RTSP server with one film at `/live`; `await using` ends it. */
export class GstServer implements AsyncDisposable {
  /** Its TCP port on 127.0.0.1. */
  readonly port: number;
  readonly #program: RunningProgram;

  private constructor(program: RunningProgram, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Starts the server with a Matroska file of Motion-JPEG and waits until it listens. */
  static async start(matroskaPath: string, options: GstServerOptions = {}): Promise<GstServer> {
    const script = new URL("./gst_server.py", import.meta.url).pathname;
    const program = new RunningProgram(PYTHON, {
      args: [
        script,
        matroskaPath,
        ...["--transport", options.transport ?? "both"],
        ...["--auth", options.auth ?? "none"],
        ...["--payload-type", String(options.payloadType ?? 26)],
        ...["--timeout", String(options.timeoutSeconds ?? 60)],
        ...(options.isShared ? ["--shared"] : []),
      ],
    });
    try {
      const [, port] = await program.outputMatching(/^PORT (\d+)$/m, 60_000);
      return new GstServer(program, Number(port));
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The film's URL, with the credentials it asks for when `user` is given. */
  url(user?: string): string {
    return `rtsp://${user === undefined ? "" : `${user}@`}127.0.0.1:${this.port}/live`;
  }

  /** How often this word is in what the server wrote: `CLIENT` for a connection, `TEARDOWN` for an end. */
  count(word: "CLIENT" | "TEARDOWN"): number {
    const output = new TextDecoder().decode(this.#program.stdout());
    return output.split("\n").filter((line) => line === word).length;
  }

  /** Ends the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** What a GStreamer player did. */
export interface GstPlay {
  /** The JPEG frames in order of arrival, as rebuilt by `rtpjpegdepay`. */
  readonly frames: readonly Uint8Array[];
  /** Number of frames that had come when each action was done. */
  readonly framesAfter: readonly number[];
  /** What went wrong, if something did. */
  readonly error: string | undefined;
}

/** Plays a URL with GStreamer and does the actions, as `gst_player.py` describes them. */
export async function playWithGst(
  url: string,
  actions: readonly string[],
  options: { protocols?: string; latencyMs?: number; limitSeconds?: number } = {},
): Promise<GstPlay> {
  const script = new URL("./gst_player.py", import.meta.url).pathname;
  const output = await Deno.makeTempFile({ prefix: "deno-rtsp-gst-" });
  const limitSeconds = options.limitSeconds ?? 60;
  try {
    const result = await run(PYTHON, {
      args: [
        ...[script, url, output, ...actions],
        ...["--protocols", options.protocols ?? "tcp+udp-mcast+udp"],
        ...["--latency", String(options.latencyMs ?? 300)],
        ...["--limit", String(limitSeconds)],
      ],
      timeoutMs: (actions.length + 1) * limitSeconds * 1_000,
    });
    const lines = new TextDecoder().decode(result.stdout).split("\n").filter((line) => line !== "");
    const said = lines.map((line) => JSON.parse(line));
    const bytes = await Deno.readFile(output);
    let end = 0;
    const frames = said.filter((entry) => entry.frame !== undefined)
      .map(({ frame }) => bytes.subarray(end, end += frame));
    const error = said.find((entry) => entry.error !== undefined)?.error ??
      (result.code === 0 ? undefined : `code ${result.code}: ${result.stderr.slice(-2_000)}`);
    const framesAfter = said.filter((entry) => entry.action !== undefined)
      .map((entry) => entry.frames);
    return { frames, framesAfter, error };
  } finally {
    await Deno.remove(output);
  }
}
