import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { AviFileIndexer } from "../../lib/frames/avi_file.ts";
import { type AviPatch, AviWriter } from "../../lib/frames/avi_writer.ts";
import { movieOf } from "../support/corpus.ts";
import { framesOf, indexOf } from "../support/frame_files.ts";
import { picturesOf } from "../support/pictures.ts";
import { runOk, textOf } from "../support/process.ts";
import { testWith } from "../support/programs.ts";

/** A whole AVI of these frames; a RIFF chunk may hold `riffLimitBytes`. */
function aviOf(frames: readonly Uint8Array[], riffLimitBytes?: number, frameRateHz = 30000 / 1001) {
  const writer = new AviWriter({ width: 320, height: 240, riffLimitBytes });
  const pieces: Uint8Array[] = [writer.head({ frameRateHz })];
  const patches: AviPatch[] = [];
  for (const frame of frames) {
    const before = writer.beforeFrame(frame.length);
    pieces.push(before.octets, frame);
    patches.push(...before.patches);
  }
  const [tail, ...last] = writer.finish();
  const file = concat([...pieces, tail.octets]);
  for (const { at, octets } of [...patches, ...last]) file.set(octets, at);
  file.set(writer.head({ frameRateHz }));
  return file;
}

Deno.test("AviWriter and AviFileIndexer agree, in one RIFF chunk or many", async () => {
  const { frames } = await movieOf("420");
  for (const limit of [undefined, 50_000, 200_000]) {
    const file = aviOf(frames, limit);
    const index = indexOf(file, new AviFileIndexer({ totalBytes: file.length }), 3001);
    assertEquals(framesOf(file, index), [...frames]);
    assertEquals(index.damaged, []);
    assert(Math.abs(index.defaultFrameRateHz - 29.97) < 0.001);
  }
});

testWith(
  ["ffmpeg"],
  "ffmpeg reads every frame of an AVI of ours, sought into, cut, and in many RIFF chunks",
  async () => {
    const movie = await movieOf("420");
    const wanted = await picturesOf(movie.path);
    const path = await Deno.makeTempFile({ suffix: ".avi" });
    const decoded = async (...options: string[]) => {
      const input = ["-v", "error", ...options, "-i", path];
      const output = ["-fps_mode", "passthrough", "-f", "framemd5", "-"];
      const lines = textOf(await runOk("ffmpeg", { args: [...input, ...output] })).split("\n");
      return lines.filter((line) => /^\d/.test(line)).map((line) =>
        line.split(",").slice(4, 6).map((field) => field.trim()).join(":")
      );
    };
    for (const limit of [undefined, 50_000]) {
      const file = aviOf(movie.frames, limit, 25);
      await Deno.writeFile(path, file);
      assertEquals(await decoded(), wanted);
      assertEquals(await decoded("-ss", "0.8"), wanted.slice(20));
      const probe = await runOk("ffprobe", {
        args: [
          ...["-v", "error", "-show_entries", "stream=r_frame_rate,nb_frames,duration"],
          ...["-of", "csv=p=0", path],
        ],
      });
      assertEquals(textOf(probe).trim(), "25/1,1.200000,30");
      const index = indexOf(file, new AviFileIndexer({ totalBytes: file.length }));
      await Deno.writeFile(path, file.subarray(0, index.offsetOf(17)));
      assertEquals((await decoded()).slice(0, 17), wanted.slice(0, 17));
    }
    await Deno.remove(path);
  },
);
