/**
 * Frames of the bundled sample, for tests that must run without any other program.
 *
 * @module
 */
import { concat } from "@std/bytes";

let sample: Uint8Array | undefined;

/** The first frames of `media/video.mjpeg`. */
export function sampleFrames(count: number): Uint8Array[] {
  sample ??= Deno.readFileSync(new URL("../../media/video.mjpeg", import.meta.url));
  const frames: Uint8Array[] = [];
  for (let offset = 0; frames.length < count && offset < sample.length;) {
    const size = Number(new TextDecoder().decode(sample.subarray(offset, offset + 5)));
    frames.push(sample.slice(offset + 5, offset + 5 + size));
    offset += 5 + size;
  }
  return frames;
}

/** A file in the lab's format. */
export function labFile(frames: readonly Uint8Array[]): Uint8Array {
  return concat(frames.flatMap((frame) => [
    new TextEncoder().encode(String(frame.length).padStart(5, "0")),
    frame,
  ]));
}

/** A JPEG of exactly `size` octets: the given one with a comment segment behind SOI. */
export function paddedJpeg(jpeg: Uint8Array, size: number): Uint8Array {
  const parts = [jpeg.subarray(0, 2)];
  for (let missing = size - jpeg.length; missing > 0;) {
    const segment = Math.min(missing, 65_537);
    if (missing - segment > 0 && missing - segment < 4) throw new RangeError("cannot pad so");
    if (segment < 4) throw new RangeError("cannot pad by less than 4");
    const comment = new Uint8Array(segment);
    comment.set([0xff, 0xfe, (segment - 2) >> 8, segment - 2]);
    parts.push(comment);
    missing -= segment;
  }
  parts.push(jpeg.subarray(2));
  return concat(parts);
}
