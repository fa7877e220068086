/**
 * UDP sockets that send a whole frame with one system call: `sendmmsg` with segmentation offload (UDP_SEGMENT).
 *
 * Floor 3 (wall). Linux 4.18 and later, through FFI. It receives, and is opened and closed, as the portable socket
 * it is built on; only sending differs. Where anything is missing, {@linkcode openLinuxUdp} says so by `undefined` and the
 * portable socket does the work.
 *
 * @module
 */

import { ERRNO, type Libc, openLibc, SOCKET_OPTION } from "./libc.ts";
import {
  MAX_MESSAGE_BYTES,
  MAX_SEGMENTS,
  type QueuedSocket,
  SendQueue,
} from "./send_queue_linux.ts";
import type {
  DatagramSocket,
  DatagramStatistics,
  PacketBatch,
  ReceivedDatagram,
  SocketAddress,
} from "./socket.ts";
import { ADDRESS_FAMILY, decodeSocketPort, encodeSocketAddress } from "./socket_address_linux.ts";

/**
 * Makes a portable socket send by `sendmmsg` and UDP_SEGMENT. The given socket belongs to the result from then on.
 *
 * @returns `undefined` without Linux, without `--allow-ffi`, or where the socket's descriptor cannot be found.
 */
export function accelerateUdp(socket: DatagramSocket): DatagramSocket | undefined {
  const libc = openLibc();
  if (libc === undefined) return undefined;
  const found = findDescriptor(libc, socket.address);
  if (found === undefined) {
    libc.close();
    return undefined;
  }
  shared ??= { queue: new SendQueue(libc), users: 0 };
  shared.users++;
  return new LinuxDatagramSocket({ portable: socket, found, libc, queue: shared.queue });
}

/**
 * Tries whether datagrams sent this way arrive, two segments in one message from a socket to itself.
 *
 * @param socket A socket of {@linkcode accelerateUdp} on a loopback address that nobody else uses.
 */
export async function segmentsArrive(socket: DatagramSocket, timeoutMs = 1_000): Promise<boolean> {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  await socket.send({ bytes, packetSize: 3, packetCount: 2, payloadSize: 0 }, socket.address);
  const timer = setTimeout(() => socket.close(), timeoutMs);
  try {
    const first = (await socket.receive())?.bytes.slice();
    const second = (await socket.receive())?.bytes.slice();
    return `${first}|${second}` === "1,2,3|4,5";
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks the system for a receive buffer, with the privilege to pass its limit where we have it.
 *
 * @returns the size granted in octets, as the system counts it (about twice the payload it holds); `undefined` where it
 * cannot be asked.
 */
export function raiseReceiveBuffer(address: SocketAddress, bytes: number): number | undefined {
  const libc = openLibc();
  if (libc === undefined) return undefined;
  try {
    const found = findDescriptor(libc, address);
    return found === undefined ? undefined : raiseOption(libc, found.fd, bytes);
  } finally {
    libc.close();
  }
}

function raiseOption(libc: Libc, fd: number, bytes: number): number | undefined {
  const { SOL_SOCKET, SO_RCVBUF, SO_RCVBUFFORCE } = SOCKET_OPTION;
  const value = new Uint8Array(new Int32Array([bytes]).buffer);
  libc.calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, 4);
  libc.calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4);
  return readOption(libc, fd, SO_RCVBUF);
}

/** One queue for all sockets of this thread: its memory is worth a megabyte. */
let shared: { readonly queue: SendQueue; users: number } | undefined;

interface FoundDescriptor {
  readonly fd: number;
  readonly family: number;
}

class LinuxDatagramSocket implements DatagramSocket, QueuedSocket {
  readonly address: SocketAddress;
  readonly maxBatchBytes = MAX_MESSAGE_BYTES;
  readonly fd: number;
  readonly #portable: DatagramSocket;
  readonly #libc: Libc;
  readonly #queue: SendQueue;
  readonly #family: number;
  /** Receivers are few and come again and again, as the same object each. */
  readonly #receivers = new WeakMap<SocketAddress, Uint8Array<ArrayBuffer>>();
  #maxSegments = MAX_SEGMENTS;
  #isClosed = false;
  #sent = 0;
  #dropped = 0;
  #lastError: string | undefined;

  constructor(options: {
    readonly portable: DatagramSocket;
    readonly found: FoundDescriptor;
    readonly libc: Libc;
    readonly queue: SendQueue;
  }) {
    this.#portable = options.portable;
    this.address = options.portable.address;
    this.fd = options.found.fd;
    this.#family = options.found.family;
    this.#libc = options.libc;
    this.#queue = options.queue;
  }

