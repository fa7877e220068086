/**
 * Which packets belong to the stream: validity by source and number, restarts, pauses, a second source.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1 RFC 3550 A.1}.
 *
 * Floor 2: imports serial and the engines announcement, reception and source_probation. Does not order or count what it accepts:
 * that is `reception.ts`.
 *
 * Beyond the appendix: packets on probation are parked and not dropped; timestamps tell a late packet from a restarted
 * sender, and an outage from a jump; a source that takes over while the other is still alive is shut out again.
 *
 * @module
 */
import { addSequenceNumber, sequenceNumberDistance, timestampDistance } from "../serial.ts";
import { Announcement, START_WINDOW } from "./announcement.ts";
import { type Reception, timestampOf } from "./reception.ts";
import { MAX_BEHIND } from "./reception_statistics.ts";
import { type ParkedDatagram, SourceProbation } from "./source_probation.ts";

/** Most numbers that may be missing in front of a packet without making it suspect, RFC 3550 A.1. */
const MAX_DROPOUT = 3000;
/** How far behind the highest number a packet may be without being suspect, RFC 3550 A.1. */
const MAX_MISORDER = 100;
/** The same for lab servers, whose restart at 1 must not look like reordering. */
const LAB_MAX_MISORDER = 32;
/** A packet behind the highest is old, not the first of a restart, if its timestamp is at most this much older. */
const MAX_LATENESS_MS = 10_000;
/** How far arrival and timestamp may disagree for a large gap to be an outage and no restart. */
const OUTAGE_TOLERANCE_MS = 2000;
/** A second source stays shut out until the first has been silent for so long. */
const SILENCE_MS = 5000;
/** Sources shut out at a time. */
const MAX_SHUT_OUT = 8;
/** A number below this is that of a lab server that began again at 1, a higher one that of a jump in the film. */
const LAB_RESTART_WINDOW = 10;
/** A lab server that numbers a frame 0 or 1 this long after the run began has begun anew. */
const LAB_RESTART_MS = 200;

/** Stands for every source in lab mode, where the numbers alone decide. */
const LAB_SOURCE = 0;

/** What a {@linkcode SourceValidation} is made of. */
export interface SourceValidationOptions {
  /** Ticks of the timestamp in a second. */
  readonly clockRateHz: number;
  /** How long gaps are waited for. */
  readonly latencyMs: number;
  /** Any source, numbers from 0 or 1 that begin again without notice. */
  readonly isLab: boolean;
}

/**
 * Judges sound packets, and places those of the stream in a {@linkcode Reception}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeRtp } from "../rtp.ts";
 * import { Reception } from "./reception.ts";
 * import { SourceValidation } from "./source_validation.ts";
 *
 * const jitterClock = { clockRateHz: 90_000 };
 * const order: number[] = [];
 * const reception = new Reception(
 *   { latencyMs: 100, maxBufferBytes: 1e6, jitterClock, isLab: false },
 *   (extended) => order.push(extended),
 * );
 * const validation = new SourceValidation(
 *   { clockRateHz: 90_000, latencyMs: 100, isLab: false },
 *   reception,
 * );
 * for (const [ssrc, sequenceNumber] of [[9, 7], [9, 8], [5, 1], [9, 9]]) {
 *   const rest = { payloadType: 26, marker: false, timestamp: 0, csrcs: [], paddingSize: 0 };
 *   const payload = new Uint8Array(1);
 *   validation.receive(encodeRtp({ ...rest, ssrc, sequenceNumber, payload }), 0);
 * }
 * assertEquals(order, [7, 8, 9]);
 * assertEquals(validation.foreign, 1);
 * ```
 */
export class SourceValidation {
  readonly #options: SourceValidationOptions;
  readonly #reception: Reception;
  readonly #announcement: Announcement;

  #ssrc: number | undefined;
  #hasRun = false;
  /** After {@linkcode reset}: the next packet of the source goes on wherever it is. */
  #isResuming = false;
  #hasResumed = false;
  #isWhole = false;

  /** Packets of other sources. */
  readonly #others: SourceProbation;
  /** Packets of our source with a wild number. */
  readonly #jumps: SourceProbation;
  #previousSsrc: number | undefined;
  #shutOut: number[] = [];
  #foreign = 0;
  #newestArrivalMs: number | undefined;

