import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inspect } from "../../lib/server/inspect.ts";
import { MediaFolder } from "../support/corpus.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { Served } from "../support/served.ts";

/** Exit code and output of `rtsp-server inspect`. */
async function inspected(...args: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await inspect(args, (part) => text += part);
  return { code, text };
}

Deno.test("inspect() tells what is in a film, for people and as JSON", async () => {
  await using folder = await MediaFolder.make({ "a.mjpeg": labFile(sampleFrames(4)) });
  const path = `${folder.path}/a.mjpeg`;
  const forPeople = await inspected(path);
  assertEquals(forPeople.code, 0);
  assertMatch(forPeople.text, /a\.mjpeg: the lab's format, 4 frames, 0\.2 s at 20\/s, \d+ bytes/);
  assertStringIncludes(forPeople.text, "4 frames as they are");
  const { code, text } = await inspected("--json", path);
  const { name, format, frames, durationSeconds, isPlayable } = JSON.parse(text);
  assertEquals([code, name, format, frames], [0, path, "lab", 4]);
  assertEquals([durationSeconds, isPlayable], [0.2, true]);
});

Deno.test("inspect() walks folders and exits with 1 when something cannot be played", async () => {
  const [frame] = sampleFrames(1);
  await using folder = await MediaFolder.make({
    "good.mjpeg": labFile([frame]),
    "notes.txt": new TextEncoder().encode("no film, and not called one"),
    "deeper/bad.mjpeg": new TextEncoder().encode("called a film"),
    "deeper/lossless.mjpeg": labFile([frame, buildJpeg({ frameType: 0xc7 })]),
  });
  const { code, text } = await inspected("--json", `${folder.path}/`);
  const films = text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(films.map(({ name, isPlayable }) => [name.slice(folder.path.length), isPlayable]), [
    ["/deeper/bad.mjpeg", false],
    ["/deeper/lossless.mjpeg", false],
    ["/good.mjpeg", true],
  ]);
  assertEquals(code, 1);
  assertEquals(films[1].faults[0].frame, 2);
  assertEquals(films[1].faults[0].offset, 5 + frame.length + 5);
  assertEquals((await inspected(`${folder.path}/nothing`)).code, 1);
});

Deno.test("inspect() reads a URL", async () => {
  await using served = await Served.start({ "film.mjpeg": labFile(sampleFrames(10)) });
  const { code, text } = await inspected("--json", served.url("film.mjpeg"));
  const { format, frames, sizes, isPlayable } = JSON.parse(text);
  assertEquals([code, format, frames, sizes, isPlayable], [0, "rtsp", 10, { "320x240": 10 }, true]);
  const missing = await inspected(served.url("other.mjpeg"));
  assertEquals(missing.code, 1);
  assertMatch(missing.text, /404/);
});

Deno.test("inspect() says how it is used", async () => {
  assertEquals((await inspected("--help")).code, 0);
  for (const args of [[], ["--jsn", "x"], ["x", "--seconds", "soon"]]) {
    const { code, text } = await inspected(...args);
    assertEquals(code, 2);
    assert(text.includes("rtsp-server inspect FILE|DIR|URL"));
  }
});
