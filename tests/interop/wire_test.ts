/** What tshark sees on the wire between our server and real clients: every protocol dissected, nothing malformed. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Capture } from "../support/capture.ts";
import { movieOf } from "../support/corpus.ts";
import { receiveWithFfmpeg } from "../support/ffmpeg.ts";
import { playToEnd } from "../support/played.ts";
import { freeUdpRange } from "../support/ports.ts";
import { testWith } from "../support/programs.ts";
import { Served } from "../support/served.ts";

/** Seconds since 1900 with their fraction, from tshark's two integers. */
function ntpSeconds(msw: string, lsw: string): number {
  return Number(msw) + Number(lsw) / 2 ** 32;
}

testWith(
  ["tshark", "ffmpeg", "cjpeg"],
  "tshark dissects RTSP, RTP, RTCP and RTP/JPEG over UDP and TCP without a malformed packet",
  async (test) => {
    const movie = await movieOf("420-restart-326x246");
    const rtpPorts = freeUdpRange(16);
    // Linux cuts the fast path's batches behind the place where a capture on lo looks: there they are one datagram.
    await using served = await Served.start({ "video.mjpeg": movie }, {
      rtpPorts,
      udp: "portable",
    });
    await using capture = await Capture.start(served.port, rtpPorts);
    const url = served.url("video.mjpeg");
    const [overUdp, overTcp, own, ownTcp] = await Promise.all([
      receiveWithFfmpeg(url, { transport: "udp" }),
      receiveWithFfmpeg(url, { transport: "tcp" }),
      playToEnd({ url, transport: "udp" }),
      playToEnd({ url, transport: "tcp" }),
    ]);
    assertEquals(overUdp.pictures.length, movie.frames.length);
    assertEquals(overTcp.pictures.length, movie.frames.length);
    await capture.stop();

    await test.step("nothing is malformed, no dissector gives up", async () => {
      const bad = await capture.fields(
        "_ws.malformed || _ws.unreassembled || _ws.expert.severity == error",
        "frame.number",
        "_ws.col.Protocol",
        "_ws.col.Info",
        "_ws.expert.message",
      );
      assertEquals(bad, []);
    });

    await test.step("RTSP: every request has its answer", async () => {
      const requests = await capture.fields("rtsp.request", "rtsp.method");
      const answers = await capture.fields("rtsp.response", "rtsp.status");
      const methods = new Set(requests.flat().flatMap((names) => names.split(",")));
      for (const method of ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]) {
        assert(methods.has(method), `${method} in ${[...methods]}`);
      }
      assertEquals(new Set(answers.flat().flatMap((codes) => codes.split(","))), new Set(["200"]));
    });

    await test.step("RTP/JPEG: every frame of each reader, its type, quality and size", async () => {
      const rows = await capture.fields(
        "jpeg",
        "rtp.ssrc",
        "rtp.marker",
        "jpeg.main_hdr.type",
        "jpeg.main_hdr.q",
        "jpeg.main_hdr.width",
        "jpeg.main_hdr.height",
      );
      const markers = new Map<string, number>();
      for (const [ssrcs, marks, types, qualities, widths, heights] of rows) {
        const all = marks.split(",");
        ssrcs.split(",").forEach((ssrc, i) => {
          markers.set(ssrc, (markers.get(ssrc) ?? 0) + (/1|true/i.test(all[i]) ? 1 : 0));
        });
        assertEquals(new Set(types.split(",")), new Set(["65"]));
        assertEquals(new Set(qualities.split(",")), new Set(["75"]));
        assertEquals(new Set(widths.split(",")), new Set(["328"]));
        assertEquals(new Set(heights.split(",")), new Set(["248"]));
      }
      assertEquals([...markers.values()], Array(4).fill(movie.frames.length));
    });

    await test.step("RTCP: sender reports whose two clocks agree to a millisecond, then BYE", async () => {
      const reports = await capture.fields(
        "rtcp.pt == 200",
        "rtcp.senderssrc",
        "rtcp.timestamp.ntp.msw",
        "rtcp.timestamp.ntp.lsw",
        "rtcp.timestamp.rtp",
      );
      const bySender = new Map<string, [ntp: number, rtp: number][]>();
      for (const [senders, msws, lsws, rtps] of reports) {
        const list = senders.split(",");
        msws.split(",").forEach((msw, i) => {
          const entry = bySender.get(list[i]) ?? [];
          entry.push([ntpSeconds(msw, lsws.split(",")[i]), Number(rtps.split(",")[i])]);
          bySender.set(list[i], entry);
        });
      }
      assertEquals(bySender.size, 4);
      for (const [sender, entries] of bySender) {
        assertGreater(entries.length, 1, `reports of ${sender}`);
        const [ntp, rtp] = entries[0];
        for (const [laterNtp, laterRtp] of entries.slice(1)) {
          const byRtp = ((laterRtp - rtp) >>> 0) / 90_000;
          assertLess(Math.abs(byRtp - (laterNtp - ntp)), 0.001, `clocks of ${sender}`);
        }
      }
      const goodbyes = await capture.fields("rtcp.pt == 203", "frame.number");
      assertGreater(goodbyes.length, 1);
    });

    await test.step("RTCP: receiver reports of our client", async () => {
      const reports = await capture.fields("rtcp.pt == 201 || rtcp.pt == 203", "rtcp.senderssrc");
      assertGreater(reports.length, 0);
    });
    assertEquals([own.frames.length, ownTcp.frames.length], [30, 30]);
  },
);
