/**
 * What every datagram socket must do, however it sends: run by the portable one and by Linux's fast path.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import type { DatagramSocket, PacketBatch, SocketAddress } from "../../lib/net/socket.ts";

/** A kind of socket under test. */
export interface DatagramSocketKind {
  /** Name of the function that makes it, for the tests' names. */
  readonly name: string;
  /** Opens one on this address and a port of the system's choice. */
  make(hostname: string): DatagramSocket;
  /** What each test needs before it opens a socket. */
  readonly before?: () => Promise<void>;
  /** Gives that back. */
  readonly after?: () => void;
  /** Why it cannot be tested here; `undefined` where it can. */
  readonly skipped?: string;
}

/** Packets whose first two octets are their number. */
export function numberedBatch(
  packetCount: number,
  packetSize: number,
  lastSize: number = packetSize,
): PacketBatch {
  const bytes = new Uint8Array((packetCount - 1) * packetSize + lastSize);
  for (let index = 0; index < packetCount; index++) {
    bytes[index * packetSize] = index >> 8;
    bytes[index * packetSize + 1] = index;
  }
  return { bytes, packetSize, packetCount, payloadSize: bytes.length - 12 * packetCount };
}

/** Takes so many datagrams from a socket. */
export async function take(socket: DatagramSocket, count: number): Promise<Uint8Array[]> {
  const datagrams = [];
  while (datagrams.length < count) datagrams.push((await socket.receive())!.bytes.slice());
  return datagrams;
}

