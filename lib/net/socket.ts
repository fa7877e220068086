/**
 * What the rest of the house knows of the network: datagram sockets, byte streams and listeners, as types only.
 *
 * Floor 3 by its place, yet free of any system call, so that engines and tests can name these types. Bytes leave in
 * packet batches: one contiguous buffer, packets at a fixed stride (see `lib/rtp.ts`). A socket that can hand several
 * packets to the system at once says so by a number ({@linkcode DatagramSocket.maxSegments}), never by another type.
 *
 * @module
 */

import type { PacketBatch } from "../rtp.ts";

export type { PacketBatch } from "../rtp.ts";

/** An endpoint: an IP address in its usual text form (no brackets) and a port, 1 to 65535 (0 asks the system to choose). */
export interface SocketAddress {
  /** IPv4 or IPv6 address, or a host name where one is accepted. */
  readonly hostname: string;
  /** Port number, 0 to 65535. */
  readonly port: number;
}

/** One datagram as it came in. */
export interface ReceivedDatagram extends SocketAddress {
  /** The payload: borrowed until the next `receive()`. */
  readonly bytes: Uint8Array;
}

/**
 * Gets one datagram.
 *
 * @param bytes The payload: borrowed until the call returns.
 * @param arrivalMs When it came, on the clock of `performance.now()`.
 * @param from Who sent it; the same object as long as it is the same sender.
 */
export type TakeDatagram = (bytes: Uint8Array, arrivalMs: number, from: SocketAddress) => void;

/** What a datagram socket has counted since it was opened. */
export interface DatagramStatistics {
  /** Datagrams handed to the system. */
  readonly sent: number;
  /** Datagrams that were given up: the system refused them, or too many were under way already. */
  readonly dropped: number;
  /** Datagrams received. */
  readonly received: number;
  /** The system's words for the newest refusal. */
  readonly lastError: string | undefined;
}

/** A UDP socket. Sending never blocks and never throws on what the network does: what cannot go is dropped and counted. */
export interface DatagramSocket extends Disposable {
  /** The local address, with the port the system chose where 0 was asked for. */
  readonly address: SocketAddress;
  /** How many packets one system call can carry: 1 for the portable socket, up to 64 with segmentation offload. */
  readonly maxSegments: number;
  /** The largest total of one such call in octets. */
  readonly maxBatchBytes: number;
  /**
   * Sends packets of a batch, in order. The batch may be changed as soon as the call (not the promise) returns.
   *
   * @param batch The packets; its headers have been stamped.
   * @param to The receiver.
   * @param first Index of the first packet to send. @default {0}
   * @param count How many packets to send. @default {batch.packetCount - first}
   * @returns false when nothing was sent.
   */
  send(
    batch: PacketBatch,
    to: SocketAddress,
    first?: number,
    count?: number,
  ): boolean | Promise<boolean>;
  /**
   * Sends the same packets of a batch to many receivers, in order to each. What cannot go to one receiver, or must wait,
   * does not hold up the others. The batch may be changed as soon as the call returns.
   *
   * @param receivers Stays the same array, unchanged, for as long as it is the same set: what the system needs of it is
   * prepared once.
   * @param first Index of the first packet to send.
   * @param count How many packets to send.
   * @param onRefused Told the index of each receiver that nothing could be sent to.
   */
  sendToMany(
    batch: PacketBatch,
    receivers: readonly SocketAddress[],
    first: number,
    count: number,
    onRefused?: (index: number) => void,
  ): void;
  /** Sends one datagram. The bytes may be changed as soon as the call returns. */
  sendTo(bytes: Uint8Array, to: SocketAddress): boolean | Promise<boolean>;
  /** Octets of what waits to be handed to the system for this receiver, the same object, what is under way included. */
  waitingBytes(to: SocketAddress): number;
  /** Waits for the next datagram; `undefined` once the socket is closed. One call at a time. */
  receive(): Promise<ReceivedDatagram | undefined>;
  /** Hands over each datagram from now on until the socket is closed, in place of `receive()`, where that is possible. */
  receiveEach?(take: TakeDatagram): void;
  /** Hands over at once what has come already and would be handed over soon. */
  takeArrived?(): void;
  /** Counters since the socket was opened. */
  statistics(): DatagramStatistics;
  /** Closes the socket; a pending `receive()` ends with `undefined`. Harmless when repeated. */
  close(): void;
}

/** A connected TCP (or TLS) stream. */
export interface ByteStream extends Disposable {
  /** The address of this end. */
  readonly localAddress: SocketAddress;
  /** The address of the other end. */
  readonly remoteAddress: SocketAddress;
  /**
   * Reads what is there, at least one octet.
   *
   * @returns the number of octets put into `buffer`, or `null` at the end (the peer's FIN, or `close()` here).
   * @throws {TransportError} when the connection broke.
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Writes all the bytes, which must not change before the promise settles. One writer at a time.
   *
   * @throws {TransportError} when the connection broke or was closed meanwhile.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Writes what the system takes at once, without waiting, where that is possible; not while a `write` is under way.
   *
   * @returns the number of octets taken, from 0 to all.
   */
  writeNow?(bytes: Uint8Array): number;
  /** Says that nothing more will be written (FIN); reading goes on. */
  closeWrite(): Promise<void>;
  /** Closes both directions at once; pending reads end with `null`. Harmless when repeated. */
  close(): void;
}

/** A TCP socket that accepts connections. */
export interface StreamListener extends Disposable {
  /** The local address, with the port the system chose where 0 was asked for. */
  readonly address: SocketAddress;
  /**
   * Waits for the next connection; `undefined` once the listener is closed.
   *
   * @throws {TransportError} when the system could not accept one (out of descriptors, …); accepting may be tried again.
   */
  accept(): Promise<ByteStream | undefined>;
  /** Stops listening. Harmless when repeated. */
  close(): void;
}
