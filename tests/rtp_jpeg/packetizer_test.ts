import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { JpegFormatError } from "../../lib/errors.ts";
import { standardQuantizationTables } from "../../lib/jpeg/tables.ts";
import {
  decodeRtp,
  packetAt,
  type PacketBatch,
  type RtpPacket,
  stampBatch,
} from "../../lib/rtp.ts";
import {
  describeJpegPayload,
  JpegDepacketizer,
  type JpegPayload,
  packetizeJpeg,
  SMALLEST_PACKET_SIZE,
} from "../../lib/rtp_jpeg.ts";
import { parseJpeg } from "../../lib/jpeg.ts";
import { movieOf } from "../support/corpus.ts";
import { buildJpeg, type JpegRecipe, scans, segment, thumbnailSegment } from "../support/jpegs.ts";
import { picturesOf } from "../support/pictures.ts";
import { testWith } from "../support/programs.ts";
import { seeded } from "../support/property.ts";

const ODD_TABLE = Array.from({ length: 64 }, (_, i) => 3 + i);

/** The packets of a batch as a receiver sees them. */
function packetsOf(
  batch: PacketBatch,
  stamp = { sequenceNumber: 65_534, timestamp: 0xffff_f000 },
): RtpPacket[] {
  stampBatch(batch, { ...stamp, ssrc: 7 });
  return Array.from({ length: batch.packetCount }, (_, i) => decodeRtp(packetAt(batch, i)));
}

function packetsOfJpeg(jpeg: Uint8Array, timestamp = 0, maxPacketSize = 200): RtpPacket[] {
  const batch = packetizeJpeg(describeJpegPayload(jpeg), { payloadType: 26, maxPacketSize });
  return packetsOf(batch, { sequenceNumber: 0, timestamp });
}

/** The frame that the last packet completes. */
function frameOf(packets: readonly RtpPacket[], depacketizer = new JpegDepacketizer()) {
  return packets.map((packet) => depacketizer.push(packet)).at(-1);
}

Deno.test("describeJpegPayload() says what the header will say", async (t) => {
  const cases: readonly { name: string; recipe: JpegRecipe; want: Partial<JpegPayload> }[] = [
    {
      name: "4:2:0, quality 75",
      recipe: {},
      want: { type: 1, q: 75, width: 64, height: 48, restartInterval: 0 },
    },
    { name: "4:2:2", recipe: { sampling: "2x1,1x1,1x1" }, want: { type: 0, q: 75 } },
    {
      name: "restart markers",
      recipe: { restartInterval: 3 },
      want: { type: 65, restartInterval: 3 },
    },
    {
      name: "an interval that no scan reaches",
      recipe: { restartInterval: 12 },
      want: { type: 1, restartInterval: 0 },
    },
    {
      name: "odd sizes stay as they are",
      recipe: { width: 33, height: 17 },
      want: { width: 33, height: 17 },
    },
    { name: "components named 0, 1, 2", recipe: { ids: [0, 1, 2] }, want: { type: 1, q: 75 } },
    { name: "no Huffman tables", recipe: { huffman: new Uint8Array() }, want: { type: 1, q: 75 } },
    { name: "extended sequential", recipe: { frameType: 0xc1 }, want: { type: 1, q: 75 } },
    { name: "a thumbnail", recipe: { extra: [thumbnailSegment()] }, want: { width: 64, q: 75 } },
  ];
  for (const { name, recipe, want } of cases) {
    await t.step(name, () => {
      const payload = describeJpegPayload(buildJpeg(recipe));
      for (const [key, value] of Object.entries(want)) {
        assertEquals(payload[key as keyof JpegPayload], value, key);
      }
      assertEquals(payload.quantizationTables, undefined);
      assertEquals([...payload.scan], [1, 2, 3, 4]);
    });
  }
});

