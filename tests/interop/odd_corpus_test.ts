/**
 * Every odd stream through our server, to ffmpeg and to our own client, over UDP and over TCP: what they show must be
 * what the file shows. Some go to GStreamer as well; with `ODD_CORPUS=full` all do, and both players use both transports.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { concat } from "@std/bytes";
import { JpegFileIndexer } from "../../lib/frames/jpeg_file.ts";
import { readJpegSize } from "../../lib/jpeg.ts";
import { playWithGst } from "../support/gst.ts";
import { type OddStream, oddStreams } from "../support/odd_corpus.ts";
import { digestsIn } from "../support/pictures.ts";
import { pixelsOf, psnr } from "../support/pixels.ts";
import { jpegsOf, playToEnd } from "../support/played.ts";
import { run } from "../support/process.ts";
import { hasProgram, testWith } from "../support/programs.ts";
import { Served } from "../support/served.ts";

/** Fewer would leave a processor idle, more would make frames late on a small machine. */
const TOGETHER = 3;
const LEAST_PSNR_DB = 38;
const IS_FULL = Deno.env.get("ODD_CORPUS") === "full";
const GSTREAMER_EVERY = IS_FULL ? 1 : 15;

const MAKERS = ["ffmpeg", "cjpeg", "jpegtran", "imagemagick"] as const;

testWith(MAKERS, "odd streams play, and show what their files show", async (test) => {
  const streams = await oddStreams();
  await using served = await Served.start(
    Object.fromEntries(streams.map(({ name, file }) => [`${name}.mjpeg`, file])),
    { frameRateHz: 25 },
  );
  const outcomes = await inTurns(streams, async (stream, i) => {
    const work = () => check(served, stream, i);
    // A busy machine makes frames late, and late ones are left out: the second try counts.
    return await settled(work) === undefined ? undefined : await settled(work);
  });
  for (const [i, { name, outcome }] of streams.entries()) {
    await test.step(`${name}: ${outcome}`, () => {
      if (outcomes[i] !== undefined) throw outcomes[i];
    });
  }
});

/** Plays a stream to each player and compares; nothing where all is well. */
async function check(served: Served, stream: OddStream, i: number): Promise<void> {
  const url = served.url(`${stream.name}.mjpeg`);
  if (stream.outcome === "refused") return await checkRefusal(url);
  const [first, second] = i % 2 === 0 ? ["udp", "tcp"] as const : ["tcp", "udp"] as const;
  for (const [one, other] of IS_FULL ? [[first, first], [second, second]] : [[first, second]]) {
    if (stream.readers === "all") await checkFfmpeg(url, one, stream);
    await checkFrames(jpegsOf(await playToEnd({ url, transport: other as "udp" | "tcp" })), stream);
  }
  if (i % GSTREAMER_EVERY === 0 && hasProgram("gst-python")) {
    for (const protocols of IS_FULL ? ["udp", "tcp"] : [first]) {
      await checkFrames(await framesByGst(url, protocols), stream);
    }
  }
}

/** A goodbye that a busy machine loses leaves GStreamer waiting: the second try counts. */
async function framesByGst(url: string, protocols: string): Promise<readonly Uint8Array[]> {
  const options = { protocols, latencyMs: 100, limitSeconds: 15 };
  let played = await playWithGst(url, ["end"], options);
  if (played.error !== undefined) played = await playWithGst(url, ["end"], options);
  assertEquals(played.error, undefined);
  return played.frames;
}

async function checkRefusal(url: string): Promise<void> {
  const { code, stderr } = await ffmpeg(["-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]);
  assert(code !== 0);
  assertMatch(stderr, /415/);
}

async function checkFfmpeg(url: string, transport: string, stream: OddStream): Promise<void> {
  const input = ["-rtsp_transport", transport, "-i", url];
  if (stream.outcome === "re-encoded") {
    const { stdout } = await ffmpeg([...input, "-c", "copy", "-f", "mjpeg", "-"]);
    return await checkLikeness(framesIn(stdout), stream);
  }
  assertEquals(await digests(input, stream), await digestsOf(stream.reference, stream), "ffmpeg");
}

async function checkFrames(frames: readonly Uint8Array[], stream: OddStream): Promise<void> {
  if (stream.outcome === "re-encoded") return await checkLikeness(frames, stream);
  assertEquals(await digestsOf(frames, stream), await digestsOf(stream.reference, stream));
}

async function checkLikeness(frames: readonly Uint8Array[], stream: OddStream): Promise<void> {
  assertEquals(frames.length, stream.reference.length, "frames");
  for (const [i, frame] of frames.entries()) {
    const likeness = psnr(await pixelsOf(frame), await pixelsOf(stream.reference[i]));
    assertGreaterOrEqual(likeness, LEAST_PSNR_DB, `frame ${i + 1}`);
  }
}

/** Digests of what ffmpeg shows of an input, without the padding of payload headers, which count in units of 8. */
async function digests(
  input: readonly string[],
  stream: OddStream,
  stdin?: Uint8Array,
): Promise<string[]> {
  const { width, height } = readJpegSize(stream.reference[0])!;
  const filters = [`crop=${width}:${height}:0:0:exact=1`];
  // Grey gets neutral colour on its way: what is to be seen is luma.
  if (stream.name.includes("grey")) filters.push("extractplanes=y");
  const { stdout } = await ffmpeg([
    ...[...input, "-fps_mode", "passthrough", "-vf", filters.join(","), "-f", "framemd5", "-"],
  ], stdin);
  const found = digestsIn(new TextDecoder().decode(stdout));
  assertEquals(found.length, stream.reference.length, "frames");
  return found;
}

const known = new Map<readonly Uint8Array[], Promise<string[]>>();

function digestsOf(frames: readonly Uint8Array[], stream: OddStream): Promise<string[]> {
  let found = known.get(frames);
  if (found === undefined) {
    const input = ["-f", "mjpeg", "-framerate", "25", "-i", "pipe:0"];
    known.set(frames, found = digests(input, stream, concat(frames)));
  }
  return found;
}

function ffmpeg(args: readonly string[], stdin?: Uint8Array) {
  return run("ffmpeg", { args: ["-v", "error", ...args], stdin });
}

/** The frames of a file that ffmpeg wrote. */
function framesIn(file: Uint8Array): Uint8Array[] {
  if (file.length === 0) return [];
  const indexer = new JpegFileIndexer({ totalBytes: file.length });
  indexer.push(file);
  const index = indexer.finish();
  return Array.from({ length: index.frameCount }, (_, i) => {
    const start = index.offsetOf(i);
    return file.subarray(start, start + index.sizeOf(i));
  });
}

/** Does `work` for all items, some at a time, and gives the results in their order. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: TOGETHER }, async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  }));
  return results;
}

/** What went wrong, or nothing. */
async function settled(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
}
