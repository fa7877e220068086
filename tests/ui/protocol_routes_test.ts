/** The protocol view over HTTP: events, packets, exports; who may ask for what. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { StateError } from "../../lib/errors.ts";
import {
  createPreviewHandler,
  isLoopback,
  newToken,
  openPreview,
  type PreviewPlayer,
  type PreviewSeek,
} from "../../lib/ui/preview.ts";
import type { ProtocolBatch } from "../../lib/ui/protocol_events.ts";
import { ProtocolView } from "../../lib/ui/protocol_view.ts";
import { createServerPreviewHandler } from "../../lib/ui/server_preview.ts";

const HOSTILE = '"><script>alert(1)</script>';
const END = { hostname: "127.0.0.1", port: 5004 };

function viewOf(side: "client" | "server", options: { intervalMs?: number } = {}): ProtocolView {
  const view = new ProtocolView({ side, application: "t", counters: () => [], ...options });
  view.tap.connectionOpened!({ id: 1, local: END, remote: END, isOpener: true }, 1);
  const bytes = new TextEncoder().encode(HOSTILE);
  view.tap.message!({ connection: 1, direction: "in", bytes, message: undefined, session: 1 }, 2);
  const flow = { session: 1, connection: 1, channel: undefined, local: END, remote: END } as const;
  view.tap.packet!(
    { ...flow, kind: "rtp", payload: "lab" },
    "in",
    new Uint8Array(5000).fill(0x80),
    3,
  );
  return view;
}

class Player implements PreviewPlayer {
  readonly asked: unknown[] = [];
  state = "READY";
  step = {
    isEnabled: false,
    waits: false,
    state: () => ({ isEnabled: this.step.isEnabled, waiting: null }),
    setEnabled: (isEnabled: boolean) => void (this.step.isEnabled = isEnabled),
    step: () => this.step.waits,
  };
  snapshot() {
    return { state: this.state, allowed: this.state === "READY" ? ["play"] : ["pause"] } as never;
  }
  command(verb: string): Promise<void> {
    this.asked.push(verb);
    return Promise.resolve();
  }
  open(url: string): Promise<void> {
    this.asked.push(url);
    if (url === "bad") throw new RangeError("Cannot play");
    if (url === "later") throw new StateError("Not now", { state: "INIT", allowed: [] });
    return Promise.resolve();
  }
  seek(to: PreviewSeek): Promise<void> {
    this.asked.push(to);
    return Promise.resolve();
  }
  latestFrame(): undefined {}
  onFrame() {
    return () => {};
  }
  onChange() {
    return () => {};
  }
}

function handlerOf(player: PreviewPlayer, options: { token?: string; view?: ProtocolView } = {}) {
  return createPreviewHandler(player, {
    png: (jpeg) => Promise.resolve(jpeg),
    allowedHosts: ["localhost"],
    token: options.token,
    protocol: options.view,
  });
}

const PAGE = { "content-type": "application/json", "x-preview": "1" };

function post(path: string, body: unknown, headers: Record<string, string> = PAGE): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://localhost${path}`, { method: "POST", body: text, headers });
}

async function batches(response: Response, count: number): Promise<ProtocolBatch[]> {
  const found: ProtocolBatch[] = [];
  let text = "";
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  while (found.length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    const events = text.split("\n\n");
    text = events.pop()!;
    for (const event of events) {
      const data = /^event: protocol\ndata: (.*)$/.exec(event)?.[1];
      if (data) found.push(JSON.parse(data));
    }
  }
  await reader.cancel();
  return found;
}

Deno.test("GET /protocol/events tells everything first, then what is new, hostile text as text", async () => {
  const view = viewOf("client", { intervalMs: 10 });
  const handler = handlerOf(new Player(), { view });
  const response = await handler(new Request("http://localhost/protocol/events"));
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reading = batches(response, 2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  view.tap.connectionClosed!(1, 9);
  const [first, second] = await reading;
  assertEquals([first.isFirst, second.isFirst], [true, false]);
  const { kind, bytes } = first.messages[0];
  assertEquals([kind, atob(bytes)], ["unreadable", HOSTILE]);
  assertEquals([first.packets[0].size, atob(first.packets[0].bytes).length], [5000, 768]);
  assertEquals([second.messages.length, second.packets.length], [0, 0]);
  assertEquals(second.connections.length, 1);
  handler.close();
  assertEquals(view.subscribers, 0);
});

Deno.test("ProtocolView sends everything anew to a browser that has missed something", async () => {
  const view = viewOf("client", { intervalMs: 1 });
  const reader = view.open()!.getReader();
  for (let i = 10; i < 40; i++) {
    view.tap.connectionOpened!({ id: i, local: END, remote: END, isOpener: true }, i);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  let text = "";
  let last: ProtocolBatch | undefined;
  while (last?.isFirst !== true || last.connections.length < 31) {
    text += new TextDecoder().decode((await reader.read()).value);
    const data = text.match(/data: (.*)\n\n$/)?.[1];
    if (data) last = JSON.parse(data);
    if (data) text = "";
  }
  assertEquals(last.connections.length, 31);
  await reader.cancel();
  view.close();
});

Deno.test("GET /protocol/packet gives all octets of a kept packet, and 404 else", async () => {
  const view = viewOf("client");
  const handler = handlerOf(new Player(), { view });
  const packet = await handler(new Request("http://localhost/protocol/packet?id=1"));
  assertEquals((await packet.bytes()).length, 5000);
  for (const id of ["2", "0", "-1", "1e9", "x", ""]) {
    const missing = await handler(new Request(`http://localhost/protocol/packet?id=${id}`));
    assertEquals(missing.status, 404);
    await missing.body?.cancel();
  }
  handler.close();
});

Deno.test("GET /export/* gives files that no browser shows as a page", async () => {
  const view = viewOf("client");
  const handler = handlerOf(new Player(), { view });
  const names = [
    "dialogue.txt",
    "dialogue.mmd",
    "statistics.csv",
    "statistics.json",
    "capture.pcapng",
  ];
  for (const name of names) {
    for (const query of ["", "?session=1", "?session=77", "?session=x"]) {
      const response = await handler(new Request(`http://localhost/export/${name}${query}`));
      assertEquals(response.status, 200, name);
      assertEquals(
        response.headers.get("content-disposition"),
        `attachment; filename="${name}"`,
      );
      assert(!response.headers.get("content-type")!.includes("html"));
      assertEquals(response.headers.get("x-content-type-options"), "nosniff");
      await response.body?.cancel();
    }
  }
  handler.close();
});

Deno.test("POST /open, /seek, /step-mode and /step are for the page only", async () => {
  const player = new Player();
  const handler = handlerOf(player);
  const foreign: Record<string, string>[] = [
    {},
    { "content-type": "application/json" },
    { "content-type": "text/plain", "x-preview": "1" },
    { ...PAGE, origin: "http://evil.example" },
    { ...PAGE, "sec-fetch-site": "cross-site" },
    { ...PAGE, host: "evil.example" },
  ];
  for (const path of ["/open", "/seek", "/step-mode", "/step"]) {
    for (const headers of foreign) {
      const response = await handler(post(path, { url: "x", npt: 1, enabled: true }, headers));
      assertEquals(response.status, 403, `${path} ${JSON.stringify(headers)}`);
      await response.body?.cancel();
    }
  }
  assertEquals(player.asked, []);
});

Deno.test("POST /open and /seek carry out what makes sense, and say what does not", async () => {
  const player = new Player();
  const handler = handlerOf(player);
  const statusOf = async (path: string, body: unknown) => {
    const response = await handler(post(path, body));
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await statusOf("/open", { url: "rtsp://h/f" }), 200);
  assertEquals(await statusOf("/open", { url: "bad" }), 400);
  assertEquals(await statusOf("/open", { url: "later" }), 409);
  assertEquals(await statusOf("/seek", { npt: 12.5 }), 200);
  assertEquals(await statusOf("/seek", { scale: -2 }), 200);
  player.state = "PLAYING";
  assertEquals(await statusOf("/seek", { npt: 1, scale: 2 }), 200);
  player.state = "INIT";
  assertEquals(await statusOf("/seek", { npt: 1 }), 409);
  const wrong: unknown[] = ["", "{", "[]", "null", {}, { url: 7 }, { url: " " }, { npt: "1" }];
  wrong.push({ npt: -1 }, { npt: null, scale: null }, { scale: 0 }, { url: "x".repeat(5000) });
  wrong.push(JSON.stringify({ url: "x", more: "y".repeat(20_000) }));
  for (const body of wrong) {
    assertEquals(await statusOf("/open", body), 400, JSON.stringify(body));
    assertEquals(await statusOf("/seek", body), 400, JSON.stringify(body));
  }
  assertEquals(player.asked, [
    ...["rtsp://h/f", "bad", "later"],
    { startSeconds: 12.5, scale: undefined },
    { startSeconds: undefined, scale: -2 },
    { startSeconds: 1, scale: 2 },
  ]);
});

Deno.test("POST /step-mode and /step steer step mode, also while a command waits", async () => {
  const player = new Player();
  const { promise, resolve } = Promise.withResolvers<void>();
  player.command = () => promise;
  const handler = handlerOf(player);
  const waiting = handler(post("/play", ""));
  const on = await handler(post("/step-mode", { enabled: true }));
  assertEquals((await on.json()).step, { isEnabled: true, waiting: null });
  assertEquals((await handler(post("/step-mode", { enabled: 1 }))).status, 400);
  assertEquals((await handler(post("/step", {}))).status, 409);
  player.step.waits = true;
  assertEquals((await handler(post("/step", {}))).status, 200);
  resolve();
  assertEquals((await waiting).status, 200);
});

Deno.test("a preview beyond loopback gives nothing without its token", async () => {
  const token = newToken();
  assertMatch(token, /^[\w-]{22}$/);
  const player = new Player();
  const view = viewOf("client");
  const handler = handlerOf(player, { token, view });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await handler(new Request(`http://localhost:81${path}`, { method, headers }));
    await response.body?.cancel();
    return response;
  };
  const paths = [
    "/",
    "/state",
    "/events",
    "/stream.mjpeg",
    "/protocol/events",
    "/export/dialogue.txt",
  ];
  for (const path of paths) {
    assertEquals((await ask(path)).status, 403, path);
    assertEquals((await ask(`${path}?token=${token.slice(1)}x`)).status, 403);
    assertEquals((await ask(path, { cookie: `preview-81=${token}x` })).status, 403);
    assertEquals((await ask(path, { cookie: `preview-80=${token}` })).status, 403);
    assertEquals((await ask(path, { cookie: `a=b; preview-81=${token}` })).status, 200);
  }
  assertEquals((await ask("/play", {}, "POST")).status, 403);
  assertEquals((await ask("/state", { authorization: `Bearer ${token}` })).status, 200);
  const page = await ask(`/?token=${token}`);
  assertEquals(page.status, 200);
  assertEquals(
    page.headers.get("set-cookie"),
    `preview-81=${token}; Path=/; HttpOnly; SameSite=Strict`,
  );
  assertEquals(
    (await ask("/state", { cookie: `preview-81=${token}` })).headers.get("set-cookie"),
    null,
  );
  // Neither does the right token open the door to a foreign page.
  assertEquals((await ask(`/?token=${token}`, { origin: "http://evil.example" })).status, 403);
  assertEquals(player.asked, []);
  handler.close();
});

Deno.test("openPreview() prints the token as part of the address", async () => {
  const handler = handlerOf(new Player(), { token: "abc" });
  await using preview = openPreview(handler, { port: 0, token: "abc" });
  assertEquals(preview.address, `http://127.0.0.1:${preview.port}/?token=abc`);
  assertEquals([isLoopback("127.0.0.1"), isLoopback("::1"), isLoopback("localhost")], [
    true,
    true,
    true,
  ]);
  assertEquals([isLoopback("0.0.0.0"), isLoopback("192.0.2.1"), isLoopback("::")], [
    false,
    false,
    false,
  ]);
});

Deno.test("createServerPreviewHandler() shows sessions, and takes no commands", async () => {
  const view = viewOf("server");
  const handler = createServerPreviewHandler({
    sessions: () => [{ session: 1 }],
    statistics: () => ({ requests: 2 }),
  }, { allowedHosts: ["localhost"], protocol: view });
  const state = await handler(new Request("http://localhost/state"));
  assertEquals(await state.json(), {
    side: "server",
    sessions: [{ session: 1 }],
    statistics: { requests: 2 },
  });
  assertEquals((await handler(post("/play", ""))).status, 404);
  assertEquals((await handler(new Request("http://localhost/"))).status, 200);
  const [batch] = await batches(
    await handler(new Request("http://localhost/protocol/events")),
    1,
  );
  assertEquals(batch.side, "server");
  handler.close();
});
