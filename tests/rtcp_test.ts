import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RtcpFormatError } from "../lib/errors.ts";
import {
  decodeRtcp,
  encodedRtcpSize,
  encodeRtcp,
  encodeRtcpInto,
  isRtcp,
  type RtcpPacket,
  SDES_ITEM_TYPE,
} from "../lib/rtcp.ts";
import { datagrams, seeded } from "./support/property.ts";

const bytes = (...octets: number[]) => new Uint8Array(octets);
const join = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

/** Octets of a report block with 5 lost of late and `lost` in all (24 bits). */
const blockBytes = (a: number, b: number, c: number) =>
  // deno-fmt-ignore
  bytes(0, 0, 0, 2, 5, a, b, c, 0, 1, 0, 9, 0, 0, 1, 0, 0xb7, 5, 0x20, 0, 0, 1, 0, 0);
const block = (cumulativeLost: number) => ({
  ssrc: 2,
  fractionLost: 5,
  cumulativeLost,
  extendedHighestSequenceNumber: 65545,
  interarrivalJitter: 256,
  lastSr: 0xb705_2000,
  delaySinceLastSr: 65536,
});

/** Used both ways. */
const VECTORS: readonly { name: string; wire: Uint8Array; packets: RtcpPacket[] }[] = [
  {
    name: "SR, SDES and BYE",
    // deno-fmt-ignore
    wire: bytes(
      0x80, 200, 0, 6, 0, 0, 0, 9, 0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0,
      0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3, 0, 0, 0, 4,
      0x81, 202, 0, 3, 0, 0, 0, 9, 1, 3, 0x61, 0x40, 0x62, 0, 0, 0,
      0x81, 203, 0, 2, 0, 0, 0, 9, 3, 0x65, 0x6f, 0x66,
    ),
    packets: [
      {
        type: "SR",
        ssrc: 9,
        ntp: { seconds: 2_208_988_800, fraction: 2 ** 31 },
        rtpTimestamp: 0xffff_ffff,
        packetCount: 3,
        octetCount: 4,
        reports: [],
      },
      {
        type: "SDES",
        chunks: [{ ssrc: 9, items: [{ itemType: SDES_ITEM_TYPE.CNAME, text: "a@b" }] }],
      },
      { type: "BYE", ssrcs: [9], reason: "eof" },
    ],
  },
  {
    name: "RR with two blocks, lost below zero and at its lowest",
    wire: join(
      bytes(0x82, 201, 0, 13, 0, 0, 0, 1),
      blockBytes(255, 255, 255),
      blockBytes(0x80, 0, 0),
      bytes(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 1, 0x78, 0),
    ),
    packets: [
      { type: "RR", ssrc: 1, reports: [block(-1), block(-0x80_0000)] },
      { type: "SDES", chunks: [{ ssrc: 1, items: [{ itemType: 1, text: "x" }] }] },
    ],
  },
  {
    name: "SR with a block and a profile's extension",
    wire: join(
      bytes(
        0x81,
        200,
        0,
        13,
        0,
        0,
        0,
        9,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        2,
        0,
        0,
        0,
        3,
        0,
        0,
        0,
        4,
        0,
        0,
        0,
        5,
      ),
      blockBytes(0x7f, 0xff, 0xff),
      bytes(6, 7, 8, 9),
    ),
    packets: [{
      type: "SR",
      ssrc: 9,
      ntp: { seconds: 1, fraction: 2 },
      rtpTimestamp: 3,
      packetCount: 4,
      octetCount: 5,
      reports: [block(0x7f_ffff)],
      profileExtension: bytes(6, 7, 8, 9),
    }],
  },
  {
    name: "SDES with no item, several items, and an item that fills its word",
    // deno-fmt-ignore
    wire: bytes(
      0x83, 202, 0, 9,
      0, 0, 0, 1, 0, 0, 0, 0,
      0, 0, 0, 2, 1, 2, 0xc3, 0xa9, 6, 1, 0x74, 0,
      0, 0, 0, 3, 2, 6, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0, 0, 0, 0,
    ),
    packets: [{
      type: "SDES",
      chunks: [
        { ssrc: 1, items: [] },
        { ssrc: 2, items: [{ itemType: 1, text: "é" }, { itemType: 6, text: "t" }] },
        { ssrc: 3, items: [{ itemType: 2, text: "abcdef" }] },
      ],
    }],
  },
  {
    name: "BYE of nobody, BYE with an empty reason",
    wire: bytes(0x80, 203, 0, 0, 0x80, 203, 0, 1, 0, 0, 0, 0),
    packets: [{ type: "BYE", ssrcs: [] }, { type: "BYE", ssrcs: [], reason: "" }],
  },
  {
    name: "APP, and feedback that is unknown here",
    // deno-fmt-ignore
    wire: bytes(
      0x9f, 204, 0, 3, 0, 0, 0, 7, 0x44, 0x65, 0x6e, 0xff, 1, 2, 3, 4,
      0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
    ),
    packets: [
      { type: "APP", subtype: 31, ssrc: 7, name: "Den\u00ff", data: bytes(1, 2, 3, 4) },
      { type: "unknown", packetType: 206, count: 1, body: bytes(0, 0, 0, 1, 0, 0, 0, 2) },
    ],
  },
];

