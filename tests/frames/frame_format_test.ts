import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { FrameFileError } from "../../lib/errors.ts";
import { detectFrameFormat, indexerFor } from "../../lib/frames/frame_format.ts";
import { JpegFileIndexer } from "../../lib/frames/jpeg_file.ts";
import { LabFileIndexer } from "../../lib/frames/lab_file.ts";
import { labFile } from "../support/frame_files.ts";
import { buildJpeg } from "../support/jpegs.ts";

const text = (octets: string) => Uint8Array.from(octets, (letter) => letter.charCodeAt(0));

Deno.test("detectFrameFormat() tells lab files from bare pictures by what stands before the first SOI", () => {
  const frames = [buildJpeg(), buildJpeg()];
  assertEquals(detectFrameFormat(labFile(frames)), "lab");
  assertEquals(detectFrameFormat(concat(frames)), "jpeg");
  assertEquals(detectFrameFormat(concat([text("\r\n"), labFile(frames)])), "lab");
  assertEquals(detectFrameFormat(concat([text("--frame\r\n\r\n"), frames[0]])), "jpeg");
  assertEquals(detectFrameFormat(concat([text("1234"), frames[0]])), "jpeg");
  assertEquals(detectFrameFormat(concat([text("RIFF\0\0\0\0AVI LIST"), frames[0]])), "avi");
  assertEquals(detectFrameFormat(concat([text("\0\0\0\x20ftypisom"), frames[0]])), "quicktime");
  assertEquals(detectFrameFormat(text("\x1a\x45\xdf\xa3...")), "matroska");
  const part = text("--x\r\nContent-Type: image/jpeg\r\n\r\n");
  assertEquals(detectFrameFormat(concat([part, frames[0]])), "multipart");
  assertEquals(detectFrameFormat(text("some text")), undefined);
  assertEquals(detectFrameFormat(new Uint8Array(0)), undefined);
});

Deno.test("indexerFor() picks the indexer of the format", () => {
  const lab = labFile([buildJpeg()]), bare = buildJpeg();
  assertEquals(indexerFor(lab, lab.length) instanceof LabFileIndexer, true);
  assertEquals(indexerFor(bare, bare.length) instanceof JpegFileIndexer, true);
});

Deno.test("indexerFor() says what a file is that is none of ours, pictures inside or not", () => {
  const cases: readonly [Uint8Array, string, string][] = [
    [new Uint8Array(0), "empty", "Cannot read file as Motion-JPEG: it is empty"],
    [text("hello"), "unknown-format", "its first 5 octets hold no JPEG picture"],
    [text("\x89PNG\r\n"), "unknown-format", "PNG"],
    [text("GIF89a"), "unknown-format", "GIF"],
    [text("%PDF-1.4"), "unknown-format", "PDF"],
  ];
  for (const [head, code, reason] of cases) {
    const error = assertThrows(() => indexerFor(head, head.length), FrameFileError, reason);
    assertEquals(error.code, code);
  }
});
