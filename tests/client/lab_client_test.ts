/** The client against lab servers as they were captured: their answers, their RTP, their silences. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import type { RtspClientEvent } from "../../lib/client/events.ts";
import type { RtspClientOptions } from "../../lib/client/options.ts";
import type { ReceivedFrame } from "../../lib/client/statistics.ts";
import { StatusError, TransportError } from "../../lib/errors.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { sampleFrames } from "../support/sample_frames.ts";
import { LAB_REPLIES, type LabReply } from "../vectors/lab_replies.ts";
import {
  cseqOf,
  type Cut,
  portIn,
  RtpSource,
  type ScriptedPeer,
  ScriptedServer,
} from "./scripted_server.ts";

const LIMIT_MS = 15_000;

/** Real pictures, all different: about 11 kB each. */
const PICTURES = sampleFrames(8);

function pictureOf(number: number): Uint8Array {
  return PICTURES[number % PICTURES.length];
}

function clientOf(server: ScriptedServer, options: Partial<RtspClientOptions> = {}): RtspClient {
  return new RtspClient({
    url: { host: "127.0.0.1", port: server.port, file: "movie.Mjpeg" },
    dialect: "lab",
    labSilenceMs: 300,
    labAnswerMs: 1000,
    ...options,
  });
}

function frameCollector(
  client: RtspClient,
): { frames: ReceivedFrame[]; until(n: number): Promise<void> } {
  const frames: ReceivedFrame[] = [];
  client.onFrame((frame) => void frames.push(frame));
  return {
    frames,
    until: (count) =>
      deadline(
        (async () => {
          while (frames.length < count) await delay(2);
        })(),
        LIMIT_MS,
      ),
  };
}

function eventOf(client: RtspClient, type: RtspClientEvent["type"]): Promise<RtspClientEvent> {
  const { promise, resolve } = Promise.withResolvers<RtspClientEvent>();
  client.on((event) => {
    if (event.type === type) resolve(event);
  });
  return deadline(promise, LIMIT_MS);
}

/** SETUP, PLAY, PAUSE, PLAY, TEARDOWN, answered as one captured server does; three frames after each PLAY. */
function answering(reply: LabReply, cut: Cut, source: RtpSource) {
  return async (peer: ScriptedPeer) => {
    let port = 0;
    let number = 1;
    for (let first = true;; first = false) {
      const request = await peer.request();
      if (request === "") return;
      const form = first ? reply.setup : reply.later ?? reply.setup;
      if (first) port = portIn(request);
      await peer.say(form.replaceAll("{n}", cseqOf(request)), cut);
      if (request.startsWith("PLAY")) {
        for (const end = number + 3; number < end; number++) {
          await source.send(port, pictureOf(number), { number });
        }
      }
      if (request.startsWith("TEARDOWN")) return;
    }
  };
}

for (const reply of LAB_REPLIES) {
  Deno.test(`RtspClient plays, pauses, goes on and ends with a lab server: ${reply.name}`, async () => {
    for (const cut of ["whole", "byte by byte", 20] as const) {
      using source = new RtpSource();
      await using server = ScriptedServer.listen(answering(reply, cut, source));
      await using client = clientOf(server);
      const { frames, until } = frameCollector(client);
      await client.setup();
      assertEquals(client.state, "READY");
      await client.play();
      await until(3);
      await client.pause();
      assertEquals(client.state, "READY");
      await client.play();
      await until(6);
      await client.teardown();
      assertEquals(client.state, "INIT");
      assertEquals(frames.map((frame) => frame.number), [1, 2, 3, 4, 5, 6]);
      frames.forEach((frame, i) => assertEquals(frame.jpeg, pictureOf(i + 1)));
      const { received } = server;
      assertMatch(
        received[0],
        /^SETUP movie\.Mjpeg RTSP\/1\.0\nCSeq: 1\nTransport: RTP\/UDP; client_port= \d+\n$/,
      );
      const session = reply.sessionId ?? "0";
      assertEquals(received.slice(1), [
        `PLAY movie.Mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}\n`,
        `PAUSE movie.Mjpeg RTSP/1.0\nCSeq: 3\nSession: ${session}\n`,
        `PLAY movie.Mjpeg RTSP/1.0\nCSeq: 4\nSession: ${session}\n`,
        `TEARDOWN movie.Mjpeg RTSP/1.0\nCSeq: 5\nSession: ${session}\n`,
      ]);
      const { packets, lost, dialect, transport } = client.statistics();
      assertEquals({ packets, lost, dialect, transport }, {
        packets: 6,
        lost: 0,
        dialect: "lab",
        transport: "udp",
      });
    }
  });
}

