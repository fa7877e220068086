/** Sequence numbers pass 65535 and timestamps 2^32 in the middle of a film: nobody notices. */
import { assert, assertEquals } from "@std/assert";
import { addSequenceNumber, addTimestamp } from "../../lib/serial.ts";
import { movieOf } from "../support/corpus.ts";
import { receiveWithFfmpeg } from "../support/ffmpeg.ts";
import { playWithGst } from "../support/gst.ts";
import { picturesOf } from "../support/pictures.ts";
import { jpegsOf, playToEnd } from "../support/played.ts";
import { testWith } from "../support/programs.ts";
import { RtspLink } from "../support/rtsp_link.ts";
import { Served } from "../support/served.ts";

/** A link that moves a stream's numbers so that both wrap after some packets: in RTP, in SR, in RTP-Info. */
function wrappingLink(port: number): RtspLink {
  let sequenceShift = 0;
  let timestampShift = 0;
  return new RtspLink({
    port,
    response: (head) =>
      head.replace(/seq=(\d+);rtptime=(\d+)/, (_, seq, rtptime) => {
        sequenceShift = addSequenceNumber(65_500, -Number(seq));
        timestampShift = addTimestamp(2 ** 32 - 45_000, -Number(rtptime));
        return `seq=65500;rtptime=${2 ** 32 - 45_000}`;
      }),
    rewrite: (datagram, isRtcp) => {
      const moved = datagram.slice();
      const view = new DataView(moved.buffer);
      if (!isRtcp) {
        view.setUint16(2, addSequenceNumber(view.getUint16(2), sequenceShift));
        view.setUint32(4, addTimestamp(view.getUint32(4), timestampShift));
      } else if (view.getUint8(1) === 200) {
        view.setUint32(16, addTimestamp(view.getUint32(16), timestampShift));
      }
      return moved;
    },
  });
}

testWith(
  ["ffmpeg", "cjpeg"],
  "our client receives across both wrap-arounds: nothing lost, wall clock steady",
  async () => {
    const movie = await movieOf("420");
    await using served = await Served.start({ "video.mjpeg": movie }, { frameRateHz: 25 });
    await using link = wrappingLink(served.port);
    const played = await playToEnd({
      url: `rtsp://127.0.0.1:${link.port}/video.mjpeg`,
      dialect: "rtsp",
      transport: "udp",
    });
    assert(link.packets.some((packet) => packet.sequenceNumber === 65_535), "no wrap: too short");
    assert(link.packets.some((packet) => packet.sequenceNumber === 0));
    assert(link.packets.some((packet) => packet.timestamp < 45_000));
    const { lost, duplicates, reordered, late } = played.statistics;
    assertEquals({ lost, duplicates, reordered, late }, {
      lost: 0,
      duplicates: 0,
      reordered: 0,
      late: 0,
    });
    assertEquals(await picturesOf(jpegsOf(played)), await picturesOf(movie.path));
    // The frames are 40 ms apart by the sender's clock too, on both sides of 2^32.
    const clocks = played.frames.map((frame) => frame.wallClockMs).filter((ms) => ms !== undefined);
    assert(clocks.length >= 25, `${clocks.length} frames with a wall clock`);
    for (let i = 1; i < clocks.length; i++) {
      const step = clocks[i] - clocks[i - 1];
      assert(Math.abs(step - 40) < 5, `step ${i}: ${step} ms`);
    }
  },
);

testWith(
  ["ffmpeg", "gst-python", "cjpeg"],
  "ffmpeg, GStreamer and our client receive from a server whose numbers begin just below the wrap",
  async () => {
    const movie = await movieOf("420");
    const expected = await picturesOf(movie.path);
    // Every random number is the greatest there is: 65535, 2^32 - 1 and their neighbours.
    await using served = await Served.start({ "video.mjpeg": movie }, {
      frameRateHz: 25,
      random: () => 1 - 2 ** -32,
    });
    await using link = new RtspLink({ port: served.port });
    const url = `rtsp://127.0.0.1:${link.port}/video.mjpeg`;
    const [ffmpeg, gst, own] = await Promise.all([
      receiveWithFfmpeg(url, { transport: "udp" }),
      playWithGst(url, ["end"], { protocols: "udp" }),
      playToEnd({ url, transport: "udp" }),
    ]);
    assert(link.packets.some((packet) => packet.sequenceNumber === 65_535), "no wrap of numbers");
    assert(link.packets.some((packet) => packet.sequenceNumber === 0), "no wrap of numbers");
    assert(link.packets.some((packet) => packet.timestamp > 2 ** 32 - 1_000), "no wrap of time");
    assertEquals(ffmpeg.pictures, expected, "ffmpeg");
    assertEquals(gst.error, undefined);
    assertEquals(await picturesOf(gst.frames), expected, "GStreamer");
    assertEquals(await picturesOf(jpegsOf(own)), expected, "our client");
  },
);
