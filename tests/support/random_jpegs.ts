/**
 * Whole pictures of random coefficients, written in any way that a sequential JPEG can be written, so that what is
 * rebuilt can be compared with what was meant, coefficient by coefficient.
 *
 * @module
 */
import { concat } from "@std/bytes";
import fc from "fast-check";
import {
  type ComponentCoefficients,
  decodeCoefficients,
  encodeBaselineScan,
  type HuffmanSpecification,
  STANDARD_HUFFMAN,
} from "../../lib/jpeg.ts";
import { layOutBlocks, ownBlocks } from "../../lib/jpeg/sampling.ts";
import { quantizationSegment, segment } from "./jpegs.ts";

/** A picture and how it is written. */
export interface RandomJpeg {
  readonly width: number;
  readonly height: number;
  /** Sampling factors by component. */
  readonly factors: readonly (readonly [h: number, v: number])[];
  /** Steps by component, zigzag order. */
  readonly steps: readonly (readonly number[])[];
  /** Huffman tables of luma and of the others; undefined writes none and means the standard ones. */
  readonly tables: "standard" | "missing" | readonly HuffmanSpecification[];
  /** MCUs between restart markers. */
  readonly restartInterval: number;
  /** One scan for each component instead of one for all. */
  readonly hasOwnScans: boolean;
  /** Identifiers of the components. */
  readonly ids: readonly number[];
  /** Seed of the coefficients. */
  readonly seed: number;
}

/** A written picture, and the values that a decoder finds in it, multiplied by their steps. */
export interface WrittenJpeg {
  readonly jpeg: Uint8Array;
  readonly components: readonly ComponentCoefficients[];
}

/** Any picture that repair can be asked to rebuild without loss, grey or coloured. */
export function randomJpegs(): fc.Arbitrary<RandomJpeg> {
  const steps = fc.oneof(
    fc.constant(Array<number>(64).fill(1)),
    fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 64, maxLength: 64 }),
    fc.array(fc.constantFrom(2, 16, 300, 512, 600), { minLength: 64, maxLength: 64 }),
  );
  const colour = fc.record({
    factors: fc.constantFrom(...SAMPLINGS.slice(1)),
    steps: fc.oneof(
      fc.tuple(steps, steps).map(([luma, chroma]) => [luma, chroma, chroma]),
      fc.tuple(steps).map(([one]) => [one, one, one]),
      fc.tuple(steps).map(([one]) => [one, one, one.map((step) => step > 127 ? step : step * 2)]),
    ),
  });
  const grey = fc.record({
    factors: fc.constantFrom([[1, 1]], [[2, 2]], [[4, 1]]),
    steps: steps.map((one) => [one]),
  });
  return fc.tuple(
    fc.oneof({ weight: 3, arbitrary: colour }, { weight: 1, arbitrary: grey }),
    fc.record({
      width: fc.integer({ min: 1, max: 70 }),
      height: fc.integer({ min: 1, max: 50 }),
      tables: fc.oneof(
        fc.constantFrom("standard" as const, "missing" as const),
        fc.tuple(
          huffmanTables(true),
          huffmanTables(false),
          huffmanTables(true),
          huffmanTables(false),
        ),
      ),
      restartInterval: fc.constantFrom(0, 0, 1, 2, 5, 100),
      hasOwnScans: fc.boolean(),
      ids: fc.constantFrom([1, 2, 3], [0, 1, 2], [34, 35, 36], [1, 1, 1], [89, 66, 67]),
      seed: fc.nat(),
    }),
  ).map(([picture, rest]) =>
    ({
      ...picture,
      ...rest,
      // With scans of their own, components that are called the same cannot be told apart.
      ids: rest.hasOwnScans && rest.ids[0] === rest.ids[1] ? [1, 2, 3] : rest.ids,
    }) as RandomJpeg
  );
}