/** Answers everything with a plain 200 and gives the port of SETUP and the verb to `act`. */
function obliging(act: (verb: string, port: number, peer: ScriptedPeer) => Promise<void> | void) {
  return async (peer: ScriptedPeer) => {
    let port = 0;
    for (;;) {
      const request = await peer.request();
      if (request === "") return;
      if (request.startsWith("SETUP")) port = portIn(request);
      await peer.say(`RTSP/1.0 200 OK\nCSeq: ${cseqOf(request)}\nSession: 123456`);
      await act(request.split(" ")[0], port, peer);
    }
  };
}

Deno.test("RtspClient takes 2 s of silence (here 0.3 s) for the end of a lab film, and can set up again", async () => {
  using source = new RtpSource();
  await using server = ScriptedServer.listen(obliging(async (verb, port) => {
    if (verb !== "PLAY") return;
    for (let number = 1; number <= 4; number++) {
      await source.send(port, pictureOf(number), { number });
    }
  }));
  await using client = clientOf(server);
  const { frames } = frameCollector(client);
  for (let round = 1; round <= 2; round++) {
    const end = eventOf(client, "end");
    await client.setup();
    await client.play();
    assertEquals(await end, { type: "end", reason: "silence" });
    await client.teardown();
  }
  // The second film is another one: its numbers go on, so that no file of the first is overwritten.
  assertEquals(frames.map((frame) => frame.number), [1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals(server.connections, 2);
});

Deno.test("RtspClient numbers lab frames by their sequence numbers: lost ones leave a gap, 0 is a first too", async () => {
  for (
    const [numbers, expected] of [
      [[1, 2, 4, 5], [1, 2, 4, 5]],
      [[0, 1, 2, 3], [1, 2, 3, 4]],
      [[2, 3, 4, 5], [2, 3, 4, 5]],
      [[3, 4, NaN, 1, 2], [3, 4, 5, 6]], // began again at 1, after a pause
    ]
  ) {
    using source = new RtpSource();
    await using server = ScriptedServer.listen(obliging(async (verb, port) => {
      if (verb !== "PLAY") return;
      for (const number of numbers) {
        if (Number.isNaN(number)) await delay(300);
        else await source.send(port, pictureOf(number), { number });
      }
    }));
    await using client = clientOf(server, { latencyMs: 20, labSilenceMs: 1000 });
    const { frames, until } = frameCollector(client);
    await client.setup();
    await client.play();
    await until(4);
    assertEquals(frames.map((frame) => frame.number), expected);
  }
});

Deno.test("RtspClient puts fragments together, with one number for all and with a number each", async () => {
  const third = Math.ceil(pictureOf(1).length / 3);
  const pieces = [0, 1, 2].map((i) => pictureOf(1).subarray(i * third, (i + 1) * third));
  for (const isShared of [true, false]) {
    using source = new RtpSource();
    await using server = ScriptedServer.listen(obliging(async (verb, port) => {
      if (verb !== "PLAY") return;
      for (let frame = 0; frame < 3; frame++) {
        for (const [i, piece] of pieces.entries()) {
          const number = isShared ? frame + 1 : frame * 3 + i + 1;
          await source.send(port, piece, { number, timestamp: frame, marker: i === 2 });
        }
      }
    }));
    await using client = clientOf(server);
    const { frames, until } = frameCollector(client);
    await client.setup();
    await client.play();
    await until(3);
    assertEquals(frames.map((frame) => frame.number), [1, 2, 3]);
    for (const frame of frames) assertEquals(frame.jpeg, pictureOf(1));
  }
});

Deno.test("RtspClient appends datagrams without an RTP header to the frame they belong to", async () => {
  using source = new RtpSource();
  const picture = pictureOf(7);
  await using server = ScriptedServer.listen(obliging(async (verb, port) => {
    if (verb !== "PLAY") return;
    for (const number of [0, 1]) {
      await source.send(port, picture.subarray(0, 4084), { number });
      await source.sendRaw(port, picture.subarray(4084, 8180));
      await source.sendRaw(port, picture.subarray(8180));
    }
  }));
  await using client = clientOf(server);
  const { frames, until } = frameCollector(client);
  await client.setup();
  await client.play();
  await until(2);
  for (const frame of frames) assertEquals(frame.jpeg, picture);
});

for (
  const [form, pattern] of [
    [
      "port-on-fourth-line",
      /^SETUP movie\.Mjpeg RTSP\/1\.0\nCSeq: 1\nTransport: RTP\/UDP\nclient_port = \d+/,
    ],
    [
      "name-as-host",
      /^SETUP rtsp:\/\/movie\.Mjpeg RTSP\/1\.0\r\nCSeq: 1\r\nTransport: RTP\/UDP;client_port=\d+\r\n$/,
    ],
  ] as const
) {
  for (const refusal of ["hangs up", "stays silent"]) {
    Deno.test(`RtspClient finds the spelling "${form}" where a lab server ${refusal} otherwise`, async () => {
      await using server = ScriptedServer.listen(async (peer) => {
        const request = await peer.request();
        if (!pattern.test(request)) {
          if (refusal === "hangs up") peer.hangUp();
          return;
        }
        await peer.say("RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 123456\r\n");
        const play = await peer.request();
        await peer.say(`RTSP/1.0 200 OK\r\nCSeq: ${cseqOf(play)}\r\nSession: 123456\r\n`);
        await peer.request();
      });
      await using client = clientOf(server, { labAnswerMs: 250 });
      await client.setup();
      await client.play();
      assertEquals(client.state, "PLAYING");
    });
  }
}

Deno.test("RtspClient tries the next spelling when a lab server answers SETUP and hangs up on PLAY", async () => {
  await using server = ScriptedServer.listen(async (peer, index) => {
    const request = await peer.request();
    await peer.say(`RTSP/1.0 200 OK\nCSeq: ${cseqOf(request)}\nSession: 1`);
    const play = await peer.request();
    if (index === 0) return peer.hangUp();
    await peer.say(`RTSP/1.0 200 OK\nCSeq: ${cseqOf(play)}\nSession: 1`);
    await peer.request();
  });
  await using client = clientOf(server);
  await client.setup();
  await client.play();
  assertEquals(client.state, "PLAYING");
  assertEquals(server.connections, 2);
});

Deno.test("RtspClient says that the film is missing when a lab server never answers PLAY", async () => {
  await using server = ScriptedServer.listen(async (peer) => {
    await peer.request();
    await peer.say("RTSP/1.0 200 OK\nCSeq: 1\nSession: 123456");
    await peer.request();
    await peer.request();
  });
  await using client = clientOf(server, { labAnswerMs: 200 });
  await client.setup();
  const error = await assertRejects(() => client.play(), TransportError);
  assertStringIncludes(error.message, "no such film");
  assertEquals(client.state, "READY");
});

Deno.test("RtspClient tells a lab server's 404", async () => {
  await using server = ScriptedServer.listen(async (peer) => {
    await peer.request();
    await peer.say("RTSP/1.0 404 NOT FOUND\nCSeq: 1\n");
    await peer.request();
  });
  await using client = clientOf(server);
  const error = await assertRejects(() => client.setup(), StatusError);
  assertEquals(error.statusCode, 404);
  assertEquals(client.state, "INIT");
});

Deno.test("RtspClient takes silence and a closed door for an answer to TEARDOWN", async () => {
  for (const reaction of ["silence", "close"]) {
    await using server = ScriptedServer.listen(obliging((verb, _port, peer) => {
      if (verb === "PLAY" && reaction === "close") setTimeout(() => peer.hangUp(), 100);
    }));
    await using client = clientOf(server, { timeoutMs: 2000 });
    await client.setup();
    await client.play();
    if (reaction === "close") await delay(30);
    await client.teardown().catch(() => {});
    assertEquals(client.state, "INIT");
  }
});

Deno.test("RtspClient sends reports to port 19001 where the session's identifier is a UUID", async () => {
  // The port is fixed; where another test run holds it, there is nothing to see.
  let reports: Deno.DatagramConn;
  try {
    reports = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 19001 });
  } catch {
    return;
  }
  try {
    const uuid = "9f91bae1-dfaa-4ec2-976f-dce239b3cb9f";
    await using server = ScriptedServer.listen(async (peer) => {
      for (;;) {
        const request = await peer.request();
        if (request === "") return;
        await peer.say(`RTSP/1.0 200 OK\r\nCSeq: ${cseqOf(request)}\r\nSession: ${uuid}\r\n`);
      }
    });
    await using client = clientOf(server);
    await client.setup();
    await client.play();
    for (let i = 0; i < 2; i++) {
      const [report] = await deadline(reports.receive(), LIMIT_MS);
      assertEquals(report.length, 32);
      assertEquals([...report.subarray(0, 8)], [0x81, 0xc9, 0x00, 0x20, 0, 0, 0, 0]);
    }
    await client.teardown();
  } finally {
    reports.close();
  }
});