Deno.test("describeJpegPayload() puts tables in band that no quality has", async (t) => {
  const { luma, chroma } = standardQuantizationTables(75);
  const pair = (a: ArrayLike<number>, b: ArrayLike<number>) => [...Array.from(a), ...Array.from(b)];
  const cases: readonly { name: string; recipe: JpegRecipe; want: number[] }[] = [
    {
      name: "two tables",
      recipe: { tables: { 0: ODD_TABLE, 1: chroma } },
      want: pair(ODD_TABLE, chroma),
    },
    {
      name: "one table for all",
      recipe: { tables: { 0: luma }, slots: [0, 0, 0] },
      want: pair(luma, luma),
    },
    {
      name: "three tables, two of them alike",
      recipe: { tables: { 0: ODD_TABLE, 1: luma, 2: luma }, slots: [0, 1, 2] },
      want: pair(ODD_TABLE, luma),
    },
    {
      name: "tables in slots 3 and 2",
      recipe: { tables: { 3: ODD_TABLE, 2: luma }, slots: [3, 2, 2] },
      want: pair(ODD_TABLE, luma),
    },
    {
      name: "16-bit tables whose steps fit 8",
      recipe: {
        extra: [segment(0xdb, [0x10, ...ODD_TABLE.flatMap((step) => [0, step])])],
        tables: { 1: luma },
      },
      want: pair(ODD_TABLE, luma),
    },
  ];
  for (const { name, recipe, want } of cases) {
    await t.step(name, () => {
      const { q, quantizationTables } = describeJpegPayload(buildJpeg(recipe));
      assertEquals([q, [...quantizationTables ?? []]], [255, want]);
    });
  }
});

Deno.test("describeJpegPayload() refuses with the reason in words", async (t) => {
  const { luma, chroma } = standardQuantizationTables(75);
  const second = segment(0xda, [1, 1, 0, 0, 63, 0]);
  const cases: readonly { jpeg: Uint8Array; code: string; reason: string }[] = [
    {
      jpeg: buildJpeg({ sampling: "1x1,1x1,1x1" }),
      code: "unsupported-sampling",
      reason: "it is 4:4:4, wanted 4:2:0 or 4:2:2",
    },
    {
      jpeg: buildJpeg({ sampling: "1x2,1x1,1x1" }),
      code: "unsupported-sampling",
      reason: "it is 4:4:0",
    },
    {
      jpeg: buildJpeg({ sampling: "4x2,1x2,2x1" }),
      code: "unsupported-sampling",
      reason: "it is subsampled 4x2,1x2,2x1",
    },
    { jpeg: buildJpeg({ sampling: "1x1" }), code: "unsupported-components", reason: "it is grey" },
    {
      jpeg: buildJpeg({ sampling: "1x1,1x1,1x1,1x1" }),
      code: "unsupported-components",
      reason: "it has 4 components",
    },
    {
      jpeg: buildJpeg({ frameType: 0xc2 }),
      code: "unsupported-coding",
      reason: "it is progressive, not baseline",
    },
    {
      jpeg: buildJpeg({ frameType: 0xc9 }),
      code: "unsupported-coding",
      reason: "extended sequential with arithmetic coding",
    },
    { jpeg: buildJpeg({ frameType: 0xc3 }), code: "unsupported-coding", reason: "it is lossless" },
    {
      jpeg: buildJpeg({ precision: 12, frameType: 0xc1 }),
      code: "unsupported-precision",
      reason: "have 12 bits",
    },
    {
      jpeg: buildJpeg({ selectors: [0x11, 0x11, 0x11] }),
      code: "custom-huffman-tables",
      reason: "Huffman tables of its own",
    },
    {
      jpeg: buildJpeg({ end: second }),
      code: "several-scans",
      reason: "its components come in 2 scans",
    },
    {
      jpeg: buildJpeg({ tables: { 0: luma, 1: chroma, 2: ODD_TABLE }, slots: [0, 1, 2] }),
      code: "unsupported-quantization-tables",
      reason: "Cb and Cr have different quantization tables",
    },
    {
      jpeg: buildJpeg({ tables: { 0: ODD_TABLE.map((step) => step * 9), 1: chroma } }),
      code: "unsupported-quantization-tables",
      reason: "a quantization step of 594",
    },
    {
      jpeg: buildJpeg({ tables: { 0: luma } }),
      code: "unsupported-quantization-tables",
      reason: "table 1 is missing",
    },
    {
      jpeg: buildJpeg({ scan: new Uint8Array() }),
      code: "scan-empty",
      reason: "its scan is empty",
    },
  ];
  for (const { jpeg, code, reason } of cases) {
    await t.step(reason, () => {
      const error = assertThrows(() => describeJpegPayload(jpeg), JpegFormatError, reason);
      assertEquals(error.code, code);
      assert(error.message.startsWith("Cannot send JPEG as RTP/JPEG: "), error.message);
    });
  }
});

