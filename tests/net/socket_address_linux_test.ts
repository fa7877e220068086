import { assertEquals } from "@std/assert";
import {
  ADDRESS_FAMILY,
  decodeSocketAddress,
  decodeSocketPort,
  encodeSocketAddress,
} from "../../lib/net/socket_address_linux.ts";

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

Deno.test("decodeSocketAddress() reads what encodeSocketAddress() writes, and no other family", () => {
  const { AF_INET, AF_INET6 } = ADDRESS_FAMILY;
  const addresses = [["192.0.2.7", AF_INET], ["2001:db8::7", AF_INET6]] as const;
  for (const [hostname, family] of addresses) {
    const address = { hostname, port: 40_001 };
    assertEquals(decodeSocketAddress(encodeSocketAddress(address, family)!), address);
  }
  assertEquals(decodeSocketAddress(new Uint8Array(28)), undefined);
});
