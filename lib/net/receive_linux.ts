/**
 * UDP sockets whose datagrams are received by a thread of their own, so that a busy program loses none.
 *
 * Floor 3 (wall). Linux, through FFI. They are opened, send and are closed as the portable sockets they are built on; only
 * receiving differs. Until the thread runs, and again if it ends by a fault, the portable socket receives: nothing waits
 * for the thread, and the order stays.
 *
 * @module
 */

import { findDatagramDescriptor } from "./descriptor_linux.ts";
import { stopWatchingForReads } from "./event_loop_linux.ts";
import { type Libc, openLibc, SOCKET_OPTION } from "./libc.ts";
import type { RingRecord } from "./receive_ring.ts";
import type { ReceiveTarget, ReceiveThread } from "./receive_thread.ts";
import type {
  DatagramSocket,
  DatagramStatistics,
  PacketBatch,
  ReceivedDatagram,
  SocketAddress,
  TakeDatagram,
} from "./socket.ts";
import { decodeSocketAddress } from "./socket_address_linux.ts";

/** Settings of {@linkcode receiveInThread}. */
export interface ReceiveInThreadOptions {
  /** Told how many datagrams, of all sockets, found no room in the thread's ring since it was told last. */
  readonly onOverflow?: (datagrams: number) => void;
}

/**
 * Makes a portable socket receive by the thread. The given socket belongs to the result from then on.
 *
 * @param thread Held for as long as the socket is open.
 * @returns `undefined` where the socket's descriptor cannot be found.
 */
export function receiveInThread(
  socket: DatagramSocket,
  thread: ReceiveThread,
  options: ReceiveInThreadOptions = {},
): DatagramSocket | undefined {
  const libc = openLibc();
  const found = libc && findDatagramDescriptor(libc, socket.address);
  if (libc === undefined || found === undefined) {
    libc?.close();
    return undefined;
  }
  const parts = { portable: socket, thread: thread.share(), libc, fd: found.fd };
  return new ThreadedDatagramSocket(parts, options);
}

