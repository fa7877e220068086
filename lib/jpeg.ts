/**
 * JPEG pictures: what their markers say, where they end, their tables, and their entropy-coded data re-written without
 * touching a coefficient. {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81}.
 *
 * Floor 1. This file is the door of the room; the code stands in `jpeg/`. It builds no picture: `image/` does.
 *
 * @module
 */
export type {
  JpegColorSpace,
  JpegComponent,
  JpegFault,
  JpegImage,
  JpegScan,
  JpegScanComponent,
} from "./jpeg/image.ts";
export { parseJpeg, readJpegSize } from "./jpeg/markers.ts";
export { findJpegEnd, JpegBoundaryScanner, type JpegBoundaryState } from "./jpeg/boundary.ts";
export {
  type HuffmanTables,
  matchStandardQuality,
  type QuantizationTablePair,
  STANDARD_HUFFMAN,
  STANDARD_HUFFMAN_TABLES,
  standardQuantizationTables,
} from "./jpeg/tables.ts";
export type { HuffmanSpecification } from "./jpeg/huffman_table.ts";
export { hasWholeScan } from "./jpeg/integrity.ts";
export {
  type JpegScanFaultCode,
  type RecodeScanOptions,
  type ScanComponent,
  ScanRecoder,
} from "./jpeg/scan_recoder.ts";
export {
  type ComponentCoefficients,
  decodeCoefficients,
  type JpegCoefficients,
} from "./jpeg/coefficients.ts";
export { type JpegCoefficientsFaultCode, MAX_BLOCKS } from "./jpeg/coefficients_fault.ts";
export {
  type BaselineScanOptions,
  type BaselineTables,
  encodeBaselineScan,
} from "./jpeg/baseline_scan.ts";
export { type ChromaSampling, withHuffmanTables } from "./jpeg/headers.ts";
export { factorsText, type SamplingFactors, samplingName } from "./jpeg/sampling.ts";
export {
  actionText,
  codingName,
  isLossless,
  type LosslessAction,
  type LossyAction,
  planRepair,
  type RepairAction,
  type RepairObstacle,
  type RepairPlan,
  type RestartChoice,
} from "./jpeg/repair_plan.ts";
export { type RepairedJpeg, repairJpeg, type RepairOptions } from "./jpeg/repair.ts";
export {
  type ConversionOptions,
  type ConvertedJpeg,
  convertJpeg,
  MAX_CONVERTED_PIXELS,
} from "./jpeg/conversion.ts";
export {
  needsPreparation,
  type PreparationOptions,
  type PreparedJpeg,
  prepareJpeg,
  type RepairLevel,
} from "./jpeg/preparation.ts";
