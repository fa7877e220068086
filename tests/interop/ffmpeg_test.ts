/** ffmpeg plays from our server: every frame, the same pictures as in the file, over every transport it knows. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { UdpChoice } from "../../lib/server/udp_choice.ts";
import { labFileOf, type MovieName, movieOf } from "../support/corpus.ts";
import { receiveWithFfmpeg } from "../support/ffmpeg.ts";
import { playWithGst } from "../support/gst.ts";
import { picturesOf } from "../support/pictures.ts";
import { playToEnd } from "../support/played.ts";
import { run } from "../support/process.ts";
import { testWith } from "../support/programs.ts";
import { RtspLink } from "../support/rtsp_link.ts";
import { Served } from "../support/served.ts";

/** What RFC 2435 carries without a change and ffmpeg can decode (it cannot above 2040 pixels). */
const MOVIES: readonly MovieName[] = [
  "420",
  "422",
  "420-restart-326x246",
  "422-restart",
  "420-odd-326x246",
  "422-odd-restart-330x250",
  "420-shared",
  "thumbnail",
];

for (const name of MOVIES) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `ffmpeg receives every frame of "${name}" over UDP and TCP, the pictures those of the file`,
    async () => {
      const movie = await movieOf(name);
      const crop = movie.recipe;
      const expected = await picturesOf(movie.path);
      await using served = await Served.start({ "video.mjpeg": movie });
      const received = await Promise.all(
        ["udp", "tcp"].map((transport) =>
          receiveWithFfmpeg(served.url("video.mjpeg"), { transport, crop })
        ),
      );
      for (const [i, { code, timedOut, complaints, pictures, copied }] of received.entries()) {
        const transport = ["UDP", "TCP"][i];
        assertEquals([code, timedOut, complaints], [0, false, ""], transport);
        assertEquals(pictures, expected, `${transport}, decoded as it came`);
        assertEquals(copied, expected, `${transport}, copied and decoded later`);
      }
    },
  );
}

testWith(
  ["ffmpeg", "cjpeg"],
  "ffmpeg receives every frame from each thread of a server, over UDP and TCP",
  async () => {
    const movie = await movieOf("420");
    await using served = await Served.start({ "video.mjpeg": movie }, { workers: 2 });
    const expected = await picturesOf(movie.path);
    // No two over UDP at once: they would quarrel about their ports.
    for (let round = 0; round < 3; round++) {
      const received = await Promise.all(
        ["udp", "tcp"].map((transport) =>
          receiveWithFfmpeg(served.url("video.mjpeg"), { transport })
        ),
      );
      for (const { code, complaints, pictures } of received) {
        assertEquals([code, complaints], [0, ""]);
        assertEquals(pictures, expected);
      }
    }
    assertEquals((await served.server.statistics()).sessionsBegun, 6);
  },
);

for (const udp of ["portable", ...(Deno.build.os === "linux" ? ["linux"] : [])] as UdpChoice[]) {
  testWith(
    ["ffmpeg", "cjpeg"],
    `ffmpeg receives every frame of what is sent the ${udp} way`,
    async () => {
      const movie = await movieOf("420");
      await using served = await Served.start({ "video.mjpeg": movie }, { udp });
      const received = await receiveWithFfmpeg(served.url("video.mjpeg"), { transport: "udp" });
      assertEquals([received.code, received.complaints], [0, ""]);
      assertEquals(received.pictures, await picturesOf(movie.path));
    },
  );
}

testWith(["ffmpeg", "cjpeg"], "ffmpeg receives a file in the lab's format", async () => {
  const movie = await movieOf("420");
  await using served = await Served.start({ "movie.Mjpeg": labFileOf(movie) });
  const received = await receiveWithFfmpeg(served.url("movie.Mjpeg"), { transport: "udp" });
  assertEquals(received.pictures, await picturesOf(movie.path));
});

