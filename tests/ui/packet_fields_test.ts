/** The page's reading of packets against the formats' own. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { openMovie } from "../../lib/disk.ts";
import { packetAt, stampBatch } from "../../lib/rtp.ts";
import { describeJpegPayload, packetizeJpeg } from "../../lib/rtp_jpeg.ts";
import { packetizeLab } from "../../lib/rtp_lab.ts";
import { dissect, type Section } from "../../lib/ui/page/packet_fields.js";
import { fakeReport } from "./fake_history.ts";

await using movie = await openMovie(new URL("../../media/video.mjpeg", import.meta.url));
const jpeg = await movie.readFrame(7);

/** Two tables that count up in zigzag order. */
const TABLES = Uint8Array.from({ length: 128 }, (_, i) => i + 1);

type Kind = { kind: "rtp" | "rtcp"; payload: "jpeg" | "lab" | null };
const JPEG: Kind = { kind: "rtp", payload: "jpeg" };
const RTCP: Kind = { kind: "rtcp", payload: null };

function read(kind: Kind, bytes: Uint8Array): Section[] {
  return dissect({ ...kind, size: bytes.length }, bytes);
}

function valuesOf(sections: readonly Section[]): Record<string, string> {
  return Object.fromEntries(
    sections.flatMap(({ title, fields }) => fields.map((f) => [`${title}: ${f.name}`, f.value])),
  );
}

/** Every bit of a packet belongs to one field, in order. */
function assertCovers(sections: readonly Section[], size: number): void {
  let bit = 0;
  for (const field of sections.flatMap(({ fields }) => fields)) {
    assertEquals(field.offset, bit, field.name);
    bit += field.bits;
  }
  assertEquals(bit, size * 8);
}

function framePackets(maxPacketSize?: number): Uint8Array[] {
  const payload = { ...describeJpegPayload(jpeg), q: 255, quantizationTables: TABLES };
  const batch = packetizeJpeg(payload, { payloadType: 26, maxPacketSize });
  stampBatch(batch, { sequenceNumber: 65_534, timestamp: 4_294_967_290, ssrc: 0xdeadbeef });
  return Array.from({ length: batch.packetCount }, (_, i) => packetAt(batch, i).slice());
}

Deno.test("dissect() reads every field of an RTP/JPEG packet", () => {
  const packets = framePackets();
  const sections = read(JPEG, packets[0]);
  assertCovers(sections, packets[0].length);
  const values = valuesOf(sections);
  assertEquals(values["RTP header: V"], "2");
  assertEquals(values["RTP header: PT"], "26");
  assertEquals(values["RTP header: M"], "0");
  assertEquals(values["RTP header: sequence number"], "65534");
  assertEquals(values["RTP header: timestamp"], "4294967290");
  assertEquals(values["RTP header: SSRC"], "0xdeadbeef");
  assertEquals(values["RTP/JPEG header: fragment offset"], "0");
  assertEquals(values["RTP/JPEG header: width"], "40");
  assertEquals(values["RTP/JPEG header: height"], "30");
  assertEquals(valuesOf(read(JPEG, packets.at(-1)!))["RTP header: M"], "1");
  const second = valuesOf(read(JPEG, packets[1]));
  assertGreater(Number(second["RTP/JPEG header: fragment offset"]), 1000);
});

Deno.test("dissect() draws the quantization tables as squares, row by row", () => {
  const [tables] = read(JPEG, framePackets()[0]).filter(({ matrices }) => matrices);
  assert(tables?.matrices);
  assertEquals(tables.matrices.map(({ title }) => title), ["Luminance", "Chrominance"]);
  const [luminance, chrominance] = tables.matrices;
  assertEquals(luminance.values.slice(0, 3), [1, 2, 6]); // zigzag: right, down to the left, down
  assertEquals(luminance.values[8], 3);
  assertEquals(luminance.values[63], 64);
  assertEquals(chrominance.values[0], 65);
});

Deno.test("dissect() lists the segments of the lab's whole JPEG", () => {
  const batch = packetizeLab(jpeg);
  const packet = packetAt(batch, 0).slice();
  const sections = read({ kind: "rtp", payload: "lab" }, packet);
  assertCovers(sections, packet.length);
  const names = sections[1].fields.map(({ name }) => name.split(":")[0]);
  assertEquals(names[0], "SOI");
  assert(names.includes("DQT") && names.includes("SOF0") && names.at(-1) === "SOS", `${names}`);
  const frame = sections[1].fields.find(({ name }) => name.startsWith("SOF0"));
  assertEquals(frame?.meaning, "320 × 240 pixels.");
});

Deno.test("dissect() reads a compound RTCP packet to its last octet", () => {
  const report = fakeReport();
  const sections = read(RTCP, report);
  assertCovers(sections, report.length);
  assertEquals(sections.map(({ title }) => title), [
    "Sender report",
    "Source description",
    "Goodbye",
  ]);
  const values = valuesOf(sections);
  assertEquals(values["Sender report: cumulative lost"], "-3");
  assertEquals(values["Sender report: packets sent"], "100");
  assertEquals(values["Sender report: highest sequence number"], String(65536 * 2 + 4711));
  assertEquals(values["Source description: text"], "film@127.0.0.1");
  assertEquals(values["Goodbye: SSRC"], "0x1f2e3d4c");
});

Deno.test("dissect() takes every beginning of a packet, and whatever else comes", () => {
  for (const [kind, packet] of [[JPEG, framePackets(600)[0]], [RTCP, fakeReport()]] as const) {
    for (let length = 0; length < Math.min(packet.length, 250); length++) {
      assertEquals(Array.isArray(read(kind, packet.subarray(0, length))), true);
    }
  }
  const kinds = [JPEG, RTCP, { kind: "rtp", payload: "lab" }, { kind: "rtp", payload: null }];
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(...kinds as Kind[]),
    (bytes, kind) => {
      for (const { fields } of read(kind, bytes)) {
        for (const { offset, bits } of fields) assert(offset + bits <= bytes.length * 8);
      }
    },
  ));
});
