import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Paced, Pacer } from "../../lib/engine/pacer.ts";
import { Playback } from "../../lib/engine/playback.ts";
import { StartPhases } from "../../lib/engine/start_phases.ts";

const INTERVAL_MS = 1000 / 30;

Deno.test("StartPhases.take() starts less than half an interval before now, so that the first frame is due at once and not late", () => {
  const phases = new StartPhases();
  for (let now = 5000; now < 5033; now += 7.3) {
    const { startMs } = phases.take(now, INTERVAL_MS);
    assert(startMs <= now && startMs > now - INTERVAL_MS / 2, `${startMs} for ${now}`);
  }
});

Deno.test("StartPhases.take() puts few readers into fewer groups", () => {
  const phases = new StartPhases();
  const groups = new Set<number>();
  for (let i = 0; i < 40; i++) groups.add(phases.take(1000 + i * 7.3, INTERVAL_MS).group);
  assert(groups.size <= 5, [...groups].join());
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

Deno.test("StartPhases, Playback and Pacer end ten minutes of 20 readers on the spot, no frame late", () => {
  const pacer = new Pacer();
  const phases = new StartPhases();
  const ends: number[] = [];
  let worstMs = 0;
  for (let reader = 0; reader < 20; reader++) {
    const playback = new Playback({ frameCount: 18_000, frameRateHz: 30 });
    const { startMs } = phases.take(1000 + reader * 0.7, INTERVAL_MS);
    playback.play({}, startMs);
    const entry: Paced = {
      pacing: undefined,
      onDue(now) {
        const frame = playback.take(now)!;
        worstMs = Math.max(worstMs, now - frame.dueMs);
        if (frame.isLast) ends.push(now - (startMs + 17_999 * INTERVAL_MS));
        else pacer.schedule(entry, playback.nextDue()!);
      },
    };
    pacer.schedule(entry, playback.nextDue()!);
  }
  for (let now = pacer.nextTimeout(); now !== undefined; now = pacer.nextTimeout()) {
    pacer.handleTimeout(now);
  }
  assertEquals(ends.length, 20);
  assert(Math.max(...ends) < 1 && Math.min(...ends) > -0.001, ends.join());
  assert(worstMs < 1.001, `${worstMs}`);
});
