/**
 * JPEG pictures put together segment by segment, for tests of what markers say. Their entropy-coded data is arbitrary,
 * so that they can be carried and compared, but not shown.
 *
 * @module
 */
import { concat } from "@std/bytes";
import fc from "fast-check";
import { STANDARD_HUFFMAN_TABLES, standardQuantizationTables } from "../../lib/jpeg/tables.ts";

/** What a built picture shall be; everything has a default. */
export interface JpegRecipe {
  readonly width?: number;
  readonly height?: number;
  readonly precision?: number;
  /** Marker of the frame header. */
  readonly frameType?: number;
  /** Sampling factors of each component, such as "2x2,1x1,1x1". */
  readonly sampling?: string;
  /** Identifiers of the components. */
  readonly ids?: readonly number[];
  /** Quantization table of each component. */
  readonly slots?: readonly number[];
  /** Tables by slot; 16 bits a step when one exceeds 255. */
  readonly tables?: Readonly<Record<number, ArrayLike<number>>>;
  /** DHT segments, or none. */
  readonly huffman?: Uint8Array;
  readonly restartInterval?: number;
  /** Segments between SOI and the tables. */
  readonly extra?: readonly Uint8Array[];
  /** Huffman tables of each component in the scan header, DC in the high nibble. */
  readonly selectors?: readonly number[];
  readonly scan?: Uint8Array;
  readonly end?: Uint8Array;
}

/** A segment: marker, length, content. */
export function segment(marker: number, content: ArrayLike<number>): Uint8Array {
  const length = content.length + 2;
  return concat([
    new Uint8Array([0xff, marker, length >> 8, length & 0xff]),
    Uint8Array.from(content),
  ]);
}

/** A DQT segment. */
export function quantizationSegment(slot: number, table: ArrayLike<number>): Uint8Array {
  const steps = Array.from(table), is16Bit = steps.some((step) => step > 255);
  return segment(0xdb, [
    (is16Bit ? 0x10 : 0) | slot,
    ...(is16Bit ? steps.flatMap((step) => [step >> 8, step & 0xff]) : steps),
  ]);
}

/** Builds a picture: 64x48, 4:2:0, quality 75, standard tables, when nothing else is said. */
export function buildJpeg(recipe: JpegRecipe = {}): Uint8Array {
  const { width = 64, height = 48, precision = 8, frameType = 0xc0, restartInterval } = recipe;
  const { luma, chroma } = standardQuantizationTables(75);
  const factors = (recipe.sampling ?? "2x2,1x1,1x1").split(",").map((factor) => factor.split("x"));
  const ids = recipe.ids ?? [1, 2, 3, 4];
  const slots = recipe.slots ?? [0, 1, 1, 0];
  const selectors = recipe.selectors ?? [0x00, 0x11, 0x11, 0x00];
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const components = factors.flatMap(([h, v], i) => [ids[i], Number(h) << 4 | Number(v), slots[i]]);
  return concat([
    new Uint8Array([0xff, 0xd8]),
    ...(recipe.extra ?? []),
    ...Object.entries(recipe.tables ?? { 0: luma, 1: chroma }).map(([slot, table]) =>
      quantizationSegment(Number(slot), table)
    ),
    segment(frameType, [precision, ...size, factors.length, ...components]),
    recipe.huffman ?? STANDARD_HUFFMAN_TABLES,
    ...(restartInterval === undefined
      ? []
      : [segment(0xdd, [restartInterval >> 8, restartInterval & 255])]),
    segment(0xda, [
      factors.length,
      ...factors.flatMap((_, i) => [ids[i], selectors[i]]),
      ...[0, 63, 0],
    ]),
    recipe.scan ?? new Uint8Array([1, 2, 3, 4]),
    recipe.end ?? new Uint8Array([0xff, 0xd9]),
  ]);
}

/** Arbitrary entropy-coded data: every FF is followed by 00 or a restart marker. */
export function scans(
  options: { minLength?: number; maxLength?: number } = {},
): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: 1, ...options }).map((octets) => {
    const stuffed: number[] = [];
    octets.forEach((octet, i) => {
      stuffed.push(octet);
      if (octet === 0xff) stuffed.push(i % 7 === 0 ? 0xd0 | i & 7 : 0);
    });
    return Uint8Array.from(stuffed);
  });
}

/** An EXIF segment with a whole small picture inside. */
export function thumbnailSegment(): Uint8Array {
  return segment(
    0xe1,
    concat([new TextEncoder().encode("Exif\0\0"), buildJpeg({ width: 16, height: 16 })]),
  );
}