class ThreadedDatagramSocket implements DatagramSocket, ReceiveTarget {
  readonly address: SocketAddress;
  readonly maxSegments: number;
  readonly maxBatchBytes: number;
  readonly #portable: DatagramSocket;
  readonly #thread: ReceiveThread;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #onOverflow: ((datagrams: number) => void) | undefined;
  /** The socket's number in the thread, while that receives for it. */
  #number: number | undefined;
  #watchForReads: (() => void) | undefined;
  #take: TakeDatagram | undefined;
  #queue: CopiedDatagrams | undefined;
  #isPortableReading = false;
  #portableCount = 0;
  #threadCount = 0;
  #sender: SocketAddress = { hostname: "", port: 0 };
  readonly #senderWords = new Int32Array(7);
  #turn: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    { portable, thread, libc, fd }: {
      readonly portable: DatagramSocket;
      readonly thread: ReceiveThread;
      readonly libc: Libc;
      readonly fd: number;
    },
    { onOverflow }: ReceiveInThreadOptions,
  ) {
    this.#portable = portable;
    this.#thread = thread;
    this.#libc = libc;
    this.#fd = fd;
    this.#onOverflow = onOverflow;
    this.address = portable.address;
    this.maxSegments = portable.maxSegments;
    this.maxBatchBytes = portable.maxBatchBytes;
  }

  send(
    batch: PacketBatch,
    to: SocketAddress,
    first?: number,
    count?: number,
  ): boolean | Promise<boolean> {
    return this.#portable.send(batch, to, first, count);
  }

  sendToMany(
    batch: PacketBatch,
    receivers: readonly SocketAddress[],
    first: number,
    count: number,
    onRefused?: (index: number) => void,
  ): void {
    this.#portable.sendToMany(batch, receivers, first, count, onRefused);
  }

  sendTo(bytes: Uint8Array, to: SocketAddress): boolean | Promise<boolean> {
    return this.#portable.sendTo(bytes, to);
  }

  waitingBytes(to: SocketAddress): number {
    return this.#portable.waitingBytes(to);
  }

  /** Datagrams that nobody asks for are copied, up to a bound. */
  receive(): Promise<ReceivedDatagram | undefined> {
    if (this.#queue === undefined) {
      const queue = this.#queue = new CopiedDatagrams();
      if (this.#isClosed) queue.end();
      else this.receiveEach((bytes, _arrivalMs, from) => queue.push(bytes, from));
    }
    return this.#queue.next();
  }

  receiveEach(take: TakeDatagram): void {
    if (this.#isClosed) return;
    this.#take = take;
    if (this.#thread.isRunning) return this.#handOver();
    void this.#readPortably();
    void this.#thread.ready.then((isReady) => {
      if (isReady) void this.#handOverInOrder();
    });
  }

  takeArrived(): void {
    if (this.#number !== undefined) this.#thread.takeArrived();
  }

  take({ bytes, arrivalMs, address }: RingRecord): void {
    this.#threadCount++;
    this.#take?.(bytes, arrivalMs, this.#senderOf(address));
  }

  overflowed(datagrams: number): void {
    this.#onOverflow?.(datagrams);
  }

  failed(): void {
    this.#number = undefined;
    if (this.#isClosed) return;
    this.#setOption(SOCKET_OPTION.SOL_UDP, SOCKET_OPTION.UDP_GRO, 0);
    this.#watchForReads?.();
    this.#watchForReads = undefined;
    void this.#readPortably();
  }

  statistics(): DatagramStatistics {
    const { dropped, ...rest } = this.#portable.statistics();
    return {
      ...rest,
      dropped: dropped + (this.#queue?.dropped ?? 0),
      received: this.#portableCount + this.#threadCount,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#turn);
    const letGo = this.#number === undefined
      ? undefined
      : this.#thread.remove(this.#number, this.#fd);
    this.#number = undefined;
    // The descriptor's number may belong to another file as soon as it is closed.
    if (letGo === undefined) this.#release();
    else void letGo.then(() => this.#release());
    this.#queue?.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#portable.close();
    this.#thread.close();
    this.#libc.close();
  }

  async #readPortably(): Promise<void> {
    if (this.#isPortableReading) return;
    this.#isPortableReading = true;
    for (;;) {
      const datagram = await this.#portable.receive();
      if (datagram === undefined) return;
      this.#portableCount++;
      const { bytes, hostname, port } = datagram;
      this.#take?.(bytes, performance.now(), { hostname, port });
    }
  }

  /** What Deno has been told of already, it reads first: the thread begins when nothing more comes of it. */
  async #handOverInOrder(): Promise<void> {
    if (this.#isClosed || !this.#stopWatching()) return;
    for (let seen = -1; seen !== this.#portableCount;) {
      seen = this.#portableCount;
      for (let turn = 0; turn < 2; turn++) {
        await new Promise<void>((resolve) => this.#turn = setTimeout(resolve, 0));
      }
      if (this.#isClosed) return;
    }
    this.#handOver();
  }

  #handOver(): void {
    if (!this.#stopWatching()) return void this.#readPortably();
    const { SOL_SOCKET, SO_TIMESTAMPNS, SOL_UDP, UDP_GRO } = SOCKET_OPTION;
    this.#setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
    this.#setOption(SOL_UDP, UDP_GRO, 1);
    this.#number = this.#thread.add(this.#fd, this);
    if (this.#number === undefined) this.failed();
  }

  /** The event loop needs to know no more of what comes; false where that cannot be. */
  #stopWatching(): boolean {
    this.#watchForReads ??= stopWatchingForReads(this.#libc, this.#fd);
    return this.#watchForReads !== undefined;
  }

  /** What the kernel does not know, it refuses, and the thread does without. */
  #setOption(level: number, option: number, value: number): void {
    const bytes = new Uint8Array(new Int32Array([value]).buffer);
    this.#libc.calls.setsockopt(this.#fd, level, option, bytes, 4);
  }

  #senderOf(address: Int32Array): SocketAddress {
    const known = this.#senderWords;
    let isKnown = true;
    for (let i = 0; i < known.length; i++) isKnown &&= known[i] === address[i];
    if (isKnown) return this.#sender;
    known.set(address);
    const bytes = new Uint8Array(known.buffer);
    return this.#sender = decodeSocketAddress(bytes) ?? { hostname: "", port: 0 };
  }
}

/** Datagrams for those who ask for them one by one. */
class CopiedDatagrams {
  readonly #waiting: ReceivedDatagram[] = [];
  /** Those that found no room. */
  dropped = 0;
  #bytes = 0;
  #asking: PromiseWithResolvers<ReceivedDatagram | undefined> | undefined;
  #hasEnded = false;

  push(bytes: Uint8Array, { hostname, port }: SocketAddress): void {
    const datagram = { bytes: bytes.slice(), hostname, port };
    const asking = this.#asking;
    this.#asking = undefined;
    if (asking !== undefined) return asking.resolve(datagram);
    if (this.#bytes + bytes.length + HEAD_BYTES > MAX_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.#bytes += bytes.length + HEAD_BYTES;
    this.#waiting.push(datagram);
  }

  next(): Promise<ReceivedDatagram | undefined> {
    const datagram = this.#waiting.shift();
    if (datagram !== undefined) {
      this.#bytes -= datagram.bytes.length + HEAD_BYTES;
      return Promise.resolve(datagram);
    }
    if (this.#hasEnded) return Promise.resolve(undefined);
    this.#asking = Promise.withResolvers();
    return this.#asking.promise;
  }

  end(): void {
    this.#hasEnded = true;
    this.#waiting.length = 0;
    this.#asking?.resolve(undefined);
    this.#asking = undefined;
  }
}

/** As a socket of the system holds, after it was asked for more. */
const MAX_WAITING_BYTES = 8 << 20;
/** Counted for a datagram beside its payload. */
const HEAD_BYTES = 256;
