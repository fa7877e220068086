import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseJpeg, withHuffmanTables } from "../../lib/jpeg.ts";
import { describeJpegPayload } from "../../lib/rtp_jpeg.ts";
import { playToEnd } from "../support/played.ts";
import { writeRandomJpeg } from "../support/random_jpegs.ts";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

const PLAIN = {
  ...{ width: 64, height: 48, ids: [1, 2, 3], restartInterval: 0, hasOwnScans: false },
  tables: "standard",
  factors: [[2, 2], [1, 1], [1, 1]],
  steps: [4, 5, 5].map((step) => Array<number>(64).fill(step)),
} as const;
const FULL = [[1, 1], [1, 1], [1, 1]] as const;

/** A film of pictures that differ, all odd in the same way. */
function film(recipe: Partial<Parameters<typeof writeRandomJpeg>[0]>, frameCount = 4): Uint8Array {
  return labFile(
    Array.from(
      { length: frameCount },
      (_, seed) => writeRandomJpeg({ ...PLAIN, ...recipe, seed }).jpeg,
    ),
  );
}

/** What the server told in words. */
function told(test: TestServer): string {
  return test.events.map((event) => "message" in event ? event.message : "").join("\n");
}

Deno.test("RtspServer repairs, counts what it did, and says it once a stream", async () => {
  await using test = await TestServer.start({}, { "scans.mjpeg": film({ hasOwnScans: true }) });
  for (let reader = 0; reader < 2; reader++) {
    const { frames } = await playToEnd({ url: test.url("scans.mjpeg"), transport: "tcp" });
    assertEquals(frames.length, 4);
    for (const { jpeg } of frames) assertEquals(parseJpeg(jpeg).scans.length, 1);
  }
  const ended = await test.event("session-ended");
  assertEquals(ended.repairs, { "one-scan": 4 });
  const text = told(test);
  assertStringIncludes(text, "its frames are interleaved into one scan, lossless");
  const counted = text.match(/"scans\.mjpeg": 4 frames; 4 interleaved into one scan, lossless/g);
  assertEquals(counted?.length, 2, "once for each stream");
});

Deno.test("RtspServer repairs only as far as it is told", async () => {
  const files = {
    "full.mjpeg": film({ factors: FULL }),
    "scans.mjpeg": film({ hasOwnScans: true }),
  };
  const statuses = async (repair: "off" | "lossless" | "all") => {
    await using test = await TestServer.start({ repair }, files);
    await using probe = await RtspProbe.connect(test.port);
    const answers = [];
    for (const name of Object.keys(files)) {
      answers.push(await probe.ask("DESCRIBE", test.url(name)));
    }
    return answers.map(({ statusCode, body }) => statusCode === 200 ? "200" : body);
  };
  assertEquals(await statuses("all"), ["200", "200"]);
  const [refusal, good] = await statuses("lossless");
  assertMatch(refusal, /without loss: it is 4:4:4/);
  assertEquals(good, "200");
  const off = await statuses("off");
  assertMatch(off[0], /it is 4:4:4/);
  assertMatch(off[1], /3 scans/);
});

Deno.test("RtspServer scales frames down to --max-size and describes them so", async () => {
  await using test = await TestServer.start({ maxSize: { width: 160, height: 160 } });
  await using probe = await RtspProbe.connect(test.port);
  const { body } = await probe.ask("DESCRIBE", test.url("movie.mjpeg"));
  assertStringIncludes(body, "a=x-dimensions:160,120");
  const { frames } = await playToEnd({ url: test.url("movie.mjpeg"), transport: "tcp" });
  const sizes = frames.map(({ jpeg }) => `${parseJpeg(jpeg).width}x${parseJpeg(jpeg).height}`);
  assertEquals([frames.length, new Set(sizes)], [20, new Set(["160x120"])]);
});

