import { assert, assertEquals } from "@std/assert";
import { Overload } from "../../lib/engine/overload.ts";

/** A timer that comes every 10 ms, so late each time. */
function recordAll(overload: Overload, latenessMs: number, from: number, to: number): void {
  for (let now = from; now < to; now += 10) overload.record(latenessMs, now);
}

Deno.test("Overload bears single late moments", () => {
  const overload = new Overload(250);
  for (let now = 0; now < 20_000; now += 1000) {
    recordAll(overload, 1, now, now + 990);
    overload.record(900, now + 999);
    assert(!overload.isStrained(now + 999), `${overload.latenessMs(now + 999)}`);
  }
});

Deno.test("Overload sees lateness that lasts within seconds, and its end", () => {
  const overload = new Overload(250);
  recordAll(overload, 80, 0, 5_000);
  assertEquals([overload.isStrained(5_000), overload.isOverloaded(5_000)], [true, false]);
  recordAll(overload, 600, 5_000, 10_000);
  assertEquals([overload.isStrained(10_000), overload.isOverloaded(10_000)], [true, true]);
  recordAll(overload, 1, 10_000, 18_000);
  assertEquals([overload.isStrained(18_000), overload.isOverloaded(18_000)], [false, false]);
});

Deno.test("Overload forgets once nothing is due any more", () => {
  const overload = new Overload(100);
  recordAll(overload, 1000, 0, 10_000);
  assert(overload.isOverloaded(10_100));
  assert(!overload.isStrained(30_000));
});

Deno.test("Overload sees frames given up, when it lasts, and its end", () => {
  const overload = new Overload(250);
  const recordFrames = (givenUp: number, from: number, to: number) => {
    for (let now = from; now < to; now += 10) overload.recordFrames(10 - givenUp, givenUp, now);
  };
  recordFrames(0, 0, 1_000);
  recordFrames(10, 1_000, 1_090);
  recordFrames(0, 1_090, 3_000);
  assert(!overload.isOverloaded(3_000), "a moment in which nothing leaves");
  recordFrames(2, 3_000, 9_000);
  assertEquals([overload.isOverloaded(9_000), overload.isStrained(9_000)], [true, false]);
  assert(Math.abs(overload.givenUpShare(9_000) - 0.2) < 0.03);
  assert(!overload.isOverloaded(20_000), "nothing is due any more");
});

Deno.test("Overload without a limit never sees anything", () => {
  const overload = new Overload(Infinity);
  recordAll(overload, 60_000, 0, 60_000);
  for (let now = 0; now < 60_000; now += 10) overload.recordFrames(0, 1, now);
  assertEquals([overload.isStrained(60_000), overload.isOverloaded(60_000)], [false, false]);
});

Deno.test("Overload takes no sleep of the machine for too much work", () => {
  const overload = new Overload(250);
  recordAll(overload, 1, 0, 1_000);
  overload.record(3_600_000, 3_601_000);
  assert(!overload.isOverloaded(3_601_000));
});
