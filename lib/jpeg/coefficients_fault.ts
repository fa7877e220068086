/**
 * Why the coefficients of a picture cannot be read.
 *
 * Floor 1: inner part of `coefficients.ts` and `scan_header.ts`.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";

/** What a {@linkcode JpegFormatError} of this room can be about, besides those of the entropy reader. */
export type JpegCoefficientsFaultCode =
  | "frame-type-unsupported"
  | "frame-missing"
  | "picture-too-large"
  | "scan-invalid"
  | "segment-truncated"
  | "component-missing"
  | "data-too-short";

/** Largest picture taken, in blocks of 64 coefficients: 128 octets each, 256 MiB in all; 7680x4320 in 4:4:4 passes. */
export const MAX_BLOCKS = 1 << 21;

/** The error for a fault; `offset` counts from the start of `jpeg`, which may end before it. */
export function coefficientsFault(
  code: JpegCoefficientsFaultCode,
  jpeg: Uint8Array,
  at: { readonly offset: number; readonly value: number },
): JpegFormatError {
  const { offset, value } = at;
  return new JpegFormatError(
    `Cannot read JPEG coefficients: ${REASONS[code]}, at octet ${offset}: ${value}`,
    { code, offset: Math.min(offset, jpeg.length), rfc: "T.81 Annex B", value },
  );
}

const REASONS: Record<JpegCoefficientsFaultCode, string> = {
  "frame-type-unsupported":
    "only pictures of 8 or 12 bits that are neither lossless nor hierarchical are known here",
  "frame-missing": "no frame header before the first scan",
  "picture-too-large": `the picture has more than ${MAX_BLOCKS} blocks`,
  "scan-invalid": "the header makes no sense",
  "segment-truncated": "the segment is shorter than it says",
  "component-missing": "no scan holds a component",
  "data-too-short": "the octets cannot hold so many blocks",
};
