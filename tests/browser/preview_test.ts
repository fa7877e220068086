/** The preview in Chromium with the real client, which plays from the real server. */
/// <reference lib="dom" />
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import { ImageWorker } from "../../lib/image/image.ts";
import { RtspServer } from "../../lib/server/server.ts";
import {
  allowedHostsOf,
  createPreviewHandler,
  openPreview,
  type PreviewPlayer,
} from "../../lib/ui/preview.ts";
import { enabledButtons, shownFrame, testInChromium, textOf, waitForText } from "./chromium.ts";

const MEDIA = new URL("../../media/", import.meta.url);

function playerOf(client: RtspClient): PreviewPlayer {
  return {
    snapshot: () => ({ ...client.statistics(), allowed: client.allowed }),
    command: (verb) => client[verb](),
    latestFrame: () => client.latestFrame,
    onFrame: (listener) => client.onFrame(listener),
    onChange: (listener) => client.on(() => listener()),
  };
}

/** A preview of a client that can play `media/video.mjpeg` from a server of its own. */
async function startAll(dialect: "rtsp" | "lab", rtspPort = 0) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(
    await RtspServer.start({ hostname: "127.0.0.1", port: rtspPort, media: MEDIA, loop: true }),
  );
  const { port } = server.address;
  const client = stack.use(
    new RtspClient({ url: { host: "127.0.0.1", port, file: "video.mjpeg" }, dialect }),
  );
  const images = stack.use(new ImageWorker());
  const handler = createPreviewHandler(playerOf(client), {
    png: (jpeg) => images.toPng(jpeg),
    allowedHosts: allowedHostsOf("127.0.0.1"),
  });
  const preview = stack.use(openPreview(handler, { port: 0 }));
  return { stack, server, client, address: preview.address };
}

for (const dialect of ["lab", "rtsp"] as const) {
  testInChromium(`preview: the four buttons play the film, dialect ${dialect}`, async (browser) => {
    const { page, complaints, requests } = browser;
    const { stack, client, address } = await startAll(dialect);
    await using _all = stack;
    await page.goto(address, { waitUntil: "commit" });
    await waitForText(page, "state", "INIT");
    assertEquals(await enabledButtons(page), ["setup"]);

    await page.locator("#setup").click();
    await waitForText(page, "state", "READY");
    assertEquals(await enabledButtons(page), ["play", "teardown"]);
    assertEquals(await textOf(page, "transport"), "UDP");
    assertEquals(await textOf(page, "dialect"), dialect === "lab" ? "lab" : "RTSP 1.0");
    await delay(300);
    assertEquals(await shownFrame(page), undefined);

    await page.locator("#play").click();
    await waitForText(page, "state", "PLAYING");
    assertEquals(await enabledButtons(page), ["pause", "teardown"]);
    await page.waitForFunction(() => Number(document.querySelector("#frames")?.textContent) > 20);
    const shown: number[] = [];
    for (let i = 0; i < 6; i++) {
      shown.push(await shownFrame(page) ?? 0);
      await delay(150);
    }
    assertEquals(shown, shown.toSorted((a, b) => a - b));
    assertGreater(new Set(shown).size, 3, `frames shown: ${shown}`);
    const frameRate = Number((await textOf(page, "frame-rate")).split(" ")[0]);
    assert(frameRate > 15 && frameRate < 25, `${frameRate} frames a second`);
    assertEquals(await textOf(page, "lost"), "0");

    await page.locator("#pause").click();
    await waitForText(page, "state", "READY");
    await delay(500); // what was on its way has come
    const resting = await shownFrame(page);
    assert(resting !== undefined);
    const { packets } = client.statistics();
    await delay(400);
    assertEquals(await shownFrame(page), resting);
    assertEquals(client.statistics().packets, packets);
    assertEquals(await textOf(page, "packets"), packets.toLocaleString("en"));

    await page.locator("#play").click();
    await waitForText(page, "state", "PLAYING");
    await delay(500);
    assertGreater(await shownFrame(page) ?? 0, resting);
    await page.locator("#teardown").click();
    await waitForText(page, "state", "INIT");
    assertEquals(await enabledButtons(page), ["setup"]);

    await page.locator("#setup").click(); // and once more from the beginning
    await waitForText(page, "state", "READY");
    await page.locator("#play").click();
    await waitForText(page, "state", "PLAYING");
    await delay(500);
    assertLess(await shownFrame(page) ?? 1000, resting);
    await page.locator("#teardown").click();
    await waitForText(page, "state", "INIT");
    assertEquals(complaints, []);
    assertEquals(requests.filter((url) => !url.startsWith(address)), []);
  });
}

