import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { JpegFormatError, StateError, StatusError, TransportError } from "../../lib/errors.ts";
import {
  createPreviewHandler,
  type PreviewHandler,
  type PreviewOptions,
} from "../../lib/ui/preview.ts";
import { PAGE_FILES } from "../../lib/ui/page_files.ts";
import { FakePlayer } from "./fake_player.ts";

const PNG = Uint8Array.of(0x89, 0x50);

function makePreview(options: Partial<PreviewOptions> = {}) {
  const player = new FakePlayer();
  const handler = createPreviewHandler(player, {
    png: () => Promise.resolve(PNG),
    allowedHosts: ["localhost", "127.0.0.1", "[::1]"],
    ...options,
  });
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    handler(new Request(`http://localhost:8080${path}`, { method, headers }));
  return { player, handler, send, get: (path: string) => send("GET", path) };
}

Deno.test("createPreviewHandler() serves the page and its parts", async () => {
  const { get } = makePreview();
  const types = {
    "/": "text/html; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/theme.css": "text/css; charset=utf-8",
    "/page.js": "text/javascript; charset=utf-8",
    "/video.js": "text/javascript; charset=utf-8",
    "/sparkline.js": "text/javascript; charset=utf-8",
    "/page.svg": "image/svg+xml",
  };
  for (const [path, type] of Object.entries(types)) {
    const response = await get(path);
    assertEquals([response.status, response.headers.get("content-type")], [200, type]);
    assert((await response.text()).length > 100);
  }
});

Deno.test("createPreviewHandler() serves a page that needs nothing from elsewhere and nothing inline", async () => {
  const { get } = makePreview();
  const html = await (await get("/")).text();
  for (const [, target] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
    assertMatch(target, /^\/[a-z_.\/]+$/);
    if (target.startsWith("/stream") || target.startsWith("/export/")) continue;
    const status = (await get(target)).status;
    assert(status === 200 || (target.startsWith("/snapshot") && status === 503), target);
  }
  assert(!/<script>|<style|\sstyle=|\son[a-z]+=/.test(html));
  const scripts = PAGE_FILES.filter(({ path }) => path.endsWith(".js") && path !== "/uplot.js");
  const script = scripts.map(({ text }) => text).join("\n");
  assert(!/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(/.test(script));
  for (const [, name] of script.matchAll(/ from "\.(\/[^"]+)"/g)) {
    assertEquals((await get(name)).status, 200);
  }
  for (const id of script.matchAll(/(?:element|setText)\("([^"]+)"/g)) {
    assertStringIncludes(html, `id="${id[1]}"`, id[0]);
  }
});

Deno.test("createPreviewHandler() sends its security headers with every answer", async () => {
  const { player, get, send, handler } = makePreview();
  player.receive(Uint8Array.of(1));
  const responses = [
    await get("/"),
    await get("/stream.mjpeg"),
    await get("/events"),
    await get("/state"),
    await get("/snapshot.jpg"),
    await get("/snapshot.png"),
    await get("/nothing"),
    await send("POST", "/setup"),
    await send("POST", "/setup"),
    await send("POST", "/"),
    await send("GET", "/", { origin: "http://evil.example" }),
  ];
  for (const { headers, body } of responses) {
    assertStringIncludes(headers.get("content-security-policy")!, "default-src 'none'");
    assert(!headers.get("content-security-policy")!.includes("unsafe"));
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
    assertEquals(headers.get("cache-control"), "no-store");
    await body?.cancel();
  }
  handler.close();
});

Deno.test("createPreviewHandler() answers 404, and 405 with Allow", async () => {
  const { send } = makePreview();
  assertEquals((await send("GET", "/nothing")).status, 404);
  assertEquals((await send("GET", "/page.css/..%2f..%2fetc/passwd")).status, 404);
  for (const path of ["/", "/state", "/events", "/stream.mjpeg", "/snapshot.jpg", "/page.js"]) {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await send(method, path);
      assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
    }
  }
  for (const path of ["/setup", "/play", "/pause", "/teardown"]) {
    for (const method of ["GET", "HEAD", "PUT"]) {
      const response = await send(method, path);
      assertEquals([response.status, response.headers.get("allow")], [405, "POST"]);
    }
  }
});