for (const { name, wire, packets } of VECTORS) {
  Deno.test(`decodeRtcp() reads ${name}`, () => assertEquals(decodeRtcp(wire), packets));
  Deno.test(`encodeRtcp() writes ${name}`, () => {
    assertEquals(encodeRtcp(packets, { isReducedSize: true }), wire);
    assertEquals(encodedRtcpSize(packets), wire.length);
  });
}

Deno.test("decodeRtcp() of every prefix of every vector gives packets or an RtcpFormatError", () => {
  for (const { wire } of VECTORS) {
    for (let size = 0; size <= wire.length; size++) decodeOrRefuse(wire.subarray(0, size));
  }
});

Deno.test("decodeRtcp() removes padding of the last packet, and refuses it elsewhere", () => {
  const padded = bytes(0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4);
  assertEquals(decodeRtcp(padded), [{ type: "RR", ssrc: 1, reports: [] }]);
  for (const count of [0, 3, 12, 255]) {
    const error = assertThrows(
      () => decodeRtcp(join(padded.subarray(0, 11), bytes(count))),
      RtcpFormatError,
    );
    assertEquals(error.code, "padding");
  }
  const error = assertThrows(
    () => decodeRtcp(join(padded, bytes(0x80, 203, 0, 0))),
    RtcpFormatError,
    "padding before the last packet",
  );
  assertEquals(error.offset, 0);
});

Deno.test("decodeRtcp() takes an SDES chunk without the null octet at its end", () => {
  assertEquals(decodeRtcp(bytes(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 0x61, 0x62)), [
    { type: "SDES", chunks: [{ ssrc: 1, items: [{ itemType: 1, text: "ab" }] }] },
  ]);
});

Deno.test("decodeRtcp() replaces what is no UTF-8, and cuts what is then too long", () => {
  const item = new Uint8Array(255).fill(0xff);
  const wire = join(bytes(0x81, 202, 0, 66, 0, 0, 0, 1, 1, 255), item, bytes(0, 0, 0));
  const [packet] = decodeRtcp(wire);
  assert(packet.type === "SDES");
  assertEquals(packet.chunks[0].items[0].text, "\ufffd".repeat(85));
  decodeOrRefuse(wire);
});

Deno.test("decodeRtcp() says what is wrong, where, and with both numbers", () => {
  for (
    const [wire, code, offset, message] of [
      [bytes(0x80, 201), "too-short", 0, "2 bytes, header needs 4"],
      [bytes(0x40, 201, 0, 0), "version", 0, "version is 1, wanted 2"],
      [bytes(0x80, 201, 0, 2, 0, 0, 0, 1), "length", 2, "8 bytes left, length says 12"],
      [bytes(0x80, 203, 0, 0, 0x80, 203), "length", 4, "2 bytes left, header needs 4"],
      [bytes(0x81, 201, 0, 1, 0, 0, 0, 1), "report-blocks", 0, "RR of 8 bytes"],
      [bytes(0x80, 200, 0, 1, 0, 0, 0, 1), "report-blocks", 0, "SR of 8 bytes"],
      [bytes(0x81, 202, 0, 0), "sdes", 4, "0 bytes left for chunk 1 of 1"],
      [bytes(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, 1, 1), "sdes", 8, "4 bytes left, item needs 11"],
      [bytes(0x82, 203, 0, 1, 0, 0, 0, 1), "bye", 0, "8 bytes, 2 sources need 12"],
      [bytes(0x80, 203, 0, 1, 9, 0, 0, 0), "bye", 4, "4 bytes left, reason needs 10"],
      [bytes(0x80, 204, 0, 1, 0, 0, 0, 1), "app", 0, "8 bytes, APP needs 12"],
    ] as const
  ) {
    const error = assertThrows(() => decodeRtcp(wire), RtcpFormatError, message);
    assertEquals([error.code, error.offset], [code, offset]);
  }
});

