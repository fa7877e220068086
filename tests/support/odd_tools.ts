/**
 * Makers of odd pictures: the programs that write them, and cuts that no program makes.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { type HuffmanSpecification, STANDARD_HUFFMAN } from "../../lib/jpeg.ts";
import { changed, patched, piecesOf, withBefore, without } from "./jpeg_surgery.ts";
import { quantizationSegment, segment } from "./jpegs.ts";
import { runOk } from "./process.ts";
import { CONVERT } from "./programs.ts";

/** A program that makes octets of octets. */
export async function filtered(
  program: string,
  args: readonly string[],
  stdin: Uint8Array,
): Promise<Uint8Array> {
  return (await runOk(program, { args, stdin })).stdout;
}

export function cjpeg(...switches: string[]) {
  return (picture: Uint8Array) => filtered("cjpeg", ["-quality", "80", ...switches], picture);
}

/** cjpeg with scans as a script says. */
export function cjpegScans(script: string, ...switches: string[]) {
  return async (picture: Uint8Array) => {
    const path = await Deno.makeTempFile({ prefix: "deno-rtsp-scans-" });
    try {
      await Deno.writeTextFile(path, script);
      return await cjpeg("-scans", path, ...switches)(picture);
    } finally {
      await Deno.remove(path);
    }
  };
}

/** cjpeg with three quantization tables of its own. */
export function cjpegTables(...tables: readonly ((i: number) => number)[]) {
  return async (picture: Uint8Array) => {
    const path = await Deno.makeTempFile({ prefix: "deno-rtsp-tables-" });
    try {
      const text = tables.map((table) => Array.from({ length: 64 }, (_, i) => table(i)).join(" "));
      await Deno.writeTextFile(path, text.join("\n\n"));
      const slots = tables.map((_, i) => i).join(",");
      return await filtered("cjpeg", ["-qtables", path, "-qslots", slots], picture);
    } finally {
      await Deno.remove(path);
    }
  };
}

export function convert(...args: string[]) {
  return (picture: Uint8Array) => filtered(CONVERT, ["ppm:-", ...args, "jpg:-"], picture);
}

export function ffmpeg(...args: string[]) {
  return (picture: Uint8Array) =>
    filtered("ffmpeg", [
      ...["-v", "error", "-f", "ppm_pipe", "-i", "pipe:0", "-c:v", "mjpeg"],
      ...[...args, "-f", "mjpeg", "-"],
    ], picture);
}

/** One step behind another. */
export function then(
  first: (picture: Uint8Array) => Promise<Uint8Array>,
  second: (jpeg: Uint8Array) => Uint8Array | Promise<Uint8Array>,
) {
  return async (picture: Uint8Array) => await second(await first(picture));
}

export function labFile(frames: readonly Uint8Array[]): Uint8Array {
  return concat(frames.flatMap((frame) => [ascii(String(frame.length).padStart(5, "0")), frame]));
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The plainest picture there is: baseline, 4:2:0, standard tables. */
export const standard = cjpeg();

/** All symbols of baseline in codes of one length; and in nine short and many long ones. */
export function flat(isDc: boolean): HuffmanSpecification {
  const { symbols } = isDc ? STANDARD_HUFFMAN.luma.dc : STANDARD_HUFFMAN.luma.ac;
  return {
    symbols,
    counts: Array.from({ length: 16 }, (_, i) => i === (isDc ? 3 : 7) ? symbols.length : 0),
  };
}

export function staircase(isDc: boolean): HuffmanSpecification {
  const symbols = Array.from((isDc ? STANDARD_HUFFMAN.luma.dc : STANDARD_HUFFMAN.luma.ac).symbols)
    .reverse();
  const counts = Array.from(
    { length: 16 },
    (_, i) => i < 8 ? 1 : i === 15 ? symbols.length - 8 : 0,
  );
  return { symbols, counts };
}

/** The content of DQT segments, table by table: slot and steps. */
export function tablesIn(jpeg: Uint8Array): [slot: number, steps: Uint8Array][] {
  return piecesOf(jpeg).filter(({ marker }) => marker === 0xdb).flatMap(({ octets }) => {
    const tables: [number, Uint8Array][] = [];
    for (let at = 4; at < octets.length; at += 65) {
      tables.push([octets[at], octets.slice(at + 1, at + 65)]);
    }
    return tables;
  });
}

/** The picture with all quantization tables replaced by these segments. */
export function withSteps(
  jpeg: Uint8Array,
  make: (tables: [slot: number, steps: Uint8Array][]) => readonly Uint8Array[],
): Uint8Array {
  const segments = make(tablesIn(jpeg));
  return withBefore(without(jpeg, 0xdb), 0xc0, ...segments);
}

/** Component `i` of the frame header begins at 10 + 3 i, of the scan header at 5 + 2 i. */
export function withIds(jpeg: Uint8Array, ids: readonly number[]): Uint8Array {
  return changed(jpeg, ({ marker, octets }) => {
    const copy = octets.slice();
    if (marker === 0xc0) ids.forEach((id, i) => copy[10 + 3 * i] = id);
    if (marker === 0xda) ids.forEach((id, i) => copy[5 + 2 * i] = id);
    return [copy];
  });
}

/** A picture of several scans, each with its steps under the same number. */
export function stepsBetweenScans(jpeg: Uint8Array): Uint8Array {
  const tables = tablesIn(jpeg);
  let scans = 0;
  const moved = changed(jpeg, ({ marker, octets }) => {
    if (marker === 0xdb) return [];
    if (marker !== 0xda) return [octets];
    return [quantizationSegment(0, tables[Math.min(scans++, 1)][1]), octets];
  });
  return patched(moved, 0xc0, (octets) => [12, 15, 18].forEach((at) => octets[at] = 0));
}

export function ffmpegLossless(pixelFormat: string) {
  return (picture: Uint8Array) =>
    filtered("ffmpeg", [
      ...["-v", "error", "-f", "ppm_pipe", "-i", "pipe:0", "-c:v", "ljpeg"],
      ...["-pix_fmt", pixelFormat, "-f", "mjpeg", "-"],
    ], picture);
}

/** Standard tables under each other's numbers. */
export function swappedNumbers(jpeg: Uint8Array): Uint8Array {
  const swapped = changed(jpeg, ({ marker, octets }) => {
    if (marker !== 0xc4) return [octets];
    const copy = octets.slice();
    copy[4] ^= 1;
    return [copy];
  });
  return patched(swapped, 0xda, (octets) => [6, 8, 10].forEach((at) => octets[at] ^= 0x11));
}

/** The contents of several segments in one. */
export function oneSegment(marker: number, segments: readonly Uint8Array[]): Uint8Array {
  return segment(marker, concat(segments.map((octets) => octets.subarray(4))));
}

export function adobeSegment(transform: number): Uint8Array {
  return segment(0xee, [...ascii("Adobe"), 0, 100, 0, 0, 0, 0, transform]);
}

/** A picture whose data lost a piece in the middle. */
export function withHole(jpeg: Uint8Array): Uint8Array {
  const half = jpeg.length >> 1;
  return concat([jpeg.subarray(0, half), jpeg.subarray(half + 200)]);
}
