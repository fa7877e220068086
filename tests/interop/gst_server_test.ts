/** Our client plays from GStreamer's server: every frame decodes to the picture of the source. */
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { StatusError } from "../../lib/errors.ts";
import { matroskaOf, MediaFolder, type MovieName, movieOf } from "../support/corpus.ts";
import { GstServer, type GstServerOptions } from "../support/gst.ts";
import { picturesOf } from "../support/pictures.ts";
import { jpegsOf, type Played, playToEnd } from "../support/played.ts";
import { testWith } from "../support/programs.ts";
import { RtspLink } from "../support/rtsp_link.ts";

/** A GStreamer server with one movie of the corpus. */
async function gstServerOf(
  name: MovieName,
  options: GstServerOptions,
): Promise<{ server: GstServer; expected: string[] } & AsyncDisposable> {
  const movie = await movieOf(name);
  const folder = await MediaFolder.make({});
  const server = await GstServer.start(await matroskaOf(movie, folder), options);
  return {
    server,
    expected: await picturesOf(movie.path),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const MOVIES: readonly MovieName[] = [
  "420",
  "422",
  "420-restart-326x246",
  "422-odd-restart-330x250",
  "420-shared",
];

for (const name of MOVIES) {
  testWith(
    ["gst-rtsp-server", "ffmpeg", "cjpeg"],
    `RtspClient plays every frame of "${name}" from GStreamer over UDP and TCP`,
    async () => {
      await using peer = await gstServerOf(name, {});
      const { recipe } = await movieOf(name);
      await Promise.all((["udp", "tcp"] as const).map(async (transport) => {
        const played = await playToEnd({ url: peer.server.url(), dialect: "rtsp", transport });
        assertEquals(await picturesOf(jpegsOf(played), recipe), peer.expected, transport);
        const { lost, duplicates, malformed, framesDropped } = played.statistics;
        assertEquals({ lost, duplicates, malformed, framesDropped }, {
          lost: 0,
          duplicates: 0,
          malformed: 0,
          framesDropped: 0,
        });
        assertEquals(played.statistics.transport, transport);
        assert(played.events.some((event) => event.type === "end" && event.reason === "goodbye"));
      }));
    },
  );
}

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "RtspClient plays a picture wider than RTP/JPEG can say by the SDP's dimensions",
  async () => {
    await using peer = await gstServerOf("wide", {});
    const played = await playToEnd({ url: peer.server.url(), transport: "tcp" });
    assertEquals(await picturesOf(jpegsOf(played)), peer.expected);
    assertEquals(played.frames[0].width, 2064);
  },
);

for (const auth of ["digest", "basic"] as const) {
  testWith(
    ["gst-rtsp-server", "ffmpeg", "cjpeg"],
    `RtspClient logs in to GStreamer with ${auth}; a wrong password is a StatusError 401`,
    async () => {
      await using peer = await gstServerOf("420", { auth });
      const { server } = peer;
      const [inUrl, apart] = await Promise.all([
        playToEnd({ url: server.url("user:secret"), transport: "udp" }),
        playToEnd({
          url: server.url(),
          transport: "tcp",
          credentials: { username: "user", password: "secret" },
        }),
      ]);
      assertEquals(await picturesOf(jpegsOf(inUrl)), peer.expected);
      assertEquals(await picturesOf(jpegsOf(apart)), peer.expected);
      const shown = JSON.stringify([inUrl.events, inUrl.statistics, apart.events]);
      assert(!shown.includes("secret"), "the password shows in events");
      const error = await assertRejects(() =>
        playToEnd({ url: server.url("user:wrong"), dialect: "rtsp" })
      );
      assertInstanceOf(error, StatusError);
      assertEquals(error.statusCode, 401);
    },
  );
}

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "two RtspClients share one pipeline of GStreamer: what each delivers is in the film, to its end",
  async () => {
    await using peer = await gstServerOf("small", { isShared: true });
    const url = peer.server.url();
    let second: Promise<Played> | undefined;
    const first = await playToEnd({ url, transport: "udp" }, {
      // The second one joins while the first is playing.
      onFrame: () => second ??= playToEnd({ url, transport: "tcp" }),
    });
    for (const played of [first, await second!]) {
      const positions = (await picturesOf(jpegsOf(played))).map((picture) =>
        peer.expected.indexOf(picture)
      );
      // The PLAY of the second one takes the film back to its beginning, for both.
      const steps = positions.slice(1).map((position, i) => position - positions[i]);
      assert(
        steps.every((step, i) => step === 1 || positions[i + 1] === 0),
        `positions ${positions}`,
      );
      assertEquals(positions.at(-1), 99);
    }
  },
);

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "RtspClient takes TCP after GStreamer's 461, on the same connection, and says why",
  async () => {
    await using peer = await gstServerOf("420", { transport: "tcp" });
    const played = await playToEnd({ url: peer.server.url() });
    assertEquals(await picturesOf(jpegsOf(played)), peer.expected);
    assertEquals(played.statistics.transport, "tcp");
    const chosen = played.events.find((event) => event.type === "transport");
    assert(chosen?.type === "transport" && chosen.reason?.includes("461"), JSON.stringify(chosen));
    assertEquals(peer.server.count("CLIENT"), 1);
  },
);

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "RtspClient takes TCP when GStreamer's UDP stays silent, and says why",
  async () => {
    await using peer = await gstServerOf("420", {});
    await using link = new RtspLink({
      port: peer.server.port,
      plan: () => "drop",
      passesRtcp: () => false,
    });
    const played = await playToEnd({
      url: `rtsp://127.0.0.1:${link.port}/live`,
      udpSilenceMs: 1_000,
    });
    assertEquals(await picturesOf(jpegsOf(played)), peer.expected);
    const chosen = played.events.filter((event) => event.type === "transport");
    assertEquals(chosen.map((event) => event.transport), ["udp", "tcp"]);
    const notes = played.events.flatMap((event) => event.type === "note" ? [event.text] : []);
    assert(notes.some((text) => /TCP.*no UDP packet/.test(text)), `${notes}`);
  },
);

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "RtspClient finds JPEG by its name under a dynamic payload type",
  async () => {
    await using peer = await gstServerOf("420", { payloadType: 96 });
    const played = await playToEnd({ url: peer.server.url(), transport: "udp" });
    assertEquals(await picturesOf(jpegsOf(played)), peer.expected);
  },
);

testWith(
  ["gst-rtsp-server", "ffmpeg", "cjpeg"],
  "RtspClient ends its sessions at GStreamer with TEARDOWN",
  async () => {
    await using peer = await gstServerOf("420", {});
    await playToEnd({ url: peer.server.url(), transport: "udp" });
    assertEquals(peer.server.count("TEARDOWN"), 1);
  },
);
