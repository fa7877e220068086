/** The program `client.ts` as a user starts it, against our own server in this process. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { Image } from "imagescript";
import { run, RunningProgram, type RunResult, textOf } from "../support/process.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { Served } from "../support/served.ts";
import { ScriptedServer } from "./scripted_server.ts";

const PROGRAM = new URL("../../client.ts", import.meta.url).pathname;
const FLAGS = ["run", "--quiet", "--allow-all", PROGRAM];
const FILM = sampleFrames(40);
const JSON_FIELDS = [
  "state",
  "frames",
  "packets",
  "bytes",
  "lost",
  "duplicates",
  "reordered",
  "late",
  "lossRatio",
  "jitterMs",
  "frameRate",
  "bitRate",
  "firstFrameMs",
  "durationSeconds",
  "errors",
];

function client(words: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  return run(Deno.execPath(), {
    args: [...FLAGS, ...words],
    env: { NO_COLOR: "1", ...env },
    timeoutMs: 60_000,
  });
}

function start(words: readonly string[]): RunningProgram {
  return new RunningProgram(Deno.execPath(), { args: [...FLAGS, ...words] });
}

function serveFilm(options = {}): Promise<Served> {
  return Served.start({ "film.mjpeg": labFile(FILM) }, { frameRateHz: 100, ...options });
}

/** The one JSON object that stands on standard output, and nothing else. */
function jsonOf(result: RunResult): Record<string, unknown> {
  const lines = textOf(result).trimEnd().split("\n");
  assertEquals(lines.length, 1, textOf(result));
  return JSON.parse(lines[0]);
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("rtsp-client --json prints one object with all statistics, for each dialect and transport", async () => {
  await using served = await serveFilm();
  const url = served.url("film.mjpeg");
  const port = String(served.port);
  const cases: [string[], Record<string, unknown>][] = [
    [[url, "--transport", "udp"], { dialect: "rtsp", transport: "udp" }],
    [[url, "--transport", "tcp"], { dialect: "rtsp", transport: "tcp" }],
    [["127.0.0.1", port, "0", "film.mjpeg"], { dialect: "rtsp", transport: "udp" }],
    [["127.0.0.1", port, "0", "film.mjpeg", "--dialect", "lab"], {
      dialect: "lab",
      transport: "udp",
    }],
  ];
  await Promise.all(cases.map(async ([words, expected]) => {
    const result = await client([...words, "--json", "--no-preview"]);
    assertEquals(result.code, 0, result.stderr);
    const summary = jsonOf(result);
    for (const field of JSON_FIELDS) assert(field in summary, field);
    const { state, frames, lost, duplicates, errors, dialect, transport } = summary;
    assertEquals({ state, frames, lost, duplicates, errors, dialect, transport }, {
      state: "INIT",
      frames: FILM.length,
      lost: 0,
      duplicates: 0,
      errors: [],
      ...expected,
    });
  }));
});

Deno.test("rtsp-client --record keeps every frame as it was, in both formats", async () => {
  await using served = await serveFilm();
  await using folder = await temporaryFolder();
  const url = served.url("film.mjpeg");
  const words = (name: string, ...more: string[]) => [
    ...["127.0.0.1", String(served.port), "0", "film.mjpeg", "--dialect", "lab", "--no-preview"],
    ...["--record", `${folder.path}/${name}`, ...more],
  ];
  const [lab, bare, standard] = await Promise.all([
    client(words("lab", "--record-format", "lab")),
    client(words("bare")),
    client([url, "--no-preview", "--record", `${folder.path}/standard`]),
  ]);
  for (const result of [lab, bare, standard]) assertEquals(result.code, 0, result.stderr);
  assertEquals(await Deno.readFile(`${folder.path}/lab`), labFile(FILM));
  const size = FILM.reduce((sum, frame) => sum + frame.length, 0);
  assertEquals((await Deno.stat(`${folder.path}/bare`)).size, size);
  assertMatch(textOf(bare), /^Played .*: 40 frames .*\nRecorded 40 frames to .*bare/);
  assert((await Deno.stat(`${folder.path}/standard`)).size > 0);
});

Deno.test("rtsp-client --png writes what imagescript makes of the frames, named by number", async () => {
  await using served = await serveFilm();
  await using folder = await temporaryFolder();
  const png = `${folder.path}/png/of/film`;
  const result = await client([
    ...[served.url("film.mjpeg"), "--no-preview", "--png", png, "--png-every", "8", "--json"],
  ]);
  assertEquals(result.code, 0, result.stderr);
  const names = [...Deno.readDirSync(png)].map((entry) => entry.name).sort();
  assertEquals(names, [1, 9, 17, 25, 33].map((n) => `frame-${String(n).padStart(6, "0")}.png`));
  for (const name of [names[0], names[4]]) {
    const index = Number(name.slice(6, 12)) - 1;
    const actual = await Image.decode(await Deno.readFile(`${png}/${name}`));
    const expected = await Image.decode(FILM[index]);
    assert(actual instanceof Image && expected instanceof Image);
    assertEquals(actual.bitmap, expected.bitmap, name);
  }
});

Deno.test("rtsp-client --frames and --duration end in time", async () => {
  await using served = await serveFilm({ loop: true });
  const url = served.url("film.mjpeg");
  const [byFrames, byTime] = await Promise.all([
    client([url, "--frames", "7", "--json", "--no-preview"]),
    client([url, "--duration", "0.5", "--json", "--no-preview"]),
  ]);
  assertEquals([byFrames.code, byTime.code], [0, 0], byFrames.stderr + byTime.stderr);
  assertEquals(jsonOf(byFrames).frames, 7);
  const seconds = Number(jsonOf(byTime).durationSeconds);
  assert(seconds > 0.4 && seconds < 1.5, String(seconds));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`rtsp-client tears down, sums up and ends with 0 on ${signal}, also when it comes three times`, async () => {
    await using served = await serveFilm({ loop: true });
    await using program = start([served.url("film.mjpeg"), "--json", "--no-preview"]);
    await program.errorMatching(/State: PLAYING/);
    for (let i = 0; i < 3; i++) program.signal(signal);
    assertEquals(await deadline(program.code, 20_000), 0);
    const summary = JSON.parse(new TextDecoder().decode(program.stdout()));
    assertEquals(summary.state, "INIT");
    assertEquals(await served.server.sessions(), []);
  });
}

Deno.test("rtsp-client shows the film and obeys the buttons of its preview", async () => {
  await using served = await serveFilm({ loop: true });
  await using program = start([served.url("film.mjpeg"), "--manual", "--preview", "0"]);
  const [, address] = await program.errorMatching(/Preview: (http:\S+)/);
  const state = async () => (await (await fetch(`${address}state`)).json()).state;
  const press = async (verb: string) => {
    const response = await fetch(address + verb, { method: "POST" });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await state(), "INIT");
  assertEquals(await press("play"), 409);
  for (
    const [verb, next] of [
      ["setup", "READY"],
      ["play", "PLAYING"],
      ["pause", "READY"],
      ["play", "PLAYING"],
      ["teardown", "INIT"],
      ["setup", "READY"],
      ["play", "PLAYING"],
    ]
  ) {
    assertEquals(await press(verb), 200, verb);
    assertEquals(await state(), next);
  }
  while ((await (await fetch(`${address}state`)).json()).frames < 3);
  const snapshot = await fetch(`${address}snapshot.png`);
  assertEquals(snapshot.headers.get("content-type"), "image/png");
  await snapshot.body?.cancel();
  program.signal("SIGINT");
  assertEquals(await deadline(program.code, 20_000), 0);
  assertStringIncludes(new TextDecoder().decode(program.stdout()), "Played rtsp://");
});

Deno.test("rtsp-client takes the next port for the preview and says which", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  try {
    await using served = await serveFilm();
    const words = ["--preview", String(port), "--frames", "1", "--json"];
    const result = await client([served.url("film.mjpeg"), ...words]);
    assertEquals(result.code, 0, result.stderr);
    const [, other] = /Preview: http:\/\/127\.0\.0\.1:(\d+)\/ \(port \d+ is in use\)/.exec(
      result.stderr,
    )!;
    assert(Number(other) > port);
  } finally {
    taken.close();
  }
});

