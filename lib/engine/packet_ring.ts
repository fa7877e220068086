/**
 * The newest packets of all sessions, in memory that is bounded whatever comes.
 *
 * Floor 2, pure. Keeping a packet copies its octets into one arena and allocates nothing. It looks into no packet.
 * Sibling: wire_tap.ts (shapes).
 *
 * @module
 */

import type { WireDirection, WireFlow } from "./wire_tap.ts";

/** A packet that is kept. */
export interface KeptPacket {
  /** Its number, from 1. */
  readonly id: number;
  /** Its way. */
  readonly flow: WireFlow;
  /** Whether it was sent or came. */
  readonly direction: WireDirection;
  /** When, on the monotonic clock. */
  readonly now: number;
  /** Its octets, borrowed until the next {@linkcode PacketRing.push}. */
  readonly bytes: Uint8Array;
}

/** Bounds of a {@linkcode PacketRing}. */
export interface PacketRingOptions {
  /** Octets of packets kept. @default {16777216} */
  readonly maxBytes?: number;
  /** Packets kept. @default {16384} */
  readonly maxPackets?: number;
}

/**
 * Keeps the newest packets and numbers them from 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PacketRing } from "./packet_ring.ts";
 * const end = { hostname: "127.0.0.1", port: 5004 };
 * const flow = { session: 1, connection: 1, channel: undefined, local: end, remote: end };
 * const ring = new PacketRing({ maxPackets: 2 });
 * for (const octet of [7, 8, 9]) {
 *   ring.push({ ...flow, kind: "rtp", payload: "jpeg" }, "in", Uint8Array.of(octet), 0);
 * }
 * assertEquals(ring.get(1), undefined);
 * assertEquals(ring.get(3)?.bytes, Uint8Array.of(9));
 * ```
 */
export class PacketRing {
  readonly #arena: Uint8Array;
  readonly #maxPackets: number;
  readonly #flows: (WireFlow | undefined)[];
  /** Places in an endless arena; modulo its size they are places in the real one. */
  readonly #starts: Float64Array;
  readonly #sizes: Uint32Array;
  readonly #times: Float64Array;
  readonly #isOut: Uint8Array;
  #end = 0;
  #first = 1;
  #next = 1;

  /** An empty ring. Its memory is taken from the system only as it fills. */
  constructor(options: PacketRingOptions = {}) {
    const { maxBytes = 16 << 20, maxPackets = 16_384 } = options;
    this.#arena = new Uint8Array(Math.max(MAX_PACKET_BYTES, maxBytes));
    this.#maxPackets = maxPackets;
    this.#flows = new Array(maxPackets);
    this.#starts = new Float64Array(maxPackets);
    this.#sizes = new Uint32Array(maxPackets);
    this.#times = new Float64Array(maxPackets);
    this.#isOut = new Uint8Array(maxPackets);
  }

  /** Number of the oldest packet kept; that of the next one where none is. */
  get firstId(): number {
    return this.#first;
  }

  /** Number the next packet gets; packets seen so far plus 1. */
  get nextId(): number {
    return this.#next;
  }

  /** Keeps a copy of a packet, at the cost of the oldest; returns its number. What exceeds 65,535 octets is cut. */
  push(flow: WireFlow, direction: WireDirection, bytes: Uint8Array, now: number): number {
    const arena = this.#arena;
    const size = Math.min(bytes.length, MAX_PACKET_BYTES);
    let at = this.#end % arena.length;
    if (at + size > arena.length) { // packets stay in one piece
      this.#end += arena.length - at;
      at = 0;
    }
    arena.set(size === bytes.length ? bytes : bytes.subarray(0, size), at);
    const id = this.#next++;
    const slot = id % this.#maxPackets;
    this.#flows[slot] = flow;
    this.#starts[slot] = this.#end;
    this.#sizes[slot] = size;
    this.#times[slot] = now;
    this.#isOut[slot] = direction === "out" ? 1 : 0;
    this.#end += size;
    if (id - this.#first >= this.#maxPackets) this.#first = id - this.#maxPackets + 1;
    const oldest = this.#end - arena.length;
    while (this.#starts[this.#first % this.#maxPackets] < oldest) this.#first++;
    return id;
  }

  /** Octets of a packet by its number; 0 when it is not kept (any more). */
  sizeOf(id: number): number {
    return id >= this.#first && id < this.#next ? this.#sizes[id % this.#maxPackets] : 0;
  }

  /** The way of a packet by its number; `undefined` when it is not kept (any more). */
  flowOf(id: number): WireFlow | undefined {
    return id >= this.#first && id < this.#next ? this.#flows[id % this.#maxPackets] : undefined;
  }

  /** A packet by its number; `undefined` when it is not kept (any more). */
  get(id: number): KeptPacket | undefined {
    if (!(id >= this.#first && id < this.#next) || !Number.isInteger(id)) return undefined;
    const slot = id % this.#maxPackets;
    const at = this.#starts[slot] % this.#arena.length;
    return {
      id,
      flow: this.#flows[slot]!,
      direction: this.#isOut[slot] === 1 ? "out" : "in",
      now: this.#times[slot],
      bytes: this.#arena.subarray(at, at + this.#sizes[slot]),
    };
  }
}

const MAX_PACKET_BYTES = 65_535;
