/**
 * Finds the file descriptors of sockets that Deno has opened: it does not tell them.
 *
 * Floor 3 (wall). Linux, through FFI. It asks every descriptor of the process for its address, so ask once for each socket.
 *
 * @module
 */

import { type Libc, SOCKET_OPTION } from "./libc.ts";
import type { SocketAddress } from "./socket.ts";
import { ADDRESS_FAMILY, decodeSocketPort, encodeSocketAddress } from "./socket_address_linux.ts";

/** A socket as the kernel knows it. */
export interface FoundDescriptor {
  /** Its file descriptor. */
  readonly fd: number;
  /** Its address family, one of {@linkcode ADDRESS_FAMILY}'s numbers. */
  readonly family: number;
}

/** The UDP socket of this process that is bound to an address; `undefined` when there is none. */
export function findDatagramDescriptor(
  libc: Libc,
  address: SocketAddress,
): FoundDescriptor | undefined {
  return findDescriptor(libc, address, (fd) => {
    return readOption(libc, fd, SOCKET_OPTION.SO_TYPE) === SOCK_DGRAM;
  });
}

/** The descriptor of a TCP connection of this process, by its two ends; `undefined` when there is none. */
export function findStreamDescriptor(
  libc: Libc,
  { localAddress, remoteAddress }: {
    readonly localAddress: SocketAddress;
    readonly remoteAddress: SocketAddress;
  },
): number | undefined {
  const name = new Uint8Array(128);
  const sizeBytes = new Uint8Array(new Uint32Array([name.length]).buffer);
  const found = findDescriptor(libc, localAddress, (fd, family) => {
    if (libc.calls.getpeername(fd, name, sizeBytes) !== 0) return false;
    const wanted = encodeSocketAddress(remoteAddress, family);
    if (wanted === undefined || decodeSocketPort(name).port !== remoteAddress.port) return false;
    return isSameHost(wanted, name, family) &&
      readOption(libc, fd, SOCKET_OPTION.SO_TYPE) === SOCK_STREAM;
  });
  return found?.fd;
}

/** The TCP socket of this process that listens on an address; `undefined` when there is none. */
export function findListenerDescriptor(libc: Libc, address: SocketAddress): number | undefined {
  const isListener = (fd: number) => readOption(libc, fd, SOCKET_OPTION.SO_ACCEPTCONN) === 1;
  return findDescriptor(libc, address, isListener)?.fd;
}

function findDescriptor(
  libc: Libc,
  address: SocketAddress,
  isWanted: (fd: number, family: number) => boolean,
): FoundDescriptor | undefined {
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
    const wanted = encodeSocketAddress(address, family);
    if (wanted === undefined || !isSameHost(wanted, name, family)) continue;
    if (isWanted(fd, family)) return { fd, family };
  }
  return undefined;
}

/** A number that the system keeps for a socket; `undefined` where it cannot be asked. */
export function readOption(libc: Libc, fd: number, option: number): number | undefined {
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

function isSameHost(wanted: Uint8Array, name: Uint8Array, family: number): boolean {
  const [from, to] = family === ADDRESS_FAMILY.AF_INET ? [4, 8] : [8, 24];
  for (let i = from; i < to; i++) if (wanted[i] !== name[i]) return false;
  return true;
}

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MAX_DESCRIPTORS = 1 << 20;
/** Files and pipes are no sockets either: only a long row of misses means that the table has ended. */
const MAX_MISSES = 4_096;
