import { assert, assertEquals, assertThrows } from "@std/assert";
import { Playback } from "../../lib/engine/playback.ts";

/** Takes everything that is due from `from` on, one due moment after the other. */
function takeAll(playback: Playback, limit = 1000) {
  const frames = [];
  for (let count = 0; count < limit; count++) {
    const due = playback.nextDue();
    if (due === undefined) break;
    const frame = playback.take(due);
    if (frame === undefined) throw new Error(`nothing at ${due}`);
    frames.push(frame);
  }
  return frames;
}

Deno.test("Playback plays a file from its first to its last frame", () => {
  const playback = new Playback({ frameCount: 4, frameRateHz: 20 });
  const range = playback.play({}, 1000);
  assertEquals(range, {
    startSeconds: 0,
    endSeconds: 0.2,
    mediaTicks: 0,
    scale: 1,
    speed: 1,
    isStep: false,
  });
  assertEquals(takeAll(playback), [
    { frameIndex: 0, dueMs: 1000, mediaTicks: 0, isLast: false },
    { frameIndex: 1, dueMs: 1050, mediaTicks: 4500, isLast: false },
    { frameIndex: 2, dueMs: 1100, mediaTicks: 9000, isLast: false },
    { frameIndex: 3, dueMs: 1150, mediaTicks: 13_500, isLast: true },
  ]);
  assertEquals(playback.nextDue(), undefined);
  assertEquals(playback.isAtEnd, true);
});

Deno.test("Playback does not drift: frame 18,000 of ten minutes at 30 Hz is due on the spot", () => {
  const playback = new Playback({ frameCount: 18_001, frameRateHz: 30 });
  playback.play({}, 123.456);
  const last = takeAll(playback, 20_000).at(-1)!;
  assert(Math.abs(last.dueMs - (123.456 + 600_000)) < 0.001);
  assertEquals(last.mediaTicks, 600 * 90_000);
});

Deno.test("Playback.setStrained() leaves out what is late by half an interval, and counts it", () => {
  const playback = new Playback({ frameCount: 10, frameRateHz: 20 });
  playback.play({}, 0);
  playback.setStrained(true);
  assertEquals(playback.take(20)?.frameIndex, 0);
  assertEquals(playback.take(130)?.frameIndex, 2);
  assertEquals(playback.stats().dropped, 1);
  playback.setStrained(false);
  assertEquals(playback.take(400)?.frameIndex, 3);
  assertEquals(playback.stats().dropped, 1);
});

Deno.test("Playback.take() gives nothing before a frame is due", () => {
  const playback = new Playback({ frameCount: 4, frameRateHz: 20 });
  assertEquals(playback.take(5), undefined);
  playback.play({}, 0);
  assertEquals(playback.take(0)?.frameIndex, 0);
  assertEquals(playback.take(49.9), undefined);
  assertEquals(playback.take(50)?.frameIndex, 1);
});

Deno.test("Playback goes on with the next frame after PAUSE, its timestamp right behind the last", () => {
  const playback = new Playback({ frameCount: 10, frameRateHz: 20 });
  playback.play({}, 0);
  playback.take(0);
  playback.take(50);
  playback.pause();
  assertEquals(playback.nextDue(), undefined);
  assertEquals(playback.positionSeconds, 0.1);
  const range = playback.play({}, 10_000);
  assertEquals(range?.startSeconds, 0.1);
  assertEquals(range?.mediaTicks, 9_000);
  assertEquals(playback.take(10_000)?.frameIndex, 2);
  assertEquals(playback.ticksAt(10_000), 9_000);
});

Deno.test("Playback seeks, while playing too", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
  playback.play({}, 0);
  playback.take(0);
  assertEquals(playback.play({ start: 2.5 }, 20)?.startSeconds, 2.5);
  assertEquals(playback.take(20)?.frameIndex, 50);
  assertEquals(playback.nextDue(), 70);
});

Deno.test("Playback takes three decimals of a second for the frame they mean", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 30 });
  for (let frame = 0; frame < 100; frame++) {
    const start = Number((frame / 30).toFixed(3));
    playback.play({ start }, 0);
    assertEquals(playback.take(0)?.frameIndex, frame, `npt=${start}-`);
  }
});

