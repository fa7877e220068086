import { assertEquals } from "@std/assert";
import {
  ADDRESS_FAMILY,
  decodeSocketAddress,
  decodeSocketPort,
  encodeSocketAddress,
  formatIpv6,
  parseIpv4,
  parseIpv6,
} from "../../lib/net/socket_address_linux.ts";

const IPV6: readonly [text: string, groups: readonly number[]][] = [
  ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
  ["::1", [0, 0, 0, 0, 0, 0, 0, 1]],
  ["2001:db8::8:800:200c:417a", [0x2001, 0xdb8, 0, 0, 8, 0x800, 0x200c, 0x417a]],
  ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]],
  ["1::", [1, 0, 0, 0, 0, 0, 0, 0]],
  ["1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]],
  ["::ffff:127.0.0.1", [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]],
  ["FE80::ABcd", [0xfe80, 0, 0, 0, 0, 0, 0, 0xabcd]],
];

Deno.test("parseIpv6() reads every text form of RFC 4291", () => {
  for (const [text, groups] of IPV6) {
    const bytes = parseIpv6(text)!;
    assertEquals(groups.map((_, i) => bytes[2 * i] << 8 | bytes[2 * i + 1]), groups, text);
  }
});

Deno.test("parseIpv6() and parseIpv4() refuse what is no address", () => {
  const wrong = [
    "",
    ":",
    ":::",
    "1",
    "1:2",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "g::",
    "::1.2.3",
  ];
  for (const text of [...wrong, "1:2:3:4:5:6:7:8::", "localhost", "::1%lo"]) {
    assertEquals(parseIpv6(text), undefined, text);
  }
  for (const text of ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "a.b.c.d", "1..2.3", "-1.2.3.4"]) {
    assertEquals(parseIpv4(text), undefined, text);
  }
});

Deno.test("encodeSocketAddress() lays out both families, and maps IPv4 into IPv6", () => {
  const address = { hostname: "127.0.0.1", port: 5008 };
  const v4 = encodeSocketAddress(address, ADDRESS_FAMILY.AF_INET)!;
  assertEquals([...v4.subarray(0, 8)], [2, 0, 0x13, 0x90, 127, 0, 0, 1]);
  const v6 = encodeSocketAddress(address, ADDRESS_FAMILY.AF_INET6)!;
  assertEquals([v6.length, ...v6.subarray(18, 24)], [28, 0xff, 0xff, 127, 0, 0, 1]);
  assertEquals(decodeSocketPort(v6), { family: 10, port: 5008 });
  assertEquals(
    encodeSocketAddress({ hostname: "::1", port: 1 }, ADDRESS_FAMILY.AF_INET),
    undefined,
  );
});

Deno.test("formatIpv6() writes the form of RFC 5952, as Deno does", () => {
  const forms: readonly [text: string, form: string][] = [
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:10.0.0.255", "::ffff:10.0.0.255"],
    ["fe80::1", "fe80::1"],
  ];
  for (const [text, form] of forms) assertEquals(formatIpv6(parseIpv6(text)!), form);
});

Deno.test("decodeSocketAddress() reads what encodeSocketAddress() writes, and no other family", () => {
  const { AF_INET, AF_INET6 } = ADDRESS_FAMILY;
  const addresses = [["192.0.2.7", AF_INET], ["2001:db8::7", AF_INET6]] as const;
  for (const [hostname, family] of addresses) {
    const address = { hostname, port: 40_001 };
    assertEquals(decodeSocketAddress(encodeSocketAddress(address, family)!), address);
  }
  assertEquals(decodeSocketAddress(new Uint8Array(28)), undefined);
});
