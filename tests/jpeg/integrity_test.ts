import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { parseJpeg } from "../../lib/jpeg.ts";
import { hasWholeScan } from "../../lib/jpeg/integrity.ts";
import { movieOf } from "../support/corpus.ts";
import { buildJpeg } from "../support/jpegs.ts";
import { testWith } from "../support/programs.ts";
import { seeded } from "../support/property.ts";

const JPEG = Deno.readFileSync(new URL("../../media/video.mjpeg", import.meta.url)).subarray(
  5,
  5 + 10_958,
);

Deno.test("hasWholeScan() sees nearly always that a piece is missing", () => {
  const { scanStart, scanEnd } = parseJpeg(JPEG);
  assert(hasWholeScan(JPEG));
  let unseen = 0;
  for (
    let from = scanStart, size = 100;
    from < scanEnd - 100;
    from += 11, size = 100 + size * 7 % 1300
  ) {
    const rest = JPEG.subarray(Math.min(from + size, scanEnd));
    if (hasWholeScan(concat([JPEG.subarray(0, from), rest]))) unseen++;
  }
  // Of some 900 cuts: rarely the codes around one make up for exactly the blocks that are missing.
  assert(unseen <= 9, `${unseen} cuts unseen`);
});

Deno.test("property: hasWholeScan() takes any octets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(10_957), (noise, at) => {
      const damaged = JPEG.slice();
      damaged.set(noise.subarray(0, damaged.length - at), at);
      hasWholeScan(damaged);
    }),
    seeded(200),
  );
});

Deno.test("hasWholeScan() does not judge what it cannot read", () => {
  assertEquals(hasWholeScan(buildJpeg({ frameType: 0xc2 })), true);
  assertEquals(hasWholeScan(buildJpeg({ frameType: 0xc9 })), true);
  assertEquals(hasWholeScan(buildJpeg({ selectors: [0x22, 0x11, 0x11] })), true);
  assertEquals(hasWholeScan(buildJpeg()), false);
  assertEquals(hasWholeScan(new Uint8Array([1, 2, 3])), false);
});

for (
  const name of [
    "420",
    "422",
    "420-restart-326x246",
    "422-odd-restart-330x250",
    "444",
    "grey",
    "optimized",
    "progressive",
  ] as const
) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `hasWholeScan() is content with whole pictures: ${name}`,
    async () => {
      const { frames } = await movieOf(name);
      assertEquals(frames.every((frame) => hasWholeScan(frame)), true);
    },
  );
}
