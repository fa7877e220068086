import { assert, assertEquals } from "@std/assert";
import { PacerTimer } from "../../lib/server/pacer_timer.ts";

/** Waits by looking at the clock all the time; tells what it was asked for. */
class BusyWait {
  readonly waits: number[] = [];
  isClosed = false;
  constructor(readonly hasEvent: () => boolean = () => false) {}
  wait(ms: number): boolean {
    this.waits.push(ms);
    const end = performance.now() + ms;
    while (performance.now() < end) {
      if (this.hasEvent()) return true;
    }
    return false;
  }
  close(): void {
    this.isClosed = true;
  }
}

/** Entries that are due after so many ms each; settles with the times they were called at, after the first one's. */
async function called(timer: PacerTimer, delays: readonly number[]): Promise<number[]> {
  const began = Math.ceil(timer.now()) + 3;
  const times: number[] = [];
  await new Promise<void>((resolve) => {
    for (const delay of delays) {
      const onDue = () => {
        if (times.push(timer.now() - began) === delays.length) resolve();
      };
      timer.schedule({ pacing: undefined, onDue }, began + delay);
    }
  });
  return times;
}

Deno.test("PacerTimer waits for what is due soon within one turn, and closes the wait", async () => {
  const wait = new BusyWait();
  const timer = new PacerTimer(wait);
  const times = await called(timer, Array.from({ length: 40 }, (_, i) => i * 2));
  timer.close();
  assert(times.every((time, i) => time >= i * 2), `${times}`);
  assert(wait.waits.length > 0 && wait.waits.every((ms) => ms > 0 && ms <= 7), `${wait.waits}`);
  assertEquals(wait.isClosed, true);
});

Deno.test("PacerTimer does not wait for what is due much later", async () => {
  const wait = new BusyWait();
  using timer = new PacerTimer(wait);
  await called(timer, [0, 80]);
  assert(wait.waits.every((ms) => ms < 7), `${wait.waits}`);
});

Deno.test("PacerTimer returns to the event loop when it has something to do", async () => {
  const wait = new BusyWait(() => true);
  using timer = new PacerTimer(wait);
  const times = await called(timer, [0, 3, 5]);
  assert(times.every((time, i) => time >= [0, 3, 5][i]), `${times}`);
});

Deno.test("PacerTimer.stayResponsive() makes every turn end at once for a while", async () => {
  const wait = new BusyWait();
  using timer = new PacerTimer(wait);
  timer.stayResponsive();
  await called(timer, [0, 1, 2]);
  assertEquals(wait.waits, []);
});
