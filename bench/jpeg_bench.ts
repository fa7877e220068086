/**
 * Repairing JPEGs: a film of 640x480 with Huffman tables of its own, re-coded to the standard ones; beside it what decoding
 * the same octets costs imagescript (in WebAssembly) and ffmpeg (one thread, its start included).
 *
 * The names tell how many octets one run takes: divide them by its time. ffmpeg and jpegtran must be installed.
 *
 * @module
 */
import { ImageCodec } from "../lib/image/codec.ts";
import {
  convertJpeg,
  decodeCoefficients,
  hasWholeScan,
  needsPreparation,
  prepareJpeg,
  repairJpeg,
  ScanRecoder,
} from "../lib/jpeg.ts";
import { framesOf } from "./jpeg_films.ts";

const optimized = await framesOf("optimized");
const progressive = await framesOf("progressive");
const full = await framesOf("full");
const recoder = new ScanRecoder();
const codec = await ImageCodec.load();

const size = (frames: readonly Uint8Array[]) =>
  `${(frames.reduce((sum, frame) => sum + frame.length, 0) / 1e6).toFixed(2)} MB`;

Deno.bench(`repairJpeg(), optimized, ${size(optimized)}`, { group: "optimized" }, () => {
  for (const frame of optimized) repairJpeg(frame, { recoder });
});

Deno.bench(`hasWholeScan(), ${size(optimized)}`, { group: "optimized" }, () => {
  for (const frame of optimized) hasWholeScan(frame, recoder);
});

Deno.bench(`needsPreparation(), ${size(optimized)}`, { group: "optimized" }, () => {
  for (const frame of optimized) needsPreparation(frame);
});

Deno.bench(`imagescript decodes, ${size(optimized)}`, { group: "optimized" }, () => {
  for (const frame of optimized) codec.decode(frame);
});

const file = await Deno.makeTempFile({ suffix: ".mjpeg" });
await Deno.writeFile(
  file,
  new Uint8Array(await new Blob([...optimized] as BlobPart[]).arrayBuffer()),
);
globalThis.addEventListener("unload", () => Deno.removeSync(file));

Deno.bench(`ffmpeg decodes, ${size(optimized)}`, { group: "optimized" }, async () => {
  const args = ["-v", "error", "-threads", "1", "-f", "mjpeg", "-i", file, "-f", "null", "-"];
  const { success } = await new Deno.Command("ffmpeg", { args, stdin: "null" }).output();
  if (!success) throw new Error("ffmpeg failed");
});

Deno.bench(`repairJpeg(), progressive, ${size(progressive)}`, { group: "blocks" }, () => {
  for (const frame of progressive) repairJpeg(frame);
});

Deno.bench(`decodeCoefficients(), progressive, ${size(progressive)}`, { group: "blocks" }, () => {
  for (const frame of progressive) decodeCoefficients(frame);
});

Deno.bench(`convertJpeg(), 4:4:4, ${size(full)}`, { group: "blocks" }, () => {
  for (const frame of full) convertJpeg(frame);
});

Deno.bench(`imagescript decodes and encodes, 4:4:4, ${size(full)}`, { group: "blocks" }, () => {
  for (const frame of full) codec.encodeJpeg(codec.decode(frame), 90);
});

Deno.bench(`prepareJpeg() of one frame, ${size(optimized.slice(0, 1))}`, () => {
  prepareJpeg(optimized[0], { recoder });
});