Deno.test("describeJpegPayload() leaves EOI out unless the data looks like its end to a careless receiver", () => {
  const sent = (
    ...scan: number[]
  ) => [...describeJpegPayload(buildJpeg({ scan: new Uint8Array(scan) })).scan];
  assertEquals(sent(1, 2, 3), [1, 2, 3]);
  assertEquals(sent(1, 2, 0xd9), [1, 2, 0xd9, 0xff, 0xd9]);
  assertEquals(sent(1, 0xff, 0x00), [1, 0xff, 0x00, 0xff, 0xd9]);
});

Deno.test("packetizeJpeg() fills every packet but the last and marks the last alone", () => {
  const scan = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  const jpeg = buildJpeg({ scan, restartInterval: 2, tables: { 0: ODD_TABLE, 1: ODD_TABLE } });
  const batch = packetizeJpeg(describeJpegPayload(jpeg), { payloadType: 96, maxPacketSize: 300 });
  const packets = packetsOf(batch);
  // 1000 octets of scan and 132 of tables, 276 a packet behind 24 octets of headers.
  assertEquals(packets.map(({ payload }) => payload.length + 12), [300, 300, 300, 300, 24 + 28]);
  assertEquals(packets.map(({ marker }) => marker), [false, false, false, false, true]);
  assertEquals(packets.map(({ sequenceNumber }) => sequenceNumber), [65_534, 65_535, 0, 1, 2]);
  assertEquals(packets.every(({ payloadType }) => payloadType === 96), true);
  assertEquals(batch.payloadSize, packets.reduce((sum, { payload }) => sum + payload.length, 0));
  const offsets = packets.map(({ payload }) => payload[1] << 16 | payload[2] << 8 | payload[3]);
  assertEquals(offsets, [0, 276 - 132, 420, 696, 972]);
  for (const { payload } of packets) {
    assertEquals([...payload.subarray(4, 12)], [65, 255, 8, 6, 0, 2, 0xff, 0xff]);
  }
  assertEquals([...packets[0].payload.subarray(12, 16)], [0, 0, 0, 128]);
});

Deno.test("packetizeJpeg() makes one packet of what fits one", () => {
  const batch = packetizeJpeg(describeJpegPayload(buildJpeg()), { payloadType: 26 });
  assertEquals([batch.packetCount, batch.bytes.length, batch.payloadSize], [1, 12 + 8 + 4, 12]);
  assertEquals(packetsOf(batch)[0].marker, true);
});

Deno.test("packetizeJpeg() says sizes in units of 8 rounded up, and 0 above 2040", () => {
  const sides = (width: number, height: number) => {
    const payload = describeJpegPayload(buildJpeg({ width, height }));
    return [...packetsOf(packetizeJpeg(payload, { payloadType: 26 }))[0].payload.subarray(6, 8)];
  };
  assertEquals(sides(1, 8), [1, 1]);
  assertEquals(sides(326, 246), [41, 31]);
  assertEquals(sides(2040, 2033), [255, 255]);
  assertEquals(sides(2041, 240), [0, 30]);
});

Deno.test("packetizeJpeg() refuses packets too small for their headers and scans no offset can count", () => {
  const payload = describeJpegPayload(buildJpeg());
  assertThrows(
    () => packetizeJpeg(payload, { payloadType: 26, maxPacketSize: SMALLEST_PACKET_SIZE - 1 }),
    RangeError,
  );
  const error = assertThrows(
    () => packetizeJpeg({ ...payload, scan: new Uint8Array(1 << 24) }, { payloadType: 26 }),
    JpegFormatError,
  );
  assertEquals(error.code, "scan-too-large");
});

const sendable: fc.Arbitrary<JpegRecipe> = fc.record({
  sampling: fc.constantFrom("2x2,1x1,1x1", "2x1,1x1,1x1"),
  restartInterval: fc.constantFrom(undefined, 1, 5),
  tables: fc.constantFrom(
    undefined,
    { 0: ODD_TABLE, 1: ODD_TABLE.toReversed() },
    { 0: standardQuantizationTables(1).luma, 1: standardQuantizationTables(1).chroma },
  ),
  width: fc.integer({ min: 1, max: 2040 }),
  height: fc.integer({ min: 1, max: 2040 }),
  scan: scans({ maxLength: 3000 }).chain((scan) =>
    fc.constantFrom(scan, concat([scan, scan, scan]))
  ),
});

