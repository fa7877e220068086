/**
 * Which format a file of frames has, told by its content, never by its name.
 *
 * Floor 1: looks at the first octets and picks the indexer.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import type { FrameFileIndexer, FrameFormat } from "./frame_index.ts";
import { JpegFileIndexer } from "./jpeg_file.ts";
import { LabFileIndexer, labPrefixAt } from "./lab_file.ts";

/** Octets of the start of a file that are enough to tell its format. */
export const HEAD_BYTES = 65_536;

/**
 * The format of the file that starts with these octets, or undefined when it is none of ours. Some octets that belong
 * to no frame may come first, unless they say that the file is something else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { detectFrameFormat } from "./frame_format.ts";
 *
 * assertEquals(detectFrameFormat(new Uint8Array([0xff, 0xd8, 0xff, 0xdb])), "jpeg");
 * assertEquals(detectFrameFormat(new TextEncoder().encode("RIFF....AVI LIST")), undefined);
 * ```
 */
export function detectFrameFormat(head: Uint8Array): FrameFormat | undefined {
  if (foreignFormatName(head) !== undefined) return undefined;
  for (let at = head.indexOf(0xff); at >= 0; at = head.indexOf(0xff, at + 1)) {
    if (head[at + 1] !== 0xd8) continue;
    if (labPrefixAt(head, at - 5) !== undefined) return "lab";
    if (head[at + 2] === 0xff) return "jpeg";
  }
  return undefined;
}

/**
 * The indexer for a file of `totalBytes` octets that starts with `head`, which should be {@linkcode HEAD_BYTES} octets
 * or the whole file.
 *
 * @throws {FrameFileError} `empty` or `unknown-format`, with what the file seems to be.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { indexerFor } from "./frame_format.ts";
 *
 * assertThrows(() => indexerFor(new Uint8Array(0), 0), Error, "empty");
 * ```
 */
export function indexerFor(head: Uint8Array, totalBytes: number): FrameFileIndexer {
  if (totalBytes === 0 || head.length === 0) throw unreadable("empty", "it is empty");
  const format = detectFrameFormat(head);
  if (format === "lab") return new LabFileIndexer({ totalBytes });
  if (format === "jpeg") return new JpegFileIndexer({ totalBytes });
  const foreign = foreignFormatName(head);
  throw unreadable(
    "unknown-format",
    foreign ?? `its first ${head.length} octets hold no JPEG picture`,
  );
}

/** What a file seems to be when it is none of ours and wears a mark that everyone knows. */
function foreignFormatName(head: Uint8Array): string | undefined {
  const start = String.fromCharCode(...head.subarray(0, 16));
  return FOREIGN_MARKS.find(({ mark, at }) => start.startsWith(mark, at))?.name;
}

/** The first octets of what people name .mjpeg by mistake. */
const FOREIGN_MARKS = [
  { mark: "AVI ", at: 8, name: "it is an AVI file" },
  { mark: "ftyp", at: 4, name: "it is an MP4 or QuickTime file" },
  { mark: "moov", at: 4, name: "it is a QuickTime file" },
  { mark: "mdat", at: 4, name: "it is a QuickTime file" },
  { mark: "wide", at: 4, name: "it is a QuickTime file" },
  { mark: "\x1a\x45\xdf\xa3", at: 0, name: "it is a Matroska or WebM file" },
  { mark: "\x89PNG", at: 0, name: "it is a PNG picture" },
  { mark: "GIF8", at: 0, name: "it is a GIF picture" },
  { mark: "%PDF", at: 0, name: "it is a PDF document" },
  { mark: "PK\x03\x04", at: 0, name: "it is a ZIP archive" },
] as const;

function unreadable(code: "empty" | "unknown-format", reason: string): FrameFileError {
  return new FrameFileError(`Cannot read file as Motion-JPEG: ${reason}`, {
    code,
    offset: 0,
    rfc: "T.81 Annex B",
  });
}
