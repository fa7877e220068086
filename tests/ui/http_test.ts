import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { delay } from "@std/async/delay";
import { TransportError } from "../../lib/errors.ts";
import { allowedHostsOf, createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import { refusalOf } from "../../lib/ui/request_guard.ts";
import { FakePlayer } from "./fake_player.ts";

function makePreview(player = new FakePlayer(), hostname = "127.0.0.1") {
  return createPreviewHandler(player, {
    png: (jpeg) => Promise.resolve(jpeg),
    allowedHosts: allowedHostsOf(hostname),
  });
}

Deno.test("openPreview() answers on its address and closes with open streams", async () => {
  const player = new FakePlayer();
  const preview = openPreview(makePreview(player), { port: 0 });
  assertEquals(preview.address, `http://127.0.0.1:${preview.port}/`);
  const page = await fetch(preview.address);
  assert((await page.text()).includes("<title>"));
  const stream = await fetch(`${preview.address}stream.mjpeg`);
  const events = await fetch(`${preview.address}events`);
  await preview.close();
  await Promise.allSettled([stream.text(), events.text()]);
  assertEquals([player.frameListeners.size, player.changeListeners.size], [0, 0]);
});

Deno.test("openPreview() takes the next port when the first is taken", async () => {
  await using first = openPreview(makePreview(), { port: 0 });
  await using second = openPreview(makePreview(), { port: first.port });
  assert(second.port > first.port);
  const state = await (await fetch(`${second.address}state`)).json();
  assertEquals(state.state, "INIT");
});

Deno.test("openPreview() says which ports were taken", async () => {
  await using first = openPreview(makePreview(), { port: 0 });
  const error = assertThrows(
    () => openPreview(makePreview(), { port: first.port, attempts: 1 }),
    TransportError,
    `ports ${first.port} to ${first.port} are taken`,
  );
  assertEquals(error.errno, "EADDRINUSE");
});

Deno.test("openPreview() reports an address that is not this machine's", () => {
  assertThrows(
    () => openPreview(makePreview(), { hostname: "192.0.2.1", port: 0 }),
    TransportError,
    'Cannot open preview on "192.0.2.1"',
  );
});

Deno.test("openPreview() listens on all addresses when asked", async () => {
  await opensOn("0.0.0.0", "127.0.0.1");
});

Deno.test({
  name: `openPreview() listens on IPv6 when asked${hasIpv6() ? "" : " [skipped: no IPv6 here]"}`,
  ignore: !hasIpv6(),
  fn: async () => {
    await opensOn("::1", "[::1]");
    await opensOn("::", "[::1]");
  },
});

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

async function opensOn(hostname: string, host: string): Promise<void> {
  await using preview = openPreview(makePreview(new FakePlayer(), hostname), { hostname, port: 0 });
  assertEquals(preview.address, `http://${host}:${preview.port}/`);
  const page = await fetch(preview.address);
  assertEquals(page.status, 200);
  await page.body?.cancel();
}

/** Memory of this thread alone: other tests may run beside it. */
function usedBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

Deno.test("allowedHostsOf() lets in addresses in figures, never foreign names", () => {
  const request = (host: string) => new Request("http://localhost/", { headers: { host } });
  const isWelcome = (host: string, bound: string) =>
    refusalOf(request(host), allowedHostsOf(bound)) === undefined;
  for (const bound of ["127.0.0.1", "::1", "192.168.1.7", "0.0.0.0", "::", "media.local"]) {
    assert(isWelcome("127.0.0.1:8080", bound), bound);
    assert(!isWelcome("evil.example:8080", bound), bound);
    assert(!isWelcome("1.2.3.4.evil.example", bound), bound);
  }
  assert(isWelcome("192.168.1.7:8080", "192.168.1.7"));
  assert(isWelcome("192.168.1.7:8080", "0.0.0.0"));
  assert(isWelcome("[2001:db8::1]:8080", "::"));
  assert(isWelcome("media.local:80", "media.local"));
  assert(!isWelcome("192.168.1.8:8080", "192.168.1.7"));
  assert(!isWelcome("192.168.1.8:8080", "127.0.0.1"));
});

Deno.test("GET /stream.mjpeg: a client that stops reading costs frames, not memory", async () => {
  const player = new FakePlayer();
  await using preview = openPreview(makePreview(player), { port: 0 });
  const stalled = await Deno.connect({ hostname: "127.0.0.1", port: preview.port });
  await stalled.write(
    new TextEncoder().encode("GET /stream.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  );
  await delay(100);
  const healthy = await fetch(`${preview.address}stream.mjpeg`);
  let healthyBytes = 0;
  const reading = (async () => {
    for await (const chunk of healthy.body!) healthyBytes += chunk.length;
  })().catch(() => {});
  const frameBytes = 50_000;
  const frames = 800; // 40 MB, of which the system's buffers hold some
  let before = 0;
  let slowestMs = 0;
  for (let number = 1; number <= frames; number++) {
    const startMs = performance.now();
    player.receive(new Uint8Array(frameBytes), number);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    if (number === 300) before = usedBytes(); // the buffers are full by now
    await delay(1);
  }
  const grownBytes = usedBytes() - before;
  const state = await (await fetch(`${preview.address}state`)).json();
  assert(state.framesSkipped > 400, `${state.framesSkipped} frames skipped`);
  assert(healthyBytes > frames * frameBytes * 0.5, `${healthyBytes} bytes at the healthy client`);
  assertLess(slowestMs, 100);
  assertLess(grownBytes, 20_000_000);
  stalled.close();
  await preview.close();
  await reading;
});
