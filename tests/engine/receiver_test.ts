import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RtpReceiver } from "../../lib/engine/receiver.ts";
import { decodeRtcp, encodeRtcp, ntpFromUnixMs, type RtcpPacket } from "../../lib/rtcp.ts";
import { datagrams, seeded } from "../support/property.ts";
import {
  datagramOf,
  eventsOf,
  labReceiverOf,
  numbersOf,
  passTime,
  receiverOf,
} from "../support/rtp_stream.ts";

const bytes = (...octets: number[]) => new Uint8Array(octets);

function receiveAll(receiver: RtpReceiver, numbers: readonly number[], now = 0): void {
  for (const number of numbers) receiver.receive(datagramOf(number), now);
}

const senderReport = (fields: Partial<Extract<RtcpPacket, { type: "SR" }>> = {}): RtcpPacket => ({
  type: "SR",
  ssrc: 9,
  ntp: ntpFromUnixMs(1_767_225_600_000),
  rtpTimestamp: 0,
  packetCount: 0,
  octetCount: 0,
  reports: [],
  ...fields,
});
const reduced = (...packets: RtcpPacket[]) => encodeRtcp(packets, { isReducedSize: true });
const bye = (ssrc = 9): RtcpPacket => ({ type: "BYE", ssrcs: [ssrc] });

Deno.test("RtpReceiver delivers packets that are owned, with number, arrival and loss", () => {
  const receiver = receiverOf({ latencyMs: 0 });
  receiver.expect(65534);
  const datagram = datagramOf(65535);
  receiver.receive(datagram, 5);
  datagram.fill(0);
  receiver.receive(datagramOf(0), 6);
  const [first, second] = eventsOf(receiver);
  assert(first.type === "packet" && second.type === "packet");
  assertEquals(first.packet.payload, bytes(255));
  assertEquals([first.extendedSequenceNumber, first.arrivalMs, first.lostBefore], [65535, 5, 1]);
  assertEquals([second.extendedSequenceNumber, second.arrivalMs, second.lostBefore], [65536, 6, 0]);
});

Deno.test("RtpReceiver holds a source on probation until its second packet, and loses neither", () => {
  const receiver = receiverOf();
  receiver.receive(datagramOf(7), 0);
  assertEquals(numbersOf(receiver), []);
  assertEquals(receiver.stats().ssrc, undefined);
  receiver.receive(datagramOf(8), 1);
  assertEquals(numbersOf(receiver), [7, 8]);
  assertEquals(receiver.stats().ssrc, 9);
});

Deno.test("RtpReceiver orders the very first packets too", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [65535, 65534, 0]);
  assertEquals(numbersOf(receiver), [65534, 65535, 0]);
  const { expected, reordered, late } = receiver.stats();
  assertEquals([expected, reordered, late], [3, 1, 0]);
});

Deno.test("RtpReceiver believes an announced first packet at once", () => {
  const receiver = receiverOf();
  receiver.expect(65534);
  receiver.receive(datagramOf(65534), 0);
  assertEquals(numbersOf(receiver), [65534]);
});

Deno.test("RtpReceiver forgets an announcement that the packets contradict", () => {
  const receiver = receiverOf();
  receiver.expect(30_000);
  receiveAll(receiver, [7, 8, 9]);
  assertEquals(numbersOf(receiver), [7, 8, 9]);
  assertEquals(receiver.stats().lost, 0);
});

Deno.test("RtpReceiver.expect() after the first packets counts what was lost before them", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [12, 13]);
  receiver.expect(10);
  const { expected, lost } = receiver.stats();
  assertEquals([expected, lost], [4, 2]);
});

Deno.test("RtpReceiver counts malformed datagrams and foreign payload types, and goes on", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  receiver.receive(bytes(1, 2, 3), 0);
  receiver.receive(new Uint8Array(0), 0);
  receiver.receive(datagramOf(3, { payloadType: 96 }), 0);
  receiveAll(receiver, [3]);
  const { malformed, foreign, packets, lost } = receiver.stats();
  assertEquals([malformed, foreign, packets, lost], [2, 1, 3, 0]);
});

