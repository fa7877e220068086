/**
 * Which odd streams there are, and what our server is to make of each.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { STANDARD_HUFFMAN } from "../../lib/jpeg.ts";
import {
  changed,
  huffmanSegment,
  patched,
  piecesOf,
  withBefore,
  without,
  withTables,
} from "./jpeg_surgery.ts";
import { quantizationSegment, segment, thumbnailSegment } from "./jpegs.ts";
import type { Recipe } from "./odd_corpus.ts";
import {
  adobeSegment,
  ascii,
  cjpeg,
  cjpegScans,
  cjpegTables,
  convert,
  ffmpeg,
  ffmpegLossless,
  filtered,
  flat,
  labFile,
  oneSegment,
  staircase,
  standard,
  stepsBetweenScans,
  swappedNumbers,
  then,
  withHole,
  withIds,
  withSteps,
} from "./odd_tools.ts";

const { luma, chroma } = STANDARD_HUFFMAN;
const asItIs = { outcome: "as it is" } as const;
const recoded = { outcome: "re-coded, lossless" } as const;
const reencoded = { outcome: "re-encoded", source: "smooth" } as const;

/** All odd streams, by what is odd about them. */
export const RECIPES: readonly Recipe[] = [
  // Huffman tables
  {
    name: "huffman-optimized",
    oddity: "Huffman tables made for each picture",
    ...recoded,
    make: cjpeg("-optimize"),
  },
  {
    name: "huffman-optimized-422",
    oddity: "the same in 4:2:2",
    ...recoded,
    make: cjpeg("-optimize", "-sample", "2x1"),
  },
  {
    name: "huffman-optimized-restart",
    oddity: "the same with restart markers",
    ...recoded,
    make: cjpeg("-optimize", "-restart", "3B"),
  },
  {
    name: "huffman-optimized-uneven",
    oddity: "the same, 99x61 pixels",
    ...recoded,
    source: "uneven",
    make: cjpeg("-optimize"),
  },
  {
    name: "huffman-ffmpeg-optimal",
    oddity: "ffmpeg's own tables",
    ...recoded,
    make: ffmpeg("-huffman", "optimal", "-pix_fmt", "yuvj420p", "-q:v", "4"),
  },
  {
    name: "huffman-imagemagick",
    oddity: "ImageMagick's optimized tables",
    ...recoded,
    make: convert("-sampling-factor", "2x2", "-quality", "80"),
  },
  {
    name: "huffman-jpegtran",
    oddity: "optimized by jpegtran",
    ...recoded,
    make: then(standard, (jpeg) => filtered("jpegtran", ["-optimize"], jpeg)),
  },
  {
    name: "huffman-shared",
    oddity: "luma's tables for all components",
    ...recoded,
    make: then(standard, (jpeg) => withTables(jpeg, [luma, luma, luma])),
  },
  {
    name: "huffman-swapped-meaning",
    oddity: "chroma's tables for luma",
    ...recoded,
    make: then(standard, (jpeg) => withTables(jpeg, [chroma, luma, luma])),
  },
  {
    name: "huffman-three-sets",
    oddity: "tables of its own for each component",
    ...recoded,
    make: then(
      standard,
      (jpeg) =>
        patched(
          withTables(jpeg, [luma, chroma, { dc: flat(true), ac: flat(false) }]),
          0xc0,
          (octets) => octets[1] = 0xc1,
        ),
    ),
  },
  {
    name: "huffman-flat",
    oddity: "all codes of one length",
    ...recoded,
    make: then(standard, (jpeg) => {
      const table = { dc: flat(true), ac: flat(false) };
      return withTables(jpeg, [table, table, table]);
    }),
  },
  {
    name: "huffman-long-codes",
    oddity: "nearly all codes of 16 bits",
    ...recoded,
    make: then(standard, (jpeg) => {
      const table = { dc: staircase(true), ac: staircase(false) };
      return withTables(jpeg, [table, table, table]);
    }),
  },
  {
    name: "huffman-missing",
    oddity: "no Huffman tables: the standard ones are meant",
    ...asItIs,
    make: then(standard, (jpeg) => without(jpeg, 0xc4)),
    reference: standard,
  },
  {
    name: "huffman-missing-avi1",
    oddity: "the same with the AVI1 mark of AVI files",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        withBefore(
          without(jpeg, 0xc4, 0xe0),
          0xdb,
          segment(0xe0, [...ascii("AVI1"), ...new Uint8Array(10)]),
        ),
    ),
    reference: standard,
  },
  {
    name: "huffman-missing-422",
    oddity: "the same in 4:2:2, as webcams send",
    ...asItIs,
    make: then(cjpeg("-sample", "2x1"), (jpeg) => without(jpeg, 0xc4)),
    reference: cjpeg("-sample", "2x1"),
  },
  {
    name: "huffman-other-numbers",
    oddity: "standard tables, luma's under number 1",
    ...asItIs,
    make: then(standard, swappedNumbers),
  },
  {
    name: "huffman-one-segment",
    oddity: "all tables in one segment",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        withBefore(
          without(jpeg, 0xc4),
          0xda,
          oneSegment(
            0xc4,
            piecesOf(jpeg).filter(({ marker }) => marker === 0xc4).map(({ octets }) => octets),
          ),
        ),
    ),
  },
  {
    name: "huffman-sent-twice",
    oddity: "wrong tables first, the right ones later",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        withBefore(
          jpeg,
          0xc4,
          huffmanSegment(0, true, flat(true)),
          huffmanSegment(0, false, flat(false)),
        ),
    ),
  },
  // Scans
  { name: "progressive", oddity: "progressive", ...recoded, make: cjpeg("-progressive") },
  {
    name: "progressive-422",
    oddity: "progressive in 4:2:2",
    ...recoded,
    make: cjpeg("-progressive", "-sample", "2x1"),
  },
  {
    name: "progressive-restart",
    oddity: "progressive with restart markers",
    ...recoded,
    make: cjpeg("-progressive", "-restart", "1"),
  },
  {
    name: "progressive-uneven",
    oddity: "progressive, 99x61 pixels",
    ...recoded,
    source: "uneven",
    make: cjpeg("-progressive"),
  },
  {
    name: "progressive-spectral",
    oddity: "progressive without successive approximation",
    ...recoded,
    make: cjpegScans(
      "0,1,2: 0-0, 0, 0;\n0: 1-5, 0, 0;\n2: 1-63, 0, 0;\n1: 1-63, 0, 0;\n0: 6-63, 0, 0;\n",
    ),
  },
  {
    name: "progressive-deep",
    oddity: "progressive in many fine steps",
    ...recoded,
    make: cjpegScans(
      "0,1,2: 0-0, 0, 2;\n0: 1-63, 0, 3;\n1: 1-63, 0, 2;\n2: 1-63, 0, 2;\n0,1,2: 0-0, 2, 1;\n0: 1-63, 3, 2;\n0: 1-63, 2, 1;\n1: 1-63, 2, 1;\n2: 1-63, 2, 1;\n0,1,2: 0-0, 1, 0;\n0: 1-63, 1, 0;\n1: 1-63, 1, 0;\n2: 1-63, 1, 0;\n",
    ),
  },
  {
    name: "progressive-imagemagick",
    oddity: "progressive by ImageMagick",
    ...recoded,
    make: convert("-interlace", "JPEG", "-sampling-factor", "2x2", "-quality", "80"),
  },
  {
    name: "progressive-grey",
    oddity: "progressive and grey",
    ...recoded,
    make: cjpeg("-progressive", "-grayscale"),
  },
  {
    name: "scans-three",
    oddity: "one scan for each component",
    ...recoded,
    make: cjpegScans("0;\n1;\n2;\n"),
  },
  {
    name: "scans-three-restart",
    oddity: "the same with restart markers",
    ...recoded,
    make: cjpegScans("0;\n1;\n2;\n", "-restart", "5B"),
  },
  {
    name: "scans-two",
    oddity: "luma first, then both colours in one scan",
    ...recoded,
    make: cjpegScans("0;\n1 2;\n"),
  },
  {
    name: "scans-backwards",
    oddity: "colour before luma",
    ...recoded,
    make: cjpegScans("2;\n1;\n0;\n"),
  },
  {
    name: "scans-uneven",
    oddity: "one scan for each component, 99x61 pixels, 4:2:2",
    ...recoded,
    source: "uneven",
    make: cjpegScans("0;\n1;\n2;\n", "-sample", "2x1"),
  },
  {
    name: "scans-new-steps",
    oddity: "quantization tables sent anew between the scans",
    ...recoded,
    make: then(cjpegScans("0;\n1;\n2;\n"), stepsBetweenScans),
  },
  {
    name: "extended-sequential",
    oddity: "extended sequential that baseline could say",
    ...asItIs,
    make: then(standard, (jpeg) => patched(jpeg, 0xc0, (octets) => octets[1] = 0xc1)),
  },
  // Arithmetic coding, which ffmpeg cannot read itself
  {
    name: "arithmetic",
    oddity: "arithmetic coding",
    ...recoded,
    make: cjpeg("-arithmetic"),
    reference: standard,
  },
  {
    name: "arithmetic-restart-422",
    oddity: "the same with restart markers, 4:2:2",
    ...recoded,
    make: cjpeg("-arithmetic", "-restart", "3B", "-sample", "2x1"),
    reference: cjpeg("-sample", "2x1"),
  },
  {
    name: "arithmetic-progressive",
    oddity: "arithmetic coding, progressive",
    ...recoded,
    make: cjpeg("-arithmetic", "-progressive"),
    reference: standard,
  },
  {
    name: "arithmetic-grey",
    oddity: "arithmetic coding, grey, 99x61 pixels",
    ...recoded,
    source: "uneven",
    make: cjpeg("-arithmetic", "-grayscale"),
    reference: cjpeg("-grayscale"),
  },
  {
    name: "arithmetic-jpegtran",
    oddity: "turned to arithmetic codes by jpegtran",
    ...recoded,
    make: then(standard, (jpeg) => filtered("jpegtran", ["-arithmetic"], jpeg)),
    reference: standard,
  },
  // Quantization tables
  {
    name: "steps-shared",
    oddity: "one quantization table for all components (ffmpeg)",
    ...asItIs,
    make: ffmpeg("-huffman", "default", "-pix_fmt", "yuvj420p", "-q:v", "3"),
  },
  {
    name: "steps-three-alike",
    oddity: "three tables, Cb's and Cr's alike (a well-known webcam)",
    ...asItIs,
    make: cjpegTables((i) => 3 + (i >> 2), (i) => 5 + (i >> 2), (i) => 5 + (i >> 2)),
  },
  {
    name: "steps-three-differ",
    oddity: "three tables, all different",
    ...recoded,
    make: cjpegTables((i) => 3 + (i >> 2), (i) => 6 + 2 * (i >> 3), (i) => 4 + (i >> 3)),
  },
  {
    name: "steps-16-bits-small",
    oddity: "tables of 16 bits whose steps fit 8",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        patched(
          withSteps(jpeg, (tables) =>
            tables.map(([slot, steps]) =>
              segment(0xdb, [0x10 | slot, ...Array.from(steps).flatMap((step) => [0, step])])
            )),
          0xc0,
          (octets) =>
            octets[1] = 0xc1,
        ),
    ),
  },
  {
    name: "steps-16-bits-large",
    oddity: "steps up to 800",
    ...recoded,
    make: (picture) => filtered("cjpeg", ["-quality", "2"], picture),
  },
  {
    name: "steps-of-one",
    oddity: "quality 100, which no Q says",
    ...asItIs,
    make: cjpeg("-quality", "100"),
  },
  {
    name: "steps-coarse",
    oddity: "quality 1",
    ...asItIs,
    make: cjpeg("-quality", "1", "-baseline"),
  },
  {
    name: "steps-unused",
    oddity: "a fourth table that nobody uses",
    ...asItIs,
    make: then(
      standard,
      (jpeg) => withBefore(jpeg, 0xc0, quantizationSegment(3, Array(64).fill(99))),
    ),
  },
  {
    name: "steps-high-numbers",
    oddity: "tables under the numbers 3 and 2",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        patched(
          withSteps(jpeg, (tables) =>
            tables.map(([slot, steps]) => quantizationSegment(3 - slot, steps))),
          0xc0,
          (octets) =>
            [12, 15, 18].forEach((at) => octets[at] = 3 - octets[at]),
        ),
    ),
  },
  {
    name: "steps-one-segment",
    oddity: "both tables in one segment",
    ...asItIs,
    make: then(standard, (jpeg) =>
      withSteps(
        jpeg,
        (
          tables,
        ) => [segment(0xdb, tables.flatMap(([slot, steps]) => [slot, ...Array.from(steps)]))],
      )),
  },
  {
    name: "steps-after-frame",
    oddity: "tables behind the frame header",
    ...asItIs,
    make: then(standard, (jpeg) => {
      const tables = piecesOf(jpeg).filter(({ marker }) => marker === 0xdb).map(({ octets }) =>
        octets
      );
      return withBefore(without(jpeg, 0xdb), 0xda, ...tables);
    }),
  },
  {
    name: "steps-swapped-standard",
    oddity: "standard tables, chroma's for luma",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        withSteps(
          jpeg,
          (
            [[, first], [, second]],
          ) => [quantizationSegment(0, second), quantizationSegment(1, first)],
        ),
    ),
  },
  // Restart markers
  {
    name: "restart-every-mcu",
    oddity: "a restart marker behind every MCU",
    ...asItIs,
    make: cjpeg("-restart", "1B"),
  },
  { name: "restart-rows", oddity: "one behind every row", ...asItIs, make: cjpeg("-restart", "1") },
  {
    name: "restart-seven",
    oddity: "one behind every seven MCUs, 4:2:2",
    ...asItIs,
    make: cjpeg("-restart", "7B", "-sample", "2x1"),
  },
  {
    name: "restart-never-reached",
    oddity: "an interval longer than the picture",
    ...asItIs,
    make: then(standard, (jpeg) => withBefore(jpeg, 0xda, segment(0xdd, [0xff, 0xff]))),
  },
  {
    name: "restart-zero",
    oddity: "an interval of 0",
    ...asItIs,
    make: then(standard, (jpeg) => withBefore(jpeg, 0xda, segment(0xdd, [0, 0]))),
  },
  // Headers
  {
    name: "exif-thumbnail",
    oddity: "an EXIF thumbnail with an end of its own",
    ...asItIs,
    make: then(standard, (jpeg) => withBefore(jpeg, 0xdb, thumbnailSegment())),
  },
  {
    name: "profile-large",
    oddity: "60 kB of colour profile",
    ...asItIs,
    make: then(standard, (jpeg) =>
      withBefore(
        jpeg,
        0xdb,
        segment(0xe2, [...ascii("ICC_PROFILE\0"), 1, 1, ...new Uint8Array(60_000)]),
      )),
  },
  {
    name: "comment",
    oddity: "a comment full of markers",
    ...asItIs,
    make: then(
      standard,
      (jpeg) => withBefore(jpeg, 0xdb, segment(0xfe, [0xff, 0xd9, 0xff, 0xd8, 0xff, 0xda, 0, 0])),
    ),
  },
  {
    name: "fill-octets",
    oddity: "fill octets before every marker",
    ...asItIs,
    make: then(standard, (jpeg) =>
      changed(
        jpeg,
        ({ marker, octets }) => marker === 0xd8 ? [octets] : [new Uint8Array([0xff, 0xff]), octets],
      )),
  },
  {
    name: "identifiers-from-zero",
    oddity: "components 0, 1, 2",
    ...asItIs,
    make: then(standard, (jpeg) => withIds(jpeg, [0, 1, 2])),
  },
  {
    name: "identifiers-letters",
    oddity: "components Y, U, V",
    ...asItIs,
    make: then(standard, (jpeg) => withIds(without(jpeg, 0xe0), [0x59, 0x55, 0x56])),
  },
  {
    name: "identifiers-alike",
    oddity: "all components called 1",
    ...asItIs,
    make: then(standard, (jpeg) => withIds(jpeg, [1, 1, 1])),
    reference: standard,
  },
  {
    name: "adobe-ycc",
    oddity: "Adobe's segment in place of JFIF's",
    ...asItIs,
    make: then(standard, (jpeg) => withBefore(without(jpeg, 0xe0), 0xdb, adobeSegment(1))),
  },
  {
    name: "bare",
    oddity: "no application segment at all",
    ...asItIs,
    make: then(standard, (jpeg) => without(jpeg, 0xe0)),
  },
  {
    name: "height-behind-scan",
    oddity: "the height in a DNL segment behind the scan",
    ...asItIs,
    make: then(
      standard,
      (jpeg) =>
        patched(
          withBefore(jpeg, 0xd9, segment(0xdc, [0, 80])),
          0xc0,
          (octets) => octets.fill(0, 5, 7),
        ),
    ),
    reference: standard,
  },
  {
    name: "height-behind-scan-optimized",
    oddity: "the same with optimized Huffman tables",
    ...recoded,
    make: then(
      cjpeg("-optimize"),
      (jpeg) =>
        patched(
          withBefore(jpeg, 0xd9, segment(0xdc, [0, 80])),
          0xc0,
          (octets) => octets.fill(0, 5, 7),
        ),
    ),
    reference: standard,
  },
  {
    name: "end-missing",
    oddity: "no EOI, in a file of the lab's format",
    ...asItIs,
    make: then(standard, (jpeg) => jpeg.subarray(0, -2)),
    reference: standard,
    file: labFile,
  },
  {
    name: "end-twice",
    oddity: "two EOI",
    ...asItIs,
    make: then(standard, (jpeg) => concat([jpeg, new Uint8Array([0xff, 0xd9])])),
    reference: standard,
  },
  {
    name: "end-and-padding",
    oddity: "zeros behind EOI, in a file of the lab's format",
    ...asItIs,
    make: then(standard, (jpeg) => concat([jpeg, new Uint8Array(9)])),
    reference: standard,
    file: labFile,
  },
  {
    name: "between-frames-multipart",
    oddity: "parts of a multipart stream, headers and all",
    ...asItIs,
    make: standard,
    file: (frames) =>
      concat(
        frames.flatMap((
          frame,
        ) => [
          ascii(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${frame.length}\r\n\r\n`),
          frame,
          ascii("\r\n"),
        ]),
      ),
  },
  {
    name: "between-frames-zeros",
    oddity: "zeros between the frames",
    ...asItIs,
    make: standard,
    file: (frames) => concat(frames.flatMap((frame) => [frame, new Uint8Array(100)])),
  },
  {
    name: "damaged-in-the-middle",
    oddity: "the second frame ends too early: it is skipped",
    ...asItIs,
    make: standard,
    isLost: (index) => index === 1,
    file: (frames) => concat([frames[0], frames[1].subarray(0, frames[1].length >> 1), frames[2]]),
  },
  {
    name: "damaged-optimized",
    oddity: "the second frame of an optimized film makes no sense: it is skipped",
    ...recoded,
    make: cjpeg("-optimize"),
    isLost: (index) => index === 1,
    file: (frames) => labFile([frames[0], withHole(frames[1]), frames[2]]),
  },
  // Sampling and size
  {
    name: "sampling-422-other-notation",
    oddity: "4:2:2 written as 2x2,1x2,1x2",
    ...recoded,
    make: cjpeg("-sample", "2x2,1x2,1x2"),
  },
  {
    name: "sampling-422-wide-notation",
    oddity: "4:2:2 written as 4x1,2x1,2x1",
    ...recoded,
    make: cjpeg("-sample", "4x1,2x1,2x1"),
    reference: cjpeg("-sample", "2x1"),
  },
  { name: "grey", oddity: "grey", ...recoded, make: cjpeg("-grayscale") },
  {
    name: "grey-uneven",
    oddity: "grey, 99x61 pixels",
    ...recoded,
    source: "uneven",
    make: cjpeg("-grayscale"),
  },
  {
    name: "grey-restart-optimized",
    oddity: "grey, optimized, with restart markers",
    ...recoded,
    make: cjpeg("-grayscale", "-optimize", "-restart", "4B"),
  },
  {
    name: "grey-factors-2x2",
    oddity: "grey with sampling factors 2x2",
    ...recoded,
    make: then(cjpeg("-grayscale"), (jpeg) => patched(jpeg, 0xc0, (octets) => octets[11] = 0x22)),
    reference: cjpeg("-grayscale"),
  },
  {
    name: "size-uneven",
    oddity: "99x61 pixels: no multiple of anything",
    ...asItIs,
    source: "uneven",
    make: standard,
  },
  { name: "size-tiny", oddity: "5x3 pixels", ...asItIs, source: "tiny", make: standard },
  {
    name: "size-wide",
    oddity: "2064 pixels wide: more than the payload header can say",
    ...asItIs,
    source: "wide",
    make: standard,
    readers: "not ffmpeg",
  },
  {
    name: "size-tall-optimized",
    oddity: "2064 pixels high, optimized",
    ...recoded,
    source: "tall",
    make: cjpeg("-optimize"),
    readers: "not ffmpeg",
  },
  // What RTP/JPEG cannot say
  {
    name: "444-arithmetic",
    oddity: "4:4:4, arithmetic coding",
    ...reencoded,
    make: cjpeg("-sample", "1x1", "-arithmetic"),
  },
  { name: "444", oddity: "4:4:4", ...reencoded, make: cjpeg("-sample", "1x1") },
  {
    name: "444-ffmpeg",
    oddity: "4:4:4 by ffmpeg",
    ...reencoded,
    make: ffmpeg("-pix_fmt", "yuvj444p", "-q:v", "2"),
  },
  {
    name: "444-other-notation",
    oddity: "4:4:4 written as 2x2,2x2,2x2",
    ...reencoded,
    make: (picture) => cjpegScans("0;\n1;\n2;\n", "-sample", "2x2,2x2,2x2")(picture),
    reference: cjpeg("-sample", "1x1"),
  },
  {
    name: "444-progressive",
    oddity: "4:4:4, progressive",
    ...reencoded,
    make: cjpeg("-sample", "1x1", "-progressive"),
  },
  {
    name: "444-coarse",
    oddity: "4:4:4 at quality 30",
    ...reencoded,
    make: cjpeg("-sample", "1x1", "-quality", "30"),
  },
  {
    name: "440",
    oddity: "4:4:0: colour with half the lines",
    ...reencoded,
    make: cjpeg("-sample", "1x2"),
  },
  {
    name: "411",
    oddity: "4:1:1: colour with a quarter of the columns",
    ...reencoded,
    make: cjpeg("-sample", "4x1"),
  },
  { name: "410", oddity: "4:1:0", ...reencoded, make: cjpeg("-sample", "4x2") },
  {
    name: "colours-differ",
    oddity: "Cb and Cr sampled differently",
    ...reencoded,
    make: cjpeg("-sample", "2x2,1x1,2x1"),
  },
  {
    name: "luma-coarser",
    oddity: "luma with fewer samples than colour",
    ...reencoded,
    make: cjpeg("-sample", "1x1,2x1,2x1"),
  },
  {
    name: "rgb",
    oddity: "RGB, not transformed",
    ...reencoded,
    make: cjpeg("-rgb", "-quality", "90"),
  },
  {
    name: "cmyk",
    oddity: "CMYK with Adobe's segment (ImageMagick)",
    ...reencoded,
    source: "plain",
    make: convert("-colorspace", "CMYK", "-quality", "90"),
    reference: convert("-quality", "95", "-sampling-factor", "1x1"),
  },
  {
    name: "lossless",
    oddity: "lossless coding (SOF3)",
    ...reencoded,
    source: "plain",
    make: ffmpegLossless("yuvj420p"),
    reference: cjpeg("-quality", "98"),
  },
  {
    name: "lossless-444",
    oddity: "lossless coding, 4:4:4",
    ...reencoded,
    source: "plain",
    make: ffmpegLossless("yuvj444p"),
    reference: cjpeg("-quality", "98", "-sample", "1x1"),
  },
  // What nobody here can read
  {
    name: "hierarchical",
    oddity: "hierarchical coding (SOF5)",
    outcome: "refused",
    make: then(standard, (jpeg) => patched(jpeg, 0xc0, (octets) => octets[1] = 0xc5)),
  },
];
