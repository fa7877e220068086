/**
 * Files that grow while they are read: which formats can be followed, and how the index of one goes on.
 *
 * Floor 1: bare concatenated JPEGs, the lab's format, saved multipart streams. Reads no file and knows no clock. What is
 * not whole yet is neither a frame nor damage. Frames of such files are shown at a constant rate.
 *
 * @module
 */
import { detectFrameFormat } from "./frame_format.ts";
import type { FrameIndex } from "./frame_index.ts";
import { GrowingMultipartIndexer } from "./growing_multipart.ts";
import { JpegFileIndexer } from "./jpeg_file.ts";
import { LabFileIndexer } from "./lab_file.ts";
import { boundaryOf } from "./multipart_file.ts";

/** Finds the frames of a file that grows, driven by position like every `FrameFileIndexer`, but without an end. */
export interface GrowingFileIndexer {
  /** Octets from the start of the file to the next octet to push; at the end of the file, or behind it: wait. */
  readonly position: number;
  /** The frames so far: one object, whose numbers grow. It may hold none. */
  readonly index: FrameIndex;
  /** The file has so many octets now, never fewer than before; all that it wants of them must be pushed before the next call. */
  grow(totalBytes: number): void;
  /** Takes octets that start at `position`; borrowed. Throws `FrameFileError` when too little of the file makes sense. */
  push(piece: Uint8Array): void;
}

/**
 * The indexer for a growing file that starts with `head`; `undefined` where its format cannot be followed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeLabFrame } from "./lab_file.ts";
 * import { growingIndexerFor } from "./growing_file.ts";
 *
 * const frame = encodeLabFrame(new Uint8Array([0xff, 0xd8, 1, 2, 3, 0xff, 0xd9]));
 * const indexer = growingIndexerFor(frame)!;
 * indexer.grow(frame.length);
 * indexer.push(frame);
 * assertEquals([indexer.index.format, indexer.index.frameCount], ["lab", 1]);
 * ```
 */
export function growingIndexerFor(
  head: Uint8Array,
  options: { readonly boundary?: string } = {},
): GrowingFileIndexer | undefined {
  const format = detectFrameFormat(head);
  const isUnclear = format === undefined || format === "jpeg";
  const boundary = (isUnclear ? options.boundary : undefined) ??
    (format === "multipart" ? options.boundary ?? boundaryOf(head) : undefined);
  if (boundary !== undefined) return new GrowingMultipartIndexer({ boundary });
  if (format === "jpeg") return endless(new JpegFileIndexer({ totalBytes: Infinity }));
  return format === "lab" ? endless(new LabFileIndexer({ totalBytes: Infinity })) : undefined;
}

/** These read in order and need not know where the file ends. */
function endless(indexer: JpegFileIndexer | LabFileIndexer): GrowingFileIndexer {
  return {
    index: indexer.growingIndex(),
    get position() {
      return indexer.position;
    },
    grow: () => {},
    push: (piece) => indexer.push(piece),
  };
}
