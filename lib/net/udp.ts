/**
 * UDP sockets on `Deno.listenDatagram`: portable, one system call a packet.
 *
 * Floor 3 (wall). RFC 768; even/odd pairs for RTP and RTCP by RFC 3550 s11. It knows nothing of what the datagrams hold.
 * Needs Deno's unstable `net` feature.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { errnoOf, refusalReason } from "./refusal.ts";
import type {
  DatagramSocket,
  DatagramStatistics,
  PacketBatch,
  ReceivedDatagram,
  SocketAddress,
} from "./socket.ts";

/** How {@linkcode openUdp} opens a socket. */
export interface UdpOptions {
  /** The local address. @default {"0.0.0.0"} */
  readonly hostname?: string;
  /** The local port, 0 for one the system chooses. @default {0} */
  readonly port?: number;
  /** Size of the buffer datagrams are read into, in octets. @default {65536} */
  readonly receiveBufferBytes?: number;
}

/** How {@linkcode openUdpPair} opens two sockets. */
export interface UdpPairOptions extends Omit<UdpOptions, "port"> {
  /** First and last port to try, both included; without it the system chooses. */
  readonly ports?: readonly [from: number, to: number];
}

/**
 * Opens a UDP socket.
 *
 * @throws {TransportError} when the port is taken, not allowed, or the address is not ours.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openUdp } from "./udp.ts";
 * using socket = openUdp({ hostname: "127.0.0.1" });
 * socket.sendTo(new Uint8Array([1, 2, 3]), socket.address);
 * assertEquals((await socket.receive())?.bytes, new Uint8Array([1, 2, 3]));
 * ```
 */
export function openUdp(options: UdpOptions = {}): DatagramSocket {
  const { hostname = "0.0.0.0", port = 0, receiveBufferBytes = MAX_DATAGRAM_BYTES } = options;
  if (typeof Deno.listenDatagram !== "function") {
    throw new TransportError(
      "Cannot open a UDP socket: this Deno was started without --unstable-net",
      { operation: "listenDatagram" },
    );
  }
  try {
    return new PortableDatagramSocket(
      Deno.listenDatagram({ transport: "udp", hostname, port }),
      receiveBufferBytes,
    );
  } catch (cause) {
    throw new TransportError(
      `Cannot open UDP port ${port} on "${hostname}": ${refusalReason(cause)}`,
      { operation: "listenDatagram", errno: errnoOf(cause), cause },
    );
  }
}

/**
 * Opens two sockets on neighbouring ports, the first even (RTP), the second odd (RTCP), as RFC 3550 s11 asks.
 *
 * @throws {TransportError} when no such pair is free.
 */
export function openUdpPair(
  options: UdpPairOptions = {},
): [rtp: DatagramSocket, rtcp: DatagramSocket] {
  const { ports, ...rest } = options;
  if (ports !== undefined) return openPairInRange(ports, rest);
  let lastError: unknown;
  for (let attempt = 0; attempt < PAIR_ATTEMPTS; attempt++) {
    const first = openUdp({ ...rest, port: 0 });
    const { port } = first.address;
    try {
      const neighbour = openUdp({ ...rest, port: port % 2 === 0 ? port + 1 : port - 1 });
      return port % 2 === 0 ? [first, neighbour] : [neighbour, first];
    } catch (error) {
      first.close();
      lastError = error;
    }
  }
  throw new TransportError("Cannot open a pair of UDP ports: no even port with a free neighbour", {
    operation: "listenDatagram",
    cause: lastError,
  });
}

function openPairInRange(
  [from, to]: readonly [number, number],
  options: Omit<UdpOptions, "port">,
): [DatagramSocket, DatagramSocket] {
  let lastError: unknown;
  for (let port = from + from % 2; port + 1 <= to; port += 2) {
    let rtp: DatagramSocket | undefined;
    try {
      rtp = openUdp({ ...options, port });
      return [rtp, openUdp({ ...options, port: port + 1 })];
    } catch (error) {
      rtp?.close();
      lastError = error;
    }
  }
  throw new TransportError(
    `Cannot open a pair of UDP ports from ${from} to ${to}: none is free, choose another range`,
    {
      operation: "listenDatagram",
      errno: lastError instanceof TransportError ? lastError.errno : undefined,
      cause: lastError,
    },
  );
}

