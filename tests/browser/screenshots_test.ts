/** `UPDATE_SCREENSHOT=1 deno test -A tests/browser/screenshots_test.ts` makes the pictures of the README anew. */
/// <reference lib="dom" />
import { assert, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { shownFrame, testInChromium } from "./chromium.ts";
import { startWatched } from "./watched.ts";

if (Deno.env.get("UPDATE_SCREENSHOT") === "1") {
  testInChromium("page: screenshots for the README", async ({ page }) => {
    const { stack, client, address } = await startWatched({ rtspPort: 8554, loop: false });
    await using _all = stack;
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.goto(address);
    await client.setup();
    await client.play();
    while ((await shownFrame(page) ?? 0) < 245) await delay(10);
    await savePicture(await page.screenshot(), "watching");
    await page.locator("#tab-packets").click();
    await page.locator("#packet-list button").nth(20).waitFor();
    await page.keyboard.press("h");
    const first = page.locator("#packet-list li:has(+ li .marker) button").first();
    await first.click();
    await page.locator("#packet-detail .bits", { hasText: "timestamp" }).hover();
    await delay(400);
    await savePicture(await page.screenshot(), "packet");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator("#tab-dialogue").click();
    await page.locator("#ladder button").nth(5).click(); // the answer to SETUP
    await page.locator("#ladder").evaluate((ladder) => ladder.scrollTo(0, 0));
    await page.mouse.move(0, 0);
    await delay(400);
    await savePicture(await page.screenshot(), "dialogue");
  });
}

/** Saves a PNG with a palette of 256 colours, a quarter of the size, by ffmpeg. */
async function savePicture(png: Uint8Array, name: string): Promise<void> {
  const target = new URL(`../../docs/${name}.png`, import.meta.url);
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
