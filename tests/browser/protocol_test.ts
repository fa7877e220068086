/** The protocol view in Chromium, with the real client and the real server on both ends. */
/// <reference lib="dom" />
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Locator, Page } from "playwright-core";
import { runOk, textOf as outputOf } from "../support/process.ts";
import { RtspLink } from "../support/rtsp_link.ts";
import { RtspServer } from "../../lib/server/server.ts";
import { shownFrame, testInChromium, textOf, waitForText } from "./chromium.ts";
import { TcpRecorder } from "./tcp_recorder.ts";
import { startWatched } from "./watched.ts";

const TABS = ["watch", "states", "dialogue", "packets", "frames", "charts"];

async function chooseTab(page: Page, name: string): Promise<void> {
  await page.locator(`#tab-${name}`).click();
  await page.locator(`#panel-${name}`).waitFor();
}

/** What the detail of the chosen message shows, turned back into octets. */
function shownOctets(page: Page): Promise<string> {
  return page.locator("#message-detail .wire code").evaluateAll((lines) =>
    lines.map((line) => {
      const copy = line.cloneNode(true) as HTMLElement;
      const ends = [...copy.querySelectorAll(".line-end > span")].map((end) => end.textContent);
      copy.querySelector(".line-end")?.remove();
      const names: Record<string, string> = { CR: "\r", LF: "\n" };
      return copy.textContent + ends.map((end) => names[end ?? ""]).join("");
    }).join("")
  );
}

for (const dialect of ["rtsp", "lab"] as const) {
  testInChromium(
    `page: the dialogue is what went over the wire, octet by octet, dialect ${dialect}`,
    async ({ page, complaints }) => {
      await using wire = new TcpRecorder();
      const { stack, server, client, address } = await startWatched({
        dialect,
        foreignPort: wire.port,
      });
      await using _all = stack;
      wire.serverPort = server.address.port;
      await page.goto(`${address}#dialogue`);
      await waitForText(page, "tab-dialogue", "Dialogue");
      await client.setup();
      await client.play();
      await delay(200);
      await client.pause();
      await client.teardown();
      await delay(500);
      const seen: Record<"out" | "in", string> = { out: "", in: "" };
      const rungs = page.locator("#ladder button");
      for (let i = 0; i < await rungs.count(); i++) {
        await rungs.nth(i).click();
        const facts = await page.locator("#message-detail .facts-list").innerText();
        const isSent = facts.includes("sent");
        seen[isSent ? "out" : "in"] += await shownOctets(page);
        assertEquals(
          (await rungs.nth(i).getAttribute("class"))?.includes("to-server"),
          isSent,
        );
      }
      assertEquals(seen.out, wire.toServer);
      assertEquals(seen.in, wire.toClient);
      assertGreater(await rungs.count(), 7);
      const labels = await page.locator("#ladder .request .label b").allTextContents();
      assertEquals(
        labels.filter((method) => /SETUP|PLAY|PAUSE|TEARDOWN/.test(method)),
        ["SETUP", "PLAY", "PAUSE", "TEARDOWN"],
      );
      if (dialect === "rtsp") { // every header of ours is explained, every answer has its time
        assertEquals(await page.getByText("Not a header of RFC 2326").count(), 0);
        assertEquals(
          await page.locator("#ladder .response", { hasText: "after" }).count(),
          labels.length,
        );
      }
      assertEquals(complaints, []);
    },
  );
}

