/** The corpus is what its names say: otherwise the tests that stream it would prove nothing. */
import { assert, assertEquals } from "@std/assert";
import { labFileOf, type Movie, type MovieName, movieOf, RECIPES } from "./corpus.ts";
import { picturesOf } from "./pictures.ts";
import { testWith } from "./programs.ts";

/** Markers before the entropy-coded data, with their segments. */
function* segments(jpeg: Uint8Array): Generator<{ marker: number; data: Uint8Array }> {
  for (let at = 2; at + 4 <= jpeg.length;) {
    const length = jpeg[at + 2] << 8 | jpeg[at + 3];
    yield { marker: jpeg[at + 1], data: jpeg.subarray(at + 4, at + 2 + length) };
    if (jpeg[at + 1] === 0xda) return;
    at += 2 + length;
  }
}

const has = (movie: Movie, marker: number) =>
  movie.frames.every((frame) => [...segments(frame)].some((segment) => segment.marker === marker));

testWith(["ffmpeg", "cjpeg"], "movieOf() makes what the recipes say", async () => {
  for (const name of Object.keys(RECIPES) as MovieName[]) {
    const movie = await movieOf(name);
    const { recipe } = movie;
    assertEquals(movie.frames.length, recipe.frameCount, name);
    assertEquals(has(movie, 0xdd), recipe.restart !== undefined, `${name} restart interval`);
    assertEquals(has(movie, 0xe1), recipe.hasThumbnail === true, `${name} EXIF`);
    assertEquals(has(movie, 0xc2), name === "progressive", `${name} progressive`);
    const frame = [...segments(movie.frames[0])].find((segment) =>
      [0xc0, 0xc1, 0xc2, 0xc9, 0xca].includes(segment.marker)
    )!;
    assertEquals([frame.data[3] << 8 | frame.data[4], frame.data[1] << 8 | frame.data[2]], [
      recipe.width,
      recipe.height,
    ], name);
    const sampling =
      { "2x2": 0x22, "2x1": 0x21, "1x1": 0x11, "grey": 0x11 }[recipe.sampling ?? "2x2"];
    assertEquals(frame.data[7], sampling, `${name} sampling`);
    if (name.startsWith("arithmetic")) continue; // ffmpeg cannot decode these
    const pictures = await picturesOf(movie.path);
    assertEquals(pictures.length, recipe.frameCount, `${name} as ffmpeg reads it`);
    assertEquals(new Set(pictures).size, recipe.frameCount, `${name}: all frames differ`);
  }
});

testWith(["ffmpeg", "cjpeg"], "labFileOf() puts five digits before each frame", async () => {
  const movie = await movieOf("420");
  const file = labFileOf(movie);
  let at = 0;
  for (const frame of movie.frames) {
    const digits = new TextDecoder().decode(file.subarray(at, at + 5));
    assert(/^\d{5}$/.test(digits));
    assertEquals(Number(digits), frame.length);
    at += 5 + frame.length;
  }
  assertEquals(at, file.length);
});
