import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import jpegCodec from "imagescript/wasm/node/jpeg.js";
import { describeJpegPayload } from "../../lib/rtp_jpeg.ts";
import { openMovie } from "../../lib/disk.ts";
import { drawFrame, SAMPLE_FRAMES, SAMPLE_HEIGHT, SAMPLE_WIDTH } from "../../tools/sample_scene.ts";
import { readFrameNumber, stripCells } from "../../tools/sample_strip.ts";

const SAMPLE = new URL("../../media/video.mjpeg", import.meta.url);

Deno.test("media/README.md tells the truth about video.mjpeg", async () => {
  const [octets, readme] = await Promise.all([
    Deno.readFile(SAMPLE),
    Deno.readTextFile(new URL("../../media/README.md", import.meta.url)),
  ]);
  await using movie = await openMovie(SAMPLE);
  const sizes = Array.from({ length: movie.frameCount }, (_, i) => movie.index.sizeOf(i));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets)).toHex();
  const count = (n: number) => n.toLocaleString("en-US");
  for (
    const fact of [
      `${movie.frameCount} | ${movie.defaultFrameRateHz} Hz`,
      `${movie.width}x${movie.height}`,
      `| ${count(octets.length)} |`,
      digest,
      `${count(Math.min(...sizes))} to ${count(Math.max(...sizes))} octets`,
    ]
  ) assertStringIncludes(readme.replace(/\s+/g, " "), fact);
});

Deno.test("video.mjpeg suits every lab client and RTP/JPEG without tables in band", async () => {
  await using movie = await openMovie(SAMPLE);
  assertEquals([movie.format, movie.frameCount, movie.index.damageCount], [
    "lab",
    SAMPLE_FRAMES,
    0,
  ]);
  assert(movie.index.largestFrameBytes <= 14_988, `${movie.index.largestFrameBytes}`);
  for (let i = 0; i < movie.frameCount; i++) {
    const { type, q, width, height } = describeJpegPayload(await movie.readFrame(i));
    assertEquals([type, q, width, height], [1, 76, SAMPLE_WIDTH, SAMPLE_HEIGHT]);
  }
});

Deno.test("readFrameNumber() reads the number of decoded frames of video.mjpeg", async () => {
  await using movie = await openMovie(SAMPLE);
  const codec = await jpegCodec.init();
  for (const number of [1, 2, 127, 128, 255, 256, 333, 499, 500]) {
    const { width, height, buffer } = codec.decode(await movie.readFrame(number - 1));
    assertEquals(readFrameNumber({ width, height, channels: 3, samples: buffer }), number);
  }
});

Deno.test("readFrameNumber() reads drawn frames, grey or colour, and no mixture of two", () => {
  const [a, b] = [7, 8].map((number) => drawFrame(number).toBytes());
  const picture = { width: SAMPLE_WIDTH, height: SAMPLE_HEIGHT, channels: 3 as const };
  assertEquals(readFrameNumber({ ...picture, samples: a }), 7);
  const grey = Array.from({ length: a.length / 3 }, (_, i) => a[3 * i]);
  assertEquals(readFrameNumber({ ...picture, channels: 1, samples: grey }), 7);
  const mixed = a.map((sample, i) => (sample + b[i]) >> 1);
  assertEquals(readFrameNumber({ ...picture, samples: mixed }), undefined);
  assertEquals(readFrameNumber({ ...picture, samples: new Uint8Array(a.length) }), undefined);
});

Deno.test("stripCells() differ in at least two cells from number to number", () => {
  for (let number = 1; number < 500; number++) {
    const a = stripCells(number), b = stripCells(number + 1);
    assert(a.filter((cell, i) => cell !== b[i]).length >= 2);
  }
});
