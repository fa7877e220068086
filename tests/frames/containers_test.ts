import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { openMovie } from "../../lib/disk.ts";
import { FrameFileError } from "../../lib/errors.ts";
import { AviFileIndexer } from "../../lib/frames/avi_file.ts";
import { AviWriter } from "../../lib/frames/avi_writer.ts";
import { MatroskaFileIndexer } from "../../lib/frames/matroska_file.ts";
import { MultipartFileIndexer } from "../../lib/frames/multipart_file.ts";
import { QuickTimeFileIndexer } from "../../lib/frames/quicktime_file.ts";
import { MediaFolder, type Movie, movieOf } from "../support/corpus.ts";
import { framesOf, indexOf } from "../support/frame_files.ts";
import { runOk } from "../support/process.ts";
import { testWith } from "../support/programs.ts";

const INDEXERS = {
  "avi": AviFileIndexer,
  "mov": QuickTimeFileIndexer,
  "mp4": QuickTimeFileIndexer,
  "mkv": MatroskaFileIndexer,
  "mpjpeg": MultipartFileIndexer,
} as const;

/** The movie in a container, frames untouched. */
async function packed(
  movie: Movie,
  folder: MediaFolder,
  name: string,
  options: readonly string[] = [],
): Promise<string> {
  const path = `${folder.path}/${name}`;
  const input = ["-f", "mjpeg", "-framerate", "30", "-i", movie.path];
  const format = name.endsWith(".mpjpeg") ? ["-f", "mpjpeg"] : [];
  await runOk("ffmpeg", {
    args: ["-v", "error", ...input, "-c", "copy", ...options, ...format, path],
  });
  return path;
}

for (const [extension, Indexer] of Object.entries(INDEXERS)) {
  testWith(
    ["ffmpeg"],
    `${Indexer.name} finds the frames ffmpeg put into .${extension}`,
    async () => {
      const movie = await movieOf("420");
      await using folder = await MediaFolder.make({});
      const path = await packed(movie, folder, `x.${extension}`);
      const file = await Deno.readFile(path);
      for (const pieceSize of [1 << 20, 4099]) {
        const index = indexOf(file, new Indexer({ totalBytes: file.length }), pieceSize);
        assertEquals(index.damaged, []);
        assertEquals(framesOf(file, index), [...movie.frames]);
        assertEquals(index.timeline.isConstant, true);
        if (extension !== "mpjpeg") assertEquals(index.defaultFrameRateHz, 30);
      }
      await using opened = await openMovie(path);
      for (const i of [29, 28, 15, 14, 13, 0, 7]) {
        assertEquals(await opened.readFrame(i), movie.frames[i]);
      }
    },
  );
}

for (const extension of ["mkv", "mov"] as const) {
  testWith(
    ["ffmpeg"],
    `${INDEXERS[extension].name} takes each frame's own time from .${extension}`,
    async () => {
      const movie = await movieOf("420");
      await using folder = await MediaFolder.make({});
      // Every frame a little longer than the one before: 0, 40, 120, 240 ms and so on.
      const times = ["-bsf:v", "setts=ts=N*(N+1)/2*0.04/TB:duration=(N+1)*0.04/TB"];
      const timed = await packed(movie, folder, "timed.mov", times);
      const path = `${folder.path}/x.${extension}`;
      await runOk("ffmpeg", { args: ["-v", "error", "-i", timed, "-c", "copy", path] });
      await using opened = await openMovie(path);
      const { timeline } = opened.index;
      assertEquals(timeline.isConstant, false);
      const starts = Array.from({ length: 30 }, (_, i) => timeline.secondsOf(i));
      starts.forEach((start, i) => {
        assert(Math.abs(start - 0.02 * i * (i + 1)) < 0.0015, `frame ${i} at ${start}`);
      });
    },
  );
}

testWith(
  ["ffmpeg"],
  "containers with other video are refused by the name of its codec",
  async () => {
    await using folder = await MediaFolder.make({});
    const source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.5"];
    for (
      const [name, codec, reason] of [
        ["x.avi", "mpeg4", "FMP4 video"],
        ["x.mov", "mpeg4", "mp4v video"],
        ["x.mkv", "mpeg4", "V_MPEG4/ISO/ASP video"],
        ["y.mkv", "ffv1", "V_MS/VFW/FOURCC video"],
      ]
    ) {
      const path = `${folder.path}/${name}`;
      await runOk("ffmpeg", { args: ["-v", "error", ...source, "-c:v", codec, path] });
      const error = await assertRejects(() => openMovie(path), FrameFileError, reason);
      assertEquals(error.code, "wrong-codec");
    }
  },
);

