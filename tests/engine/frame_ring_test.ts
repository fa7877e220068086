import { assertEquals } from "@std/assert";
import { FrameRing } from "../../lib/engine/frame_ring.ts";

const TIMES = {
  mediaTicks: 1,
  nextTicks: 3001,
  spreadMs: 20.5,
  unixMs: 1.5e12,
  positionSeconds: 0.04,
};

/** A frame whose octets are all its number. */
function frameOf(number: number, size: number) {
  const bytes = new Uint8Array(size).fill(number);
  const batch = {
    bytes,
    packetSize: 100,
    packetCount: Math.ceil(size / 100),
    payloadSize: size - 1,
  };
  const numbers = { sequenceNumber: 65_535 - number, packetsSent: 2 ** 33, octetsSent: 2 ** 40 };
  return { batch, facts: { ...TIMES, numbers } };
}

Deno.test("FrameRing gives what was written, to everybody who has its memory", () => {
  const ring = FrameRing.create(1001);
  const other = new FrameRing(ring.memory);
  assertEquals([other.written, other.read(1, new Uint8Array(1100))], [0, undefined]);
  for (let number = 1; number <= 20; number++) {
    const { batch, facts } = frameOf(number, 900 + number);
    assertEquals(ring.write(batch, facts), true);
    assertEquals(other.written, number);
    assertEquals(other.read(number, new Uint8Array(other.frameBytes)), { batch, ...facts });
  }
});

Deno.test("FrameRing keeps the newest frames, and says so of those that are gone or not there yet", () => {
  const ring = FrameRing.create(100);
  const into = new Uint8Array(ring.frameBytes);
  for (let number = 1; number <= 30; number++) {
    ring.write(frameOf(number, 100).batch, frameOf(number, 1).facts);
  }
  assertEquals(ring.read(22, into), undefined);
  assertEquals(ring.read(23, into)?.batch.bytes[99], 23);
  assertEquals(ring.read(30, into)?.batch.bytes[99], 30);
  assertEquals(ring.read(31, into), undefined);
  assertEquals(ring.read(38, into), undefined);
});

Deno.test("FrameRing refuses a frame that is too large, and goes on", () => {
  const ring = FrameRing.create(96);
  const { batch, facts } = frameOf(1, 97);
  assertEquals([ring.write(batch, facts), ring.written], [false, 0]);
  assertEquals([ring.write(frameOf(2, 96).batch, facts), ring.written], [true, 1]);
});

Deno.test("FrameRing never gives a torn frame, though another thread writes all the time", async () => {
  const ring = FrameRing.create(20_000);
  const code = `
    import { FrameRing } from "${import.meta.resolve("../../lib/engine/frame_ring.ts")}";
    self.onmessage = ({ data }) => {
      const ring = new FrameRing(data);
      const facts = { ...${
    JSON.stringify(TIMES)
  }, numbers: { sequenceNumber: 0, packetsSent: 0, octetsSent: 0 } };
      for (let n = 1; n <= 20_000; n++) {
        const bytes = new Uint8Array(10_000 + n % 10_000).fill(n);
        ring.write({ bytes, packetSize: 1, packetCount: 1, payloadSize: 1 }, facts);
      }
      self.postMessage("done");
    };`;
  const worker = new Worker(`data:application/typescript,${encodeURIComponent(code)}`, {
    type: "module",
  });
  const done = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage(ring.memory);
  const into = new Uint8Array(ring.frameBytes);
  let whole = 0;
  for (const end = performance.now() + 20_000; ring.written < 20_000 && performance.now() < end;) {
    const number = ring.written;
    const frame = ring.read(number, into);
    if (frame === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      continue;
    }
    whole++;
    const { bytes } = frame.batch;
    assertEquals(bytes.length, 10_000 + number % 10_000);
    assertEquals(bytes.every((octet) => octet === number % 256), true);
  }
  await done;
  worker.terminate();
  assertEquals(whole > 0, true);
});
