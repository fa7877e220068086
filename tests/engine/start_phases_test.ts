import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { StartPhases } from "../../lib/engine/start_phases.ts";

const INTERVAL_MS = 1000 / 30;

Deno.test("StartPhases.take() starts at most a group's width before now, so that the first frame is due at once", () => {
  const phases = new StartPhases();
  for (let now = 5000; now < 5033; now += 7.3) {
    const { startMs } = phases.take(now, INTERVAL_MS);
    assert(startMs <= now && startMs > now - 4.2, `${startMs} for ${now}`);
  }
});

Deno.test("StartPhases.take() gives readers of one rate few moments to be due at", () => {
  const phases = new StartPhases();
  const moments = new Set<number>();
  for (let i = 0; i < 400; i++) {
    const { startMs } = phases.take(1000 + i * 3.7, INTERVAL_MS);
    moments.add(Math.round(startMs % INTERVAL_MS * 1000) % Math.round(INTERVAL_MS * 1000));
  }
  assert(moments.size <= 10, [...moments].join());
});

Deno.test("StartPhases.take() spreads readers that start together over the frame interval", () => {
  const phases = new StartPhases();
  const places = Array.from({ length: 400 }, () => phases.take(1000, INTERVAL_MS));
  const [{ counts }] = places;
  assertEquals(counts.length, 8);
  assert(Math.max(...counts) <= 400 / 8 * 1.25 + 5, counts.join());
  for (const { startMs } of places) assert(startMs <= 1000 && startMs > 1000 - INTERVAL_MS);
});

Deno.test("StartPhases.release() makes room again", () => {
  const phases = new StartPhases();
  for (let i = 0; i < 10_000; i++) phases.release(phases.take(1000, 40));
  assertAlmostEquals(phases.take(1000, 40).startMs, 1000, 4.1);
  assertEquals(phases.take(1000, 40).counts.reduce((sum, count) => sum + count, 0), 2);
});

Deno.test("StartPhases.take() serves every rate", () => {
  const phases = new StartPhases();
  for (const rate of [0.1, 1, 20, 29.97, 60, 240, 1000, 5000]) {
    const { startMs } = phases.take(12_345.678, 1000 / rate);
    assert(startMs <= 12_345.678 && startMs > 12_345.678 - 1000 / rate - 1e-6);
  }
});