Deno.test("RtpReceiver counts a second source as foreign, whatever its numbers", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  for (let i = 0; i < 100; i++) {
    receiver.receive(datagramOf(3 + i), i);
    receiver.receive(datagramOf(500 + i, { ssrc: 5 }), i);
  }
  receiver.receive(datagramOf(103), 100);
  const { foreign, packets, lost, ssrc } = receiver.stats();
  assertEquals([foreign, packets, lost, ssrc], [100, 103, 0, 9]);
});

Deno.test("RtpReceiver shuts out a second source that comes in bursts once the first is back", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  let sentByFirst = 2;
  for (let burst = 0; burst < 20; burst++) {
    for (let i = 0; i < 10; i++) {
      receiver.receive(datagramOf(500 + burst * 10 + i, { ssrc: 5 }), burst * 40);
    }
    for (let i = 0; i < 10; i++) receiver.receive(datagramOf(++sentByFirst), burst * 40 + 20);
  }
  const { foreign, packets, ssrc } = receiver.stats();
  assertEquals([foreign, packets, ssrc], [190, 212, 9]);
});

Deno.test("RtpReceiver lets a shut out source in when the first has fallen silent", () => {
  const receiver = receiverOf();
  const other = (number: number, now: number) =>
    receiver.receive(datagramOf(number, { ssrc: 5 }), now);
  receiveAll(receiver, [1, 2]);
  for (const n of [1, 2]) other(n, 10);
  receiveAll(receiver, [3, 4], 20);
  for (const n of [3, 4]) other(n, 30);
  assertEquals(receiver.stats().ssrc, 9);
  for (const n of [5, 6]) other(n, 6000);
  assertEquals(receiver.stats().ssrc, 5);
});

Deno.test("RtpReceiver follows a camera that restarts with a new source, losing nothing", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [100, 101, 103]);
  for (const n of [9000, 9001, 9002]) receiver.receive(datagramOf(n, { ssrc: 77 }), 1);
  assertEquals(numbersOf(receiver), [100, 101, 103, 9000, 9001, 9002]);
  const { lost, packets, restarts, ssrc, foreign } = receiver.stats();
  assertEquals([lost, packets, restarts, ssrc, foreign], [1, 6, 1, 77, 0]);
});

Deno.test("RtpReceiver follows a camera that restarts under the same source, losing nothing", () => {
  for (const [from, to] of [[100, 40_000], [40_000, 100], [50, 0], [5000, 4000], [40, 45]]) {
    const receiver = receiverOf();
    for (let i = 0; i < 60; i++) {
      receiver.receive(datagramOf((from + i) & 0xffff, { timestamp: 1000 * i }), i);
    }
    for (let i = 0; i < 3; i++) {
      receiver.receive(datagramOf(to + i, { timestamp: 1_000_000_000 + i }), 60);
    }
    assertEquals(numbersOf(receiver).slice(-3), [to, to + 1, to + 2]);
    const { lost, packets, restarts, foreign, late } = receiver.stats();
    assertEquals([lost, packets, restarts, foreign, late], [0, 63, 1, 0, 0]);
  }
});

Deno.test("RtpReceiver drops a lone packet with a wild number", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  receiver.receive(datagramOf(30_000, { timestamp: 1 }), 0);
  receiveAll(receiver, [3, 4]);
  assertEquals(numbersOf(receiver), [1, 2, 3, 4]);
  const { lost, foreign, restarts } = receiver.stats();
  assertEquals([lost, foreign, restarts], [0, 1, 0]);
});

Deno.test("RtpReceiver counts a burst that comes far too late as late, not as a restart", () => {
  const receiver = receiverOf();
  const numbers = Array.from({ length: 700 }, (_, i) => i);
  receiveAll(receiver, numbers.filter((n) => n < 100 || n >= 110));
  receiveAll(receiver, [100, 101, 102, 103], 500);
  receiveAll(receiver, [5, 700], 500); // 5 is an old duplicate
  const { lost, late, duplicates, reordered, restarts } = receiver.stats();
  assertEquals([lost, late, duplicates, reordered, restarts], [6, 4, 1, 4, 0]);
});