  /** No source is known yet. */
  constructor(options: SourceValidationOptions, reception: Reception) {
    this.#options = options;
    this.#reception = reception;
    this.#announcement = new Announcement(options.clockRateHz);
    this.#others = new SourceProbation((d) => d !== 0 && Math.abs(d) <= MAX_MISORDER);
    this.#jumps = new SourceProbation(options.isLab ? (d) => d === 0 || d === 1 : (d) => d === 1);
  }

  /** The source whose packets are accepted. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** Packets of others, and lone ones with a wild number. */
  get foreign(): number {
    return this.#foreign + this.#others.dropped + this.#jumps.dropped;
  }

  /** When the newest packet of the source came. */
  get newestArrivalMs(): number | undefined {
    return this.#newestArrivalMs;
  }

  /** Whether the stream was received from the announced first packet on, without a restart or a gap by a pause. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * Takes a sound packet (borrowed). Returns `"alien"` for one that in lab mode may be a piece of a picture that only looks
   * like a packet.
   */
  receive(datagram: Uint8Array, now: number): "alien" | undefined {
    const ssrc = ssrcOf(datagram);
    if (this.#options.isLab) return this.#receiveLab(datagram, ssrc, now);
    if (ssrc === this.#ssrc) this.#receiveOwn(datagram, ssrc, now);
    else this.#receiveOther(datagram, ssrc, now);
  }

  /** A packet of the current source. */
  #receiveOwn(datagram: Uint8Array, ssrc: number, now: number): void {
    if (!this.#others.isEmpty) this.#foreign += this.#others.clear().length;
    this.#newestArrivalMs = now;
    if (this.#isResuming) {
      this.#resume(datagram, now);
    } else if (this.#isInRun(datagram, now)) {
      this.#place(datagram, now);
    } else {
      this.#suspect(datagram, ssrc, now, this.#announcement.isMetBy(numberOf(datagram)));
    }
  }

  #place(datagram: Uint8Array, now: number): void {
    if (!this.#jumps.isEmpty) this.#rejectJumps();
    this.#reception.place(datagram, now);
  }

  /** Whether the packet's number fits the run: RFC 3550 A.1, with timestamps to tell late from restarted. */
  #isInRun(datagram: Uint8Array, now: number): boolean {
    const { statistics } = this.#reception;
    const number = numberOf(datagram);
    const distance = sequenceNumberDistance(statistics.highest, number);
    if (distance > 0 && distance < MAX_DROPOUT) return true;
    const { clockRateHz } = this.#options;
    const ticks = timestampDistance(this.#reception.lastTimestamp, timestampOf(datagram));
    if (distance <= 0) {
      if (ticks > 0) return false;
      if (distance > -MAX_MISORDER) return true;
      return distance > -MAX_BEHIND && ticks * 1000 > -MAX_LATENESS_MS * clockRateHz &&
        !statistics.isSeen(statistics.highest + distance);
    }
    return this.#isOutage(
      distance,
      now - this.#reception.lastArrivalMs,
      ticks * 1000 / clockRateHz,
    );
  }

  /** Whether a gap this large is explained by the time that passed: then its packets are lost, and nothing restarted. */
  #isOutage(distance: number, silentMs: number, mediaMs: number): boolean {
    if (Math.abs(silentMs - mediaMs) > OUTAGE_TOLERANCE_MS) return false;
    const { lastArrivalMs, startedMs, statistics } = this.#reception;
    const perMs = (statistics.highest - statistics.start + 1) /
      Math.max(1, lastArrivalMs - startedMs);
    return distance < 4 * perMs * silentMs;
  }

