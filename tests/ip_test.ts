import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeTcpPacket, encodeUdpPacket, MAX_UDP_PAYLOAD } from "../lib/ip.ts";
import { seeded } from "./support/property.ts";

/** RFC 1071: the sum of all words, the checksum among them, is all ones. */
function isSumRight(words: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < words.length; i += 2) sum += words[i] * 256 + (words[i + 1] ?? 0);
  return sum % 0xffff === 0 && sum > 0;
}

/** Addresses, protocol and length, as they are summed with a payload (RFC 768, RFC 8200 s8.1). */
function withPseudoHeader(packet: Uint8Array): Uint8Array {
  const isV6 = packet[0] >> 4 === 6;
  const addresses = isV6 ? packet.subarray(8, 40) : packet.subarray(12, 20);
  const body = packet.subarray(isV6 ? 40 : 20);
  const protocol = isV6 ? packet[6] : packet[9];
  return Uint8Array.of(...addresses, 0, protocol, body.length >> 8, body.length & 255, ...body);
}

const V4 = { from: { hostname: "192.0.2.1", port: 5004 }, to: { hostname: "192.0.2.77", port: 9 } };
const V6 = {
  from: { hostname: "2001:db8::1%eth0", port: 1 },
  to: { hostname: "::1", port: 65535 },
};

Deno.test("encodeUdpPacket() writes the headers of RFC 791 and RFC 768", () => {
  const packet = encodeUdpPacket(V4, Uint8Array.of(1, 2, 3));
  assertEquals(packet[0], 0x45);
  assertEquals([...packet.subarray(2, 4)], [0, 31]);
  assertEquals([...packet.subarray(12, 20)], [192, 0, 2, 1, 192, 0, 2, 77]);
  assertEquals([...packet.subarray(20, 26)], [0x13, 0x8c, 0, 9, 0, 11]);
  assertEquals([...packet.subarray(28)], [1, 2, 3]);
});

Deno.test("encodeUdpPacket() refuses what no packet holds", () => {
  assertEquals(encodeUdpPacket(V4, new Uint8Array(MAX_UDP_PAYLOAD)).length, 65_535);
  assertThrows(() => encodeUdpPacket(V4, new Uint8Array(MAX_UDP_PAYLOAD + 1)), RangeError);
  const named = { from: { hostname: "localhost", port: 1 }, to: V4.to };
  assertThrows(() => encodeUdpPacket(named, new Uint8Array()), TypeError, "localhost");
});

Deno.test("encodeTcpPacket() writes numbers and flags of RFC 9293", () => {
  const fields = { sequenceNumber: 0xfffffffe, acknowledgmentNumber: 5, psh: true };
  const packet = encodeTcpPacket(V4, fields, Uint8Array.of(9));
  const view = new DataView(packet.buffer, 20);
  assertEquals([view.getUint32(4), view.getUint32(8)], [0xfffffffe, 5]);
  assertEquals(view.getUint8(13), 0b0001_1000);
  const syn = encodeTcpPacket(
    V6,
    { ...fields, psh: false, syn: true, ack: false },
    new Uint8Array(),
  );
  assertEquals(new DataView(syn.buffer, 40).getUint8(13), 0b10);
  assertEquals(new DataView(syn.buffer, 40).getUint32(8), 0);
});

Deno.test("property: encodeUdpPacket() and encodeTcpPacket() sum up right, IPv4 and IPv6", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 99 }),
      fc.boolean(),
      fc.boolean(),
      (payload, isV6, isTcp) => {
        const ends = isV6 ? V6 : V4;
        const packet = isTcp
          ? encodeTcpPacket(ends, { sequenceNumber: 1, acknowledgmentNumber: 2 }, payload)
          : encodeUdpPacket(ends, payload);
        assert(isSumRight(withPseudoHeader(packet)));
        if (!isV6) assert(isSumRight(packet.subarray(0, 20)));
      },
    ),
    seeded(),
  );
});
