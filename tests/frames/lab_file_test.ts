import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { FrameFileError, JpegFormatError } from "../../lib/errors.ts";
import { encodeLabFrame, LabFileIndexer, labPrefixAt } from "../../lib/frames/lab_file.ts";
import { framesOf, indexOf, labFile } from "../support/frame_files.ts";
import { buildJpeg, scans, thumbnailSegment } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

const text = (octets: string) => new TextEncoder().encode(octets);
const FRAMES = [10, 500, 3].map((length, i) =>
  buildJpeg({ width: 16 + i, scan: new Uint8Array(length).fill(i + 1) })
);
const index = (file: Uint8Array, pieceSize?: number) =>
  indexOf(file, new LabFileIndexer({ totalBytes: file.length }), pieceSize);

Deno.test("encodeLabFrame() writes five digits and the picture", () => {
  const frame = encodeLabFrame(FRAMES[0]);
  assertEquals(
    new TextDecoder().decode(frame.subarray(0, 5)),
    String(FRAMES[0].length).padStart(5, "0"),
  );
  assertEquals(frame.subarray(5), FRAMES[0]);
  assertEquals(labPrefixAt(frame, 0), FRAMES[0].length);
});

Deno.test("encodeLabFrame() takes 99,999 octets and no more", () => {
  assertEquals(
    new TextDecoder().decode(encodeLabFrame(new Uint8Array(99_999)).subarray(0, 5)),
    "99999",
  );
  const error = assertThrows(() => encodeLabFrame(new Uint8Array(100_000)), JpegFormatError);
  assertEquals(error.code, "too-large-for-lab");
});

Deno.test("LabFileIndexer finds every frame, in pieces of any size", () => {
  const file = labFile(FRAMES);
  for (const size of [1, 2, 5, 7, 9, 100, file.length]) {
    const found = index(file, size);
    assertEquals(framesOf(file, found), FRAMES);
    assertEquals([found.format, found.defaultFrameRateHz, found.damageCount], ["lab", 20, 0]);
    assertEquals(found.totalBytes, FRAMES.reduce((sum, frame) => sum + frame.length, 0));
    assertEquals(found.largestFrameBytes, FRAMES[1].length);
  }
});

Deno.test("LabFileIndexer looks at nine octets of each frame", () => {
  const frames = Array.from({ length: 50 }, () => buildJpeg({ scan: new Uint8Array(90_000) }));
  const file = labFile(frames);
  const indexer = new LabFileIndexer({ totalBytes: file.length });
  let looked = 0;
  while (indexer.position < file.length) {
    const piece = file.subarray(indexer.position, indexer.position + 9);
    looked += piece.length;
    indexer.push(piece);
  }
  assertEquals(indexer.finish().frameCount, 50);
  assert(looked <= 50 * 10, `${looked} octets`);
});

Deno.test("LabFileIndexer takes a line end or zeros at the end for nothing", () => {
  for (const tail of [text("\n"), text("\r\n"), new Uint8Array(5)]) {
    const file = concat([labFile(FRAMES), tail]);
    const found = index(file);
    assertEquals([found.frameCount, found.damageCount], [3, 0]);
  }
});

Deno.test("LabFileIndexer passes over what stands between frames and counts it", () => {
  const [a, b, c] = FRAMES.map((frame) => encodeLabFrame(frame));
  const file = concat([
    text("hello"),
    a,
    text("--boundary 12345\r\n"),
    b,
    c,
    text("the end, really"),
  ]);
  for (const size of [1, 6, 1 << 16]) {
    const found = index(file, size);
    assertEquals(framesOf(file, found), FRAMES);
    assertEquals(found.damaged.map(({ offset }) => offset), [0, 5 + a.length, file.length - 15]);
    assertEquals(found.damaged[1].reason, "18 octets are no frame");
  }
});

