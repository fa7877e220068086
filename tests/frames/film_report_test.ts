import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FilmExaminer, isWhollyPlayable, reportLines } from "../../lib/frames/film_report.ts";
import { parseJpeg } from "../../lib/jpeg.ts";
import { buildJpeg, thumbnailSegment } from "../support/jpegs.ts";
import { sampleFrames } from "../support/sample_frames.ts";
import { writeRandomJpeg } from "../support/random_jpegs.ts";

const RANDOM = {
  ...{ width: 40, height: 24, ids: [1, 2, 3], restartInterval: 0, seed: 1, hasOwnScans: false },
  tables: "standard",
  factors: [[2, 2], [1, 1], [1, 1]],
  steps: [4, 5, 5].map((step) => Array<number>(64).fill(step)),
} as const;

Deno.test("FilmExaminer counts what the frames of a plain film are made of", () => {
  const examiner = new FilmExaminer();
  sampleFrames(3).forEach((frame, i) => examiner.add(frame, 5 + i));
  const report = examiner.report();
  assertEquals(report.sizes, { "320x240": 3 });
  assertEquals([report.sampling, report.colorSpaces], [{ "4:2:0": 3 }, { YCbCr: 3 }]);
  assertEquals([report.coding, report.huffmanTables], [{ baseline: 3 }, { standard: 3 }]);
  assertEquals([report.quantizationTables, report.restartIntervals], [
    { "quality 76": 3 },
    { "0": 3 },
  ]);
  assertEquals(report.rtpJpeg, { asTheyAre: 3, repaired: 0, unsendable: 0, actions: {} });
  assertEquals([report.faultCount, isWhollyPlayable(report)], [0, true]);
});

Deno.test("FilmExaminer says what RTP/JPEG needs done", () => {
  const examiner = new FilmExaminer();
  const full = [[1, 1], [1, 1], [1, 1]] as const;
  for (
    const recipe of [
      { ...RANDOM, hasOwnScans: true },
      { ...RANDOM, factors: [[1, 1]] as const, steps: RANDOM.steps.slice(0, 1) },
      { ...RANDOM, factors: full },
      { ...RANDOM, tables: "missing" as const },
    ]
  ) {
    examiner.add(writeRandomJpeg(recipe).jpeg, 0);
  }
  const { rtpJpeg, lab, faults } = examiner.report();
  assertEquals(faults, []);
  assertEquals(rtpJpeg, {
    asTheyAre: 1,
    repaired: 3,
    unsendable: 0,
    actions: { "one-scan": 1, "neutral-chroma": 1, "colour-resampled": 1 },
  });
  assertEquals(lab.withoutTables, 1);
});

Deno.test("FilmExaminer names damaged frames with their place in the file", () => {
  const examiner = new FilmExaminer();
  const [frame] = sampleFrames(1), { scanStart } = parseJpeg(frame);
  examiner.add(frame, 5);
  examiner.add(frame.subarray(0, frame.length >> 1), 20_000);
  examiner.add(frame.subarray(0, 100), 30_000);
  examiner.add(buildJpeg({ frameType: 0xc7 }), 40_000);
  examiner.addFault({ offset: 50_000, reason: "9 octets are no picture" });
  const report = examiner.report();
  assertEquals(report.faults.map(({ frame }) => frame), [2, 3, 4, undefined]);
  const [second, third, fourth, between] = report.faults.map(({ offset }) => offset);
  assertEquals([second, fourth, between], [20_000 + scanStart, 40_000, 50_000]);
  assert(third >= 30_000 && third <= 30_100);
  assertStringIncludes(report.faults[2].reason, "it is differential lossless");
  assertEquals([report.rtpJpeg.unsendable, isWhollyPlayable(report)], [3, false]);
});

Deno.test("FilmExaminer keeps no more than a hundred faults, and counts all", () => {
  const examiner = new FilmExaminer();
  for (let i = 0; i < 1000; i++) examiner.add(new Uint8Array(9), i);
  const { faults, faultCount } = examiner.report();
  assertEquals([faults.length, faultCount], [100, 1000]);
});

Deno.test("reportLines() tells it in words, with numbers where frames differ", () => {
  const examiner = new FilmExaminer();
  examiner.add(sampleFrames(1)[0], 0);
  examiner.add(writeRandomJpeg(RANDOM).jpeg, 20_000);
  examiner.add(buildJpeg({ extra: [thumbnailSegment()] }), 30_000);
  const text = reportLines(examiner.report()).join("\n");
  for (
    const part of [
      "320x240 in 1, 40x24 in 1",
      "APP1 Exif in 1",
      "quality 76 in 1",
      "2 frames as they are, 1 cannot be sent",
      "in one place",
      "frame 3, octet",
    ]
  ) assertStringIncludes(text, part);
  assert(text.split("\n").every((line) => line.length < 120));
});
