import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Paced, Pacer } from "../../lib/engine/pacer.ts";

const FUZZ_RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 50);

/** An entry that notes when it was called. */
class Note implements Paced {
  pacing: Paced["pacing"] = undefined;
  readonly calls: number[] = [];
  onDue(now: number): void {
    this.calls.push(now);
  }
}

Deno.test("Pacer calls an entry when it is due, not before", () => {
  const pacer = new Pacer();
  const note = new Note();
  pacer.schedule(note, 100.4);
  pacer.handleTimeout(100);
  assertEquals(note.calls, []);
  pacer.handleTimeout(101);
  assertEquals(note.calls, [101]);
  assertEquals(pacer.size, 0);
});

Deno.test("Pacer.nextTimeout() is undefined when nothing waits", () => {
  const pacer = new Pacer();
  assertEquals(pacer.nextTimeout(), undefined);
  pacer.handleTimeout(5);
  assertEquals(pacer.nextTimeout(), undefined);
  const note = new Note();
  pacer.schedule(note, 7);
  pacer.cancel(note);
  assertEquals(pacer.nextTimeout(), undefined);
});

Deno.test("Pacer.nextTimeout() names the first deadline", () => {
  const pacer = new Pacer();
  pacer.schedule(new Note(), 500);
  pacer.schedule(new Note(), 300);
  assertEquals(pacer.nextTimeout(), 300);
  pacer.handleTimeout(300);
  assertEquals(pacer.nextTimeout(), 500);
});

Deno.test("Pacer keeps deadlines more than one turn of the wheel away", () => {
  const pacer = new Pacer();
  const near = new Note();
  const far = new Note();
  pacer.schedule(near, 10);
  pacer.schedule(far, 10 + 5 * 1024);
  let now = 0;
  while (pacer.size > 0) {
    now = pacer.nextTimeout()!;
    pacer.handleTimeout(now);
  }
  assertEquals(near.calls, [10]);
  assertEquals(far.calls, [10 + 5 * 1024]);
});

Deno.test("Pacer.schedule() moves an entry that waits already", () => {
  const pacer = new Pacer();
  const note = new Note();
  pacer.schedule(note, 10);
  pacer.schedule(note, 20);
  pacer.handleTimeout(15);
  assertEquals(note.calls, []);
  pacer.handleTimeout(20);
  assertEquals(note.calls, [20]);
});

Deno.test("Pacer calls an entry scheduled for the past as soon as possible", () => {
  const pacer = new Pacer();
  pacer.schedule(new Note(), 1000);
  pacer.handleTimeout(1000);
  const late = new Note();
  pacer.schedule(late, 3);
  assert(pacer.nextTimeout()! <= 1001);
  pacer.handleTimeout(1001);
  assertEquals(late.calls, [1001]);
});

Deno.test("Pacer lets an entry schedule itself from its own call", () => {
  const pacer = new Pacer();
  const calls: number[] = [];
  const entry: Paced = {
    pacing: undefined,
    onDue(now) {
      calls.push(now);
      if (calls.length < 3) pacer.schedule(entry, now + 50);
    },
  };
  pacer.schedule(entry, 0);
  for (let now = 0; now <= 200; now++) pacer.handleTimeout(now);
  assertEquals(calls, [0, 50, 100]);
});

Deno.test("Pacer lets an entry cancel others that are due in the same moment", () => {
  const pacer = new Pacer();
  const notes = [new Note(), new Note(), new Note()];
  const canceller: Paced = {
    pacing: undefined,
    onDue: () => notes.forEach((note) => pacer.cancel(note)),
  };
  pacer.schedule(canceller, 5);
  pacer.schedule(notes[0], 5);
  pacer.schedule(notes[1], 5);
  pacer.schedule(notes[2], 5 + 1024);
  pacer.handleTimeout(5);
  assertEquals(pacer.size, 0);
  pacer.handleTimeout(5 + 1024);
  assertEquals(notes.flatMap((note) => note.calls), []);
});

Deno.test("Pacer calls what is due together in the same order each time", () => {
  const pacer = new Pacer();
  const order: number[] = [];
  for (let i = 0; i < 4; i++) {
    const entry: Paced = {
      pacing: undefined,
      onDue: (now) => {
        order.push(i);
        pacer.schedule(entry, now + 10);
      },
    };
    pacer.schedule(entry, 10);
  }
  for (let now = 0; now <= 30; now++) pacer.handleTimeout(now);
  assertEquals(order, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
});

Deno.test("Pacer keeps those who wait when one throws", () => {
  const pacer = new Pacer();
  const [before, after] = [new Note(), new Note()];
  const thrower: Paced = {
    pacing: undefined,
    onDue: () => {
      throw new Error("mine");
    },
  };
  for (const entry of [before, thrower, after]) pacer.schedule(entry, 5);
  assertThrows(() => pacer.handleTimeout(5), Error, "mine");
  assertEquals([before.calls, after.calls, pacer.size], [[5], [], 1]);
  pacer.handleTimeout(6);
  assertEquals(after.calls, [6]);
});

Deno.test("Pacer catches up after a long sleep", () => {
  const pacer = new Pacer();
  const first = new Note();
  pacer.schedule(first, 1);
  pacer.handleTimeout(1);
  const notes = Array.from({ length: 50 }, (_, index) => {
    const note = new Note();
    pacer.schedule(note, 2 + index * 100);
    return note;
  });
  pacer.handleTimeout(1_000_000);
  assertEquals(notes.map((note) => note.calls.length), notes.map(() => 1));
});

Deno.test("Pacer.schedule() refuses a time that is no number", () => {
  assertThrows(() => new Pacer().schedule(new Note(), NaN), RangeError);
});

Deno.test("Pacer calls every entry once, never early, and at most 1 ms late, whatever the order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1, maxLength: 60 }),
      (deadlines) => {
        const pacer = new Pacer();
        const notes = deadlines.map((deadline) => {
          const note = new Note();
          pacer.schedule(note, deadline);
          return note;
        });
        let turns = 0;
        for (let next = pacer.nextTimeout(); next !== undefined; next = pacer.nextTimeout()) {
          pacer.handleTimeout(next);
          assert(++turns < 1000, "the pacer never comes to an end");
        }
        notes.forEach((note, index) => {
          assertEquals(note.calls.length, 1);
          assert(
            note.calls[0] >= deadlines[index],
            `${note.calls[0]} is before ${deadlines[index]}`,
          );
          assert(note.calls[0] <= deadlines[index] + 1);
        });
      },
    ),
    { numRuns: FUZZ_RUNS, seed: 1 },
  );
});
