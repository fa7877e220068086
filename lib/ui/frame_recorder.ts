/**
 * The newest frames of all sessions, and the packets that made them.
 *
 * Floor 3 (wall), pure. What is kept of a frame is small; the entry that a page gets is made when one asks.
 *
 * @module
 */
import type { PacketRing } from "../engine/packet_ring.ts";
import type { WireFrame } from "../engine/wire_tap.ts";
import { type FrameLedger, frameRuns, type LedgerFrame, sentPackets } from "./frame_ledger.ts";
import type { ProtocolFrame } from "./protocol_events.ts";
import { RecentList } from "./recent_list.ts";

type StoredFrame = Omit<ProtocolFrame, "runs"> & Pick<LedgerFrame, "first" | "packets">;

/** Keeps frames. */
export class FrameRecorder {
  readonly #frames = new RecentList<StoredFrame>(MAX_FRAMES);
  readonly #packets: PacketRing;

  /** `packets` are those the frames are made of. */
  constructor(packets: PacketRing) {
    this.#packets = packets;
  }

  /** Whether there is anything to take. */
  get hasNews(): boolean {
    return this.#frames.hasNews;
  }

  /** What came or changed since the last call. */
  takeNews(): ProtocolFrame[] {
    return this.#frames.takeNews().map(shown);
  }

  /** All that are kept, oldest first. */
  all(): ProtocolFrame[] {
    return this.#frames.all().map(shown);
  }

  /** A frame was delivered; `time` is now. Frames that were given up before it come first. */
  delivered(
    frame: WireFrame,
    of: { readonly ledger: FrameLedger; readonly now: number; readonly time: number },
  ): LedgerFrame {
    const { ledger, now, time } = of;
    for (const dropped of ledger.droppedBefore(frame.firstSequenceNumber)) {
      this.dropped(frame.session, dropped, of);
    }
    const made = ledger.delivered(frame.firstSequenceNumber, frame.packetCount);
    const id = this.#frames.nextId();
    ledger.told(made, id);
    this.#frames.put({
      id,
      time,
      session: frame.session,
      timestamp: frame.timestamp,
      number: frame.number ?? null,
      status: "complete",
      size: frame.size,
      width: frame.width ?? null,
      height: frame.height ?? null,
      assemblyMs: sinceMs(made.firstMs, now),
      first: made.first,
      packets: made.packets,
      packetCount: frame.packetCount,
    });
    return made;
  }

  /** A frame was given up. */
  dropped(
    session: number,
    { timestamp, packets, packetCount, firstMs, first }: LedgerFrame,
    of: { readonly ledger: FrameLedger; readonly now: number; readonly time: number },
  ): void {
    const id = this.#frames.nextId();
    of.ledger.told({ timestamp, packets, packetCount, firstMs, first }, id);
    this.#frames.put({
      id,
      time: of.time,
      session,
      timestamp,
      number: null,
      status: "dropped",
      size: 0,
      width: null,
      height: null,
      assemblyMs: sinceMs(firstMs, of.now),
      first,
      packets,
      packetCount,
    });
  }

  /** A packet of a frame that was told already came late. */
  cameLate(id: number, sequenceNumber: number, ledger: FrameLedger): void {
    const frame = this.#frames.get(id);
    if (!frame) return;
    ledger.correct(frame, sequenceNumber);
    this.#frames.put(frame);
  }

  /** A frame was sent, its packets last of all. */
  sent(frame: WireFrame, time: number): void {
    const { session, timestamp, size, packetCount, firstSequenceNumber } = frame;
    const firstId = this.#packets.nextId - packetCount;
    const sizes: number[] = [];
    for (let i = 0; i < Math.min(packetCount, MAX_SENT_PACKETS); i++) {
      sizes.push(this.#packets.sizeOf(firstId + i));
    }
    this.#frames.put({
      id: this.#frames.nextId(),
      time,
      session,
      timestamp,
      number: null,
      status: "sent",
      size,
      width: null,
      height: null,
      assemblyMs: null,
      first: firstSequenceNumber,
      packets: sentPackets(sizes, firstId),
      packetCount,
    });
  }
}

const MAX_FRAMES = 300;
const MAX_SENT_PACKETS = 1024;

function shown({ first, packets, ...frame }: StoredFrame): ProtocolFrame {
  return { ...frame, runs: frameRuns({ first, packets }) };
}

function sinceMs(firstMs: number | undefined, now: number): number | null {
  return firstMs === undefined ? null : Math.round((now - firstMs) * 100) / 100;
}
