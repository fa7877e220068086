/**
 * What the markers of a JPEG picture say, as plain objects.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex B}.
 *
 * Floor 1: shapes only; `markers.ts` fills them.
 *
 * @module
 */
import type { HuffmanSpecification } from "./huffman_table.ts";

/** Why bytes are no JPEG picture. */
export type JpegFault =
  | "no-start-of-image"
  | "truncated"
  | "segment-length"
  | "frame-header"
  | "no-frame-header"
  | "quantization-table"
  | "huffman-table"
  | "scan-header"
  | "no-scan"
  | "unexpected-marker";

/** One colour component of a frame header (T.81 B.2.2). */
export interface JpegComponent {
  /** Component identifier. */
  readonly id: number;
  /** Horizontal sampling factor, 1 to 4. */
  readonly h: number;
  /** Vertical sampling factor, 1 to 4. */
  readonly v: number;
  /** Quantization table, 0 to 3. */
  readonly quantizationTable: number;
}

/** A component's part in a scan (T.81 B.2.3). */
export interface JpegScanComponent {
  /** Index into {@linkcode JpegImage.components}. */
  readonly component: number;
  /** The DC table in force, the standard one where none was sent; undefined where the scan names a table that is not there. */
  readonly dc: HuffmanSpecification | undefined;
  /** The AC table in force, likewise. */
  readonly ac: HuffmanSpecification | undefined;
  /** The quantization table in force (it may be sent anew between scans), zigzag order; 16-bit ones are `Uint16Array`s. */
  readonly quantization: Uint8Array | Uint16Array | undefined;
}

/** One scan of a picture. */
export interface JpegScan {
  /** In the order of the scan header. */
  readonly components: readonly JpegScanComponent[];
  /** Octets to the entropy-coded data. */
  readonly start: number;
  /** Octets to the marker behind the entropy-coded data, or to the end of the octets. */
  readonly end: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** First coefficient, 0 to 63. */
  readonly spectralStart: number;
  /** Last coefficient, 0 to 63. */
  readonly spectralEnd: number;
  /** Successive approximation: bits of the scan before (high nibble) and of this one (low nibble). */
  readonly approximation: number;
}

/** What the components mean; told as libjpeg tells it, by the JFIF and Adobe segments and the identifiers. */
export type JpegColorSpace = "grey" | "YCbCr" | "RGB" | "CMYK" | "YCCK" | "unknown";

/** What the markers of one picture say. */
export interface JpegImage {
  /** Pixels, 1 to 65535. */
  readonly width: number;
  /** Pixels, 1 to 65535; from the DNL segment where the frame header leaves it open. */
  readonly height: number;
  /** Bits a sample. */
  readonly precision: number;
  /** Marker of the frame header, 0xC0 (baseline) to 0xCF. */
  readonly frameType: number;
  /** Colour components in frame order, 1 to 4. */
  readonly components: readonly JpegComponent[];
  /** What the components mean. */
  readonly colorSpace: JpegColorSpace;
  /** Whether an Adobe segment is there: then the inks of CMYK are stored inverted. */
  readonly hasAdobeSegment: boolean;
  /** Four slots, zigzag order; 16-bit tables are `Uint16Array`s. */
  readonly quantizationTables: readonly (Uint8Array | Uint16Array | undefined)[];
  /** Whether the tables that the scans use are those of T.81 K.3, others, or not sent at all (which means K.3). */
  readonly huffmanTables: "standard" | "custom" | "missing";
  /** MCUs between restart markers in the first scan, 0 for none. */
  readonly restartInterval: number;
  /** All scans, at least one. */
  readonly scans: readonly JpegScan[];
  /** Octets to the entropy-coded data of the first scan. */
  readonly scanStart: number;
  /** Octets to the end of the entropy-coded data of the last scan, EOI excluded. */
  readonly scanEnd: number;
  /** Octets to the end of the picture, EOI included. */
  readonly end: number;
  /** Whether the picture ends with EOI. */
  readonly hasEndOfImage: boolean;
  /** Octets of APPn segments, markers included. */
  readonly applicationBytes: number;
  /** Octets of COM segments, markers included. */
  readonly commentBytes: number;
}
