/**
 * Finding the frames of a file of 232 MB (the sample film 40 times over, in memory's page cache), and reading them.
 *
 * @module
 */
import { FrameCache, openMovie } from "../lib/disk.ts";

const sample = await Deno.readFile(new URL("../media/video.mjpeg", import.meta.url));
const folder = await Deno.makeTempDir();
const lab = `${folder}/lab.mjpeg`, bare = `${folder}/bare.mjpeg`;
await repeat(lab, sample);
await repeat(bare, await withoutLengths());
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

for (const [name, path] of [["lab format", lab], ["bare JPEGs", bare]]) {
  Deno.bench(`openMovie(), ${name}`, { group: "232 MB", n: 5 }, async () => {
    await using movie = await openMovie(path, { cache: new FrameCache({ limitBytes: 0 }) });
    if (movie.frameCount !== 20_000) throw new Error(`Got ${movie.frameCount} frames`);
  });
}

Deno.bench("MovieFile.readFrame(), 20,000 frames in order", { group: "232 MB", n: 5 }, async () => {
  await using movie = await openMovie(lab, { cache: new FrameCache({ limitBytes: 8 << 20 }) });
  for (let i = 0; i < movie.frameCount; i++) await movie.readFrame(i);
});

async function repeat(path: string, octets: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  for (let i = 0; i < 40; i++) {
    for (let at = 0; at < octets.length;) at += await file.write(octets.subarray(at));
  }
}

async function withoutLengths(): Promise<Uint8Array> {
  await using movie = await openMovie(new URL("../media/video.mjpeg", import.meta.url));
  const frames = Array.from({ length: movie.frameCount }, (_, i) => movie.readFrame(i));
  return await new Blob(await Promise.all(frames) as Uint8Array<ArrayBuffer>[]).bytes();
}