Deno.test("RtspClient asks a lab server for its description, and lives with silence", async () => {
  const sdp =
    'v=0\r\nm=video 23117 RTP/AVP 26\r\na=control:streamid=123456\r\na=mimetype:string;"video/MJPEG"\r\n';
  await using server = ScriptedServer.listen(async (peer) => {
    const setup = await peer.request();
    await peer.say(`RTSP/1.0 200 OK\r\nCSeq: ${cseqOf(setup)}\r\nSession: 1\r\n`);
    const describe = await peer.request();
    assertEquals(describe.split("\n")[0], "DESCRIBE movie.Mjpeg RTSP/1.0");
    await peer.say(
      `RTSP/1.0 200 OK\r\nCSeq: ${cseqOf(describe)}\r\nContent-Base: movie.Mjpeg\r\n` +
        `Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n${sdp}`,
    );
    await peer.request();
  });
  await using client = clientOf(server, { labAnswerMs: 400 });
  await client.setup();
  assertEquals(await client.describe(), sdp);
  assertEquals(await client.describe(), undefined);
});

Deno.test("RtspClient tells once that a lab server's numbers are rubbish, and keeps names in one word", async () => {
  await using server = ScriptedServer.listen(async (peer) => {
    for (;;) {
      if (await peer.request() === "") return;
      await peer.say("RTSP/1.0 200 OK\nCSeq: CSeq:\nSession: 349914");
    }
  });
  await using client = new RtspClient({
    url: { host: "127.0.0.1", port: server.port, file: "my film.Mjpeg" },
    dialect: "lab",
  });
  const notes: string[] = [];
  client.on((event) => {
    if (event.type === "note") notes.push(event.text);
  });
  await client.setup();
  await client.play();
  await client.teardown();
  assertEquals(notes.length, 1);
  assertStringIncludes(notes[0], "CSeq");
  assert(server.received[0].startsWith("SETUP my%20film.Mjpeg RTSP/1.0\n"), server.received[0]);
});