testWith(["ffmpeg"], "sound beside the film changes nothing", async () => {
  const movie = await movieOf("420");
  await using folder = await MediaFolder.make({});
  for (const extension of ["avi", "mov", "mkv"]) {
    const path = `${folder.path}/x.${extension}`;
    const sound = ["-f", "lavfi", "-i", "sine=duration=1"];
    const film = ["-f", "mjpeg", "-framerate", "30", "-i", movie.path];
    const maps = ["-map", "0:a", "-map", "1:v", "-c:v", "copy", "-c:a", "pcm_s16le"];
    await runOk("ffmpeg", { args: ["-v", "error", ...sound, ...film, ...maps, path] });
    await using opened = await openMovie(path);
    assertEquals(opened.frameCount, 30);
    assertEquals(await opened.readFrame(17), movie.frames[17]);
  }
});

testWith(
  ["ffmpeg"],
  "recordings that were cut short are read to their last whole frame",
  async () => {
    const movie = await movieOf("420");
    await using folder = await MediaFolder.make({});
    for (const extension of ["avi", "mkv", "mpjpeg"] as const) {
      const file = await Deno.readFile(await packed(movie, folder, `x.${extension}`));
      const whole = indexOf(file, new INDEXERS[extension]({ totalBytes: file.length }));
      for (const frames of [1, 17, 29]) {
        const cut = file.subarray(0, whole.offsetOf(frames) + 100);
        const index = indexOf(cut, new INDEXERS[extension]({ totalBytes: cut.length }));
        assertEquals(index.frameCount, frames, `${extension} cut in frame ${frames}`);
        assertEquals(framesOf(cut, index), movie.frames.slice(0, frames));
        assertEquals(index.damageCount, 1);
      }
    }
  },
);

Deno.test("QuickTimeFileIndexer refuses Apple's mjpa and mjpb by name", () => {
  const atom = (type: string, ...content: Uint8Array[]): Uint8Array => {
    const body = concat(content);
    const octets = new Uint8Array(8 + body.length);
    new DataView(octets.buffer).setUint32(0, octets.length);
    octets.set(new TextEncoder().encode(type), 4);
    octets.set(body, 8);
    return octets;
  };
  const zeros = (size: number) => new Uint8Array(size);
  const name = (text: string) => new TextEncoder().encode(text);
  for (const codec of ["mjpa", "mjpb"]) {
    const hdlr = atom("hdlr", zeros(8), name("vide"), zeros(12));
    const stsd = atom("stsd", zeros(12), name(codec), zeros(80));
    const minf = atom("minf", atom("stbl", stsd));
    const file = atom("moov", atom("trak", atom("mdia", hdlr, minf)));
    const error = assertThrowsIndex(file, QuickTimeFileIndexer);
    assert(error.message.includes(`its video is ${codec}`), error.message);
    assertEquals(error.code, "wrong-codec");
  }
});

Deno.test("AviFileIndexer makes two frames of half the height of a frame of two fields", async () => {
  const movie = await movieOf("420");
  const writer = new AviWriter({ width: 320, height: 480 });
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 10; i += 2) {
    const padding = new Uint8Array(i);
    const fields = concat([movie.frames[i], padding, movie.frames[i + 1]]);
    pieces.push(writer.beforeFrame(fields.length).octets, fields);
  }
  const tail = writer.finish().map(({ octets }) => octets);
  const file = concat([writer.head({ frameRateHz: 25 }), ...pieces, ...tail]);
  const index = indexOf(file, new AviFileIndexer({ totalBytes: file.length }));
  assertEquals([index.frameCount, index.defaultFrameRateHz, index.timeline.durationSeconds], [
    10,
    50,
    0.2,
  ]);
  assertEquals(framesOf(file, index), movie.frames.slice(0, 10));
});

