import { assertEquals } from "@std/assert";
import { layOutBlocks, ownBlocks, samplingName } from "../../lib/jpeg/sampling.ts";

const factors = (text: string) =>
  text.split(",").map((pair) => {
    const [h, v] = pair.split("x").map(Number);
    return { h, v };
  });

Deno.test("samplingName() knows what factors mean, whatever notation they are in", () => {
  const cases = [
    ["1x1", "grey"],
    ["2x2", "grey"],
    ["2x2,1x1,1x1", "4:2:0"],
    ["4x2,2x1,2x1", "4:2:0"],
    ["2x1,1x1,1x1", "4:2:2"],
    ["4x1,2x1,2x1", "4:2:2"],
    ["1x1,1x1,1x1", "4:4:4"],
    ["3x3,3x3,3x3", "4:4:4"],
    ["1x2,1x1,1x1", "4:4:0"],
    ["4x1,1x1,1x1", "4:1:1"],
    ["4x2,1x1,1x1", "4:1:0"],
    ["3x1,1x1,1x1", "3x1,1x1,1x1"],
    ["2x2,1x1,2x1", "2x2,1x1,2x1"],
    ["1x1,1x1,1x1,1x1", "1x1,1x1,1x1,1x1"],
  ];
  for (const [text, name] of cases) assertEquals(samplingName(factors(text)), name);
});

Deno.test("layOutBlocks() cuts padding off, and makes padding of the block coded before", () => {
  const values = new Int16Array(3 * 2 * 64);
  for (let block = 0; block < 6; block++) values.fill(block + 1, block * 64, block * 64 + 64);
  const component = {
    id: 1,
    h: 1,
    v: 1,
    quantizationTable: 0,
    blocksPerLine: 3,
    blockLines: 2,
    values,
  };
  const dcOf = (laidOut: Int16Array) => Array.from(laidOut).filter((_, at) => at % 64 === 0);
  const own = { columns: 2, lines: 2 };
  const cut = layOutBlocks(component, own, { columns: 2, lines: 1, h: 1, v: 1 });
  assertEquals(dcOf(cut), [1, 2]);
  const padded = layOutBlocks(component, { columns: 3, lines: 1 }, {
    columns: 4,
    lines: 2,
    h: 2,
    v: 2,
  });
  assertEquals(dcOf(padded), [1, 2, 3, 3, 2, 2, 3, 3]);
  assertEquals(padded[3 * 64 + 1], 0, "padding is of one colour");
});

Deno.test("ownBlocks() counts the blocks that hold samples", () => {
  const components = factors("2x2,1x1,1x1").map((pair) => ({
    ...pair,
    ...{ id: 1, quantizationTable: 0, blocksPerLine: 0, blockLines: 0, values: new Int16Array(0) },
  }));
  const picture = { width: 17, height: 9, components };
  assertEquals(components.map((component) => ownBlocks(picture, component)), [
    { columns: 3, lines: 2 },
    { columns: 2, lines: 1 },
    { columns: 2, lines: 1 },
  ]);
});
