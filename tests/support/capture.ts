/**
 * Captures what goes over the loopback device and lets tshark take it apart.
 *
 * @module
 */
import { includesNeedle } from "@std/bytes";
import { RunningProgram, runOk, textOf } from "./process.ts";

/** A capture under way; `await using` ends it and removes its file. */
export class Capture implements AsyncDisposable {
  readonly #path: string;
  readonly #program: RunningProgram;
  readonly #rtspPort: number;
  readonly #knocker: Deno.DatagramConn;
  #isOver = false;

  private constructor(
    path: string,
    program: RunningProgram,
    rtspPort: number,
    knocker: Deno.DatagramConn,
  ) {
    this.#path = path;
    this.#program = program;
    this.#rtspPort = rtspPort;
    this.#knocker = knocker;
  }

  /** Captures one RTSP port and a range of UDP ports on the loopback device; resolves when it has begun. */
  static async start(
    rtspPort: number,
    rtpPorts: readonly [first: number, last: number],
  ): Promise<Capture> {
    const path = await Deno.makeTempFile({ prefix: "deno-rtsp-capture-", suffix: ".pcapng" });
    const knocker = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = knocker.addr as Deno.NetAddr;
    const program = new RunningProgram("tshark", {
      args: [
        ...["-i", "lo", "-q", "-B", "32", "-w", path],
        ...[
          "-f",
          `tcp port ${rtspPort} or udp portrange ${rtpPorts.join("-")} or udp port ${port}`,
        ],
      ],
    });
    const capture = new Capture(path, program, rtspPort, knocker);
    try {
      await program.errorMatching(/Capturing on/, 30_000);
      await capture.#knock();
      return capture;
    } catch (error) {
      await capture[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends the capture; only then it can be read. */
  async stop(): Promise<void> {
    await this.#knock();
    await this.#end("SIGINT");
  }

  /** Values of the fields in every packet that passes the display filter, one array a packet. */
  async fields(filter: string, ...names: string[]): Promise<string[][]> {
    const result = await runOk("tshark", {
      args: [
        ...["-r", this.#path, "-2", "-d", `tcp.port==${this.#rtspPort},rtsp`],
        ...["-Y", filter, "-T", "fields", ...names.flatMap((name) => ["-e", name])],
      ],
    });
    return textOf(result).split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
  }

  /** Ends the capture and removes its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM");
    await Deno.remove(this.#path);
  }

  async #end(signal: Deno.Signal): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#program.signal(signal);
    const limit = setTimeout(() => this.#program.end(), 10_000);
    await this.#program.code;
    clearTimeout(limit);
    this.#knocker.close();
  }

  /**
   * Sends a datagram of its own until it stands in the file: what is sent after it will be there, and what was sent
   * before it is. tshark says "Capturing" too early, and what it has not yet written when it ends is lost.
   */
  async #knock(): Promise<void> {
    const mark = crypto.getRandomValues(new Uint8Array(16));
    for (let attempt = 0; attempt < 300; attempt++) {
      await this.#knocker.send(mark, this.#knocker.addr as Deno.NetAddr);
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (includesNeedle(await Deno.readFile(this.#path), mark)) return;
    }
    throw new Error("Cannot capture on lo: no packet in 30 s");
  }
}