testInChromium(
  "page: the fields of packets are what tshark says of them",
  async ({ page, complaints }) => {
    const { stack, server, client, address } = await startWatched();
    await using _all = stack;
    await client.setup();
    await client.play();
    await page.goto(`${address}#packets`);
    const rows = page.locator("#packet-list button");
    await rows.nth(15).waitFor();
    const kind = page.locator("#packet-kind");
    await kind.selectOption("rtcp");
    await rows.filter({ hasText: "RTCP in" }).first().waitFor();
    await kind.selectOption("all");
    await kind.blur();
    await page.keyboard.press("h"); // nothing moves from here on
    await client.pause();
    const fields = await tsharkFields(`${address}export/capture.pcapng`, server.address.port);
    let compared = 0;
    const compare = async (row: Locator) => {
      await row.click();
      const shown = await fieldTables(page);
      const key = shown["RTP header"]?.["Sequence number"] ??
        shown["Sender report"]["RTP timestamp"];
      const truth = fields.find((packet) =>
        packet["rtp.seq"] === key || packet["rtcp.timestamp.rtp"] === key
      );
      assert(truth, `tshark knows no packet ${key}`);
      for (const [section, field, name] of FIELDS) {
        if (!shown[section]) continue;
        assertEquals([name, numberOf(shown[section][field])], [name, numberOf(truth[name])]);
        compared++;
      }
    };
    for (let i = 0; i < 12; i++) await compare(rows.nth(i)); // a whole frame, and its neighbours
    await kind.selectOption("rtcp");
    await compare(rows.filter({ hasText: "RTCP in" }).first());
    assertGreater(compared, 80);
    assertEquals(complaints, []);
  },
);

const FIELDS: [section: string, field: string, tshark: string][] = [
  ["RTP header", "Version", "rtp.version"],
  ["RTP header", "Padding", "rtp.padding"],
  ["RTP header", "Extension", "rtp.ext"],
  ["RTP header", "CSRC count", "rtp.cc"],
  ["RTP header", "Marker", "rtp.marker"],
  ["RTP header", "Payload type", "rtp.p_type"],
  ["RTP header", "Sequence number", "rtp.seq"],
  ["RTP header", "Timestamp", "rtp.timestamp"],
  ["RTP header", "Synchronization source", "rtp.ssrc"],
  ["RTP/JPEG header", "Type-specific", "jpeg.main_hdr.ts"],
  ["RTP/JPEG header", "Fragment offset", "jpeg.main_hdr.offset"],
  ["RTP/JPEG header", "Type", "jpeg.main_hdr.type"],
  ["RTP/JPEG header", "Q", "jpeg.main_hdr.q"],
  ["Sender report", "Source of this report", "rtcp.senderssrc"],
  ["Sender report", "NTP timestamp, seconds", "rtcp.timestamp.ntp.msw"],
  ["Sender report", "NTP timestamp, fraction", "rtcp.timestamp.ntp.lsw"],
  ["Sender report", "RTP timestamp", "rtcp.timestamp.rtp"],
  ["Sender report", "Sender's packet count", "rtcp.sender.packetcount"],
  ["Sender report", "Sender's octet count", "rtcp.sender.octetcount"],
];

/** tshark says true and false, and numbers in either notation; of a compound packet it lists all values. */
function numberOf(text: string): number {
  const [first] = text.split(",");
  return first === "True" ? 1 : first === "False" ? 0 : Number(first);
}

async function tsharkFields(url: string, rtspPort: number): Promise<Record<string, string>[]> {
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await Deno.writeFile(path, await (await fetch(url)).bytes());
    const names = FIELDS.map(([, , name]) => name);
    const input = ["-r", path, "-d", `tcp.port==${rtspPort},rtsp`]; // not the usual port
    const malformed = await runOk("tshark", { args: [...input, "-Y", "_ws.malformed"] });
    assertEquals(outputOf(malformed).trim(), "");
    const result = await runOk("tshark", {
      args: [
        ...[...input, "-Y", "rtp or rtcp", "-T", "fields", "-E", "separator=|"],
        ...names.flatMap((name) => ["-e", name]),
      ],
    });
    return outputOf(result).trim().split("\n").map((line) => {
      const values = line.split("|");
      return Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""]));
    });
  } finally {
    await Deno.remove(path);
  }
}

/** Values of all fields that the detail of the chosen packet shows, by section. */
function fieldTables(page: Page): Promise<Record<string, Record<string, string>>> {
  return page.locator("#packet-detail .fields").evaluateAll((sections) =>
    Object.fromEntries(sections.map((section) => [
      section.querySelector("h3")!.firstChild!.textContent!,
      Object.fromEntries(
        [...section.querySelectorAll("tbody tr")].filter((row) => row.closest(".field-table")).map((
          row,
        ) => [row.querySelector("th")!.textContent!, row.querySelector("td")!.textContent!]),
      ),
    ]))
  );
}

