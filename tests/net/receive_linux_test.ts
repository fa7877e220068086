/** Sockets whose datagrams a thread receives: the suite of all datagram sockets, then what is theirs alone. */
import { assert, assertEquals } from "@std/assert";
import { receiveInThread } from "../../lib/net/receive_linux.ts";
import { openReceiveThread, type ReceiveThread } from "../../lib/net/receive_thread.ts";
import type { DatagramSocket, SocketAddress } from "../../lib/net/socket.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { numberedBatch, take, testDatagramSocket } from "../suites/datagram_socket_suite.ts";

const isLinux = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
const skipped = isLinux ? undefined : "needs Linux on x86-64 or ARM64";

function test(criterion: string, fn: () => Promise<void>): void {
  const why = skipped === undefined ? "" : ` [skipped: ${skipped}]`;
  Deno.test({ name: `receiveInThread() ${criterion}${why}`, ignore: !isLinux, fn });
}

/** A thread that receives, for one test. */
async function running(ringBytes?: number): Promise<ReceiveThread> {
  const thread = openReceiveThread({ ringBytes })!;
  assertEquals(await thread.ready, true);
  return thread;
}

const open = (thread: ReceiveThread, hostname = "127.0.0.1") =>
  receiveInThread(openUdp({ hostname }), thread)!;

let suiteThread: ReceiveThread | undefined;
testDatagramSocket({
  name: "receiveInThread()",
  make: (hostname) => open(suiteThread!, hostname),
  before: async () => void (suiteThread = await running()),
  after: () => suiteThread!.close(),
  skipped,
});
testDatagramSocket({
  name: "receiveInThread(), as the thread starts,",
  make(hostname) {
    using thread = openReceiveThread()!;
    return open(thread, hostname);
  },
  skipped,
});