Deno.test("AviFileIndexer shows a frame longer where empty ones follow", async () => {
  const { frames } = await movieOf("420");
  const writer = new AviWriter({ width: 320, height: 240 });
  const pieces = [frames[0], new Uint8Array(0), new Uint8Array(0), frames[1]].flatMap((frame) => [
    writer.beforeFrame(frame.length).octets,
    frame,
  ]);
  const tail = writer.finish().map(({ octets }) => octets);
  const file = concat([writer.head({ frameRateHz: 10 }), ...pieces, ...tail]);
  const { frameCount, timeline } = indexOf(file, new AviFileIndexer({ totalBytes: file.length }));
  const tenths = (seconds: number) => Math.round(seconds * 1e6) / 1e5;
  assertEquals(
    [frameCount, tenths(timeline.secondsOf(1)), tenths(timeline.durationSeconds)],
    [2, 3, 4],
  );
});

Deno.test("MultipartFileIndexer does without lengths, with wrong ones, with bare line ends and a head of HTTP", async () => {
  const { frames } = await movieOf("420");
  const text = (octets: string) => new TextEncoder().encode(octets);
  const part = (headers: string, frame: Uint8Array, end = "\r\n") =>
    concat([text(`--cam${end}Content-Type: image/jpeg${end}${headers}${end}`), frame, text(end)]);
  const variants = [
    frames.map((frame) => part("", frame)),
    frames.map((frame) => part(`Content-Length: ${frame.length + 7}\r\n`, frame)),
    frames.map((frame) => part(`Content-length: ${frame.length}\n`, frame, "\n")),
    [text("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"), ...frames.map((frame) => part("", frame))],
    [text("\r\n"), ...frames.map((frame) => part(`X-Timestamp: 1.5\r\n`, frame)), text("--cam--")],
  ];
  for (const pieces of variants) {
    const file = concat(pieces);
    const index = indexOf(file, new MultipartFileIndexer({ totalBytes: file.length }), 5000);
    assertEquals(framesOf(file, index), [...frames]);
    assertEquals(index.damaged, []);
  }
});

Deno.test("MultipartFileIndexer takes the camera's own times", async () => {
  const { frames } = await movieOf("420");
  const file = concat(frames.flatMap((frame, i) => [
    new TextEncoder().encode(
      `--cam\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\n` +
        `X-Timestamp: ${1_700_000_000 + 0.1 * i * i}\r\n\r\n`,
    ),
    frame,
    new TextEncoder().encode("\r\n"),
  ]));
  const index = indexOf(file, new MultipartFileIndexer({ totalBytes: file.length }));
  assertEquals(index.startUnixMs, 1_700_000_000_000);
  assertEquals(Math.round(index.timeline.secondsOf(10) * 10), 100);
});

Deno.test("MultipartFileIndexer needs the boundary's name where the start does not show it", async () => {
  const { frames } = await movieOf("420");
  const file = concat(
    frames.flatMap((frame) => [frame, new TextEncoder().encode("\r\nodd-line\r\n\r\n")]),
  );
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, file);
  await using movie = await openMovie(path, { boundary: "odd-line" });
  assertEquals([movie.format, movie.frameCount], ["multipart", 29]);
  await Deno.remove(path);
});

Deno.test("openMovie() takes a folder of numbered pictures for a movie, in the order of their numbers", async () => {
  const { frames } = await movieOf("420");
  await using folder = await MediaFolder.make({
    "shots/a_10.jpg": frames[2],
    "shots/a_9.JPEG": frames[1],
    "shots/a_0001.jpg": frames[0],
    "shots/readme.jpg": frames[3],
    "shots/11.png": frames[3],
    "empty/x.txt": frames[0],
  });
  await using movie = await openMovie(`${folder.path}/shots/`);
  assertEquals([movie.format, movie.frameCount, movie.width], ["images", 3, 320]);
  for (let i = 0; i < 3; i++) assertEquals(await movie.readFrame(i), frames[i]);
  await assertRejects(() => openMovie(`${folder.path}/empty`), FrameFileError, "no numbered .jpg");
});

function assertThrowsIndex(
  file: Uint8Array,
  Indexer: (typeof INDEXERS)[keyof typeof INDEXERS],
): FrameFileError {
  try {
    indexOf(file, new Indexer({ totalBytes: file.length }));
  } catch (error) {
    if (error instanceof FrameFileError) return error;
    throw error;
  }
  throw new Error("The file was taken");
}
