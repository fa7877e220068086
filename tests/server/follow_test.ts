import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { MovieRecorder } from "../../lib/disk.ts";
import { decodeRtcp } from "../../lib/rtcp.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { RtspClient } from "../../lib/client/client.ts";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
const FRAMES = sampleFrames(12);
const octets = (text: string) => new TextEncoder().encode(text);
const part = (frame: Uint8Array) =>
  concat([
    octets(`--x\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\n\r\n`),
    frame,
    octets("\r\n"),
  ]);
const WRITERS: Record<string, (frame: Uint8Array) => Uint8Array> = {
  "bare JPEGs": (frame) => frame,
  "a lab file": (frame) => labFile([frame]),
  "a multipart stream": part,
};

async function aviOf(frames: readonly Uint8Array[]): Promise<Uint8Array> {
  const path = await Deno.makeTempFile({ suffix: ".avi" });
  const recorder = await MovieRecorder.open(path, { format: "avi" });
  for (const frame of frames) await recorder.write(frame);
  await recorder.close();
  const octets = await Deno.readFile(path);
  await Deno.remove(path);
  return octets;
}

function follow(file: Uint8Array): Promise<TestServer> {
  return TestServer.start({ follow: true }, { "movie.mjpeg": file });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 5000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!await isTrue()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(5);
  }
}

function append(test: TestServer, bytes: Uint8Array): Promise<void> {
  return Deno.writeFile(`${test.folder}/movie.mjpeg`, bytes, { append: true });
}

/** Appends frames 3 to 11, some together, the sixth in two halves; looks that the halves do not come too early. */
async function appendAll(
  test: TestServer,
  write: (frame: Uint8Array) => Uint8Array,
  count: () => number,
): Promise<void> {
  await until(() => count() === 3, "the frames that were there");
  await append(test, concat(FRAMES.slice(3, 5).map(write)));
  await until(() => count() === 5, "two frames that were appended");
  const sixth = write(FRAMES[5]);
  await append(test, sixth.subarray(0, sixth.length >> 1));
  await pause(300);
  assertEquals(count(), 5, "half a frame is none");
  await append(test, concat([sixth.subarray(sixth.length >> 1), write(FRAMES[6])]));
  await until(() => count() === 7, "the frame in two halves, and one more");
  await append(test, concat(FRAMES.slice(7).map(write)));
  await until(() => count() === FRAMES.length, "all frames");
}

for (const [name, write] of Object.entries(WRITERS)) {
  Deno.test(`RtspServer follows ${name}: a lab client gets every frame, whole, in order`, async () => {
    await using test = await follow(concat(FRAMES.slice(0, 3).map(write)));
    await using rtp = new UdpProbe();
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(
      `SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${rtp.port}`,
    );
    const session = /Session: (\d+)/.exec(await probe.text(100))![1];
    await probe.send(`PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}`);
    await appendAll(test, write, () => rtp.datagrams.length);
    assertEquals(rtp.rtp.map((packet) => packet.payload), FRAMES);
    assertEquals(rtp.rtp.map((packet) => packet.sequenceNumber), FRAMES.map((_, i) => i + 1));
    const timestamps = rtp.rtp.map((packet) => packet.timestamp);
    assertEquals(timestamps, timestamps.toSorted((a, b) => a - b));
    assertEquals((await test.server.sessions()).map(({ state }) => state), ["PLAYING"]);
    assertEquals(test.events.filter(({ type }) => type === "stream-ended"), []);
  });

  Deno.test(`RtspServer follows ${name}: a standard client gets every frame, in order`, async () => {
    await using test = await follow(concat(FRAMES.slice(0, 3).map(write)));
    const scans: Uint8Array[] = [];
    const ends: string[] = [];
    await using client = new RtspClient({ url: test.url("movie.mjpeg"), transport: "tcp" });
    client.on((event) => {
      if (event.type === "frame") scans.push(event.frame.jpeg);
      if (event.type === "end") ends.push(event.type);
    });
    await client.setup();
    await client.play();
    await appendAll(test, write, () => scans.length);
    // RTP/JPEG carries the scan as it is; the headers around it are the receiver's.
    for (const [i, frame] of FRAMES.entries()) {
      assertEquals(scans[i].slice(-2000), frame.slice(-2000), `frame ${i}`);
    }
    assertEquals([client.state, ends], ["PLAYING", []]);
    await client.teardown();
  });
}

