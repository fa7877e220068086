/** Chromium for tests: a fresh profile each time, no network but the loopback, nothing left behind. */
/// <reference lib="dom" />
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { readFrameNumber } from "../../tools/sample_strip.ts";

const CHROMIUM = "/usr/bin/chromium";

function hasChromium(): boolean {
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    return false;
  }
}

/** What a test gets: a page, and all that the page has complained about or asked for so far. */
export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors. */
  readonly complaints: string[];
  /** Addresses of all requests. */
  readonly requests: string[];
}

/**
 * A test in Chromium; skipped, and its name says so, where there is none (an error with `INTEROP_REQUIRED=1`).
 */
export function testInChromium(name: string, act: (browser: Browser) => Promise<void>): void {
  const isHere = hasChromium() || Deno.env.get("INTEROP_REQUIRED") === "1";
  Deno.test({
    name: isHere ? name : `${name} [skipped: needs ${CHROMIUM}, Debian package chromium]`,
    ignore: !isHere,
    fn: () => inChromium(act),
  });
}

async function inChromium(act: (browser: Browser) => Promise<void>): Promise<void> {
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await act({ context, page, complaints, requests });
  } finally {
    await context.close();
    await Deno.remove(profile, { recursive: true });
  }
}

/** What the page shows as text under an id. */
export async function textOf(page: Page, id: string): Promise<string> {
  return (await page.locator(`#${id}`).textContent() ?? "").trim();
}

/** Waits until the page shows a text under an id. */
export async function waitForText(page: Page, id: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([id, text]) => document.getElementById(id)?.textContent?.trim() === text,
    [id, text],
  );
}

/** The buttons that can be pressed now. */
export function enabledButtons(page: Page): Promise<string[]> {
  return page.locator(".controls button:enabled").evaluateAll((buttons) =>
    buttons.map((button) => button.id)
  );
}

/**
 * The number in the picture that is on the screen now, for frames of `media/video.mjpeg`; `undefined` for a picture
 * that is torn or not there.
 */
export async function shownFrame(page: Page): Promise<number | undefined> {
  const picture = await page.evaluate(() => {
    const screen = document.querySelector("#picture") as HTMLCanvasElement;
    if (screen.hidden) return undefined;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [screen.width, screen.height];
    const context = canvas.getContext("2d")!;
    context.drawImage(screen, 0, 0);
    const rows = Math.ceil(canvas.height / 36); // the strip
    const { data } = context.getImageData(0, canvas.height - rows, canvas.width, rows);
    return { width: canvas.width, height: rows, samples: [...data] };
  });
  if (!picture) return undefined;
  // The strip alone: repeat its rows' middle, which is all that is read, as a picture of one row.
  const middle = Math.floor(picture.height / 2) * picture.width * 4;
  const samples = picture.samples.slice(middle, middle + picture.width * 4);
  return readFrameNumber({ width: picture.width, height: 1, channels: 4, samples });
}
