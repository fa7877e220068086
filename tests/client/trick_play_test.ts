import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { RtspClient } from "../../lib/client/client.ts";
import type { FilmPosition } from "../../lib/client/conversation.ts";
import { scaleBeside, trickOf, type TrickPlayer } from "../../lib/client/trick_play.ts";
import { StateError } from "../../lib/errors.ts";
import { testWith } from "../support/programs.ts";
import { sampleNumbers } from "../support/sample_numbers.ts";
import { Served } from "../support/served.ts";

const SAMPLE = Deno.readFileSync(new URL("../../media/video.mjpeg", import.meta.url));
const LIMIT_MS = 20_000;

/** A client of the sample, and the frames it got; resolves `have(n)` when there are so many. */
function listenTo(client: RtspClient) {
  const frames: Uint8Array[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  client.onFrame(({ jpeg }) => {
    frames.push(jpeg);
    for (const { count, resolve } of waiting) if (frames.length >= count) resolve();
  });
  return {
    frames,
    have(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (frames.length >= count) resolve();
      else waiting.push({ count, resolve });
      return deadline(promise, LIMIT_MS);
    },
  };
}

for (const transport of ["udp", "tcp"] as const) {
  testWith(
    ["ffmpeg"],
    `RtspClient seeks, turns round, speeds up and steps over ${transport}, by the numbers in the frames`,
    async () => {
      await using served = await Served.start({ "video.mjpeg": SAMPLE }, { frameRateHz: 20 });
      await using client = new RtspClient({ url: served.url("video.mjpeg"), transport });
      const { frames, have } = listenTo(client);
      await client.setup();
      await client.play({ startSeconds: 10 });
      await have(5);
      const first = frames.length;
      await client.play({ startSeconds: 5, scale: 2 });
      await have(first + 8);
      const second = frames.length;
      await client.play({ startSeconds: 20, scale: -1 });
      await have(second + 8);
      assertEquals([client.film.scale, client.film.isSteppable], [-1, true]);
      const third = frames.length;
      await client.play({ startSeconds: 1, scale: 0.5 });
      await have(third + 4);
      await client.pause();
      const numbers = (await sampleNumbers(frames)) as number[];
      assertEquals(numbers.slice(0, 5), [201, 202, 203, 204, 205]);
      const fast = runAfter(numbers, 101);
      assertEquals(fast.slice(0, 8), [101, 103, 105, 107, 109, 111, 113, 115]);
      const back = runAfter(numbers, 400);
      assertEquals(back.slice(0, 8), [400, 399, 398, 397, 396, 395, 394, 393]);
      const slow = runAfter(numbers, 21);
      assertEquals(slow.slice(0, 4), [21, 22, 23, 24]);
      assertEquals(client.statistics().lost, 0);

      const before = frames.length;
      for (const direction of [1, 1, -1, -1, -1] as const) {
        await client.step(direction);
        assertEquals(client.state, "READY");
      }
      const last = numbers.at(-1)!;
      assertEquals(
        await sampleNumbers(frames.slice(before)),
        [1, 2, 1, 0, -1].map((distance) => last + distance),
      );
      await client.play();
      await have(before + 5 + 2);
      assertEquals((await sampleNumbers(frames.slice(before + 5, before + 7)))[0], last);
      await client.teardown();
    },
  );
}

testWith(
  ["ffmpeg"],
  "RtspClient plays backwards from the end to the first frame, and the film ends",
  async () => {
    await using served = await Served.start({ "video.mjpeg": SAMPLE }, { frameRateHz: 20 });
    await using client = new RtspClient({ url: served.url("video.mjpeg"), transport: "tcp" });
    const { frames } = listenTo(client);
    const ended = Promise.withResolvers<void>();
    client.on((event) => {
      if (event.type === "end") ended.resolve();
    });
    await client.setup();
    await client.play({ scale: -32 });
    await deadline(ended.promise, LIMIT_MS);
    const wanted = Array.from({ length: 16 }, (_, i) => 500 - 32 * i);
    assertEquals(await sampleNumbers(frames), wanted);
  },
);

Deno.test("RtspClient.step() needs a film that has been played", async () => {
  await using served = await Served.start({ "video.mjpeg": SAMPLE }, { frameRateHz: 20 });
  await using client = new RtspClient({ url: served.url("video.mjpeg") });
  await assertRejects(() => client.step(1), StateError);
});

Deno.test("trickOf() turns keys into jumps, speeds and steps", async () => {
  const done: unknown[] = [];
  const film: FilmPosition = {
    startSeconds: 0,
    endSeconds: 25,
    positionSeconds: 3,
    isSeekable: true,
    scale: -2,
    scales: [],
    isSteppable: true,
  };
  const player = {
    film,
    state: "PLAYING",
    allowed: [],
    play: (range: unknown) => Promise.resolve(void done.push(range)),
    step: (direction: unknown) => Promise.resolve(void done.push(direction)),
  } as unknown as TrickPlayer;
  for (const key of ["left", "right", "+", "-", "r", ".", ",", "x"]) await trickOf(key, player);
  assertEquals(done, [
    { startSeconds: 0, scale: -2 },
    { startSeconds: 8, scale: -2 },
    { scale: -4 },
    { scale: -1 },
    { scale: 2 },
    1,
    -1,
  ]);
  assert(scaleBeside(32, 1) === 32 && scaleBeside(0.125, -1) === 0.125);
  const blind = { ...player, film: { ...film, positionSeconds: null } };
  await assertRejects(() => trickOf("+", blind)!, StateError);
});

/** The numbers from the first `start` on. */
function runAfter(numbers: readonly number[], start: number): number[] {
  const at = numbers.indexOf(start);
  assert(at >= 0, `${start} is not among ${numbers}`);
  return numbers.slice(at);
}
