/**
 * One live source, many readers: each frame is stamped once and goes to all of them as the same octets, with one SSRC, one
 * row of sequence numbers, one line of timestamps.
 *
 * Floor 2 (engine): imports rtp and the engine sender. It does not know where frames come from (a film, a camera, a
 * publisher) nor how they leave: readers are served by ways, each of which takes a stamped frame to all its readers at
 * once. A reader that is too slow is its way's business, and keeps no other waiting.
 *
 * @module
 */

import type { PacketBatch } from "../rtp.ts";
import type { RtpSender, SenderNumbers } from "./sender.ts";

/** A frame on its way to the readers. */
export interface RelayFrame {
  /** Its packets. They may be stamped anew only after {@linkcode RelayWay.finishFrame}. */
  readonly batch: PacketBatch;
  /** Its time in ticks of the clock rate. */
  readonly mediaTicks: number;
  /** Its packets may be spread over this time, in ms. */
  readonly spreadMs: number;
}

/** Someone who is given what the source sends. */
export interface RelayReader {
  /** Takes a compound of RTCP of the source; the bytes stay unchanged. */
  takeReport(bytes: Uint8Array): void;
}

/** How frames reach some of the readers, all of them by the same octets. */
export interface RelayWay<Reader extends RelayReader> {
  /**
   * Takes a stamped frame to its readers.
   *
   * @param readers The same array for as long as it is the same readers.
   */
  sendFrame(frame: RelayFrame, readers: readonly Reader[]): void;
  /** Sends what is left of the newest frame: its batch is going to be stamped anew. */
  finishFrame(): void;
  /** A reader leaves: it gets what is left of the newest frame now, and nothing later. */
  dismiss(reader: Reader): void;
}

/**
 * Relays one source.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp } from "../rtp.ts";
 * import { Relay, type RelayReader } from "./relay.ts";
 * import { RtpSender } from "./sender.ts";
 *
 * const sender = new RtpSender({
 *   ssrc: 9,
 *   sequenceNumber: 7,
 *   timestamp: 0,
 *   clockRateHz: 90_000,
 *   payloadType: 26,
 *   cname: "camera@example.org",
 * });
 * const relay = new Relay<RelayReader>(sender);
 * const seen: number[] = [];
 * const way = {
 *   sendFrame: ({ batch }: { batch: { bytes: Uint8Array } }, readers: readonly RelayReader[]) => {
 *     seen.push(readers.length, decodeRtp(batch.bytes).sequenceNumber);
 *   },
 *   finishFrame: () => {},
 *   dismiss: () => {},
 * };
 * relay.join({ takeReport: () => {} }, way, 0);
 * relay.join({ takeReport: () => {} }, way, 0);
 * const bytes = new Uint8Array(14);
 * bytes[0] = 0x80;
 * const batch = { bytes, packetSize: 14, packetCount: 1, payloadSize: 2 };
 * relay.push({ batch, mediaTicks: 3600, spreadMs: 0 });
 * relay.push({ batch, mediaTicks: 7200, spreadMs: 0 });
 * assertEquals(seen, [2, 7, 2, 8]);
 * ```
 */
export class Relay<Reader extends RelayReader> {
  /** Numbers, timestamps and reports of the source. */
  readonly sender: RtpSender;
  readonly #readersOf = new Map<RelayWay<Reader>, readonly Reader[]>();
  readonly #wayOf = new Map<Reader, RelayWay<Reader>>();
  /** Readers that no report has told the time yet. */
  readonly #newcomers = new Set<Reader>();

  /** Nobody reads yet. */
  constructor(sender: RtpSender) {
    this.sender = sender;
  }

  /** How many readers there are. */
  get readerCount(): number {
    return this.#wayOf.size;
  }

  /** The reader gets every frame from the next one on. Whoever reads already changes the way. */
  join(reader: Reader, way: RelayWay<Reader>, now: number): void {
    this.leave(reader);
    if (this.#wayOf.size === 0) this.sender.startReports(now);
    this.#wayOf.set(reader, way);
    this.#readersOf.set(way, [...this.#readersOf.get(way) ?? [], reader]);
    this.#newcomers.add(reader);
  }

  /** The reader gets no further frame; harmless when it gets none. */
  leave(reader: Reader): void {
    const way = this.#wayOf.get(reader);
    if (way === undefined) return;
    way.dismiss(reader);
    this.#wayOf.delete(reader);
    this.#newcomers.delete(reader);
    const others = this.#readersOf.get(way)!.filter((other) => other !== reader);
    if (others.length > 0) this.#readersOf.set(way, others);
    else this.#readersOf.delete(way);
    if (this.#wayOf.size === 0) this.sender.stopReports();
  }

  /** Stamps a frame and sends it to everybody. */
  push(frame: RelayFrame): void {
    for (const way of this.#readersOf.keys()) way.finishFrame();
    this.sender.stamp(frame.batch, this.sender.timestampAt(frame.mediaTicks));
    for (const [way, readers] of this.#readersOf) way.sendFrame(frame, readers);
  }

  /** Sends a frame to everybody that the same source has stamped in another thread; `numbers` are those behind it. */
  forward(frame: RelayFrame, numbers: SenderNumbers): void {
    this.sender.follow(numbers);
    for (const [way, readers] of this.#readersOf) way.sendFrame(frame, readers);
  }

  /**
   * Sends what is left of the newest frame to everybody; {@linkcode push} does so itself, {@linkcode forward} wants it done
   * before the frame's memory is used again.
   */
  finishFrame(): void {
    for (const way of this.#readersOf.keys()) way.finishFrame();
  }

  /** Whether somebody has to be told the time: those who have joined before their first frame, all others now and then. */
  reportDue(now: number): boolean {
    return this.#newcomers.size > 0 || this.sender.reportDue(now);
  }

  /**
   * Sends the report that is due, with the source's own counters, to those it is due for.
   *
   * @param unixMs wall-clock time now, in milliseconds
   * @param mediaTicks time of the source now, in ticks of the clock rate
   */
  sendReport(now: number, unixMs: number, mediaTicks: number): void {
    const isForAll = this.sender.reportDue(now);
    const bytes = this.sender.report(unixMs, this.sender.timestampAt(mediaTicks));
    for (const reader of isForAll ? this.#wayOf.keys() : this.#newcomers) reader.takeReport(bytes);
    this.#newcomers.clear();
    if (isForAll) this.sender.reportSent(now);
  }
}
