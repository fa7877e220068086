import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RtpFormatError } from "../lib/errors.ts";
import {
  decodeRtp,
  encodedRtpSize,
  encodeRtp,
  encodeRtpInto,
  packetAt,
  rtpFault,
  type RtpPacket,
  stampBatch,
} from "../lib/rtp.ts";
import { datagrams, seeded } from "./support/property.ts";

const bytes = (...octets: number[]) => new Uint8Array(octets);

const HEADER: Omit<RtpPacket, "payload"> = {
  payloadType: 26,
  marker: false,
  sequenceNumber: 0,
  timestamp: 0,
  ssrc: 0,
  csrcs: [],
  paddingSize: 0,
};

/** Used both ways: bytes to packet, packet to bytes. */
const VECTORS: readonly { name: string; wire: Uint8Array; packet: RtpPacket }[] = [
  {
    name: "a packet of the lab, empty",
    wire: bytes(0x80, 26, 0, 1, 0x5f, 0x5e, 0x10, 0, 0, 0, 0, 0),
    packet: { ...HEADER, sequenceNumber: 1, timestamp: 0x5f5e_1000, payload: bytes() },
  },
  {
    name: "the highest value of every field",
    wire: bytes(0x80, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 7),
    packet: {
      ...HEADER,
      payloadType: 127,
      marker: true,
      sequenceNumber: 65535,
      timestamp: 0xffff_ffff,
      ssrc: 0xffff_ffff,
      payload: bytes(7),
    },
  },
  {
    name: "contributing sources, extension and padding",
    // deno-fmt-ignore
    wire: bytes(
      0xb2, 0x9a, 0, 9, 0, 0, 0, 1, 0x80, 0, 0, 2,
      0, 0, 0, 3, 0xff, 0xff, 0xff, 0xfe,
      0xbe, 0xde, 0, 1, 1, 2, 3, 4,
      0xff, 0xd8, 0, 0, 3,
    ),
    packet: {
      payloadType: 26,
      marker: true,
      sequenceNumber: 9,
      timestamp: 1,
      ssrc: 0x8000_0002,
      csrcs: [3, 0xffff_fffe],
      extension: { profile: 0xbede, data: bytes(1, 2, 3, 4) },
      payload: bytes(0xff, 0xd8),
      paddingSize: 3,
    },
  },
  {
    name: "an empty extension",
    wire: bytes(0x90, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 5),
    packet: { ...HEADER, extension: { profile: 1, data: bytes() }, payload: bytes(5) },
  },
  {
    name: "padding alone",
    wire: bytes(0xa0, 26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    packet: { ...HEADER, payload: bytes(), paddingSize: 1 },
  },
];

for (const { name, wire, packet } of VECTORS) {
  Deno.test(`decodeRtp() reads ${name}`, () => assertEquals(decodeRtp(wire), packet));
  Deno.test(`encodeRtp() writes ${name}`, () => assertEquals(encodeRtp(packet), wire));
}

Deno.test("decodeRtp() of every prefix of every vector gives a packet or an RtpFormatError", () => {
  for (const { wire } of VECTORS) {
    for (let size = 0; size <= wire.length; size++) decodeOrRefuse(wire.subarray(0, size));
  }
});

Deno.test("decodeRtp() says what is wrong, where, and with both numbers", () => {
  const header = VECTORS[0].wire;
  const changed = (index: number, value: number, size = 12) => {
    const data = new Uint8Array(size);
    data.set(header);
    data[index] = value;
    return data;
  };
  const extended = changed(0, 0x90, 20);
  extended[15] = 2;
  for (
    const [data, code, offset, message] of [
      [header.subarray(0, 11), "too-short", 0, "11 bytes, header needs 12"],
      [changed(0, 0x40), "version", 0, "version is 1, wanted 2"],
      [changed(0, 0x81, 15), "csrcs-past-end", 0, "15 bytes, contributing sources need 16"],
      [changed(0, 0x90, 15), "extension-past-end", 12, "15 bytes, header extension needs 16"],
      [extended, "extension-past-end", 12, "20 bytes, header extension needs 24"],
      [changed(0, 0xa0, 14), "padding-zero", 13, "padding size is 0"],
      [changed(0, 0xa0, 12), "padding-past-end", 11, "reaches into the header"],
      [changed(13, 3, 14).fill(0xa0, 0, 1), "padding-past-end", 13, "14 bytes, padding of 3"],
    ] as const
  ) {
    const error = assertThrows(() => decodeRtp(data), RtpFormatError, message);
    assertEquals([error.code, error.offset, rtpFault(data)], [code, offset, code]);
  }
});

Deno.test("decodeRtp() looks at the view, not at the buffer under it", () => {
  const buffer = new Uint8Array(64).fill(0xff);
  buffer.set(VECTORS[2].wire, 20);
  const view = buffer.subarray(20, 20 + VECTORS[2].wire.length);
  assertEquals(decodeRtp(view), VECTORS[2].packet);
  assertThrows(() => decodeRtp(buffer.subarray(20, 45)), RtpFormatError);
});

Deno.test("encodeRtp() refuses what decodeRtp() would not give back", () => {
  const packet = { ...HEADER, payload: bytes(1) };
  for (
    const wrong of [
      { payloadType: 128 },
      { payloadType: -1 },
      { sequenceNumber: 65536 },
      { sequenceNumber: 0.5 },
      { timestamp: 2 ** 32 },
      { timestamp: NaN },
      { ssrc: -1 },
      { csrcs: new Array(16).fill(0) },
      { csrcs: [2 ** 32] },
      { paddingSize: 256 },
      { extension: { profile: 65536, data: bytes() } },
      { extension: { profile: 0, data: bytes(1, 2, 3) } },
    ]
  ) assertThrows(() => encodeRtp({ ...packet, ...wrong }), RangeError, "Cannot encode RTP packet");
  assertThrows(() => encodeRtpInto(packet, new Uint8Array(12)), RangeError, "12 bytes");
});

Deno.test("encodeRtpInto() leaves what lies behind the packet alone", () => {
  const target = new Uint8Array(20).fill(9);
  const packet = { ...HEADER, payload: bytes(1), paddingSize: 2 };
  assertEquals(encodeRtpInto(packet, target), 15);
  assertEquals(encodedRtpSize(packet), 15);
  assertEquals(target.subarray(12), bytes(1, 0, 2, 9, 9, 9, 9, 9));
});

Deno.test("stampBatch() numbers across the wrap and keeps markers and payload", () => {
  const packets = [0, 1, 2].map((i) => ({
    ...HEADER,
    marker: i === 2,
    payload: new Uint8Array(i === 2 ? 1 : 4).fill(i + 1),
  }));
  const batch = {
    bytes: new Uint8Array(packets.flatMap((packet) => [...encodeRtp(packet)])),
    packetSize: 16,
    packetCount: 3,
    payloadSize: 9,
  };
  const stamp = { sequenceNumber: 65534, timestamp: 2 ** 32 - 1, ssrc: 0x8000_0001 };
  stampBatch(batch, stamp);
  packets.forEach((packet, i) => {
    assertEquals(decodeRtp(packetAt(batch, i)), {
      ...packet,
      ...stamp,
      sequenceNumber: (65534 + i) % 65536,
    });
  });
  stampBatch(batch, { ...stamp, payloadType: 96 });
  assertEquals(decodeRtp(packetAt(batch, 2)).payloadType, 96);
  assertEquals(decodeRtp(packetAt(batch, 2)).marker, true);
});

Deno.test("decodeRtp() property: any bytes give a packet that encodes to the same, or an RtpFormatError", () => {
  const firsts = [0x80, 0x81, 0x8f, 0x90, 0x91, 0xa0, 0xb0, 0xbf];
  fc.assert(
    fc.property(datagrams({ firsts, maxLength: 120 }), decodeOrRefuse),
    seeded(500),
  );
});

Deno.test("decodeRtp() property: gives back what encodeRtp() wrote", () => {
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const packets: fc.Arbitrary<RtpPacket> = fc.record({
    payloadType: fc.integer({ min: 0, max: 127 }),
    marker: fc.boolean(),
    sequenceNumber: fc.integer({ min: 0, max: 65535 }),
    timestamp: uint32,
    ssrc: uint32,
    csrcs: fc.array(uint32, { maxLength: 15, size: "max" }),
    extension: fc.record({
      profile: fc.integer({ min: 0, max: 65535 }),
      data: fc.integer({ min: 0, max: 8 }).map((words) => new Uint8Array(words * 4).fill(words)),
    }),
    payload: fc.uint8Array({ maxLength: 40, size: "max" }),
    paddingSize: fc.integer({ min: 0, max: 255 }),
  }, {
    requiredKeys: [
      "payloadType",
      "marker",
      "sequenceNumber",
      "timestamp",
      "ssrc",
      "csrcs",
      "payload",
      "paddingSize",
    ],
  });
  fc.assert(
    fc.property(packets, (packet) => assertEquals(decodeRtp(encodeRtp(packet)), packet)),
    seeded(),
  );
});

/** Nothing but our own error may leave the decoder, and what it accepts must encode to the same meaning. */
function decodeOrRefuse(data: Uint8Array): void {
  let packet: RtpPacket;
  try {
    packet = decodeRtp(data);
  } catch (error) {
    assertInstanceOf(error, RtpFormatError);
    assertEquals(rtpFault(data), error.code);
    assert(error.offset >= 0 && error.offset <= data.length);
    return;
  }
  assertEquals(rtpFault(data), undefined);
  assertEquals(decodeRtp(encodeRtp(packet)), packet);
}