Deno.test("createPreviewHandler() answers HEAD without a body and without a stream", async () => {
  const { player, send } = makePreview();
  player.receive(Uint8Array.of(1, 2, 3));
  for (
    const path of ["/", "/state", "/events", "/stream.mjpeg", "/snapshot.jpg", "/snapshot.png"]
  ) {
    const response = await send("HEAD", path);
    assertEquals([path, response.status, response.body], [path, 200, null]);
    assert(response.headers.get("content-type"));
  }
  assertEquals(player.frameListeners.size, 0);
  assertEquals(player.changeListeners.size, 0);
});

Deno.test("createPreviewHandler() refuses foreign hosts, origins and sites", async () => {
  const { player, send, handler } = makePreview();
  const refused: [string, string, Record<string, string>][] = [
    ["GET", "/", { host: "evil.example" }],
    ["GET", "/", { host: "evil.example:8080" }],
    ["GET", "/state", { host: "localhost.evil.example:8080" }],
    ["GET", "/state", { host: "192.0.2.1:8080" }],
    ["POST", "/setup", { host: "localhost:8080", origin: "http://evil.example" }],
    ["POST", "/setup", { host: "localhost:8080", origin: "null" }],
    ["POST", "/setup", { host: "localhost:8080", origin: "http://localhost:9999" }],
    ["POST", "/setup", { host: "localhost:8080", "sec-fetch-site": "cross-site" }],
    ["POST", "/setup", { host: "localhost:8080", "sec-fetch-site": "same-site" }],
    ["GET", "/stream.mjpeg", { host: "localhost:8080", "sec-fetch-site": "cross-site" }],
    ["GET", "/snapshot.jpg", {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    }],
    ["GET", "/", {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "iframe",
    }],
  ];
  for (const [method, path, headers] of refused) {
    const response = await send(method, path, headers);
    assertEquals(response.status, 403, JSON.stringify([method, path, headers]));
    assertMatch(await response.text(), /^Refused: .*\n$/);
  }
  assertEquals(player.commands, []);
  // A request says where it goes in its address too.
  assertEquals((await handler(new Request("http://evil.example:8080/"))).status, 403);
});