/** A receiver in a thread of its own may have a packet before its sender knows that it is gone. */
export async function allSent(
  socket: DatagramSocket,
  receivers: readonly SocketAddress[],
): Promise<void> {
  while (receivers.some((to) => socket.waitingBytes(to) > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Declares the tests for a kind of socket. */
export function testDatagramSocket(kind: DatagramSocketKind): void {
  const test = (criterion: string, fn: () => void | Promise<void>) => {
    const skipped = kind.skipped === undefined ? "" : ` [skipped: ${kind.skipped}]`;
    Deno.test({
      name: `${kind.name} ${criterion}${skipped}`,
      ignore: skipped !== "",
      async fn() {
        await kind.before?.();
        try {
          await fn();
        } finally {
          kind.after?.();
        }
      },
    });
  };
  const make = (hostname = "127.0.0.1") => kind.make(hostname);
  testBatches(test, make);
  testManyReceivers(test, make);
  testDatagrams(test, make);
  testFaults(test, make);
}

type Declare = (criterion: string, fn: () => void | Promise<void>) => void;
type Make = (hostname?: string) => DatagramSocket;

function testBatches(test: Declare, make: Make): void {
  test("sends a batch as packets of its stride, the last one shorter, in order", async () => {
    using sender = make();
    using receiver = make();
    assertEquals(await sender.send(numberedBatch(70, 700, 100), receiver.address), true);
    const datagrams = await take(receiver, 70);
    assertEquals(datagrams.map((bytes) => bytes.length), [...Array(69).fill(700), 100]);
    assertEquals(datagrams.map((bytes) => bytes[1]), datagrams.map((_, index) => index));
    await allSent(sender, [receiver.address]);
    assertEquals([sender.statistics().sent, sender.statistics().dropped], [70, 0]);
    assertEquals(receiver.statistics().received, 70);
  });

  test("sends a last packet as long as the others, and a batch of one packet", async () => {
    using sender = make();
    using receiver = make();
    sender.send(numberedBatch(3, 500), receiver.address);
    sender.send(numberedBatch(1, 1400, 77), receiver.address);
    const datagrams = await take(receiver, 4);
    assertEquals(datagrams.map((bytes) => bytes.length), [500, 500, 500, 77]);
  });

  test("keeps every octet of large frames", async () => {
    using sender = make();
    using receiver = make();
    const batch = numberedBatch(40, 1400, 1399);
    for (let i = 0; i < batch.bytes.length; i++) batch.bytes[i] = i * 31 >> 3;
    const sent = batch.bytes.slice();
    sender.send(batch, receiver.address);
    batch.bytes.fill(0);
    const datagrams = await take(receiver, 40);
    const received = datagrams.flatMap((bytes) => [...bytes]);
    assertEquals(received.length, sent.length);
    assert(received.every((octet, index) => octet === sent[index]));
  });

  test("lets the batch change as soon as send() has returned", async () => {
    using sender = make();
    using receiver = make();
    const batch = numberedBatch(3, 100);
    for (let round = 0; round < 5; round++) {
      batch.bytes[50] = batch.bytes[150] = batch.bytes[250] = round;
      sender.send(batch, receiver.address);
    }
    const datagrams = await take(receiver, 15);
    const rounds = datagrams.map((bytes) => bytes[50]);
    assertEquals(rounds, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  test("keeps the order for one receiver while many are served", async () => {
    using sender = make();
    const receivers = Array.from({ length: 20 }, () => make());
    try {
      for (const { address } of receivers) sender.send(numberedBatch(60, 200), address);
      for (const receiver of receivers) {
        const numbers = (await take(receiver, 60)).map((bytes) => bytes[1]);
        assertEquals(numbers, numbers.map((_, index) => index));
      }
    } finally {
      for (const receiver of receivers) receiver.close();
    }
  });

  test("sends a part of a batch, and nothing behind its end", async () => {
    using sender = make();
    using receiver = make();
    const batch = numberedBatch(10, 100, 40);
    sender.send(batch, receiver.address, 8);
    sender.send(batch, receiver.address, 2, 3);
    const datagrams = await take(receiver, 5);
    assertEquals(datagrams.map((bytes) => [bytes[1], bytes.length]), [
      [8, 100],
      [9, 40],
      [2, 100],
      [3, 100],
      [4, 100],
    ]);
    assertEquals(await sender.send(batch, receiver.address, 10), false);
  });
}

function testManyReceivers(test: Declare, make: Make): void {
  test("sends the same octets to many receivers, the set the same or another", async () => {
    using sender = make();
    const receivers = Array.from({ length: 70 }, () => make());
    try {
      const batch = numberedBatch(50, 1400, 900);
      for (let i = 0; i < batch.bytes.length; i++) batch.bytes[i] ^= i * 31 >> 3;
      const sent = batch.bytes.slice();
      const all = receivers.map(({ address }) => address);
      sender.sendToMany(batch, all, 0, 50);
      batch.bytes.fill(0);
      for (const receiver of receivers) {
        const datagrams = await take(receiver, 50);
        assertEquals(datagrams.map((bytes) => bytes.length), [...Array(49).fill(1400), 900]);
        assertEquals(concat(datagrams), sent);
      }
      const small = numberedBatch(3, 100);
      const half = all.filter((_, index) => index % 2 === 0);
      for (const set of [all, half, all]) {
        sender.sendToMany(small, set, 0, 3);
        small.bytes[50]++;
      }
      for (const [index, receiver] of receivers.entries()) {
        const rounds = (await take(receiver, index % 2 === 0 ? 9 : 6)).map((bytes) => bytes[50]);
        assertEquals(rounds.filter((_, at) => at % 3 === 0), index % 2 === 0 ? [0, 1, 2] : [0, 2]);
      }
      await allSent(sender, all);
      assertEquals([sender.statistics().sent, sender.statistics().dropped], [
        70 * 50 + (70 + 35 + 70) * 3,
        0,
      ]);
    } finally {
      for (const receiver of receivers) receiver.close();
    }
  });

  test("sends parts of a batch, and batches of one packet, to many receivers", async () => {
    using sender = make();
    using one = make();
    using two = make();
    const set = [one.address, two.address];
    const batch = numberedBatch(10, 100, 40);
    sender.sendToMany(batch, set, 0, 4);
    sender.sendToMany(batch, set, 4, 6);
    sender.sendToMany(numberedBatch(1, 1400, 77), set, 0, 1);
    sender.sendToMany(batch, set, 10, 0);
    sender.sendToMany(batch, set, 2, 3);
    sender.sendToMany(batch, [], 0, 10);
    for (const receiver of [one, two]) {
      const datagrams = await take(receiver, 14);
      assertEquals(datagrams.map((bytes) => bytes[1]), [
        ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ...[0, 2, 3, 4],
      ]);
      assertEquals(datagrams.slice(9, 11).map((bytes) => bytes.length), [40, 77]);
    }
  });

  test("keeps what goes to many and to one in order", async () => {
    using sender = make();
    using one = make();
    using two = make();
    const set = [one.address, two.address];
    sender.sendTo(Uint8Array.of(0, 100), set[0]);
    sender.sendToMany(numberedBatch(2, 10), set, 0, 2);
    sender.send(numberedBatch(1, 10), set[1]);
    sender.sendToMany(numberedBatch(3, 10), set, 0, 3);
    assertEquals((await take(one, 6)).map((bytes) => bytes[1]), [100, 0, 1, 0, 1, 2]);
    assertEquals((await take(two, 6)).map((bytes) => bytes[1]), [0, 1, 0, 0, 1, 2]);
  });

  test("serves the others where one receiver is gone, or can never be sent to", async () => {
    using sender = make();
    using one = make();
    using two = make();
    const gone = make();
    const { address } = gone;
    gone.close();
    const nowhere = { hostname: "127.0.0.1", port: 0 };
    for (const bad of [address, nowhere]) {
      const set = [bad, one.address, bad, two.address, bad];
      for (let round = 0; round < 3; round++) {
        sender.sendToMany(numberedBatch(50, 1400), set, 0, 50);
        for (const receiver of [one, two]) {
          const numbers = (await take(receiver, 50)).map((bytes) => bytes[1]);
          assertEquals(numbers, numbers.map((_, index) => index));
        }
      }
    }
  });

  test("refuses many receivers once it is closed", () => {
    const sender = make();
    sender.close();
    const nobody = { hostname: "127.0.0.1", port: 9 };
    const refused: number[] = [];
    sender.sendToMany(numberedBatch(2, 10), [nobody, nobody], 0, 2, (i) => refused.push(i));
    assertEquals(refused, [0, 1]);
    assertEquals(sender.statistics().dropped, 4);
  });
}

function testDatagrams(test: Declare, make: Make): void {
  test("sends datagrams of every size, from 0 to 65,507 octets", async () => {
    using sender = make();
    using receiver = make();
    for (const size of [0, 1, 1472, 65_507]) {
      sender.sendTo(new Uint8Array(size).fill(7), receiver.address);
      const datagram = await receiver.receive();
      assertEquals(datagram?.bytes.length, size);
      assertEquals([datagram?.hostname, datagram?.port], ["127.0.0.1", sender.address.port]);
    }
  });

  test("sends by IPv6", async () => {
    using six = make("::1");
    using receiver = make("::1");
    six.send(numberedBatch(2, 10), receiver.address);
    assertEquals((await take(receiver, 2)).map((bytes) => bytes[1]), [0, 1]);
  });

  test("keeps datagrams and batches to one receiver in order", async () => {
    using sender = make();
    using receiver = make();
    const { address } = receiver;
    sender.sendTo(Uint8Array.of(0, 100), address);
    sender.send(numberedBatch(2, 10), address);
    sender.sendTo(Uint8Array.of(0, 101), address);
    assertEquals((await take(receiver, 4)).map((bytes) => bytes[1]), [100, 0, 1, 101]);
  });
}

function testFaults(test: Declare, make: Make): void {
  test("counts what the system refuses, and goes on", async () => {
    using sender = make();
    using receiver = make();
    sender.sendTo(new Uint8Array(65_508), receiver.address);
    sender.sendTo(new Uint8Array(3), receiver.address);
    assertEquals((await receiver.receive())?.bytes.length, 3);
    const { dropped, lastError } = sender.statistics();
    assertEquals(dropped, 1);
    assert(lastError !== undefined);
  });

  test("survives a receiver that is gone", async () => {
    using sender = make();
    const gone = make();
    const { address } = gone;
    gone.close();
    using receiver = make();
    for (let round = 0; round < 3; round++) sender.sendTo(new Uint8Array(10), address);
    sender.sendTo(new Uint8Array(4), receiver.address);
    assertEquals((await receiver.receive())?.bytes.length, 4);
  });

  test("ends a pending receive() with close(), and refuses to send then", async () => {
    const socket = make();
    const pending = socket.receive();
    socket.close();
    socket.close();
    assertEquals(await pending, undefined);
    assertEquals(await socket.receive(), undefined);
    const nobody = { hostname: "127.0.0.1", port: 9 };
    assertEquals(await socket.sendTo(new Uint8Array(1), nobody), false);
    assertEquals(await socket.send(numberedBatch(2, 10), nobody), false);
    assertEquals(socket.statistics().dropped, 3);
  });
}
