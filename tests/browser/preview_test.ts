/** The preview in Chromium with the real client, which plays from the real server. */
/// <reference lib="dom" />
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { enabledButtons, shownFrame, testInChromium, textOf, waitForText } from "./chromium.ts";
import { startWatched } from "./watched.ts";

for (const dialect of ["lab", "rtsp"] as const) {
  testInChromium(`preview: the four buttons play the film, dialect ${dialect}`, async (browser) => {
    const { page, complaints, requests } = browser;
    const { stack, client, address } = await startWatched({ dialect });
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
    assert(frameRate > 8 && frameRate < 25, `${frameRate} frames a second`);
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
  const { stack, client, address } = await startWatched({ dialect: "lab" });
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
