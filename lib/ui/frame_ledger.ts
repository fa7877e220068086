/**
 * Which packets made which frame: keeps account of one session's sequence numbers.
 *
 * Floor 3 (wall), pure. RFC 3550 A.1 for the numbers. Noting a packet costs a few array writes and allocates nothing;
 * the list of a frame is made when the frame is. It decides nothing: what was delivered, the receiver says.
 *
 * @module
 */
import { sequenceNumberDistance } from "../serial.ts";
import type { ProtocolPacketRun, ProtocolPacketStatus } from "./protocol_events.ts";

/** A frame as the ledger tells it. */
export interface LedgerFrame {
  /** RTP timestamp; `null` where nothing came. */
  readonly timestamp: number | null;
  /** When its first packet came, on the monotonic clock; `undefined` where nothing came. */
  readonly firstMs: number | undefined;
  /** Sequence number of its first packet, extended over the wraps. */
  readonly first: number;
  /** Packets in all. */
  readonly packetCount: number;
  /**
   * Status, `id` and size of each packet, one behind the other: a frame of objects would cost the receiver ten times as
   * much. See {@linkcode frameRuns}.
   */
  readonly packets: number[];
}

/** The packets of a frame, for those who look. */
export function frameRuns(
  { first, packets }: Pick<LedgerFrame, "first" | "packets">,
): ProtocolPacketRun[] {
  const runs: Mutable<ProtocolPacketRun>[] = [];
  let run: Mutable<ProtocolPacketRun> | undefined;
  for (let i = 0; i < packets.length; i += FIELDS) {
    const status = STATUSES[packets[i]];
    const packet = packets[i] === LOST || packets[i + 1] === 0 ? null : packets[i + 1];
    const size = packets[i + 2];
    const follows = run !== undefined && run.status === status && run.lastSize === run.size &&
      packet === (run.packet === null ? null : run.packet + run.count);
    if (run !== undefined && follows) {
      run.count++;
      run.lastSize = size;
      continue;
    }
    const sequenceNumber = (first + i / FIELDS) % 0x10000;
    run = { sequenceNumber, count: 1, status, packet, size, lastSize: size };
    runs.push(run);
  }
  return runs;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A frame whose packets were sent; `firstId` is the `id` of the first, 0 where they are not known. */
export function sentPackets(sizes: readonly number[], firstId: number): number[] {
  return sizes.flatMap((size, i) => [SENT, firstId === 0 ? 0 : firstId + i, size]);
}

/** The account of one session. */
export class FrameLedger {
  /** Extended number in each place, -1 for none. */
  readonly #numbers = new Float64Array(SLOTS).fill(-1);
  readonly #statuses = new Uint8Array(SLOTS);
  readonly #timestamps = new Float64Array(SLOTS);
  readonly #times = new Float64Array(SLOTS);
  readonly #sizes = new Uint32Array(SLOTS);
  readonly #packets = new Float64Array(SLOTS);
  readonly #markers = new Uint8Array(SLOTS);
  readonly #frames = new Float64Array(SLOTS);
  #highest = -1;
  /** Everything up to this number belongs to frames that are told. */
  #closed = -1;

  /** From the next packet on, what is missing before it is no loss: after PLAY. */
  restart(): void {
    this.#numbers.fill(-1);
    this.#highest = -1;
    this.#closed = -1;
  }

  /**
   * Notes a packet.
   *
   * @returns the `id` of a frame that was told already and that this packet came too late for, else 0.
   */
  note(packet: {
    readonly sequenceNumber: number;
    readonly timestamp: number;
    readonly marker: boolean;
    readonly size: number;
    readonly id: number;
  }, now: number): number {
    const { sequenceNumber } = packet;
    if (this.#highest < 0) this.#begin(sequenceNumber);
    let number = this.#extended(sequenceNumber);
    if (Math.abs(number - this.#highest) > MAX_JUMP || number < 0) {
      this.restart();
      this.#begin(sequenceNumber);
      number = this.#highest + 1;
    }
    const slot = number % SLOTS;
    let status = RECEIVED;
    if (number > this.#highest) {
      for (let missing = this.#highest + 1; missing < number; missing++) this.#clear(missing);
      this.#highest = number;
    } else {
      if (this.#numbers[slot] === number && this.#statuses[slot] !== LOST) return 0; // a duplicate
      status = number <= this.#closed ? LATE : REORDERED;
    }
    const frame = status === LATE && this.#numbers[slot] === number ? this.#frames[slot] : 0;
    this.#numbers[slot] = number;
    this.#statuses[slot] = status;
    this.#timestamps[slot] = packet.timestamp;
    this.#times[slot] = now;
    this.#sizes[slot] = packet.size;
    this.#packets[slot] = packet.id;
    this.#markers[slot] = packet.marker ? 1 : 0;
    this.#frames[slot] = frame;
    return frame;
  }

  /** The frames that were given up before a frame that was delivered. */
  droppedBefore(firstSequenceNumber: number): LedgerFrame[] {
    if (this.#highest < 0) return [];
    return this.#takeUpTo(this.#extended(firstSequenceNumber) - 1);
  }

  /** Frames that cannot be delivered any more because much has come after them. */
  droppedLongAgo(): LedgerFrame[] {
    return this.#highest - this.#closed > MAX_OPEN
      ? this.#takeUpTo(this.#highest - MAX_OPEN / 2)
      : [];
  }

  /** The packets of a frame that was delivered. */
  delivered(firstSequenceNumber: number, packetCount: number): LedgerFrame {
    const first = this.#highest < 0 ? firstSequenceNumber : this.#extended(firstSequenceNumber);
    // Lab pieces may share one number, and those without a header have none.
    const last = this.#highest < 0 ? first - 1 : Math.min(first + packetCount - 1, this.#highest);
    this.#closed = Math.max(this.#closed, last);
    return { ...this.#frameOf(first, last), packetCount };
  }

  /** Remembers under which `id` a frame was told. */
  told({ first, packets }: LedgerFrame, id: number): void {
    const count = packets.length / FIELDS;
    for (let i = 0; i < count; i++) this.#frames[(first + i) % SLOTS] = id;
  }

  /** Writes a packet that came late into the list of its frame. */
  correct(
    { first, packets }: Pick<LedgerFrame, "first" | "packets">,
    sequenceNumber: number,
  ): void {
    const number = this.#extended(sequenceNumber);
    const at = (number - first) * FIELDS;
    if (at < 0 || at >= packets.length) return;
    const slot = number % SLOTS;
    packets[at] = this.#statuses[slot];
    packets[at + 1] = this.#packets[slot];
    packets[at + 2] = this.#sizes[slot];
  }

  #begin(sequenceNumber: number): void {
    this.#highest = sequenceNumber + 0x10000 - 1; // room for what came before it, out of order
    this.#closed = this.#highest;
  }

  #extended(sequenceNumber: number): number {
    return this.#highest + sequenceNumberDistance(this.#highest % 0x10000, sequenceNumber);
  }

  #clear(number: number): void {
    const slot = number % SLOTS;
    this.#numbers[slot] = number;
    this.#statuses[slot] = LOST;
    this.#frames[slot] = 0;
  }

  #takeUpTo(last: number): LedgerFrame[] {
    const end = Math.min(last, this.#highest);
    const frames: LedgerFrame[] = [];
    let start = Math.max(this.#closed + 1, end - SLOTS + 1);
    let timestamp: number | undefined;
    let isEnded = false;
    for (let number = start; number <= end; number++) {
      const slot = number % SLOTS;
      if (this.#statuses[slot] === LOST || this.#numbers[slot] !== number) {
        if (!isEnded) continue;
        frames.push(this.#frameOf(start, number - 1));
        start = number;
        timestamp = undefined;
        isEnded = false;
        continue;
      }
      const isOther = timestamp !== undefined && timestamp !== this.#timestamps[slot];
      if (isEnded || isOther) {
        frames.push(this.#frameOf(start, number - 1));
        start = number;
      }
      timestamp = this.#timestamps[slot];
      isEnded = this.#markers[slot] === 1;
    }
    if (start <= end) frames.push(this.#frameOf(start, end));
    this.#closed = Math.max(this.#closed, end);
    return frames;
  }

  #frameOf(first: number, last: number): LedgerFrame {
    const packets: number[] = [];
    let timestamp: number | null = null;
    let firstMs: number | undefined;
    for (let number = first; number <= last; number++) {
      const slot = number % SLOTS;
      const isHere = this.#numbers[slot] === number && this.#statuses[slot] !== LOST;
      if (packets.length < MAX_FRAME_PACKETS * FIELDS) {
        if (isHere) packets.push(this.#statuses[slot], this.#packets[slot], this.#sizes[slot]);
        else packets.push(LOST, 0, 0);
      }
      if (!isHere) continue;
      timestamp = this.#timestamps[slot];
      firstMs = Math.min(firstMs ?? Infinity, this.#times[slot]);
    }
    const packetCount = Math.max(0, last - first + 1);
    return { timestamp, packets, packetCount, firstMs, first };
  }
}

const LOST = 0;
const RECEIVED = 1;
const REORDERED = 2;
const LATE = 3;
const SENT = 4;
const STATUSES: readonly ProtocolPacketStatus[] = [
  "lost",
  "received",
  "reordered",
  "late",
  "sent",
];
/** Numbers a packet takes in a list. */
const FIELDS = 3;
/** A power of two, so that it divides the 65,536 sequence numbers. */
const SLOTS = 4096;
const MAX_JUMP = 3000;
const MAX_OPEN = 2048;
const MAX_FRAME_PACKETS = 1024;
