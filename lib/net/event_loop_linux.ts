/**
 * Deno's event loop as the kernel knows it: the epoll descriptor that watches the sockets of this thread.
 *
 * Floor 3 (wall). Linux, through FFI. It takes no event away from the event loop; it finds it, and can ask the kernel to
 * bother it less.
 *
 * @module
 */

import { ERRNO, type Libc } from "./libc.ts";

/** The event loop that watches a socket: the descriptor that refuses to add the socket once more. */
export function findEventLoop(libc: Libc, socket: number): number | undefined {
  const event = new Uint8Array(EPOLL_EVENT_SIZE);
  for (let fd = 3, misses = 0; misses < MAX_MISSES; fd++) {
    if (libc.calls.epoll_ctl(fd, EPOLL_CTL_ADD, socket, event) === 0) {
      libc.calls.epoll_ctl(fd, EPOLL_CTL_DEL, socket, event);
    } else if (libc.errno() === ERRNO.EEXIST) return fd;
    else misses++;
  }
  return undefined;
}

/**
 * Asks for no more events when a socket can be written to. The kernel makes one whenever a sent packet has left, and each
 * would wake the event loop; whoever sends by system calls of their own has no use for them.
 *
 * @returns a call that asks for them again, or `undefined` where it did not work. Deno must not be asked to send by this
 * socket before: it might wait for such an event.
 */
export function stopWatchingForWrites(libc: Libc, socket: number): (() => void) | undefined {
  return stopWatchingFor(libc, socket, EPOLLOUT);
}

/**
 * Asks for no more events when there is something to read: another thread reads it.
 *
 * @returns as {@linkcode stopWatchingForWrites}. What Deno waits to read by this socket then waits until it is closed.
 */
export function stopWatchingForReads(libc: Libc, socket: number): (() => void) | undefined {
  return stopWatchingFor(libc, socket, EPOLLIN | EPOLLPRI | EPOLLRDHUP);
}

function stopWatchingFor(
  libc: Libc,
  socket: number,
  unwanted: number,
): (() => void) | undefined {
  const eventLoop = findEventLoop(libc, socket);
  if (eventLoop === undefined) return undefined;
  const registration = readFile(libc, `/proc/self/fdinfo/${eventLoop}`)
    .match(new RegExp(`^tfd: +${socket} events: +([0-9a-f]+) data: +([0-9a-f]+)`, "m"));
  if (registration === null) return undefined;
  const events = parseInt(registration[1], 16);
  const watchFor = (wanted: number): boolean => {
    const event = encodeEvent(wanted, BigInt(`0x${registration[2]}`));
    return libc.calls.epoll_ctl(eventLoop, EPOLL_CTL_MOD, socket, event) === 0;
  };
  return watchFor(events & ~unwanted) ? () => void watchFor(events) : undefined;
}

/** `struct epoll_event`: what is watched for, and what is told of it then. */
export function encodeEvent(events: number, data: bigint): Uint8Array<ArrayBuffer> {
  const event = new DataView(new ArrayBuffer(EPOLL_EVENT_SIZE));
  event.setUint32(0, events >>> 0, true);
  event.setBigUint64(EPOLL_DATA_AT, data, true);
  return new Uint8Array(event.buffer);
}

/** Deno itself opens files of `/proc` only for programs that may do everything. */
function readFile(libc: Libc, path: string): string {
  const fd = libc.calls.open(new TextEncoder().encode(`${path}\0`), O_CLOEXEC);
  if (fd < 0) return "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let text = "";
  for (let count; (count = libc.calls.read(fd, buffer, BigInt(buffer.length))) > 0;) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  libc.calls.close(fd);
  return text;
}

/** What `epoll_ctl` does. */
export const EPOLL_CTL_ADD = 1;
/** The same, the other way. */
export const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
/** There is something to read. */
export const EPOLLIN = 1;
const EPOLLPRI = 2;
const EPOLLOUT = 4;
const EPOLLRDHUP = 0x2000;
const IS_PACKED = Deno.build.arch === "x86_64";
/** Octets of `struct epoll_event`, which is packed on x86-64. */
export const EPOLL_EVENT_SIZE: number = IS_PACKED ? 12 : 16;
/** Where its data begin. */
export const EPOLL_DATA_AT: number = IS_PACKED ? 4 : 8;
const O_CLOEXEC = 0o2000000;
/** The event loop is among the first things a thread opens. */
const MAX_MISSES = 1_024;
