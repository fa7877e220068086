/**
 * The built executables, not the sources: made once by `deno task build`'s own program into a folder of this test,
 * then run as a user would, in an empty folder, without Deno or Node in PATH and, where the system lets us, without
 * a network.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../../tools/repository.ts";
import {
  run,
  RunningProgram,
  type RunOptions,
  type RunResult,
  textOf,
} from "../support/process.ts";
import { RtspProbe } from "../support/rtsp_probe.ts";

/** All that the header of a packed executable calls, and nothing else. */
const SHELL_TOOLS = ["sh", "tail", "gzip", "tar", "find", "id", "mkdir", "mv", "rm"];
const FRAMES = 20;

let folder = "";
let builtWith: RunResult;
let isPacked = false;

Deno.test.beforeAll(async () => {
  folder = Deno.makeTempDirSync({ prefix: "deno-rtsp-test-" });
  builtWith = await build("--outdir", folder);
  const head = new TextDecoder().decode(Deno.readFileSync(`${folder}/rtsp-server`).subarray(0, 9));
  isPacked = head === "#!/bin/sh";
  Deno.mkdirSync(`${folder}/bin`);
  for (const tool of SHELL_TOOLS) Deno.symlinkSync(await whereIs(tool), `${folder}/bin/${tool}`);
  for (const name of ["empty", "cache"]) Deno.mkdirSync(`${folder}/${name}`);
});

Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

Deno.test("build makes both executables and says how", () => {
  assertEquals(builtWith.code, 0, builtWith.stderr);
  for (const name of ["rtsp-server", "rtsp-client"]) {
    assertStringIncludes(textOf(builtWith), `${folder}/${name}`);
    assert(Deno.statSync(`${folder}/${name}`).mode! & 0o111, "executable");
  }
  const announcement =
    "deno compile cannot download its runtime base here: packing self-extracting executables instead";
  assertEquals(builtWith.stderr.includes(announcement), isPacked);
});

Deno.test("build --strict makes a missing runtime base an error", async () => {
  const strict = Deno.makeTempDirSync({ dir: folder });
  const result = await build("--strict", "--outdir", strict);
  assertEquals(result.code, isPacked ? 1 : 0, result.stderr);
  assertEquals([...Deno.readDirSync(strict)].length, isPacked ? 0 : 2);
});

Deno.test("build packs the same octets each time", async () => {
  const second = Deno.makeTempDirSync({ dir: folder });
  await build("--pack", "--outdir", second);
  const hash = async (path: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(path))).toHex();
  const third = isPacked ? folder : Deno.makeTempDirSync({ dir: folder });
  if (!isPacked) await build("--pack", "--outdir", third);
  assertEquals(await hash(`${second}/rtsp-client`), await hash(`${third}/rtsp-client`));
});

Deno.test("build refuses an argument that it does not know", async () => {
  const result = await build("--fast");
  assertEquals(result.code, 2);
  assertStringIncludes(result.stderr, `Unknown argument "--fast"`);
});

for (const name of ["rtsp-server", "rtsp-client"]) {
  Deno.test(`${name} --version and --help work in an empty folder, alone`, async () => {
    const version = await built(name, ["--version"]);
    assertEquals([version.code, version.stderr], [0, ""]);
    assertEquals(textOf(version), `${name} ${config.version}\n`);
    const help = await built(name, ["--help"]);
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(textOf(help), "--version");
    assertEquals([...Deno.readDirSync(`${folder}/empty`)], []);
  });

  Deno.test(`${name} gets its arguments as they were written, and says what is wrong with them`, async () => {
    const odd = `--x "it's" $HOME * \\`;
    const result = await built(name, [odd]);
    assertEquals(result.code, 2, result.stderr);
    assertStringIncludes(result.stderr, odd);
    assertEquals(result.stderr.trim().split("\n").length, 1, result.stderr);
    assertEquals((await built(name, ["", ""])).code, 2, "empty arguments are arguments");
  });
}

Deno.test("rtsp-server exits with 1 where its port is taken", async () => {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const result = await built("rtsp-server", [String(port)]);
  assertEquals(result.code, 1, result.stderr);
  assertStringIncludes(result.stderr, String(port));
});

Deno.test("rtsp-client exits with 1 where nobody listens", async () => {
  const result = await built("rtsp-client", ["127.0.0.1", String(freePort()), "0", "video.mjpeg"]);
  assertEquals(result.code, 1, result.stderr);
});

