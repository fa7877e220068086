/**
 * Packets that may belong to a new source, or to one that restarted: held until a second one confirms the first.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1 RFC 3550 A.1}.
 *
 * Floor 2: imports serial. Differs from the appendix in that nothing of a confirmed source is lost: its packets were
 * parked, not dropped. Does not decide which packets are suspect.
 *
 * @module
 */
import { sequenceNumberDistance } from "../serial.ts";

/** A packet on probation. */
export interface ParkedDatagram {
  /** The whole packet, owned. */
  readonly datagram: Uint8Array;
  /** Its sequence number. */
  readonly sequenceNumber: number;
  /** Monotonic time of its arrival. */
  readonly arrivalMs: number;
}

/** Sources on probation at a time; the longest silent gives way. */
const MAX_CANDIDATES = 4;
/** Packets parked for one source; the oldest gives way. */
const MAX_PARKED = 8;

interface Candidate {
  readonly ssrc: number;
  readonly parked: ParkedDatagram[];
}

/**
 * Holds a bounded number of packets of a bounded number of sources.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SourceProbation } from "./source_probation.ts";
 *
 * const probation = new SourceProbation((distance) => distance === 1);
 * const datagram = new Uint8Array(12);
 * const first = probation.offer({ ssrc: 9, sequenceNumber: 65535, datagram, arrivalMs: 0 });
 * assertEquals(first, undefined);
 * const both = probation.offer({ ssrc: 9, sequenceNumber: 0, datagram, arrivalMs: 1 });
 * assertEquals(both?.map((packet) => packet.sequenceNumber), [65535, 0]);
 * ```
 */
export class SourceProbation {
  readonly #isConfirmed: (distance: number) => boolean;
  #candidates: Candidate[] = [];
  #dropped = 0;

  /** `isConfirmed` gets the distance in sequence numbers from a parked packet to the new one of the same source. */
  constructor(isConfirmed: (distance: number) => boolean) {
    this.#isConfirmed = isConfirmed;
  }

  /** Whether nobody is on probation. */
  get isEmpty(): boolean {
    return this.#candidates.length === 0;
  }

  /** Packets that were given up so far, those that {@linkcode clear} returned not included. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Parks a packet (the datagram is copied). When it confirms its source, returns all parked packets of the source in
   * order of arrival, and forgets all other candidates. `isCertain` confirms it without a second packet.
   */
  offer(
    packet: ParkedDatagram & { readonly ssrc: number },
    isCertain = false,
  ): readonly ParkedDatagram[] | undefined {
    const { ssrc, sequenceNumber, arrivalMs } = packet;
    const candidate = this.#candidateOf(ssrc);
    const { parked } = candidate;
    const isConfirmed = isCertain || this.#confirms(candidate, sequenceNumber);
    parked.push({ datagram: packet.datagram.slice(), sequenceNumber, arrivalMs });
    if (isConfirmed) return this.take(ssrc);
    if (parked.length > MAX_PARKED) {
      parked.shift();
      this.#dropped++;
    }
    return undefined;
  }

  /** All parked packets of a source; forgets all other candidates. `undefined` if the source is not on probation. */
  take(ssrc: number): readonly ParkedDatagram[] | undefined {
    const taken = this.#candidates.find((candidate) => candidate.ssrc === ssrc);
    if (taken === undefined) return undefined;
    for (const other of this.#candidates) {
      if (other !== taken) this.#dropped += other.parked.length;
    }
    this.#candidates = [];
    return taken.parked;
  }

  /** Whether a packet with this number would confirm the source. */
  isConfirmedBy(ssrc: number, sequenceNumber: number): boolean {
    return this.#candidates.some((candidate) =>
      candidate.ssrc === ssrc && this.#confirms(candidate, sequenceNumber)
    );
  }

  #confirms({ parked }: Candidate, sequenceNumber: number): boolean {
    return parked.some((packet) =>
      this.#isConfirmed(sequenceNumberDistance(packet.sequenceNumber, sequenceNumber))
    );
  }

  /** Ends all probations without success and returns what was parked. */
  clear(): readonly ParkedDatagram[] {
    const parked = this.#candidates.flatMap((candidate) => candidate.parked);
    this.#candidates = [];
    return parked;
  }

  /** The candidate, moved to the end of the list: the most recent one. */
  #candidateOf(ssrc: number): Candidate {
    const index = this.#candidates.findIndex((candidate) => candidate.ssrc === ssrc);
    const candidate = index < 0 ? { ssrc, parked: [] } : this.#candidates.splice(index, 1)[0];
    this.#candidates.push(candidate);
    if (this.#candidates.length > MAX_CANDIDATES) {
      this.#dropped += this.#candidates.shift()!.parked.length;
    }
    return candidate;
  }
}
