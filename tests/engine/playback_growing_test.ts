import { assertEquals } from "@std/assert";
import { Playback } from "../../lib/engine/playback.ts";
import { growingTimeline } from "../../lib/frames/timeline.ts";

/** A film at 20 Hz that has `frames` frames so far. */
function film(frames: number, options: { readonly isLooping?: boolean } = {}) {
  const size = { frames };
  const timeline = growingTimeline(() => size.frames, 20);
  return { size, playback: new Playback({ timeline, isGrowing: true, ...options }) };
}

/** Takes all frames that are due until `end`, every ms; their numbers. */
function take(playback: Playback, from: number, end: number): number[] {
  const taken: number[] = [];
  for (let now = from; now < end; now++) {
    const frame = playback.take(now);
    if (frame === undefined) continue;
    assertEquals(frame.isLast, false);
    taken.push(frame.frameIndex);
  }
  return taken;
}

Deno.test("Playback waits at the end of a film that grows, also where it would loop, and goes on in step", () => {
  for (const isLooping of [false, true]) {
    const { size, playback } = film(3, { isLooping });
    assertEquals(playback.play({}, 1000)?.endSeconds, undefined);
    assertEquals(take(playback, 1000, 5000), [0, 1, 2]);
    assertEquals([playback.isWaiting, playback.isPlaying, playback.nextDue()], [
      true,
      true,
      undefined,
    ]);
    size.frames = 6;
    playback.goOn(5000);
    const next = playback.take(5000)!;
    // 4 seconds after the first one, by the clock and in ticks.
    assertEquals([next.frameIndex, next.dueMs, next.mediaTicks], [3, 5000, 360_000]);
    assertEquals(take(playback, 5001, 9000), [4, 5]);
    assertEquals(playback.stats().dropped, 0);
  }
});

Deno.test("Playback keeps to its line where a film grows before its next frame is due", () => {
  const { size, playback } = film(1);
  playback.play({}, 1000);
  playback.take(1000);
  size.frames = 2;
  playback.goOn(1010);
  assertEquals([playback.nextDue(), playback.take(1050)?.mediaTicks], [1050, 4500]);
});

Deno.test("Playback takes `now` for the newest frame of a film that grows", () => {
  const { playback } = film(40);
  assertEquals(playback.play({ start: "now" }, 0)?.startSeconds, 1.95);
  assertEquals(playback.peek(0), 39);
});

Deno.test("Playback waits for the end of a range that a growing film has not reached", () => {
  const { size, playback } = film(2);
  assertEquals(playback.play({ start: 0, end: 0.2 }, 0)?.endSeconds, 0.2);
  assertEquals(take(playback, 0, 1000), [0, 1]);
  size.frames = 9;
  playback.goOn(1000);
  assertEquals(take(playback, 1000, 1050), [2]);
  assertEquals(playback.take(1050), {
    frameIndex: 3,
    dueMs: 1050,
    mediaTicks: 94_500,
    isLast: true,
  });
});

Deno.test("Playback goes on waiting after a pause at the end of a film that grows", () => {
  const { size, playback } = film(2);
  playback.play({}, 0);
  take(playback, 0, 1000);
  playback.pause();
  assertEquals(playback.play({}, 2000)?.startSeconds, 0.1);
  assertEquals(playback.take(2000), undefined);
  size.frames = 3;
  playback.goOn(2500);
  assertEquals(playback.take(2500)?.frameIndex, 2);
});

Deno.test("Playback leaves frames out at scale 4, waits, and goes backwards to the beginning", () => {
  const { size, playback } = film(10);
  playback.play({ scale: 4 }, 0);
  assertEquals(take(playback, 0, 1000), [0, 4, 8]);
  size.frames = 20;
  playback.goOn(1000);
  assertEquals(take(playback, 1000, 2000), [10, 14, 18]);
  playback.play({ start: 0.1, scale: -1 }, 3000);
  assertEquals([playback.take(3000)?.isLast, playback.take(3050)?.isLast], [false, true]);
});