Deno.test("rtsp-client fails with 1 and one sentence that says what to do", async () => {
  await using served = await serveFilm({ users: new Map([["ann", "hunter2"]]) });
  await using silent = ScriptedServer.listen(async (peer) => void await peer.request());
  const port = silent.port;
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  free.close();
  const cases: [string[], Record<string, string>, RegExp][] = [
    [[`rtsp://127.0.0.1:${free.addr.port}/x`], {}, /Cannot connect to 127\.0\.0\.1 port \d+/],
    [[served.url("film.mjpeg")], {}, /wants a user name and a password \(401 .*RTSP_USER/],
    [[served.url("film.mjpeg", "ann:wrong")], {}, /refuses this user name and password \(401/],
    [
      [served.url("none.mjpeg")],
      { RTSP_USER: "ann", RTSP_PASSWORD: "hunter2" },
      /no film of that name \(404/,
    ],
    [
      [`rtsp://127.0.0.1:${port}/x`, "--dialect", "rtsp", "--timeout", "0.3"],
      {},
      /gives no answer/,
    ],
  ];
  await Promise.all(cases.map(async ([words, env, pattern]) => {
    const result = await client([...words, "--no-preview", "--json"], env);
    assertEquals(result.code, 1, result.stderr);
    assertMatch(result.stderr, pattern);
    const { errors } = jsonOf(result) as { errors: string[] };
    assertEquals(errors.length, 1);
    assertMatch(errors[0], pattern);
    assert(!/hunter2|wrong/.test(result.stderr + textOf(result)), result.stderr);
  }));
});

Deno.test("rtsp-client logs in with RTSP_USER and RTSP_PASSWORD", async () => {
  await using served = await serveFilm({ users: new Map([["ann", "hunter2"]]) });
  const env = { RTSP_USER: "ann", RTSP_PASSWORD: "hunter2" };
  const result = await client([served.url("film.mjpeg"), "--frames", "3", "--no-preview"], env);
  assertEquals(result.code, 0, result.stderr);
  assert(!(result.stderr + textOf(result)).includes("hunter2"));
});

Deno.test("rtsp-client exits with 2 and names the mistake of a wrong command line", async () => {
  const cases: [string[], string][] = [
    [[], "got 0 words"],
    [["127.0.0.1"], "rtsp:// URL"],
    [["127.0.0.1", "0", "5008", "x"], 'PORT is "0": it must be a whole number from 1 to 65535'],
    [["127.0.0.1", "1025", "65536", "x"], 'RTP_PORT is "65536"'],
    [["rtsp://h/x", "--colour"], 'There is no option "--colour"'],
    [["rtsp://h/x", "--latency", "soon"], '--latency is "soon": it must be a number'],
    [
      ["rtsp://h/x", "--transport", "pigeon"],
      '--transport is "pigeon": it must be auto, udp or tcp',
    ],
    [["rtsp://h/x", "--record"], "--record needs a value: --record FILE"],
    [["rtsp://h:99999/x"], "port is 99999"],
    [["rtsp://h/x", "--no-preview", "--open"], "leave one out"],
  ];
  await Promise.all(cases.map(async ([words, sentence]) => {
    const result = await client(words);
    assertEquals(result.code, 2, words.join(" "));
    assertStringIncludes(result.stderr, sentence);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1);
    assertEquals(textOf(result), "");
  }));
});

Deno.test("rtsp-client --help and --version answer on standard output", async () => {
  const [help, version] = await Promise.all([client(["--help"]), client(["-V"])]);
  assertEquals([help.code, version.code], [0, 0]);
  assertStringIncludes(textOf(help), "rtsp-client 127.0.0.1 1025 5008 video.mjpeg");
  assertMatch(textOf(version), /^rtsp-client \d+\.\d+\.\d+/);
});

Deno.test("rtsp-client --describe prints the description and nothing else", async () => {
  await using served = await serveFilm();
  const result = await client([served.url("film.mjpeg"), "--describe"]);
  assertEquals(result.code, 0, result.stderr);
  assertMatch(textOf(result), /^v=0\n[^]*m=video 0 RTP\/AVP 26/);
});
