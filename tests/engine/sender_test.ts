import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RtpSender, type RtpSenderOptions } from "../../lib/engine/sender.ts";
import {
  compactNtp,
  decodeRtcp,
  encodeRtcp,
  ntpFromUnixMs,
  type ReportBlock,
  type RtcpPacket,
} from "../../lib/rtcp.ts";
import { decodeRtp, packetAt } from "../../lib/rtp.ts";
import { datagrams, seeded } from "../support/property.ts";
import { receiverOf } from "../support/rtp_stream.ts";

function senderOf(options: Partial<RtpSenderOptions> = {}): RtpSender {
  return new RtpSender({
    ssrc: 9,
    sequenceNumber: 65_534,
    timestamp: 2 ** 32 - 3600,
    clockRateHz: 90_000,
    payloadType: 26,
    cname: "camera@example.org",
    ...options,
  });
}

/** Three packets, the last shorter. */
function batchOf() {
  const bytes = new Uint8Array(20 + 20 + 15);
  for (const at of [0, 20, 40]) bytes[at] = 0x80;
  bytes[41] = 0x80;
  return { bytes, packetSize: 20, packetCount: 3, payloadSize: 8 + 8 + 3 };
}

function reportOf(fields: Partial<ReportBlock>): Uint8Array {
  const block: ReportBlock = {
    ssrc: 9,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighestSequenceNumber: 0,
    interarrivalJitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
    ...fields,
  };
  return encodeRtcp([{ type: "RR", ssrc: 5, reports: [block] }], { isReducedSize: true });
}

Deno.test("RtpSender.stamp() goes on with the numbers, across the wrap, and counts", () => {
  const sender = senderOf();
  const batch = batchOf();
  assertEquals(sender.nextSequenceNumber, 65_534);
  sender.stamp(batch, sender.timestampAt(0));
  assertEquals(decodeRtp(packetAt(batch, 2)).sequenceNumber, 0);
  sender.stamp(batch, sender.timestampAt(7200));
  const packets = [0, 1, 2].map((i) => decodeRtp(packetAt(batch, i)));
  assertEquals(packets.map((packet) => packet.sequenceNumber), [1, 2, 3]);
  assertEquals(packets.map((packet) => packet.timestamp), [3600, 3600, 3600]);
  assertEquals(packets.map((packet) => packet.marker), [false, false, true]);
  assertEquals(packets.map((packet) => packet.payloadType), [26, 26, 26]);
  const { packetsSent, octetsSent } = sender.stats();
  assertEquals([sender.nextSequenceNumber, packetsSent, octetsSent], [4, 6, 38]);
});

Deno.test("RtpSender.skip() leaves numbers out and does not count them", () => {
  const sender = senderOf();
  sender.skip(3);
  assertEquals([sender.nextSequenceNumber, sender.stats().packetsSent], [1, 0]);
});

Deno.test("RtpSender.report() is a compound of SR and SDES; goodbye() adds BYE", () => {
  const sender = senderOf();
  sender.stamp(batchOf(), 0);
  const ntp = ntpFromUnixMs(1_767_225_600_500);
  const compound: RtcpPacket[] = [
    {
      type: "SR",
      ssrc: 9,
      ntp,
      rtpTimestamp: 7,
      packetCount: 3,
      octetCount: 19,
      reports: [],
    },
    { type: "SDES", chunks: [{ ssrc: 9, items: [{ itemType: 1, text: "camera@example.org" }] }] },
  ];
  assertEquals(decodeRtcp(sender.report(1_767_225_600_500, 7)), compound);
  assertEquals(decodeRtcp(sender.goodbye(1_767_225_600_500, 7)), [
    ...compound,
    { type: "BYE", ssrcs: [9] },
  ]);
  assertEquals(sender.stats().reportsSent, 2);
});

Deno.test("RtpSender wants its first report at once, later ones at RFC 3550 intervals", () => {
  for (const [random, interval] of [[0, 2052.06], [0.5, 4104.12], [0.999999, 6156.18]]) {
    const sender = senderOf({ random: () => random });
    assertEquals([sender.reportDue(0), sender.nextReportTimeout()], [false, undefined]);
    sender.startReports(100);
    assertEquals([sender.reportDue(99), sender.reportDue(100)], [false, true]);
    sender.reportSent(100);
    assertAlmostEquals(sender.nextReportTimeout()!, 100 + interval, 0.1);
    sender.stopReports();
    assertEquals([sender.reportDue(1e9), sender.nextReportTimeout()], [false, undefined]);
  }
});

