/** The small rooms of the client, one by one, with a clock that moves only when told. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Backoff, pause } from "../../lib/client/backoff.ts";
import { type CommandLine, parseCommandLine } from "../../lib/client/command_line.ts";
import { CLIENT_HELP } from "../../lib/client/command_line_help.ts";
import { UsageError } from "../../lib/command_line.ts";
import { FrameDelivery } from "../../lib/client/delivery.ts";
import { FrameNumbering } from "../../lib/client/frame_numbering.ts";
import { FrameQueue } from "../../lib/client/frame_queue.ts";
import { pngNameOf, sizeOf } from "../../lib/client/keepers.ts";
import { encodeLabReport, wantsLabReports } from "../../lib/client/lab_reports.ts";
import { settingsOf } from "../../lib/client/options.ts";
import { judgeSilence, type PlayingStream } from "../../lib/client/silence.ts";
import {
  MAX_ERRORS,
  RateMeter,
  type ReceivedFrame,
  type ReceiverCounters,
} from "../../lib/client/statistics.ts";
import { chooseStream } from "../../lib/client/stream_choice.ts";
import { ClientTally } from "../../lib/client/tally.ts";
import { SdpFormatError } from "../../lib/errors.ts";
import type { RtspHeader, RtspResponse } from "../../lib/rtsp.ts";

function frameOf(number: number, bytes = 100): ReceivedFrame {
  return { jpeg: new Uint8Array(bytes), number, timestamp: number, arrivalMs: 0 };
}

Deno.test("RateMeter measures the last two seconds, and what it has had before that", () => {
  const meter = new RateMeter();
  assertEquals(meter.perSecond(0), 0);
  for (let now = 0; now <= 1000; now += 100) meter.add(5, now);
  assertEquals(Math.round(meter.perSecond(1000)), 55); // eleven additions in one second
  for (let now = 1100; now < 10_000; now += 100) meter.add(5, now);
  assert(Math.abs(meter.perSecond(10_000) - 50) < 3);
  assertEquals(meter.perSecond(20_000), 0);
  meter.add(7, 20_000);
  meter.reset();
  assertEquals(meter.perSecond(20_100), 0);
});

Deno.test("FrameDelivery serves listeners at once, loops in turn, and drops the oldest of a slow loop", async () => {
  const delivery = new FrameDelivery();
  const heard: number[] = [];
  const stop = delivery.onFrame((frame) => void heard.push(frame.number));
  const loop = delivery.frames({ queueLength: 2 });
  const waiting = loop.next();
  for (const number of [1, 2, 3, 4]) delivery.deliver(frameOf(number));
  stop();
  delivery.deliver(frameOf(5));
  delivery.end();
  assertEquals(heard, [1, 2, 3, 4]);
  assertEquals((await waiting).value?.number, 1);
  assertEquals((await Array.fromAsync(loop)).map((frame) => frame.number), [4, 5]);
  assertEquals(delivery.undelivered, 2);
  assertEquals(delivery.latest?.number, 5);
});

Deno.test("FrameDelivery throws an error once in every loop, and forgets loops that were left", async () => {
  const delivery = new FrameDelivery();
  const loop = delivery.frames();
  const left = delivery.frames();
  await left.return!();
  delivery.deliver(frameOf(1));
  delivery.end(new Error("lost"));
  assertEquals((await loop.next()).value?.number, 1);
  await assertRejects(() => loop.next(), Error, "lost");
  assertEquals((await loop.next()).done, true);
  assertEquals((await left.next()).done, true);
});

Deno.test("FrameNumbering follows sequence numbers, goes on over restarts, and counts pieces", () => {
  const numbering = new FrameNumbering({ followsSequence: true });
  assertEquals([1, 2, 5, 1, 2, 300].map((n) => numbering.next(n, 1)), [1, 2, 5, 6, 7, 305]);
  assertEquals(numbering.next(301, 4), 306); // pieces: from here on frames are counted
  assertEquals(numbering.next(302, 1), 307);
  numbering.skip(2);
  assertEquals(numbering.next(9, 3), 310);
  numbering.restart({ followsSequence: true });
  assertEquals([0, 1].map((n) => numbering.next(n, 1)), [311, 312]);
  assertEquals(numbering.last, 312);
});

Deno.test("FrameNumbering counts from 1 where the first number says nothing", () => {
  const numbering = new FrameNumbering({ followsSequence: true });
  assertEquals([54_321, 54_322, 54_324].map((n) => numbering.next(n, 1)), [1, 2, 4]);
});

const STREAM: PlayingStream = {
  dialect: "rtsp",
  transport: "udp",
  mayChangeToTcp: false,
  playedMs: 1000,
  lastPacketMs: 5000,
  durationMs: undefined,
  hasLostControl: false,
};
const LIMITS = { timeoutMs: 10_000, udpSilenceMs: 3000, labSilenceMs: 2000 };

Deno.test("judgeSilence() tells waiting, TCP, the end, and two failures, at the millisecond", () => {
  const cases: [Partial<PlayingStream>, number, string, string][] = [
    // stream, silence in ms, before it, at it
    [{ lastPacketMs: undefined, mayChangeToTcp: true }, 3000, "wait", "use-tcp"],
    [{ lastPacketMs: undefined }, 10_000, "wait", "no-packet"],
    [{ lastPacketMs: undefined, hasLostControl: true }, 1000, "wait", "lost"],
    [{}, 10_000, "wait", "lost"],
    [{ hasLostControl: true }, 1000, "wait", "lost"],
    [{ dialect: "lab" }, 2000, "wait", "end"],
    [{ dialect: "lab", lastPacketMs: undefined }, 10_000, "wait", "no-packet"],
    [{ durationMs: 4500 }, 2000, "wait", "end"],
    [{ durationMs: 60_000 }, 10_000, "wait", "lost"], // far from its end: no end
    [{ mayChangeToTcp: true }, 10_000, "wait", "lost"], // packets came: UDP works
  ];
  for (const [change, silenceMs, before, at] of cases) {
    const stream = { ...STREAM, ...change };
    const since = stream.lastPacketMs ?? stream.playedMs;
    const label = JSON.stringify(change);
    assertEquals(judgeSilence(stream, LIMITS, since + silenceMs - 1), before, label);
    assertEquals(judgeSilence(stream, LIMITS, since + silenceMs), at, label);
  }
  assertEquals(
    judgeSilence({ ...STREAM, lastPacketMs: undefined, durationMs: 0 }, LIMITS, 1001),
    "end",
  );
});

function countersOf(packets: number, lost = 0): ReceiverCounters {
  const zero = { duplicates: 0, reordered: 0, late: 0, malformed: 0, lossRatio: 0, jitterMs: 2 };
  return { ...zero, packets, lost, bytes: packets * 1000 };
}

Deno.test("ClientTally adds up over connections, and measures while it plays", () => {
  const tally = new ClientTally();
  const context = {
    state: "PLAYING",
    url: "rtsp://h/x",
    dialect: "rtsp",
    transport: "udp",
  } as const;
  let packets = 0;
  tally.adopt({ framesDropped: 1, counters: () => countersOf(packets, 1) });
  tally.playAsked(0);
  tally.playStarted(10);
  for (let i = 0; i < 20; i++) {
    packets += 2;
    tally.frame(frameOf(i + 1), 60 + i * 50);
  }
  const playing = tally.snapshot(context, 1010);
  assertEquals(playing.firstFrameMs, 60);
  assert(Math.abs(playing.frameRate - 20) < 2, String(playing.frameRate));
  assert(Math.abs(playing.bitRate - 20 * 2 * 8000) < 40_000, String(playing.bitRate));
  assertEquals(playing.lossRatio, 0.02439);
  tally.playStopped(5000, { atLastFrame: true });
  tally.adopt({ framesDropped: 0, counters: () => countersOf(10) });
  const later = tally.snapshot(context, 9000);
  assertEquals([later.packets, later.lost, later.framesDropped], [50, 1, 1]);
  assertEquals(later.durationSeconds, 1); // from PLAY's answer to the last frame
  assertEquals(later.frameRate, 20);
  for (let i = 0; i < 30; i++) tally.error(`fault ${i}`);
  tally.error("fault 29");
  const { errors } = tally.snapshot(context, 9000);
  assertEquals([errors.length, errors.at(-1)], [MAX_ERRORS, "fault 29"]);
});

Deno.test("Backoff doubles to half a minute, give or take a fifth", () => {
  const backoff = new Backoff(1000, () => 0.5);
  assertEquals(
    Array.from({ length: 7 }, () => backoff.next()),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  assertEquals(new Backoff(1000, () => 0).next(), 800);
});

Deno.test("pause() ends early when told", async () => {
  const abort = new AbortController();
  assertEquals(await pause(1, abort.signal), true);
  const long = pause(60_000, abort.signal);
  abort.abort();
  assertEquals(await long, false);
  assertEquals(await pause(60_000, abort.signal), false);
});

Deno.test("FrameQueue does all it took, counts what it could not take, and keeps the first error", async () => {
  const done: number[] = [];
  let isRunning = 0;
  const queue = new FrameQueue({
    parallel: 2,
    limitBytes: 300,
    work: async (frame) => {
      assert(++isRunning <= 2);
      await Promise.resolve();
      isRunning--;
      if (frame.number === 4) throw new Error("disk full");
      done.push(frame.number);
    },
  });
  // Two are worked on at once, three wait, the last finds no room.
  assertEquals([1, 2, 3, 4, 5, 6].map((n) => queue.push(frameOf(n))), [
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
  await queue.finish();
  assertEquals(done, [1, 2, 3, 5]);
  assertEquals([queue.done, queue.failed, queue.refused, queue.pending], [4, 1, 1, 0]);
  assertEquals(queue.firstError?.message, "disk full");
  await queue.finish();
});

Deno.test("encodeLabReport() writes the 32 octets of the Java edition", () => {
  const report = encodeLabReport({ packets: 90, lost: 10, lossRatio: 0.1 });
  const view = new DataView(report.buffer);
  assertEquals(view.getUint32(0), 0x81c90020);
  assertEquals(view.getUint32(4), 0);
  assertEquals(Math.round(view.getFloat32(8) * 1000), 100);
  assertEquals([view.getInt32(12), view.getInt32(16)], [10, 100]);
  assertEquals([...report.subarray(20)], new Array(12).fill(0));
  assert(wantsLabReports("9f91bae1-dfaa-4ec2-976f-dce239b3cb9f"));
  assert(!wantsLabReports("123456") && !wantsLabReports(undefined));
});

function described(sdp: string, headers: RtspHeader[] = []): RtspResponse {
  return {
    type: "response",
    version: "RTSP/1.0",
    statusCode: 200,
    reasonPhrase: "OK",
    headers,
    body: new TextEncoder().encode(sdp),
  };
}

Deno.test("chooseStream() takes the stream by its name, and both ways to join its URL", () => {
  const sdp =
    "v=0\r\na=control:*\r\na=range:npt=0-12.5\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n" +
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 jpeg/90000\r\na=x-dimensions:4096,2160\r\na=control:track=2\r\n";
  const stream = chooseStream(described(sdp), "rtsp://h/dir/film");
  assertEquals(stream, {
    format: { kind: "jpeg", payloadType: 96, clockRateHz: 90_000, width: 4096, height: 2160 },
    aggregateUrl: "rtsp://h/dir/film",
    setupUrls: ["rtsp://h/dir/film/track=2", "rtsp://h/dir/track=2"],
    endSeconds: 12.5,
    isLive: false,
  });
  const based = chooseStream(
    described(sdp, [["Content-Base", "rtsp://h/dir/film/"]]),
    "rtsp://h/dir/film",
  );
  assertEquals(based.setupUrls, ["rtsp://h/dir/film/track=2"]);
  const live = chooseStream(
    described("v=0\r\na=range:npt=now-\r\nm=video 0 RTP/AVP 26\r\n"),
    "rtsp://h/x",
  );
  assertEquals([live.isLive, live.setupUrls], [true, ["rtsp://h/x"]]);
  assertThrows(() => chooseStream(described("m=video 0 RTP/AVP 26"), "rtsp://h/x"), SdpFormatError);
  const audio = assertThrows(
    () => chooseStream(described("v=0\r\nm=audio 0 RTP/AVP 0\r\n"), "rtsp://h/x"),
    SdpFormatError,
  );
  assert(audio.message.includes("audio (0)"), audio.message);
});

Deno.test("settingsOf() hides credentials, encodes names, and refuses what cannot be", () => {
  const settings = settingsOf({ url: "rtsp://ann:p%40ss@[::1]:8554/a b/Bücher.mjpeg?x=1" });
  assertEquals(settings.credentials, { username: "ann", password: "p@ss" });
  assertEquals(settings.target, {
    host: "::1",
    port: 8554,
    href: "rtsp://[::1]:8554/a%20b/B%C3%BCcher.mjpeg?x=1",
    file: "a b/Bücher.mjpeg",
  });
  const lab = settingsOf({ url: { host: "::1", port: 1025, file: "a b.mjpeg" } });
  assertEquals(lab.target.href, "rtsp://[::1]:1025/a%20b.mjpeg");
  assertThrows(() => settingsOf({ url: "rtsps://h/x" }), RangeError);
  assertThrows(() => settingsOf({ url: "rtsp://h/x", rtpPort: 65536 }), RangeError);
  assertThrows(() => settingsOf({ url: "rtsp://h/x", latencyMs: -1 }), RangeError);
});

function run(...words: string[]): Extract<CommandLine, { kind: "run" }>["options"] {
  const line = parseCommandLine(words);
  assert(line.kind === "run");
  return line.options;
}

Deno.test("parseCommandLine() reads both forms and every option", () => {
  const url = "rtsp://h/x";
  assertEquals(run("h", "1025", "5008", "x").client.url, { host: "h", port: 1025, file: "x" });
  assertEquals(run("h", "1025", "5008", "x").client.rtpPort, 5008);
  assertEquals(run("h", "1025", "0", "007").client.url, { host: "h", port: 1025, file: "007" });
  assertEquals(run(url).preview, { hostname: "127.0.0.1", port: 8080 });
  assertEquals(run(url, "--preview", "[::1]:9000").preview, { hostname: "::1", port: 9000 });
  assertEquals(run(url, "--preview=0.0.0.0:80").preview, { hostname: "0.0.0.0", port: 80 });
  assertEquals(run(url, "--no-preview").preview, undefined);
  const all = run(
    ...[url, "--dialect", "lab", "--transport", "tcp", "--rtp-port", "6000", "--latency", "0"],
    ...[
      "--timeout",
      "2.5",
      "--reconnect",
      "--manual",
      "--duration",
      "9",
      "--frames",
      "8",
      "--open",
    ],
    ...["--record", "f", "--record-format", "lab", "--png", "d", "--png-every", "7"],
  );
  const { dialect, transport, rtpPort, latencyMs, timeoutMs, reconnects } = all.client;
  assertEquals({ dialect, transport, rtpPort, latencyMs, timeoutMs, reconnects }, {
    dialect: "lab",
    transport: "tcp",
    rtpPort: 6000,
    latencyMs: 0,
    timeoutMs: 2500,
    reconnects: true,
  });
  assertEquals([all.isManual, all.durationSeconds, all.frameCount, all.opensBrowser], [
    true,
    9,
    8,
    true,
  ]);
  assertEquals([all.recordPath, all.recordFormat, all.pngFolder, all.pngEvery], [
    "f",
    "lab",
    "d",
    7,
  ]);
  assertEquals(parseCommandLine(["-h"]).kind, "help");
  assertEquals(parseCommandLine(["--version", "nonsense"]).kind, "version");
});

Deno.test("parseCommandLine() refuses what cannot be meant, without showing a password", () => {
  for (
    const words of [
      ["rtsp://ann:hunter2@h:0/x"],
      ["http://h/x"],
      ["h", "1025", "5008"],
      ["h", "1025", "5008", ""],
      ["a b", "1025", "5008", "x"],
      ["rtsp://h/x", "--frames", "0"],
      ["rtsp://h/x", "--frames", "1.5"],
      ["rtsp://h/x", "--preview", "here"],
      ["rtsp://h/x", "--preview", "99999"],
      ["rtsp://h/x", "--png-every", "2"],
      ["rtsp://h/x", "--record-format", "lab"],
      ["rtsp://h/x", "--describe", "--json"],
      ["rtsp://h/x", "-z"],
      ["h", "-1", "5008", "x"],
      ["rtsp://h/x", "--json=no"],
      ["rtsp://h/x", "--preview", "8081", "--no-preview"],
    ]
  ) {
    const error = assertThrows(() => parseCommandLine(words), UsageError);
    assert(!error.message.includes("hunter2"), error.message);
  }
});

Deno.test("the help names every option that the command line knows", () => {
  const options = [...CLIENT_HELP.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map((match) => match[1]);
  const words: Record<string, string> = {
    "--dialect": "lab",
    "--transport": "udp",
    "--udp": "portable",
    "--record": "f",
    "--png": "d",
    "--preview": "1",
    "--capture": "c",
    "--record-format": "lab",
  };
  for (const option of options) {
    const value = words[option] ?? (/^ {2}\S.*? [A-Z]+ {2,}/m.test(lineOf(option)) ? ["9"] : []);
    const needs = option === "--png-every"
      ? ["--png", "d"]
      : option === "--record-format"
      ? ["--record", "f"]
      : [];
    parseCommandLine(["rtsp://h/x", ...needs, option, ...[value].flat()]);
  }
  assertEquals(options.length, 25);
});

function lineOf(option: string): string {
  return CLIENT_HELP.split("\n").find((line) => line.includes(`${option} `)) ?? "";
}

Deno.test("files and sizes have names that people read", () => {
  assertEquals([pngNameOf(1), pngNameOf(1_234_567)], ["frame-000001.png", "frame-1234567.png"]);
  assertEquals([0, 999, 1200, 5_800_000, 3e13].map(sizeOf), [
    "0 B",
    "999 B",
    "1.2 kB",
    "5.8 MB",
    "30.0 TB",
  ]);
});
