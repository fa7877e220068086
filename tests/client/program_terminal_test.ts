/** The program with a person at a terminal: keys, status line, questions, the last picture. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { parseCommandLine } from "../../lib/client/command_line.ts";
import { runClient } from "../../lib/client/program.ts";
import { Terminal } from "../../lib/ui/terminal.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { Served } from "../support/served.ts";
import { FakeTerminal } from "../ui/fake_terminal.ts";

const LIMIT_MS = 20_000;

/** The program, running in this process with a terminal that the test types on. */
class Played implements AsyncDisposable {
  readonly device = new FakeTerminal();
  readonly printed: string[] = [];
  readonly code: Promise<number>;
  readonly #stop = new AbortController();
  readonly #stopNow = new AbortController();

  constructor(words: readonly string[], isInteractive = true) {
    this.device.isInteractive = isInteractive;
    const line = parseCommandLine(words);
    if (line.kind !== "run") throw new TypeError("These words run nothing");
    this.code = runClient(line.options, {
      credentials: undefined,
      print: (text) => void this.printed.push(text),
      terminal: new Terminal(this.device),
      stop: this.#stop.signal,
      stopNow: this.#stopNow.signal,
    });
  }

  async until(text: string): Promise<void> {
    const start = performance.now();
    while (!this.device.written.includes(text)) {
      if (performance.now() - start > LIMIT_MS) {
        throw new Error(`No "${text}": ${this.device.written}`);
      }
      await delay(5);
    }
    this.device.written = this.device.written.slice(
      this.device.written.indexOf(text) + text.length,
    );
  }

  interrupt(): void {
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.interrupt();
    this.#stopNow.abort();
    await deadline(this.code, LIMIT_MS);
  }
}

function serve(frames: number, options = {}): Promise<Served> {
  const film = labFile(sampleFrames(frames));
  return Served.start({ "film.mjpeg": film }, { frameRateHz: 100, ...options });
}

Deno.test("the client obeys the keys s, p, space, t and q", async () => {
  await using served = await serve(20, { loop: true });
  await using played = new Played([served.url("film.mjpeg"), "--manual", "--no-preview"]);
  const { device } = played;
  await played.until("INIT");
  device.type("p");
  await played.until("Cannot play: the state is INIT");
  for (
    const [key, state] of [["s", "READY"], ["p", "PLAYING"], [" ", "READY"], [" ", "PLAYING"], [
      "t",
      "INIT",
    ]]
  ) {
    device.type(key);
    await played.until(`State: ${state}`);
  }
  device.type("s");
  await played.until("State: READY");
  device.type("q");
  assertEquals(await deadline(played.code, LIMIT_MS), 0);
  assertEquals(device.isRaw, false);
  assertEquals(await served.server.sessions(), []);
});

Deno.test("the client keeps the last picture for a person with a preview, and plays again", async () => {
  await using served = await serve(10);
  await using played = new Played([served.url("film.mjpeg"), "--preview", "0"]);
  await played.until("The film is over");
  await played.until("State: INIT");
  const running = await Promise.race([played.code, delay(300).then(() => "running")]);
  assertEquals(running, "running");
  played.device.type("sp");
  await played.until("The film is over");
  played.device.type("q");
  assertEquals(await deadline(played.code, LIMIT_MS), 0);
  assertStringIncludes(played.printed[0], "20 frames");
});

Deno.test("the client ends with the film where nobody watches", async () => {
  await using served = await serve(10);
  for (const words of [["--preview", "0", "--json"], ["--no-preview"]]) {
    await using played = new Played([served.url("film.mjpeg"), ...words]);
    assertEquals(await deadline(played.code, LIMIT_MS), 0);
  }
  await using played = new Played([served.url("film.mjpeg"), "--preview", "0"], false);
  assertEquals(await deadline(played.code, LIMIT_MS), 0);
});

Deno.test("the client asks for name and password without an echo of the latter", async () => {
  await using served = await serve(10, { users: new Map([["ann", "hunter2"]]) });
  await using played = new Played([served.url("film.mjpeg"), "--no-preview"]);
  await played.until("User name: ");
  played.device.type("anm\x7fn\r");
  await played.until("Password: ");
  played.device.type("hunterx\x7f2\r");
  assertEquals(await deadline(played.code, LIMIT_MS), 0);
  assert(!played.device.everything.includes("hunter"));
});

Deno.test("the client can be interrupted while it asks", async () => {
  await using served = await serve(10, { users: new Map([["ann", "hunter2"]]) });
  await using played = new Played([served.url("film.mjpeg"), "--no-preview"]);
  await played.until("User name: ");
  played.interrupt();
  await deadline(played.code, LIMIT_MS);
});

Deno.test("the client connects again with --reconnect until the server is there", async () => {
  const port = await (async () => {
    await using served = await serve(10);
    return served.port;
  })();
  const line = parseCommandLine([
    `rtsp://127.0.0.1:${port}/film.mjpeg`,
    "--no-preview",
    "--reconnect",
  ]);
  assert(line.kind === "run");
  const device = new FakeTerminal();
  const options = { ...line.options, client: { ...line.options.client, reconnectDelayMs: 50 } };
  const stop = new AbortController();
  const code = runClient(options, {
    credentials: undefined,
    print: () => {},
    terminal: new Terminal(device),
    stop: stop.signal,
    stopNow: stop.signal,
  });
  try {
    while (!device.everything.includes("Connecting again")) await delay(5);
    await using _served = await serve(10, { port });
    assertEquals(await deadline(code, LIMIT_MS), 0);
  } finally {
    stop.abort();
    await code;
  }
});
