/**
 * JPEG pictures, as far as their markers say.
 * Being written; the signatures stand.
 *
 * ITU-T T.81 · floor 1.
 *
 * @module
 */

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

/** What the markers of one picture say. */
export interface JpegImage {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Bits a sample. */
  readonly precision: number;
  /** Marker of the frame header, 0xC0 (baseline) to 0xCF. */
  readonly frameType: number;
  /** Colour components in frame order. */
  readonly components: readonly JpegComponent[];
  /** Four slots, zigzag order; 16-bit tables are `Uint16Array`s. */
  readonly quantizationTables: readonly (Uint8Array | Uint16Array | undefined)[];
  /** Whether the tables that the scans use are those of T.81 Annex K.3, others, or not there (which means the standard ones). */
  readonly huffmanTables: "standard" | "custom" | "missing";
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval: number;
  /** Octets to the entropy-coded data of the first scan. */
  readonly scanStart: number;
  /** Octets to the end of the entropy-coded data of the last scan, EOI excluded. */
  readonly scanEnd: number;
  /** Octets to the end of the picture, EOI included. */
  readonly end: number;
  /** Whether the picture ends with EOI. */
  readonly hasEndOfImage: boolean;
  /** Octets of APPn segments. */
  readonly applicationBytes: number;
  /** Octets of COM segments. */
  readonly commentBytes: number;
  /** Number of scans. */
  readonly scanCount: number;
}