  get maxSegments(): number {
    return this.#maxSegments;
  }

  send(
    batch: PacketBatch,
    to: SocketAddress,
    first = 0,
    count = batch.packetCount - first,
  ): boolean {
    if (count <= 0) return false;
    const receiver = this.#receiverOf(to);
    if (this.#isClosed || receiver === undefined) {
      this.#dropped += count;
      return false;
    }
    const { bytes, packetSize } = batch;
    const perMessage = Math.max(
      1,
      Math.min(this.#maxSegments, Math.floor(MAX_MESSAGE_BYTES / packetSize)),
    );
    for (let index = first; index < first + count; index += perMessage) {
      const end = Math.min(index + perMessage, first + count) * packetSize;
      this.#queue.add(this, {
        bytes: bytes.subarray(index * packetSize, Math.min(end, bytes.length)),
        packetSize,
        to: receiver,
      });
    }
    return true;
  }

  sendTo(bytes: Uint8Array, to: SocketAddress): boolean {
    const receiver = this.#receiverOf(to);
    if (this.#isClosed || receiver === undefined || bytes.length > MAX_MESSAGE_BYTES) {
      this.#dropped++;
      return false;
    }
    this.#queue.add(this, { bytes, packetSize: bytes.length, to: receiver });
    return true;
  }

  receive(): Promise<ReceivedDatagram | undefined> {
    return this.#portable.receive();
  }

  statistics(): DatagramStatistics {
    const { received, lastError } = this.#portable.statistics();
    return {
      sent: this.#sent,
      dropped: this.#dropped,
      received,
      lastError: this.#lastError ?? lastError,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    // The descriptor's number may belong to another socket as soon as this one is closed.
    this.#queue.flush();
    this.#isClosed = true;
    this.#portable.close();
    this.#libc.close();
    if (shared !== undefined && --shared.users === 0) shared = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  onSent(datagrams: number): void {
    this.#sent += datagrams;
  }

  onRefused(datagrams: number, errno: number, hadSegments: boolean): void {
    this.#dropped += datagrams;
    this.#lastError = `error ${errno} of the system`;
    // A network card or a tunnel that cannot segment: never ask this socket again.
    if (hadSegments && (errno === ERRNO.EIO || errno === ERRNO.EINVAL)) this.#maxSegments = 1;
  }

  #receiverOf(to: SocketAddress): Uint8Array<ArrayBuffer> | undefined {
    let receiver = this.#receivers.get(to);
    if (receiver === undefined) {
      receiver = encodeSocketAddress(to, this.#family);
      if (receiver !== undefined) this.#receivers.set(to, receiver);
    }
    return receiver;
  }
}

/** Deno tells no descriptors: the one that is a UDP socket with this address is looked for. */
function findDescriptor(libc: Libc, address: SocketAddress): FoundDescriptor | undefined {
  const name = new Uint8Array(128);
  const size = new Uint32Array(1);
  const sizeBytes = new Uint8Array(size.buffer);
  for (let fd = 3, misses = 0; fd < MAX_DESCRIPTORS && misses < MAX_MISSES; fd++) {
    size[0] = name.length;
    if (libc.calls.getsockname(fd, name, sizeBytes) !== 0) {
      misses++;
      continue;
    }
    misses = 0;
    const { family, port } = decodeSocketPort(name);
    if (family !== ADDRESS_FAMILY.AF_INET && family !== ADDRESS_FAMILY.AF_INET6) continue;
    if (port !== address.port) continue;
    if (readOption(libc, fd, SOCKET_OPTION.SO_TYPE) !== SOCK_DGRAM) continue;
    const wanted = encodeSocketAddress(address, family);
    if (wanted !== undefined && isSameHost(wanted, name, family)) return { fd, family };
  }
  return undefined;
}

function isSameHost(wanted: Uint8Array, name: Uint8Array, family: number): boolean {
  const [from, to] = family === ADDRESS_FAMILY.AF_INET ? [4, 8] : [8, 24];
  for (let i = from; i < to; i++) if (wanted[i] !== name[i]) return false;
  return true;
}

function readOption(libc: Libc, fd: number, option: number): number | undefined {
  const value = new Int32Array(1);
  const result = libc.calls.getsockopt(
    fd,
    SOCKET_OPTION.SOL_SOCKET,
    option,
    new Uint8Array(value.buffer),
    new Uint8Array(new Uint32Array([4]).buffer),
  );
  return result === 0 ? value[0] : undefined;
}

const SOCK_DGRAM = 2;
const MAX_DESCRIPTORS = 1 << 20;
/** Files and pipes are no sockets either: only a long row of misses means that the table has ended. */
const MAX_MISSES = 4_096;