testInChromium(
  "page: tabs by mouse, arrows and figures; states light up and tell why",
  async ({ page, complaints }) => {
    const { stack, client, address } = await startWatched();
    await using _all = stack;
    await page.goto(address);
    await waitForText(page, "state", "INIT");
    for (const [i, name] of TABS.entries()) {
      await page.keyboard.press(String(i + 1));
      assertEquals(await page.locator("[role=tabpanel]:visible").count(), 1);
      assertEquals(await page.locator(`#panel-${name}`).isVisible(), true);
    }
    await page.locator("#tab-charts").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    assertEquals(await page.evaluate(() => document.activeElement?.id), "tab-states");
    const lit = () => page.locator(".lying .node.lit text").textContent();
    assertEquals(await lit(), "INIT");
    await page.keyboard.press("s");
    await page.locator('.lying [data-arrow="INIT READY"].last').waitFor({ state: "attached" });
    assertEquals(await lit(), "READY");
    await page.keyboard.press("p");
    await page.locator('.lying [data-arrow="READY PLAYING"].last.fired').waitFor({
      state: "attached",
    });
    assertEquals(await lit(), "PLAYING");
    assertEquals(
      await textOf(page, "last-transition"),
      "The last change: READY → PLAYING by PLAY.",
    );
    await page.locator("#transitions .link").first().click(); // to the request that did it
    assertEquals(await page.locator("#message-detail h2").textContent(), "PLAY request");
    await chooseTab(page, "states");
    await client.teardown();
    await page.locator('.lying [data-arrow="PLAYING INIT"].last').waitFor({ state: "attached" });
    assertEquals(await lit(), "INIT");
    assertEquals(complaints, []);
  },
);

testInChromium(
  "page: step mode holds each request until it is sent",
  async ({ page, complaints }) => {
    const { stack, server, address } = await startWatched();
    await using _all = stack;
    await page.goto(address);
    await waitForText(page, "state", "INIT");
    await page.locator("#step-mode").click();
    await page.locator('#step-mode[aria-pressed="true"]').waitFor();
    await page.keyboard.press("s");
    const sent: string[] = [];
    while (sent.at(-1) !== "SETUP") {
      await page.locator("#waiting").waitFor();
      sent.push(await textOf(page, "waiting-method"));
      assertGreater((await textOf(page, "waiting-meaning")).length, 10);
      await delay(150);
      assertEquals(server.sessions().length, 0);
      if (sent.length % 2) await page.locator("#step").click();
      else await page.keyboard.press("n");
      await page.waitForFunction(
        (method) =>
          document.getElementById("waiting")?.hidden ||
          document.getElementById("waiting-method")?.textContent !== method,
        sent.at(-1),
      );
    }
    await waitForText(page, "state", "READY");
    await page.keyboard.press("p");
    await waitForText(page, "waiting-method", "PLAY");
    await page.keyboard.press("e"); // off: what waits is sent
    await waitForText(page, "state", "PLAYING");
    assertEquals(await page.locator("#waiting").isVisible(), false);
    assertEquals(complaints, []);
  },
);

