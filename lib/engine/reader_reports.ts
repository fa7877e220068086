/**
 * What one reader of an RTP stream reports about it: loss, jitter, round trip time.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-6.4.2 RFC 3550 s6.4}.
 *
 * Floor 2: imports rtcp. It knows nothing of what was sent, nor when; a stream with many readers has one of these for each.
 *
 * @module
 */

import { WireError } from "../errors.ts";
import {
  compactNtp,
  decodeRtcp,
  ntpFromUnixMs,
  type ReportBlock,
  type RtcpPacket,
} from "../rtcp.ts";

/** A snapshot of what a reader reported. */
export interface ReaderStatistics {
  /** Datagrams with a report about this stream. */
  readonly receiverReports: number;
  /** Share of packets lost between the last two reports, 0 to 1; `undefined` before the first report. */
  readonly fractionLost: number | undefined;
  /** Packets lost since the beginning as the reader counts them: signed, negative after duplicates. */
  readonly cumulativeLost: number | undefined;
  /** Interarrival jitter at the reader, in milliseconds. */
  readonly jitterMs: number | undefined;
  /** Round trip time in milliseconds, from the last report that answered a sender report. */
  readonly roundTripMs: number | undefined;
  /** RTCP datagrams that could not be read. */
  readonly malformed: number;
  /** Whether the reader said BYE. */
  readonly goodbyeReceived: boolean;
}

/**
 * The reports of one reader.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ReaderReports } from "./reader_reports.ts";
 *
 * const reports = new ReaderReports(9, 90_000);
 * reports.receive(new Uint8Array([1, 2, 3]), 0);
 * assertEquals([reports.stats().malformed, reports.stats().receiverReports], [1, 0]);
 * ```
 */
export class ReaderReports {
  readonly #ssrc: number;
  readonly #clockRateHz: number;
  #receiverReports = 0;
  #malformed = 0;
  #goodbyeReceived = false;
  #lastReport: ReportBlock | undefined;
  #roundTripMs: number | undefined;

  /** Of the stream with this SSRC and so many ticks in a second. */
  constructor(ssrc: number, clockRateHz: number) {
    this.#ssrc = ssrc;
    this.#clockRateHz = clockRateHz;
  }

  /**
   * Reads an RTCP datagram of the reader. Never throws: what cannot be read is counted.
   *
   * @param unixMs wall-clock time now, for the round trip time
   */
  receive(datagram: Uint8Array, unixMs: number): void {
    let packets: RtcpPacket[];
    try {
      packets = decodeRtcp(datagram);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformed++;
      return;
    }
    for (const packet of packets) {
      if (packet.type === "BYE") this.#goodbyeReceived = true;
      if (packet.type !== "RR" && packet.type !== "SR") continue;
      const block = packet.reports.find((b) => b.ssrc === this.#ssrc);
      if (block !== undefined) this.#receiveReport(block, unixMs);
    }
  }

  #receiveReport(block: ReportBlock, unixMs: number): void {
    this.#receiverReports++;
    this.#lastReport = block;
    if (block.lastSr === 0) return;
    const now = compactNtp(ntpFromUnixMs(unixMs));
    const ticks = (now - block.lastSr - block.delaySinceLastSr) | 0;
    // A peer's clock that runs fast makes it slightly negative.
    this.#roundTripMs = Math.max(0, ticks) / 65.536;
  }

  /** Counters and the newest report. */
  stats(): ReaderStatistics {
    const report = this.#lastReport;
    return Object.freeze({
      receiverReports: this.#receiverReports,
      fractionLost: report && this.#fractionLost(report),
      cumulativeLost: report?.cumulativeLost,
      jitterMs: report && report.interarrivalJitter * 1000 / this.#clockRateHz,
      roundTripMs: this.#roundTripMs,
      malformed: this.#malformed,
      goodbyeReceived: this.#goodbyeReceived,
    });
  }

  /** live555's first report says that nearly everything was lost while its sum says nothing was: believe the sum. */
  #fractionLost(report: ReportBlock): number {
    const isContradiction = this.#receiverReports === 1 && report.cumulativeLost <= 0;
    return isContradiction ? 0 : report.fractionLost / 256;
  }
}