Deno.test("RtpReceiver counts an outage as loss when timestamps and clock agree on it", () => {
  const receiver = receiverOf();
  const timestampOf = (i: number) => Math.floor(i / 100) * 3600;
  for (let i = 0; i < 10_000; i++) {
    if (i >= 4000 && i < 8000) continue;
    receiver.receive(datagramOf(i, { timestamp: timestampOf(i) }), i * 0.4);
  }
  const { lost, restarts } = receiver.stats();
  assertEquals([lost, restarts], [4000, 0]);
});

Deno.test("RtpReceiver.reset() counts no loss over a pause, whatever the numbers do", () => {
  for (const [next, restarts] of [[4, 0], [50, 0], [20_000, 0], [60_000, 1]]) {
    const receiver = receiverOf();
    receiveAll(receiver, [1, 2, 3]);
    receiver.reset();
    receiveAll(receiver, [next, next + 1], 5000);
    assertEquals(numbersOf(receiver), [1, 2, 3, next, next + 1]);
    const stats = receiver.stats();
    assertEquals([stats.lost, stats.packets, stats.restarts], [0, 5, restarts]);
  }
});

Deno.test("RtpReceiver.reset() and expect() pass over stragglers, and count a lost first packet", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2, 4]);
  receiver.reset();
  receiver.expect(10);
  receiveAll(receiver, [5, 3, 4, 11, 12]); // 3 and 5 were under way, 4 is doubled, 10 is lost
  assertEquals(numbersOf(receiver), [1, 2]);
  passTime(receiver, 100);
  assertEquals(numbersOf(receiver), [11, 12]);
  const { expected, packets, lost, late, duplicates } = receiver.stats();
  assertEquals([expected, packets, lost, late, duplicates], [8, 7, 1, 2, 1]);
});

Deno.test("RtpReceiver.expect() with a timestamp alone passes over what is older", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  numbersOf(receiver);
  receiver.reset();
  receiver.expect(undefined, 1000);
  receiver.receive(datagramOf(3, { timestamp: 300 }), 0);
  receiver.receive(datagramOf(4, { timestamp: 1000 }), 0);
  assertEquals(numbersOf(receiver), [4]);
});

Deno.test("RtpReceiver never holds more than it may, nor queues more for who does not poll", () => {
  const held = receiverOf({ latencyMs: 1e6, maxBufferBytes: 20_000 });
  receiveAll(held, [0, 1]);
  for (let n = 3; n < 4000; n += 2) {
    held.receive(datagramOf(n), 0);
    eventsOf(held);
    assert(held.stats().bufferedPackets < 100);
  }
  const unpolled = receiverOf({ maxBufferBytes: 20_000 });
  for (let n = 0; n < 4000; n++) unpolled.receive(datagramOf(n), 0);
  for (let i = 0; i < 4000; i++) unpolled.receiveRtcp(reduced(senderReport()), 0, 0);
  const { overflowed } = unpolled.stats();
  const queued = eventsOf(unpolled).length;
  assert(queued < 100);
  assertEquals(queued + overflowed, 8000);
});

Deno.test("RtpReceiver reports at RFC 3550 intervals, with a block while packets come", () => {
  const receiver = receiverOf({ random: () => 0 });
  assertEquals(receiver.nextTimeout(), undefined);
  receiveAll(receiver, [1, 2, 4], 1000);
  assertEquals(receiver.nextTimeout(), 1100); // the gap
  const ntp = { seconds: 0x1234_5678, fraction: 0x9abc_def0 };
  receiver.receiveRtcp(reduced(senderReport({ ntp })), 1500, 0);
  const due = receiver.nextTimeout()!;
  assertAlmostEquals(due, 1000 + 1250 / 1.21828, 0.1);
  passTime(receiver, due);
  const event = eventsOf(receiver).at(-1)!;
  assert(event.type === "rtcp");
  assertEquals(decodeRtcp(event.bytes), [
    {
      type: "RR",
      ssrc: 1,
      reports: [{
        ssrc: 9,
        fractionLost: 64,
        cumulativeLost: 1,
        extendedHighestSequenceNumber: 4,
        interarrivalJitter: 18, // 100 / 16, then (200 - that) / 16 more
        lastSr: 0x5678_9abc,
        delaySinceLastSr: Math.round((due - 1500) * 65.536),
      }],
    },
    { type: "SDES", chunks: [{ ssrc: 1, items: [{ itemType: 1, text: "viewer@example.org" }] }] },
  ]);
  const second = receiver.nextTimeout()!;
  assertAlmostEquals(second - due, 2500 / 1.21828, 0.1);
  passTime(receiver, second);
  const [empty] = eventsOf(receiver);
  assert(empty.type === "rtcp");
  assertEquals(decodeRtcp(empty.bytes)[0], { type: "RR", ssrc: 1, reports: [] });
});