Deno.test("Playback stops before the end of a closed range", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
  const range = playback.play({ start: 1, end: 1.2 }, 0);
  assertEquals([range?.startSeconds, range?.endSeconds], [1, 1.2]);
  assertEquals(takeAll(playback).map((frame) => frame.frameIndex), [20, 21, 22, 23]);
});

Deno.test("Playback cuts an end beyond the file, and refuses what lies outside it", () => {
  const playback = new Playback({ frameCount: 20, frameRateHz: 20 });
  assertEquals(playback.play({ start: 0.5, end: 99 }, 0)?.endSeconds, 1);
  for (
    const request of [{ start: 1 }, { start: -1 }, { start: 2, end: 2 }, { start: 0.5, end: 0.2 }]
  ) {
    assertEquals(playback.play(request, 0), undefined, JSON.stringify(request));
  }
  assertEquals(playback.positionSeconds, 0.5, "a refused range changes nothing");
});

Deno.test("Playback takes `now` for the present position", () => {
  const playback = new Playback({ frameCount: 20, frameRateHz: 20 });
  playback.play({}, 0);
  playback.take(0);
  playback.take(50);
  playback.pause();
  assertEquals(playback.play({ start: "now" }, 100)?.startSeconds, 0.1);
});

Deno.test("Playback starts over when played again at the end", () => {
  const playback = new Playback({ frameCount: 2, frameRateHz: 20 });
  playback.play({}, 0);
  takeAll(playback);
  assertEquals(playback.play({}, 1000)?.startSeconds, 0);
  assertEquals(playback.take(1000)?.frameIndex, 0);
});

Deno.test("Playback loops without an end, time going on", () => {
  const playback = new Playback({ frameCount: 2, frameRateHz: 20, isLooping: true });
  assertEquals(playback.play({}, 0)?.endSeconds, undefined);
  const frames = takeAll(playback, 5);
  assertEquals(frames.map((frame) => frame.frameIndex), [0, 1, 0, 1, 0]);
  assertEquals(frames.map((frame) => frame.mediaTicks), [0, 4500, 9000, 13_500, 18_000]);
  assertEquals(frames.some((frame) => frame.isLast), false);
});

Deno.test("Playback ends a closed range even when looping", () => {
  const playback = new Playback({ frameCount: 10, frameRateHz: 20, isLooping: true });
  playback.play({ start: 0.1, end: 0.2 }, 0);
  assertEquals(takeAll(playback).map((frame) => frame.frameIndex), [2, 3]);
});

Deno.test("Playback sends late frames at four times the rate at most", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
  playback.play({}, 0);
  assertEquals(playback.take(500)?.frameIndex, 0);
  assertEquals(playback.take(500), undefined);
  assertEquals(playback.nextDue(), 512.5);
  assertEquals(playback.take(512.5)?.frameIndex, 1);
});

Deno.test("Playback leaves out frames that are more than a second late, and counts them", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
  playback.play({}, 0);
  const frame = playback.take(2000);
  assertEquals(frame?.frameIndex, 40);
  assertEquals(playback.stats().dropped, 40);
  assertEquals(playback.take(2050)?.frameIndex, 41);
});

Deno.test("Playback never leaves out the last frame", () => {
  const playback = new Playback({ frameCount: 10, frameRateHz: 20 });
  playback.play({}, 0);
  assertEquals(playback.take(5000), {
    frameIndex: 9,
    dueMs: 450,
    mediaTicks: 40_500,
    isLast: true,
  });
});

Deno.test("Playback goes on where it was after the machine has slept", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
  playback.play({}, 0);
  playback.take(0);
  const frame = playback.take(3_600_000);
  assertEquals(frame?.frameIndex, 1);
  assertEquals(frame?.mediaTicks, 3600 * 90_000);
  assertEquals(playback.stats().dropped, 0);
});

Deno.test("Playback.ticksAt() lies on the line of the frames' ticks", () => {
  const playback = new Playback({ frameCount: 100, frameRateHz: 30 });
  playback.play({}, 1000);
  playback.take(1000);
  const second = playback.take(playback.nextDue()!)!;
  assertEquals(playback.ticksAt(second.dueMs), second.mediaTicks);
  assertEquals(playback.ticksAt(2000), 90_000);
});

Deno.test("Playback refuses to play nothing", () => {
  assertThrows(() => new Playback({ frameCount: 0, frameRateHz: 20 }), RangeError);
  assertThrows(() => new Playback({ frameCount: 1, frameRateHz: 0 }), RangeError);
});
