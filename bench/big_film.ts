/**
 * A film of 2 GB: how long until it plays, and what does it cost to have 100 readers all over it?
 *
 *     deno run --allow-all bench/big_film.ts [--gigabytes 2] [--readers 100] [--seconds 10]
 *
 * Makes the film three times from the sample: as an AVI with its indexes, as one whose recorder crashed (no index), and
 * as bare JPEGs; each is opened, then played by a server of its own process. Memory is what the kernel says of that
 * process at its highest.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { RtspClient } from "../lib/client/client.ts";
import { type MovieFile, MovieRecorder, openMovie } from "../lib/disk.ts";
import { ROOT } from "../tools/repository.ts";

const options = parseArgs(Deno.args, {
  string: ["gigabytes", "readers", "seconds"],
  default: { gigabytes: "2", readers: "100", seconds: "10" },
});
const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-big-" });
try {
  await using sample = await openMovie(`${ROOT}media/video.mjpeg`);
  const frames = Math.ceil(Number(options.gigabytes) * 1e9 / sample.index.totalBytes * 500);
  await write(sample, frames, "film.avi");
  await write(sample, frames, "film.mjpeg");
  await crash("film.avi", "crashed.avi");
  for (const name of ["film.mjpeg", "crashed.avi", "film.avi"]) await measure(name);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function write(sample: MovieFile, frames: number, name: string): Promise<void> {
  const format = name.endsWith(".avi") ? "avi" : "jpeg";
  await using recorder = await MovieRecorder.open(`${folder}/${name}`, { format });
  for (let i = 0; i < frames; i++) await recorder.write(await sample.readFrame(i % 500), i / 20);
}

/** The same without the last megabyte, and without the index of its first RIFF chunk. */
async function crash(from: string, to: string): Promise<void> {
  await Deno.copyFile(`${folder}/${from}`, `${folder}/${to}`);
  using file = await Deno.open(`${folder}/${to}`, { read: true, write: true });
  await file.truncate((await file.stat()).size - 1_000_000 * Number(options.gigabytes) * 2);
  const head = new Uint8Array(4096);
  await file.read(head);
  const at = new TextDecoder("latin1").decode(head).indexOf("indx");
  await file.seek(at + 12, Deno.SeekMode.Start);
  await file.write(new Uint8Array(4));
}

async function measure(name: string): Promise<void> {
  const began = performance.now();
  const movie = await openMovie(`${folder}/${name}`);
  const indexMs = performance.now() - began;
  const { frameCount, index } = movie;
  await movie.close();
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--unstable-net", `${ROOT}server.ts`, "0"]
      .concat(["--host", "127.0.0.1", "--media", folder, "--fps", "20", "--json"]),
    stdout: "piped",
    stderr: "null",
    cwd: ROOT,
  }).spawn();
  try {
    const port = await portOf(server);
    const url = `rtsp://127.0.0.1:${port}/${name}`;
    const asked = performance.now();
    await play(url, 0, 0);
    const firstMs = performance.now() - asked;
    const last = frameCount / 20 - Number(options.seconds) - 1;
    const readers = Number(options.readers);
    const counts = await Promise.all(
      Array.from({ length: readers }, (_, i) => play(url, last * i / readers, 1)),
    );
    const got = counts.reduce((sum, count) => sum + count, 0);
    console.log(
      `${name}: ${(index.totalBytes / 1e9).toFixed(2)} GB, ${frameCount} frames; ` +
        `index ${indexMs.toFixed(0)} ms; first frame after ${firstMs.toFixed(0)} ms; ` +
        `${readers} readers got ${got} of ${readers * 20 * Number(options.seconds)} frames; ` +
        `server ${peakMegabytes(server.pid)} MB at most`,
    );
  } finally {
    server.kill();
    await server.stdout.cancel();
    await server.status;
  }
}

/** Plays from `start` on: one frame, or all of so many seconds; gives the number of frames. */
async function play(url: string, start: number, isLong: 0 | 1): Promise<number> {
  await using client = new RtspClient({ url, transport: "tcp" });
  let frames = 0;
  const first = Promise.withResolvers<void>();
  client.onFrame(() => {
    frames++;
    first.resolve();
  });
  await client.setup();
  await client.play({ startSeconds: start, endSeconds: start + Number(options.seconds) });
  await first.promise;
  if (isLong) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(options.seconds) + 500));
  }
  return frames;
}

async function portOf(server: Deno.ChildProcess): Promise<number> {
  const reader = server.stdout.getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The server ended: ${text}`);
    text += new TextDecoder().decode(value);
    const match = /"port":(\d+)/.exec(text);
    if (match === null) continue;
    reader.releaseLock();
    return Number(match[1]);
  }
}

function peakMegabytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1000);
}