Deno.test("RtpReceiver.goodbye() says RR, SDES and BYE, and plans no report after it", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  const packets = decodeRtcp(receiver.goodbye(0));
  assertEquals(packets.map((packet) => packet.type), ["RR", "SDES", "BYE"]);
  receiveAll(receiver, [3], 10);
  assertEquals(receiver.nextTimeout(), undefined);
});

Deno.test("RtpReceiver.wallClock() follows the newest sender report of the source, across the wrap", () => {
  const receiver = receiverOf();
  assertEquals(receiver.wallClock(0), undefined);
  const unixMs = 1_767_225_600_250;
  // The report of the source comes before its first packet, one of another after it.
  const ntp = ntpFromUnixMs(unixMs);
  receiver.receiveRtcp(reduced(senderReport({ rtpTimestamp: 2 ** 32 - 9000, ntp })), 0, 0);
  receiveAll(receiver, [1, 2]);
  receiver.receiveRtcp(reduced(senderReport({ ssrc: 5, ntp: ntpFromUnixMs(0) })), 0, 0);
  assertAlmostEquals(receiver.wallClock(2 ** 32 - 9000)!, unixMs, 0.01);
  assertAlmostEquals(receiver.wallClock(9000)!, unixMs + 200, 0.01);
  assertAlmostEquals(receiver.wallClock(2 ** 32 - 99_000)!, unixMs - 1000, 0.01);
  receiver.receiveRtcp(reduced(senderReport({ ntp: { seconds: 0, fraction: 0 } })), 0, 0);
  assertEquals(receiver.wallClock(9000), undefined);
});

Deno.test("RtpReceiver tells of sender reports", () => {
  const receiver = receiverOf();
  receiver.receiveRtcp(reduced(senderReport({ rtpTimestamp: 7 })), 3, 0);
  const ntp = ntpFromUnixMs(1_767_225_600_000);
  assertEquals(eventsOf(receiver), [
    { type: "sender-report", ssrc: 9, ntp, rtpTimestamp: 7, arrivalMs: 3 },
  ]);
});

Deno.test("RtpReceiver ends with a BYE once the packets it overtook had time to come", () => {
  const receiver = receiverOf({ latencyMs: 0 });
  receiveAll(receiver, [1, 2]);
  receiver.receiveRtcp(reduced(bye()), 0, 0);
  receiveAll(receiver, [3], 50);
  passTime(receiver, 99);
  assertEquals(eventsOf(receiver).map((event) => event.type), ["packet", "packet", "packet"]);
  passTime(receiver, 100);
  receiver.receiveRtcp(reduced(bye()), 101, 0); // said twice
  passTime(receiver, 500);
  assertEquals(eventsOf(receiver), [{ type: "goodbye" }]);
});

Deno.test("RtpReceiver ends at once when the sender's count says that everything came", () => {
  const receiver = receiverOf();
  receiver.expect(1);
  receiveAll(receiver, [1, 2]);
  eventsOf(receiver);
  const reason = "End of file";
  receiver.receiveRtcp(
    reduced(senderReport({ packetCount: 2 }), { type: "BYE", ssrcs: [9], reason }),
    0,
    0,
  );
  assertEquals(eventsOf(receiver).at(-1), { type: "goodbye", reason });
});

Deno.test("RtpReceiver delivers what waits behind a gap before the goodbye", () => {
  const receiver = receiverOf({ latencyMs: 1000 });
  receiveAll(receiver, [1, 2, 4]);
  receiver.receiveRtcp(reduced(bye()), 0, 0);
  passTime(receiver, 1000);
  const types = eventsOf(receiver).map((event) => event.type);
  assertEquals(types, ["packet", "packet", "packet", "goodbye"]);
});