testWith(
  ["ffmpeg", "cjpeg"],
  "ffmpeg finds files whatever their names: blanks, non-ASCII, percent signs, sub-folders",
  async (test) => {
    const movie = await movieOf("small");
    const expected = await picturesOf(movie.path);
    const names = ["two words.mjpeg", "Übung 日本.mjpeg", "deep/er/100% film.mjpeg", "a+b&c.mjpeg"];
    await using served = await Served.start(
      Object.fromEntries(names.map((name) => [name, movie])),
      { frameRateHz: 100 },
    );
    for (const name of names) {
      await test.step(name, async () => {
        const received = await receiveWithFfmpeg(served.url(name), { transport: "tcp" });
        assertEquals(received.pictures, expected, received.stderr);
      });
    }
  },
);

testWith(
  ["ffmpeg", "cjpeg"],
  "ffmpeg falls back from silent UDP to TCP on the same connection",
  async () => {
    const movie = await movieOf("small");
    await using served = await Served.start({ "video.mjpeg": movie }, { frameRateHz: 25 });
    await using link = new RtspLink({
      port: served.port,
      plan: () => "drop",
      passesRtcp: () => false,
    });
    const received = await receiveWithFfmpeg(`rtsp://127.0.0.1:${link.port}/video.mjpeg`, {
      transport: "udp+tcp",
      input: ["-timeout", "1000000"],
    });
    assertEquals([received.code, received.timedOut], [0, false], received.stderr);
    const methods = link.requests.map((head) => head.split(" ")[0]);
    assertEquals(methods.filter((method) => method === "SETUP").length, 2, methods.join());
    assertStringIncludes(link.requests.join(""), "RTP/AVP/TCP;unicast;interleaved=0-1");
    // It asks for the film from the start again (npt=0.000-), so all of it comes.
    assertEquals(received.pictures, await picturesOf(movie.path));
  },
);

testWith(
  ["ffmpeg", "cjpeg"],
  "ffmpeg logs in with Digest; a wrong password and none are refused",
  async () => {
    const movie = await movieOf("small");
    await using served = await Served.start({ "video.mjpeg": movie }, {
      frameRateHz: 100,
      users: new Map([["ann", "p4ss:word"]]),
    });
    const ask = (user?: string) =>
      receiveWithFfmpeg(served.url("video.mjpeg", user), { transport: "tcp" });
    const right = await ask("ann:p4ss%3Aword");
    assertEquals(right.pictures, await picturesOf(movie.path), right.stderr);
    for (const user of ["ann:wrong", "eve:p4ss%3Aword", undefined]) {
      const refused = await ask(user);
      assert(refused.code !== 0, `code of ${user}`);
      assertMatch(refused.stderr, /401 Unauthorized/);
      assertEquals(refused.pictures, []);
    }
  },
);

testWith(
  ["ffmpeg", "gst-python", "cjpeg"],
  "ffmpeg and GStreamer log in with Basic where they are offered nothing else",
  async () => {
    const movie = await movieOf("small");
    const expected = await picturesOf(movie.path);
    await using served = await Served.start({ "video.mjpeg": movie }, {
      frameRateHz: 100,
      users: new Map([["ann", "secret"]]),
    });
    await using link = new RtspLink({
      port: served.port,
      response: (head) => head.replace(/^WWW-Authenticate: Digest.*\r\n/gm, ""),
    });
    const url = `rtsp://ann:secret@127.0.0.1:${link.port}/video.mjpeg`;
    const received = await receiveWithFfmpeg(url, { transport: "tcp" });
    assertEquals(received.pictures, expected, received.stderr);
    const played = await playWithGst(url, ["end"], { protocols: "tcp" });
    assertEquals(played.error, undefined);
    assertEquals(await picturesOf(played.frames), expected);
    const proofs = link.requests.flatMap((head) => head.match(/^Authorization: \w+/m) ?? []);
    assertEquals(new Set(proofs), new Set(["Authorization: Basic"]));
  },
);

testWith(["ffmpeg", "cjpeg"], "ffmpeg seeks: -ss starts at the frame of that time", async () => {
  const movie = await movieOf("small");
  const expected = await picturesOf(movie.path);
  await using served = await Served.start({ "video.mjpeg": movie }, { frameRateHz: 25 });
  const received = await receiveWithFfmpeg(served.url("video.mjpeg"), {
    transport: "tcp",
    input: ["-ss", "2"],
  });
  assertEquals([received.code, received.timedOut], [0, false], received.stderr);
  // Frames that ffmpeg read before it sought may come first: the end is what counts.
  assertEquals(received.pictures.slice(-50), expected.slice(50));
});