/** Sends by one call a packet. The bytes are copied first: Deno reads them only after the calling code has returned. */
class PortableDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly maxSegments = 1;
  readonly maxBatchBytes = MAX_PAYLOAD_BYTES;
  readonly #socket: Deno.DatagramConn;
  readonly #receiveBuffer: Uint8Array;
  readonly #spare: Uint8Array[] = [];
  /** By the address object that senders pass: a stream keeps its own. */
  readonly #lanes = new Map<SocketAddress, Lane>();
  #underWay = 0;
  #isClosed = false;
  #sent = 0;
  #dropped = 0;
  #received = 0;
  #lastError: string | undefined;

  constructor(socket: Deno.DatagramConn, receiveBufferBytes: number) {
    this.#socket = socket;
    this.#receiveBuffer = new Uint8Array(receiveBufferBytes);
    const { hostname, port } = socket.addr as Deno.NetAddr;
    this.address = { hostname, port };
  }

  send(
    batch: PacketBatch,
    to: SocketAddress,
    first = 0,
    count = batch.packetCount - first,
  ): boolean {
    if (count <= 0) return false;
    return this.#sendPackets(partOf(batch, first, count), batch.packetSize, to);
  }

  sendToMany(
    batch: PacketBatch,
    receivers: readonly SocketAddress[],
    first: number,
    count: number,
    onRefused?: (index: number) => void,
  ): void {
    if (count <= 0) return;
    const bytes = partOf(batch, first, count);
    let copy: Copy | undefined;
    for (let i = 0; i < receivers.length; i++) {
      if (this.#hasRoom(bytes.length, receivers[i], copy !== undefined)) {
        copy ??= this.#copy(bytes, batch.packetSize);
        this.#enqueue(copy, receivers[i]);
      } else {
        this.#dropped += count;
        onRefused?.(i);
      }
    }
  }

  sendTo(bytes: Uint8Array, to: SocketAddress): boolean {
    return this.#sendPackets(bytes, bytes.length, to);
  }

  waitingBytes(to: SocketAddress): number {
    return this.#lanes.get(to)?.byteCount ?? 0;
  }

  async receive(): Promise<ReceivedDatagram | undefined> {
    while (!this.#isClosed) {
      try {
        const [bytes, from] = await this.#socket.receive(this.#receiveBuffer);
        this.#received++;
        const { hostname, port } = from as Deno.NetAddr;
        return { bytes, hostname, port };
      } catch (error) {
        if (this.#isClosed) return undefined;
        // Linux reports some failures of earlier sends here; the socket stays good.
        if (isClosedError(error)) return undefined;
        this.#lastError = refusalReason(error);
        await new Promise((resolve) => setTimeout(resolve, RECEIVE_RETRY_MS));
      }
    }
    return undefined;
  }

  statistics(): DatagramStatistics {
    return {
      sent: this.#sent,
      dropped: this.#dropped,
      received: this.#received,
      lastError: this.#lastError,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#spare.length = 0;
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sendPackets(bytes: Uint8Array, packetSize: number, to: SocketAddress): boolean {
    if (!this.#hasRoom(bytes.length, to, false)) {
      this.#dropped += Math.ceil(bytes.length / packetSize);
      return false;
    }
    this.#enqueue(this.#copy(bytes, packetSize), to);
    return true;
  }

  #hasRoom(byteCount: number, to: SocketAddress, isCopied: boolean): boolean {
    if (this.#isClosed) return false;
    if (!isCopied && this.#underWay + byteCount > MAX_UNDER_WAY_BYTES) return false;
    return (this.#lanes.get(to)?.byteCount ?? 0) + byteCount <= MAX_LANE_BYTES;
  }

  #copy(bytes: Uint8Array, packetSize: number): Copy {
    const buffer = this.#takeBuffer(bytes.length);
    buffer.set(bytes);
    this.#underWay += bytes.length;
    return { buffer, byteCount: bytes.length, packetSize, receivers: 0 };
  }

  #enqueue(copy: Copy, to: SocketAddress): void {
    copy.receivers++;
    const lane = this.#lanes.get(to);
    if (lane !== undefined) {
      lane.byteCount += copy.byteCount;
      lane.copies.push(copy);
    } else {
      const opened = { copies: [copy], byteCount: copy.byteCount };
      this.#lanes.set(to, opened);
      this.#drive(to, opened);
    }
  }

  /** One packet after the other: sends that are not waited for overtake each other (one in a hundred was seen to). */
  async #drive(to: SocketAddress, lane: Lane): Promise<void> {
    const address: Deno.NetAddr = { transport: "udp", hostname: to.hostname, port: to.port };
    for (let copy = lane.copies[0]; copy !== undefined; copy = lane.copies[0]) {
      const { buffer, byteCount, packetSize } = copy;
      for (let offset = 0; offset === 0 || offset < byteCount; offset += packetSize) {
        const packet = buffer.subarray(offset, Math.min(offset + packetSize, byteCount));
        try {
          await this.#socket.send(packet, address);
          this.#sent++;
        } catch (error) {
          this.#dropped++;
          if (!this.#isClosed) this.#lastError = refusalReason(error);
        }
        if (packetSize === 0) break;
      }
      lane.copies.shift();
      lane.byteCount -= byteCount;
      if (--copy.receivers === 0) this.#release(copy);
    }
    this.#lanes.delete(to);
  }

  #release({ buffer, byteCount }: Copy): void {
    this.#underWay -= byteCount;
    if (!this.#isClosed && this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(buffer);
  }

  #takeBuffer(byteCount: number): Uint8Array {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.length >= byteCount) return spare;
    return new Uint8Array(Math.max(MIN_BUFFER_BYTES, byteCount));
  }
}

/** Packets copied and waiting to be sent, to one receiver or many. */
interface Copy {
  readonly buffer: Uint8Array;
  readonly byteCount: number;
  readonly packetSize: number;
  /** Those who have not got all of it yet. */
  receivers: number;
}

/** What is under way to one receiver. */
interface Lane {
  readonly copies: Copy[];
  byteCount: number;
}

function partOf({ bytes, packetSize }: PacketBatch, first: number, count: number): Uint8Array {
  return bytes.subarray(first * packetSize, Math.min(bytes.length, (first + count) * packetSize));
}

function isClosedError(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}

const MAX_DATAGRAM_BYTES = 65_536;
const MAX_PAYLOAD_BYTES = 65_507;
const PAIR_ATTEMPTS = 50;
/** Beyond this much waiting to be sent, frames are dropped: about 500 frames of 30 kB. */
const MAX_UNDER_WAY_BYTES = 16 << 20;
/** To one receiver: a frame or two of any size that fits its own buffer. */
const MAX_LANE_BYTES = 2 << 20;
const MAX_SPARE_BUFFERS = 64;
const MIN_BUFFER_BYTES = 16_384;
const RECEIVE_RETRY_MS = 10;
