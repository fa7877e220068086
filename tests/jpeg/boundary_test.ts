import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { findJpegEnd, JpegBoundaryScanner } from "../../lib/jpeg/boundary.ts";
import { parseJpeg } from "../../lib/jpeg.ts";
import { buildJpeg, scans, segment, thumbnailSegment } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

const bytes = (...octets: number[]) => new Uint8Array(octets);

Deno.test("findJpegEnd() passes over the EOI of an EXIF thumbnail", () => {
  const picture = buildJpeg({ extra: [thumbnailSegment()] });
  assertEquals(findJpegEnd(concat([picture, bytes(1, 2, 3)]), 0), picture.length);
});

Deno.test("findJpegEnd() takes stuffed FF, restart markers and fill octets for data", () => {
  const scan = bytes(1, 0xff, 0x00, 0xff, 0xd0, 2, 0xff, 0xd7, 0xff, 0xff, 0xff);
  const picture = buildJpeg({ scan, end: bytes(0xff, 0xd9) });
  assertEquals(findJpegEnd(picture, 0), picture.length);
});

Deno.test("findJpegEnd() follows a second scan", () => {
  const second = concat([segment(0xda, [1, 1, 0, 0, 63, 0]), bytes(9, 9, 0xff, 0xd9)]);
  const picture = buildJpeg({ end: second });
  assertEquals(findJpegEnd(picture, 0), picture.length);
});

Deno.test("findJpegEnd() wants the whole picture: every prefix is undefined", () => {
  const picture = buildJpeg({ extra: [thumbnailSegment()], restartInterval: 2 });
  for (let size = 0; size < picture.length; size++) {
    assertEquals(findJpegEnd(picture.subarray(0, size), 0), undefined, `${size} octets`);
  }
});

Deno.test("JpegBoundaryScanner gives back the SOI that interrupts a picture", () => {
  const picture = buildJpeg({ end: bytes() });
  const scanner = new JpegBoundaryScanner();
  assertEquals(scanner.push(concat([picture, bytes(0xff, 0xd8, 0xff)])), picture.length);
  assertEquals([scanner.state, scanner.hasScan], ["broken", true]);
  scanner.reset();
  scanner.push(concat([picture, bytes(0xff)]));
  assertEquals(scanner.push(bytes(0xd8, 0xff)), -1);
  assertEquals([scanner.state, scanner.consumed], ["broken", picture.length]);
});

Deno.test("JpegBoundaryScanner breaks at what no picture can hold", () => {
  const faults: [Uint8Array, RegExp][] = [
    [bytes(1, 2), /SOI/],
    [bytes(0xff, 0xd8, 0xff, 0xe0, 0, 1), /length/],
    [bytes(0xff, 0xd8, 0xff, 0xd9), /before any scan/],
    [bytes(0xff, 0xd8, 0xff, 0xda), /frame header/],
  ];
  for (const [octets, reason] of faults) {
    const scanner = new JpegBoundaryScanner();
    scanner.push(octets);
    assertEquals(scanner.state, "broken");
    assert(reason.test(scanner.fault), scanner.fault);
  }
});

Deno.test("property: JpegBoundaryScanner finds the same end in pieces of any size", () => {
  fc.assert(
    fc.property(
      scans({ maxLength: 300 }),
      fc.array(fc.nat(40), { minLength: 1 }),
      fc.boolean(),
      (scan, cuts, thumb) => {
        const picture = buildJpeg({ scan, extra: thumb ? [thumbnailSegment()] : [] });
        const file = concat([picture, bytes(7, 7, 7)]);
        const scanner = new JpegBoundaryScanner();
        for (let at = 0, i = 0; at < file.length && scanner.state === "open"; i++) {
          const piece = file.subarray(at, at + 1 + cuts[i % cuts.length]);
          const end = scanner.push(piece);
          at += scanner.state === "open" ? piece.length : end;
        }
        assertEquals([scanner.state, scanner.consumed], ["complete", picture.length]);
        assertEquals(parseJpeg(file).end, picture.length);
      },
    ),
    seeded(200),
  );
});

Deno.test("property: JpegBoundaryScanner takes any octets, in pieces as in one", () => {
  const octets = fc.uint8Array({ maxLength: 200 }).map((tail) => concat([bytes(0xff, 0xd8), tail]));
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 9 }), (file, size) => {
      const whole = new JpegBoundaryScanner();
      whole.push(file);
      const pieces = new JpegBoundaryScanner();
      for (let at = 0; at < file.length && pieces.state === "open"; at += size) {
        pieces.push(file.subarray(at, at + size));
      }
      assertEquals([pieces.state, pieces.consumed], [whole.state, whole.consumed]);
    }),
    seeded(500),
  );
});
