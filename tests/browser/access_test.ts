/** The page for everybody: screen readers, keyboards, narrow screens, by day and by night. */
/// <reference lib="dom" />
import axe from "axe-core/axe.min.js" with { type: "text" };
import { assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Page } from "playwright-core";
import { openMovie } from "../../lib/disk.ts";
import { allowedHostsOf, createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import { fakeHistory } from "../ui/fake_history.ts";
import { FakePlayer } from "../ui/fake_player.ts";
import { FakeProtocol, waitingStep } from "../ui/fake_protocol.ts";
import { testInChromium, textOf, waitForText } from "./chromium.ts";

const TABS = ["watch", "states", "dialogue", "packets", "frames", "charts"];
const FILM = {
  startSeconds: 0,
  endSeconds: 25,
  positionSeconds: 7,
  isSeekable: true,
  scale: 1,
  scales: [-1, 1, 2],
};

await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
const frame = await movie.readFrame(100);

function openFake(side: "client" | "server" = "client") {
  const player = new FakePlayer();
  player.state = "PLAYING";
  player.statistics = { film: FILM };
  const handler = createPreviewHandler(player, {
    png: () => Promise.resolve(Uint8Array.of(1)),
    allowedHosts: allowedHostsOf("127.0.0.1"),
  });
  const protocol = new FakeProtocol(handler, { ...fakeHistory(frame), side });
  protocol.extraState = { side };
  return { player, protocol, preview: openPreview(protocol.handler, { port: 0 }) };
}

/** Opens a tab with something chosen in it. */
async function showTab(page: Page, name: string): Promise<void> {
  await page.locator(`#tab-${name}`).click();
  if (name === "dialogue") await page.locator("#ladder button").last().click();
  if (name === "packets") await page.locator("#packet-list button").first().click();
  if (name === "frames") await page.locator("#frame-list .lost").first().hover();
  if (name === "charts") await page.locator("#chart-grid canvas").last().waitFor();
  await page.mouse.move(0, 0);
  await delay(150); // colours have changed over
}

/** What axe-core finds of WCAG 2.2 A and AA, and of best practice, that is serious or worse. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe); // by the debugger, past the page's own policy
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: {
            id: string;
            impact: string;
            nodes: { html: string; failureSummary: string }[];
          }[];
        }>;
      };
    }).axe.run();
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(
      ({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 150)} ${failureSummary}`),
    );
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  testInChromium(
    `page: axe-core finds nothing serious on any tab, ${colorScheme}`,
    async ({ page }) => {
      const { preview, player } = openFake();
      await using _preview = preview;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(preview.address);
      await waitForText(page, "state", "PLAYING");
      player.receive(frame, 7);
      for (const tab of TABS) {
        await showTab(page, tab);
        assertEquals([tab, ...await seriousFaults(page)], [tab]);
      }
      await page.keyboard.press("?");
      assertEquals(["keys", ...await seriousFaults(page)], ["keys"]);
      await page.keyboard.press("Escape");
      player.step = waitingStep("PLAY", "rtsp://127.0.0.1/film");
      player.change();
      await page.locator("#waiting").waitFor();
      assertEquals(["waiting", ...await seriousFaults(page)], ["waiting"]);
    },
  );
}

testInChromium("page: axe-core finds nothing serious on a server's sessions", async ({ page }) => {
  const { preview } = openFake("server");
  await using _preview = preview;
  await page.goto(preview.address);
  await page.locator("#session-rows tr").first().waitFor();
  assertEquals(await seriousFaults(page), []);
});

testInChromium("page: no tab is wider than the screen, from 320 pixels on", async ({ page }) => {
  const { preview, player } = openFake();
  await using _preview = preview;
  await page.goto(preview.address);
  await waitForText(page, "state", "PLAYING");
  player.receive(frame, 7);
  for (const width of [320, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const tab of TABS) {
      await showTab(page, tab);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assertEquals([width, tab, Math.max(0, overflow)], [width, tab, 0]);
    }
  }
});

testInChromium("page: nothing moves about while the protocol is told", async ({ page }) => {
  const { preview, protocol, player } = openFake();
  await using _preview = preview;
  await page.addInitScript(() => {
    const shifts: unknown[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput, sources } = entry as unknown as {
          value: number;
          hadRecentInput: boolean;
          sources: { node?: Element }[];
        };
        if (!hadRecentInput) {
          shifts.push([
            value,
            sources.map(({ node }) => node?.id || node?.className),
          ]);
        }
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(`${preview.address}#dialogue`);
  await waitForText(page, "state", "PLAYING");
  for (const tab of ["dialogue", "charts", "states", "watch"]) { // lists that grow at their head do move
    await page.locator(`#tab-${tab}`).click();
    for (let i = 0; i < 8; i++) {
      protocol.send({ totals: { packets: i, packetsSkipped: i, messages: i } });
      player.receive(frame);
      player.change();
      await delay(120);
    }
  }
  const shifts = await page.evaluate(() =>
    (globalThis as unknown as { shifts: [number, string[]][] }).shifts
  );
  assertLess(shifts.reduce((sum, [value]) => sum + value, 0), 0.02, JSON.stringify(shifts));
});

testInChromium(
  "page: is there in well under a second, from 127.0.0.1 alone",
  async ({ page, requests }) => {
    const { preview } = openFake();
    await using _preview = preview;
    await page.goto(preview.address); // the first time warms the browser
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      requests.length = 0;
      const began = performance.now();
      await page.goto(`${preview.address}?${i}#packets`, { waitUntil: "commit" });
      await page.locator("#packet-list button").first().waitFor();
      best = Math.min(best, performance.now() - began);
    }
    console.log(`  loaded, with packets, in ${best.toFixed(0)} ms, ${requests.length} requests`);
    assertLess(best, 2500); // other tests may run beside this one
    assertEquals(requests.filter((url) => !url.startsWith(preview.address)), []);
    assertEquals(
      requests.filter((url) => url.endsWith("/uplot.js")),
      [],
      "charts are loaded when shown",
    );
  },
);

testInChromium(
  "page: keys do what their list says, and nothing in a text field",
  async ({ page }) => {
    const { preview, player, protocol } = openFake();
    await using _preview = preview;
    player.statistics = { film: FILM };
    await page.goto(preview.address);
    await waitForText(page, "state", "PLAYING");
    player.receive(frame, 7);
    await page.locator("#show-keys").click();
    const listed = await page.locator("#key-list dt").allInnerTexts();
    assertEquals(listed.map((keys) => keys.trim().replaceAll(/\s+/g, " ")).slice(0, 5), [
      "S",
      "P",
      "Space",
      "T",
      "←→",
    ]);
    await page.keyboard.press("Escape");
    await page.locator("#address").focus();
    await page.keyboard.type("3tz");
    assertEquals(await page.locator("#tab-watch").getAttribute("aria-selected"), "true");
    assertEquals(player.commands, []);
    await page.keyboard.press("Escape"); // takes back what was typed
    assertEquals(await page.locator("#address").inputValue(), "rtsp://127.0.0.1:8554/video.mjpeg");
    await page.keyboard.press("z");
    assertEquals(await page.locator("#natural-size").getAttribute("aria-pressed"), "true");
    const size = await page.locator("#picture").evaluate((canvas) =>
      canvas.getBoundingClientRect().width
    );
    assertEquals(size, 320);
    await page.keyboard.press("z");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("e");
    await page.locator("#speed").selectOption("2");
    for (let i = 0; i < 50 && protocol.commands.length < 3; i++) await delay(50);
    assertEquals(protocol.commands, [
      ["/seek", { npt: 12 }],
      ["/step-mode", { enabled: true }],
      ["/seek", {
        npt: protocol.commands.at(-1)?.[1] && (protocol.commands.at(-1)![1] as { npt: number }).npt,
        scale: 2,
      }],
    ]);
    await page.locator("#tab-packets").click();
    await page.locator("#packet-list button").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assertEquals(await page.locator("#packet-list [aria-current]").count(), 1);
    assertEquals((await textOf(page, "packet-detail")).startsWith("RTP packet 4008"), true);
  },
);
