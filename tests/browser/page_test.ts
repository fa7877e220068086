/** The page of the preview, in Chromium, with a player that does what the tests say. */
/// <reference lib="dom" />
import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { openMovie } from "../../lib/disk.ts";
import { StatusError } from "../../lib/errors.ts";
import { allowedHostsOf, createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import { FakePlayer } from "../ui/fake_player.ts";
import { enabledButtons, shownFrame, testInChromium, textOf, waitForText } from "./chromium.ts";

const movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
const frames = await Promise.all(Array.from({ length: 200 }, (_, i) => movie.readFrame(i)));
await movie.close();

function openFakePreview(player: FakePlayer, port = 0) {
  const handler = createPreviewHandler(player, {
    png: () => Promise.resolve(Uint8Array.of(1)),
    allowedHosts: allowedHostsOf("127.0.0.1"),
  });
  return openPreview(handler, { port });
}

/** Sends the film while the player is PLAYING. */
function startFilm(player: FakePlayer): Disposable {
  const timer = setInterval(() => {
    if (player.state !== "PLAYING") return;
    const number = (player.frame?.number ?? 0) + 1;
    player.statistics = { packets: number, frames: number, bitRate: 1.8e6, frameRate: 20 };
    player.receive(frames[(number - 1) % frames.length], number);
    player.change();
  }, 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

testInChromium("page: keys, buttons, focus and pictures follow the state", async (browser) => {
  const { page, complaints, requests } = browser;
  const player = new FakePlayer();
  await using preview = openFakePreview(player);
  using _film = startFilm(player);
  await page.goto(preview.address, { waitUntil: "commit" });
  await waitForText(page, "state", "INIT");
  assertEquals(await enabledButtons(page), ["setup"]);
  assertEquals(await textOf(page, "placeholder"), "Press Setup, then Play");

  await page.keyboard.press("p"); // not allowed here: nothing happens
  await page.keyboard.press("s");
  await waitForText(page, "state", "READY");
  assertEquals(await enabledButtons(page), ["play", "teardown"]);
  await page.locator("#play").focus();
  await page.keyboard.press("Enter");
  await waitForText(page, "state", "PLAYING");
  assertEquals(await enabledButtons(page), ["pause", "teardown"]);
  await page.waitForFunction(() => document.activeElement?.id === "pause");

  await page.waitForFunction(() => Number(document.querySelector("#packets")?.textContent) > 20);
  const moving = new Set<number | undefined>();
  for (let i = 0; i < 5; i++) {
    moving.add(await shownFrame(page));
    await delay(120);
  }
  assert(moving.size >= 3 && !moving.has(undefined), `frames shown: ${[...moving]}`);

  await page.keyboard.press(" "); // on the focused Pause
  await waitForText(page, "state", "READY");
  await delay(400);
  const newest = player.frame!.number;
  for (let i = 0; i < 3; i++) {
    assertEquals(await shownFrame(page), newest);
    await delay(100);
  }
  assertEquals(await textOf(page, "frame-number"), String(newest));
  assertEquals(await textOf(page, "packets"), String(newest));

  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press(" ");
  await waitForText(page, "state", "PLAYING");
  await page.keyboard.press("t");
  await waitForText(page, "state", "INIT");
  assertEquals(player.commands, ["setup", "play", "pause", "play", "teardown"]);
  assertEquals(complaints, []);
  assertEquals(requests.filter((url) => !url.startsWith(preview.address)), []);
});

testInChromium(
  "page: what a hostile server says is shown as text",
  async ({ page, complaints }) => {
    const player = new FakePlayer();
    const evil = `<img src=x onerror="globalThis.hurt=1"><script>globalThis.hurt=1</script>`;
    player.statistics = { url: `rtsp://host/${evil}`, errors: [evil] };
    player.serverAnswers = () =>
      Promise.reject(
        new StatusError(`Server refused SETUP: 404 ${evil}`, {
          statusCode: 404,
          method: "SETUP",
          cseq: 1,
        }),
      );
    await using preview = openFakePreview(player);
    await page.goto(preview.address, { waitUntil: "commit" });
    await page.waitForFunction(
      (url) => (document.getElementById("address") as HTMLInputElement).value === url,
      `rtsp://host/${evil}`,
    );
    await page.locator("#setup").click();
    await waitForText(page, "message", `Server refused SETUP: 404 ${evil}`);
    assertEquals(await textOf(page, "state"), "INIT");
    assertEquals(await enabledButtons(page), ["setup"]);
    assertEquals(await page.evaluate(() => "hurt" in globalThis), false);
    assertEquals(await page.locator("main script, main img[onerror]").count(), 0);
    assertEquals(complaints.filter((text) => !text.includes("502")), []);
  },
);

testInChromium("page: nothing moves about while it loads and plays", async ({ page }) => {
  const player = new FakePlayer();
  player.statistics = { dialect: null, transport: null, width: null, height: null };
  await using preview = openFakePreview(player);
  using _film = startFilm(player);
  await page.addInitScript(() => {
    const shifts = { sum: 0 };
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        shifts.sum += (entry as unknown as { value: number }).value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(preview.address, { waitUntil: "commit" });
  await waitForText(page, "state", "INIT");
  await page.keyboard.press("s");
  await waitForText(page, "state", "READY");
  await page.keyboard.press("p");
  await page.waitForFunction(() => Number(document.querySelector("#frames")?.textContent) > 20);
  await page.keyboard.press("t");
  await waitForText(page, "state", "INIT");
  await delay(300);
  const sum = await page.evaluate(() =>
    (globalThis as unknown as { shifts: { sum: number } }).shifts.sum
  );
  assertLess(sum, 0.01);
  for (const width of [320, 390, 820, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assertEquals([width, overflow], [width, 0]);
  }
});

testInChromium(
  "page: finds its way back when rtsp-client was gone for a while",
  async ({ page }) => {
    const player = new FakePlayer();
    player.state = "PLAYING";
    const first = openFakePreview(player);
    await page.goto(first.address, { waitUntil: "commit" });
    await waitForText(page, "state", "PLAYING");
    await first.close();
    await waitForText(page, "message", "No connection to rtsp-client, trying again");
    assertEquals(await enabledButtons(page), []);
    player.frame = undefined;
    await using second = openFakePreview(player, first.port);
    assertEquals(second.port, first.port);
    using _film = startFilm(player);
    await waitForText(page, "message", "");
    await page.waitForFunction(() => Number(document.querySelector("#frames")?.textContent) > 10);
    assert(await shownFrame(page));
    assertEquals(await enabledButtons(page), ["pause", "teardown"]);
  },
);
