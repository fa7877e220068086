/**
 * UDP sockets that send a whole frame with one system call by segmentation offload (UDP_SEGMENT).
 *
 * Floor 3 (wall). Linux 4.18 and later, through FFI. It receives, and is opened and closed, as the portable socket
 * it is built on; only sending differs. A frame leaves straight from its batch: copying frames into a queue for one
 * `sendmmsg` cost as much as a call for each (measured: 6.1 against 6.0 microseconds a frame of 22 packets). Where
 * anything is missing, {@linkcode accelerateUdp} says so by `undefined` and the portable socket does the work.
 *
 * @module
 */

import { findDatagramDescriptor, type FoundDescriptor, readOption } from "./descriptor_linux.ts";
import { stopWatchingForWrites } from "./event_loop_linux.ts";
import { ERRNO, type Libc, openLibc, SOCKET_OPTION } from "./libc.ts";
import { LinuxMessage, LinuxMessages } from "./message_linux.ts";
import type {
  DatagramSocket,
  DatagramStatistics,
  PacketBatch,
  ReceivedDatagram,
  SocketAddress,
} from "./socket.ts";
import { encodeSocketAddress } from "./socket_address_linux.ts";

/**
 * Makes a portable socket send by UDP_SEGMENT. The given socket belongs to the result from then on.
 *
 * @param libc The C library; belongs to the result. Tests hand in one that fails.
 * @returns `undefined` without Linux, without `--allow-ffi`, or where the socket's descriptor cannot be found.
 */
export function accelerateUdp(
  socket: DatagramSocket,
  libc: Libc | undefined = openLibc(),
): DatagramSocket | undefined {
  if (libc === undefined) return undefined;
  const found = findDatagramDescriptor(libc, socket.address);
  if (found === undefined) {
    libc.close();
    return undefined;
  }
  const { SO_SNDBUF, SO_SNDBUFFORCE } = SOCKET_OPTION;
  raiseOption(libc, found.fd, [SO_SNDBUF, SO_SNDBUFFORCE], SEND_BUFFER_BYTES);
  return new LinuxDatagramSocket({ portable: socket, found, libc });
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
    const found = findDatagramDescriptor(libc, address);
    const { SO_RCVBUF, SO_RCVBUFFORCE } = SOCKET_OPTION;
    return found && raiseOption(libc, found.fd, [SO_RCVBUF, SO_RCVBUFFORCE], bytes);
  } finally {
    libc.close();
  }
}

function raiseOption(
  libc: Libc,
  fd: number,
  [limited, forced]: readonly [limited: number, forced: number],
  bytes: number,
): number | undefined {
  const value = new Uint8Array(new Int32Array([bytes]).buffer);
  const { SOL_SOCKET } = SOCKET_OPTION;
  if (libc.calls.setsockopt(fd, SOL_SOCKET, forced, value, 4) !== 0) {
    libc.calls.setsockopt(fd, SOL_SOCKET, limited, value, 4);
  }
  return readOption(libc, fd, limited);
}

/** One message for all sockets of this thread: it is sent before the next one is made. */
let shared: LinuxMessage | undefined;

class LinuxDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly maxBatchBytes = MAX_MESSAGE_BYTES;
  readonly #fd: number;
  readonly #family: number;
  readonly #portable: DatagramSocket;
  readonly #libc: Libc;
  /** Receivers are few and come again and again, as the same object each. */
  readonly #receivers = new WeakMap<SocketAddress, Uint8Array<ArrayBuffer>>();
  /** Sets of receivers, as the same array each. */
  readonly #sets = new WeakMap<readonly SocketAddress[], LinuxMessages>();
  /** Needed as soon as the portable socket is to wait for room. */
  #watchForWrites: (() => void) | undefined;
  #maxSegments = MAX_SEGMENTS;
  #hasWaited = false;
  #isClosed = false;
  #sent = 0;
  #dropped = 0;
  #lastError: string | undefined;

  constructor(options: {
    readonly portable: DatagramSocket;
    readonly found: FoundDescriptor;
    readonly libc: Libc;
  }) {
    this.#portable = options.portable;
    this.address = options.portable.address;
    this.#fd = options.found.fd;
    this.#family = options.found.family;
    this.#libc = options.libc;
    this.#watchForWrites = stopWatchingForWrites(options.libc, this.#fd);
  }

  get maxSegments(): number {
    return this.#maxSegments;
  }

  send(
    batch: PacketBatch,
    to: SocketAddress,
    first = 0,
    count: number = batch.packetCount - first,
  ): boolean | Promise<boolean> {
    if (count <= 0) return false;
    const receiver = this.#receiverOf(to);
    if (this.#isClosed || receiver === undefined) {
      this.#dropped += count;
      return false;
    }
    // What waits for room leaves first.
    if (this.waitingBytes(to) > 0) return this.#portable.send(batch, to, first, count);
    const { bytes, packetSize } = batch;
    const fitting = Math.max(1, Math.floor(MAX_MESSAGE_BYTES / packetSize));
    const end = first + count;
    const endByte = Math.min(end * packetSize, bytes.length);
    for (let index = first; index < end;) {
      const segments = Math.min(end - index, this.#maxSegments, fitting);
      const start = index * packetSize;
      const message = bytes.subarray(start, Math.min(start + segments * packetSize, endByte));
      const errno = this.#sendMessage(message, receiver, segments === 1 ? 0 : packetSize);
      if (errno === 0) this.#sent += segments;
      else if (isFull(errno)) return this.#patient().send(batch, to, index, end - index);
      else if (segments > 1 && this.#doWithoutSegments(errno, message, packetSize, receiver)) {
        continue;
      } else this.#refuse(segments, errno);
      index += segments;
    }
    return true;
  }

  sendToMany(
    batch: PacketBatch,
    receivers: readonly SocketAddress[],
    first: number,
    count: number,
    onRefused?: (index: number) => void,
  ): void {
    const messages = this.#messagesFor(receivers);
    const { bytes, packetSize } = batch;
    const end = first + count;
    const fitting = Math.max(1, Math.floor(MAX_MESSAGE_BYTES / packetSize));
    for (let index = first; index < end;) {
      if (this.#isClosed || messages === undefined || this.#isAnyWaiting(receivers)) {
        for (let i = 0; i < receivers.length; i++) {
          const isSent = this.send(batch, receivers[i], index, end - index) !== false;
          if (!isSent && index === first) onRefused?.(i);
        }
        return;
      }
      const segments = Math.min(end - index, this.#maxSegments, fitting);
      const endByte = Math.min((index + segments) * packetSize, bytes.length);
      messages.load(bytes, index * packetSize, endByte, segments === 1 ? 0 : packetSize);
      for (let i = 0; i < receivers.length;) {
        const sent = messages.send(this.#libc, this.#fd, i);
        this.#sent += sent * segments;
        i += sent;
        if (sent > 0) continue;
        // The one that was refused goes the way of a single receiver, which knows what to do.
        const isSent = this.send(batch, receivers[i], index, segments) !== false;
        if (!isSent && index === first) onRefused?.(i);
        i++;
      }
      index += segments;
    }
  }

  sendTo(bytes: Uint8Array, to: SocketAddress): boolean | Promise<boolean> {
    const receiver = this.#receiverOf(to);
    if (this.#isClosed || receiver === undefined) {
      this.#dropped++;
      return false;
    }
    if (this.waitingBytes(to) > 0) return this.#portable.sendTo(bytes, to);
    const errno = this.#sendMessage(bytes, receiver, 0);
    if (errno === 0) this.#sent++;
    else if (isFull(errno)) return this.#patient().sendTo(bytes, to);
    else this.#refuse(1, errno);
    return errno === 0;
  }

  waitingBytes(to: SocketAddress): number {
    return this.#hasWaited ? this.#portable.waitingBytes(to) : 0;
  }

  receive(): Promise<ReceivedDatagram | undefined> {
    return this.#portable.receive();
  }

  statistics(): DatagramStatistics {
    const { sent, dropped, received, lastError } = this.#portable.statistics();
    return {
      sent: this.#sent + sent,
      dropped: this.#dropped + dropped,
      received,
      lastError: this.#lastError ?? lastError,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#portable.close();
    this.#libc.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sendMessage(bytes: Uint8Array, to: Uint8Array, segmentSize: number): number {
    shared ??= new LinuxMessage();
    return shared.send(this.#libc, this.#fd, bytes, to, segmentSize);
  }

  /** A network card, tunnel or route that cannot segment: if a packet alone gets through, this socket asks no more. */
  #doWithoutSegments(
    errno: number,
    message: Uint8Array,
    packetSize: number,
    to: Uint8Array<ArrayBuffer>,
  ): boolean {
    if (!REFUSES_SEGMENTS.includes(errno)) return false;
    // The receiver may get this packet twice, which RTP bears.
    if (this.#sendMessage(message.subarray(0, packetSize), to, 0) !== 0) return false;
    this.#maxSegments = 1;
    return true;
  }

  /** The portable socket, which waits for room in the send buffer. */
  #patient(): DatagramSocket {
    this.#hasWaited = true;
    this.#watchForWrites?.();
    this.#watchForWrites = undefined;
    return this.#portable;
  }

  #refuse(datagrams: number, errno: number): void {
    this.#dropped += datagrams;
    this.#lastError = errno === ERRNO.EMSGSIZE
      ? "message too long"
      : `error ${errno} of the system`;
  }

  #isAnyWaiting(receivers: readonly SocketAddress[]): boolean {
    if (!this.#hasWaited) return false;
    for (const to of receivers) if (this.waitingBytes(to) > 0) return true;
    return false;
  }

  /** Laid out once for each set; `undefined` where somebody in it has no address of this socket's family. */
  #messagesFor(receivers: readonly SocketAddress[]): LinuxMessages | undefined {
    let messages = this.#sets.get(receivers);
    if (messages === undefined) {
      const encoded: Uint8Array[] = [];
      for (const to of receivers) {
        const receiver = this.#receiverOf(to);
        if (receiver === undefined) return undefined;
        encoded.push(receiver);
      }
      this.#sets.set(receivers, messages = new LinuxMessages(encoded));
    }
    return messages;
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

/** No room in the send buffer: the portable socket waits for it. */
function isFull(errno: number): boolean {
  return errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS;
}

/** Most packets in a message: kernels before 5.19 allow no more. */
const MAX_SEGMENTS = 64;
/** Most octets in a message. */
const MAX_MESSAGE_BYTES = 65_507;
const REFUSES_SEGMENTS: readonly number[] = [ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE];
/** Frames of many readers fall due together: what the network card has not taken yet must find room. */
const SEND_BUFFER_BYTES = 8 << 20;
