import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { parseJpeg } from "../../lib/jpeg.ts";
import { standardQuantizationTables } from "../../lib/jpeg/tables.ts";
import type { RtpPacket } from "../../lib/rtp.ts";
import { JpegDepacketizer } from "../../lib/rtp_jpeg/depacketizer.ts";
import { scans } from "../support/jpegs.ts";
import { seeded } from "../support/property.ts";

/** One packet, whole picture or piece. */
function packet(
  fields: {
    readonly offset?: number;
    readonly type?: number;
    readonly q?: number;
    readonly width?: number;
    readonly height?: number;
    readonly more?: readonly number[];
    readonly scan?: readonly number[];
    readonly marker?: boolean;
    readonly timestamp?: number;
    readonly sequenceNumber?: number;
  } = {},
): RtpPacket {
  const { offset = 0, type = 1, q = 50, width = 40, height = 30 } = fields;
  return {
    payloadType: 26,
    marker: fields.marker ?? true,
    sequenceNumber: fields.sequenceNumber ?? 1,
    timestamp: fields.timestamp ?? 0,
    ssrc: 1,
    csrcs: [],
    paddingSize: 0,
    payload: new Uint8Array([
      ...[0, offset >> 16, offset >> 8 & 255, offset & 255, type, q, width, height],
      ...(fields.more ?? []),
      ...(fields.scan ?? [1, 2, 3]),
    ]),
  };
}

const TABLE = Array.from({ length: 64 }, (_, i) => i + 1);
const OTHER = TABLE.toReversed();
const header = (precision: number, length: number) => [0, precision, length >> 8, length & 255];

function tablesOf(jpeg: Uint8Array | undefined): number[][] {
  assert(jpeg !== undefined, "no picture");
  const { quantizationTables, components } = parseJpeg(jpeg);
  return components.map((c) => Array.from(quantizationTables[c.quantizationTable] ?? []));
}

Deno.test("JpegDepacketizer makes the standard tables of Q 1 to 99", () => {
  for (const q of [1, 49, 50, 51, 99]) {
    const { luma, chroma } = standardQuantizationTables(q);
    const [y, cb, cr] = tablesOf(new JpegDepacketizer().push(packet({ q }))?.jpeg);
    assertEquals([y, cb, cr], [[...luma], [...chroma], [...chroma]]);
  }
});

Deno.test("JpegDepacketizer reads tables in band: two, one, three, 16 bits", async (t) => {
  const wide = TABLE.map((step) => step * 500),
    wideOctets = wide.flatMap((step) => [step >> 8, step & 255]);
  const cases: readonly { name: string; more: number[]; want: number[][] }[] = [
    {
      name: "128 octets",
      more: [...header(0, 128), ...TABLE, ...OTHER],
      want: [TABLE, OTHER, OTHER],
    },
    {
      name: "64 octets for all components",
      more: [...header(0, 64), ...TABLE],
      want: [TABLE, TABLE, TABLE],
    },
    {
      name: "192 octets, the third unused",
      more: [...header(0, 192), ...TABLE, ...OTHER, ...TABLE],
      want: [TABLE, OTHER, OTHER],
    },
    {
      name: "the first of 16 bits",
      more: [...header(1, 192), ...wideOctets, ...OTHER],
      want: [wide, OTHER, OTHER],
    },
    {
      name: "the second of 16 bits",
      more: [...header(2, 192), ...OTHER, ...wideOctets],
      want: [OTHER, wide, wide],
    },
    {
      name: "both of 16 bits",
      more: [...header(3, 256), ...wideOctets, ...wideOctets],
      want: [wide, wide, wide],
    },
    {
      name: "128 octets of 8-bit tables that claim more",
      more: [...header(2, 128), ...TABLE, ...OTHER],
      want: [TABLE, OTHER, OTHER],
    },
  ];
  for (const { name, more, want } of cases) {
    await t.step(name, () => {
      const jpeg = new JpegDepacketizer().push(packet({ q: 255, more }))?.jpeg;
      assertEquals(tablesOf(jpeg), want);
      const frameType = parseJpeg(jpeg ?? new Uint8Array()).frameType;
      assertEquals(frameType, want.flat().some((step) => step > 255) ? 0xc1 : 0xc0);
    });
  }
});

Deno.test("JpegDepacketizer keeps the tables of Q 128 to 254, each for itself", () => {
  const depacketizer = new JpegDepacketizer();
  const pair = (a: number[], b: number[]) => [...header(0, 128), ...a, ...b];
  const send = (q: number, more: number[], timestamp: number) =>
    depacketizer.push(packet({ q, more, timestamp }))?.jpeg;
  send(128, pair(TABLE, OTHER), 1);
  send(254, pair(OTHER, TABLE), 2);
  assertEquals(tablesOf(send(128, header(0, 0), 3)), [TABLE, OTHER, OTHER]);
  assertEquals(tablesOf(send(254, header(0, 0), 4)), [OTHER, TABLE, TABLE]);
  assertEquals(send(200, header(0, 0), 5), undefined);
  assertEquals([depacketizer.stats().dropped, depacketizer.stats().malformed], [1, 1]);
});