Deno.test("rtsp-server and rtsp-client do the main job in an empty folder", async () => {
  const port = freePort();
  await using server = start("rtsp-server", [String(port)]);
  await listening(port);
  const client = await built("rtsp-client", mainJob(port));
  assertEquals(client.code, 0, client.stderr);
  const summary = JSON.parse(textOf(client));
  assertEquals([summary.frames, summary.lost, summary.duplicates], [FRAMES, 0, 0]);
  const hasThread = !client.stderr.includes("UDP is received without a thread of its own");
  assertEquals(hasThread, Deno.build.os === "linux", client.stderr);
  server.signal("SIGINT");
  assertMatch(String(await server.code), /^(0|130)$/);
  assertEquals([...Deno.readDirSync(`${folder}/empty`)], []);
});

Deno.test({
  name: "rtsp-server --workers 2 brings its second thread along",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const port = freePort();
    await using server = start("rtsp-server", [String(port), "--workers", "2"]);
    await listening(port);
    const threads = new Set<string>();
    for (let attempt = 0; threads.size < 2; attempt++) {
      assert(attempt < 200, `all sessions are with thread ${[...threads]}`);
      await using probe = await RtspProbe.connect(port);
      const Transport = "RTP/AVP/TCP;unicast;interleaved=0-1";
      const setup = await probe.ask("SETUP", `rtsp://127.0.0.1:${port}/video.mjpeg`, { Transport });
      threads.add(setup.headers.get("session")!.split(";")[0].slice(-2));
    }
    server.signal("SIGINT");
    assertMatch(String(await server.code), /^(0|130)$/);
  },
});

Deno.test("rtsp-client shows the film to a browser and writes PNG files", async () => {
  const port = freePort();
  await using server = start("rtsp-server", [String(port), "--loop"]);
  await listening(port);
  const pictures = `${folder}/pictures`;
  const preview = `127.0.0.1:${freePort()}`;
  await using client = start("rtsp-client", [
    `rtsp://127.0.0.1:${port}/video.mjpeg`,
    ...["--png", pictures, "--preview", preview],
  ]);
  await client.errorMatching(/State: PLAYING/);
  const page = await (await fetch(`http://${preview}/`)).text();
  assertMatch(page, />Setup</);
  const png = new Uint8Array(await (await fetch(`http://${preview}/snapshot.png`)).arrayBuffer());
  assertEquals(png.subarray(1, 4), new TextEncoder().encode("PNG"));
  client.signal("SIGINT");
  assertEquals(await client.code, 0, new TextDecoder().decode(client.stderr()));
  const first = Deno.readFileSync(`${pictures}/frame-000001.png`);
  assertEquals(first.subarray(1, 4), new TextEncoder().encode("PNG"));
  server.signal("SIGINT");
  await server.code;
});

Deno.test("rtsp-server ends on SIGTERM", async () => {
  const port = freePort();
  await using server = start("rtsp-server", [String(port)]);
  await listening(port);
  server.signal("SIGTERM");
  assertMatch(String(await server.code), /^(0|143)$/);
});

