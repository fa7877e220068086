import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { FrameFileError } from "../../lib/errors.ts";
import { JpegFileIndexer } from "../../lib/frames/jpeg_file.ts";
import { framesOf, indexOf } from "../support/frame_files.ts";
import { buildJpeg, scans, thumbnailSegment } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

const text = (octets: string) => new TextEncoder().encode(octets);
const FRAMES = [
  buildJpeg({ scan: new Uint8Array(300).fill(9) }),
  buildJpeg({
    extra: [thumbnailSegment()],
    restartInterval: 2,
    scan: new Uint8Array([1, 0xff, 0xd0, 2]),
  }),
  buildJpeg({ width: 16 }),
];
const index = (file: Uint8Array, pieceSize?: number) =>
  indexOf(file, new JpegFileIndexer({ totalBytes: file.length }), pieceSize);

Deno.test("JpegFileIndexer finds every picture, past thumbnails, in pieces of any size", () => {
  const file = concat(FRAMES);
  for (const size of [1, 2, 3, 7, 100, file.length]) {
    const found = index(file, size);
    assertEquals(framesOf(file, found), FRAMES);
    assertEquals([found.format, found.defaultFrameRateHz, found.damageCount], ["jpeg", 25, 0]);
  }
});

Deno.test("JpegFileIndexer passes over padding in silence: zeros, a second EOI, line ends", () => {
  const padding = [new Uint8Array(9), new Uint8Array([0xff, 0xd9]), text("\r\n")];
  const file = concat(FRAMES.flatMap((frame, i) => [frame, padding[i]]));
  for (const size of [1, 4, file.length]) {
    const found = index(file, size);
    assertEquals([framesOf(file, found), found.damageCount], [FRAMES, 0]);
  }
});

Deno.test("JpegFileIndexer passes over other octets and counts them", () => {
  const header = text("\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n");
  const file = concat([
    new Uint8Array([0xff, 0xd8, 7]),
    ...FRAMES.flatMap((frame) => [frame, header]),
  ]);
  for (const size of [1, 5, file.length]) {
    const found = index(file, size);
    assertEquals(framesOf(file, found), FRAMES);
    assertEquals(found.damaged[0], { offset: 0, reason: "3 octets are no picture" });
    assertEquals(found.damageCount, 4);
  }
});

Deno.test("JpegFileIndexer drops a picture that the next one interrupts", () => {
  const cut = FRAMES[0].subarray(0, FRAMES[0].length - 50);
  const file = concat([FRAMES[1], cut, FRAMES[2]]);
  for (const size of [1, 3, FRAMES[1].length + cut.length + 1, file.length]) {
    const found = index(file, size);
    assertEquals(framesOf(file, found), [FRAMES[1], FRAMES[2]]);
    assertEquals(found.damaged[0].offset, FRAMES[1].length);
    assertStringIncludes(
      found.damaged[0].reason,
      `${cut.length} octets is not whole: another picture starts`,
    );
  }
});

Deno.test("JpegFileIndexer drops the last picture when it is cut, wherever", () => {
  for (let size = 3; size < FRAMES[1].length; size += 7) {
    const file = concat([FRAMES[0], FRAMES[1].subarray(0, size)]);
    const found = index(file);
    assertEquals([found.frameCount, found.damageCount], [1, 1], `${size} octets left`);
  }
});

Deno.test("JpegFileIndexer takes pictures without EOI when none has one", () => {
  const frames = FRAMES.map((frame) => frame.subarray(0, frame.length - 2));
  const file = concat(frames);
  for (const size of [1, file.length]) {
    const found = index(file, size);
    assertEquals([framesOf(file, found), found.damageCount], [frames, 0]);
  }
});

Deno.test("JpegFileIndexer refuses a file without a picture, and one that is nearly all damage", () => {
  for (
    const file of [
      text("no picture"),
      new Uint8Array([0xff, 0xd8, 0xff]),
      FRAMES[0].subarray(0, 100),
    ]
  ) {
    assertEquals(assertThrows(() => index(file), FrameFileError).code, "no-frame");
  }
  const starts = concat(
    Array.from({ length: 3000 }, () => new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0])),
  );
  assertEquals(assertThrows(() => index(starts), FrameFileError).code, "too-damaged");
});

Deno.test("JpegFileIndexer lists the first 100 faults and counts all", () => {
  const file = concat(Array.from({ length: 150 }, () => [FRAMES[2], text("junk")]).flat());
  const found = index(file);
  assertEquals([found.frameCount, found.damaged.length, found.damageCount], [150, 100, 150]);
});

Deno.test("JpegFileIndexer holds thousands of frames", () => {
  const file = concat(Array.from({ length: 5000 }, () => FRAMES[2])), size = FRAMES[2].length;
  const found = index(file, 65_536);
  assertEquals([found.frameCount, found.totalBytes], [5000, 5000 * size]);
  assertEquals([found.offsetOf(4999), found.sizeOf(4999)], [4999 * size, size]);
});

Deno.test("JpegFileIndexer gives a picture up that does not end within 64 MiB", () => {
  const endless = new Uint8Array(65 << 20);
  endless.set(FRAMES[0].subarray(0, FRAMES[0].length - 2));
  const file = concat([FRAMES[2], endless, FRAMES[2]]), found = index(file);
  assertEquals([found.frameCount, found.damageCount], [2, 1]);
});

Deno.test("FrameIndex refuses frames that are not there", () => {
  const found = index(FRAMES[0]);
  for (const i of [-1, 1, 0.5, NaN]) {
    assertThrows(() => found.offsetOf(i), RangeError);
    assertThrows(() => found.sizeOf(i), RangeError);
  }
});

const mixedFiles = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: scans({ maxLength: 200 }).map((scan) => buildJpeg({ scan })) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.nat(400).map((size) => FRAMES[1].subarray(0, size)) },
  ),
  { maxLength: 12 },
).map((parts) => concat(parts));

Deno.test("property: JpegFileIndexer finds the same whatever the pieces, and throws nothing but FrameFileError", () => {
  fc.assert(
    fc.property(mixedFiles, fc.integer({ min: 1, max: 50 }), (file, size) => {
      const outcome = (pieceSize: number) => {
        try {
          const found = index(file, pieceSize);
          return [
            framesOf(file, found).map((frame) => [frame.byteOffset, frame.length]),
            found.damaged,
          ];
        } catch (error) {
          assertInstanceOf(error, FrameFileError);
          return error.code;
        }
      };
      assertEquals(outcome(size), outcome(1 << 20));
    }),
    seeded(300),
  );
});