Deno.test("createPreviewHandler() welcomes its own page, programs, and a link to the page", async () => {
  const { send, player, handler } = makePreview();
  const welcome: [string, string, Record<string, string>][] = [
    ["GET", "/", {}],
    ["GET", "/", { host: "127.0.0.1:8080" }],
    ["GET", "/", { host: "[::1]:8080" }],
    ["GET", "/", { host: "LOCALHOST" }],
    ["GET", "/state", { host: "localhost:8080", "sec-fetch-site": "same-origin" }],
    ["GET", "/snapshot.jpg", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
    ["POST", "/setup", { host: "localhost:8080", origin: "http://localhost:8080" }],
    ["GET", "/", {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    }],
  ];
  player.receive(Uint8Array.of(1));
  for (const [method, path, headers] of welcome) {
    const response = await send(method, path, headers);
    assertEquals(response.status, 200, JSON.stringify([method, path, headers]));
    await response.body?.cancel();
  }
  handler.close();
});

Deno.test("GET /state tells state, allowed commands, statistics and the newest frame", async () => {
  const { player, get } = makePreview();
  const first = await (await get("/state")).json();
  assertEquals([first.state, first.allowed, first.frame], ["INIT", ["setup"], null]);
  player.state = "PLAYING";
  player.statistics = { packets: 12, lost: 3, lossRatio: 0.2, url: "<script>alert(1)</script>" };
  player.receive(new Uint8Array(77), 5);
  const state = await (await get("/state")).json();
  assertEquals([state.state, state.packets, state.lost, state.lossRatio], ["PLAYING", 12, 3, 0.2]);
  assertEquals(state.frame, { number: 5, timestamp: 18_000, bytes: 77 });
  assertEquals(state.url, "<script>alert(1)</script>"); // text, and served as JSON with nosniff
});

Deno.test("POST /setup … /teardown carry out commands and answer with the new state", async () => {
  const { player, send } = makePreview();
  const states: string[] = [];
  for (const verb of ["setup", "play", "pause", "play", "teardown"]) {
    const response = await send("POST", `/${verb}`);
    assertEquals(response.status, 200);
    states.push((await response.json()).state);
  }
  assertEquals(states, ["READY", "PLAYING", "READY", "PLAYING", "INIT"]);
  assertEquals(player.commands, ["setup", "play", "pause", "play", "teardown"]);
});

Deno.test("POST answers 409 with a reason in every state that forbids the command", async () => {
  const { player, send } = makePreview();
  const forbidden = {
    INIT: ["play", "pause", "teardown"],
    READY: ["setup", "pause"],
    PLAYING: ["setup", "play"],
  } as const;
  for (const state of ["INIT", "READY", "PLAYING"] as const) {
    for (const verb of forbidden[state]) {
      player.state = state;
      const response = await send("POST", `/${verb}`);
      const answer = await response.json();
      assertEquals([response.status, answer.state], [409, state]);
      assertStringIncludes(
        answer.error,
        `Cannot ${verb.toUpperCase()} in state ${state}: it allows`,
      );
    }
  }
  assertEquals(player.commands, []);
});

Deno.test("POST answers 409, 502 or 500 by whose fault the failure is", async () => {
  const seen: unknown[] = [];
  const { player, send } = makePreview({ onError: (error) => seen.push(error) });
  const failures: [Error, number, string][] = [
    [
      new StateError("Cannot SETUP: busy", { state: "INIT", allowed: [] }),
      409,
      "Cannot SETUP: busy",
    ],
    [
      new StatusError("Server refused SETUP: 404 Not Found", {
        statusCode: 404,
        method: "SETUP",
        cseq: 1,
      }),
      502,
      "Server refused SETUP: 404 Not Found",
    ],
    [new TransportError("Cannot connect", { operation: "connect" }), 502, "Cannot connect"],
  ];
  for (const [error, status, reason] of failures) {
    player.serverAnswers = () => Promise.reject(error);
    const response = await send("POST", "/setup");
    assertEquals([response.status, (await response.json()).error], [status, reason]);
  }
  assertEquals(seen, []);
  player.serverAnswers = () => Promise.reject(new TypeError("secret detail"));
  const response = await send("POST", "/setup");
  assertEquals([response.status, await response.text()], [500, "Internal error\n"]);
  assertEquals(seen.length, 1);
});

Deno.test("POST commands run one after the other, each judged by the state it finds", async () => {
  const { player, send } = makePreview();
  let running = 0;
  player.serverAnswers = async () => {
    assertEquals(++running, 1);
    await delay(5);
    running--;
  };
  const verbs = ["setup", "setup", "play", "pause"];
  const responses = await Promise.all(verbs.map((verb) => send("POST", `/${verb}`)));
  assertEquals(responses.map((response) => response.status), [200, 409, 200, 200]);
  const many = await Promise.all(Array.from({ length: 20 }, () => send("POST", "/play")));
  assertEquals(many.filter((response) => response.status === 503).length, 12);
});

Deno.test("GET /snapshot.jpg and .png: 503 before the first frame, then the newest one", async () => {
  const asked: Uint8Array[] = [];
  const { player, get } = makePreview({
    png: (jpeg) => {
      asked.push(jpeg);
      return Promise.resolve(PNG);
    },
  });
  for (const path of ["/snapshot.jpg", "/snapshot.png"]) {
    const response = await get(path);
    assertEquals([response.status, await response.text()], [503, "No frame has come yet\n"]);
  }
  const jpeg = Uint8Array.of(0xff, 0xd8, 1, 2, 0xff, 0xd9);
  player.receive(jpeg, 41);
  const picture = await get("/snapshot.jpg?t=1");
  assertEquals(picture.headers.get("content-type"), "image/jpeg");
  assertEquals(picture.headers.get("content-disposition"), 'inline; filename="frame-000041.jpg"');
  assertEquals(new Uint8Array(await picture.arrayBuffer()), jpeg);
  const [first, second] = await Promise.all([get("/snapshot.png"), get("/snapshot.png")]);
  assertEquals(first.headers.get("content-type"), "image/png");
  assertEquals(first.headers.get("x-frame-number"), "41");
  assertEquals(new Uint8Array(await first.arrayBuffer()), PNG);
  await second.body?.cancel();
  assertEquals(asked, [jpeg]); // the work is shared
});

Deno.test("GET /snapshot.png says why a frame cannot be decoded", async () => {
  const failures: [Error, number][] = [
    [new JpegFormatError("Cannot decode JPEG", { code: "x", offset: 0, rfc: "T.81" }), 502],
    [new TransportError("Cannot start worker", { operation: "decode" }), 503],
  ];
  for (const [error, status] of failures) {
    const { player, get } = makePreview({ png: () => Promise.reject(error) });
    player.receive(Uint8Array.of(1));
    const response = await get("/snapshot.png");
    assertEquals([response.status, await response.text()], [status, error.message + "\n"]);
  }
});

/** Reads what a stream has to give until `enough` says so. */
async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  enough: (text: string) => boolean,
): Promise<string> {
  let text = "";
  while (!enough(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Array.from(value, (octet) => String.fromCharCode(octet)).join("");
  }
  return text;
}

function partOf(frame: { jpeg: Uint8Array; number: number; timestamp: number }): string {
  return `Content-Type: image/jpeg\r\nContent-Length: ${frame.jpeg.length}\r\n` +
    `X-Frame-Number: ${frame.number}\r\nX-Timestamp: ${frame.timestamp}\r\n\r\n` +
    `${String.fromCharCode(...frame.jpeg)}\r\n--frame\r\n`;
}

Deno.test("GET /stream.mjpeg begins with the newest frame and goes on, JPEGs untouched", async () => {
  const { player, get } = makePreview();
  const old = player.receive(Uint8Array.of(0xff, 0xd8, 13, 10, 45, 45, 0xff, 0xd9), 3);
  const response = await get("/stream.mjpeg");
  assertEquals(
    response.headers.get("content-type"),
    "multipart/x-mixed-replace; boundary=frame",
  );
  const reader = response.body!.getReader();
  let expected = "--frame\r\n" + partOf(old);
  assertEquals(await readUntil(reader, (text) => text.length >= expected.length), expected);
  for (const number of [4, 7]) {
    const frame = player.receive(Uint8Array.of(0xff, 0xd8, number, 0xff, 0xd9), number);
    expected = partOf(frame);
    assertEquals(await readUntil(reader, (text) => text.length >= expected.length), expected);
  }
  await reader.cancel();
  assertEquals(player.frameListeners.size, 0);
});

Deno.test("GET /stream.mjpeg opened before the first frame waits for it", async () => {
  const { player, get } = makePreview();
  const reader = (await get("/stream.mjpeg")).body!.getReader();
  await readUntil(reader, (text) => text === "--frame\r\n");
  const frame = player.receive(Uint8Array.of(1));
  const expected = partOf(frame);
  assertEquals(await readUntil(reader, (text) => text.length >= expected.length), expected);
  await reader.cancel();
});

Deno.test("GET /stream.mjpeg: who reads slowly loses frames, but never the newest", async () => {
  const { player, get } = makePreview();
  const slow = (await get("/stream.mjpeg")).body!.getReader();
  const fast = (await get("/stream.mjpeg")).body!.getReader();
  await readUntil(fast, (text) => text === "--frame\r\n");
  for (let number = 1; number <= 500; number++) {
    const expected = partOf(player.receive(new Uint8Array(1000), number));
    assertEquals(await readUntil(fast, (text) => text.length >= expected.length), expected);
  }
  const text = await readUntil(slow, (text) => text.includes("X-Frame-Number: 500\r\n"));
  const numbers = [...text.matchAll(/X-Frame-Number: (\d+)/g)].map((match) => Number(match[1]));
  assert(numbers.length <= 4, `${numbers}`);
  assertEquals(numbers.toSorted((a, b) => a - b), numbers);
  assert((await (await get("/state")).json()).framesSkipped >= 496);
  await Promise.all([slow.cancel(), fast.cancel()]);
});

Deno.test("GET /stream.mjpeg is for a limited number of viewers", async () => {
  const { player, get } = makePreview({ maxViewers: 2 });
  const [first, second] = [await get("/stream.mjpeg"), await get("/stream.mjpeg")];
  const third = await get("/stream.mjpeg");
  assertEquals([first.status, second.status, third.status], [200, 200, 503]);
  assertStringIncludes(await third.text(), "Too many viewers");
  await first.body!.cancel();
  assertEquals((await (await get("/state")).json()).viewers, 1);
  const fourth = await get("/stream.mjpeg");
  assertEquals(fourth.status, 200);
  await Promise.all([second.body!.cancel(), fourth.body!.cancel()]);
  assertEquals(player.frameListeners.size, 0);
});

function statesIn(text: string): string[] {
  return [...text.matchAll(/^event: state\ndata: (.*)\n\n/gm)]
    .map((match) => JSON.parse(match[1]).state);
}

Deno.test("GET /events begins with the state and tells changes of state at once", async () => {
  const { player, get, send } = makePreview({ eventIntervalMs: 60_000 });
  const response = await get("/events");
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reader = response.body!.getReader();
  const first = await readUntil(reader, (text) => text.includes("event: state"));
  assert(first.startsWith("retry: 1000\n\n"));
  assertEquals(statesIn(first), ["INIT"]);
  await send("POST", "/setup");
  assertEquals(statesIn(await readUntil(reader, (text) => text.includes("data"))), ["READY"]);
  await reader.cancel();
  assertEquals(player.changeListeners.size, 0);
});

Deno.test("GET /events tells statistics at its own pace, not at that of the packets", async () => {
  const { player, get } = makePreview({ eventIntervalMs: 40 });
  const reader = (await get("/events")).body!.getReader();
  await readUntil(reader, (text) => text.includes("event: state"));
  const startMs = performance.now();
  const packets = setInterval(() => {
    player.statistics = { packets: (player.statistics.packets ?? 0) + 1 };
    player.change();
  }, 1);
  const text = await readUntil(reader, (text) => statesIn(text).length >= 5);
  const elapsedMs = performance.now() - startMs;
  clearInterval(packets);
  assert(elapsedMs > 4 * 40 - 20, `5 events in ${elapsedMs} ms`);
  assertEquals(statesIn(text).length, 5);
  await reader.cancel();
});

Deno.test("GET /events says nothing while nothing changes, and a slow reader gets the newest state", async () => {
  const { player, get } = makePreview({ eventIntervalMs: 5 });
  const reader = (await get("/events")).body!.getReader();
  await delay(50);
  const quiet = await readUntil(reader, (text) => text.includes("event: state"));
  assertEquals(statesIn(quiet).length, 1);
  for (let packets = 1; packets <= 30; packets++) {
    player.statistics = { packets };
    await delay(6);
  }
  const text = await readUntil(reader, (text) => text.includes('"packets":30,'));
  assertLess(statesIn(text).length, 10);
  await reader.cancel();
});

Deno.test("PreviewHandler.close() ends all streams and lets go of the player", async () => {
  const { player, get, handler } = makePreview();
  const readers = [
    (await get("/stream.mjpeg")).body!.getReader(),
    (await get("/events")).body!.getReader(),
  ];
  (handler as PreviewHandler).close();
  for (const reader of readers) await readUntil(reader, () => false);
  assertEquals([player.frameListeners.size, player.changeListeners.size], [0, 0]);
});
