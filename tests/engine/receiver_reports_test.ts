import { assertEquals } from "@std/assert";
import { ReceiverReports } from "../../lib/engine/receiver_reports.ts";
import type { SenderReport } from "../../lib/rtcp.ts";

const reportsOf = () =>
  new ReceiverReports({ ssrc: 1, cname: "a@b", clockRateHz: 90_000, random: () => 0.5 });

const senderReport = (ssrc: number): SenderReport => ({
  type: "SR",
  ssrc,
  ntp: { seconds: 2_208_988_800, fraction: 0 },
  rtpTimestamp: 0,
  packetCount: 0,
  octetCount: 0,
  reports: [],
});

Deno.test("ReceiverReports plans its first report once, however often it is started", () => {
  const reports = reportsOf();
  reports.start(0);
  const first = reports.nextTimeout();
  reports.start(1000);
  assertEquals(reports.nextTimeout(), first);
});

Deno.test("ReceiverReports remembers a bounded number of sources, the newest", () => {
  const reports = reportsOf();
  for (let ssrc = 0; ssrc < 100; ssrc++) reports.receive(senderReport(ssrc), ssrc);
  assertEquals(reports.wallClock(95, 0), undefined);
  assertEquals(reports.wallClock(96, 90_000), 1000);
  assertEquals(reports.lastSr(95, 100), { lastSr: 0, delaySinceLastSr: 0 });
  assertEquals(reports.lastSr(99, 1099).delaySinceLastSr, 65536);
});

Deno.test("ReceiverReports tells no wall clock between a jump and the next report, but still its LSR", () => {
  const reports = reportsOf();
  reports.receive(senderReport(9), 0);
  assertEquals(reports.wallClock(9, 90_000), 1000);
  reports.doubtWallClocks();
  assertEquals(reports.wallClock(9, 90_000), undefined);
  assertEquals(reports.lastSr(9, 1000).delaySinceLastSr, 65536);
  reports.receive(senderReport(9), 2000);
  assertEquals(reports.wallClock(9, 90_000), 1000);
});

Deno.test("ReceiverReports keeps a long delay inside its 32 bits", () => {
  const reports = reportsOf();
  reports.receive(senderReport(9), 0);
  assertEquals(reports.lastSr(9, 1e12).delaySinceLastSr, 0xffff_ffff);
});
