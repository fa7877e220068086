/**
 * IP addresses, and endpoints, from and to text.
 *
 * Floor 1. RFC 791, RFC 4291 s2.2 and s2.5.5.2, RFC 5952. Host names are not looked up.
 *
 * @module
 */

/**
 * The octets of an IP address in text form, 4 or 16, with or without brackets or a zone; `undefined` for what is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatIpv6, parseIpAddress } from "./ip_address.ts";
 * assertEquals(parseIpAddress("127.0.0.1"), Uint8Array.of(127, 0, 0, 1));
 * assertEquals(formatIpv6(parseIpAddress("[2001:db8:0:0::1%eth0]")!), "2001:db8::1");
 * ```
 */
export function parseIpAddress(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1").split("%")[0];
  return bare.includes(":") ? parseIpv6(bare) : parseIpv4(bare);
}

/** Four octets of a dotted quad; `undefined` where the text is none. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** Sixteen octets of an IPv6 address in any of its text forms, without brackets or zone; `undefined` where it is none. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const last = parseIpv4(tail[2]);
    if (last === undefined) return undefined;
    const word = (i: number) => ((last[i] << 8) | last[i + 1]).toString(16);
    return parseIpv6(`${tail[1]}${word(0)}:${word(2)}`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, end] = halves.map((half) => half === "" ? [] : half.split(":"));
  const given = [...head, ...end ?? []];
  if (!given.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const missing = 8 - given.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = end === undefined ? given : [...head, ...Array(missing).fill("0"), ...end];
  const address = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = parseInt(group, 16);
    address[i * 2] = value >> 8;
    address[i * 2 + 1] = value & 0xff;
  });
  return address;
}

/**
 * An address and a port as people write them: brackets around IPv6 (RFC 3986 s3.2.2). Host names stay as they are.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { endpointText } from "./ip_address.ts";
 * assertEquals(endpointText({ hostname: "::1", port: 8554 }), "[::1]:8554");
 * ```
 */
export function endpointText(
  { hostname, port }: { readonly hostname: string; readonly port: number },
): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Sixteen octets for an address of 4 or 16: IPv4 in its mapped form. */
export function mappedAddress(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const long = new Uint8Array(16);
  long.set([0xff, 0xff], 10);
  long.set(address, 12);
  return long;
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

function hex(value: number): string {
  return value.toString(16);
}
