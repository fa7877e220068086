import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { FrameCache, openMovie } from "../../lib/disk.ts";
import { FrameFileError, TransportError } from "../../lib/errors.ts";
import { labFile } from "../support/frame_files.ts";
import { buildJpeg } from "../support/jpegs.ts";

const FRAMES = Array.from(
  { length: 40 },
  (_, i) => buildJpeg({ scan: new Uint8Array(3000 + i).fill(i + 1) }),
);

/** A file that is removed with the test. */
async function fileOf(octets: Uint8Array): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile({ suffix: " фильм.mjpeg" });
  await Deno.writeFile(path, octets);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("openMovie() opens both formats, whatever the name", async () => {
  for (
    const [format, rate, octets] of [["lab", 20, labFile(FRAMES)], [
      "jpeg",
      25,
      concat(FRAMES),
    ]] as const
  ) {
    await using file = await fileOf(octets);
    await using movie = await openMovie(file.path, {
      cache: new FrameCache({ limitBytes: 10_000 }),
    });
    assertEquals([movie.format, movie.defaultFrameRateHz, movie.frameCount], [format, rate, 40]);
    assertEquals([movie.width, movie.height, movie.firstFrame.huffmanTables], [64, 48, "standard"]);
    assert(movie.name.endsWith(" фильм.mjpeg"));
    for (const [i, frame] of FRAMES.entries()) assertEquals(await movie.readFrame(i), frame);
  }
});

Deno.test("openMovie() takes a URL", async () => {
  await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
  assertEquals([movie.name, movie.frameCount], ["video.mjpeg", 500]);
});

Deno.test("openMovie() says why a file cannot be played, by name and without its folder", async (t) => {
  const cases: readonly [string, Uint8Array, string, string][] = [
    ["empty", new Uint8Array(0), "empty", "it is empty"],
    ["text", new TextEncoder().encode("no film"), "unknown-format", "no JPEG picture"],
    ["a cut first frame", labFile(FRAMES).subarray(0, 1000), "no-frame", "0 whole frames"],
    [
      "pictures that are none",
      labFile([new Uint8Array([0xff, 0xd8, 0, 0, 0xff, 0xd9])]),
      "no-frame",
      "no frame header",
    ],
  ];
  for (const [name, octets, code, reason] of cases) {
    await t.step(name, async () => {
      await using file = await fileOf(octets);
      const error = await assertRejects(() => openMovie(file.path), FrameFileError, reason);
      assertEquals(error.code, code);
      assert(
        error.message.startsWith('Cannot read "') && !error.message.includes("/"),
        error.message,
      );
    });
  }
});

Deno.test("openMovie() plays what follows when the first picture is none", async () => {
  const none = new Uint8Array([0xff, 0xd8, 0, 0, 0xff, 0xd9]);
  await using file = await fileOf(labFile([none, ...FRAMES.slice(0, 2)]));
  await using movie = await openMovie(file.path);
  assertEquals([movie.frameCount, movie.width], [3, 64]);
});

Deno.test("openMovie() tells missing files by errno, and folders without pictures", async () => {
  const missing = await assertRejects(() => openMovie("/nowhere/at/all.mjpeg"), TransportError);
  assertEquals([missing.errno, missing.operation], ["ENOENT", "open"]);
  assert(!missing.message.includes("/nowhere"), missing.message);
  const folder = await assertRejects(() => openMovie(Deno.cwd()), FrameFileError);
  assertEquals(folder.code, "no-frame");
});

Deno.test("openMovie() gives up when its signal says so, and closes the file", async () => {
  await using file = await fileOf(concat([labFile(FRAMES), ...Array(20).fill(labFile(FRAMES))]));
  const reason = new Error("Enough");
  const error = await assertRejects(
    () => openMovie(file.path, { signal: AbortSignal.abort(reason) }),
    Error,
  );
  assertEquals(error, reason);
});

Deno.test("MovieFile.readFrame() gives many readers the same octets, read once", async () => {
  await using file = await fileOf(labFile(FRAMES));
  const cache = new FrameCache({ limitBytes: 1 << 20 });
  await using movie = await openMovie(file.path, { cache });
  const readers = await Promise.all(Array.from({ length: 20 }, () => movie.readFrame(7)));
  assertEquals(new Set(readers).size, 1);
  assertEquals(movie.cachedFrame(7), readers[0]);
  assertEquals(movie.cachedFrame(8), FRAMES[8]);
});

Deno.test("MovieFile.readFrame() keeps within the cache's budget and still reads all", async () => {
  await using file = await fileOf(labFile(FRAMES));
  const cache = new FrameCache({ limitBytes: 12_000 });
  await using movie = await openMovie(file.path, { cache });
  const wanted = [39, 0, 17, 17, 3, 38, 0];
  const frames = await Promise.all(wanted.map((i) => movie.readFrame(i)));
  assertEquals(frames, wanted.map((i) => FRAMES[i]));
  assert(cache.bytes <= 12_000, `${cache.bytes}`);
});

Deno.test("MovieFile.readFrame() refuses frames that are not there", async () => {
  await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
  for (const i of [-1, 500, 0.5]) assertThrows(() => movie.readFrame(i), RangeError);
});

Deno.test("MovieFile.readFrame() notices that the file was cut or written over", async () => {
  await using file = await fileOf(labFile(FRAMES));
  await using movie = await openMovie(file.path, { cache: new FrameCache({ limitBytes: 0 }) });
  await Deno.truncate(file.path, 9000);
  assertEquals(await movie.readFrame(1), FRAMES[1]);
  const cut = await assertRejects(
    () => movie.readFrame(30),
    FrameFileError,
    "it changed on disk, 0 of",
  );
  assertEquals(cut.code, "file-changed");
  await Deno.writeFile(file.path, new Uint8Array(200_000));
  await assertRejects(() => movie.readFrame(1), FrameFileError, "it changed on disk");
});

Deno.test("MovieFile.close() waits for reads, is idempotent, and ends further reads", async () => {
  await using file = await fileOf(labFile(FRAMES));
  const cache = new FrameCache({ limitBytes: 1 << 20 });
  const movie = await openMovie(file.path, { cache });
  const read = movie.readFrame(30);
  await Promise.all([movie.close(), movie.close()]);
  assertEquals(await read, FRAMES[30]);
  assertEquals(cache.bytes, 0);
  await assertRejects(() => movie.readFrame(2), TransportError, "it is closed");
});

Deno.test("FrameCache gives up the least recently used first, and owners apart", () => {
  const cache = new FrameCache({ limitBytes: 30 });
  const octets = () => new Uint8Array(10);
  for (const i of [0, 1, 2]) cache.set(1, i, octets());
  cache.get(1, 0);
  cache.set(2, 0, octets());
  assertEquals([0, 1, 2].map((i) => cache.get(1, i) !== undefined), [true, false, true]);
  cache.delete(1);
  assertEquals([cache.bytes, cache.get(2, 0)?.length], [10, 10]);
  cache.set(2, 1, new Uint8Array(31));
  assertEquals([cache.bytes, cache.get(2, 1)], [10, undefined]);
  cache.set(2, 0, new Uint8Array(4));
  assertEquals(cache.bytes, 4);
});
