import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RtpSender } from "../../lib/engine/sender.ts";
import { packetAt, type PacketBatch } from "../../lib/rtp.ts";
import { seeded } from "../support/property.ts";
import { eventsOf, labReceiverOf, passTime, receiverOf } from "../support/rtp_stream.ts";

/** What the network does to one packet: the delay of each copy that arrives, none when it is lost. */
type Fate = readonly number[];

interface Arrival {
  /** Counted from 0 with the first packet sent. */
  readonly index: number;
  readonly datagram: Uint8Array;
  readonly at: number;
}

const INTERVAL_MS = 4;
const PACKETS_A_FRAME = 4;

/** Sends one packet for each fate through our own sender; arrivals come sorted by time. */
function sent(sender: RtpSender, fates: readonly Fate[]): Arrival[] {
  const bytes = new Uint8Array(12 + 5);
  bytes[0] = 0x80;
  const batch: PacketBatch = { bytes, packetSize: 17, packetCount: 1, payloadSize: 5 };
  const arrivals: Arrival[] = [];
  fates.forEach((fate, index) => {
    sender.stamp(batch, sender.timestampAt(Math.floor(index / PACKETS_A_FRAME) * 3600));
    const datagram = packetAt(batch, 0).slice();
    for (const delay of fate) arrivals.push({ index, datagram, at: index * INTERVAL_MS + delay });
  });
  return arrivals.sort((a, b) => a.at - b.at);
}

/**
 * What must come out, from what was injected alone: a place is given up `latencyMs` after the first packet beyond it
 * arrived, so a packet is late when that was over before it came.
 */
function modelOf(arrivals: readonly Arrival[], latencyMs: number) {
  const came: Arrival[] = [];
  const counts = { packets: 0, duplicates: 0, reordered: 0, late: 0 };
  const onTime: number[] = [];
  for (const arrival of arrivals) {
    if (came.some((other) => other.index === arrival.index)) {
      counts.duplicates++;
      continue;
    }
    const beyond = came.filter((other) => other.index > arrival.index);
    if (beyond.length > 0) counts.reordered++;
    if (beyond.some((other) => other.at + latencyMs <= arrival.at)) counts.late++;
    else onTime.push(arrival.index);
    counts.packets++;
    came.push(arrival);
  }
  const expected = Math.max(...came.map((arrival) => arrival.index)) + 1;
  onTime.sort((a, b) => a - b);
  const delivered = onTime.map((index, i) => ({
    index,
    lostBefore: index - (onTime[i - 1] ?? -1) - 1,
  }));
  return {
    ...counts,
    expected,
    lost: expected - counts.packets,
    bytes: counts.packets * 5,
    delivered,
  };
}

const delay = fc.integer({ min: 0, max: 300 });
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 12, arbitrary: fc.constant([10]) },
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: delay.map((ms) => [ms]) },
  { weight: 1, arbitrary: fc.tuple(delay, delay) },
  { weight: 1, arbitrary: fc.tuple(delay, delay, delay) },
);
const scenario = fc.record({
  fates: fc.array(fate, { minLength: 1, maxLength: 120, size: "max" }),
  firstNumber: fc.constantFrom(0, 1, 40_000, 65_500, 65_535),
  firstTimestamp: fc.constantFrom(0, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 36_000),
  latencyMs: fc.constantFrom(0, 15, 100, 1000),
});

Deno.test("RtpReceiver property: counts and order are exactly what was injected, to the lost end", () => {
  fc.assert(
    fc.property(scenario, ({ fates, firstNumber, firstTimestamp, latencyMs }) => {
      const sender = senderOf(firstNumber, firstTimestamp);
      const receiver = receiverOf({ latencyMs });
      const arrivals = sent(sender, fates);
      fc.pre(arrivals.length > 0 && arrivals[0].index < 100);
      receiver.expect(firstNumber, firstTimestamp);
      for (const { datagram, at } of arrivals) {
        passTime(receiver, at);
        receiver.receive(datagram, at);
      }
      const end = arrivals.at(-1)!.at;
      const { delivered, ...counts } = modelOf(arrivals, latencyMs);
      assertCounts(receiver.stats(), counts);
      receiver.receiveRtcp(sender.goodbye(0, firstTimestamp), end, 0);
      passTime(receiver, end + latencyMs + 1000);
      assertEquals(deliveredBy(receiver, firstNumber), delivered);
      const lostAtAll = fates.filter((copies) => copies.length === 0).length;
      assertEquals([receiver.stats().lost, receiver.stats().expected], [lostAtAll, fates.length]);
      assertEquals(receiver.stats().foreign, 0);
    }),
    seeded(300),
  );
});

