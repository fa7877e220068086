/**
 * The RTCP half of a receiver: remembers sender reports, says when a receiver report is due and writes it.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6.4.2 RFC 3550 s6.4.1, s6.4.2}.
 *
 * Floor 2: imports rtcp, serial and the engine rtcp_interval. Does not count packets.
 *
 * @module
 */
import {
  compactNtp,
  encodeRtcp,
  type ReportBlock,
  type RtcpPacket,
  SDES_ITEM_TYPE,
  type SenderReport,
  unixMsFromNtp,
} from "../rtcp.ts";
import { timestampDistance } from "../serial.ts";
import { rtcpIntervalMs } from "./rtcp_interval.ts";

/** Sources whose newest sender report is kept. */
const MAX_SOURCES = 4;

/** What a {@linkcode ReceiverReports} is made of. */
export interface ReceiverReportsOptions {
  /** Our own synchronization source. */
  readonly ssrc: number;
  /** Our canonical name. */
  readonly cname: string;
  /** Of the stream that is received. */
  readonly clockRateHz: number;
  /** Returns 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

/**
 * Sender reports in, receiver reports out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtcp } from "../rtcp.ts";
 * import { ReceiverReports } from "./receiver_reports.ts";
 *
 * const reports = new ReceiverReports({
 *   ssrc: 1,
 *   cname: "viewer@example.org",
 *   clockRateHz: 90_000,
 *   random: () => 0.5,
 * });
 * reports.start(0);
 * assertEquals(Math.round(reports.nextTimeout() ?? 0), 2052);
 * const [first] = decodeRtcp(reports.report(2052, undefined));
 * assertEquals(first, { type: "RR", ssrc: 1, reports: [] });
 * ```
 */
export class ReceiverReports {
  readonly #options: ReceiverReportsOptions;
  readonly #received = new Map<number, { report: SenderReport; arrivalMs: number }>();
  /** Sources whose timestamps may have parted from the wall clock since their newest report. */
  readonly #doubtful = new Set<number>();
  #nextReport: number | undefined;

  /** Plans nothing before {@linkcode start}. */
  constructor(options: ReceiverReportsOptions) {
    this.#options = options;
  }

  /** Plans the first report, 1 to 3 s from now, unless one is planned already. */
  start(now: number): void {
    this.#nextReport ??= now +
      rtcpIntervalMs({ isInitial: true, random: this.#options.random });
  }

  /** When the next report is due; `Infinity` after a goodbye. */
  nextTimeout(): number | undefined {
    return this.#nextReport;
  }

  /** RR and SDES (owned), with a block about the source if there is one; plans the next report. */
  report(now: number, block: ReportBlock | undefined): Uint8Array {
    this.#nextReport = now +
      rtcpIntervalMs({ isInitial: false, random: this.#options.random });
    return encodeRtcp(this.#packets(block));
  }

  /** RR, SDES and BYE (owned): we leave. Plans no more reports. */
  goodbye(block: ReportBlock | undefined): Uint8Array {
    this.#nextReport = Infinity;
    return encodeRtcp([...this.#packets(block), { type: "BYE", ssrcs: [this.#options.ssrc] }]);
  }

  #packets(block: ReportBlock | undefined): RtcpPacket[] {
    const { ssrc, cname } = this.#options;
    return [
      { type: "RR", ssrc, reports: block === undefined ? [] : [block] },
      {
        type: "SDES",
        chunks: [{ ssrc, items: [{ itemType: SDES_ITEM_TYPE.CNAME, text: cname }] }],
      },
    ];
  }

  /** Keeps the newest report of its source. */
  receive(report: SenderReport, arrivalMs: number): void {
    this.#received.delete(report.ssrc);
    this.#received.set(report.ssrc, { report, arrivalMs });
    this.#doubtful.delete(report.ssrc);
    if (this.#received.size > MAX_SOURCES) {
      const oldest = this.#received.keys().next().value!;
      this.#received.delete(oldest);
      this.#doubtful.delete(oldest);
    }
  }

  /**
   * After a pause or a seek: timestamps go on without the length of the pause (RFC 2326 App. B), so that what the
   * reports said of the wall clock is wrong by it until the next one.
   */
  doubtWallClocks(): void {
    for (const ssrc of this.#received.keys()) this.#doubtful.add(ssrc);
  }

  /** LSR and DLSR of a report block about this source, RFC 3550 s6.4.1. */
  lastSr(
    ssrc: number,
    now: number,
  ): { readonly lastSr: number; readonly delaySinceLastSr: number } {
    const last = this.#received.get(ssrc);
    if (last === undefined) return { lastSr: 0, delaySinceLastSr: 0 };
    const delay = Math.max(0, Math.round((now - last.arrivalMs) * 65.536));
    return { lastSr: compactNtp(last.report.ntp), delaySinceLastSr: Math.min(delay, 0xffff_ffff) };
  }

  /** Unix time in milliseconds of a timestamp of this source; `undefined` before a report that tells it. */
  wallClock(ssrc: number, timestamp: number): number | undefined {
    const report = this.#received.get(ssrc)?.report;
    if (report === undefined || this.#doubtful.has(ssrc)) return undefined;
    if (report.ntp.seconds === 0 && report.ntp.fraction === 0) return undefined;
    const ticks = timestampDistance(report.rtpTimestamp, timestamp);
    return unixMsFromNtp(report.ntp) + ticks * 1000 / this.#options.clockRateHz;
  }
}
