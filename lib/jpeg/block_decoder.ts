/**
 * What a scan says, and who reads its blocks: Huffman codes (`huffman_blocks.ts`) or arithmetic ones
 * (`arithmetic_blocks.ts`). {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 B.2.3}.
 *
 * Floor 1: shapes only.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";

/** One component of a scan under way. */
export interface ScanPart {
  /** The component's coefficients, 64 a block in zigzag order. */
  readonly values: Int16Array;
  /** Number of the DC table, 0 to 3. */
  readonly dcTable: number;
  /** Number of the AC table, 0 to 3. */
  readonly acTable: number;
  /** The DC of the block before. */
  prediction: number;
  /** What arithmetic coding remembers of the last DC difference: 0, 4, 8, 12 or 16. */
  dcContext: number;
}

/** Which bits of which coefficients a scan holds. */
export interface ScanBand {
  /** First coefficient, 0 to 63. */
  readonly spectralStart: number;
  /** Last coefficient, 0 to 63. */
  readonly spectralEnd: number;
  /** The bit that earlier scans ended with, 0 for none before. */
  readonly approximationHigh: number;
  /** The lowest bit of this scan. */
  readonly approximationLow: number;
}

/** Reads blocks, one restart interval after the other. */
export interface BlockDecoder {
  /**
   * Gets ready for a scan.
   *
   * @throws {JpegFormatError} `huffman-table-missing` where a table it needs was not sent.
   */
  begin(parts: readonly ScanPart[], band: ScanBand, isProgressive: boolean): void;
  /** Takes the restart interval that starts at `start`; answers the offset of the marker that ends it. */
  load(jpeg: Uint8Array, start: number): number;
  /**
   * Reads the next block into `part.values` from `at` on.
   *
   * @throws {JpegFormatError} where the data are damaged.
   */
  read(part: ScanPart, at: number): void;
}

/** A block with more coefficients than it can have. */
export function overrun(value: number): JpegFormatError {
  return new JpegFormatError(
    `Cannot read scan: coefficient ${value} lies outside its block of 64`,
    { code: "scan-coefficients-overrun", offset: 0, rfc: "T.81 F.2.2.2", value },
  );
}