Deno.test("JpegDepacketizer does not keep tables of Q 255: they may be others next time", () => {
  const depacketizer = new JpegDepacketizer();
  depacketizer.push(packet({ q: 255, more: [...header(0, 128), ...TABLE, ...OTHER] }));
  assertEquals(depacketizer.push(packet({ q: 255, more: header(0, 0), timestamp: 1 })), undefined);
});

Deno.test("JpegDepacketizer copies kept tables: the packet's memory may be used again", () => {
  const depacketizer = new JpegDepacketizer();
  const first = packet({ q: 130, more: [...header(0, 128), ...TABLE, ...OTHER] });
  depacketizer.push(first);
  first.payload.fill(0);
  assertEquals(
    tablesOf(depacketizer.push(packet({ q: 130, more: header(0, 0), timestamp: 1 }))?.jpeg)[0],
    TABLE,
  );
});

Deno.test("JpegDepacketizer puts restart intervals back", () => {
  const jpeg = new JpegDepacketizer().push(packet({ type: 65, more: [0, 20, 0xff, 0xff] }))?.jpeg;
  assertEquals(parseJpeg(jpeg ?? new Uint8Array()).restartInterval, 20);
});

Deno.test("JpegDepacketizer takes sizes from the session description where they fit", () => {
  const size = (options: { width?: number; height?: number }, width = 41, height = 31) => {
    const frame = new JpegDepacketizer(options).push(packet({ width, height }));
    if (frame === undefined) return undefined;
    const image = parseJpeg(frame.jpeg);
    assertEquals([image.width, image.height], [frame.width, frame.height]);
    return [frame.width, frame.height];
  };
  assertEquals(size({}), [328, 248]);
  assertEquals(size({ width: 326, height: 246 }), [326, 246]);
  assertEquals(size({ width: 640, height: 480 }), [328, 248]);
  assertEquals(size({ width: 4096, height: 2160 }, 0, 0), [4096, 2160]);
  assertEquals(size({ width: 2064, height: 48 }, 0, 6), [2064, 48]);
  assertEquals(size({}, 0, 30), undefined);
});

Deno.test("JpegDepacketizer adds EOI where it is missing, and only there", () => {
  const tail = (...scan: number[]) => {
    const { jpeg } = new JpegDepacketizer().push(packet({ scan })) ?? {};
    return [...jpeg?.subarray(-4) ?? []];
  };
  assertEquals(tail(1, 2, 3, 4), [3, 4, 0xff, 0xd9]);
  assertEquals(tail(1, 2, 0xff, 0xd9), [1, 2, 0xff, 0xd9]);
  assertEquals(tail(1, 2, 3, 0xd9), [3, 0xd9, 0xff, 0xd9]);
  assertEquals(tail(1, 2, 0xff, 0x00), [0xff, 0x00, 0xff, 0xd9]);
});

Deno.test("JpegDepacketizer drops a frame with a hole, once, whatever hole it is", async (t) => {
  const piece = (offset: number, more: Parameters<typeof packet>[0] = {}) =>
    packet({ offset, marker: offset === 6, ...more });
  const next = packet({ timestamp: 9000 });
  const cases: readonly { name: string; packets: [RtpPacket, number][] }[] = [
    { name: "the receiver saw a gap", packets: [[piece(0), 0], [piece(3), 1], [piece(6), 0]] },
    { name: "the offset jumps", packets: [[piece(0), 0], [piece(6), 0]] },
    { name: "the first packet is missing", packets: [[piece(3), 1], [piece(6), 0]] },
    { name: "the last packet is missing", packets: [[piece(0), 0], [piece(3), 0]] },
    { name: "Q changes", packets: [[piece(0), 0], [piece(3, { q: 51 }), 0], [piece(6), 0]] },
    {
      name: "the width changes",
      packets: [[piece(0), 0], [piece(3, { width: 41 }), 0], [piece(6), 0]],
    },
    {
      name: "a packet is broken",
      packets: [[piece(0), 0], [piece(3, { q: 0 }), 0], [piece(6), 0]],
    },
  ];
  for (const { name, packets } of cases) {
    await t.step(name, () => {
      const depacketizer = new JpegDepacketizer();
      for (const [one, lost] of packets) assertEquals(depacketizer.push(one, lost), undefined);
      assertEquals(depacketizer.push(next)?.timestamp, 9000);
      const { frames, dropped, lastFault } = depacketizer.stats();
      assertEquals([frames, dropped], [1, 1], lastFault);
    });
  }
});

