import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { growingIndexerFor } from "../../lib/frames/growing_file.ts";
import { framesOf, labFile } from "../support/frame_files.ts";
import { buildJpeg, thumbnailSegment } from "../support/jpegs.ts";

const FRAMES = [
  buildJpeg({ scan: new Uint8Array(40).fill(9) }),
  buildJpeg({ extra: [thumbnailSegment()], scan: new Uint8Array([1, 2, 3]) }),
  buildJpeg({ width: 16 }),
];
const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const multipart = (hasLengths: boolean) =>
  concat([
    ...FRAMES.flatMap((frame) => {
      const length = hasLengths ? `Content-Length: ${frame.length}\r\n` : "";
      return [octets(`--x\r\nContent-Type: image/jpeg\r\n${length}\r\n`), frame, octets("\r\n")];
    }),
    octets("--x\r\n"),
  ]);
const FILES: Record<string, Uint8Array> = {
  "bare JPEGs": concat(FRAMES),
  "a lab file": labFile(FRAMES),
  "a multipart stream with lengths": multipart(true),
  "a multipart stream without lengths": multipart(false),
};

/** Indexes a file that had these sizes, one after the other; the numbers of frames after each. */
function grow(file: Uint8Array, sizes: readonly number[]) {
  const indexer = growingIndexerFor(file)!;
  const counts: number[] = [];
  for (const size of sizes) {
    indexer.grow(size);
    while (indexer.position < size) indexer.push(file.subarray(indexer.position, size));
    counts.push(indexer.index.frameCount);
  }
  return { index: indexer.index, counts };
}

for (const [name, file] of Object.entries(FILES)) {
  Deno.test(`growingIndexerFor() finds every frame of ${name} that is split at any octet`, () => {
    for (let at = 0; at <= file.length; at++) {
      const { index } = grow(file, [at, file.length]);
      assertEquals(framesOf(file, index), FRAMES, `split at ${at}`);
      assertEquals([index.damageCount, index.timeline.frameCount], [0, 3], `split at ${at}`);
    }
  });

  Deno.test(`growingIndexerFor() names no frame of ${name} before it is whole, octet by octet`, () => {
    const sizes = Array.from(file, (_, i) => i + 1);
    const { index, counts } = grow(file, sizes);
    assertEquals(framesOf(file, index), FRAMES);
    for (const [i, frame] of FRAMES.entries()) {
      const end = index.offsetOf(i) + frame.length;
      assertEquals(sizes[counts.findIndex((count) => count > i)] >= end, true, `frame ${i}`);
      const shownBy = name.includes("without") ? end + 5 : end;
      assertEquals(counts[shownBy - 1], i + 1, `frame ${i} once it is whole`);
    }
  });
}

Deno.test("growingIndexerFor() goes on behind a picture that the next one interrupts", () => {
  const file = concat([FRAMES[0], FRAMES[1].subarray(0, FRAMES[1].length - 4), FRAMES[2]]);
  for (let at = 0; at <= file.length; at++) {
    const { index } = grow(file, [at, file.length]);
    assertEquals([framesOf(file, index), index.damageCount], [[FRAMES[0], FRAMES[2]], 1]);
  }
});

Deno.test("growingIndexerFor() leaves formats alone that have their index at one place", () => {
  assertEquals(growingIndexerFor(octets("RIFF....AVI LIST")), undefined);
  assertEquals(growingIndexerFor(octets("....ftypqt  ")), undefined);
});
