import { assertEquals } from "@std/assert";
import { FrameLedger, frameRuns, type LedgerFrame } from "../../lib/ui/frame_ledger.ts";

/** One letter a packet: r received, o reordered, l late, x lost. */
function fatesOf(frame: Pick<LedgerFrame, "first" | "packets">): string {
  const letters = { received: "r", reordered: "o", late: "l", lost: "x", sent: "s" };
  return frameRuns(frame).map(({ status, count }) => letters[status].repeat(count)).join("");
}

/** A stream of frames of four packets; `id` of a packet is its index, from 1. */
class Stream {
  readonly ledger = new FrameLedger();
  readonly #first: number;

  constructor(first = 100) {
    this.#first = first;
  }

  note(index: number): number {
    return this.ledger.note({
      sequenceNumber: (this.#first + index) % 0x10000,
      timestamp: Math.floor(index / 4) * 3600,
      marker: index % 4 === 3,
      size: index % 4 === 3 ? 700 : 1000,
      id: index + 1,
    }, index);
  }

  /** The frame with this number was delivered. */
  deliver(frame: number): { dropped: LedgerFrame[]; made: LedgerFrame } {
    const first = (this.#first + frame * 4) % 0x10000;
    const dropped = this.ledger.droppedBefore(first);
    return { dropped, made: this.ledger.delivered(first, 4) };
  }
}

Deno.test("FrameLedger tells the packets of a whole frame as one run", () => {
  const stream = new Stream();
  for (let i = 0; i < 4; i++) stream.note(i);
  const { dropped, made } = stream.deliver(0);
  assertEquals(dropped, []);
  assertEquals([made.timestamp, made.firstMs, made.packetCount], [0, 0, 4]);
  const run = { sequenceNumber: 100, count: 4, status: "received", packet: 1 } as const;
  assertEquals(frameRuns(made), [{ ...run, size: 1000, lastSize: 700 }]);
});

Deno.test("frameRuns() joins packets of one size, and a last one that is smaller", () => {
  const packets = [1, 7, 1400, 1, 8, 1400, 1, 9, 300, 1, 10, 1400, 0, 0, 0, 0, 0, 0];
  assertEquals(frameRuns({ first: 0x10000 - 1, packets }), [
    { sequenceNumber: 65535, count: 3, status: "received", packet: 7, size: 1400, lastSize: 300 },
    { sequenceNumber: 2, count: 1, status: "received", packet: 10, size: 1400, lastSize: 1400 },
    { sequenceNumber: 3, count: 2, status: "lost", packet: null, size: 0, lastSize: 0 },
  ]);
});

for (const first of [100, 65_530]) {
  Deno.test(`FrameLedger gives lost packets to the frame that they cost, from number ${first}`, () => {
    const stream = new Stream(first);
    for (const i of [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]) stream.note(i);
    stream.deliver(0);
    const { dropped, made } = stream.deliver(2);
    assertEquals(dropped.map(fatesOf), ["rrxr"]);
    assertEquals(dropped[0].timestamp, 3600);
    assertEquals(fatesOf(made), "rrrr");
  });

  Deno.test(`FrameLedger tells of frames of which nothing came, from number ${first}`, () => {
    const stream = new Stream(first);
    for (const i of [0, 1, 2, 3, 8, 9, 10, 11]) stream.note(i);
    stream.deliver(0);
    const { dropped } = stream.deliver(2);
    assertEquals(dropped.map(fatesOf), ["xxxx"]);
    assertEquals([dropped[0].timestamp, dropped[0].firstMs], [null, undefined]);
  });

  Deno.test(`FrameLedger tells reordered and late packets, from number ${first}`, () => {
    const stream = new Stream(first);
    for (const i of [0, 2, 1, 3]) stream.note(i);
    assertEquals(fatesOf(stream.deliver(0).made), "rorr");
    for (const i of [4, 5, 7, 8, 9, 10, 11]) stream.note(i);
    const { dropped } = stream.deliver(2);
    stream.ledger.told(dropped[0], 77);
    assertEquals(stream.note(6), 77);
    stream.ledger.correct(dropped[0], (first + 6) % 0x10000);
    assertEquals(fatesOf(dropped[0]), "rrlr");
  });
}

Deno.test("FrameLedger passes duplicates over, and begins anew after a jump or a restart", () => {
  const stream = new Stream();
  for (const i of [0, 1, 1, 2, 3]) stream.note(i);
  assertEquals(fatesOf(stream.deliver(0).made), "rrrr");
  for (let i = 20_000; i < 20_004; i++) stream.note(i);
  const jumped = stream.deliver(5000);
  assertEquals([jumped.dropped.length, fatesOf(jumped.made)], [0, "rrrr"]);
  stream.ledger.restart();
  for (let i = 20_400; i < 20_404; i++) stream.note(i);
  assertEquals(stream.deliver(5100).dropped, []);
});

Deno.test("FrameLedger gives up what is long ago, though nothing is ever delivered", () => {
  const stream = new Stream();
  let told = 0;
  for (let i = 0; i < 20_000; i++) {
    if (i % 4 !== 1) stream.note(i);
    if (i % 500 === 0) {
      for (const frame of stream.ledger.droppedLongAgo()) {
        told++;
        if (frame.packetCount === 4) assertEquals(fatesOf(frame), "rxrr");
      }
    }
  }
  assertEquals(told > 4000, true);
});

Deno.test("FrameLedger takes any packets in any order without a fault", () => {
  let seed = 1;
  const random = (n: number) => (seed = seed * 48_271 % 0x7fff_ffff) % n;
  const ledger = new FrameLedger();
  for (let i = 0; i < 20_000; i++) {
    const sequenceNumber = random(3) ? (i + random(9)) % 0x10000 : random(0x10000);
    ledger.note(
      { sequenceNumber, timestamp: random(5), marker: !random(4), size: 9, id: i + 1 },
      i,
    );
    if (random(20)) continue;
    for (const frame of ledger.droppedBefore(random(0x10000))) {
      assertEquals(fatesOf(frame).length, Math.min(1024, frame.packetCount));
    }
    ledger.told(ledger.delivered(sequenceNumber, 1 + random(9)), i);
    ledger.droppedLongAgo();
  }
});
