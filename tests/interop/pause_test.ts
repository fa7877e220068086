/** Our two programs across a pause and seeks: no frame twice, none left out, the wall clock right before and after. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import type { ReceivedFrame } from "../../lib/client/statistics.ts";
import { movieOf } from "../support/corpus.ts";
import { picturesOf } from "../support/pictures.ts";
import { testWith } from "../support/programs.ts";
import { Served } from "../support/served.ts";

const LIMIT_MS = 60_000;

for (const transport of ["udp", "tcp"] as const) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `RtspClient and RtspServer pause and go on over ${transport}: every frame once, loss 0`,
    async () => {
      const movie = await movieOf("small");
      await using served = await Served.start({ "video.mjpeg": movie });
      await using client = new RtspClient({ url: served.url("video.mjpeg"), transport });
      const frames: ReceivedFrame[] = [];
      const ended = Promise.withResolvers<void>();
      const enough = Promise.withResolvers<void>();
      client.on((event) => {
        if (event.type === "frame" && frames.push(event.frame) === 20) enough.resolve();
        if (event.type === "end") ended.resolve();
        if (event.type === "error") ended.reject(event.error);
      });
      await deadline(client.setup(), LIMIT_MS);
      await deadline(client.play(), LIMIT_MS);
      await deadline(enough.promise, LIMIT_MS);
      await deadline(client.pause(), LIMIT_MS);
      // Frames that were under way when the server stopped have come by now.
      await delay(1_000);
      const before = frames.length;
      await deadline(client.play(), LIMIT_MS);
      await deadline(ended.promise, LIMIT_MS);
      const { lost, duplicates, late, framesDropped } = client.statistics();
      assertEquals({ lost, duplicates, late, framesDropped }, {
        lost: 0,
        duplicates: 0,
        late: 0,
        framesDropped: 0,
      });
      assertEquals(
        await picturesOf(frames.map((frame) => frame.jpeg)),
        await picturesOf(movie.path),
      );
      const clocks = frames.map((frame) => frame.wallClockMs);
      assert(clocks.slice(before + 1).every((ms) => ms !== undefined), "no clock after the pause");
      // A report that comes just behind its frame leaves that frame without a clock rather than with a wrong one.
      for (let i = 1; i < clocks.length; i++) {
        const [from, to] = [clocks[i - 1], clocks[i]];
        if (from === undefined || to === undefined) continue;
        if (i === before) assertGreaterOrEqual(to - from, 900, "the pause");
        else {assert(
            Math.abs(to - from - 20) < 5,
            `frame ${i}: ${to - from} ms after the one before`,
          );}
      }
      await deadline(client.teardown(), LIMIT_MS);
    },
  );
}
