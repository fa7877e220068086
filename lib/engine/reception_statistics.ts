/**
 * Which packets of a stream were expected, came, came twice, came out of order: exact counts, across wraps and restarts.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.3 RFC 3550 A.1, A.3}, jitter
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.8 A.8}.
 *
 * Floor 2: imports serial, rtcp (types). Does not judge whether a packet belongs to the stream, and does not order packets.
 *
 * A stream is a sequence of runs. Inside a run the numbers go on; a restart of the sender begins a new one, so that the
 * jump is no loss. `expected` is the sum over all runs of highest - first + 1, less the numbers that were passed over on
 * purpose (a pause, a seek). Every counted packet lies in that range (it is widened where one comes from before it), so
 * that lost = expected - packets is exact and never negative. A packet lost after the last one that came is not known
 * to be missing until a later one comes, or the sender's own count arrives with its BYE.
 *
 * @module
 */
import type { ReportBlock } from "../rtcp.ts";
import { extendSequenceNumber, timestampDistance } from "../serial.ts";

/** Numbers behind the highest that are remembered, a power of 2. More than {@linkcode MAX_BEHIND}. */
const HISTORY_SIZE = 8192;

/** How far behind the highest number a packet may be to be told apart from its duplicate. */
export const MAX_BEHIND = 4096;

/** How the interarrival jitter is measured. */
export type JitterClock =
  /** Arrival against RTP timestamps of this clock rate in Hz, RFC 3550 A.8. */
  | { readonly clockRateHz: number }
  /** Arrival against a smoothed interval between packets, for senders whose timestamps have no known unit. */
  | "arrival";

/**
 * Counts the packets of one stream.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ReceptionStatistics } from "./reception_statistics.ts";
 *
 * const statistics = new ReceptionStatistics({ clockRateHz: 90_000 });
 * statistics.begin(65534);
 * for (const number of [65534, 1, 0, 1]) statistics.record(statistics.extend(number), 100);
 * const { expected, packets, lost, duplicates, reordered } = statistics;
 * assertEquals([expected, packets, lost, duplicates, reordered], [4, 3, 1, 1, 1]);
 * ```
 */
export class ReceptionStatistics {
  readonly #jitterClock: JitterClock;
  readonly #seen = new Uint32Array(HISTORY_SIZE / 32);

  // The run; extended numbers.
  #first = 0;
  #start = 0;
  #highest = -1;
  #skippedFrom = 0;
  #skipped = 0;
  #extra = 0;
  #runReceived = 0;

  // All runs.
  #expectedBefore = 0;
  #receivedBefore = 0;
  #packets = 0;
  #octets = 0;
  #duplicates = 0;
  #reordered = 0;
  #restarts = -1;

  // What the reports of this source are counted from.
  #sourceExpected = 0;
  #sourceReceived = 0;
  #priorExpected = 0;
  #priorReceived = 0;

  #hasTransit = false;
  #transitArrivalMs = 0;
  #transitTimestamp = 0;
  #meanIntervalMs = 0;
  #jitter = 0;

  /** Starts without a run: {@linkcode begin} comes first. */
  constructor(jitterClock: JitterClock) {
    this.#jitterClock = jitterClock;
  }

  /** Highest extended sequence number of the run, or one below its start before the first packet. */
  get highest(): number {
    return this.#highest;
  }

  /** Extended number where the run began, or went on after {@linkcode skipTo}. */
  get start(): number {
    return this.#start;
  }

  /** Packets that should have come, all runs together. */
  get expected(): number {
    return this.#expectedBefore + this.#runExpected;
  }