Deno.test("property: packets of any size carry the scan and the tables through", () => {
  fc.assert(
    fc.property(
      sendable,
      fc.integer({ min: SMALLEST_PACKET_SIZE, max: 2000 }),
      (recipe, maxPacketSize) => {
        const jpeg = buildJpeg(recipe), source = parseJpeg(jpeg);
        const packets = packetsOf(
          packetizeJpeg(describeJpegPayload(jpeg), { payloadType: 26, maxPacketSize }),
        );
        assert(
          packets.every(({ payload }, i) =>
            i === packets.length - 1 || payload.length + 12 === maxPacketSize
          ),
        );
        const frame = frameOf(packets);
        assert(frame !== undefined);
        const got = parseJpeg(frame.jpeg);
        assertEquals(frame.jpeg.subarray(got.scanStart, got.scanEnd), recipe.scan);
        assertEquals(got.hasEndOfImage && got.end === frame.jpeg.length, true);
        assertEquals(
          got.components.map(({ h, v }) => [h, v]),
          source.components.map(({ h, v }) => [h, v]),
        );
        for (const [i, { quantizationTable }] of source.components.entries()) {
          assertEquals(
            got.quantizationTables[got.components[i].quantizationTable],
            source.quantizationTables[quantizationTable],
          );
        }
        assertEquals(
          [got.width, got.height],
          [source.width, source.height].map((side) => Math.ceil(side / 8) * 8),
        );
        assertEquals(frame.packetCount, packets.length);
      },
    ),
    seeded(200),
  );
});

Deno.test("property: loss, doubling and reordering never give a picture that was not sent", () => {
  const mishaps = fc.array(
    fc.record({ at: fc.nat(), kind: fc.constantFrom("lose", "double", "swap") }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      fc.array(scans({ minLength: 300, maxLength: 900 }), { minLength: 2, maxLength: 5 }),
      mishaps,
      (pictures, plan) => {
        const sources = pictures.map((scan) => buildJpeg({ scan }));
        const stream = sources.flatMap((jpeg, i) => packetsOfJpeg(jpeg, i * 3600));
        for (const { at, kind } of plan) {
          const i = at % stream.length;
          if (kind === "lose" && stream.length > 1) stream.splice(i, 1);
          else if (kind === "double") stream.splice(i, 0, stream[i]);
          else if (i > 0) [stream[i - 1], stream[i]] = [stream[i], stream[i - 1]];
        }
        const depacketizer = new JpegDepacketizer();
        const frames = stream.flatMap((packet) => depacketizer.push(packet) ?? []);
        for (const frame of frames) {
          const { scanStart, scanEnd } = parseJpeg(frame.jpeg);
          assertEquals(frame.jpeg.subarray(scanStart, scanEnd), pictures[frame.timestamp / 3600]);
        }
        assertEquals(depacketizer.stats().frames, frames.length);
      },
    ),
    seeded(200),
  );
});

for (
  const name of [
    ...["420", "422", "420-restart-326x246", "422-restart", "420-odd-326x246"],
    ...["422-odd-restart-330x250", "420-shared", "thumbnail"],
  ] as const
) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `RTP/JPEG pictures decode as their source does: ${name}`,
    async () => {
      const { frames, recipe, path } = await movieOf(name);
      const { width, height } = recipe;
      for (const sdp of [{}, { width, height }]) {
        const depacketizer = new JpegDepacketizer(sdp);
        const received = frames.flatMap((jpeg, i) => {
          const packets = packetsOfJpeg(jpeg, i * 3600, 1400);
          return packets.flatMap((packet) => depacketizer.push(packet) ?? []);
        });
        assertEquals(received.length, frames.length);
        // Without the session description a picture comes with the padding of its last unit of 8.
        const crop = "width" in sdp ? undefined : { width, height };
        assertEquals(
          await picturesOf(received.map((frame) => frame.jpeg), crop),
          await picturesOf(path),
        );
      }
    },
  );
}