testWith(
  ["ffmpeg", "cjpeg"],
  "files that RTP/JPEG cannot carry get 415 where repair is off, not a broken stream",
  async (test) => {
    const names: MovieName[] = ["444", "progressive", "optimized", "grey"];
    const movies = await Promise.all(names.map(movieOf));
    await using served = await Served.start(
      Object.fromEntries(movies.map((movie) => [`${movie.name}.mjpeg`, movie])),
      { repair: "off" },
    );
    for (const name of names) {
      await test.step(name, async () => {
        const refused = await receiveWithFfmpeg(served.url(`${name}.mjpeg`), { transport: "tcp" });
        assert(refused.code !== 0);
        assertMatch(refused.stderr, /415/);
      });
    }
  },
);

testWith(
  ["ffprobe", "cjpeg"],
  "ffprobe reads codec, size, rate and length from the SDP",
  async () => {
    const movie = await movieOf("small");
    await using served = await Served.start({ "video.mjpeg": movie }, { frameRateHz: 25 });
    const { stdout, stderr, code } = await run("ffprobe", {
      args: [
        ...["-v", "warning", "-rtsp_transport", "tcp", "-of", "json"],
        ...["-show_streams", "-show_format", served.url("video.mjpeg")],
      ],
    });
    assertEquals(code, 0, stderr);
    const { streams, format } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(streams.length, 1);
    const { codec_name, codec_type, width, height, r_frame_rate, time_base } = streams[0];
    assertEquals([codec_name, codec_type, width, height], ["mjpeg", "video", 160, 120]);
    assertEquals([r_frame_rate, time_base], ["25/1", "1/90000"]);
    assertEquals(Math.round(Number(format.duration) * 10) / 10, 4);
  },
);

testWith(
  ["ffmpeg", "cjpeg"],
  "the BYE at the end of the file ends ffmpeg, not its own time limit",
  async () => {
    const movie = await movieOf("420");
    await using served = await Served.start({ "video.mjpeg": movie });
    for (const transport of ["udp", "tcp"]) {
      const received = await receiveWithFfmpeg(served.url("video.mjpeg"), {
        transport,
        // Without a BYE ffmpeg would sit here for ten minutes.
        input: ["-timeout", "600000000"],
        timeoutMs: 60_000,
      });
      assertEquals([received.code, received.timedOut], [0, false], transport);
      assertEquals(received.pictures.length, movie.frames.length);
    }
  },
);

testWith(
  ["ffmpeg", "cjpeg"],
  "a goodbye that is lost is said again: ffmpeg and our client end all the same",
  async () => {
    const movie = await movieOf("420");
    await using served = await Served.start({ "video.mjpeg": movie });
    const isLost = () => {
      let goodbyes = 0;
      return (datagram: Uint8Array) => !hasGoodbye(datagram) || goodbyes++ > 0;
    };
    const linkOf = () => new RtspLink({ port: served.port, passesRtcp: isLost() });
    await using first = linkOf();
    await using second = linkOf();
    const [received, own] = await Promise.all([
      receiveWithFfmpeg(`rtsp://127.0.0.1:${first.port}/video.mjpeg`, { transport: "udp" }),
      playToEnd({ url: `rtsp://127.0.0.1:${second.port}/video.mjpeg`, transport: "udp" }),
    ]);
    assertEquals([received.code, received.timedOut], [0, false], received.stderr);
    assertEquals([received.pictures.length, own.frames.length], [30, 30]);
  },
);

/** Whether an RTCP compound holds a BYE (RFC 3550 s6.6). */
function hasGoodbye(datagram: Uint8Array): boolean {
  for (let at = 0; at + 4 <= datagram.length;) {
    if (datagram[at + 1] === 203) return true;
    at += 4 * ((datagram[at + 2] << 8 | datagram[at + 3]) + 1);
  }
  return false;
}