Deno.test("RtspServer says an open range of a file it follows, and starts at npt=now- with the newest frame", async () => {
  await using test = await follow(labFile(FRAMES.slice(0, 10)));
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const described = await probe.ask("DESCRIBE", url);
  assertMatch(described.body, /^a=range:npt=0-\r$/m);
  const setup = await probe.ask("SETUP", url, TCP);
  const session = { Session: setup.headers.get("session")!.split(";")[0] };
  const play = await probe.ask("PLAY", url, { ...session, Range: "npt=now-" });
  assertEquals(play.headers.get("range"), "npt=0.180-");
  await append(test, labFile(FRAMES.slice(10)));
  await until(
    async () => (await test.server.sessions())[0].frames === 3,
    "the newest, and two more",
  );
  const { packets } = (await test.server.sessions())[0];
  const sent = await probe.interleaved(0, packets);
  assertEquals(new Set(sent.map((packet) => decodeRtp(packet).timestamp)).size, 3);
  const again = await probe.ask("PLAY", url, { ...session, Range: "npt=0-" });
  assertEquals(again.headers.get("range"), "npt=0.000-");
});

Deno.test("RtspServer plays containers as ever where it follows files, and says so once", async () => {
  const avi = await aviOf(FRAMES.slice(0, 3));
  await using test = await TestServer.start({ follow: true }, { "movie.avi": avi });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.avi");
  for (let i = 0; i < 2; i++) {
    assertMatch((await probe.ask("DESCRIBE", url)).body, /^a=range:npt=0-0.060\r$/m);
  }
  const notices = test.events.filter((event) => event.type === "notice" || event.type === "warning")
    .filter((event) => event.message.includes("is not followed"));
  assertEquals(notices.length, 1);
});

for (
  const [what, spoil, reason] of [
    ["is truncated", (path: string) => Deno.truncate(path, 100), "shrank"],
    ["is replaced", async (path: string) => {
      await Deno.writeFile(`${path}.new`, labFile(FRAMES));
      await Deno.rename(`${path}.new`, path);
    }, "another file took its place"],
    ["is removed", (path: string) => Deno.remove(path), "it was removed"],
  ] as const
) {
  Deno.test(`RtspServer ends the streams of a file that ${what}, and says why`, async () => {
    await using test = await follow(labFile(FRAMES.slice(0, 3)));
    const [rtp, rtcp] = UdpProbe.pair();
    await using _rtp = rtp;
    await using _rtcp = rtcp;
    await using probe = await RtspProbe.connect(test.port);
    const url = test.url("movie.mjpeg");
    const transport = `RTP/AVP;unicast;client_port=${rtp.port}-${rtcp.port}`;
    const setup = await probe.ask("SETUP", url, { Transport: transport });
    const session = { Session: setup.headers.get("session")!.split(";")[0] };
    await probe.ask("PLAY", url, session);
    await until(
      async () => (await test.server.sessions())[0].frames === 3,
      "the frames that are there",
    );
    await spoil(`${test.folder}/movie.mjpeg`);
    await test.event("stream-ended");
    await until(
      () =>
        rtcp.datagrams.some(({ bytes }) => decodeRtcp(bytes).some(({ type }) => type === "BYE")),
      "a goodbye",
    );
    const warnings = test.events.filter((event) => event.type === "warning");
    assertEquals(warnings.length, 1);
    assertStringIncludes(warnings[0].message, 'The streams of "movie.mjpeg" end');
    assertStringIncludes(warnings[0].message, reason);
  });
}

Deno.test("RtspServer looks at a file it follows only while somebody has it open, and without follow never", async () => {
  for (const isFollowing of [true, false]) {
    await using test = await TestServer.start({ follow: isFollowing }, {
      "movie.mjpeg": labFile(FRAMES.slice(0, 3)),
    });
    await using probe = await RtspProbe.connect(test.port);
    const url = test.url("movie.mjpeg");
    const setup = await probe.ask("SETUP", url, TCP);
    const session = { Session: setup.headers.get("session")!.split(";")[0] };
    await probe.ask("PLAY", url, session);
    if (!isFollowing) {
      await append(test, labFile(FRAMES.slice(3)));
      await test.event("stream-ended");
      assertEquals((await test.server.sessions())[0].frames, 3);
      continue;
    }
    await probe.ask("TEARDOWN", url, session);
    await Deno.truncate(`${test.folder}/movie.mjpeg`, 100);
    await pause(300);
    assertEquals(test.events.filter(({ type }) => type === "warning"), []);
    await Deno.writeFile(`${test.folder}/movie.mjpeg`, labFile(FRAMES));
    assertEquals((await probe.ask("DESCRIBE", url)).statusCode, 200);
    assert(test.events.some((event) => event.type === "media-opened" && event.frames >= 3));
  }
});