Deno.test("LabFileIndexer keeps a frame whose length lies when its EOI stands before the next frame", async (t) => {
  const [a, b, c] = FRAMES.map((frame) => encodeLabFrame(frame));
  const lie = (digits: string) => {
    const lying = b.slice();
    lying.set(text(digits));
    return concat([a, lying, c]);
  };
  for (const digits of ["00100", "00900", "99999", "00002", "00000"]) {
    await t.step(digits, () => {
      for (const size of [1, 50, 1 << 16]) {
        const file = lie(digits), found = index(file, size);
        assertEquals(framesOf(file, found), FRAMES, `pieces of ${size}`);
        assertEquals(found.damageCount, 1);
        assertStringIncludes(
          found.damaged[0].reason,
          `${Number(digits)} octets, it is ${FRAMES[1].length}`,
        );
      }
    });
  }
});

Deno.test("LabFileIndexer drops a frame that is cut, in the middle or at the end", () => {
  const [a, b, c] = FRAMES.map((frame) => encodeLabFrame(frame));
  const middle = concat([a, b.subarray(0, b.length - 30), c]);
  const found = index(middle);
  assertEquals(framesOf(middle, found), [FRAMES[0], FRAMES[2]]);
  assertEquals(found.damageCount, 1);
  for (let cut = 1; cut < b.length; cut++) {
    const file = concat([a, b.subarray(0, b.length - cut)]);
    const { frameCount, damageCount } = index(file);
    assertEquals([frameCount, damageCount], [1, 1], `${cut} octets missing`);
  }
});

Deno.test("LabFileIndexer takes frames without EOI, and with padding behind it, as they are announced", () => {
  const frames = [buildJpeg({ end: new Uint8Array() }), concat([buildJpeg(), new Uint8Array(7)])];
  const file = labFile([...frames, ...FRAMES]);
  const found = index(file);
  assertEquals([framesOf(file, found), found.damageCount], [[...frames, ...FRAMES], 0]);
});

Deno.test("LabFileIndexer is not misled by a thumbnail", () => {
  const frames = [buildJpeg({ extra: [thumbnailSegment()] }), FRAMES[0]];
  const file = labFile(frames);
  assertEquals(framesOf(file, index(file)), frames);
});

Deno.test("LabFileIndexer refuses a file without a frame, and one that is nearly all damage", () => {
  for (
    const file of [
      text("12345"),
      text("00010"),
      concat([text("00500"), new Uint8Array([0xff, 0xd8])]),
    ]
  ) {
    assertEquals(assertThrows(() => index(file), FrameFileError).code, "no-frame");
  }
  const lies = concat(
    Array.from({ length: 3000 }, () => concat([text("99999"), new Uint8Array([0xff, 0xd8])])),
  );
  assertEquals(assertThrows(() => index(lies), FrameFileError).code, "too-damaged");
});

const mixedFiles = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: scans({ maxLength: 200 }).map((scan) => encodeLabFrame(buildJpeg({ scan }))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.nat(99_999).map((n) =>
        concat([text(String(n).padStart(5, "0")), new Uint8Array([0xff, 0xd8])])
      ),
    },
  ),
  { maxLength: 12 },
).map((parts) => concat(parts));

Deno.test("property: LabFileIndexer finds the same whatever the pieces, and throws nothing but FrameFileError", () => {
  fc.assert(
    fc.property(mixedFiles, fc.integer({ min: 1, max: 50 }), (file, size) => {
      const outcome = (pieceSize: number) => {
        try {
          const found = index(file, pieceSize);
          for (const frame of framesOf(file, found)) {
            assertEquals([...frame.subarray(0, 2)], [0xff, 0xd8]);
          }
          return framesOf(file, found).map((frame) => [frame.byteOffset, frame.length]);
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

Deno.test("property: LabFileIndexer finds every frame of an honest file", () => {
  fc.assert(
    fc.property(
      fc.array(scans({ maxLength: 300 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 99 }),
      (all, size) => {
        const frames = all.map((scan) => buildJpeg({ scan })), file = labFile(frames);
        assertEquals(framesOf(file, index(file, size)), frames);
      },
    ),
    seeded(100),
  );
});
