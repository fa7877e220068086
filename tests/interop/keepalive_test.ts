/** Sessions live as long as somebody is there: keepalives of ffmpeg, GStreamer and our client, outliving three timeouts. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { matroskaOf, MediaFolder, movieOf } from "../support/corpus.ts";
import { receiveWithFfmpeg } from "../support/ffmpeg.ts";
import { GstServer, playWithGst } from "../support/gst.ts";
import { picturesOf } from "../support/pictures.ts";
import { jpegsOf, playToEnd } from "../support/played.ts";
import { testWith } from "../support/programs.ts";
import { RtspLink } from "../support/rtsp_link.ts";
import { Served } from "../support/served.ts";

testWith(
  ["ffmpeg", "gst-python", "cjpeg"],
  "sessions of ffmpeg, GStreamer and our client outlive three timeouts over UDP and TCP",
  async () => {
    const movie = await movieOf("small");
    const expected = await picturesOf(movie.path);
    // 100 frames in 12.5 s; a session ends after 3 s of silence.
    await using served = await Served.start({ "video.mjpeg": movie }, {
      frameRateHz: 8,
      sessionTimeoutSeconds: 3,
    });
    await using link = new RtspLink({ port: served.port });
    const url = `rtsp://127.0.0.1:${link.port}/video.mjpeg`;
    const [ffmpeg, ffmpegTcp, gst, gstTcp, own, ownTcp] = await Promise.all([
      receiveWithFfmpeg(url, { transport: "udp" }),
      receiveWithFfmpeg(url, { transport: "tcp" }),
      playWithGst(url, ["end"], { protocols: "udp" }),
      playWithGst(url, ["end"], { protocols: "tcp" }),
      playToEnd({ url, transport: "udp" }),
      playToEnd({ url, transport: "tcp" }),
    ]);
    assertEquals(ffmpeg.pictures, expected, "ffmpeg, UDP");
    assertEquals(ffmpegTcp.pictures, expected, "ffmpeg, TCP");
    assertEquals(gst.error ?? gstTcp.error, undefined);
    assertEquals(await picturesOf(gst.frames), expected, "GStreamer, UDP");
    assertEquals(await picturesOf(gstTcp.frames), expected, "GStreamer, TCP");
    assertEquals(await picturesOf(jpegsOf(own)), expected, "our client, UDP");
    assertEquals(await picturesOf(jpegsOf(ownTcp)), expected, "our client, TCP");
    const keepalives = link.requests.filter((head) => head.startsWith("GET_PARAMETER"));
    assertGreaterOrEqual(keepalives.length, 4);
    assert(link.responses.every((head) => !/ 454 /.test(head.split("\r\n")[0])));
  },
);

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "our client keeps a session at GStreamer's server alive beyond its timeout",
  async () => {
    const movie = await movieOf("small");
    await using folder = await MediaFolder.make({});
    const path = await matroskaOf(movie, folder, 8);
    await using server = await GstServer.start(path, { timeoutSeconds: 3 });
    const [udp, tcp] = await Promise.all(
      (["udp", "tcp"] as const).map((transport) => playToEnd({ url: server.url(), transport })),
    );
    const expected = await picturesOf(movie.path);
    assertEquals(await picturesOf(jpegsOf(udp)), expected);
    assertEquals(await picturesOf(jpegsOf(tcp)), expected);
  },
);
