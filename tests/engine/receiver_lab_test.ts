import { assertEquals } from "@std/assert";
import { datagramOf, eventsOf, labReceiverOf, numbersOf, passTime } from "../support/rtp_stream.ts";

const FRAME_MS = 50;

/** Numbers of one lab server, a frame each, 20 a second. */
function play(
  receiver: ReturnType<typeof labReceiverOf>,
  numbers: readonly number[],
  start = 0,
): number {
  let now = start;
  for (const number of numbers) {
    receiver.receive(datagramOf(number, { ssrc: 0 }), now += FRAME_MS);
  }
  return now;
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

Deno.test("RtpReceiver in lab mode takes numbers from 0 and from 1, at once", () => {
  for (const first of [0, 1]) {
    const receiver = labReceiverOf();
    receiver.receive(datagramOf(first), 0);
    assertEquals(numbersOf(receiver), [first]);
    assertEquals(receiver.stats().lost, 0);
  }
});

Deno.test("RtpReceiver in lab mode counts frames that were lost before the first that came", () => {
  const receiver = labReceiverOf();
  play(receiver, [3, 4]);
  const { expected, lost } = receiver.stats();
  assertEquals([expected, lost], [4, 2]);
});

Deno.test("RtpReceiver in lab mode takes a server that begins again at 1 for what it is", () => {
  for (const length of [500, 20, 8]) {
    const receiver = labReceiverOf();
    let now = 0;
    for (let loop = 0; loop < 3; loop++) now = play(receiver, range(1, length + 1), now);
    passTime(receiver, now + 1000);
    assertEquals(numbersOf(receiver), [1, 2, 3].flatMap(() => range(1, length + 1)));
    const { lost, packets, duplicates, restarts, foreign } = receiver.stats();
    assertEquals([lost, packets, duplicates, restarts, foreign], [0, 3 * length, 0, 2, 0]);
  }
});

Deno.test("RtpReceiver in lab mode counts a frame lost at the new beginning", () => {
  const receiver = labReceiverOf();
  const now = play(receiver, range(1, 201));
  play(receiver, [2, 3, 4], now);
  const { lost, packets, restarts } = receiver.stats();
  assertEquals([lost, packets, restarts], [1, 203, 1]);
});

Deno.test("RtpReceiver in lab mode goes through the wrap at 65535", () => {
  const receiver = labReceiverOf({ latencyMs: 0, maxBufferBytes: 1e9 });
  play(receiver, range(1, 65536 + 5).map((n) => n & 0xffff));
  const { lost, packets, restarts } = receiver.stats();
  assertEquals([lost, packets, restarts], [0, 65540, 0]);
});

Deno.test("RtpReceiver in lab mode takes any payload type and any source", () => {
  const receiver = labReceiverOf();
  range(1, 9).forEach((n) =>
    receiver.receive(datagramOf(n, { payloadType: n, ssrc: n * 1000 }), n)
  );
  assertEquals(numbersOf(receiver), range(1, 9));
  assertEquals([receiver.stats().foreign, receiver.stats().ssrc], [0, 8000]);
  // Another source, beginning at 1.
  for (const n of [1, 2, 3]) receiver.receive(datagramOf(n, { ssrc: 5 }), 1000 + n);
  assertEquals(numbersOf(receiver), [1, 2, 3]);
});

Deno.test("RtpReceiver in lab mode keeps pieces that share a number, and drops doubled ones", () => {
  for (const latencyMs of [0, 100]) {
    const receiver = labReceiverOf({ latencyMs });
    const piece = (number: number, octet: number) =>
      datagramOf(number, { payload: new Uint8Array(1400).fill(octet) });
    const order = [[1, 1], [1, 2], [1, 2], [1, 3], [2, 1], [2, 2], [2, 1], [3, 1]];
    for (const [number, octet] of order) receiver.receive(piece(number, octet), 0);
    const events = eventsOf(receiver).flatMap((event) =>
      event.type === "packet"
        ? [[event.extendedSequenceNumber, event.packet.payload[0], event.lostBefore]]
        : []
    );
    assertEquals(events, [[1, 1, 0], [1, 2, 0], [1, 3, 0], [2, 1, 0], [2, 2, 0], [3, 1, 0]]);
    const { packets, lost, expected, duplicates, reordered, bytes } = receiver.stats();
    assertEquals([packets, lost, expected, duplicates, reordered], [6, 0, 3, 2, 0]);
    assertEquals(bytes, 6 * 1400);
  }
});

Deno.test("RtpReceiver in lab mode holds pieces behind a gap together", () => {
  const receiver = labReceiverOf();
  receiver.receive(datagramOf(1), 0);
  for (const octet of [1, 2, 3]) {
    receiver.receive(datagramOf(3, { payload: new Uint8Array([octet]) }), 10);
  }
  passTime(receiver, 110);
  const losses = eventsOf(receiver).map((event) => event.type === "packet" ? event.lostBefore : -1);
  assertEquals(losses, [0, 1, 0, 0]);
});

Deno.test("RtpReceiver in lab mode hands on datagrams without a header, in their place", () => {
  const receiver = labReceiverOf();
  receiver.receive(datagramOf(0), 0);
  receiver.receive(new Uint8Array([0x12, 0x34]), 0);
  receiver.receive(datagramOf(40_000, { ssrc: 0xffee_ddcc, payloadType: 1 }), 0); // looks like a packet
  receiver.receive(datagramOf(1), 50);
  assertEquals(eventsOf(receiver).map((event) => event.type), ["packet", "raw", "raw", "packet"]);
  const { malformed, foreign, packets, lost } = receiver.stats();
  assertEquals([malformed, foreign, packets, lost], [1, 1, 2, 0]);
});

Deno.test("RtpReceiver in lab mode goes on after a pause, and sends no reports", () => {
  const receiver = labReceiverOf();
  const now = play(receiver, range(1, 40));
  receiver.reset();
  play(receiver, range(40, 50), now + 60_000);
  assertEquals(numbersOf(receiver), range(1, 50));
  assertEquals([receiver.stats().lost, receiver.stats().restarts], [0, 0]);
  receiver.reset();
  play(receiver, [1, 2, 3], now + 90_000); // another server counts from 1 after each PLAY
  assertEquals(numbersOf(receiver), [1, 2, 3]);
  receiver.reset();
  play(receiver, [2, 3], now + 120_000); // and a third by the place in the film
  assertEquals(numbersOf(receiver), [2, 3]);
  const { lost, late, duplicates } = receiver.stats();
  assertEquals([lost, late, duplicates], [0, 0, 0]);
  assertEquals(receiver.nextTimeout(), undefined);
});
