/** What becomes of frames when the portable socket still has those before them to send. Real sockets, no clock. */
import { assertEquals } from "@std/assert";
import { RtpSender } from "../../lib/engine/sender.ts";
import type { DatagramSocket, SocketAddress } from "../../lib/net/socket.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { decodeRtp, type PacketBatch } from "../../lib/rtp.ts";
import { type LiveReader, UdpWay } from "../../lib/server/live_ways.ts";
import { PacerTimer } from "../../lib/server/pacer_timer.ts";
import { UdpTransport } from "../../lib/server/transports.ts";
import { allSent, take } from "../suites/datagram_socket_suite.ts";

const PACKETS = 3;
const SPREAD_MS = 20;

/** A frame of three packets, the first octet of whose payload is its number. */
function frameNumbered(number: number): PacketBatch {
  const packetSize = 100;
  const bytes = new Uint8Array(PACKETS * packetSize);
  for (let i = 0; i < PACKETS; i++) bytes.set([0x80, 26], i * packetSize);
  bytes[12] = number;
  return { bytes, packetSize, packetCount: PACKETS, payloadSize: bytes.length - 12 * PACKETS };
}

function newSender(): RtpSender {
  return new RtpSender({
    ...{ ssrc: 9, sequenceNumber: 100, timestamp: 0, clockRateHz: 90_000, payloadType: 26 },
    cname: "test@example.org",
  });
}

/** Numbers of frames that came, and sequence numbers. */
async function received(socket: DatagramSocket, frames: number) {
  const packets = (await take(socket, frames * PACKETS)).map((bytes) => decodeRtp(bytes));
  return {
    frames: packets.filter((_, i) => i % PACKETS === 0).map(({ payload }) => payload[0]),
    sequenceNumbers: packets.map(({ sequenceNumber }) => sequenceNumber),
  };
}

Deno.test("UdpTransport gives up whole frames while two wait, and leaves no hole in the numbers", async () => {
  using receiver = openUdp({ hostname: "127.0.0.1" });
  using rtp = openUdp({ hostname: "127.0.0.1" });
  using timer = new PacerTimer();
  const rtpAddress = receiver.address;
  const transport = new UdpTransport({
    ...{ rtp, rtcp: rtp, rtpAddress, rtcpAddress: undefined, timer },
  });
  const sender = newSender();
  const send = (number: number) =>
    transport.sendFrame(frameNumbered(number), sender, number * 3000, SPREAD_MS);
  assertEquals([send(1), send(2), send(3), send(4)], [0, 0, 1, 1]);
  await allSent(rtp, [rtpAddress]);
  assertEquals(send(5), 0);
  const { frames, sequenceNumbers } = await received(receiver, 3);
  assertEquals(frames, [1, 2, 5]);
  assertEquals(sequenceNumbers, [100, 101, 102, 103, 104, 105, 106, 107, 108]);
});

Deno.test("UdpWay leaves out a reader that two frames wait for, and nobody else", async () => {
  using slow = openUdp({ hostname: "127.0.0.1" });
  using other = openUdp({ hostname: "127.0.0.1" });
  using rtp = openUdp({ hostname: "127.0.0.1" });
  using timer = new PacerTimer();
  const [slowReader, otherReader] = [slow, other].map(({ address }) =>
    new CountingReader(rtp, address, timer)
  );
  const way = new UdpWay(rtp, { timer, burstPackets: 64 });
  const sender = newSender();
  const send = (number: number, readers: readonly LiveReader[]) => {
    const batch = frameNumbered(number);
    sender.stamp(batch, number * 3000);
    way.sendFrame({ batch, mediaTicks: number * 3000, spreadMs: SPREAD_MS }, readers);
  };
  send(1, [slowReader]);
  send(2, [slowReader]);
  const both = [slowReader, otherReader];
  send(3, both);
  await allSent(rtp, [slow.address]);
  send(4, both);
  assertEquals((await received(slow, 3)).frames, [1, 2, 4]);
  assertEquals((await received(other, 2)).frames, [3, 4]);
  assertEquals([slowReader.frames, slowReader.givenUp], [3, 1]);
  assertEquals([otherReader.frames, otherReader.givenUp], [2, 0]);
});

class CountingReader implements LiveReader {
  readonly numbers = undefined;
  readonly transport: UdpTransport;
  frames = 0;
  givenUp = 0;

  constructor(rtp: DatagramSocket, rtpAddress: SocketAddress, timer: PacerTimer) {
    this.transport = new UdpTransport({
      ...{ rtp, rtcp: rtp, rtpAddress, rtcpAddress: undefined, timer },
    });
  }

  frameSent(): void {
    this.frames++;
  }

  frameGivenUp(): void {
    this.frames--;
    this.givenUp++;
  }

  takeReport(): void {}
}
