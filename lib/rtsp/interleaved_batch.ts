/**
 * Packet batches as an RTSP connection carries them: a `$` header before each packet.
 *
 * Floor 1 (format). RFC 2326 s10.12. A batch made once is stamped in place for every reader and written whole, with
 * nothing copied for each of them. It knows neither connections nor sessions.
 *
 * @module
 */

import { packetAt, type PacketBatch } from "../rtp.ts";
import { INTERLEAVED_HEADER_SIZE } from "./format.ts";

/**
 * Copies a batch into one whose packets have a `$` header each, for channel 0: `bytes` is what a connection carries.
 *
 * @throws {RangeError} when a packet is longer than 65,535 octets.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { interleaveBatch, setInterleavedChannel } from "./interleaved_batch.ts";
 * const bytes = Uint8Array.of(0x80, 1, 0x80, 2, 0x80);
 * const batch = interleaveBatch({ bytes, packetSize: 2, packetCount: 3, payloadSize: 0 });
 * setInterleavedChannel(batch, 6);
 * assertEquals(
 *   [...batch.bytes],
 *   [0x24, 6, 0, 2, 0x80, 1, 0x24, 6, 0, 2, 0x80, 2, 0x24, 6, 0, 1, 0x80],
 * );
 * ```
 */
export function interleaveBatch(batch: PacketBatch): PacketBatch {
  const { packetSize, packetCount, payloadSize } = batch;
  if (packetSize > 0xffff) {
    throw new RangeError(`Cannot interleave packets: one has ${packetSize} bytes, limit 65535`);
  }
  const headers = packetCount * INTERLEAVED_HEADER_SIZE;
  const bytes = new Uint8Array(batch.bytes.length + headers);
  let offset = 0;
  for (let i = 0; i < packetCount; i++) {
    const packet = packetAt(batch, i);
    bytes[offset] = 0x24;
    bytes[offset + 2] = packet.length >>> 8;
    bytes[offset + 3] = packet.length;
    bytes.set(packet, offset + INTERLEAVED_HEADER_SIZE);
    offset += INTERLEAVED_HEADER_SIZE + packet.length;
  }
  return { bytes, packetSize, packetCount, payloadSize, prefixSize: INTERLEAVED_HEADER_SIZE };
}

/** Writes the channel, 0 to 255, into all `$` headers of such a batch. */
export function setInterleavedChannel({ bytes, packetSize }: PacketBatch, channel: number): void {
  // Most readers use the same channels: then it is there already.
  if (bytes[1] === channel) return;
  const stride = packetSize + INTERLEAVED_HEADER_SIZE;
  for (let offset = 1; offset < bytes.length; offset += stride) bytes[offset] = channel;
}
