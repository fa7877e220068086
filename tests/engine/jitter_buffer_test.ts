import { assert, assertEquals } from "@std/assert";
import { JitterBuffer } from "../../lib/engine/jitter_buffer.ts";

/** A buffer that writes "number-lostBefore" for each delivery. */
function bufferOf(latencyMs: number, maxBytes = 1e6) {
  const out: string[] = [];
  const buffer = new JitterBuffer<string>(
    { latencyMs, maxBytes },
    (extended, _held, lostBefore) => out.push(`${extended}-${lostBefore}`),
  );
  const insert = (extended: number, arrivalMs: number) =>
    buffer.insert(extended, { item: "", arrivalMs, size: 100 });
  return { buffer, insert, out };
}

Deno.test("JitterBuffer delivers at once what is in sequence", () => {
  const { buffer, insert, out } = bufferOf(100);
  buffer.start(65535);
  for (const n of [65535, 65536, 65537]) insert(n, 0);
  assertEquals(out, ["65535-0", "65536-0", "65537-0"]);
  assertEquals(buffer.nextTimeout(), undefined);
});

Deno.test("JitterBuffer gives each gap its own time, from the first packet beyond it", () => {
  const { buffer, insert, out } = bufferOf(100);
  buffer.start(1);
  insert(3, 10); // 1 and 2 are waited for until 110
  insert(6, 50); // 4 and 5 until 150
  insert(8, 40); // arrived before 6: 4 and 5 until 140, 7 until 140
  assertEquals(buffer.nextTimeout(), 110);
  buffer.expire(109.9);
  assertEquals(out, []);
  buffer.expire(110);
  assertEquals(out, ["3-2"]);
  assertEquals(buffer.nextTimeout(), 140);
  buffer.expire(140);
  assertEquals(out, ["3-2", "6-2", "8-1"]);
  assertEquals([buffer.nextTimeout(), buffer.heldPackets, buffer.next], [undefined, 0, 9]);
});

Deno.test("JitterBuffer delivers what waited as soon as the gap is filled", () => {
  const { buffer, insert, out } = bufferOf(100);
  buffer.start(1);
  for (const n of [4, 2, 3]) insert(n, 0);
  assertEquals(out, []);
  insert(1, 99);
  assertEquals(out, ["1-0", "2-0", "3-0", "4-0"]);
});

Deno.test("JitterBuffer without latency gives a gap up at once", () => {
  const { buffer, insert, out } = bufferOf(0);
  buffer.start(1);
  for (const n of [2, 3, 7]) insert(n, 5);
  assertEquals(out, ["2-1", "3-0", "7-3"]);
  assertEquals(buffer.heldPackets, 0);
});

Deno.test("JitterBuffer holds no more octets than it may", () => {
  const { buffer, insert, out } = bufferOf(1e9, 10_000);
  buffer.start(0);
  for (let n = 1; n < 2000; n += 2) {
    insert(n, 0);
    assert(buffer.heldPackets <= 10_000 / 100);
  }
  buffer.flush();
  assertEquals(out.length, 1000);
  assertEquals(out, out.map((_, i) => `${2 * i + 1}-1`));
});

Deno.test("JitterBuffer delivers further packets of one number after the first", () => {
  const items: string[] = [];
  const buffer = new JitterBuffer<string>(
    { latencyMs: 10, maxBytes: 1e6 },
    (n, held, lost) => items.push(`${n}${held.item}${lost}`),
  );
  buffer.start(1);
  for (const item of ["a", "b", "c"]) buffer.insert(2, { item, arrivalMs: 0, size: 1 });
  assertEquals(buffer.heldPackets, 3);
  buffer.expire(10);
  assertEquals(items, ["2a1", "2b0", "2c0"]);
  assertEquals(buffer.heldPackets, 0);
});

Deno.test("JitterBuffer gives up a gap behind every packet in less than quadratic time", () => {
  const timeOf = (count: number) => {
    const { buffer, insert } = bufferOf(100, Infinity);
    buffer.start(0);
    for (let i = 1; i <= count; i++) insert(2 * i, 0);
    const start = performance.now();
    buffer.expire(100);
    return performance.now() - start;
  };
  timeOf(2000);
  const small = Math.min(timeOf(4000), timeOf(4000), timeOf(4000));
  const large = Math.min(timeOf(32_000), timeOf(32_000), timeOf(32_000));
  const exponent = Math.log(large / small) / Math.log(8);
  assert(exponent < 1.6, `8 times as many took ${small} to ${large} ms: exponent ${exponent}`);
});
