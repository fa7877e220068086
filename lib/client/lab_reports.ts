/**
 * The receiver reports of the Java edition of the lab, without which its server sends one frame and stalls.
 *
 * Kurose-Ross lab, Java edition. Floor 4 (client assembly), pure. These are no RTCP packets of RFC 3550, though they
 * begin like one: the length field counts octets, and a float stands where 8 and 24 bits belong.
 *
 * @module
 */

import type { ReceiverCounters } from "./statistics.ts";

/** UDP port of the server that takes the reports. */
export const LAB_REPORT_PORT = 19001;

/** Milliseconds between two reports while PLAYING. */
export const LAB_REPORT_PERIOD_MS = 400;

/** Octets of a report. */
const LAB_REPORT_SIZE = 32;

/** Whether the session's identifier shows a server of the Java edition: only that one gives out UUIDs. */
export function wantsLabReports(sessionId: string | undefined): boolean {
  return sessionId !== undefined &&
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(sessionId);
}

/**
 * One report: 81 c9 00 20, SSRC 0, fraction lost as a 32-bit float, packets lost, packets expected, 12 zero octets.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const report = encodeLabReport({ packets: 9, lost: 1, lossRatio: 0.1 });
 * assertEquals([...report.subarray(0, 4)], [0x81, 0xc9, 0x00, 0x20]);
 * assertEquals(report.length, 32);
 * ```
 */
export function encodeLabReport(
  counters: Pick<ReceiverCounters, "packets" | "lost" | "lossRatio">,
): Uint8Array {
  const report = new Uint8Array(LAB_REPORT_SIZE);
  const view = new DataView(report.buffer);
  view.setUint32(0, 0x81c90020);
  view.setFloat32(8, counters.lossRatio);
  view.setInt32(12, counters.lost);
  view.setInt32(16, counters.packets + counters.lost);
  return report;
}
