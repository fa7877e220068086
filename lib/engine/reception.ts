/**
 * Where the packets of one accepted stream go: counted, put in order, handed on as owned packets.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A RFC 3550 A.1, A.3, A.8}.
 *
 * Floor 2: imports rtp and the engines reception_statistics, jitter_buffer and lab_pieces. Does not judge whether a packet
 * belongs to the stream: that is `receiver.ts`.
 *
 * @module
 */
import { decodeRtp, RTP_HEADER_SIZE, type RtpPacket } from "../rtp.ts";
import { type Deliver, type HeldPacket, JitterBuffer } from "./jitter_buffer.ts";
import { LabPieces } from "./lab_pieces.ts";
import { type JitterClock, ReceptionStatistics } from "./reception_statistics.ts";

/** Small packets are copied into slabs of this size: an `ArrayBuffer` for each costs three times as much. */
const SLAB_SIZE = 65_536;
/** From this size on a packet gets a buffer of its own. */
const MAX_SLAB_PACKET = 4096;

/** What a {@linkcode Reception} is made of. */
export interface ReceptionOptions {
  /** How long a gap is waited for. */
  readonly latencyMs: number;
  /** Bound on what is held behind gaps. */
  readonly maxBufferBytes: number;
  /** See {@linkcode JitterClock}. */
  readonly jitterClock: JitterClock;
  /** Several packets may share a number. */
  readonly isLab: boolean;
}

/**
 * Counts and orders the packets of one stream.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeRtp } from "../rtp.ts";
 * import { Reception } from "./reception.ts";
 *
 * const order: number[] = [];
 * const reception = new Reception(
 *   { latencyMs: 100, maxBufferBytes: 1e6, jitterClock: { clockRateHz: 90_000 }, isLab: false },
 *   (extended) => order.push(extended),
 * );
 * reception.begin(65535, 0);
 * for (const sequenceNumber of [65535, 1, 0, 0]) {
 *   const rest = { payloadType: 26, marker: false, timestamp: 0, ssrc: 9, csrcs: [], paddingSize: 0 };
 *   reception.place(encodeRtp({ ...rest, sequenceNumber, payload: new Uint8Array(1) }), 0);
 * }
 * assertEquals(order, [65535, 65536, 65537]);
 * assertEquals(reception.statistics.duplicates, 1);
 * ```
 */
export class Reception {
  /** The counts. */
  readonly statistics: ReceptionStatistics;

  readonly #buffer: JitterBuffer<RtpPacket>;
  readonly #deliver: Deliver<RtpPacket>;
  readonly #pieces: LabPieces | undefined;
  #slab = new Uint8Array(0);
  #slabUsed = 0;
  #late = 0;
  #startedMs = 0;
  #lastTimestamp = 0;
  #lastArrivalMs = 0;

