/**
 * What was on the wire lately, bounded in octets: the packets of a ring, and all messages, for captures made afterwards.
 *
 * Floor 2, pure. Siblings: capture.ts, packet_ring.ts, wire_tap.ts. Messages are kept longer than media, since nobody
 * can tell what a packet is without the SETUP that asked for it.
 *
 * @module
 */

import { CaptureEncoder } from "./capture.ts";
import { PacketRing } from "./packet_ring.ts";
import type { WireConnection, WireDirection, WireFlow, WireMessage, WireTap } from "./wire_tap.ts";

/** Bounds of a {@linkcode WireHistory}. */
export interface WireHistoryOptions {
  /** Octets of RTP and RTCP packets kept. @default {16777216} */
  readonly packetBytes?: number;
  /** Octets of messages kept. @default {4194304} */
  readonly messageBytes?: number;
}

/**
 * Keeps the newest of everything.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { WireHistory } from "./wire_history.ts";
 * const history = new WireHistory();
 * const head = history.capture({ unixMsAt: (now) => now, application: "test" });
 * assertEquals(head.length, 1); // no packet yet: the file's head only
 * ```
 */
export class WireHistory implements WireTap {
  /** The packets. */
  readonly packets: PacketRing;
  readonly #maxBytes: number;
  readonly #records: ControlRecord[] = [];
  #bytes = 0;

  /** An empty history. */
  constructor(options: WireHistoryOptions = {}) {
    this.packets = new PacketRing({ maxBytes: options.packetBytes });
    this.#maxBytes = options.messageBytes ?? 4 << 20;
  }

  /** See {@linkcode WireTap.connectionOpened}. */
  connectionOpened(connection: WireConnection, now: number): void {
    this.#keep({ type: "opened", connection, now, before: this.packets.nextId });
  }

  /** See {@linkcode WireTap.connectionClosed}. */
  connectionClosed(id: number, now: number): void {
    this.#keep({ type: "closed", id, now, before: this.packets.nextId });
  }

  /** See {@linkcode WireTap.message}. */
  message(message: WireMessage, now: number): void {
    this.#keep({ type: "message", message, now, before: this.packets.nextId });
  }

  /** See {@linkcode WireTap.packet}. */
  packet(flow: WireFlow, direction: WireDirection, bytes: Uint8Array, now: number): void {
    this.packets.push(flow, direction, bytes, now);
  }

  /**
   * The blocks of a pcapng file of all that is kept, or of one session; owned. A connection whose beginning is not kept
   * any more is left out.
   */
  capture(options: {
    readonly unixMsAt: (now: number) => number;
    readonly application: string;
    readonly session?: number;
    readonly connections?: readonly number[];
  }): Uint8Array<ArrayBuffer>[] {
    const { unixMsAt, application, session, connections } = options;
    const blocks: Uint8Array<ArrayBuffer>[] = [];
    const encoder = new CaptureEncoder({
      write: (block) => blocks.push(block),
      unixMsAt,
      application,
    });
    let id = this.packets.firstId;
    const writePackets = (before: number) => {
      for (; id < before; id++) {
        const kept = this.packets.get(id);
        if (kept === undefined || (session !== undefined && kept.flow.session !== session)) {
          continue;
        }
        encoder.packet(kept.flow, kept.direction, kept.bytes, kept.now);
      }
    };
    for (const record of this.#records) {
      writePackets(record.before);
      if (connections === undefined || connections.includes(connectionOf(record))) {
        replay(record, encoder);
      }
    }
    writePackets(this.packets.nextId);
    return blocks;
  }

  #keep(record: ControlRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
    // The beginnings of connections stay, as long as there are not very many.
    while (this.#bytes > this.#maxBytes) {
      const index = this.#records.findIndex(({ type }) => type === "message");
      const [gone] = this.#records.splice(Math.max(0, index), 1);
      this.#bytes -= sizeOf(gone);
    }
    if (this.#records.length > MAX_RECORDS) this.#bytes -= sizeOf(this.#records.shift()!);
  }
}

type ControlRecord =
  & {
    readonly now: number;
    /** Number of the first packet behind it. */
    readonly before: number;
  }
  & (
    | { readonly type: "opened"; readonly connection: WireConnection }
    | { readonly type: "closed"; readonly id: number }
    | { readonly type: "message"; readonly message: WireMessage }
  );

const RECORD_BYTES = 256;
const MAX_RECORDS = 20_000;

function sizeOf(record: ControlRecord): number {
  return RECORD_BYTES + (record.type === "message" ? record.message.bytes.length : 0);
}

function connectionOf(record: ControlRecord): number {
  if (record.type === "opened") return record.connection.id;
  return record.type === "closed" ? record.id : record.message.connection;
}

function replay(record: ControlRecord, encoder: CaptureEncoder): void {
  if (record.type === "opened") encoder.connectionOpened(record.connection, record.now);
  else if (record.type === "closed") encoder.connectionClosed(record.id, record.now);
  else encoder.message(record.message, record.now);
}