Deno.test("RtpSender reads receiver reports about its own source", () => {
  const sender = senderOf();
  const unixMs = 1_767_225_600_000;
  const lastSr = compactNtp(ntpFromUnixMs(unixMs));
  sender.receive(reportOf({ ssrc: 8, cumulativeLost: 99 }), 0, unixMs);
  assertEquals(sender.stats().receiverReports, 0);
  assertEquals(sender.stats().fractionLost, undefined);
  const delaySinceLastSr = 2 * 65536;
  sender.receive(
    reportOf({
      fractionLost: 64,
      cumulativeLost: 5,
      interarrivalJitter: 900,
      lastSr,
      delaySinceLastSr,
    }),
    0,
    unixMs + 2040,
  );
  const { receiverReports, fractionLost, cumulativeLost, jitterMs, roundTripMs } = sender.stats();
  assertEquals([receiverReports, fractionLost, cumulativeLost, jitterMs], [1, 0.25, 5, 10]);
  assertAlmostEquals(roundTripMs!, 40, 0.1);
});

Deno.test("RtpSender computes the round trip across the wrap of the compact timestamp", () => {
  const sender = senderOf();
  // 65,536 s after a multiple of them in NTP time.
  const wrapMs = (Math.ceil((1_767_225_600 + 2_208_988_800) / 65536) * 65536 - 2_208_988_800) *
    1000;
  const lastSr = compactNtp(ntpFromUnixMs(wrapMs - 10));
  sender.receive(reportOf({ lastSr }), 0, wrapMs + 15);
  assertAlmostEquals(sender.stats().roundTripMs!, 25, 0.1);
  // A peer that says it waited longer than passed: no negative time.
  sender.receive(reportOf({ lastSr, delaySinceLastSr: 65536 }), 0, wrapMs + 15);
  assertEquals(sender.stats().roundTripMs, 0);
});

Deno.test("RtpSender takes a sum below zero, and doubts a first report that contradicts itself", () => {
  const sender = senderOf();
  sender.receive(reportOf({ fractionLost: 250, cumulativeLost: -1 }), 0, 0);
  assertEquals([sender.stats().fractionLost, sender.stats().cumulativeLost], [0, -1]);
  sender.receive(reportOf({ fractionLost: 128, cumulativeLost: 0 }), 0, 0);
  assertEquals(sender.stats().fractionLost, 0.5);
});

Deno.test("RtpSender counts what it cannot read, and notices a BYE", () => {
  const sender = senderOf();
  sender.receive(new Uint8Array([1, 2, 3]), 0, 0);
  assertEquals([sender.stats().malformed, sender.stats().goodbyeReceived], [1, false]);
  sender.receive(receiverOf().goodbye(0), 0, 0);
  assertEquals(sender.stats().goodbyeReceived, true);
});

Deno.test("RtpSender and RtpReceiver agree on loss, jitter and round trip", () => {
  const sender = senderOf({ sequenceNumber: 65_500 });
  const receiver = receiverOf({ random: () => 0 });
  const epoch = 1_767_225_600_000;
  const [there, back] = [15, 25];
  receiver.receiveRtcp(sender.report(epoch, sender.timestampAt(0)), there, epoch + there);
  receiver.expect(65_500);
  for (let i = 0; i < 100; i++) {
    const batch = batchOf();
    sender.stamp(batch, sender.timestampAt(i * 900));
    if (i % 10 === 5) continue;
    for (let p = 0; p < 3; p++) receiver.receive(packetAt(batch, p), i * 10 + there);
  }
  const due = receiver.nextTimeout()!;
  receiver.handleTimeout(due);
  let report: Uint8Array | undefined;
  for (let event = receiver.poll(); event; event = receiver.poll()) {
    if (event.type === "rtcp") report = event.bytes;
  }
  sender.receive(report!, due + back, epoch + due + back);
  const stats = sender.stats();
  assertEquals([stats.cumulativeLost, stats.fractionLost], [30, Math.floor(0.1 * 256) / 256]);
  assertEquals(stats.jitterMs, 0);
  assertAlmostEquals(stats.roundTripMs!, there + back, 0.1);
  assertAlmostEquals(receiver.wallClock(sender.timestampAt(90_000))!, epoch + 1000, 1);
});

Deno.test("RtpSender refuses a clock rate that is none", () => {
  assertThrows(() => senderOf({ clockRateHz: 0 }), RangeError, `clock rate "0"`);
});

Deno.test("RtpSender.receive() property: any datagram, never throws", () => {
  fc.assert(
    fc.property(datagrams({ firsts: [0x80, 0x81, 0xa0] }), (datagram) => {
      senderOf().receive(datagram, 0, 0);
    }),
    seeded(),
  );
});