  get #runExpected(): number {
    return this.#highest - this.#first + 1 - this.#skipped + this.#extra;
  }

  /** Packets that came, each counted once. */
  get packets(): number {
    return this.#packets;
  }

  /** Payload octets of these packets. */
  get octets(): number {
    return this.#octets;
  }

  /** Expected packets that did not come. */
  get lost(): number {
    return Math.max(0, this.expected - this.#receivedBefore - this.#runReceived);
  }

  /** Packets that came again. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Packets that came after one with a higher number. */
  get reordered(): number {
    return this.#reordered;
  }

  /** Runs after the first. */
  get restarts(): number {
    return Math.max(0, this.#restarts);
  }

  /** Begins a run whose first expected packet is `sequenceNumber`, 0 to 65535. */
  begin(sequenceNumber: number): void {
    this.#expectedBefore += this.#runExpected;
    this.#receivedBefore += this.#runReceived;
    this.#runReceived = 0;
    this.#seen.fill(0);
    this.#first = this.#start = sequenceNumber;
    this.#highest = sequenceNumber - 1;
    this.#skipped = 0;
    this.#skippedFrom = 0;
    this.#extra = 0;
    this.#hasTransit = false;
    this.#restarts++;
  }

  /** The source changed: reports count from here (RFC 3550 s6.4.1: since the beginning of reception of this source). */
  beginSource(): void {
    this.#sourceExpected = this.#priorExpected = this.expected;
    this.#sourceReceived = this.#priorReceived = this.#packets + this.#duplicates;
    this.#jitter = 0;
  }

  /** The run goes on at `extended`, above the highest: the numbers between were never meant for us. */
  skipTo(extended: number): void {
    this.#skippedFrom = this.#highest + 1;
    this.#skipped += extended - this.#skippedFrom;
    this.#advance(extended - 1);
    this.#start = extended;
    this.#hasTransit = false;
  }

  /** The run began (or went on) earlier than thought, at `extended` below {@linkcode start}. */
  lowerStart(extended: number): void {
    const isFirst = this.#start === this.#first;
    const start = isFirst ? extended : Math.max(extended, this.#skippedFrom);
    for (let n = start; n < this.#start; n++) if (this.isSeen(n)) this.#extra--;
    if (isFirst) this.#first = start;
    else this.#skipped -= this.#start - start;
    this.#start = start;
  }

  /** The sender says that it sent `count` packets more than the highest that came: they are lost. */
  addTail(count: number): void {
    this.#advance(this.#highest + count);
  }

  /** The extended number of a sequence number, nearest to the highest. */
  extend(sequenceNumber: number): number {
    return extendSequenceNumber(this.#highest, sequenceNumber);
  }

  /** Counts an arrival, at most {@linkcode MAX_BEHIND} behind the highest. False when it is a duplicate. */
  record(extended: number, payloadSize: number): boolean {
    if (extended > this.#highest) {
      this.#advance(extended);
    } else {
      if (this.isSeen(extended)) {
        this.#duplicates++;
        return false;
      }
      this.#reordered++;
      const isUnexpected = extended < this.#first ||
        (extended >= this.#skippedFrom && extended < this.#start);
      if (isUnexpected) this.#extra++;
    }
    this.#seen[(extended & (HISTORY_SIZE - 1)) >>> 5] |= 1 << (extended & 31);
    this.#runReceived++;
    this.#packets++;
    this.#octets += payloadSize;
    return true;
  }

  /** Counts a further packet under a number that already came: lab servers give one to all pieces of a frame. */
  recordPiece(payloadSize: number): void {
    this.#duplicates--;
    this.#packets++;
    this.#octets += payloadSize;
  }

  /** Whether this number, at most {@linkcode MAX_BEHIND} behind the highest, came already. */
  isSeen(extended: number): boolean {
    return (this.#seen[(extended & (HISTORY_SIZE - 1)) >>> 5] >>> (extended & 31) & 1) === 1;
  }

  /** Moves the highest number up and forgets what is too far behind. */
  #advance(extended: number): void {
    if (extended - this.#highest >= HISTORY_SIZE) {
      this.#seen.fill(0);
    } else {
      for (let n = this.#highest + 1; n <= extended; n++) {
        this.#seen[(n & (HISTORY_SIZE - 1)) >>> 5] &= ~(1 << (n & 31));
      }
    }
    this.#highest = extended;
  }

  /** Takes the spacing of one more packet into the jitter: RFC 3550 A.8, wrap-safe. */
  measureJitter(timestamp: number, arrivalMs: number): void {
    const sinceMs = arrivalMs - this.#transitArrivalMs;
    if (this.#hasTransit) {
      if (this.#jitterClock === "arrival") this.#measureArrival(sinceMs);
      else {
        const ticks = timestampDistance(this.#transitTimestamp, timestamp);
        const difference = sinceMs * this.#jitterClock.clockRateHz / 1000 - ticks;
        this.#jitter += (Math.abs(difference) - this.#jitter) / 16;
      }
    }
    this.#hasTransit = true;
    this.#transitArrivalMs = arrivalMs;
    this.#transitTimestamp = timestamp;
  }

  #measureArrival(sinceMs: number): void {
    if (this.#meanIntervalMs === 0) this.#meanIntervalMs = sinceMs;
    const difference = sinceMs - this.#meanIntervalMs;
    this.#meanIntervalMs += difference / 16;
    this.#jitter += (Math.abs(difference) - this.#jitter) / 16;
  }

  /** Smoothed deviation of the spacing, in milliseconds. */
  get jitterMs(): number {
    return this.#jitterClock === "arrival"
      ? this.#jitter
      : this.#jitter * 1000 / this.#jitterClock.clockRateHz;
  }

  /** The report block about this source, RFC 3550 A.3; the next one's fraction counts from here. */
  report(
    options: { readonly ssrc: number; readonly lastSr: number; readonly delaySinceLastSr: number },
  ): ReportBlock {
    const expected = this.expected;
    const received = this.#packets + this.#duplicates;
    const expectedInterval = expected - this.#priorExpected;
    const lostInterval = expectedInterval - (received - this.#priorReceived);
    this.#priorExpected = expected;
    this.#priorReceived = received;
    const fraction = expectedInterval > 0 && lostInterval > 0
      ? Math.min(255, Math.floor(lostInterval * 256 / expectedInterval))
      : 0;
    const lost = expected - this.#sourceExpected - (received - this.#sourceReceived);
    return {
      ssrc: options.ssrc,
      fractionLost: fraction,
      cumulativeLost: Math.max(-0x80_0000, Math.min(0x7f_ffff, lost)),
      extendedHighestSequenceNumber: this.#highest >>> 0,
      interarrivalJitter: Math.min(0xffff_ffff, Math.floor(this.#jitter)),
      lastSr: options.lastSr,
      delaySinceLastSr: options.delaySinceLastSr,
    };
  }
}
