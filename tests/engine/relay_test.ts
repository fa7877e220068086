import { assertEquals } from "@std/assert";
import { Relay, type RelayFrame, type RelayReader, type RelayWay } from "../../lib/engine/relay.ts";
import { RtpSender } from "../../lib/engine/sender.ts";
import { decodeRtcp } from "../../lib/rtcp.ts";
import { decodeRtp, packetAt } from "../../lib/rtp.ts";

/** Three packets, the last shorter. */
function frameOf(mediaTicks: number): RelayFrame {
  const bytes = new Uint8Array(20 + 20 + 15);
  for (const at of [0, 20, 40]) bytes[at] = 0x80;
  return {
    batch: { bytes, packetSize: 20, packetCount: 3, payloadSize: 19 },
    mediaTicks,
    spreadMs: 9,
  };
}

function relayOf(): Relay<Reader> {
  return new Relay(
    new RtpSender({
      ssrc: 9,
      sequenceNumber: 65_534,
      timestamp: 2 ** 32 - 1,
      clockRateHz: 90_000,
      payloadType: 26,
      cname: "camera@example.org",
    }),
  );
}

/** Keeps the reports that it is given. */
class Reader implements RelayReader {
  readonly name: string;
  readonly reports: Uint8Array[] = [];

  constructor(name: string) {
    this.name = name;
  }

  takeReport(bytes: Uint8Array): void {
    this.reports.push(bytes);
  }
}

/** Writes down what it is told. */
class Way implements RelayWay<Reader> {
  readonly told: string[] = [];
  readonly sets: (readonly Reader[])[] = [];

  sendFrame({ batch }: RelayFrame, readers: readonly Reader[]): void {
    const { sequenceNumber, timestamp, ssrc } = decodeRtp(packetAt(batch, 0));
    const names = readers.map(({ name }) => name).join("");
    this.told.push(`${sequenceNumber}/${timestamp}/${ssrc} to ${names}`);
    this.sets.push(readers);
  }

  finishFrame(): void {
    this.told.push("finish");
  }

  dismiss({ name }: Reader): void {
    this.told.push(`dismiss ${name}`);
  }
}

Deno.test("Relay.push() stamps once for all ways, after each has finished with the frame before", () => {
  const relay = relayOf();
  const one = new Way(), two = new Way();
  relay.join(new Reader("a"), one, 0);
  relay.join(new Reader("b"), two, 0);
  relay.join(new Reader("c"), one, 0);
  relay.push(frameOf(1));
  relay.push(frameOf(3601));
  assertEquals(one.told, ["finish", "65534/0/9 to ac", "finish", "1/3600/9 to ac"]);
  assertEquals(two.told, ["finish", "65534/0/9 to b", "finish", "1/3600/9 to b"]);
  assertEquals(one.sets[0], one.sets[1]);
  assertEquals(relay.sender.stats().packetsSent, 6);
});

Deno.test("Relay gives a way the same array for the same readers, another one for others", () => {
  const relay = relayOf();
  const way = new Way();
  const a = new Reader("a"), b = new Reader("b");
  relay.join(a, way, 0);
  relay.push(frameOf(0));
  relay.push(frameOf(1));
  relay.join(b, way, 0);
  relay.push(frameOf(2));
  relay.leave(a);
  relay.push(frameOf(3));
  const names = way.sets.map((set) => set.map(({ name }) => name).join(""));
  assertEquals(names, ["a", "a", "ab", "b"]);
  assertEquals(way.sets.map((set) => set === way.sets[0]), [true, true, false, false]);
});

Deno.test("Relay.leave() lets the way dismiss the reader; a way without readers is told nothing more", () => {
  const relay = relayOf();
  const way = new Way(), other = new Way();
  const reader = new Reader("a");
  relay.leave(reader);
  relay.join(reader, way, 0);
  relay.join(reader, other, 0);
  relay.push(frameOf(0));
  relay.leave(reader);
  relay.leave(reader);
  relay.push(frameOf(1));
  assertEquals(way.told, ["dismiss a"]);
  assertEquals(other.told, ["finish", "65534/4294967295/9 to a", "dismiss a"]);
  assertEquals([relay.readerCount, relay.sender.nextSequenceNumber], [0, 4]);
});

Deno.test("Relay tells the time to newcomers at once and to all now and then, with the source's own counters", () => {
  const relay = relayOf();
  const way = new Way();
  const a = new Reader("a"), b = new Reader("b");
  assertEquals(relay.reportDue(0), false);
  relay.join(a, way, 0);
  assertEquals(relay.reportDue(0), true);
  relay.sendReport(0, 1_767_225_600_000, 1);
  relay.push(frameOf(1));
  assertEquals(relay.reportDue(1), false);
  relay.join(b, way, 1);
  relay.sendReport(1, 1_767_225_600_001, 91);
  assertEquals([a.reports.length, b.reports.length], [1, 1]);
  const [report] = decodeRtcp(b.reports[0]);
  assertEquals(report.type === "SR" && [report.ssrc, report.packetCount, report.octetCount], [
    9,
    3,
    19,
  ]);
  assertEquals(report.type === "SR" && report.rtpTimestamp, 90);
  assertEquals([relay.reportDue(4000), relay.reportDue(5000)], [false, true]);
  relay.sendReport(5000, 1_767_225_605_000, 450_000);
  assertEquals(a.reports[1], b.reports[1]);
  relay.leave(a);
  relay.leave(b);
  assertEquals(relay.reportDue(1e9), false);
});

Deno.test("Relay forgets a newcomer that left before it was told the time", () => {
  const relay = relayOf();
  const a = new Reader("a"), b = new Reader("b");
  const way = new Way();
  relay.join(a, way, 0);
  relay.sendReport(0, 0, 0);
  relay.join(b, way, 0);
  relay.leave(b);
  assertEquals(relay.reportDue(1), false);
});