  /** `deliver` gets every packet in order, owned. */
  constructor(options: ReceptionOptions, deliver: Deliver<RtpPacket>) {
    this.statistics = new ReceptionStatistics(options.jitterClock);
    this.#deliver = deliver;
    this.#buffer = new JitterBuffer<RtpPacket>(
      { latencyMs: options.latencyMs, maxBytes: options.maxBufferBytes },
      deliver,
    );
    this.#pieces = options.isLab ? new LabPieces() : undefined;
  }

  /** Packets that came after their place was given up. */
  get late(): number {
    return this.#late;
  }

  /** Packets held behind a gap. */
  get heldPackets(): number {
    return this.#buffer.heldPackets;
  }

  /** When the run began. */
  get startedMs(): number {
    return this.#startedMs;
  }

  /** Timestamp of the packet with the highest number. */
  get lastTimestamp(): number {
    return this.#lastTimestamp;
  }

  /** When that packet arrived. */
  get lastArrivalMs(): number {
    return this.#lastArrivalMs;
  }

  /** Delivers what is held, and begins a run whose first packet is `sequenceNumber`. */
  begin(sequenceNumber: number, now: number): void {
    this.#buffer.flush();
    this.statistics.begin(sequenceNumber);
    this.#buffer.start(sequenceNumber);
    this.#pieces?.clear();
    this.#startedMs = now;
  }

  /** The run goes on at this extended number, above the highest; what lies between was not meant for us. */
  skipTo(extended: number): void {
    this.statistics.skipTo(extended);
    this.#buffer.start(extended);
  }

  /** Drops what is held. */
  dropHeld(): void {
    this.#buffer.start(this.#buffer.next);
  }

  /** The sender says that it sent `count` packets more than the highest that came: they are lost. */
  addTail(count: number): void {
    this.statistics.addTail(count);
    this.#buffer.start(this.statistics.highest + 1);
  }

  /** Gives up all gaps. */
  flush(): void {
    this.#buffer.flush();
  }

  /** Gives up the gaps whose time is up. */
  expire(now: number): void {
    this.#buffer.expire(now);
  }

  /** When {@linkcode expire} has something to do. */
  nextTimeout(): number | undefined {
    return this.#buffer.nextTimeout();
  }

  /** Takes a sound packet (borrowed) of the stream: counts it, and delivers or holds a copy. */
  place(datagram: Uint8Array, arrivalMs: number): void {
    const { statistics } = this;
    const extended = statistics.extend(datagram[2] << 8 | datagram[3]);
    const payloadSize = payloadSizeOf(datagram);
    const timestamp = timestampOf(datagram);
    const isHighest = extended > statistics.highest;
    const isNew = statistics.record(extended, payloadSize);
    if (this.#pieces !== undefined) {
      const isRepeated = this.#pieces.isRepeated(extended, datagram);
      if (!isNew) {
        if (!isRepeated) this.#placePiece(extended, datagram, payloadSize, arrivalMs);
        return;
      }
    } else if (!isNew) return;
    if (isHighest) {
      this.#lastTimestamp = timestamp;
      this.#lastArrivalMs = arrivalMs;
    }
    statistics.measureJitter(timestamp, arrivalMs);
    if (extended < this.#buffer.next) this.#late++;
    else this.#insert(extended, datagram, arrivalMs);
  }

  /** Takes a packet from before a pause or a seek: counted, not delivered. */
  placeStale(datagram: Uint8Array): void {
    const extended = this.statistics.extend(datagram[2] << 8 | datagram[3]);
    if (this.statistics.record(extended, payloadSizeOf(datagram))) this.#late++;
  }

  /** A further packet under a number that came already, with other content. */
  #placePiece(
    extended: number,
    datagram: Uint8Array,
    payloadSize: number,
    arrivalMs: number,
  ): void {
    this.statistics.recordPiece(payloadSize);
    if (extended >= this.#buffer.next) {
      this.#insert(extended, datagram, arrivalMs);
    } else if (extended === this.#buffer.next - 1) {
      this.#deliver(extended, this.#own(datagram, arrivalMs, true), 0);
    } else {
      this.#late++;
    }
  }

  #insert(extended: number, datagram: Uint8Array, arrivalMs: number): void {
    const isInSequence = extended === this.#buffer.next;
    this.#buffer.insert(extended, this.#own(datagram, arrivalMs, isInSequence));
  }

  /**
   * The one place that copies. A packet that is handed on at once lies in a slab with its neighbours; one that is held
   * gets its own buffer, so that it does not keep a slab alive.
   */
  #own(datagram: Uint8Array, arrivalMs: number, isInSequence: boolean): HeldPacket<RtpPacket> {
    const size = datagram.length;
    let copy: Uint8Array;
    if (!isInSequence || size > MAX_SLAB_PACKET) {
      copy = datagram.slice();
    } else {
      if (this.#slabUsed + size > this.#slab.length) {
        this.#slab = new Uint8Array(SLAB_SIZE);
        this.#slabUsed = 0;
      }
      this.#slab.set(datagram, this.#slabUsed);
      copy = this.#slab.subarray(this.#slabUsed, this.#slabUsed += size);
    }
    return { item: decodeRtp(copy), arrivalMs, size };
  }
}

/** Octets of payload of a sound packet. */
function payloadSizeOf(datagram: Uint8Array): number {
  return datagram[0] === 0x80
    ? datagram.length - RTP_HEADER_SIZE
    : decodeRtp(datagram).payload.length;
}

/** Timestamp of a sound packet. */
export function timestampOf(datagram: Uint8Array): number {
  return (datagram[4] << 24 | datagram[5] << 16 | datagram[6] << 8 | datagram[7]) >>> 0;
}
