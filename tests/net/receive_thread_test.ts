/** Threads that are slow, or end by a fault: stand-ins take the place of the real one. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { receiveInThread } from "../../lib/net/receive_linux.ts";
import { openReceiveThread, reasonAgainstReceiveThread } from "../../lib/net/receive_thread.ts";
import { openUdp } from "../../lib/net/udp.ts";

const isLinux = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);

function test(name: string, fn: () => Promise<void>): void {
  const why = isLinux ? "" : " [skipped: needs Linux on x86-64 or ARM64]";
  Deno.test({ name: name + why, ignore: !isLinux, fn });
}

/** A thread that says it runs, and then does this with the words that both sides share. */
function standIn(code: string): URL {
  const script = `self.onmessage = ({ data: { memory } }) => {
    const words = new Int32Array(memory, 0, 16);
    const [STATE, REQUESTED, ACKNOWLEDGED] = [4, 5, 6];
    words[STATE] = 1;
    self.postMessage({ type: "running" });
    ${code}
  };`;
  return new URL(`data:application/javascript,${encodeURIComponent(script)}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("close() keeps the descriptor as long as a slow thread may use it", async () => {
  const thread = openReceiveThread({
    worker: standIn(`
      setTimeout(() => Atomics.store(words, ACKNOWLEDGED, Atomics.load(words, REQUESTED)), 150);
      setTimeout(() => Atomics.store(words, STATE, 3), 400);`),
  })!;
  assertEquals(await thread.ready, true);
  const socket = receiveInThread(openUdp({ hostname: "127.0.0.1" }), thread)!;
  socket.receiveEach!(() => {});
  const { port } = socket.address;
  socket.close();
  thread.close();
  assertThrows(() => openUdp({ hostname: "127.0.0.1", port }), TransportError, "in use");
  await pause(300);
  openUdp({ hostname: "127.0.0.1", port }).close();
  await pause(300); // for the thread's own descriptors
});

test("a thread that ends by a fault leaves receiving to the portable socket, for good", async () => {
  using sender = openUdp({ hostname: "127.0.0.1" });
  using thread = openReceiveThread({
    worker: standIn(
      `setTimeout(() => self.postMessage({ type: "failed", reason: "a test" }), 100);`,
    ),
  })!;
  assertEquals(await thread.ready, true);
  using socket = receiveInThread(openUdp({ hostname: "127.0.0.1" }), thread)!;
  const received: Uint8Array[] = [];
  socket.receiveEach!((bytes) => void received.push(bytes.slice()));
  for (const octet of [1, 2]) sender.sendTo(Uint8Array.of(octet), socket.address);
  await pause(50);
  assertEquals(received, [], "the stand-in receives nothing");
  await pause(100);
  sender.sendTo(Uint8Array.of(3), socket.address);
  for (let i = 0; i < 100 && received.length < 3; i++) await pause(10);
  assertEquals(received.map(([octet]) => octet), [1, 2, 3]);
  assert(!thread.isRunning);
  assertEquals(openReceiveThread(), undefined);
  assertEquals(reasonAgainstReceiveThread(), "the receiving thread ended: a test");
});
