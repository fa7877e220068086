/**
 * Files of frames in memory, and an indexer driven over them as the disk does it.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { FrameFileIndexer, FrameIndex } from "../../lib/frames/frame_index.ts";
import { encodeLabFrame } from "../../lib/frames/lab_file.ts";

/** Drives an indexer over a file, at most `pieceSize` octets at a time. */
export function indexOf(
  file: Uint8Array,
  indexer: FrameFileIndexer,
  pieceSize = 1 << 20,
): FrameIndex {
  for (let turns = 0; indexer.position < file.length; turns++) {
    if (turns > 1000 + 20 * file.length) throw new Error("The indexer does not come to an end");
    indexer.push(file.subarray(indexer.position, indexer.position + pieceSize));
  }
  return indexer.finish();
}

/** The frames that an index names. */
export function framesOf(file: Uint8Array, index: FrameIndex): Uint8Array[] {
  return Array.from({ length: index.frameCount }, (_, i) => {
    const offset = index.offsetOf(i);
    return file.subarray(offset, offset + index.sizeOf(i));
  });
}

/** Frames behind one another in the lab's format. */
export function labFile(frames: readonly Uint8Array[]): Uint8Array {
  return concat(frames.map((frame) => encodeLabFrame(frame)));
}