  /** Parks a packet whose number does not fit; a second one that fits the first begins a new run. */
  #suspect(datagram: Uint8Array, ssrc: number, now: number, isCertain: boolean): void {
    const parked = this.#jumps.offer(
      { datagram, sequenceNumber: numberOf(datagram), arrivalMs: now, ssrc },
      isCertain,
    );
    if (parked !== undefined) this.#beginRun(parked, now);
  }

  /** The stream goes on as before: what was parked is late, doubled, or from elsewhere. */
  #rejectJumps(): void {
    for (const parked of this.#jumps.clear()) {
      const { highest } = this.#reception.statistics;
      const distance = sequenceNumberDistance(highest, parked.sequenceNumber);
      if (distance <= 0 && distance > -MAX_BEHIND) {
        this.#reception.place(parked.datagram, parked.arrivalMs);
      } else {
        this.#foreign++;
      }
    }
  }

  /** A packet of another source than the current one. */
  #receiveOther(datagram: Uint8Array, ssrc: number, now: number): void {
    const isSilent = this.#newestArrivalMs === undefined ||
      now - this.#newestArrivalMs > SILENCE_MS;
    if (this.#shutOut.includes(ssrc) && !isSilent) {
      this.#foreign++;
      return;
    }
    const sequenceNumber = numberOf(datagram);
    const isCertain = (this.#isResuming || this.#ssrc === undefined) &&
      this.#announcement.isMetBy(sequenceNumber);
    const parked = this.#others.offer(
      { datagram, sequenceNumber, arrivalMs: now, ssrc },
      isCertain,
    );
    if (parked !== undefined) this.#follow(ssrc, parked, now);
  }

  /** Takes a source for ours. */
  #follow(ssrc: number, parked: readonly ParkedDatagram[], now: number): void {
    // Two sources at once: the one that came back was alive all the time, the other is the intruder.
    if (ssrc === this.#previousSsrc && this.#ssrc !== undefined) {
      this.#shutOut.push(this.#ssrc);
      if (this.#shutOut.length > MAX_SHUT_OUT) this.#shutOut.shift();
    }
    this.#previousSsrc = this.#ssrc;
    this.#ssrc = ssrc;
    this.#newestArrivalMs = now;
    this.#foreign += this.#jumps.clear().length;
    this.#reception.flush();
    this.#reception.statistics.beginSource();
    this.#beginRun(parked, now);
  }

  /** The source leaves: if its packets are on probation and there is no other, they were all there is. */
  confirm(ssrc: number, now: number): void {
    if (this.#ssrc !== undefined) return;
    const parked = this.#others.take(ssrc);
    if (parked !== undefined) this.#follow(ssrc, parked, now);
  }

  /** A packet in lab mode: whoever sends it, the number decides. */
  #receiveLab(datagram: Uint8Array, ssrc: number, now: number): "alien" | undefined {
    const number = numberOf(datagram);
    this.#newestArrivalMs = now;
    if (!this.#hasRun) {
      this.#beginRun([parkedOf(datagram, now)], now);
      return undefined;
    }
    if (this.#isResuming) {
      this.#ssrc = ssrc;
      this.#resume(datagram, now);
      return undefined;
    }
    const distance = sequenceNumberDistance(this.#reception.statistics.highest, number);
    const isBehind = distance <= -LAB_MAX_MISORDER ||
      (distance < 0 && this.#isBegunAnew(number, now));
    if (!isBehind && distance < MAX_DROPOUT) {
      this.#ssrc = ssrc;
      this.#place(datagram, now);
      return undefined;
    }
    // Some servers cut a packet into datagrams of which only the first has a header: octets of a picture are read as one.
    const isAlien = ssrc !== this.#ssrc;
    this.#suspect(datagram, LAB_SOURCE, now, this.#announcement.isMetBy(number));
    return isAlien ? "alien" : undefined;
  }

  /** Whether a number behind the highest is that of a lab server's first frame, or follows on it. */
  #isBegunAnew(number: number, now: number): boolean {
    const ageMs = now - this.#reception.startedMs;
    if (number <= 1) return ageMs > this.#options.latencyMs + LAB_RESTART_MS;
    return this.#jumps.isConfirmedBy(LAB_SOURCE, number);
  }

  /** Begins a run with these packets of the current source. */
  #beginRun(parked: readonly ParkedDatagram[], now: number): void {
    const first = parked[0].sequenceNumber;
    let lowest = 0;
    for (const { sequenceNumber } of parked) {
      lowest = Math.min(lowest, sequenceNumberDistance(first, sequenceNumber));
    }
    const start = addSequenceNumber(first, lowest);
    const isAnnounced = this.#announcement.isMetBy(start);
    this.#isWhole = isAnnounced && !this.#hasRun;
    const firstNumber = this.#isResuming ? start : this.#firstNumber(start);
    this.#reception.begin(isAnnounced ? this.#announcement.sequenceNumber! : firstNumber, now);
    this.#hasRun = true;
    this.#isResuming = false;
    this.#announcement.clear();
    if (this.#options.isLab) this.#ssrc = ssrcOf(parked[0].datagram);
    for (const { datagram, arrivalMs } of parked) this.#reception.place(datagram, arrivalMs);
  }

  /** The first number of a run that began with `number`: lab servers count from 1 or 0, so what is missing was lost. */
  #firstNumber(number: number): number {
    const window = this.#hasRun ? LAB_RESTART_WINDOW : START_WINDOW;
    return this.#options.isLab && number > 0 && number < window ? 1 : number;
  }

  /** The first packets of the source after {@linkcode reset}. */
  #resume(datagram: Uint8Array, now: number): void {
    const { statistics } = this.#reception;
    const number = numberOf(datagram);
    const distance = sequenceNumberDistance(statistics.highest, number);
    if (this.#announcement.isMetBy(number)) {
      const start = statistics.extend(this.#announcement.sequenceNumber!);
      if (start > statistics.highest) return this.#goOn(start, datagram, now);
      return this.#beginRun([parkedOf(datagram, now)], now);
    }
    // A lab server that goes on elsewhere in the film may number its packets by the frame.
    const isBehind = distance <= 0 && distance > -MAX_MISORDER && !this.#options.isLab;
    if (
      isBehind ||
      (distance > 0 && distance < MAX_DROPOUT &&
        this.#announcement.isBefore(number, timestampOf(datagram)))
    ) {
      return this.#reception.placeStale(datagram);
    }
    if (distance > 0) this.#goOn(statistics.highest + distance, datagram, now);
    else this.#beginRun([parkedOf(datagram, now)], now);
  }

  /** Goes on in the same run at `extended`; what was passed over was not meant for us. */
  #goOn(extended: number, datagram: Uint8Array, now: number): void {
    if (extended !== this.#reception.statistics.highest + 1) this.#isWhole = false;
    this.#hasResumed = true;
    this.#reception.skipTo(extended);
    this.#isResuming = false;
    this.#announcement.clear();
    this.#reception.place(datagram, now);
  }

  /**
   * Announces the first packet to come, from RTP-Info after PLAY (RFC 2326 s12.33): numbers missing from there on count as
   * lost, and its source needs no probation. An announcement that the packets contradict is forgotten.
   */
  expect(sequenceNumber?: number, timestamp?: number): void {
    this.#announcement.set(sequenceNumber, timestamp);
    if (!this.#hasRun || this.#isResuming || sequenceNumber === undefined) return;
    // The packets were faster than the response.
    const { statistics } = this.#reception;
    const before = sequenceNumberDistance(statistics.start, sequenceNumber);
    const isFirstRun = statistics.restarts === 0 && !this.#hasResumed;
    if (before < 0 && before > -START_WINDOW) {
      statistics.lowerStart(statistics.start + before);
      this.#isWhole = isFirstRun;
      this.#announcement.clear();
    } else if (before >= 0 && sequenceNumberDistance(statistics.highest, sequenceNumber) <= 0) {
      this.#isWhole = isFirstRun && before === 0;
      this.#announcement.clear();
    }
  }

  /**
   * After PAUSE, or before a seek: drops what is held, and counts no loss up to the next packet, whatever its number.
   * The source stays known, and what it sent so far stays counted.
   */
  reset(): void {
    this.#reception.dropHeld();
    this.#foreign += this.#jumps.clear().length + this.#others.clear().length;
    this.#isResuming = this.#hasRun;
    this.#announcement.clear();
  }
}

/** Sequence number of a sound packet. */
function numberOf(datagram: Uint8Array): number {
  return datagram[2] << 8 | datagram[3];
}

/** Source of a sound packet. */
function ssrcOf(datagram: Uint8Array): number {
  return (datagram[8] << 24 | datagram[9] << 16 | datagram[10] << 8 | datagram[11]) >>> 0;
}

function parkedOf(datagram: Uint8Array, arrivalMs: number): ParkedDatagram {
  return { datagram, sequenceNumber: numberOf(datagram), arrivalMs };
}
