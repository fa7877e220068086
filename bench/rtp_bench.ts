/**
 * The work on each RTP packet, on both sides: `deno bench bench/rtp_bench.ts`. Each bench does {@linkcode COUNT} packets of
 * 1,400 octets, so divide its time by that.
 *
 * @module
 */
import { RtpReceiver } from "../lib/engine/receiver.ts";
import { RtpSender } from "../lib/engine/sender.ts";
import { decodeRtp, encodeRtpInto, packetAt, stampBatch } from "../lib/rtp.ts";

/** Packets in each run of a bench: ten frames of 22. */
const COUNT = 220;
const PACKETS_A_FRAME = 22;
const PACKET_SIZE = 1400;

function batchOf(packetCount: number) {
  const bytes = new Uint8Array(packetCount * PACKET_SIZE);
  for (let i = 0; i < packetCount; i++) {
    bytes[i * PACKET_SIZE] = 0x80;
    bytes[i * PACKET_SIZE + 1] = i % PACKETS_A_FRAME === PACKETS_A_FRAME - 1 ? 0x9a : 26;
  }
  return {
    bytes,
    packetSize: PACKET_SIZE,
    packetCount,
    payloadSize: packetCount * (PACKET_SIZE - 12),
  };
}

const batch = batchOf(COUNT);
const datagrams = Array.from({ length: COUNT }, (_, i) => packetAt(batch, i));
const sender = new RtpSender({
  ssrc: 9,
  sequenceNumber: 0,
  timestamp: 0,
  clockRateHz: 90_000,
  payloadType: 26,
  cname: "bench@example.org",
});
let sink = 0;

Deno.bench(`stampBatch, ${COUNT} packets in one batch`, () => {
  stampBatch(batch, { sequenceNumber: sink++ & 0xffff, timestamp: sink, ssrc: 9 });
});

const frame = batchOf(PACKETS_A_FRAME);
Deno.bench(`RtpSender.stamp, ${COUNT} packets in batches of ${PACKETS_A_FRAME}`, () => {
  for (let i = 0; i < COUNT / PACKETS_A_FRAME; i++) sender.stamp(frame, i);
});

Deno.bench(`decodeRtp, ${COUNT} packets`, () => {
  for (let i = 0; i < COUNT; i++) sink += decodeRtp(datagrams[i]).sequenceNumber & 1;
});

const target = new Uint8Array(PACKET_SIZE);
const packets = datagrams.map(decodeRtp);
Deno.bench(`encodeRtpInto, ${COUNT} packets`, () => {
  for (let i = 0; i < COUNT; i++) sink += encodeRtpInto(packets[i], target) & 1;
});

function receiveAll(receiver: RtpReceiver, order: readonly number[]): void {
  stampBatch(batch, { sequenceNumber: next, timestamp: next, ssrc: 9 });
  next = next + COUNT & 0xffff;
  now += 1;
  for (const i of order) {
    receiver.receive(datagrams[i], now);
    for (let event = receiver.poll(); event !== undefined; event = receiver.poll()) sink++;
  }
}
let next = 0;
let now = 0;
const receiverOf = () =>
  new RtpReceiver({
    clockRateHz: 90_000,
    latencyMs: 100,
    payloadTypes: [26],
    ssrc: 1,
    cname: "bench@example.org",
    random: () => 0.5,
  });

const inOrder = datagrams.map((_, i) => i);
const straight = receiverOf();
Deno.bench(`RtpReceiver, ${COUNT} packets in order`, () => receiveAll(straight, inOrder));

const swapped = inOrder.map((i) => i % 4 === 1 ? i + 1 : i % 4 === 2 ? i - 1 : i);
const crooked = receiverOf();
Deno.bench(`RtpReceiver, ${COUNT} packets, half of them swapped in pairs`, () => {
  receiveAll(crooked, swapped);
});