Deno.test("RtspServer puts restart markers in, and takes them out, as asked", async () => {
  const plain = { "film.mjpeg": film({}), "marked.mjpeg": film({ restartInterval: 3 }) };
  for (
    const [restartMarkers, expected] of [["rows", [4, 4]], ["none", [0, 0]], ["keep", [
      0,
      3,
    ]]] as const
  ) {
    await using test = await TestServer.start({ restartMarkers }, plain);
    const intervals = [];
    for (const name of Object.keys(plain)) {
      const { frames } = await playToEnd({ url: test.url(name), transport: "tcp" });
      intervals.push(parseJpeg(frames[0].jpeg).restartInterval);
    }
    assertEquals(intervals, [...expected]);
  }
});

Deno.test("RtspServer skips damaged frames, counts and names them, and goes on", async () => {
  const frames = sampleFrames(5);
  const cut = frames.map((frame, i) => i === 2 ? frame.subarray(0, frame.length >> 1) : frame);
  const files = { "cut.mjpeg": labFile(cut), "scans.mjpeg": film({ hasOwnScans: true }) };
  await using test = await TestServer.start({}, files);
  // A thread that only now starts, under coverage, takes longer than a frame may be late: it repairs another film first.
  await using probe = await RtspProbe.connect(test.port);
  await probe.ask("DESCRIBE", test.url("scans.mjpeg"));
  const played = await playToEnd({ url: test.url("cut.mjpeg"), transport: "tcp" });
  assertEquals(
    played.frames.map(({ jpeg }) => describeJpegPayload(jpeg).scan.length),
    frames.filter((_, i) => i !== 2).map((frame) => describeJpegPayload(frame).scan.length),
  );
  const ended = await test.event("session-ended");
  assertEquals([ended.frames, ended.framesDropped], [4, 1]);
  assertMatch(told(test), /Cannot send frame 3 of "cut\.mjpeg": .*no EOI/);
});

Deno.test("RtspServer plays a film whose first frames are damaged", async () => {
  const [frame] = sampleFrames(1);
  const bad = frame.subarray(0, frame.length >> 1);
  await using test = await TestServer.start({}, { "late.mjpeg": labFile([bad, bad, frame]) });
  const played = await playToEnd({ url: test.url("late.mjpeg"), transport: "tcp" });
  assertEquals(played.frames.length, 1);
});

Deno.test("RtspServer gives lab clients the octets of the file, and Huffman tables where there are none", async () => {
  const odd = writeRandomJpeg({ ...PLAIN, hasOwnScans: true, seed: 1 }).jpeg;
  const bare = writeRandomJpeg({ ...PLAIN, tables: "missing", seed: 2 }).jpeg;
  await using test = await TestServer.start({}, { "film.mjpeg": labFile([odd, bare]) });
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(
    `SETUP film.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${rtp.port}`,
  );
  const session = /Session: (\d+)/.exec(await probe.text(3_000))![1];
  await probe.send(`PLAY film.mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}`);
  await rtp.received(2);
  assertEquals(rtp.rtp.map(({ payload }) => payload), [odd, withHuffmanTables(bare)]);
});

Deno.test("RtspServer repairs a frame once for all readers, within its budget of memory", async () => {
  const repaired = async (cacheBytes: number | undefined) => {
    await using test = await TestServer.start({ cacheBytes }, {
      "full.mjpeg": film({ factors: FULL, width: 96, height: 80 }, 6),
    });
    const times = [];
    for (let reader = 0; reader < 2; reader++) {
      const { frames } = await playToEnd({ url: test.url("full.mjpeg"), transport: "tcp" });
      assertEquals(frames.length, 6);
      const snapshot = test.events.findLast((event) => event.type === "session-ended");
      assert(snapshot?.type === "session-ended");
      times.push(snapshot.repairs["colour-resampled"]);
    }
    return times;
  };
  assertEquals(await repaired(undefined), [6, 6]);
  // Asked for next to nothing, it takes what it needs to work.
  assertEquals(await repaired(1), [6, 6]);
});