Deno.test("RtpReceiver does not believe a count that begins elsewhere", () => {
  const receiver = receiverOf();
  receiver.expect(1);
  receiveAll(receiver, [1, 2]);
  receiver.receiveRtcp(reduced(senderReport({ packetCount: 5000 })), 0, 0);
  receiver.receiveRtcp(reduced(senderReport({ packetCount: 12 }), bye()), 0, 0);
  passTime(receiver, 1000);
  assertEquals(receiver.stats().lost, 0);
  const unannounced = receiverOf();
  receiveAll(unannounced, [1, 2]);
  unannounced.receiveRtcp(reduced(senderReport({ packetCount: 12 }), bye()), 0, 0);
  passTime(unannounced, 1000);
  assertEquals(unannounced.stats().lost, 0);
});

Deno.test("RtpReceiver ignores the BYE of others, and takes one before any packet", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  receiver.receiveRtcp(reduced(bye(5)), 0, 0);
  passTime(receiver, 500);
  assertEquals(numbersOf(receiver), [1, 2]);
  const early = receiverOf();
  early.receiveRtcp(reduced(bye()), 0, 0);
  passTime(early, 500);
  assertEquals(eventsOf(early), [{ type: "goodbye" }]);
});

Deno.test("RtpReceiver delivers the only packet of a source that says goodbye", () => {
  const receiver = receiverOf();
  receiver.receive(datagramOf(7, { ssrc: 5 }), 0);
  receiver.receive(datagramOf(8), 0);
  receiver.receiveRtcp(reduced(bye()), 10, 0);
  passTime(receiver, 500);
  assertEquals(eventsOf(receiver).map((event) => event.type), ["packet", "goodbye"]);
  const { packets, foreign, ssrc } = receiver.stats();
  assertEquals([packets, foreign, ssrc], [1, 1, 9]);
});

Deno.test("RtpReceiver goes on after a goodbye when packets come again", () => {
  const receiver = receiverOf();
  receiveAll(receiver, [1, 2]);
  receiver.receiveRtcp(reduced(bye()), 0, 0);
  passTime(receiver, 500);
  receiver.reset();
  receiver.expect(3);
  receiveAll(receiver, [3, 4], 600);
  receiver.receiveRtcp(reduced(bye()), 600, 0);
  passTime(receiver, 1000);
  const types = eventsOf(receiver).map((event) => event.type);
  assertEquals(types, ["packet", "packet", "goodbye", "packet", "packet", "goodbye"]);
});

Deno.test("RtpReceiver property: any datagrams, on both sockets, never make it throw nor grow", () => {
  const firsts = [0x80, 0x81, 0x90, 0xa0];
  const likely = fc.tuple(fc.nat({ max: 65535 }), fc.constantFrom(5, 9), fc.nat({ max: 127 }))
    .map(([number, ssrc, payloadType]) => datagramOf(number, { ssrc, payloadType }));
  const rtcp = fc.constantFrom(reduced(senderReport()), reduced(bye()), reduced(bye(5)));
  const call = fc.tuple(
    fc.oneof(datagrams({ firsts }), likely, rtcp),
    fc.constantFrom("rtp", "rtcp", "timeout", "reset", "expect", "poll"),
    fc.nat({ max: 300 }),
  );
  fc.assert(
    fc.property(fc.array(call, { maxLength: 100, size: "max" }), fc.boolean(), (calls, isLab) => {
      const receiver = isLab ? labReceiverOf() : receiverOf();
      let now = 0;
      for (const [datagram, what, ms] of calls) {
        now += ms;
        if (what === "rtp") receiver.receive(datagram, now);
        else if (what === "rtcp") receiver.receiveRtcp(datagram, now, 0);
        else if (what === "reset") receiver.reset();
        else if (what === "expect") receiver.expect(ms * 200, ms);
        else if (what === "poll") eventsOf(receiver);
        else passTime(receiver, now);
        const { expected, packets, lost, lossRatio, bufferedPackets } = receiver.stats();
        if (!isLab) assertEquals(lost, expected - packets);
        assert(lost >= 0 && lossRatio >= 0 && lossRatio <= 1 && bufferedPackets <= 100);
      }
    }),
    seeded(300),
  );
});
