import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { Image } from "imagescript";
import { openMovie } from "../../lib/disk.ts";
import { JpegFormatError, StateError } from "../../lib/errors.ts";
import { type Bitmap, ImageCodec, MAX_PIXELS, shrinkBitmap } from "../../lib/image/codec.ts";
import { fitJpeg, QUALITIES } from "../../lib/image/fit.ts";
import { ImageWorker } from "../../lib/image/image.ts";

const codec = await ImageCodec.load();

/** A picture with smooth parts, edges and noise, so that every quality gives another size. */
function picture(width: number, height: number, channels: 1 | 3 = 3, seed = 1): Bitmap {
  const pixels = new Uint8Array(width * height * channels);
  let state = seed;
  for (let i = 0; i < pixels.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width);
    const edge = (x >> 4) + (y >> 4) & 1 ? 60 : 0;
    pixels[i] = (x + y * 2 + edge + (i % channels) * 40 + (state >>> 27)) & 0xff;
  }
  return { width, height, channels, pixels };
}

const photo = codec.encodeJpeg(picture(160, 120), 90);

async function pixelsOf(
  png: Uint8Array,
): Promise<{ width: number; height: number; rgba: number[] }> {
  const image = await Image.decode(png) as Image;
  return { width: image.width, height: image.height, rgba: [...image.bitmap] };
}

Deno.test("ImageWorker.toPng() gives the pixels that imagescript itself decodes", async () => {
  using images = new ImageWorker({ threads: 1 });
  for (const jpeg of [photo, codec.encodeJpeg(picture(17, 9, 1), 50)]) {
    const png = await images.toPng(jpeg);
    assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    assertEquals(await pixelsOf(png), await pixelsOf(jpeg));
  }
});

Deno.test("ImageWorker.toPng() gives the pixels of the sample film's frames", async () => {
  using images = new ImageWorker();
  await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
  for (const number of [0, 249, movie.frameCount - 1]) {
    const jpeg = await movie.readFrame(number);
    assertEquals(await pixelsOf(await images.toPng(jpeg)), await pixelsOf(jpeg));
  }
});

Deno.test("ImageWorker.toPng() leaves the caller's bytes alone, also when they are a view", async () => {
  using images = new ImageWorker({ threads: 1 });
  const buffer = new Uint8Array(photo.length + 20);
  buffer.set(photo, 10);
  const view = buffer.subarray(10, 10 + photo.length);
  const png = await images.toPng(view);
  assertEquals(view, photo);
  assertEquals(png, await images.toPng(photo));
});

Deno.test("ImageWorker.toPng() refuses broken pictures and goes on", async () => {
  using images = new ImageWorker({ threads: 1 });
  const bomb = photo.slice();
  const frameHeader = bomb.findIndex((octet, i) => octet === 0xff && bomb[i + 1] === 0xc0);
  bomb.set([0x3e, 0x80, 0x3e, 0x80], frameHeader + 5); // 16000 x 16000
  const startMs = performance.now();
  const tooLarge = await assertRejects(() => images.toPng(bomb), JpegFormatError, "16000 x 16000");
  assertEquals(tooLarge.code, "too-large");
  assertLess(performance.now() - startMs, 5000);
  await assertRejects(() => images.toPng(new Uint8Array(0)), JpegFormatError, "no frame header");
  await assertRejects(() => images.toPng(new Uint8Array(1000).fill(255)), JpegFormatError);
  await assertRejects(() => images.toPng(photo.subarray(0, photo.length >> 1)), JpegFormatError);
  assert((await images.toPng(photo)).length > 0);
});

Deno.test("ImageWorker answers in order", async () => {
  using images = new ImageWorker({ threads: 1 });
  const order: number[] = [];
  const jobs = [1, 2, 3].map((n) => images.toPng(photo).then(() => order.push(n)));
  await Promise.all(jobs);
  assertEquals(order, [1, 2, 3]);
});

Deno.test("ImageWorker.close() rejects what is not done and everything after", async () => {
  const images = new ImageWorker({ threads: 1 });
  const jobs = [images.toPng(photo), images.toPng(photo), images.fit(photo, 2000)];
  images.close();
  for (const job of jobs) await assertRejects(() => job, StateError, "closed");
  await assertRejects(() => images.toPng(photo), StateError, "closed");
  images.close();
});

