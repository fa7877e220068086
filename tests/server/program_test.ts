import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";

const ROOT = new URL("../../", import.meta.url);
const PROGRAM = new URL("server.ts", ROOT).pathname;

/** The program as its users start it, but for the permission of the fast path unless it is given. */
class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  readonly lines: string[] = [];
  readonly #reading: Promise<void>;

  constructor(
    args: readonly string[],
    cwd?: string,
    flags: readonly string[] = [],
    program = PROGRAM,
  ) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--unstable-net",
        "--allow-net",
        "--allow-read",
        ...flags,
        `--config=${new URL("deno.json", ROOT).pathname}`,
        program,
        ...args,
      ],
      cwd,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stderr = new Response(this.#process.stderr).text();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      this.lines.push(...parts);
    }
  }

  /** Waits for an event among the JSON lines. */
  // deno-lint-ignore no-explicit-any -- the shape of the JSON is what the test looks at
  async event(name: string): Promise<any> {
    for (let wait = 0; wait < 1000; wait++) {
      for (const line of this.lines) {
        const event = JSON.parse(line);
        if (event.event === name) return event;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no event "${name}": ${this.lines.join("\n")}`);
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async end(): Promise<{ code: number; stderr: string; stdout: string }> {
    const { code } = await this.#process.status;
    await this.#reading;
    return { code, stderr: await this.#stderr, stdout: this.lines.join("\n") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
  }
}

async function run(...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  await using program = new Program(args);
  return await program.end();
}

Deno.test("rtsp-server in an empty folder serves the built-in sample to a lab client, and Ctrl-C ends it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-" });
  try {
    await using program = new Program(["0", "--host", "127.0.0.1", "--json"], folder);
    const listening = await program.event("listening");
    assertEquals(JSON.parse(program.lines[0]).event, "listening", "the ready signal comes first");
    assertEquals(listening.address, "127.0.0.1");
    await using rtp = new UdpProbe();
    await using probe = await RtspProbe.connect(listening.port);
    await probe.send(
      `SETUP video.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${rtp.port}`,
    );
    assertMatch(await probe.text(600), /^RTSP\/1.0 200 OK/);
    await probe.send("PLAY video.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456");
    await rtp.received(5);
    program.kill("SIGINT");
    program.kill("SIGINT");
    const ended = await program.event("session-ended");
    assert(ended.frames >= 5 && ended.dialect === "lab");
    const { code, stderr } = await program.end();
    assertEquals(code, 0);
    assertMatch(stderr, /listening on 127\.0\.0\.1 port \d+: rtsp:/);
    assert(!stderr.includes("\x1b"), "no colours where there is no terminal");
    assert(await probe.ended());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("rtsp-server rehearses before anybody comes, and tells nobody of it", async () => {
  await using program = new Program(["0", "--host", "127.0.0.1", "--json", "--log-level", "debug"]);
  await program.event("listening");
  await delay(1000);
  program.kill("SIGINT");
  const { code, stderr } = await program.end();
  assertEquals(code, 0);
  const told = program.lines.filter((line) => !line.includes("UDP is sent packet by packet"));
  assertEquals(told.map((line) => JSON.parse(line).event), ["listening"]);
  assert(!stderr.includes("milliseconds longer"), stderr);
});

Deno.test("rtsp-server does without the permission for the fast path, and says so once", async () => {
  await using program = new Program(["0", "--host", "127.0.0.1", "--json"]);
  const { port } = await program.event("listening");
  await using probe = await RtspProbe.connect(port);
  await probe.ask("OPTIONS", `rtsp://127.0.0.1:${port}/video.mjpeg`);
  program.kill("SIGINT");
  const { code, stderr } = await program.end();
  assertEquals(code, 0);
  const told = stderr.split("\n").filter((line) => line.includes("packet by packet"));
  assertEquals(told.length, 1, stderr);
  assertMatch(told[0], Deno.build.os === "linux" ? /--allow-ffi/ : /this system is/);
});

Deno.test({
  name:
    "rtsp-server --workers 2 without the permission to share the port serves by one thread, and says so",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using program = new Program(["0", "--host", "127.0.0.1", "--json", "--workers", "2"]);
    const { port } = await program.event("listening");
    await using probe = await RtspProbe.connect(port);
    await probe.ask("OPTIONS", "*");
    program.kill("SIGINT");
    const { code, stderr } = await program.end();
    assertEquals(code, 0);
    assertMatch(stderr, /One thread serves: to share the port it needs the permission --allow-ffi/);
  },
});

for (const level of ["info", "warn"]) {
  Deno.test(`rtsp-server --udp portable says nothing of the fast path, log level ${level}`, async () => {
    const options = ["--udp", "portable", "--log-level", level];
    await using program = new Program(["0", "--host", "127.0.0.1", "--json", ...options]);
    await program.event("listening");
    program.kill("SIGINT");
    assert(!(await program.end()).stderr.includes("packet"));
  });
}

Deno.test("rtsp-server --udp linux without the permission ends with 1 and one sentence", async () => {
  await using program = new Program(["0", "--host", "127.0.0.1", "--udp", "linux"]);
  const { code, stderr } = await program.end();
  assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
  assertMatch(stderr, /^rtsp-server: Cannot send UDP by Linux's fast path: .+\.\n$/);
});

Deno.test({
  name: "rtsp-server ends at SIGTERM with 0",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using program = new Program(["0", "--host", "127.0.0.1", "--json"]);
    await program.event("listening");
    program.kill("SIGTERM");
    assertEquals((await program.end()).code, 0);
  },
});