/** Sends so many datagrams of two numbered octets; pauses let the receiver keep up. */
async function sendNumbers(socket: DatagramSocket, to: SocketAddress, from: number, count: number) {
  for (let number = from; number < from + count; number++) {
    socket.sendTo(Uint8Array.of(number >> 8, number), to);
    if (number % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const numberOf = (bytes: Uint8Array) => bytes[0] << 8 | bytes[1];

/** Resolves when it holds. */
async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !holds();) {
    assert(performance.now() < end, "waited five seconds");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("loses nothing and keeps the order when the thread takes over in mid-stream", async () => {
  for (let round = 0; round < 2; round++) {
    using sender = openUdp({ hostname: "127.0.0.1" });
    using thread = openReceiveThread()!;
    using socket = open(thread);
    const numbers: number[] = [];
    socket.receiveEach!((bytes) => void numbers.push(numberOf(bytes)));
    await sendNumbers(sender, socket.address, 0, 1000);
    assertEquals(await thread.ready, true);
    await sendNumbers(sender, socket.address, 1000, 500);
    await until(() => numbers.length >= 1500);
    assertEquals(numbers, Array.from({ length: 1500 }, (_, index) => index));
    assertEquals(socket.statistics().received, 1500);
  }
});

test("tells when datagrams came, not when the program came round to them", async () => {
  using thread = await running();
  using sender = openUdp({ hostname: "127.0.0.1" });
  using socket = open(thread);
  const arrivals: number[] = [];
  socket.receiveEach!((_, arrivalMs) => void arrivals.push(arrivalMs));
  const sentMs = performance.now();
  await sender.sendTo(new Uint8Array(10), socket.address);
  await new Promise((resolve) => setTimeout(resolve, 0)); // Deno sends when this turn is over
  for (const end = performance.now() + 80; performance.now() < end;);
  await until(() => arrivals.length === 1);
  const latencyMs = arrivals[0] - sentMs;
  assert(latencyMs >= -0.5 && latencyMs < 60, `${latencyMs} ms`);
});

test("hands over what has come at once when it is asked to, in the middle of a turn", async () => {
  using thread = await running();
  using sender = openUdp({ hostname: "127.0.0.1" });
  using socket = open(thread);
  let count = 0;
  socket.receiveEach!(() => {
    count++;
    socket.takeArrived!(); // harmless while it is handing over
  });
  sender.sendTo(new Uint8Array(10), socket.address);
  await new Promise((resolve) => setTimeout(resolve, 0));
  for (const end = performance.now() + 500; count === 0 && performance.now() < end;) {
    socket.takeArrived!();
  }
  assertEquals(count, 1);
});

test("counts what finds no room in the ring, and goes on", async () => {
  using thread = await running(1 << 16);
  using sender = openUdp({ hostname: "127.0.0.1" });
  let lost = 0;
  using socket = receiveInThread(openUdp({ hostname: "127.0.0.1" }), thread, {
    onOverflow: (datagrams) => lost += datagrams,
  })!;
  let count = 0;
  socket.receiveEach!(() => void count++);
  // More than the ring ever holds.
  sender.sendTo(new Uint8Array(65_507), socket.address);
  sender.sendTo(new Uint8Array(100), socket.address);
  await until(() => count > 0);
  assertEquals([count, lost], [1, 1]);
  assertEquals(thread.overflowed, 1);
});

test("gets through a flood of empty, large and foreign datagrams, and closes in the middle of it", async () => {
  using thread = await running(1 << 20);
  const senders = Array.from({ length: 4 }, () => openUdp({ hostname: "127.0.0.1" }));
  let isFlooding = true;
  try {
    for (let round = 0; round < 3; round++) {
      const socket = open(thread);
      let isOpen = true;
      using other = open(thread);
      const sizes = new Set<number>();
      const froms = new Set<number>();
      socket.receiveEach!((bytes, _, { port }) => {
        assert(isOpen, "nothing is handed out after close()");
        sizes.add(bytes.length);
        froms.add(port);
      });
      isFlooding = true;
      const floods = senders.map(async (sender) => {
        while (isFlooding) {
          for (const size of [0, 65_507, 1_400]) {
            await sender.sendTo(new Uint8Array(size), socket.address);
          }
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
      });
      await until(() => sizes.size === 3 && froms.size === 4);
      isOpen = false;
      socket.close();
      senders[0].sendTo(Uint8Array.of(9, round), other.address);
      assertEquals((await other.receive())?.bytes, Uint8Array.of(9, round));
      isFlooding = false;
      await Promise.all(floods);
      // The port is free at once.
      openUdp({ hostname: "127.0.0.1", port: socket.address.port }).close();
    }
  } finally {
    isFlooding = false;
    for (const sender of senders) sender.close();
  }
});

test("leaves neither descriptors nor threads behind, however often it is opened", async () => {
  const count = (what: string) => Array.from(Deno.readDirSync(`/proc/self/${what}`)).length;
  const cycle = async (round: number) => {
    using thread = openReceiveThread()!;
    // Otherwise it is closed as it starts. Under coverage Deno takes a second to start any worker.
    if (round % 10 === 0) await thread.ready;
    using sender = openUdp({ hostname: "127.0.0.1" });
    using socket = open(thread);
    if (round % 3 === 0) {
      sender.sendTo(Uint8Array.of(1), socket.address);
      await socket.receive();
    }
  };
  for (let round = 0; round < 6; round++) await cycle(round);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = [count("fd"), count("task")];
  for (let round = 0; round < 100; round++) await cycle(round);
  await until(() => count("fd") <= before[0] && count("task") <= before[1] + 1);
});

test("shares one thread among all who hold it", async () => {
  const count = () => Array.from(Deno.readDirSync("/proc/self/task")).length;
  using thread = await running();
  const threads = count();
  const sockets = Array.from({ length: 50 }, () => {
    using another = openReceiveThread()!;
    return open(another);
  });
  try {
    assert(count() <= threads);
    using sender = openUdp({ hostname: "127.0.0.1" });
    for (const { address } of sockets) sender.send(numberedBatch(3, 100), address);
    for (const socket of sockets) {
      assertEquals((await take(socket, 3)).map((bytes) => bytes[1]), [0, 1, 2]);
    }
  } finally {
    for (const socket of sockets) socket.close();
  }
  assertEquals(thread.isRunning, true);
});