Deno.test("RtspClient names the port that is taken", async () => {
  using other = openUdp({ hostname: "0.0.0.0" });
  const { port } = other.address;
  await using server = ScriptedServer.listen(obliging(() => {}));
  await using client = clientOf(server, { rtpPort: port });
  const error = await assertRejects(() => client.setup(), TransportError);
  assertStringIncludes(error.message, `UDP port ${port}`);
  assertStringIncludes(error.message, "in use");
});

Deno.test("RtspClient ignores datagrams that others send to its port", async () => {
  using source = new RtpSource();
  using stranger = openUdp({ hostname: "127.0.0.2" });
  await using server = ScriptedServer.listen(obliging(async (verb, port) => {
    if (verb !== "PLAY") return;
    const to = { hostname: "127.0.0.1", port };
    await stranger.sendTo(pictureOf(66), to);
    await stranger.sendTo(
      new Uint8Array([0x80, 26, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd8, 0xff, 0xd9]),
      to,
    );
    for (const number of [1, 2]) await source.send(port, pictureOf(number), { number });
  }));
  await using client = clientOf(server);
  const { frames, until } = frameCollector(client);
  await client.setup();
  await client.play();
  await until(2);
  assertEquals(frames.map((frame) => frame.jpeg), [pictureOf(1), pictureOf(2)]);
  assertEquals(client.statistics().packets, 2);
});
