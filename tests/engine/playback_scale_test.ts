import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Playback, type PlaybackRequest } from "../../lib/engine/playback.ts";
import { timelineOf } from "../../lib/frames/timeline.ts";
import { seeded } from "../support/property.ts";

/** Frame, ms and ticks of all that a request plays. */
function played(playback: Playback, request: PlaybackRequest, now = 0) {
  const range = playback.play(request, now);
  const frames: number[] = [], dues: number[] = [], ticks: number[] = [];
  for (let count = 0; count < 500; count++) {
    const due = playback.nextDue();
    if (due === undefined) break;
    const frame = playback.take(due)!;
    frames.push(frame.frameIndex);
    dues.push(due);
    ticks.push(frame.mediaTicks);
  }
  return { range, frames, dues, ticks };
}

const film = () => new Playback({ frameCount: 20, frameRateHz: 20 });

Deno.test("Playback at scale 2 shows every second frame at the film's own rate", () => {
  const { range, frames, dues, ticks } = played(film(), { start: 0, scale: 2 });
  assertEquals(range?.scale, 2);
  assertEquals(frames, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  assertEquals(dues, [0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
  assertEquals(ticks.slice(0, 3), [0, 4500, 9000]);
});

Deno.test("Playback at scale 0.5 shows every frame twice as long", () => {
  const { frames, dues, ticks } = played(film(), { start: 0.5, end: 0.65, scale: 0.5 });
  assertEquals([frames, dues, ticks], [[10, 11, 12], [0, 100, 200], [0, 9000, 18_000]]);
});

Deno.test("Playback backwards begins with the frame before the moment and ends with the first", () => {
  const { range, frames, dues } = played(film(), { start: 0.25, scale: -1 });
  assertEquals([range?.startSeconds, range?.endSeconds, range?.scale], [0.25, 0, -1]);
  assertEquals([frames, dues], [[4, 3, 2, 1, 0], [0, 50, 100, 150, 200]]);
});

Deno.test("Playback backwards without a start begins at the end of the film", () => {
  const { range, frames } = played(film(), { scale: -4 });
  assertEquals([range?.startSeconds, range?.endSeconds], [1, 0]);
  assertEquals(frames, [19, 15, 11, 7, 3]);
});

Deno.test("Playback backwards stops where the range does", () => {
  assertEquals(played(film(), { start: 1, end: 0.8, scale: -1 }).frames, [19, 18, 17, 16]);
  assertEquals(played(film(), { start: 0.5, end: 0.9, scale: -1 }).range, undefined);
  assertEquals(played(film(), { start: 0, scale: -1 }).range, undefined);
});

Deno.test("Playback turns round where it stands", () => {
  const playback = film();
  playback.play({}, 0);
  for (let i = 0; i < 10; i++) playback.take(50 * i);
  assertEquals(playback.play({ scale: -1 }, 500)?.startSeconds, 0.5);
  assertEquals(playback.take(500)?.frameIndex, 9);
  assertEquals(playback.take(550)?.frameIndex, 8);
  assertEquals(playback.play({ scale: 1 }, 600)?.startSeconds, 0.4);
  assertEquals(playback.take(600)?.frameIndex, 8);
});

Deno.test("Playback at speed 4 sends the film's own time in a quarter of the time", () => {
  const playback = film();
  const { range, dues, ticks } = played(playback, { start: 0, end: 0.2, speed: 4 });
  assertEquals(range?.speed, 4);
  assertEquals([dues, ticks], [[0, 12.5, 25, 37.5], [0, 4500, 9000, 13_500]]);
  assertEquals(playback.ticksAt(12.5), 4500, "sender reports lie on the same line");
});

Deno.test("Playback steps: a range that ends where it starts is one frame", () => {
  const playback = film();
  const first = played(playback, { start: 0.52, end: 0.52 });
  assertEquals([first.frames, first.range?.isStep], [[10], true]);
  assertEquals([first.range?.startSeconds, first.range?.endSeconds], [0.5, 0.55]);
  assertEquals(played(playback, { start: 1, end: 1 }).frames, [19]);
  assertEquals(played(playback, { start: 0.3, end: 0.3, scale: -1 }).frames, [6]);
  assertEquals(playback.play({}, 0)?.startSeconds, 0.3, "and goes on from there");
});

Deno.test("Playback cuts scales and speeds to 1/32 and 32, and says so", () => {
  const { range } = played(film(), { start: 1, scale: -1000, speed: 0.0001 });
  assertEquals([range?.scale, range?.speed], [-32, 1 / 32]);
});

Deno.test("Playback loops backwards and fast, time going on", () => {
  const playback = new Playback({ frameCount: 4, frameRateHz: 20, isLooping: true });
  playback.play({ start: 0.1, scale: -1 }, 0);
  const frames = [0, 50, 100, 150, 200, 250].map((now) => playback.take(now)!.frameIndex);
  assertEquals(frames, [1, 0, 3, 2, 1, 0]);
});

Deno.test("Playback shows frames at times of their own for as long as they last", () => {
  const timeline = timelineOf(new Float64Array([0, 0.1, 0.5, 0.6]), {
    endSeconds: 1,
    roundedToSeconds: 0.001,
  });
  const playback = new Playback({ timeline });
  assertEquals(played(playback, { start: 0 }).dues, [0, 100, 500, 600]);
  assertEquals(played(playback, { start: 1, scale: -1 }, 1000).dues, [1000, 1400, 1500, 1900]);
  const fast = played(playback, { start: 0, scale: 2 }, 0);
  assertEquals([fast.frames, fast.dues], [[0, 2], [0, 250]]);
});

Deno.test("property: Playback at any scale and speed comes to its end, in order, time never going back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 40 }),
      fc.double({ min: -40, max: 40, noNaN: true }).filter((scale) => Math.abs(scale) > 0.01),
      fc.double({ min: 0.1, max: 8, noNaN: true }),
      (gaps, scale, speed) => {
        let at = 0;
        const starts = Float64Array.from(gaps, (gap) => (at += gap) / 1000);
        const timeline = timelineOf(starts, {
          endSeconds: at / 1000 + 0.04,
          roundedToSeconds: 1e-3,
        });
        const playback = new Playback({ timeline });
        const { frames, dues, ticks } = played(playback, { scale, speed });
        assert(frames.length > 0 && frames.length <= gaps.length);
        assert(!playback.isPlaying);
        const direction = Math.sign(scale);
        for (let i = 1; i < frames.length; i++) {
          assert((frames[i] - frames[i - 1]) * direction > 0, `${frames}`);
          assert(dues[i] >= dues[i - 1] && ticks[i] >= ticks[i - 1]);
        }
      },
    ),
    seeded(200),
  );
});

Deno.test("property: Playback asked late, early or after a sleep never stalls, never goes back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 40 }),
      fc.double({ min: -40, max: 40, noNaN: true }).filter((scale) => Math.abs(scale) > 0.01),
      fc.double({ min: 0.1, max: 8, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      (gaps, scale, speed, waits, isLooping) => {
        let at = 0;
        const starts = Float64Array.from(gaps, (gap) => (at += gap) / 1000);
        const timeline = timelineOf(starts, {
          endSeconds: at / 1000 + 0.04,
          roundedToSeconds: 1e-3,
        });
        const playback = new Playback({ timeline, isLooping });
        playback.play({ scale, speed }, 0);
        let now = 0, ticks = -1;
        for (const wait of waits) {
          const frame = playback.take(now += wait);
          if (frame === undefined) continue;
          assert(frame.mediaTicks >= ticks);
          assert(frame.frameIndex >= 0 && frame.frameIndex < gaps.length);
          ticks = frame.mediaTicks;
        }
      },
    ),
    seeded(300),
  );
});
