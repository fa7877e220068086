/**
 * `struct sockaddr_in` and `sockaddr_in6` as Linux lays them out, from and to addresses in text form.
 *
 * Floor 3 (wall), without any system call. RFC 4291 s2.2 for the text forms of IPv6. Host names are not looked up.
 *
 * @module
 */

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
  const v6 = v4 === undefined ? parseIpv6(address.hostname) : mappedIpv4(v4);
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

/** An IPv6 address in its one recommended form (RFC 5952), IPv4 in its mapped form with dots. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i] << 8 | bytes[2 * i + 1]);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  }
  let [from, length] = [0, 1]; // the longest row of zeros, the first of equals; one alone is written out
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const text = (part: number[]) => part.map(hex).join(":");
  if (length === 1) return text(groups);
  return `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}

/** Four octets of a dotted quad; `undefined` where the text is none. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** Sixteen octets of an IPv6 address in any of its text forms, without brackets or zone; `undefined` where it is none. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const lastColon = text.lastIndexOf(":");
  const v4 = text.includes(".") ? parseIpv4(text.slice(lastColon + 1)) : undefined;
  const plain = v4 === undefined
    ? text
    : `${text.slice(0, lastColon + 1)}${hex(v4[0] << 8 | v4[1])}:${hex(v4[2] << 8 | v4[3])}`;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [
    ...head,
    ...Array<string>(tail === undefined ? 0 : missing).fill("0"),
    ...tail ?? [],
  ];
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 255;
  });
  return bytes;
}

function mappedIpv4(v4: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 0xff;
  bytes.set(v4, 12);
  return bytes;
}

/** Ports stand in network byte order. */
function writePort(bytes: Uint8Array, port: number): void {
  bytes[2] = port >> 8;
  bytes[3] = port & 255;
}

function hex(value: number): string {
  return value.toString(16);
}