Deno.test({
  name: "rtsp-server --workers 3 says goodbye to all readers at Ctrl-C, and ends with 0",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const args = ["0", "--host", "127.0.0.1", "--json", "--workers", "3"];
    await using program = new Program(args, undefined, ["--allow-ffi"]);
    const { port, url } = await program.event("listening");
    const readers: RtspProbe[] = [];
    const threads = new Set<string>();
    try {
      while (threads.size < 3) {
        const reader = await RtspProbe.connect(port);
        readers.push(reader);
        const Transport = "RTP/AVP/TCP;unicast;interleaved=0-1";
        const setup = await reader.ask("SETUP", `${url}video.mjpeg`, { Transport });
        const Session = setup.headers.get("session")!.split(";")[0];
        threads.add(Session.slice(-2));
        await reader.ask("PLAY", `${url}video.mjpeg`, { Session });
        await reader.interleaved(0, 1);
        // Threads that start on a busy machine take their time.
        await delay(Math.min(200, 5 * readers.length));
        assert(readers.length < 150, [...threads].join());
      }
      program.kill("SIGINT");
      program.kill("SIGINT");
      assertEquals((await program.end()).code, 0);
      for (const reader of readers) {
        assert(await reader.ended());
        const reports = await reader.interleaved(1, 1);
        assert(reports.at(-1)!.includes(203), "the last word is a goodbye");
      }
      const ends = program.lines.filter((line) => line.includes('"session-ended"'));
      assertEquals(ends.length, readers.length);
      await assertRejects(() => RtspProbe.connect(port));
    } finally {
      for (const reader of readers) await reader[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "rtsp-server ends with 1 and says why when one of its threads has crashed",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-" });
    try {
      // The program itself, but for a message to each worker that none can take.
      await Deno.writeTextFile(
        `${folder}/crashing.ts`,
        `globalThis.Worker = class extends Worker {
          constructor(url, options) {
            super(url, options);
            this.addEventListener("message", ({ data }) => {
              if (!data.messages?.some(({ type }) => type === "started")) return;
              this.postMessage({ type: "batch", messages: [{ type: "letter", letter: null }] });
            });
          }
        };
        const { main } = await import(${JSON.stringify(`file://${PROGRAM}`)});
        Deno.exit(await main(Deno.args));`,
      );
      const args = ["0", "--host", "127.0.0.1", "--workers", "2"];
      await using program = new Program(args, folder, ["--allow-ffi"], `${folder}/crashing.ts`);
      const { code, stderr } = await program.end();
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /rtsp-server: Thread 1 of the server has ended: .*TypeError.*\n$/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("rtsp-server says what is wrong in one sentence: 2 for usage, 1 for the system", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  try {
    const cases: [args: string[], code: number, sentence: RegExp][] = [
      [["--nonsense"], 2, /no option "--nonsense"\. Try "rtsp-server --help"\.\n$/],
      [["70000"], 2, /PORT is "70000"/],
      [["0", "--workers", "2", "--preview", "0"], 2, /works with one thread: leave out --workers/],
      [[String(port), "--host", "127.0.0.1", "--workers", "2"], 1, /in use.*another port/],
      [["0", "--users", "/nowhere/users"], 1, /no such file/],
      [["0", "--media", "/nowhere"], 1, /no such folder.*--media DIR/],
      [[String(port), "--host", "127.0.0.1"], 1, /in use.*another port/],
      [["0", "--host", "192.0.2.1"], 1, /no address of this machine.*--host/],
      [["0", "--host", "no.such.host.invalid"], 1, /no host of that name.*--host/],
    ];
    for (const [args, code, sentence] of cases) {
      const ended = await run(...args);
      assertEquals(ended.code, code, args.join(" "));
      assertMatch(ended.stderr, sentence);
      assertMatch(ended.stderr, /^rtsp-server: /);
      assertEquals(ended.stderr.trim().split("\n").length, 1, "one sentence, no stack");
    }
  } finally {
    taken.close();
  }
});

Deno.test("rtsp-server --help and --version print and end with 0", async () => {
  const help = await run("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /ffplay rtsp:/);
  const version = await run("--version");
  assertEquals(version.code, 0);
  assertMatch(version.stdout, /^rtsp-server \d+\.\d+\.\d+$/);
});

Deno.test("rtsp-server takes its users from a file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-" });
  try {
    await Deno.writeTextFile(`${folder}/users`, "# film friends\nann:secret\n");
    await using program = new Program(
      ["0", "--host", "127.0.0.1", "--json", "--users", `${folder}/users`],
      folder,
    );
    const { port, url } = await program.event("listening");
    await using probe = await RtspProbe.connect(port);
    assertEquals((await probe.ask("DESCRIBE", `${url}video.mjpeg`)).statusCode, 401);
    const Authorization = `Basic ${btoa("ann:secret")}`;
    const response = await probe.ask("DESCRIBE", `${url}video.mjpeg`, { Authorization });
    assertEquals(response.statusCode, 200);
    program.kill("SIGINT");
    const { stderr, stdout } = await program.end();
    assert(!`${stderr}${stdout}`.includes("secret"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
