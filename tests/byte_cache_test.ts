import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteCache } from "../lib/byte_cache.ts";

Deno.test("ByteCache forgets what was not used for longest, and never the newest", () => {
  const cache = new ByteCache<string>(10);
  for (const [key, value] of [[1, "a"], [2, "b"], [3, "c"]] as const) cache.set(key, value, 3);
  assertEquals(cache.get(1), "a");
  cache.set(4, "d", 4);
  assertEquals([1, 2, 3, 4].map((key) => cache.get(key)), ["a", undefined, "c", "d"]);
  assertEquals(cache.bytes, 10);
  cache.set(5, "e", 11);
  assertEquals([cache.bytes, cache.get(5), cache.has(4)], [11, "e", false]);
  cache.limitTo(10);
  assertEquals([cache.bytes, cache.has(5)], [0, false]);
});

Deno.test("ByteCache does as a list would that is put in order anew with every use", () => {
  const key = fc.integer({ min: 0, max: 7 });
  const step = fc.oneof(
    fc.record({ call: fc.constant("get" as const), key }),
    fc.record({ call: fc.constant("delete" as const), key }),
    fc.record({ call: fc.constant("range" as const), key }),
    fc.record({ call: fc.constant("set" as const), key, size: fc.integer({ min: 0, max: 30 }) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const cache = new ByteCache<number>(50);
    let list: { key: number; value: number; size: number }[] = [];
    const total = () => list.reduce((sum, { size }) => sum + size, 0);
    steps.forEach((step, value) => {
      const known = list.find(({ key }) => key === step.key);
      if (step.call === "get") {
        assertEquals(cache.get(step.key), known?.value);
        if (known !== undefined) list = [...list.filter((entry) => entry !== known), known];
      } else if (step.call === "set") {
        cache.set(step.key, value, step.size);
        list = list.filter((entry) => entry !== known);
        list.push({ key: step.key, value, size: step.size });
        while (total() > 50 && list.length > 1) list.shift();
      } else if (step.call === "delete") {
        cache.delete(step.key);
        list = list.filter((entry) => entry !== known);
      } else {
        cache.deleteRange(step.key, step.key + 3);
        list = list.filter(({ key }) => key < step.key || key >= step.key + 3);
      }
      assertEquals(cache.bytes, total());
      for (let key = 0; key < 8; key++) {
        assertEquals(cache.has(key), list.some((entry) => entry.key === key));
      }
    });
  }));
});