Deno.test("RtpReceiver property: the same without an announcement, from the first packets on", () => {
  fc.assert(
    fc.property(scenario, ({ fates, firstNumber, firstTimestamp, latencyMs }) => {
      const receiver = receiverOf({ latencyMs });
      // The first two come in order and alone, so that both sides agree on what is first.
      const arrivals = sent(senderOf(firstNumber, firstTimestamp), [[0], [0], ...fates])
        .map((arrival) => arrival.index < 2 ? arrival : { ...arrival, at: arrival.at + 10 });
      for (const { datagram, at } of arrivals) receiver.receive(datagram, at);
      const { delivered, ...counts } = modelOf(arrivals, latencyMs);
      assertCounts(receiver.stats(), counts);
      passTime(receiver, 30_000);
      assertEquals(deliveredBy(receiver, firstNumber), delivered);
    }),
    seeded(),
  );
});

Deno.test("RtpReceiver property: lab packets too, one a frame, 20 a second", () => {
  fc.assert(
    fc.property(scenario, ({ fates, latencyMs }) => {
      const receiver = labReceiverOf({ latencyMs });
      const arrivals = sent(senderOf(1, 0), fates)
        .map(({ index, datagram, at }) => ({
          index,
          datagram,
          at: at - index * INTERVAL_MS + index * 50,
        }))
        .sort((a, b) => a.at - b.at);
      fc.pre(arrivals.length > 0 && arrivals[0].index < 90);
      for (const { datagram, at } of arrivals) receiver.receive(datagram, at);
      const { delivered, ...counts } = modelOf(arrivals, latencyMs);
      // A frame numbered 1 long after the beginning is a new beginning.
      fc.pre(
        !arrivals.some(({ index, at }) => index === 0 && at - arrivals[0].at > 200 + latencyMs),
      );
      assertCounts(receiver.stats(), counts);
      passTime(receiver, 30_000);
      assertEquals(deliveredBy(receiver, 1), delivered);
    }),
    seeded(),
  );
});

Deno.test("RtpReceiver counts exactly over two cycles of the number and the wrap of the timestamp", () => {
  const sender = senderOf(65_000, 2 ** 32 - 90_000);
  const receiver = receiverOf({ latencyMs: 50 });
  receiver.expect(65_000);
  const fates = Array.from({ length: 140_000 }, (_, i): Fate => {
    if (i % 100 === 50) return [];
    if (i % 100 === 70) return [20];
    if (i % 100 === 90) return [0, 9];
    return [0];
  });
  let delivered = 0;
  for (const { datagram, at } of sent(sender, fates)) {
    receiver.receive(datagram, at);
    delivered += eventsOf(receiver).filter((event) => event.type === "packet").length;
  }
  const { packets, lost, duplicates, reordered, late, lossRatio } = receiver.stats();
  assertEquals({ packets, lost, duplicates, reordered, late, lossRatio, delivered }, {
    packets: 138_600,
    lost: 1400,
    duplicates: 1400,
    reordered: 1400,
    late: 0,
    lossRatio: 0.01,
    delivered: 138_600,
  });
});

function senderOf(sequenceNumber: number, timestamp: number): RtpSender {
  return new RtpSender({
    ssrc: 9,
    sequenceNumber,
    timestamp,
    clockRateHz: 90_000,
    payloadType: 26,
    cname: "camera@example.org",
  });
}

function assertCounts<T extends object>(actual: T, expected: Partial<T>): void {
  assertEquals({ ...actual, ...expected }, actual);
}

/** Packets in order of delivery, their index counted from the first number. */
function deliveredBy(receiver: ReturnType<typeof receiverOf>, firstNumber: number) {
  return eventsOf(receiver).flatMap((event) =>
    event.type === "packet"
      ? [{ index: event.extendedSequenceNumber - firstNumber, lostBefore: event.lostBefore }]
      : []
  );
}
