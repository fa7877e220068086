import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { FrameRing } from "../../lib/engine/frame_ring.ts";
import { RtpSender } from "../../lib/engine/sender.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { BorrowedFilm } from "../../lib/server/borrowed_film.ts";
import type { LiveViewer } from "../../lib/server/live_audience.ts";
import { PacerTimer } from "../../lib/server/pacer_timer.ts";
import { UdpTransport } from "../../lib/server/transports.ts";

Deno.test("BorrowedFilm promises, and begins with, what came between the loan and its arrival", async () => {
  using receiver = openUdp({ hostname: "127.0.0.1" });
  using rtp = openUdp({ hostname: "127.0.0.1" });
  using timer = new PacerTimer();
  const ring = FrameRing.create(1000);
  const sender = newSender(100);
  const write = () => {
    const bytes = Uint8Array.from({ length: 28 }, (_, i) => i % 14 === 0 ? 0x80 : 0);
    const batch = { bytes, packetSize: 14, packetCount: 2, payloadSize: 4 };
    sender.stamp(batch, 0);
    const times = { mediaTicks: 0, nextTicks: 3000, spreadMs: 20, unixMs: 0, positionSeconds: 0 };
    ring.write(batch, { ...times, numbers: sender.numbers });
  };
  write();
  // The loan: two packets are out, one frame is written. Then a frame comes before anybody has the loan.
  const { written } = ring;
  const borrowers = newSender(0);
  borrowers.follow(sender.numbers);
  write();
  const film = new BorrowedFilm({
    ...{ sender: borrowers, memory: ring.memory, written, timer, burstPackets: 64 },
    onWatched: () => {},
  });
  const viewer: LiveViewer = {
    numbers: undefined,
    transport: new UdpTransport({
      ...{ rtp, rtcp: rtp, rtpAddress: receiver.address, rtcpAddress: undefined, timer },
    }),
    frameSent: () => {},
    frameGivenUp: () => {},
    takeReport: () => {},
    sourceEnded: () => {},
  };
  film.join(viewer);
  const { seq } = film.nextPacket(film.current(timer.now()));
  film.takeFrames();
  const { bytes } = (await deadline(receiver.receive(), 2_000))!;
  assertEquals([seq, decodeRtp(bytes).sequenceNumber], [102, 102]);
  film.leave(viewer);
});

function newSender(sequenceNumber: number): RtpSender {
  return new RtpSender({
    ...{ ssrc: 9, sequenceNumber, timestamp: 0, clockRateHz: 90_000, payloadType: 26 },
    cname: "test@example.org",
  });
}
