/** `rtsp-client` with `--step`, `--capture` and its preview, in this process: what the page does, a script does here. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { parseCommandLine } from "../../lib/client/command_line.ts";
import { runClient } from "../../lib/client/program.ts";
import type { ProtocolBatch } from "../../lib/ui/protocol_events.ts";
import { Terminal } from "../../lib/ui/terminal.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";
import { FakeTerminal } from "../ui/fake_terminal.ts";

/** The program under way. */
class Running {
  readonly terminal = new FakeTerminal();
  readonly printed: string[] = [];
  readonly exitCode: Promise<number>;
  readonly #stop = new AbortController();

  constructor(words: readonly string[], isInteractive = true) {
    this.terminal.isInteractive = isInteractive;
    const line = parseCommandLine(words);
    if (line.kind !== "run") throw new Error("It does not run");
    this.exitCode = deadline(
      runClient(line.options, {
        credentials: undefined,
        print: (text) => this.printed.push(text),
        terminal: new Terminal(this.terminal),
        stop: this.#stop.signal,
        stopNow: new AbortController().signal,
      }),
      30_000,
    );
  }

  stop(): Promise<number> {
    this.#stop.abort();
    return this.exitCode;
  }

  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (let i = 0; i < 1000; i++) {
      const found = pattern.exec(this.terminal.everything);
      if (found) return found;
      await delay(10);
    }
    throw new Error(`Never said ${pattern}: ${this.terminal.everything}`);
  }
}

interface State {
  readonly state: string;
  readonly side: string;
  readonly url: string;
  readonly film: { readonly positionSeconds: number | null; readonly isSeekable: boolean };
  readonly step: ProtocolBatch["step"];
}

class Page {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  async state(): Promise<State> {
    return await (await fetch(new URL("/state", this.#address))).json();
  }

  async post(path: string, body: unknown = {}): Promise<{ status: number; state: State }> {
    const response = await fetch(new URL(path, this.#address), {
      method: "POST",
      headers: { "content-type": "application/json", "x-preview": "1" },
      body: JSON.stringify(body),
    });
    return { status: response.status, state: await response.json() };
  }

  async until(isSo: (state: State) => boolean): Promise<State> {
    for (let i = 0; i < 500; i++) {
      const state = await this.state();
      if (isSo(state)) return state;
      await delay(10);
    }
    throw new Error(`Never so: ${JSON.stringify(await this.state())}`);
  }
}

const FILMS = {
  "long.mjpeg": labFile(sampleFrames(400)),
  "other.mjpeg": labFile(sampleFrames(400)),
};

Deno.test("rtsp-client --step sends each request when the page or the key n says so", async () => {
  await using served = await TestServer.start({}, FILMS);
  const words = [served.url("long.mjpeg"), "--step", "--preview", "0", "--transport", "tcp"];
  const running = new Running(words);
  const [address] = await running.said(/http:\/\/\S+/);
  const page = new Page(address);
  const sent: string[] = [];
  for (let i = 0; i < 4; i++) {
    const { step } = await page.until(({ step }) => step.waiting !== null);
    sent.push(step.waiting!.method);
    if (i % 2) running.terminal.type("n");
    else assertEquals((await page.post("/step")).status, 200);
    await page.until(({ step: now }) => now.waiting?.method !== step.waiting!.method);
  }
  assertEquals(sent, ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]);
  await page.until(({ state }) => state === "PLAYING");
  assertEquals((await page.post("/step")).status, 409);
  await page.post("/step-mode", { enabled: false });
  const paused = await fetch(new URL("/pause", address), { method: "POST" });
  assertEquals((await paused.json()).state, "READY");
  await running.said(/Waiting to send SETUP rtsp:/);
  assertEquals(await running.stop(), 0);
});

Deno.test("the page opens another film of the server, and jumps in it", async () => {
  await using served = await TestServer.start({}, FILMS);
  const running = new Running([served.url("long.mjpeg"), "--preview", "0"]);
  const [address] = await running.said(/http:\/\/\S+/);
  const page = new Page(address);
  const first = await page.until(({ state, film }) => state === "PLAYING" && film.isSeekable);
  assertEquals([first.side, first.url], ["client", served.url("long.mjpeg")]);
  const opened = await page.post("/open", { url: "other.mjpeg" });
  assertEquals(
    [opened.status, opened.state.state, opened.state.url],
    [200, "PLAYING", served.url("other.mjpeg")],
  );
  assertEquals((await page.post("/seek", { npt: 4 })).status, 200);
  const jumped = await page.until(({ film }) => (film.positionSeconds ?? 0) >= 4);
  assert(jumped.film.positionSeconds! < 7);
  const missing = await page.post("/open", { url: "missing.mjpeg" });
  assertEquals([missing.status, (await page.state()).state], [502, "INIT"]);
  assertEquals((await page.post("/open", { url: "http://example.org/" })).status, 400);
  assertEquals(await running.stop(), 0);
});

Deno.test("rtsp-client --capture writes a file, and says what is in it", async () => {
  await using served = await TestServer.start();
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  const words = [served.url("movie.mjpeg"), "--no-preview", "--capture", path];
  const running = new Running(words, false);
  assertEquals(await running.exitCode, 0);
  assertMatch(running.printed.join("\n"), /Captured \d+ packets to \S+\.pcapng \(\d/);
  const bytes = await Deno.readFile(path);
  assertEquals(bytes.subarray(0, 4), Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a));
  await Deno.remove(path);
});

Deno.test("rtsp-client says why it cannot capture, or step", async () => {
  const url = "rtsp://127.0.0.1:9/x";
  const unwritable = new Running([url, "--no-preview", "--capture", "/no/folder/x.pcapng"], false);
  assertEquals(await unwritable.exitCode, 1);
  assertMatch(unwritable.terminal.everything, /Cannot create "x\.pcapng"/);
  const alone = new Running([url, "--no-preview", "--step"], false);
  assertEquals(await alone.exitCode, 1);
  assertMatch(alone.terminal.everything, /Cannot step: there is neither a preview/);
});