testInChromium(
  "page: the timeline seeks, steps by frames and turns round, and the picture follows",
  async ({ page, complaints }) => {
    const { stack, client, address } = await startWatched({ loop: false });
    await using _all = stack;
    await page.goto(address);
    await waitForText(page, "state", "INIT");
    await page.keyboard.press("s");
    await waitForText(page, "state", "READY");
    await page.keyboard.press("p");
    await waitForText(page, "state", "PLAYING");
    await page.waitForFunction(() =>
      !(document.getElementById("seek") as HTMLInputElement).disabled
    );
    assertEquals(await textOf(page, "length"), "0:25");
    assertEquals(await page.locator("#live").isVisible(), false);
    const slider = page.locator("#seek");
    await slider.evaluate((input: HTMLInputElement) => {
      input.value = "15";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.waitForFunction(() =>
      /^0:1[5-9]$/.test(document.getElementById("position")?.textContent ?? "")
    );
    await delay(500);
    const there = await shownFrame(page) ?? 0; // 20 frames a second
    assert(there > 295 && there < 420, `frame ${there}`);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press("ArrowLeft"); // five seconds back
    await delay(1000);
    const back = await shownFrame(page) ?? 0;
    assert(back < there - 30 && back > there - 150, `frame ${back} after ${there}`);
    assertEquals(client.state, "PLAYING");
    await page.keyboard.press(" ");
    await waitForText(page, "state", "READY");
    await delay(300);
    const resting = await shownFrame(page) ?? 0;
    const reached = async (frame: number) => {
      for (let i = 0; i < 40 && await shownFrame(page) !== frame; i++) await delay(50);
      return await shownFrame(page);
    };
    await page.keyboard.press("."); // one frame on, and two back
    assertEquals(await reached(resting + 1), resting + 1);
    await page.locator("#frame-back").click();
    assertEquals(await reached(resting), resting);
    await page.locator("#frame-back").click();
    assertEquals(await reached(resting - 1), resting - 1);
    await page.locator("#speed").selectOption("-1");
    await waitForText(page, "state", "PLAYING");
    await delay(1000);
    assertLess(await shownFrame(page) ?? 0, resting - 8, "it does not run backwards");
    await chooseTab(page, "dialogue");
    await page.locator("#ladder .request", { hasText: "PLAY" }).nth(2).waitFor();
    assertEquals(complaints, []);
  },
);

testInChromium("page: charts move, and say their newest number", async ({ page, complaints }) => {
  const { stack, client, address } = await startWatched();
  await using _all = stack;
  await client.setup();
  await client.play();
  await page.goto(`${address}#charts`);
  await page.locator("#chart-grid canvas").first().waitFor();
  await page.waitForFunction(() =>
    document.getElementById("chart-frame-rate")?.textContent !== "–"
  );
  await delay(2500);
  const drawn = () =>
    page.locator("#chart-grid canvas").evaluateAll((all) =>
      all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL())
    );
  const before = await drawn();
  assertEquals(before.length, 8);
  await delay(2200);
  const after = await drawn();
  assertEquals(after.filter((picture, i) => picture === before[i]).length, 0);
  const frameRate = Number((await textOf(page, "chart-frame-rate")).split(" ")[0]);
  assert(frameRate > 5 && frameRate < 25, `${frameRate}`);
  assertEquals(await textOf(page, "chart-loss"), "0.00 %");
  await page.emulateMedia({ colorScheme: "dark" }); // drawn anew in the colours of the night
  await delay(300);
  assertEquals((await drawn()).length, 8);
  assertEquals(complaints, []);
});

testInChromium("page: a lost packet shows which frame it cost", async ({ page, complaints }) => {
  await using server = await RtspServer.start({
    hostname: "127.0.0.1",
    port: 0,
    media: new URL("../../media/", import.meta.url),
    loop: true,
  });
  await using link = new RtspLink({
    port: server.address.port,
    plan: (i) => i % 40 === 20 ? "drop" : i % 40 === 31 ? "swap" : "pass",
  });
  const { stack, client, address } = await startWatched({ foreignPort: link.port });
  await using _all = stack;
  await client.setup();
  await client.play();
  await delay(1500);
  await page.goto(`${address}#frames`);
  await page.locator("#frame-list .square.lost").first().waitFor();
  await page.locator("#hold-frames").click();
  const lost = page.locator("#frame-list .frame.dropped .square.lost").first();
  await lost.hover();
  const sentence = await textOf(page, "pointed");
  const [, number] =
    sentence.match(/^Packet (\d+) never came\. It cost the frame with timestamp \d+/) ?? [];
  assert(number, sentence);
  const dropped = link.packets.filter(({ fate }) => fate === "drop").map((p) => p.sequenceNumber);
  assert(dropped.includes(Number(number)), `${number} was not dropped`);
  assertGreater(await page.locator("#frame-list .square.reordered").count(), 0);
  await page.locator("#frame-list .frame.complete .square.received").first().focus();
  await page.keyboard.press("ArrowRight");
  assertStringIncludes(await textOf(page, "pointed"), "came in its order");
  assertEquals(complaints, []);
});

testInChromium("page: opens another film, and says why it cannot", async ({ page }) => {
  const { stack, client, address } = await startWatched();
  await using _all = stack;
  await client.setup();
  await client.play();
  await page.goto(address);
  await waitForText(page, "state", "PLAYING");
  await page.locator("#address").fill("missing.mjpeg");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() =>
    document.getElementById("message")?.textContent?.includes("404")
  );
  await page.locator("#address").fill("video.mjpeg");
  await page.keyboard.press("Enter");
  await waitForText(page, "state", "PLAYING");
  await page.waitForFunction(() => Number(document.getElementById("frames")?.textContent) > 5);
  assertEquals(await textOf(page, "message"), "");
  assertEquals(client.state, "PLAYING");
});