testInChromium("preview: snapshots are the frame that is shown", async ({ page }) => {
  const { stack, client, address } = await startAll("lab");
  await using _all = stack;
  await client.setup();
  await client.play();
  await delay(500);
  await client.pause();
  await page.goto(address, { waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector("#frame-number")?.textContent !== "–");
  const shown = await shownFrame(page);
  const jpeg = await (await fetch(`${address}snapshot.jpg`)).bytes();
  assertEquals(jpeg, client.latestFrame!.jpeg);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "PNG" }).click(),
  ]);
  assertEquals(download.suggestedFilename().replace(/\d+/, "N"), "frame-N.png");
  const png = await Deno.readFile(await download.path());
  const size = new DataView(png.buffer).getUint32(16);
  assertEquals(size, client.statistics().width);
  assert(shown);
});

testInChromium("preview: a page that stands still costs the client nothing", async ({ page }) => {
  const { stack, client, server, address } = await startAll("rtsp");
  await using _all = stack;
  await page.goto(address, { waitUntil: "commit" });
  await waitForText(page, "state", "INIT");
  await page.keyboard.press("s");
  await waitForText(page, "state", "READY");
  await page.keyboard.press("p");
  await waitForText(page, "state", "PLAYING");
  const frozen = page.evaluate(() => {
    const end = Date.now() + 3000;
    while (Date.now() < end); // no script, no events, no frames
  });
  await delay(300);
  const before = client.statistics();
  await delay(2000);
  const after = client.statistics();
  assertGreater(after.frames - before.frames, 30);
  assertEquals([after.lost, after.framesDropped], [0, 0]);
  await frozen;
  await delay(500);
  const shown = await shownFrame(page) ?? 0;
  const newest = client.latestFrame!.number;
  assertLess(newest - shown, 10, "the page shows old frames");
  assert(server.sessions().length === 1);
});

// `UPDATE_SCREENSHOT=1 deno test --allow-all tests/browser/preview_test.ts` makes the pictures of the README anew.
if (Deno.env.get("UPDATE_SCREENSHOT") === "1") {
  testInChromium("preview: screenshots for the README", async ({ page }) => {
    const { stack, client, address } = await startAll("lab", 8554);
    await using _all = stack;
    await page.goto(address, { waitUntil: "commit" });
    await waitForText(page, "state", "INIT");
    await client.setup();
    await client.play();
    await delay(62_000); // the charts show a minute
    const pictures = [["light", "preview", 110], ["dark", "preview-dark", 345]] as const;
    for (const [colorScheme, name, frame] of pictures) { // by day, by night
      await page.emulateMedia({ colorScheme });
      while (await shownFrame(page) !== frame) await delay(10);
      const picture = await page.screenshot();
      await savePicture(picture, new URL(`../../docs/${name}.png`, import.meta.url));
    }
  });
}

/** Saves a PNG with a palette of 256 colours, a quarter of the size, by ffmpeg. */
async function savePicture(png: Uint8Array, target: URL): Promise<void> {
  await Deno.mkdir(new URL("./", target), { recursive: true });
  const palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=sierra2_4a";
  const ffmpeg = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-y", "-f", "png_pipe", "-i", "-", "-vf", palette, target.pathname],
    stdin: "piped",
  }).spawn();
  const writer = ffmpeg.stdin.getWriter();
  await writer.write(png);
  await writer.close();
  assert((await ffmpeg.status).success);
  assertLess((await Deno.stat(target)).size, 300_000);
}
