/**
 * Which format a file of frames has, told by its content, never by its name.
 *
 * Floor 1: looks at the first octets and picks the indexer.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import type { FrameFileIndexer, FrameFormat } from "./frame_index.ts";
import { AviFileIndexer } from "./avi_file.ts";
import { JpegFileIndexer } from "./jpeg_file.ts";
import { LabFileIndexer, labPrefixAt } from "./lab_file.ts";
import { MatroskaFileIndexer } from "./matroska_file.ts";
import { boundaryOf, MultipartFileIndexer } from "./multipart_file.ts";
import { QuickTimeFileIndexer } from "./quicktime_file.ts";

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
 * assertEquals(detectFrameFormat(new TextEncoder().encode("RIFF....AVI LIST")), "avi");
 * assertEquals(detectFrameFormat(new TextEncoder().encode("%PDF-1.7")), undefined);
 * ```
 */
export function detectFrameFormat(head: Uint8Array): FrameFormat | undefined {
  if (foreignFormatName(head) !== undefined) return undefined;
  const container = containerOf(head);
  if (container !== undefined) return container;
  if (boundaryOf(head) !== undefined) return "multipart";
  for (let at = head.indexOf(0xff); at >= 0; at = head.indexOf(0xff, at + 1)) {
    if (head[at + 1] !== 0xd8) continue;
    if (labPrefixAt(head, at - 5) !== undefined) return "lab";
    if (head[at + 2] === 0xff) return "jpeg";
  }
  return undefined;
}

/**
 * The indexer for a file of `totalBytes` octets that starts with `head`, which should be {@linkcode HEAD_BYTES} octets
 * or the whole file. A `boundary` that is named says that the file is a multipart stream.
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
export function indexerFor(
  head: Uint8Array,
  totalBytes: number,
  options: { readonly boundary?: string } = {},
): FrameFileIndexer {
  if (totalBytes === 0 || head.length === 0) throw unreadable("empty", "it is empty");
  const { boundary } = options;
  const detected = detectFrameFormat(head);
  const isMultipart = boundary !== undefined && (detected === undefined || detected === "jpeg");
  switch (isMultipart ? "multipart" : detected) {
    case "lab":
      return new LabFileIndexer({ totalBytes });
    case "jpeg":
      return new JpegFileIndexer({ totalBytes });
    case "avi":
      return new AviFileIndexer({ totalBytes });
    case "quicktime":
      return new QuickTimeFileIndexer({ totalBytes });
    case "matroska":
      return new MatroskaFileIndexer({ totalBytes });
    case "multipart":
      return new MultipartFileIndexer({ totalBytes, boundary });
  }
  const foreign = foreignFormatName(head);
  throw unreadable(
    "unknown-format",
    foreign ?? `its first ${head.length} octets hold no JPEG picture`,
  );
}

/** The container whose mark the file wears. */
function containerOf(head: Uint8Array): FrameFormat | undefined {
  const start = String.fromCharCode(...head.subarray(0, 16));
  if (start.startsWith("RIFF") && start.startsWith("AVI", 8)) return "avi";
  if (start.startsWith("\x1a\x45\xdf\xa3")) return "matroska";
  return QUICKTIME_ATOMS.includes(start.slice(4, 8)) ? "quicktime" : undefined;
}

/** What QuickTime and MP4 files begin with. */
const QUICKTIME_ATOMS: readonly string[] = ["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"];

/** What a file seems to be when it is none of ours and wears a mark that everyone knows. */
function foreignFormatName(head: Uint8Array): string | undefined {
  const start = String.fromCharCode(...head.subarray(0, 16));
  return FOREIGN_MARKS.find(({ mark, at }) => start.startsWith(mark, at))?.name;
}

/** The first octets of what people name .mjpeg by mistake. */
const FOREIGN_MARKS = [
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
