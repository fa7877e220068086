/** Foreign players seek, speed up, slow down and turn round on our server: proved by the numbers in the sample's frames. */
import { assert, assertEquals } from "@std/assert";
import { openMovie } from "../../lib/disk.ts";
import { MediaFolder, movieOf } from "../support/corpus.ts";
import { playWithGst } from "../support/gst.ts";
import { digestsIn, framemd5Options } from "../support/pictures.ts";
import { runOk, textOf } from "../support/process.ts";
import { testWith } from "../support/programs.ts";
import { numbersIn, sampleNumbers } from "../support/sample_numbers.ts";
import { Served } from "../support/served.ts";

const SAMPLE = Deno.readFileSync(new URL("../../media/video.mjpeg", import.meta.url));

/** Whole numbers from one to another, by steps. */
function numbers(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + step * i);
}

for (const protocol of ["udp", "tcp"]) {
  testWith(
    ["gst-python", "ffmpeg"],
    `GStreamer plays at rates 2, 0.5 and -1 over ${protocol}, by Scale and by Speed`,
    async () => {
      await using served = await Served.start({ "video.mjpeg": SAMPLE }, { frameRateHz: 20 });
      const cases = [
        { action: "rate:2:5:8", wanted: numbers(101, 159, 2), least: 30 },
        { action: "rate:-1:5:6", wanted: numbers(120, 101, -1), least: 20 },
        // rtspsrc reckons the range's length without the rate and stops early.
        { action: "rate:0.5:5:6", wanted: numbers(101, 120, 1), least: 8 },
        { action: "speed:2:23", wanted: numbers(461, 500, 1), least: 40 },
      ];
      for (const { action, wanted, least } of cases) {
        const actions = ["frames:5", action, "end"];
        const url = served.url("video.mjpeg");
        const play = await playWithGst(url, actions, { protocols: protocol, limitSeconds: 30 });
        assertEquals(play.error, undefined, action);
        const seen = (await sampleNumbers(play.frames)) as number[];
        // What was under way when it sought may still come out first.
        const after = seen.slice(seen.indexOf(wanted[0], 5));
        assert(after.length >= least, `${action}: ${seen}`);
        assertEquals(after, wanted.slice(0, after.length), action);
      }
    },
  );

  testWith(
    ["ffmpeg"],
    `ffmpeg -ss begins with the frame of that moment over ${protocol}`,
    async () => {
      await using served = await Served.start({ "video.mjpeg": SAMPLE }, { frameRateHz: 20 });
      for (const [seconds, number] of [[0, 1], [12.5, 251], [19.97, 400], [24.9, 499]]) {
        const { stdout } = await runOk("ffmpeg", {
          args: [
            ...["-v", "error", "-rtsp_transport", protocol, "-ss", String(seconds)],
            ...["-i", served.url("video.mjpeg"), "-frames:v", "2", "-fps_mode", "passthrough"],
            ...["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
          ],
        });
        const [first, second] = numbersIn(stdout) as number[];
        assert(Math.abs(first - number) <= 1, `-ss ${seconds} gave ${first}, wanted ${number}`);
        assertEquals(second, first + 1);
      }
    },
  );
}

for (const extension of ["avi", "mov", "mp4", "mkv"]) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `ffmpeg gets every picture of a .${extension} from our server, with its times`,
    async () => {
      const movie = await movieOf("420");
      await using folder = await MediaFolder.make({});
      const path = `${folder.path}/x.${extension}`;
      const input = ["-v", "error", "-f", "mjpeg", "-framerate", "25", "-i", movie.path];
      await runOk("ffmpeg", { args: [...input, "-c", "copy", path] });
      await using served = await Served.start({ [`x.${extension}`]: await Deno.readFile(path) }, {
        frameRateHz: undefined,
      });
      const decoded = async (...source: string[]) =>
        digestsIn(
          textOf(await runOk("ffmpeg", { args: ["-v", "error", ...source, ...framemd5Options()] })),
        );
      const url = served.url(`x.${extension}`);
      assertEquals(await decoded("-rtsp_transport", "tcp", "-i", url), await decoded("-i", path));
      const shown = await runOk("ffprobe", {
        args: [
          ...["-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=r_frame_rate"],
          ...["-of", "csv=p=0", url],
        ],
      });
      assertEquals(textOf(shown).trim(), "25/1");
    },
  );
}

testWith(["ffmpeg", "cjpeg"], "ffmpeg sees a film of variable rate at its own times", async () => {
  const movie = await movieOf("420");
  await using folder = await MediaFolder.make({});
  const path = `${folder.path}/x.mov`;
  const input = ["-v", "error", "-f", "mjpeg", "-framerate", "25", "-i", movie.path];
  const times = ["-bsf:v", "setts=ts=(N+floor(N/5)*4)*0.02/TB:duration=0.02/TB"];
  await runOk("ffmpeg", { args: [...input, "-c", "copy", ...times, path] });
  await using film = await openMovie(path);
  const { timeline } = film.index;
  assertEquals(timeline.isConstant, false);
  await using served = await Served.start({ "x.mov": await Deno.readFile(path) }, {
    frameRateHz: undefined,
  });
  const result = await runOk("ffprobe", {
    args: [
      ...["-v", "error", "-rtsp_transport", "tcp", "-show_entries", "packet=pts"],
      ...["-of", "csv=p=0", served.url("x.mov")],
    ],
  });
  const ticks = textOf(result).split("\n").filter((line) => /^\d/.test(line))
    .map((line) => Number.parseInt(line));
  assertEquals(ticks.length, 30);
  ticks.forEach((tick, i) => {
    assert(Math.abs(tick - ticks[0] - timeline.secondsOf(i) * 90_000) <= 2, `frame ${i}: ${tick}`);
  });
});
