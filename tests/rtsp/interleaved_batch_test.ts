import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { packetAt, type PacketBatch, stampBatch } from "../../lib/rtp.ts";
import { interleaveBatch, RtspParser, setInterleavedChannel } from "../../lib/rtsp.ts";

const FUZZ_RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 200);

function batchOf(packetSize: number, packetCount: number, lastSize: number): PacketBatch {
  const bytes = new Uint8Array((packetCount - 1) * packetSize + lastSize);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7;
  return { bytes, packetSize, packetCount, payloadSize: bytes.length };
}

Deno.test("interleaveBatch() is what a connection carries: every packet comes out again, stamped", () => {
  const sizes = fc.integer({ min: 12, max: 1400 })
    .chain((size) => fc.tuple(fc.constant(size), fc.nat(70), fc.integer({ min: 12, max: size })));
  fc.assert(
    fc.property(sizes, fc.nat(255), fc.nat(65535), ([size, more, last], channel, number) => {
      const plain = batchOf(size, more + 1, last);
      const interleaved = interleaveBatch(plain);
      const stamp = { payloadType: 26, sequenceNumber: number, timestamp: 99, ssrc: 7 };
      stampBatch(plain, stamp);
      stampBatch(interleaved, stamp);
      setInterleavedChannel(interleaved, channel);
      const parser = new RtspParser({ role: "client", dialect: "rtsp" });
      parser.push(interleaved.bytes.slice());
      for (let i = 0; i < plain.packetCount; i++) {
        const payload = packetAt(plain, i);
        assertEquals(packetAt(interleaved, i), payload);
        assertEquals(parser.next(), { type: "interleaved", channel, payload });
      }
      assertEquals(parser.next(), undefined);
    }),
    { numRuns: FUZZ_RUNS, seed: 2326 },
  );
});

Deno.test("interleaveBatch() refuses packets that a header cannot tell the length of", () => {
  const refused = () => interleaveBatch(batchOf(65_536, 1, 65_536));
  assertThrows(refused, RangeError, "one has 65536 bytes, limit 65535");
});
