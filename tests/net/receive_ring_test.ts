/** The ring of datagrams in shared memory, both ends in one thread. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  createRingMemory,
  RECORD_HEAD_SIZE,
  RingReader,
  RingWriter,
} from "../../lib/net/receive_ring.ts";

const ADDRESS = Int32Array.of(1, 2, 3, 4, 5, 6, 7);

function ringOf(size: number) {
  const memory = createRingMemory(size);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  return {
    reader,
    write(bytes: Uint8Array, socket = 1, arrivalMs = 0.5) {
      const isKept = writer.write(bytes, { socket, arrivalMs }, ADDRESS, 0);
      writer.publish();
      return isKept;
    },
    read(limit = Infinity): number[][] {
      const found: number[][] = [];
      reader.read(limit, ({ bytes }) => void found.push([...bytes]));
      return found;
    },
  };
}

Deno.test("RingReader reads what RingWriter wrote, datagram by datagram", () => {
  const { reader, write } = ringOf(1024);
  write(Uint8Array.of(1, 2, 3), 7, 12.25);
  write(new Uint8Array(0), 8, -1);
  const found: unknown[] = [];
  reader.read(9, ({ socket, arrivalMs, address, bytes }) => {
    found.push([socket, arrivalMs, [...address], [...bytes]]);
  });
  assertEquals(found, [[7, 12.25, [...ADDRESS], [1, 2, 3]], [8, -1, [...ADDRESS], []]]);
});

Deno.test("RingReader reads no more than it is asked for, and the rest next time", () => {
  const { write, read } = ringOf(1024);
  for (const octet of [1, 2, 3]) write(Uint8Array.of(octet));
  assertEquals(read(2), [[1], [2]]);
  assertEquals(read(), [[3]]);
  assertEquals(read(), []);
});

Deno.test("RingWriter keeps every octet past the end of the ring, again and again, at every length", () => {
  const { write, read } = ringOf(512);
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: round * 7 % 150 }, (_, i) => round + i);
    assertEquals(write(bytes), true);
    assertEquals(read(), [[...bytes]], `round ${round}`);
  }
});

Deno.test("RingWriter counts what finds no room, and overwrites nothing", () => {
  const { reader, write, read } = ringOf(256);
  const fitting = new Uint8Array(64 - RECORD_HEAD_SIZE).fill(5);
  assertEquals([1, 2, 3, 4, 5, 6].map(() => write(fitting)), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  assertEquals(reader.overflowed, 2);
  assertEquals(read(1), [[...fitting]]);
  assertEquals(write(fitting), true);
  assertEquals(read().length, 4);
  assertEquals(write(new Uint8Array(257 - RECORD_HEAD_SIZE)), false, "more than the whole ring");
  assertEquals(ringOf(256).write(new Uint8Array(256 - RECORD_HEAD_SIZE)), true, "the whole ring");
});

Deno.test("RingReader frees what was read even if the taker throws", () => {
  const { reader, write, read } = ringOf(256);
  write(Uint8Array.of(1));
  write(Uint8Array.of(2));
  assertThrows(() =>
    reader.read(9, () => {
      throw new Error("stop");
    })
  );
  assertEquals(read(), [[2]]);
});

Deno.test("RingReader sleeps until something is written, or it is woken", async () => {
  const { reader, write, read } = ringOf(256);
  const keepsAlive = setInterval(() => {}, 1000); // the sleep alone does not
  const sleep = reader.sleep();
  write(Uint8Array.of(1));
  await sleep;
  assertEquals(reader.sleep(), undefined, "something is there");
  read();
  const second = reader.sleep();
  reader.wake();
  await second;
  clearInterval(keepsAlive);
});

Deno.test("createRingMemory() refuses sizes that are no power of two", () => {
  for (const size of [0, 100, 32, 1.5, NaN]) assertThrows(() => createRingMemory(size), RangeError);
});
