/** The link between two foreign programs: what it does must be what the plan says and nothing else. */
import { assert, assertEquals } from "@std/assert";
import { matroskaOf, MediaFolder, movieOf } from "./corpus.ts";
import { GstServer } from "./gst.ts";
import { digestsIn, framemd5Options, picturesOf } from "./pictures.ts";
import { run, textOf } from "./process.ts";
import { testWith } from "./programs.ts";
import { RtspLink } from "./rtsp_link.ts";

testWith(
  ["ffmpeg", "cjpeg", "gst-rtsp-server"],
  "RtspLink passes what has no plan, exchanges ports, and loses all of UDP where asked to",
  async (test) => {
    const movie = await movieOf("420");
    const expected = await picturesOf(movie.path);
    await using folder = await MediaFolder.make({});
    await using server = await GstServer.start(await matroskaOf(movie, folder));
    const receive = async (link: RtspLink) => {
      const result = await run("ffmpeg", {
        args: [
          ...["-v", "error", "-rtsp_transport", "udp+tcp", "-timeout", "1000000"],
          ...["-i", `rtsp://127.0.0.1:${link.port}/live`],
          ...framemd5Options(),
        ],
      });
      assertEquals(result.code, 0, result.stderr);
      return digestsIn(textOf(result));
    };
    await test.step("nothing changed", async () => {
      await using link = new RtspLink({ port: server.port });
      // gst-rtsp-server's goodbye comes with its last frame: ffmpeg, when it reads that first, ends one frame early.
      const received = await receive(link);
      assert(received.length >= expected.length - 1, `${received.length} of ${expected.length}`);
      assertEquals(received, expected.slice(0, received.length));
      // The link itself passed every packet of every frame, whatever ffmpeg made of the last one.
      assertEquals(new Set(link.packets.map(({ timestamp }) => timestamp)).size, expected.length);
      assert(link.packets.every(({ fate }) => fate === "pass"));
      assert(link.requests.every((head) => !head.includes("RTP/AVP/TCP")));
    });
    await test.step("silent UDP", async () => {
      await using link = new RtspLink({
        port: server.port,
        plan: () => "drop",
        passesRtcp: () => false,
      });
      assert((await receive(link)).length > 0);
      assert(link.requests.some((head) => head.includes("RTP/AVP/TCP")));
    });
  },
);
