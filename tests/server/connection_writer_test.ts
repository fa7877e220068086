import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { RtpSender } from "../../lib/engine/sender.ts";
import type { ByteStream } from "../../lib/net/socket.ts";
import { interleaveBatch } from "../../lib/rtsp.ts";
import { ConnectionWriter } from "../../lib/server/connection_writer.ts";
import { InterleavedTransport } from "../../lib/server/transports.ts";

/** A stream whose writes end when the test says so. */
class SlowStream implements ByteStream {
  readonly localAddress = { hostname: "127.0.0.1", port: 1 };
  readonly remoteAddress = { hostname: "127.0.0.1", port: 2 };
  readonly written: Uint8Array[] = [];
  writeNow?: (bytes: Uint8Array) => number;
  #finish: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  read(): Promise<null> {
    return Promise.resolve(null);
  }
  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes.slice());
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }
  async step(): Promise<void> {
    this.#finish?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  async break(): Promise<void> {
    this.#fail?.(new Error("gone"));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {}
  [Symbol.dispose](): void {}
}

function writerOf(stream: ByteStream) {
  const broken: unknown[] = [];
  const clock = { now: 0 };
  const writer = new ConnectionWriter(stream, {
    now: () => clock.now,
    onBroken: (error) => broken.push(error),
  });
  return { writer, broken, clock };
}

function senderOf(): RtpSender {
  return new RtpSender({
    ssrc: 1,
    sequenceNumber: 10,
    timestamp: 0,
    clockRateHz: 90_000,
    payloadType: 26,
    cname: "server@test",
  });
}

function batchOf(mark: number) {
  const bytes = new Uint8Array(14);
  bytes.set([0x80, 26], 0);
  bytes[12] = mark;
  return interleaveBatch({ bytes, packetSize: 14, packetCount: 1, payloadSize: 2 });
}

Deno.test("ConnectionWriter writes messages one after another, each in a write of its own", async () => {
  const stream = new SlowStream();
  const { writer } = writerOf(stream);
  const sent: number[] = [];
  for (const mark of [1, 2, 3]) writer.write(new Uint8Array([mark]), () => sent.push(mark));
  assertEquals(stream.written.length, 1);
  await stream.step();
  assertEquals([stream.written.length, sent], [2, [1]]);
  const flushed = writer.flushed();
  await stream.step();
  await stream.step();
  await flushed;
  assertEquals([stream.written.map((bytes) => bytes[0]), sent], [[1, 2, 3], [1, 2, 3]]);
});

Deno.test("InterleavedTransport keeps only the newest frame for a busy connection, without a hole in the numbers", async () => {
  const stream = new SlowStream();
  const { writer } = writerOf(stream);
  const transport = new InterleavedTransport(writer, [4, 5]);
  const sender = senderOf();
  const givenUp = [1, 2, 3, 4].map((mark) => transport.sendFrame(batchOf(mark), sender, mark));
  assertEquals(givenUp, [0, 0, 1, 1], "the first was taken at once, the second waited");
  await stream.step();
  assertEquals(stream.written.map((bytes) => [bytes[1], bytes[3], bytes[7], bytes[16]]), [
    [4, 14, 10, 1],
    [4, 14, 11, 4],
  ]);
});

Deno.test("InterleavedTransport writes answers before the frame that waits, and a goodbye after it", async () => {
  const stream = new SlowStream();
  const { writer } = writerOf(stream);
  const transport = new InterleavedTransport(writer, [0, 1]);
  const sender = senderOf();
  transport.sendFrame(batchOf(1), sender, 1);
  transport.sendFrame(batchOf(2), sender, 2);
  transport.sendReport(new Uint8Array([0x80, 203, 0, 0]));
  writer.write(new Uint8Array([65]));
  for (let step = 0; step < 4; step++) await stream.step();
  assertEquals(stream.written.map((bytes) => bytes[0] === 65 ? "answer" : bytes[1]), [
    0,
    "answer",
    0,
    1,
  ]);
});

Deno.test("InterleavedTransport lets others stamp a frame whose writing has begun", async () => {
  const streams = [new SlowStream(), new SlowStream()];
  const batch = batchOf(1);
  for (const [i, stream] of streams.entries()) {
    // Takes five octets at once, as a connection does that is nearly full.
    stream.writeNow = (bytes) => {
      stream.written.push(bytes.slice(0, 5));
      return 5;
    };
    const transport = new InterleavedTransport(writerOf(stream).writer, [2 * i, 2 * i + 1]);
    assertEquals(transport.sendFrame(batch, senderOf(), 100 + i), 0);
  }
  for (const [i, stream] of streams.entries()) {
    await stream.step();
    const bytes = concat(stream.written);
    assertEquals([bytes.length, bytes[1], bytes[11]], [18, 2 * i, 100 + i]);
  }
});

Deno.test("ConnectionWriter tells for how long a write has been waiting", async () => {
  const stream = new SlowStream();
  const { writer, clock } = writerOf(stream);
  assertEquals(writer.stalledMs(100), 0);
  clock.now = 100;
  writer.write(new Uint8Array(1));
  assertEquals(writer.stalledMs(350), 250);
  await stream.step();
  assertEquals(writer.stalledMs(900), 0);
});

Deno.test("ConnectionWriter gives up when a write fails, once", async () => {
  const stream = new SlowStream();
  const { writer, broken } = writerOf(stream);
  writer.write(new Uint8Array(1));
  writer.write(new Uint8Array(1));
  await stream.break();
  writer.write(new Uint8Array(1));
  assertEquals([broken.length, stream.written.length], [1, 1]);
  await writer.flushed();
});

Deno.test("ConnectionWriter gives up when too much waits, whoever does not read", () => {
  const stream = new SlowStream();
  const { writer, broken } = writerOf(stream);
  for (let count = 0; count < 100; count++) writer.write(new Uint8Array(10_000));
  assertEquals(broken.length, 1);
  assert(writer.queuedBytes <= 256 << 10);
});

Deno.test("ConnectionWriter writes frames at once where the stream can, and the rest in its turn", async () => {
  const stream = new SlowStream();
  let room = 5;
  const now: number[][] = [];
  Object.assign(stream, {
    writeNow(bytes: Uint8Array): number {
      const taken = Math.min(room, bytes.length);
      room -= taken;
      now.push([...bytes.subarray(0, taken)]);
      return taken;
    },
  });
  const { writer, broken } = writerOf(stream);
  const frames = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6, 7), Uint8Array.of(8)];
  const source = { takeBytes: () => frames.shift() };
  writer.offer(source);
  assertEquals([now, stream.written], [[[1, 2, 3]], []]);
  await writer.flushed();
  writer.offer(source);
  assertEquals([now[1], stream.written], [[4, 5], [Uint8Array.of(6, 7)]]);
  room = 10;
  writer.offer(source);
  assertEquals(now.length, 2);
  await stream.step();
  assertEquals(stream.written, [Uint8Array.of(6, 7), Uint8Array.of(8)]);
  await stream.step();
  // Messages too, once the connection carries frames: no frame waits for a report.
  const sent: string[] = [];
  writer.write(Uint8Array.of(9), () => sent.push("answer"));
  assertEquals([now[2], stream.written.length, broken, sent], [[9], 2, [], []]);
  await writer.flushed();
  assertEquals(sent, ["answer"]);
  room = 1;
  writer.write(Uint8Array.of(10, 11), () => sent.push("report"));
  assertEquals([now[3], stream.written[2]], [[10], Uint8Array.of(11)]);
  await stream.step();
  assertEquals(sent, ["answer", "report"]);
});