Deno.test("JpegDepacketizer refuses and counts what RFC 2435 does not allow", async (t) => {
  const whole = packet();
  const cases: readonly { name: string; bad: RtpPacket; reason: string }[] = [
    { name: "an empty payload", bad: { ...whole, payload: new Uint8Array() }, reason: "0 octets" },
    {
      name: "half a header",
      bad: { ...whole, payload: new Uint8Array(7) },
      reason: "7 octets, headers need 8",
    },
    { name: "type 2", bad: packet({ type: 2 }), reason: "type is 2" },
    { name: "type 66", bad: packet({ type: 66, more: [0, 1, 255, 255] }), reason: "type is 66" },
    { name: "Q 0", bad: packet({ q: 0 }), reason: "Q is 0" },
    { name: "Q 100", bad: packet({ q: 100 }), reason: "Q is 100" },
    { name: "Q 127", bad: packet({ q: 127 }), reason: "Q is 127" },
    {
      name: "tables past the packet",
      bad: packet({ q: 255, more: header(0, 128) }),
      reason: "tables end at 140",
    },
    {
      name: "half a table",
      bad: packet({ q: 255, more: [...header(0, 100), ...TABLE, ...TABLE] }),
      reason: "multiple of 64",
    },
    { name: "no scan", bad: packet({ scan: [] }), reason: "empty" },
    { name: "no size", bad: packet({ width: 0 }), reason: "size" },
  ];
  for (const { name, bad, reason } of cases) {
    await t.step(name, () => {
      const depacketizer = new JpegDepacketizer();
      assertEquals(depacketizer.push(bad), undefined);
      const { malformed, dropped, lastFault } = depacketizer.stats();
      assertEquals([malformed, dropped], [1, 1]);
      assert(lastFault?.includes(reason), lastFault);
    });
  }
});

Deno.test("JpegDepacketizer bounds a frame, and goes on with the next", () => {
  const depacketizer = new JpegDepacketizer({ maxFrameBytes: 2000 });
  for (let offset = 0; offset < 3000; offset += 300) {
    const scan = Array(300).fill(7);
    assertEquals(depacketizer.push(packet({ offset, marker: offset === 2700, scan })), undefined);
  }
  assertEquals(depacketizer.push(packet({ timestamp: 1 }))?.packetCount, 1);
  assertEquals(depacketizer.stats().dropped, 1);
});

Deno.test("JpegDepacketizer grows with the frame", () => {
  const depacketizer = new JpegDepacketizer();
  const scan = Array.from({ length: 1000 }, (_, i) => i % 255);
  const frames = Array.from(
    { length: 90 },
    (_, i) => depacketizer.push(packet({ offset: i * 1000, marker: i === 89, scan })),
  );
  const jpeg = frames.at(-1)?.jpeg ?? new Uint8Array();
  const { scanStart, scanEnd } = parseJpeg(jpeg);
  assertEquals(scanEnd - scanStart, 90_000);
  assertEquals([...jpeg.subarray(scanStart + 50_000, scanStart + 51_000)], scan);
});

Deno.test("JpegDepacketizer.reset() forgets the frame under way and counts nothing", () => {
  const depacketizer = new JpegDepacketizer();
  depacketizer.push(packet({ marker: false }));
  depacketizer.reset();
  depacketizer.push(packet({ timestamp: 1 }));
  assertEquals([depacketizer.stats().frames, depacketizer.stats().dropped], [1, 0]);
});

Deno.test("JpegDepacketizer goes over the wrap of timestamps and numbers", () => {
  const depacketizer = new JpegDepacketizer();
  const pieces = [0xffff_fffe, 0, 3600].flatMap((timestamp, i) => [
    packet({ timestamp, marker: false, sequenceNumber: (65_534 + 2 * i) % 65_536 }),
    packet({ timestamp, offset: 3, sequenceNumber: (65_535 + 2 * i) % 65_536 }),
  ]);
  const frames = pieces.flatMap((piece) => depacketizer.push(piece) ?? []);
  assertEquals(frames.map((frame) => frame.firstSequenceNumber), [65_534, 0, 2]);
});

Deno.test("property: JpegDepacketizer takes any payloads and throws nothing", () => {
  const head = fc.tuple(
    ...[fc.constant(0), fc.nat(1), fc.nat(1), fc.nat(5)],
    ...[
      fc.constantFrom(0, 1, 64, 65, 3),
      fc.constantFrom(1, 99, 100, 128, 255, 0),
      fc.nat(3),
      fc.nat(3),
    ],
  );
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 300, size: "max" }),
    fc.tuple(head, scans({ maxLength: 200 })).map(([octets, scan]) =>
      concat([Uint8Array.from(octets), scan])
    ),
  );
  const input = fc.tuple(payload, fc.boolean(), fc.nat(2), fc.nat(2));
  fc.assert(
    fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
      const depacketizer = new JpegDepacketizer({ width: 16, height: 16, maxFrameBytes: 4000 });
      for (const [octets, marker, timestamp, lost] of inputs) {
        const frame = depacketizer.push(
          { ...packet({ marker, timestamp }), payload: octets },
          lost,
        );
        if (frame !== undefined) assert(frame.jpeg.length <= 4000);
      }
      const { frames, dropped, malformed } = depacketizer.stats();
      assert(frames + dropped <= inputs.length && malformed <= inputs.length);
    }),
    seeded(500),
  );
});
