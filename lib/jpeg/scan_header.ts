/**
 * What a scan header says, and the order of the blocks behind it.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 B.2.3, A.2}.
 *
 * Floor 1: inner part of `coefficients.ts`. It reads no entropy-coded data: a {@linkcode BlockDecoder} does.
 *
 * @module
 */
import type { BlockDecoder, ScanBand, ScanPart } from "./block_decoder.ts";
import type { ComponentCoefficients } from "./coefficients.ts";
import { coefficientsFault } from "./coefficients_fault.ts";

/** A component whose scans are being read. */
export interface CodedComponent extends ComponentCoefficients {
  /** Whether a scan with its DC has come. */
  isCoded: boolean;
  /** Blocks that a scan of this component alone holds (T.81 A.2.2): not padded. */
  readonly ownBlocksPerLine: number;
  /** Lines of them. */
  readonly ownBlockLines: number;
}

/** What a scan header says (T.81 B.2.3). */
export interface ScanHeader {
  /** In the order of the header. */
  readonly parts: readonly ScannedComponent[];
  /** Which coefficients it holds. */
  readonly band: ScanBand;
}

/** A component of a scan. */
export interface ScannedComponent extends ScanPart {
  /** Its coefficients. */
  readonly component: CodedComponent;
}

/**
 * Reads the scan header whose fields lie from `start` to `end`.
 *
 * @throws {JpegFormatError} `scan-invalid`; `frame-missing` where no component is known yet.
 */
export function readScanHeader(
  jpeg: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  frame: { readonly components: readonly CodedComponent[]; readonly isProgressive: boolean },
): ScanHeader {
  const invalid = (offset: number, value: number) =>
    coefficientsFault("scan-invalid", jpeg, { offset, value });
  const { components, isProgressive } = frame;
  const count = jpeg[start];
  if (components.length === 0) {
    throw coefficientsFault("frame-missing", jpeg, { offset: start, value: count });
  }
  if (count === 0 || count > 4 || end - start !== 4 + 2 * count) {
    throw invalid(start, count);
  }
  const parts: ScannedComponent[] = [];
  for (let i = 0; i < count; i++) {
    const id = jpeg[start + 1 + 2 * i];
    const tables = jpeg[start + 2 + 2 * i];
    // Some encoders give all components one identifier: then their order tells them apart.
    const component = components.find((candidate) =>
      candidate.id === id && !parts.some((part) => part.component === candidate)
    );
    if (component === undefined) throw invalid(start + 1 + 2 * i, id);
    parts.push({
      component,
      values: component.values,
      dcTable: tables >> 4 & 3,
      acTable: tables & 3,
      prediction: 0,
      dcContext: 0,
    });
  }
  const tail = start + 1 + 2 * count;
  const band = {
    spectralStart: isProgressive ? jpeg[tail] : 0,
    spectralEnd: isProgressive ? jpeg[tail + 1] : 63,
    approximationHigh: isProgressive ? jpeg[tail + 2] >> 4 : 0,
    approximationLow: isProgressive ? jpeg[tail + 2] & 15 : 0,
  };
  const isDcScan = band.spectralStart === 0;
  if (
    band.spectralEnd > 63 || band.spectralStart > band.spectralEnd ||
    band.approximationLow > 13 ||
    (isProgressive && isDcScan && band.spectralEnd !== 0) || (!isDcScan && count !== 1)
  ) throw invalid(tail, band.spectralEnd);
  return { parts, band };
}

/** Walks the blocks of a scan in coding order (T.81 A.2): by MCU, or by line where the scan holds one component. */
export function forEachMcu(
  scan: ScanHeader,
  beforeMcu: (isFirst: boolean) => void,
  blocks: BlockDecoder,
): void {
  const first = scan.parts[0].component;
  if (scan.parts.length === 1) {
    for (let y = 0; y < first.ownBlockLines; y++) {
      for (let x = 0; x < first.ownBlocksPerLine; x++) {
        beforeMcu(x === 0 && y === 0);
        blocks.read(scan.parts[0], (y * first.blocksPerLine + x) * 64);
      }
    }
    return;
  }
  const mcusPerLine = first.blocksPerLine / first.h;
  const mcuLines = first.blockLines / first.v;
  for (let mcuY = 0; mcuY < mcuLines; mcuY++) {
    for (let mcuX = 0; mcuX < mcusPerLine; mcuX++) {
      beforeMcu(mcuX === 0 && mcuY === 0);
      for (const part of scan.parts) {
        const { h, v, blocksPerLine } = part.component;
        for (let y = 0; y < v; y++) {
          for (let x = 0; x < h; x++) {
            blocks.read(part, ((mcuY * v + y) * blocksPerLine + mcuX * h + x) * 64);
          }
        }
      }
    }
  }
}