Deno.test("encodeRtcp() keeps the compound rules unless told otherwise", () => {
  const report: RtcpPacket = { type: "RR", ssrc: 1, reports: [] };
  const bye: RtcpPacket = { type: "BYE", ssrcs: [1] };
  const nameless: RtcpPacket = { type: "SDES", chunks: [{ ssrc: 1, items: [] }] };
  assertThrows(() => encodeRtcp([]), RangeError, `first packet is "missing", wanted SR or RR`);
  assertThrows(() => encodeRtcp([bye, report]), RangeError, `first packet is "BYE"`);
  assertThrows(() => encodeRtcp([report, nameless]), RangeError, "no SDES with a CNAME");
  assertEquals(encodeRtcp([bye], { isReducedSize: true }).length, 8);
});

Deno.test("encodeRtcp() refuses what decodeRtcp() would not give back", () => {
  const reduced = { isReducedSize: true };
  const app = { type: "APP", subtype: 0, ssrc: 1, name: "abcd", data: bytes() } as const;
  const wrong: RtcpPacket[] = [
    { type: "RR", ssrc: 2 ** 32, reports: [] },
    { type: "RR", ssrc: 1, reports: new Array(32).fill(block(0)) },
    { type: "RR", ssrc: 1, reports: [block(0x80_0000)] },
    { type: "RR", ssrc: 1, reports: [{ ...block(0), fractionLost: 256 }] },
    { type: "RR", ssrc: 1, reports: [], profileExtension: bytes(1) },
    { type: "BYE", ssrcs: [1], reason: "x".repeat(256) },
    { type: "BYE", ssrcs: [1], reason: "é".repeat(128) },
    { type: "SDES", chunks: [{ ssrc: 1, items: [{ itemType: 0, text: "" }] }] },
    { ...app, name: "abc" },
    { ...app, name: "abc\u0100" },
    { ...app, data: bytes(1) },
    { type: "unknown", packetType: 201, count: 0, body: bytes() },
    { type: "unknown", packetType: 192, count: 32, body: bytes() },
  ];
  for (const packet of wrong) {
    assertThrows(() => encodeRtcp([packet], reduced), RangeError, "Cannot encode RTCP packet");
  }
  assertThrows(
    () => encodeRtcpInto([app], new Uint8Array(8), reduced),
    RangeError,
    "target has 8 bytes, packets need 12",
  );
});

Deno.test("isRtcp() tells reports from media on one channel", () => {
  assertEquals(isRtcp(VECTORS[0].wire), true);
  assertEquals(isRtcp(bytes(0x80, 26, 0, 0)), false);
  assertEquals(isRtcp(bytes(0x80, 0x80 | 26, 0, 0)), false);
  assertEquals(isRtcp(bytes(0x80, 191, 0, 0)), false);
  assertEquals(isRtcp(bytes(0x80, 192, 0, 0)), true);
  assertEquals(isRtcp(bytes(0x80, 223, 0, 0)), true);
  assertEquals(isRtcp(bytes(0x40, 200, 0, 0)), false);
  assertEquals(isRtcp(bytes()), false);
});

Deno.test("decodeRtcp() property: any bytes give packets that encode to the same, or an RtcpFormatError", () => {
  const packet = fc.tuple(
    fc.constantFrom(0x80, 0x81, 0x82, 0xa0, 0x9f),
    fc.constantFrom(200, 201, 202, 203, 204, 205),
    fc.integer({ min: 0, max: 16 }),
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
  ).map(([first, type, words, body]) =>
    join(bytes(first, type, 0, words), body.subarray(0, 4 * words))
  );
  const compound = fc.array(packet, { minLength: 1, maxLength: 4 }).map((all) => join(...all));
  const firsts = [0x80, 0x81, 0xa0, 0x9f];
  fc.assert(
    fc.property(fc.oneof(compound, datagrams({ firsts })), decodeOrRefuse),
    seeded(500),
  );
});

Deno.test("decodeRtcp() property: a damaged vector gives packets or an RtcpFormatError", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...VECTORS),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      ({ wire }, changes) => {
        const damaged = wire.slice();
        for (const [at, octet] of changes) damaged[at % damaged.length] = octet;
        decodeOrRefuse(damaged);
      },
    ),
    seeded(500),
  );
});

/** Nothing but our own error may leave the decoder, and what it accepts must encode to the same meaning. */
function decodeOrRefuse(data: Uint8Array): void {
  let packets: RtcpPacket[];
  try {
    packets = decodeRtcp(data);
  } catch (error) {
    assertInstanceOf(error, RtcpFormatError);
    assert(error.offset >= 0 && error.offset <= data.length);
    return;
  }
  assertEquals(decodeRtcp(encodeRtcp(packets, { isReducedSize: true })), packets);
}
