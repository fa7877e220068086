/** Captures: what tshark says of them is asked in tests/interop/capture_test.ts; here it is counted by hand. */
import { assert, assertEquals } from "@std/assert";
import { CaptureEncoder } from "../../lib/engine/capture.ts";
import { joinTaps, type WireFlow, type WireTap } from "../../lib/engine/wire_tap.ts";
import { PacketRing } from "../../lib/engine/packet_ring.ts";
import { WireHistory } from "../../lib/engine/wire_history.ts";

const LOCAL = { hostname: "127.0.0.1", port: 40_000 };
const REMOTE = { hostname: "127.0.0.2", port: 554 };
const FLOW: WireFlow = {
  session: 1,
  kind: "rtp",
  payload: "jpeg",
  connection: 1,
  channel: undefined,
  local: { hostname: "127.0.0.1", port: 5004 },
  remote: { hostname: "127.0.0.2", port: 6004 },
};
const INTERLEAVED: WireFlow = { ...FLOW, channel: 0, local: LOCAL, remote: REMOTE };

interface Segment {
  readonly fromPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** The TCP segments among enhanced packet blocks. */
function segmentsOf(blocks: readonly Uint8Array[]): Segment[] {
  return blocks.flatMap((block) => {
    const view = new DataView(block.buffer, block.byteOffset);
    if (view.getUint32(0, true) !== 6) return [];
    const ip = new DataView(block.buffer, block.byteOffset + 28, view.getUint32(20, true));
    if (ip.getUint8(9) !== 6) return [];
    return [{
      fromPort: ip.getUint16(20),
      seq: ip.getUint32(24),
      ack: ip.getUint32(28),
      flags: ip.getUint8(33),
      payload: new Uint8Array(ip.buffer, ip.byteOffset + 40, ip.byteLength - 40),
    }];
  });
}

function capture(act: (tap: WireTap) => void): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  act(
    new CaptureEncoder({
      write: (block) => blocks.push(block),
      unixMsAt: (now) => now,
      application: "test",
    }),
  );
  return blocks;
}

function message(text: string, direction: "in" | "out") {
  const bytes = new TextEncoder().encode(text);
  return { connection: 1, direction, bytes, message: undefined } as const;
}

Deno.test("CaptureEncoder makes a TCP stream without gaps, from handshake to farewell", () => {
  for (const isOpener of [true, false]) {
    const segments = segmentsOf(capture((tap) => {
      tap.connectionOpened!({ id: 1, local: LOCAL, remote: REMOTE, isOpener }, 1);
      tap.message!(message("OPTIONS * RTSP/1.0\r\n\r\n", "out"), 2);
      tap.message!(message("RTSP/1.0 200 OK\r\n\r\n", "in"), 3);
      for (let i = 0; i < 40; i++) tap.packet!(INTERLEAVED, "in", new Uint8Array(1400), 4);
      tap.connectionClosed!(1, 5);
    }));
    assertEquals(segments[0].flags, 0b10);
    assertEquals(segments[0].fromPort, isOpener ? LOCAL.port : REMOTE.port);
    const next = new Map<number, number>();
    for (const { fromPort, seq, flags, payload } of segments) {
      assertEquals(seq, next.get(fromPort) ?? seq);
      next.set(fromPort, seq + payload.length + (flags & 0b11 ? 1 : 0));
    }
    // Nobody has more under way than the window of 65,535 allows.
    let unacknowledged = 0;
    for (const { payload, fromPort, ack } of segments) {
      if (fromPort === REMOTE.port) unacknowledged += payload.length;
      else if (ack === next.get(REMOTE.port) || payload.length === 0) unacknowledged = 0;
      assert(unacknowledged < 65_535);
    }
  }
});

