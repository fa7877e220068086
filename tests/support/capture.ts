/**
 * Captures what goes over the loopback device and lets tshark take it apart.
 *
 * @module
 */
import { RunningProgram, runOk, textOf } from "./process.ts";

/** A capture under way; `await using` ends it and removes its file. */
export class Capture implements AsyncDisposable {
  readonly #path: string;
  readonly #program: RunningProgram;
  readonly #rtspPort: number;

  private constructor(path: string, program: RunningProgram, rtspPort: number) {
    this.#path = path;
    this.#program = program;
    this.#rtspPort = rtspPort;
  }

  /** Captures TCP of one RTSP port and all of UDP on the loopback device; resolves when it has begun. */
  static async start(rtspPort: number): Promise<Capture> {
    const path = await Deno.makeTempFile({ prefix: "deno-rtsp-capture-", suffix: ".pcapng" });
    const program = new RunningProgram("tshark", {
      args: [
        ...["-i", "lo", "-q", "-B", "32", "-w", path],
        ...["-f", `tcp port ${rtspPort} or (udp and not port 53)`],
      ],
    });
    try {
      await program.errorMatching(/Capturing on/, 30_000);
      const capture = new Capture(path, program, rtspPort);
      await capture.#begun();
      return capture;
    } catch (error) {
      await program[Symbol.asyncDispose]();
      await Deno.remove(path);
      throw error;
    }
  }

  /** Ends the capture; only then it can be read. */
  async stop(): Promise<void> {
    this.#program.signal("SIGINT");
    await this.#program.code;
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
    await this.#program[Symbol.asyncDispose]();
    await Deno.remove(this.#path);
  }

  /** "Capturing on" is written before the first packet can be seen: knock until the file grows behind its head. */
  async #begun(): Promise<void> {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    let headSize = 0;
    try {
      for (let attempt = 0; attempt < 200; attempt++) {
        await socket.send(new Uint8Array(1), socket.addr as Deno.NetAddr);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const { size } = await Deno.stat(this.#path);
        if (headSize === 0) headSize = size;
        else if (size > headSize + 200) return;
      }
    } finally {
      socket.close();
    }
    throw new Error("Cannot capture on lo: no packet in 20 s");
  }
}
