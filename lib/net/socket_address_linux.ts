/**
 * `struct sockaddr_in` and `sockaddr_in6` as Linux lays them out, from and to addresses in text form.
 *
 * Floor 3 (wall), without any system call. RFC 4291 s2.2 for the text forms of IPv6. Host names are not looked up.
 *
 * @module
 */

import { formatIpv6, mappedAddress, parseIpv4, parseIpv6 } from "../ip_address.ts";
import type { SocketAddress } from "./socket.ts";

/** Address families (Linux). */
export const ADDRESS_FAMILY = { AF_INET: 2, AF_INET6: 10 } as const;

/** Octets of `struct sockaddr_in6`, the larger of the two. */
export const MAX_SOCKADDR_SIZE = 28;

/**
 * Writes an address for a socket of the given family; an IPv4 address goes to an IPv6 socket in its mapped form.
 *
 * @returns the structure, 16 or 28 octets, owned by the caller; `undefined` where the text is no address of the family.
 */
export function encodeSocketAddress(
  address: SocketAddress,
  family: number,
): Uint8Array<ArrayBuffer> | undefined {
  const v4 = parseIpv4(address.hostname);
  if (family === ADDRESS_FAMILY.AF_INET) {
    if (v4 === undefined) return undefined;
    const bytes = new Uint8Array(16);
    bytes[0] = ADDRESS_FAMILY.AF_INET;
    writePort(bytes, address.port);
    bytes.set(v4, 4);
    return bytes;
  }
  const v6 = v4 === undefined ? parseIpv6(address.hostname) : mappedAddress(v4);
  if (v6 === undefined) return undefined;
  const bytes = new Uint8Array(MAX_SOCKADDR_SIZE);
  bytes[0] = ADDRESS_FAMILY.AF_INET6;
  writePort(bytes, address.port);
  bytes.set(v6, 8);
  return bytes;
}

/** Reads family and port of a structure that the system wrote. */
export function decodeSocketPort(bytes: Uint8Array): { family: number; port: number } {
  return { family: bytes[0] | bytes[1] << 8, port: bytes[2] << 8 | bytes[3] };
}

/** Reads a structure that the system wrote, into the text forms that Deno has too; `undefined` for another family. */
export function decodeSocketAddress(bytes: Uint8Array): SocketAddress | undefined {
  const { family, port } = decodeSocketPort(bytes);
  if (family === ADDRESS_FAMILY.AF_INET) {
    return { hostname: `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, port };
  }
  if (family !== ADDRESS_FAMILY.AF_INET6) return undefined;
  return { hostname: formatIpv6(bytes.subarray(8, 24)), port };
}

/** Ports stand in network byte order. */
function writePort(bytes: Uint8Array, port: number): void {
  bytes[2] = port >> 8;
  bytes[3] = port & 255;
}
