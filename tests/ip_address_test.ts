import { assertEquals } from "@std/assert";
import { formatIpv6, parseIpAddress, parseIpv4, parseIpv6 } from "../lib/ip_address.ts";

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

Deno.test("parseIpAddress() reads every form of RFC 4291 s2.2", () => {
  const v6 = (text: string) => parseIpAddress(text)?.toHex();
  assertEquals(v6("::"), "00".repeat(16));
  assertEquals(v6("2001:DB8:0:0:8:800:200C:417A"), "20010db80000000000080800200c417a");
  assertEquals(v6("2001:db8::8:800:200c:417a"), "20010db80000000000080800200c417a");
  assertEquals(v6("::ffff:129.144.52.38"), "00000000000000000000ffff81903426");
  assertEquals(v6("fe80::1%2"), `fe80${"0".repeat(27)}1`);
  assertEquals(parseIpAddress("127.0.0.1"), Uint8Array.of(127, 0, 0, 1));
  for (const text of ["", "1.2.3", "1.2.3.256", "a.b.c.d", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9"]) {
    assertEquals(parseIpAddress(text), undefined, text);
  }
});
