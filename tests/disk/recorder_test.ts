import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { MovieRecorder, openMovie } from "../../lib/disk.ts";
import { JpegFormatError, TransportError } from "../../lib/errors.ts";
import { labFile } from "../support/frame_files.ts";
import { buildJpeg } from "../support/jpegs.ts";

const FRAMES = [1, 2, 3].map((width) =>
  buildJpeg({ width: width * 16, scan: new Uint8Array(500).fill(width) })
);

for (const format of ["jpeg", "lab"] as const) {
  Deno.test(`MovieRecorder writes what openMovie() reads: ${format}`, async () => {
    const path = await Deno.makeTempFile();
    await Deno.writeTextFile(path, "what stood there before");
    {
      await using recorder = await MovieRecorder.open(path, { format });
      await Promise.all(FRAMES.map((frame) => recorder.write(frame)));
      const wanted = format === "lab" ? labFile(FRAMES) : concat(FRAMES);
      assertEquals([recorder.frames, recorder.bytes], [3, wanted.length]);
      assertEquals(await Deno.readFile(path), wanted, "it stands in the file before close()");
    }
    {
      await using movie = await openMovie(path);
      assertEquals([movie.format, movie.frameCount, movie.index.damageCount], [format, 3, 0]);
      assertEquals(await movie.readFrame(2), FRAMES[2]);
    }
    await Deno.remove(path);
  });

  Deno.test(`MovieRecorder: a recording cut anywhere keeps its whole frames: ${format}`, async () => {
    const path = await Deno.makeTempFile();
    {
      await using recorder = await MovieRecorder.open(path, { format });
      for (const frame of FRAMES) await recorder.write(frame);
    }
    const { size } = await Deno.stat(path);
    for (const cut of [1, 100, 600]) {
      await Deno.truncate(path, size - cut);
      await using movie = await openMovie(path);
      assertEquals([movie.frameCount, movie.index.damageCount], [2, 1]);
    }
    await Deno.remove(path);
  });
}

Deno.test("MovieRecorder writes an AVI that keeps its whole frames when it is cut, and its times", async () => {
  const path = await Deno.makeTempFile();
  {
    await using recorder = await MovieRecorder.open(path, { format: "avi" });
    for (let i = 0; i < 240; i++) await recorder.write(FRAMES[i % 3], 7 + i / 12.5);
  }
  await using whole = await openMovie(path);
  assertEquals([whole.format, whole.frameCount, whole.defaultFrameRateHz], ["avi", 240, 12.5]);
  assertEquals(await whole.readFrame(200), FRAMES[200 % 3]);
  const { index } = whole;
  for (const frames of [200, 101, 1]) {
    await Deno.truncate(path, index.offsetOf(frames) + 50);
    await using movie = await openMovie(path);
    assertEquals([movie.frameCount, movie.index.damageCount], [frames, 1]);
    assertEquals(await movie.readFrame(frames - 1), FRAMES[(frames - 1) % 3]);
  }
  await Deno.remove(path);
});

Deno.test("MovieRecorder writes numbered pictures into a folder", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using recorder = await MovieRecorder.open(`${folder}/new/`, { format: "images" });
    for (const frame of FRAMES) await recorder.write(frame);
    assertEquals(recorder.bytes, concat(FRAMES).length);
  }
  assertEquals(await Deno.readFile(`${folder}/new/frame-000003.jpg`), FRAMES[2]);
  await using movie = await openMovie(`${folder}/new`);
  assertEquals([movie.format, movie.frameCount], ["images", 3]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("MovieRecorder goes on after a frame that its format cannot hold", async () => {
  const path = await Deno.makeTempFile();
  await using recorder = await MovieRecorder.open(path, { format: "lab" });
  await assertRejects(() => recorder.write(new Uint8Array(100_000)), JpegFormatError);
  await recorder.write(FRAMES[0]);
  assertEquals(recorder.frames, 1);
  await Deno.remove(path);
});

Deno.test("MovieRecorder says what the system refuses, and refuses after close()", async () => {
  const folder = await assertRejects(
    () => MovieRecorder.open("/nowhere/film", { format: "jpeg" }),
    TransportError,
  );
  assertEquals([folder.operation, folder.errno], ["create", "ENOENT"]);
  const path = await Deno.makeTempFile();
  const recorder = await MovieRecorder.open(path, { format: "jpeg" });
  await recorder.close();
  await recorder.close();
  await assertRejects(() => recorder.write(FRAMES[0]), TransportError, "it is closed");
  await Deno.remove(path);
});

Deno.test({
  name: "MovieRecorder reports a full disk and can still be closed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const recorder = await MovieRecorder.open("/dev/full", { format: "jpeg" });
    const error = await assertRejects(() => recorder.write(FRAMES[0]), TransportError);
    assertEquals(error.operation, "write");
    assert(error.message.startsWith('Cannot write "full": '), error.message);
    await recorder.close();
  },
});