Deno.test({
  name: "ImageWorker in the background lets other threads go first",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const niceThreads = () =>
      Array.from(Deno.readDirSync("/proc/self/task")).filter(({ name }) => {
        const stat = Deno.readTextFileSync(`/proc/self/task/${name}/stat`);
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16] === "10";
      }).length;
    const before = niceThreads();
    {
      using images = new ImageWorker({ threads: 1 });
      await images.toPng(photo);
      assertEquals(niceThreads(), before);
    }
    using images = new ImageWorker({ threads: 1, isBackground: true });
    await images.toPng(photo);
    assert(niceThreads() > before);
  },
});

Deno.test("ImageWorker.fit() returns the same bytes when they fit", async () => {
  using images = new ImageWorker();
  assertStrictEquals(await images.fit(photo, photo.length), photo);
});

Deno.test("ImageWorker.fit() makes a picture of the same size that fits", async () => {
  using images = new ImageWorker({ threads: 1 });
  const large = codec.encodeJpeg(picture(320, 240), 95);
  const limit = 20_468;
  assert(large.length > limit);
  const fitted = await images.fit(large, limit);
  assert(fitted.length <= limit);
  const bitmap = codec.decode(fitted);
  assertEquals([bitmap.width, bitmap.height], [320, 240]);
  assertEquals(fitted, await images.fit(large, limit), "must not depend on what came before");
  await assertRejects(() => images.fit(new Uint8Array(30_000), limit), JpegFormatError);
});

Deno.test("fitJpeg() takes the best quality that fits", () => {
  const bitmap = picture(320, 240);
  const original = codec.encodeJpeg(bitmap, 100);
  const decoded = codec.decode(original);
  for (const quality of QUALITIES) {
    const expected = codec.encodeJpeg(decoded, quality);
    assertEquals(fitJpeg(codec, original, expected.length), expected, `quality ${quality}`);
  }
});

Deno.test("fitJpeg() makes the picture smaller when no quality fits, and says when nothing does", () => {
  const original = codec.encodeJpeg(picture(320, 240), 90);
  const fitted = fitJpeg(codec, original, 2000);
  assert(fitted.length <= 2000);
  const { width, height } = codec.decode(fitted);
  assert(width < 320 && Math.abs(width / height - 4 / 3) < 0.1);
  const error = assertFails(() => fitJpeg(codec, original, 300));
  assertEquals(error.code, "cannot-fit");
});

function assertFails(act: () => unknown): JpegFormatError {
  try {
    act();
  } catch (error) {
    if (error instanceof JpegFormatError) return error;
  }
  throw new Error("Expected a JpegFormatError");
}

Deno.test("shrinkBitmap() takes means and never vanishes", () => {
  const bitmap: Bitmap = {
    width: 4,
    height: 2,
    channels: 1,
    pixels: Uint8Array.of(0, 10, 20, 30, 10, 20, 30, 40),
  };
  assertEquals(shrinkBitmap(bitmap, 0.5), {
    width: 2,
    height: 1,
    channels: 1,
    pixels: Uint8Array.of(10, 30),
  });
  assertEquals(shrinkBitmap(bitmap, 0.01).pixels, Uint8Array.of(20));
});

Deno.test("ImageCodec never throws anything but JpegFormatError, and works on after it", () => {
  const runs = Number(Deno.env.get("FUZZ_RUNS") ?? 60);
  let state = 7;
  const random = (limit: number) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  for (let run = 0; run < runs; run++) {
    const damaged = photo.slice(0, random(4) === 0 ? random(photo.length) : photo.length);
    for (let i = random(10); i >= 0; i--) damaged[random(damaged.length)] = random(256);
    try {
      codec.decode(damaged);
    } catch (error) {
      assert(error instanceof JpegFormatError, `run ${run}: ${error}`);
    }
  }
  assertEquals(codec.decode(photo).width, 160);
  assert(MAX_PIXELS >= 2040 * 2040);
});

Deno.test("ImageCodec keeps its memory flat", () => {
  const bitmap = picture(320, 240);
  const jpeg = codec.encodeJpeg(bitmap, 80);
  const used = () => Deno.memoryUsage().heapUsed + Deno.memoryUsage().external;
  const before = used();
  for (let i = 0; i < 150; i++) {
    codec.decode(jpeg);
    codec.encodeJpeg(bitmap, 60);
  }
  assertLess(used() - before, 60_000_000);
});

Deno.test({
  name: "ImageWorker needs no permission but reading",
  permissions: { read: true },
  fn: async () => {
    using images = new ImageWorker();
    assert((await images.toPng(photo)).length > 0);
  },
});
