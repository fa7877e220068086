/** Films that are played `--live`: other people's players join at different moments and see the same frames, by the same packets. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import type { UdpChoice } from "../../lib/server/udp_choice.ts";
import { Capture } from "../support/capture.ts";
import { movieOf } from "../support/corpus.ts";
import { receiveWithFfmpeg } from "../support/ffmpeg.ts";
import { playWithGst } from "../support/gst.ts";
import { picturesOf } from "../support/pictures.ts";
import { freeUdpRange } from "../support/ports.ts";
import { testWith } from "../support/programs.ts";
import { Served } from "../support/served.ts";

/** Asserts that pictures follow each other as in the film, which starts over at its end. */
function assertInOrder(pictures: readonly string[], film: readonly string[], who: string): void {
  const places = pictures.map((picture) => film.indexOf(picture));
  assertEquals(places, places.map((_, index) => (places[0] + index) % film.length), who);
}

for (const udp of ["portable", ...(Deno.build.os === "linux" ? ["linux"] : [])] as UdpChoice[]) {
  testWith(
    ["ffmpeg", "cjpeg", "gst-python", "tshark"],
    `ffmpeg and GStreamer join a live film at different moments, over UDP and TCP, sent the ${udp} way; tshark sees the same packets`,
    async () => {
      const movie = await movieOf("small");
      const film = await picturesOf(movie.path);
      const rtpPorts = freeUdpRange(16);
      await using served = await Served.start({ "video.mjpeg": movie }, {
        udp,
        rtpPorts,
        live: true,
        frameRateHz: 25,
      });
      await using capture = await Capture.start(served.port, rtpPorts);
      const url = served.url("video.mjpeg");
      const output = ["-frames:v", "60"];
      const later = async <T>(ms: number, play: () => Promise<T>) => (await delay(ms), play());
      const [overUdp, overTcp, gstUdp, gstTcp, second] = await Promise.all([
        receiveWithFfmpeg(url, { transport: "udp", output }),
        later(300, () => receiveWithFfmpeg(url, { transport: "tcp", output })),
        later(600, () => playWithGst(url, ["frames:50"], { protocols: "udp" })),
        later(900, () => playWithGst(url, ["frames:50"], { protocols: "tcp" })),
        later(1200, () => receiveWithFfmpeg(url, { transport: "udp", output })),
      ]);
      await capture.stop();
      const ours = { overUdp, overTcp, second };
      for (const [who, { pictures, complaints, code }] of Object.entries(ours)) {
        assertEquals([code, complaints, pictures.length], [0, "", 60], who);
        assertInOrder(pictures, film, who);
      }
      for (const [who, { frames, error }] of Object.entries({ gstUdp, gstTcp })) {
        assertEquals([error, frames.length], [undefined, 50], who);
        assertInOrder(await picturesOf(frames), film, who);
      }

      const [first, last] = rtpPorts;
      const rows = await capture.fields(
        `udp.srcport >= ${first} && udp.srcport <= ${last}`,
        ...["udp.dstport", "udp.payload"],
      );
      // By reader, then by sequence number; the fast path's batches are one datagram for those who capture on lo.
      const payloads = new Map<string, Map<string, string>>();
      for (const [port, payload] of rows) {
        if (!/^80[19]a/.test(payload)) continue;
        let ofPort = payloads.get(port);
        if (ofPort === undefined) payloads.set(port, ofPort = new Map());
        ofPort.set(payload.slice(4, 8), payload);
      }
      const readers = [...payloads.values()];
      assertEquals(readers.length, 3, "two of ffmpeg, one of GStreamer");
      const ssrcs = readers.flatMap((of) => [...of.values()].map((p) => p.slice(16, 24)));
      assertEquals(new Set(ssrcs).size, 1);
      for (const other of readers.slice(1)) {
        const common = [...readers[0].keys()].filter((number) => other.has(number));
        assert(common.length > 20, `${common.length} packets in common`);
        for (const number of common) assertEquals(other.get(number), readers[0].get(number));
      }
      const ofTcp = await capture.fields("rtp && tcp", "rtp.ssrc");
      assertEquals(new Set(ofTcp.flatMap(([all]) => all.split(","))), new Set([`0x${ssrcs[0]}`]));
    },
  );
}

testWith(
  ["ffmpeg", "cjpeg", "gst-python"],
  "GStreamer pauses a live film and goes on with what is shown by then",
  async () => {
    const movie = await movieOf("small");
    const film = await picturesOf(movie.path);
    await using served = await Served.start({ "video.mjpeg": movie }, { live: true });
    for (const protocols of ["udp", "tcp"]) {
      const actions = ["frames:30", "pause:0.7", "frames:30"];
      const { frames, error } = await playWithGst(served.url("video.mjpeg"), actions, {
        protocols,
      });
      assertEquals([error, frames.length], [undefined, 60]);
      const pictures = await picturesOf(frames);
      assert(pictures.every((picture) => film.includes(picture)));
      assertInOrder(pictures.slice(-20), film, protocols);
    }
  },
);
