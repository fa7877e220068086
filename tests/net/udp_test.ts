import { assert, assertEquals, assertThrows } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { openUdp, openUdpPair } from "../../lib/net/udp.ts";
import type { DatagramSocket } from "../../lib/net/socket.ts";

/** A batch of packets that are told apart by their first octets. */
function numberedBatch(packetCount: number, packetSize: number, lastSize = packetSize) {
  const bytes = new Uint8Array((packetCount - 1) * packetSize + lastSize);
  for (let index = 0; index < packetCount; index++) {
    bytes[index * packetSize] = index >> 8;
    bytes[index * packetSize + 1] = index;
  }
  return { bytes, packetSize, packetCount, payloadSize: bytes.length - 12 * packetCount };
}

async function take(socket: DatagramSocket, count: number): Promise<Uint8Array[]> {
  const datagrams = [];
  while (datagrams.length < count) datagrams.push((await socket.receive())!.bytes.slice());
  return datagrams;
}

Deno.test("openUdp() sends a batch as packets of its stride, the last one shorter, in order", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using receiver = openUdp({ hostname: "127.0.0.1" });
  assertEquals(await sender.send(numberedBatch(20, 1400, 100), receiver.address), true);
  const datagrams = await take(receiver, 20);
  assertEquals(datagrams.map((bytes) => bytes.length), [...Array(19).fill(1400), 100]);
  assertEquals(datagrams.map((bytes) => bytes[1]), datagrams.map((_, index) => index));
  assertEquals(sender.statistics().sent, 20);
});

Deno.test("openUdp() lets the batch change as soon as send() has returned", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using receiver = openUdp({ hostname: "127.0.0.1" });
  const batch = numberedBatch(3, 100);
  for (let round = 0; round < 5; round++) {
    batch.bytes[50] = batch.bytes[150] = batch.bytes[250] = round;
    sender.send(batch, receiver.address);
  }
  const datagrams = await take(receiver, 15);
  assertEquals(datagrams.map((bytes) => bytes[50]), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
});

Deno.test("openUdp() keeps the order for one receiver while many are served", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  const receivers = Array.from({ length: 20 }, () => openUdp({ hostname: "127.0.0.1" }));
  try {
    const addresses = receivers.map((receiver) => receiver.address);
    for (const address of addresses) sender.send(numberedBatch(60, 200), address);
    for (const receiver of receivers) {
      const numbers = (await take(receiver, 60)).map((bytes) => bytes[1]);
      assertEquals(numbers, numbers.map((_, index) => index));
    }
  } finally {
    for (const receiver of receivers) receiver.close();
  }
});

Deno.test("openUdp() sends a part of a batch", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using receiver = openUdp({ hostname: "127.0.0.1" });
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

Deno.test("openUdp() sends datagrams of every size, from 0 to 65,507 octets", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using receiver = openUdp({ hostname: "127.0.0.1" });
  for (const size of [0, 1, 1472, 65_507]) {
    sender.sendTo(new Uint8Array(size).fill(7), receiver.address);
    const datagram = await receiver.receive();
    assertEquals(datagram?.bytes.length, size);
    assertEquals([datagram?.hostname, datagram?.port], ["127.0.0.1", sender.address.port]);
  }
});

Deno.test("openUdp() counts what the system refuses, and goes on", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using receiver = openUdp({ hostname: "127.0.0.1" });
  sender.sendTo(new Uint8Array(65_508), receiver.address);
  sender.sendTo(new Uint8Array(3), receiver.address);
  assertEquals((await receiver.receive())?.bytes.length, 3);
  const { dropped, lastError } = sender.statistics();
  assertEquals(dropped, 1);
  assert(lastError !== undefined);
});

Deno.test("openUdp() survives a receiver that is gone", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  const gone = openUdp({ hostname: "127.0.0.1" });
  const { address } = gone;
  gone.close();
  using receiver = openUdp({ hostname: "127.0.0.1" });
  for (let round = 0; round < 3; round++) sender.sendTo(new Uint8Array(10), address);
  sender.sendTo(new Uint8Array(4), receiver.address);
  assertEquals((await receiver.receive())?.bytes.length, 4);
});

Deno.test("DatagramSocket.close() ends a pending receive(), and sending is refused", async () => {
  const socket = openUdp({ hostname: "127.0.0.1" });
  const pending = socket.receive();
  socket.close();
  socket.close();
  assertEquals(await pending, undefined);
  assertEquals(await socket.receive(), undefined);
  assertEquals(await socket.sendTo(new Uint8Array(1), { hostname: "127.0.0.1", port: 9 }), false);
});

Deno.test("openUdp() says in a sentence why a port cannot be had", () => {
  using taken = openUdp({ hostname: "127.0.0.1" });
  const error = assertThrows(
    () => openUdp({ hostname: "127.0.0.1", port: taken.address.port }),
    TransportError,
    "in use",
  );
  assertEquals(error.errno, "EADDRINUSE");
  assertThrows(
    () => openUdp({ hostname: "192.0.2.1" }),
    TransportError,
    "no address of this machine",
  );
});

Deno.test("openUdpPair() opens an even port and the next one", () => {
  for (let round = 0; round < 5; round++) {
    const [rtp, rtcp] = openUdpPair({ hostname: "127.0.0.1" });
    assertEquals(rtp.address.port % 2, 0);
    assertEquals(rtcp.address.port, rtp.address.port + 1);
    rtp.close();
    rtcp.close();
  }
});

Deno.test("openUdpPair() keeps to a range, and says so when it is used up", () => {
  const [first, second] = openUdpPair({ hostname: "127.0.0.1" });
  const { port } = first.address;
  first.close();
  second.close();
  const ports = [port - 1, port + 1] as const;
  const [rtp, rtcp] = openUdpPair({ hostname: "127.0.0.1", ports });
  try {
    assertEquals([rtp.address.port, rtcp.address.port], [port, port + 1]);
    assertThrows(
      () => openUdpPair({ hostname: "127.0.0.1", ports }),
      TransportError,
      `from ${port - 1} to ${port + 1}`,
    );
  } finally {
    rtp.close();
    rtcp.close();
  }
});