Deno.test("CaptureEncoder writes interleaved packets with their frame, and nothing for an unknown connection", () => {
  const segments = segmentsOf(capture((tap) => {
    tap.packet!(INTERLEAVED, "in", Uint8Array.of(9), 0);
    tap.connectionOpened!({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 1);
    tap.packet!({ ...INTERLEAVED, channel: 3 }, "in", Uint8Array.of(7, 8), 2);
  }));
  assertEquals(segments.length, 4);
  assertEquals([...segments[3].payload], [0x24, 3, 0, 2, 7, 8]);
});

Deno.test("CaptureEncoder overwrites credentials in place", () => {
  const secret = "Authorization: Basic YW5uOnB3\r\n";
  const blocks = capture((tap) => {
    tap.connectionOpened!({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 1);
    tap.message!(message(`OPTIONS * RTSP/1.0\r\n${secret}\r\n`, "out"), 2);
  });
  const [{ payload }] = segmentsOf(blocks).slice(-1);
  const text = new TextDecoder().decode(payload);
  assertEquals(text, "OPTIONS * RTSP/1.0\r\nAuthorization: Basic ********\r\n\r\n");
});

Deno.test("CaptureEncoder leaves out what has no IP address", () => {
  const encoder = new CaptureEncoder({ write: () => {}, unixMsAt: (now) => now, application: "t" });
  encoder.packet({ ...FLOW, remote: { hostname: "a.name", port: 1 } }, "in", new Uint8Array(12), 0);
  assertEquals([encoder.packets, encoder.unwritable], [0, 1]);
});

Deno.test("PacketRing keeps the newest whole, within its octets and its count", () => {
  const ring = new PacketRing({ maxBytes: 65_535, maxPackets: 100 });
  let oldest = 1;
  for (let id = 1; id <= 2000; id++) {
    const bytes = new Uint8Array(1 + (id * 7919) % 3000).fill(id);
    assertEquals(ring.push(FLOW, id % 2 ? "in" : "out", bytes, id), id);
    assert(ring.firstId >= oldest && ring.nextId === id + 1);
    oldest = ring.firstId;
    let total = 0;
    for (let kept = ring.firstId; kept < ring.nextId; kept++) {
      const packet = ring.get(kept)!;
      assertEquals(packet.bytes.length, 1 + (kept * 7919) % 3000);
      assert(packet.bytes.every((octet) => octet === kept % 256));
      assertEquals([packet.now, packet.direction], [kept, kept % 2 ? "in" : "out"]);
      total += packet.bytes.length;
    }
    assert(total <= 65_535 && ring.nextId - ring.firstId <= 100);
  }
  for (const id of [0, -1, 1.5, NaN, oldest - 1, 2001]) assertEquals(ring.get(id), undefined);
});

Deno.test("WireHistory replays everything in its order, one session alone too", () => {
  const history = new WireHistory();
  history.connectionOpened({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 1);
  history.message(message("A", "out"), 2);
  history.packet(INTERLEAVED, "in", Uint8Array.of(1), 3);
  history.message(message("B", "out"), 4);
  history.packet({ ...INTERLEAVED, session: 2 }, "in", Uint8Array.of(2), 5);
  const options = { unixMsAt: (now: number) => now, application: "t" };
  const texts = (blocks: Uint8Array[]) =>
    segmentsOf(blocks).filter(({ payload }) => payload.length > 0)
      .map(({ payload }) => payload[0] === 0x24 ? payload[4] : String.fromCharCode(...payload));
  assertEquals(texts(history.capture(options)), ["A", 1, "B", 2]);
  const alone = { ...options, session: 2, connections: [1] };
  assertEquals(texts(history.capture(alone)), ["A", "B", 2]);
});

Deno.test("WireHistory forgets old messages before connections, and stays within its bounds", () => {
  const history = new WireHistory({ messageBytes: 10_000 });
  history.connectionOpened({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 1);
  for (let i = 0; i < 1000; i++) history.message(message(String(i).padStart(100), "out"), 2);
  const blocks = history.capture({ unixMsAt: (now) => now, application: "t" });
  const segments = segmentsOf(blocks);
  assertEquals(segments[0].flags, 0b10);
  const texts = segments.slice(3).map(({ payload }) => new TextDecoder().decode(payload).trim());
  assert(texts.length < 40);
  assertEquals(texts.at(-1), "999");
});

Deno.test("joinTaps() tells each tap, whatever methods it has", () => {
  const heard: string[] = [];
  const all: WireTap = {
    connectionOpened: () => heard.push("opened"),
    connectionClosed: () => heard.push("closed"),
    message: () => heard.push("message"),
    packet: () => heard.push("packet"),
    frame: () => heard.push("frame"),
    session: () => heard.push("session"),
    transition: () => heard.push("transition"),
    sessionEnded: () => heard.push("ended"),
  };
  const joined = joinTaps([all, {}])!;
  joined.connectionOpened!({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 0);
  joined.connectionClosed!(1, 0);
  joined.message!(message("", "in"), 0);
  joined.packet!(FLOW, "in", new Uint8Array(), 0);
  joined.frame!({ session: 1, timestamp: 0, firstSequenceNumber: 0, packetCount: 1, size: 1 }, 0);
  const session = { id: 1, connection: 1, url: "", remote: REMOTE } as const;
  joined.session!({ ...session, dialect: "rtsp", transport: "udp" }, 0);
  joined.transition!({ session: 1, from: "INIT", to: "READY", cause: "SETUP" }, 0);
  joined.sessionEnded!(1, "", 0);
  assertEquals(
    heard,
    ["opened", "closed", "message", "packet", "frame", "session", "transition", "ended"],
  );
});