Deno.test("rtsp-client says goodbye and sums up on SIGINT", async () => {
  const port = freePort();
  await using server = start("rtsp-server", [String(port), "--loop"]);
  await listening(port);
  await using client = start("rtsp-client", [
    `rtsp://127.0.0.1:${port}/video.mjpeg`,
    "--json",
    "--no-preview",
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  client.signal("SIGINT");
  assertMatch(String(await client.code), /^(0|130)$/);
  const summary = JSON.parse(new TextDecoder().decode(client.stdout()));
  assert(summary.frames > 0);
  server.signal("SIGINT");
  await server.code;
});

Deno.test({
  name: "rtsp-server and rtsp-client need no network but the loopback",
  ignore: !await canUnshare(),
  fn: async () => {
    const environment = Object.entries(variables()).map(([name, value]) => `${name}='${value}'`);
    const program = (name: string) => `env -i ${environment.join(" ")} '${folder}/${name}'`;
    const script = `ip link set lo up
      ${program("rtsp-server")} 8554 & server=$!
      sleep 1
      ${program("rtsp-client")} ${mainJob(8554).join(" ")}; code=$?
      kill -INT $server; wait $server; exit $code`;
    const result = await run("unshare", {
      args: ["-rn", "sh", "-c", script],
      cwd: `${folder}/empty`,
    });
    assertEquals(result.code, 0, result.stderr);
    assertEquals(JSON.parse(textOf(result)).frames, FRAMES);
  },
});

Deno.test("a packed executable that was cut or altered is refused", async () => {
  if (!isPacked) return;
  const whole = Deno.readFileSync(`${folder}/rtsp-client`);
  const altered = whole.slice();
  altered[whole.length >> 1] ^= 1;
  for (
    const [what, octets] of [["cut", whole.subarray(0, whole.length >> 1)], [
      "altered",
      altered,
    ]] as const
  ) {
    const cache = Deno.makeTempDirSync({ dir: folder });
    Deno.writeFileSync(`${folder}/${what}`, octets, { mode: 0o755 });
    const environment = { HOME: cache, TMPDIR: cache };
    const result = await built(what, ["--version"], { environment });
    assertEquals(result.code, 126, what);
    assertStringIncludes(result.stderr, "rtsp-client: Cannot unpack into a cache folder");
    const left = [...Deno.readDirSync(`${cache}/.cache/deno-rtsp`)];
    assertEquals(left, [], "nothing half unpacked is left");
  }
});

Deno.test("packed executables may start for the first time all at once, and share one folder", async () => {
  if (!isPacked) return;
  const cache = `${folder}/it's "a cache" $HOME`;
  Deno.mkdirSync(cache);
  const environment = { XDG_CACHE_HOME: cache };
  const names = ["rtsp-server", "rtsp-client", "rtsp-client"];
  const results = await Promise.all(
    names.map((name) => built(name, ["--version"], { environment })),
  );
  assertEquals(results.map((result) => [result.code, result.stderr]), names.map(() => [0, ""]));
  assertEquals([...Deno.readDirSync(`${cache}/deno-rtsp`)].length, 1);
});

Deno.test("packed executables run under every POSIX shell here, and through a link", async () => {
  if (!isPacked) return;
  Deno.symlinkSync(`${folder}/rtsp-server`, `${folder}/a link`);
  for (const shell of [["dash"], ["bash", "--posix"], ["busybox", "sh"]]) {
    if ((await run("which", { args: [shell[0]] })).code !== 0) continue;
    const [program, ...args] = shell;
    const environment = Object.entries(variables()).map(([name, value]) => `${name}=${value}`);
    const result = await run("env", {
      args: [
        "-i",
        ...environment,
        await whereIs(program),
        ...args,
        `${folder}/a link`,
        "--version",
      ],
    });
    assertEquals(
      [result.code, textOf(result)],
      [0, `rtsp-server ${config.version}\n`],
      shell.join(" "),
    );
  }
});

function build(...args: string[]): Promise<RunResult> {
  const task = ["task", "--quiet", "build", ...args];
  return run(Deno.execPath(), { args: task, cwd: ROOT, timeoutMs: 300_000 });
}

/** The only variables a built program gets here: no Deno and no Node in PATH, a cache of its own. */
function variables(more: Record<string, string> = {}): Record<string, string> {
  const cache = Object.keys(more).length === 0 ? { XDG_CACHE_HOME: `${folder}/cache` } : more;
  return { PATH: `${folder}/bin`, ...cache };
}

function commandOf(
  name: string,
  args: readonly string[],
  more?: Record<string, string>,
): RunOptions {
  const environment = Object.entries(variables(more)).map(([key, value]) => `${key}=${value}`);
  return { args: ["-i", ...environment, `${folder}/${name}`, ...args], cwd: `${folder}/empty` };
}

function built(
  name: string,
  args: readonly string[],
  options: { environment?: Record<string, string> } = {},
): Promise<RunResult> {
  return run("env", commandOf(name, args, options.environment));
}

/** `env` becomes the program, as the program's header does, so signals reach it by this process id. */
function start(name: string, args: readonly string[]): RunningProgram {
  return new RunningProgram("env", commandOf(name, args));
}

function mainJob(port: number): string[] {
  const lab = ["127.0.0.1", String(port), "0", "video.mjpeg"];
  return [...lab, "--no-preview", "--json", "--frames", String(FRAMES)];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Cannot connect to port ${port} in 10 s`);
}

async function whereIs(tool: string): Promise<string> {
  return textOf(await run("which", { args: [tool] })).trim();
}

async function canUnshare(): Promise<boolean> {
  try {
    return (await run("unshare", { args: ["-rn", "ip", "link", "set", "lo", "up"] })).code === 0;
  } catch {
    return false;
  }
}
