/**
 * RTP and RTCP beside rtp.js and werift, each doing the same work on the same octets: {@linkcode COUNT} packets a run.
 *
 * Both are npm packages for this bench alone; the programs and the library do without them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { CompoundPacket, RtpPacket as RtpJsPacket } from "rtp.js/packets";
import { RtcpPacketConverter, RtpPacket as WeriftPacket } from "werift-rtp";
import { RtpSender } from "../lib/engine/sender.ts";
import { decodeRtcp, encodeRtcpInto } from "../lib/rtcp.ts";
import { decodeRtp, encodeRtpInto, packetAt, stampBatch } from "../lib/rtp.ts";

const COUNT = 220;
const PACKET_SIZE = 1400;

const bytes = new Uint8Array(COUNT * PACKET_SIZE);
for (let i = 0; i < COUNT; i++) bytes.set([0x80, 26], i * PACKET_SIZE);
const batch = { bytes, packetSize: PACKET_SIZE, packetCount: COUNT, payloadSize: COUNT * 1388 };
stampBatch(batch, { sequenceNumber: 65_400, timestamp: 90_000, ssrc: 9 });
const datagrams = Array.from({ length: COUNT }, (_, i) => packetAt(batch, i));
const buffers = datagrams.map((datagram) =>
  Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length)
);
const viewOf = (data: Uint8Array) => new DataView(data.buffer, data.byteOffset, data.length);
let sink = 0;

Deno.bench("ours", { group: "read RTP", baseline: true }, () => {
  for (const datagram of datagrams) sink += decodeRtp(datagram).sequenceNumber;
});
Deno.bench("rtp.js", { group: "read RTP" }, () => {
  for (const datagram of datagrams) sink += new RtpJsPacket(viewOf(datagram)).getSequenceNumber();
});
Deno.bench("werift", { group: "read RTP" }, () => {
  for (const buffer of buffers) sink += WeriftPacket.deSerialize(buffer).header.sequenceNumber;
});

const target = new Uint8Array(PACKET_SIZE);
const ours = datagrams.map((datagram) => decodeRtp(datagram));
const theirs = datagrams.map((datagram) => new RtpJsPacket(viewOf(datagram)));
const werifts = buffers.map((buffer) => WeriftPacket.deSerialize(buffer));

Deno.bench("ours", { group: "write RTP", baseline: true }, () => {
  for (const packet of ours) sink += encodeRtpInto(packet, target);
});
Deno.bench("rtp.js", { group: "write RTP" }, () => {
  for (const packet of theirs) {
    // Into a buffer of its own: it refuses to write twice into the same one.
    packet.serialize();
    sink += packet.getByteLength();
  }
});
Deno.bench("werift", { group: "write RTP" }, () => {
  for (const packet of werifts) sink += packet.serialize().length;
});

let sequenceNumber = 0;
Deno.bench("ours, a batch", { group: "renumber RTP for a reader", baseline: true }, () => {
  sequenceNumber = sequenceNumber + COUNT & 0xffff;
  stampBatch(batch, { sequenceNumber, timestamp: sink >>> 0, ssrc: 9 });
});
Deno.bench("rtp.js", { group: "renumber RTP for a reader" }, () => {
  for (const packet of theirs) {
    sequenceNumber = sequenceNumber + 1 & 0xffff;
    packet.setSequenceNumber(sequenceNumber);
    packet.setTimestamp(sequenceNumber);
    packet.setSsrc(9);
  }
});
Deno.bench("werift", { group: "renumber RTP for a reader" }, () => {
  for (const packet of werifts) {
    sequenceNumber = sequenceNumber + 1 & 0xffff;
    packet.header.sequenceNumber = sequenceNumber;
    packet.header.timestamp = sequenceNumber;
    sink += packet.serialize().length;
  }
});

const report = new RtpSender({
  ssrc: 9,
  sequenceNumber: 0,
  timestamp: 0,
  clockRateHz: 90_000,
  payloadType: 26,
  cname: "bench@example.org",
}).report(1_700_000_000_000, 90_000);
const reportBuffer = Buffer.from(report);
const decoded = decodeRtcp(report);
const compound = new CompoundPacket(viewOf(report));
const weriftReport = RtcpPacketConverter.deSerialize(reportBuffer);

Deno.bench("ours", { group: "read a sender report with SDES", baseline: true }, () => {
  for (let i = 0; i < COUNT; i++) sink += decodeRtcp(report).length;
});
Deno.bench("rtp.js", { group: "read a sender report with SDES" }, () => {
  for (let i = 0; i < COUNT; i++) sink += new CompoundPacket(viewOf(report)).getPackets().length;
});
Deno.bench("werift", { group: "read a sender report with SDES" }, () => {
  for (let i = 0; i < COUNT; i++) sink += RtcpPacketConverter.deSerialize(reportBuffer).length;
});

Deno.bench("ours", { group: "write a sender report with SDES", baseline: true }, () => {
  for (let i = 0; i < COUNT; i++) sink += encodeRtcpInto(decoded, target);
});
Deno.bench("rtp.js", { group: "write a sender report with SDES" }, () => {
  for (let i = 0; i < COUNT; i++) {
    compound.serialize();
    sink += compound.getByteLength();
  }
});
Deno.bench("werift", { group: "write a sender report with SDES" }, () => {
  for (let i = 0; i < COUNT; i++) {
    for (const packet of weriftReport) sink += packet.serialize().length;
  }
});