/** Writes a picture. */
export function writeRandomJpeg(recipe: RandomJpeg): WrittenJpeg {
  const { width, height, factors, steps, ids, restartInterval } = recipe;
  const random = generator(recipe.seed);
  const hMax = Math.max(...factors.map(([h]) => h)), vMax = Math.max(...factors.map(([, v]) => v));
  const mcusPerLine = Math.ceil(width / (8 * hMax)), mcuLines = Math.ceil(height / (8 * vMax));
  const components = factors.map(([h, v], i): ComponentCoefficients => {
    const blocksPerLine = mcusPerLine * h, blockLines = mcuLines * v;
    const values = new Int16Array(blocksPerLine * blockLines * 64);
    fillRandomly(values, steps[i], random);
    return { id: ids[i], h, v, quantizationTable: i, blocksPerLine, blockLines, values };
  });
  const picture = { precision: 8, width, height, components };
  const specifications = typeof recipe.tables === "string"
    ? [
      ...[STANDARD_HUFFMAN.luma.dc, STANDARD_HUFFMAN.luma.ac],
      ...[STANDARD_HUFFMAN.chroma.dc, STANDARD_HUFFMAN.chroma.ac],
    ]
    : recipe.tables;
  const tables = components.map((_, i) => ({
    dc: specifications[i === 0 ? 0 : 2],
    ac: specifications[i === 0 ? 1 : 3],
  }));
  const isAlone = components.length === 1;
  const scans = recipe.hasOwnScans || isAlone
    ? components.map((component, i) => {
      const own = ownBlocks(picture, component);
      const values = layOutBlocks(component, own, { ...own, h: 1, v: 1 });
      const alone = {
        ...component,
        ...{ h: 1, v: 1, blocksPerLine: own.columns, blockLines: own.lines, values },
      };
      const scan = encodeBaselineScan({ ...picture, components: [alone] }, {
        tables: [tables[i]],
        restartInterval,
      });
      return concat([scanHeader([[ids[i], i === 0 ? 0x00 : 0x11]]), scan]);
    })
    : [concat([
      scanHeader(ids.slice(0, 3).map((id, i) => [id, i === 0 ? 0x00 : 0x11])),
      encodeBaselineScan(picture, { tables, restartInterval }),
    ])];
  const jpeg = concat([
    new Uint8Array([0xff, 0xd8]),
    ...steps.map((table, i) => quantizationSegment(i, table)),
    segment(0xc1, [
      ...[8, height >> 8, height & 255, width >> 8, width & 255, components.length],
      ...components.flatMap(({ id, h, v }, i) => [id, h << 4 | v, i]),
    ]),
    ...(recipe.tables === "missing" ? [] : specifications.map((specification, i) =>
      segment(0xc4, [
        (i & 1) << 4 | i >> 1,
        ...Array.from(specification.counts),
        ...Array.from(specification.symbols),
      ])
    )),
    ...(restartInterval > 0 ? [segment(0xdd, [restartInterval >> 8, restartInterval & 255])] : []),
    ...scans,
    new Uint8Array([0xff, 0xd9]),
  ]);
  return { jpeg, components: decodeCoefficients(jpeg).components };
}

/** Products of coefficients and steps in the blocks that hold the picture: what a decoder sees of a component. */
export function seenOf(
  picture: {
    readonly width: number;
    readonly height: number;
    readonly components: readonly ComponentCoefficients[];
  },
  index: number,
  steps: ArrayLike<number>,
): Int32Array {
  const component = picture.components[index], own = ownBlocks(picture, component);
  const values = layOutBlocks(component, own, { ...own, h: 1, v: 1 });
  return Int32Array.from(values, (value, at) => value * steps[at & 63]);
}

/** Sampling factors that mean 4:2:0, 4:2:2 or grey. */
const SAMPLINGS: readonly (readonly (readonly [number, number])[])[] = [
  [[1, 1]],
  [[2, 2], [1, 1], [1, 1]],
  [[2, 1], [1, 1], [1, 1]],
  [[2, 2], [1, 2], [1, 2]],
  [[4, 1], [2, 1], [2, 1]],
  [[2, 4], [1, 2], [1, 2]],
];

/** A table that knows every symbol of baseline, in an order of its own. */
function huffmanTables(isDc: boolean): fc.Arbitrary<HuffmanSpecification> {
  const { dc, ac } = STANDARD_HUFFMAN.luma, standard = isDc ? dc : ac;
  const symbols = Array.from(standard.symbols);
  const counts = fc.constantFrom(
    Array.from(standard.counts),
    // All codes of one length, and a long staircase.
    Array.from({ length: 16 }, (_, i) => i === (isDc ? 3 : 7) ? symbols.length : 0),
    Array.from({ length: 16 }, (_, i) => i < 9 ? 1 : i === 15 ? symbols.length - 9 : 0),
  ).filter((candidate) => fits(candidate));
  return fc.record({
    counts,
    symbols: fc.shuffledSubarray(symbols, {
      minLength: symbols.length,
      maxLength: symbols.length,
    }),
  });
}

/** Whether the codes leave room, the code of ones included. */
function fits(counts: readonly number[]): boolean {
  return counts.reduce((sum, count, i) => sum + count / 2 ** (i + 1), 0) < 1;
}

/** Few and small values in most blocks, in some the largest that there are; products with the steps stay in range. */
function fillRandomly(
  values: Int16Array,
  steps: readonly number[],
  random: () => number,
): void {
  for (let at = 0; at < values.length; at += 64) {
    values[at] = Math.round((random() * 2 - 1) * 1000 / steps[0]);
    const density = random() ** 3;
    for (let k = 1; k < 64; k++) {
      if (random() >= density) continue;
      const size = random() < 0.02 ? 1000 : 40;
      values[at + k] = Math.round((random() * 2 - 1) * size / steps[k]);
    }
  }
}

function scanHeader(components: readonly (readonly [number, number])[]): Uint8Array {
  return segment(0xda, [components.length, ...components.flat(), 0, 63, 0]);
}

/** Mulberry32: the same numbers for the same seed. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = (t + Math.imul(t ^ t >>> 7, 61 | t)) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296;
  };
}
