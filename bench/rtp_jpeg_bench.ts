/**
 * RTP/JPEG over the sample film: 500 frames, 5.8 MB. Divide: 5.8 MB by the time of one run.
 *
 * @module
 */
import { openMovie } from "../lib/disk.ts";
import { parseJpeg } from "../lib/jpeg.ts";
import { decodeRtp, packetAt } from "../lib/rtp.ts";
import { describeJpegPayload, JpegDepacketizer, packetizeJpeg } from "../lib/rtp_jpeg.ts";

const frames = await framesOfSample();
const payloads = frames.map((frame) => describeJpegPayload(frame));
const packets = payloads.flatMap((payload) => {
  const batch = packetizeJpeg(payload, { payloadType: 26 });
  return Array.from({ length: batch.packetCount }, (_, i) => decodeRtp(packetAt(batch, i)));
});

Deno.bench("parseJpeg(), 500 frames", { group: "film" }, () => {
  for (const frame of frames) parseJpeg(frame);
});

Deno.bench("describeJpegPayload(), 500 frames", { group: "film" }, () => {
  for (const frame of frames) describeJpegPayload(frame);
});

Deno.bench("packetizeJpeg(), 500 frames", { group: "film" }, () => {
  for (const payload of payloads) packetizeJpeg(payload, { payloadType: 26 });
});

Deno.bench(`JpegDepacketizer, ${packets.length} packets`, { group: "film" }, () => {
  const depacketizer = new JpegDepacketizer();
  let count = 0;
  for (const packet of packets) if (depacketizer.push(packet) !== undefined) count++;
  if (count !== frames.length) throw new Error(`Got ${count} frames, wanted ${frames.length}`);
});

async function framesOfSample(): Promise<Uint8Array[]> {
  await using movie = await openMovie(new URL("../media/video.mjpeg", import.meta.url));
  return await Promise.all(Array.from({ length: movie.frameCount }, (_, i) => movie.readFrame(i)));
}
