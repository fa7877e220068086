/** The page before peers that mean harm, and before more packets than anybody can look at. */
/// <reference lib="dom" />
import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Page } from "playwright-core";
import { openMovie } from "../../lib/disk.ts";
import { allowedHostsOf, createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import type { ProtocolBatch } from "../../lib/ui/protocol_events.ts";
import { ScriptedServer } from "../client/scripted_server.ts";
import { fakeHistory } from "../ui/fake_history.ts";
import { FakePlayer } from "../ui/fake_player.ts";
import {
  fakeFrame,
  fakeMessage,
  fakePacket,
  FakeProtocol,
  fakeSample,
  waitingStep,
} from "../ui/fake_protocol.ts";
import { testInChromium, textOf, waitForText } from "./chromium.ts";
import { startWatched } from "./watched.ts";

const EVIL = `<img src=x onerror="globalThis.hurt=1"><script>globalThis.hurt=1</script>`;

await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
const frame = await movie.readFrame(100);

function openFake(history: Partial<ProtocolBatch>) {
  const player = new FakePlayer();
  const handler = createPreviewHandler(player, {
    png: () => Promise.resolve(Uint8Array.of(1)),
    allowedHosts: allowedHostsOf("127.0.0.1"),
  });
  const protocol = new FakeProtocol(handler, history);
  return { player, protocol, preview: openPreview(protocol.handler, { port: 0 }) };
}

/** A server that answers with `<script>` wherever text can stand. */
async function beEvil(peer: { request(): Promise<string>; say(text: string): Promise<void> }) {
  for (;;) {
    const request = await peer.request();
    if (request === "") return;
    const cseq = request.match(/CSeq: *(\d+)/i)?.[1];
    const sdp = [
      "v=0",
      `o=- 1 1 IN IP4 ${EVIL}`,
      `s=${EVIL}`,
      "t=0 0",
      `a=tool:${EVIL}`,
      "a=control:*",
      "m=video 0 RTP/AVP 26",
      "a=control:trackID=0",
      `a=${EVIL}:${EVIL}`,
      "",
    ].join("\r\n");
    const body = request.startsWith("DESCRIBE") ? sdp : "";
    await peer.say([
      `RTSP/1.0 200 OK ${EVIL}`,
      `CSeq: ${cseq}`,
      `Session: ${EVIL.replaceAll(";", "")}`,
      `Server: ${EVIL}`,
      `X-${EVIL.replaceAll(/[\s:]/g, "")}: ${EVIL}`,
      "Transport: RTP/AVP;unicast;client_port=5008-5009;server_port=6970-6971",
      ...(body ? ["Content-Type: application/sdp", `Content-Length: ${body.length}`] : []),
      "",
      body,
    ].join("\r\n"));
  }
}

testInChromium(
  "page: <script> in every header, reason, SDP line and session id of a real dialogue is text",
  async ({ page }) => {
    await using evil = ScriptedServer.listen(beEvil);
    const { stack, client, address } = await startWatched({ foreignPort: evil.port });
    await using _all = stack;
    await page.goto(`${address}#dialogue`);
    await client.setup().catch(() => {}); // whatever becomes of it
    await page.locator("#ladder button").nth(3).waitFor();
    const rungs = page.locator("#ladder button");
    let seen = 0;
    for (let i = 0; i < await rungs.count(); i++) {
      await rungs.nth(i).click();
      const text = await page.locator("#message-detail").innerText();
      seen += text.split("<script>globalThis.hurt=1</script>").length - 1;
    }
    assert(seen > 10, `shown ${seen} times`);
    assertEquals(await page.locator("main script, main img:not([alt=''])").count(), 0);
    assertEquals(await page.evaluate(() => "hurt" in globalThis), false);
    for (const tab of ["states", "packets", "frames", "charts", "watch"]) {
      await page.locator(`#tab-${tab}`).click();
    }
    assertEquals(await page.evaluate(() => "hurt" in globalThis), false);
  },
);

testInChromium(
  "page: <script> in whatever the protocol events tell is text",
  async ({ page, complaints }) => {
    const history = fakeHistory(frame);
    const evil: Partial<ProtocolBatch> = {
      ...history,
      connections: [{ id: 1, local: EVIL, remote: EVIL, openedTime: 1, closedTime: null }],
      messages: [fakeMessage(1, `${EVIL} ${EVIL} ${EVIL}\r\n${EVIL}: ${EVIL}\r\n\r\n${EVIL}`, {
        method: EVIL,
        uri: EVIL,
        cseq: EVIL,
        sessionId: EVIL,
        oddities: [{ code: "status", severity: "error", text: EVIL, rfc: EVIL }],
      })],
      packets: [fakePacket(1, new Uint8Array(40).fill(0x3c), { source: EVIL, destination: EVIL })],
      transitions: [{
        id: 1,
        time: 1,
        session: 1,
        from: "INIT",
        to: "READY",
        message: 1,
        cause: EVIL,
      }],
      sessions: [1, 2].map((id) => ({
        ...history.sessions![0],
        id,
        url: EVIL,
        remote: EVIL,
        endedTime: 2,
        endReason: EVIL,
      })),
    };
    const { preview, protocol, player } = openFake(evil);
    await using _preview = preview;
    player.statistics = { url: EVIL, errors: [EVIL] };
    player.step = waitingStep(EVIL, EVIL);
    await page.goto(`${preview.address}#dialogue`);
    await page.locator("#ladder button").click();
    assert((await page.locator("#message-detail").innerText()).includes(EVIL));
    await page.locator("#tab-states").click();
    assert((await textOf(page, "last-transition")).includes(EVIL));
    assert((await textOf(page, "waiting")).includes(EVIL));
    await page.locator("#tab-packets").click();
    await page.locator("#packet-list button").click();
    assert((await page.locator("#packet-detail").innerText()).includes(EVIL));
    assertEquals(await page.evaluate(() => "hurt" in globalThis), false);

    protocol.extraState = { side: "server" };
    Object.assign(protocol.history, { side: "server" });
    const second = await page.context().newPage();
    await second.goto(preview.address);
    await second.locator("#session-rows tr").first().waitFor();
    assert((await second.locator("#session-rows").innerText()).includes(EVIL));
    assertEquals(await second.evaluate(() => "hurt" in globalThis), false);
    for (const shown of [page, second]) {
      assertEquals(
        await shown.locator("main script, main img:not([alt='']), .waiting img").count(),
        0,
      );
    }
    assertEquals(complaints, []);
  },
);

/** How busy the page's thread is, in time of its processor, and the longest wait between two pictures. */
async function measure(page: Page): Promise<{ busy: number; longest: number }> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable", { timeDomain: "threadTicks" });
  const busySeconds = async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const before = await busySeconds();
  const { longest, seconds } = await page.evaluate(async () => {
    let longest = 0;
    const began = performance.now();
    let last = began;
    while (last < began + 1500) {
      await new Promise(requestAnimationFrame);
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    return { longest, seconds: (last - began) / 1000 };
  });
  const busy = (await busySeconds() - before) / seconds;
  await debug.detach();
  return { busy, longest };
}

testInChromium(
  "page: 2,000 packets a second leave it quick and small",
  async ({ page, complaints }) => {
    const { preview, protocol, player } = openFake(fakeHistory(frame));
    await using _preview = preview;
    player.state = "PLAYING";
    await page.goto(preview.address);
    const packet = fakeHistory(frame).packets![0];
    let id = 100;
    const flood = setInterval(() => { // ten batches a second of 200 packets and 22 frames
      const packets = Array.from(
        { length: 200 },
        () => ({ ...packet, id: ++id, time: Date.now() }),
      );
      const frames = Array.from(
        { length: 22 },
        (_, i) => fakeFrame(id * 100 + i, "rrrrrrrrx", { time: Date.now() }),
      );
      const samples = id % 2000 < 200 ? [fakeSample(id)] : [];
      protocol.send({
        packets,
        frames,
        samples,
        totals: { packets: id, packetsSkipped: 0, messages: 8 },
      });
    }, 100);
    try {
      for (const tab of ["packets", "frames", "charts", "dialogue"]) {
        await page.locator(`#tab-${tab}`).click();
        await delay(500);
        const { longest, busy } = await measure(page);
        console.log(
          `  ${tab}: busy for ${(busy * 100).toFixed(0)} % of the time, pictures at most ${
            longest.toFixed(0)
          } ms apart`,
        );
        assertLess(busy, 0.6, tab);
        assertLess(longest, 2000, tab); // other tests may run beside this one
        const nodes = await page.evaluate(() => document.getElementsByTagName("*").length);
        assertLess(nodes, 2500, tab);
        const before = Date.now();
        await page.keyboard.press("?");
        await page.locator("#keys[open]").waitFor();
        await page.keyboard.press("Escape");
        assertLess(Date.now() - before, 1000, `${tab}: a key takes too long`);
      }
    } finally {
      clearInterval(flood);
    }
    await page.locator("#tab-watch").click(); // nobody looks: nothing is told
    await page.waitForFunction(() => document.getElementById("main")?.dataset.view === "watch");
    for (let i = 0; i < 30 && protocol.listeners > 0; i++) {
      protocol.send({});
      await delay(100);
    }
    assertEquals(protocol.listeners, 0);
    assertEquals(complaints, []);
  },
);

testInChromium("page: other sites can neither read the protocol nor command", async ({ page }) => {
  const { stack, address, client } = await startWatched();
  await using _all = stack;
  const { port } = new URL(address);
  const get = (path: string, headers: Record<string, string>) =>
    fetch(`${address}${path}`, { headers }).then(async (response) => {
      await response.body?.cancel();
      return response.status;
    });
  for (const path of ["protocol/events", "protocol/packet?id=1", "export/dialogue.txt", "state"]) {
    assertEquals(await get(path, { origin: "http://evil.example" }), 403);
  }
  const body = JSON.stringify({ url: "rtsp://192.0.2.1/" });
  for (const path of ["open", "seek", "step-mode", "step"]) { // without the header: a form could do that
    const response = await fetch(`${address}${path}`, { method: "POST", body });
    await response.body?.cancel();
    assertEquals(response.status, 403, path);
  }
  await page.goto(`http://localhost:${port}/`); // the same program by its other name: welcome
  await waitForText(page, "state", "INIT");
  const outside = await page.evaluate(async (url) => {
    try {
      await fetch(url);
      return "answered";
    } catch {
      return "refused";
    }
  }, `http://127.0.0.1:${port}/state`);
  assertEquals(outside, "refused"); // the page may talk to nobody but its own origin
  assertEquals(client.state, "INIT");
});