testInChromium("page: exports are files with something in them", async ({ page }) => {
  const { stack, client, address } = await startWatched();
  await using _all = stack;
  await client.setup();
  await client.play();
  await page.goto(address);
  await delay(1500);
  const first = {
    "dialogue.txt": /OPTIONS/,
    "dialogue.mmd": /^sequenceDiagram/,
    "statistics.csv": /,/,
    "statistics.json": /^[{[]/,
    "capture.pcapng": /^\n\r\r\n/,
  };
  for (const [name, pattern] of Object.entries(first)) {
    await page.locator("#export summary").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(`#export a[href$="${name}"]`).click(),
    ]);
    assertStringIncludes(download.suggestedFilename(), name.split(".")[1]);
    const text = new TextDecoder("latin1").decode(await Deno.readFile(await download.path()));
    assert(pattern.test(text), `${name} begins ${text.slice(0, 60)}`);
    if (await page.locator("#export[open]").count()) await page.locator("#export summary").click();
  }
});

testInChromium(
  "page: a tab that stands still on its packets does not stall the receiver",
  async ({ page }) => {
    const { stack, client, address } = await startWatched({ transport: "tcp" });
    await using _all = stack;
    await client.setup();
    await client.play();
    await page.goto(`${address}#packets`);
    await page.locator("#packet-list button").first().waitFor();
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
    await delay(1000);
    const times = await page.locator("#packet-list .time").first().textContent() ?? "";
    const [hours, minutes, seconds] = times.split(":").map(Number);
    const shown = new Date().setHours(hours, minutes, 0, 0) + seconds * 1000;
    assertLess(Math.abs(Date.now() - shown), 2500, "the page shows old packets");
    const newest = client.latestFrame!.number;
    assertLess(newest - (await shownFrame(page) ?? 0), 15, "the page shows old frames");
  },
);

testInChromium(
  "page: a server's sessions, and nothing to command",
  async ({ page, complaints, requests }) => {
    const { stack, client, serverAddress } = await startWatched();
    await using _all = stack;
    await page.goto(serverAddress);
    await waitForText(page, "program", "rtsp-server");
    await waitForText(page, "no-sessions", "No client has set up a session yet.");
    await client.setup();
    await client.play();
    await page.locator("#session-rows .PLAYING").waitFor();
    const row = await page.locator("#session-rows tr").first().innerText();
    for (const part of ["Session 1", "127.0.0.1:", "video.mjpeg", "UDP"]) {
      assertStringIncludes(
        row,
        part,
      );
    }
    assertEquals(
      await page.locator(".controls button:visible, #step-mode:visible, #address:visible").count(),
      0,
    );
    await page.locator("#session-rows button").first().click();
    await page.locator("#ladder .to-server", { hasText: "PLAY" }).waitFor();
    await chooseTab(page, "frames");
    await page.locator("#frame-list .square.sent").first().waitFor();
    await chooseTab(page, "packets");
    await page.locator("#packet-list button").first().click();
    assertEquals((await fieldTables(page))["RTP header"]["Payload type"], "26");
    assertEquals(complaints, []);
    assertEquals(requests.filter((url) => !url.startsWith(serverAddress)), []);
  },
);
