/** The client against a standard server that says exactly what the test wants: dialogue, transports, logins, ends. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import type { RtspClientEvent } from "../../lib/client/events.ts";
import type { RtspClientOptions } from "../../lib/client/options.ts";
import { SdpFormatError, StateError, StatusError, TransportError } from "../../lib/errors.ts";
import { encodeRtcp, ntpFromUnixMs } from "../../lib/rtcp.ts";
import { packetAt, stampBatch } from "../../lib/rtp.ts";
import { describeJpegPayload, packetizeJpeg } from "../../lib/rtp_jpeg.ts";
import { formatInterleaved } from "../../lib/rtsp.ts";
import { sampleFrames } from "../support/sample_frames.ts";
import { cseqOf, portIn, RtpSource, type ScriptedPeer, ScriptedServer } from "./scripted_server.ts";

const LIMIT_MS = 15_000;
const SSRC = 0x1234;
const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=film",
  "t=0 0",
  "a=control:*",
  "m=audio 0 RTP/AVP 0",
  "a=control:trackID=9",
  "m=video 0 RTP/AVP 96",
  "a=rtpmap:96 JPEG/90000",
  "a=control:trackID=0",
  "",
].join("\r\n");

/** What a scripted standard server answers; each has a default. */
interface Answers {
  readonly sdp?: string;
  readonly options?: string;
  readonly describe?: string;
  /** Full answer to a SETUP, without CSeq; `undefined` for the default. */
  readonly setup?: (request: string) => string | undefined;
  readonly play?: string;
  /** Called after PLAY was answered. */
  readonly onPlay?: (peer: ScriptedPeer, setup: string) => Promise<void> | void;
}

/** Plays a standard server with these answers. */
function standard(answers: Answers = {}) {
  return async (peer: ScriptedPeer) => {
    let setup = "";
    for (;;) {
      const request = await peer.request();
      if (request === "") return;
      const method = request.split(" ")[0];
      if (method === "SETUP") setup = request;
      await peer.say(withCseq(answerTo(method, request, answers), request));
      if (method === "PLAY") await answers.onPlay?.(peer, setup);
    }
  };
}

function answerTo(method: string, request: string, answers: Answers): string {
  const sdp = answers.sdp ?? SDP;
  switch (method) {
    case "OPTIONS":
      return answers.options ?? "RTSP/1.0 200 OK\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n";
    case "DESCRIBE":
      return answers.describe ??
        `RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
    case "SETUP": {
      const own = answers.setup?.(request);
      if (own !== undefined) return own;
      const transport = /^Transport: (.*)$/m.exec(request)![1].trim();
      return `RTSP/1.0 200 OK\r\nSession: s1;timeout=60\r\nTransport: ${transport}\r\n\r\n`;
    }
    case "PLAY":
      return answers.play ?? "RTSP/1.0 200 OK\r\nSession: s1\r\nRange: npt=0.000-\r\n\r\n";
    default:
      return "RTSP/1.0 200 OK\r\nSession: s1\r\n\r\n";
  }
}

function withCseq(answer: string, request: string): string {
  return answer.replace("\r\n", `\r\nCSeq: ${cseqOf(request)}\r\n`);
}

/** RTP/JPEG packets of some frames of the sample, with payload type 96. */
function packetsOf(frames: readonly Uint8Array[], firstNumber = 65_533): Uint8Array[] {
  let sequenceNumber = firstNumber;
  return frames.flatMap((jpeg, i) => {
    const batch = packetizeJpeg(describeJpegPayload(jpeg), { payloadType: 96 });
    stampBatch(batch, {
      payloadType: 96,
      sequenceNumber: sequenceNumber & 0xffff,
      timestamp: (0xffff_f000 + i * 4500) >>> 0,
      ssrc: SSRC,
    });
    sequenceNumber += batch.packetCount;
    return Array.from({ length: batch.packetCount }, (_, at) => packetAt(batch, at).slice());
  });
}

function goodbye(): Uint8Array {
  return encodeRtcp([
    {
      type: "SR",
      ssrc: SSRC,
      ntp: ntpFromUnixMs(1_700_000_000_000),
      rtpTimestamp: 0xffff_f000,
      packetCount: packetsOf(FRAMES).length,
      octetCount: 0,
      reports: [],
    },
    { type: "SDES", chunks: [{ ssrc: SSRC, items: [{ itemType: 1, text: "x" }] }] },
    { type: "BYE", ssrcs: [SSRC] },
  ]);
}

function clientOf(server: ScriptedServer, options: Partial<RtspClientOptions> = {}): RtspClient {
  return new RtspClient({
    url: `rtsp://127.0.0.1:${server.port}/film`,
    timeoutMs: 3000,
    ...options,
  });
}

function eventsOf(client: RtspClient): RtspClientEvent[] {
  const events: RtspClientEvent[] = [];
  client.on((event) => void events.push(event));
  return events;
}

async function until(condition: () => boolean): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > LIMIT_MS) throw new Error("It did not happen in time");
    await delay(2);
  }
}

const FRAMES = sampleFrames(4);

/** Sends over the TCP connection: the frames, then BYE. */
async function sendInterleaved(peer: ScriptedPeer): Promise<void> {
  for (const packet of packetsOf(FRAMES)) await peer.say(formatInterleaved(0, packet));
  await peer.say(formatInterleaved(1, goodbye()));
}

Deno.test("RtspClient plays over TCP through a wrap of number and timestamp, to the BYE", async () => {
  await using server = ScriptedServer.listen(standard({ onPlay: sendInterleaved }));
  await using client = clientOf(server, { transport: "tcp" });
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  const frames = events.flatMap((event) => event.type === "frame" ? [event.frame] : []);
  assertEquals(frames.map((frame) => frame.number), [1, 2, 3, 4]);
  assertEquals(frames.map((frame) => [frame.width, frame.height]), frames.map(() => [320, 240]));
  assertEquals(events.filter((event) => event.type === "end"), [{
    type: "end",
    reason: "goodbye",
  }]);
  assertEquals(client.statistics().lost, 0);
  await client.teardown();
  assertEquals(client.state, "INIT");
  const methods = server.received.map((request) => request.split("\r\n")[0]);
  const url = `rtsp://127.0.0.1:${server.port}/film`;
  assertEquals(methods, [
    `OPTIONS ${url} RTSP/1.0`,
    `DESCRIBE ${url} RTSP/1.0`,
    `SETUP ${url}/trackID=0 RTSP/1.0`,
    `PLAY ${url} RTSP/1.0`,
    `TEARDOWN ${url} RTSP/1.0`,
  ]);
  assertStringIncludes(server.received[3], "Range: npt=0.000-\r\n");
});

Deno.test("RtspClient's frames() ends with the film; a slow loop gets the newest frames", async () => {
  await using server = ScriptedServer.listen(standard({ onPlay: sendInterleaved }));
  await using client = clientOf(server, { transport: "tcp" });
  const all = client.frames();
  const newest = client.frames({ queueLength: 2 });
  await client.setup();
  await client.play();
  const numbers: number[] = [];
  for await (const frame of all) numbers.push(frame.number);
  assertEquals(numbers, [1, 2, 3, 4]);
  const last: number[] = [];
  for await (const frame of newest) last.push(frame.number);
  assertEquals(last, [3, 4]);
});

Deno.test("RtspClient opens the way through a firewall before PLAY: RTP and an empty receiver report", async () => {
  using rtp = new RtpSource();
  using rtcp = new RtpSource();
  await using server = ScriptedServer.listen(standard({
    setup: (request) =>
      "RTSP/1.0 200 OK\r\nSession: s1\r\nTransport: RTP/AVP;unicast;client_port=" +
      `${portIn(request)}-${portIn(request) + 1};server_port=${rtp.port}-${rtcp.port}\r\n\r\n`,
  }));
  await using client = clientOf(server, { transport: "udp" });
  await client.setup();
  await client.play();
  assertEquals([...await deadline(rtp.receive(), LIMIT_MS)], [0x80, ...new Array(11).fill(0)]);
  assertEquals([...await deadline(rtcp.receive(), LIMIT_MS)], [0x80, 201, 0, 1, 0, 0, 0, 0]);
});

Deno.test("RtspClient receives by UDP, on the port it was told, and reports where the server sends from", async () => {
  using rtp = new RtpSource();
  await using server = ScriptedServer.listen(standard({
    onPlay: async (_peer, setup) => {
      for (const packet of packetsOf(FRAMES, 100)) await rtp.sendRaw(portIn(setup), packet);
      await rtp.sendRaw(portIn(setup) + 1, goodbye());
    },
  }));
  await using client = clientOf(server, { transport: "udp" });
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  const { frames, lost, transport } = client.statistics();
  assertEquals({ frames, lost, transport }, { frames: 4, lost: 0, transport: "udp" });
});

Deno.test("RtspClient changes to TCP after a 461 on the same connection, and says why", async () => {
  await using server = ScriptedServer.listen(standard({
    setup: (request) =>
      request.includes("TCP") ? undefined : "RTSP/1.0 461 Unsupported transport\r\n\r\n",
    onPlay: sendInterleaved,
  }));
  await using client = clientOf(server);
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  assertEquals(server.connections, 1);
  const transport = events.find((event) => event.type === "transport");
  assert(transport?.type === "transport" && transport.reason?.includes("461"));
  assertEquals(client.statistics().frames, 4);
});

Deno.test("RtspClient changes to TCP when UDP stays silent, on a new connection, and says why", async () => {
  await using server = ScriptedServer.listen(standard({
    onPlay: async (peer, setup) => {
      if (setup.includes("TCP")) await sendInterleaved(peer);
    },
  }));
  await using client = clientOf(server, { udpSilenceMs: 300 });
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  assertEquals(server.connections, 2);
  assertEquals(client.statistics().frames, 4);
  assertEquals(client.statistics().transport, "tcp");
  const notes = events.flatMap((event) => event.type === "note" ? [event.text] : []);
  assert(notes.some((text) => text.includes("no UDP packet came within 0.3 s")), notes.join());
  // The user saw no other state than PLAYING.
  assertEquals(
    events.flatMap((event) => event.type === "state" ? [event.state] : []),
    ["READY", "PLAYING"],
  );
});

Deno.test("RtspClient told to use UDP does not change: it says that a firewall may be in the way", async () => {
  await using server = ScriptedServer.listen(standard());
  await using client = clientOf(server, { transport: "udp", timeoutMs: 400 });
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => events.some((event) => event.type === "error"));
  const error = events.find((event) => event.type === "error");
  assert(error?.type === "error");
  assertStringIncludes(error.error.message, "sent no packet");
  assertStringIncludes(error.error.message, "--transport tcp");
  assertEquals(client.state, "INIT");
});

Deno.test("RtspClient takes the channels that the server prefers, and TCP where UDP was asked", async () => {
  await using server = ScriptedServer.listen(standard({
    setup: () =>
      "RTSP/1.0 200 OK\r\nSession: s1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n\r\n",
    onPlay: async (peer) => {
      await peer.say(formatInterleaved(9, new Uint8Array([1, 2, 3]))); // nobody's channel
      for (const packet of packetsOf(FRAMES)) await peer.say(formatInterleaved(4, packet));
      await peer.say(formatInterleaved(5, goodbye()));
    },
  }));
  await using client = clientOf(server, { transport: "udp" });
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  assertEquals(client.statistics().frames, 4);
  assertEquals(client.statistics().transport, "tcp");
});

Deno.test("RtspClient asks for TCP after any refusal that may be about UDP, and tells the first one", async () => {
  await using server = ScriptedServer.listen(standard({
    setup: (request) => request.includes("TCP") ? undefined : "RTSP/1.0 500 Whatever\r\n\r\n",
  }));
  await using client = clientOf(server);
  await client.setup();
  assertEquals(client.statistics().transport, "tcp");
  await using stubborn = ScriptedServer.listen(standard({
    setup: (request) => `RTSP/1.0 ${request.includes("TCP") ? 400 : 461} No\r\n\r\n`,
  }));
  await using other = clientOf(stubborn);
  const error = await assertRejects(() => other.setup(), StatusError);
  assertEquals(error.statusCode, 461);
});

Deno.test("RtspClient plays the stream's own URL where the server knows no aggregates (459)", async () => {
  await using server = ScriptedServer.listen(async (peer) => {
    for (;;) {
      const request = await peer.request();
      if (request === "") return;
      const [method, url] = request.split(" ");
      const isRefused = method === "PLAY" && !url.endsWith("trackID=0");
      const answer = isRefused
        ? "RTSP/1.0 459 Aggregate operation not allowed\r\n\r\n"
        : answerTo(method, request, {});
      await peer.say(withCseq(answer, request));
    }
  });
  await using client = clientOf(server, { transport: "tcp" });
  await client.setup();
  await client.play();
  await client.pause();
  await client.teardown();
  for (const request of server.received.slice(-3)) {
    assertStringIncludes(request, "/film/trackID=0 ");
  }
});

Deno.test("RtspClient says that something else listens there", async () => {
  await using server = ScriptedServer.listen(async (peer) => {
    await peer.say("SSH-2.0-OpenSSH_9.2p1\r\n");
    await peer.request();
  });
  await using client = clientOf(server);
  const error = await assertRejects(() => client.setup(), TransportError);
  assertStringIncludes(error.message, "no RTSP server listens there");
});

for (const status of [404, 400]) {
  Deno.test(`RtspClient joins the control URL the other way after a ${status}`, async () => {
    await using server = ScriptedServer.listen(standard({
      setup: (request) =>
        /SETUP rtsp:\/\/[^/]+\/trackID=0 /.test(request)
          ? undefined
          : `RTSP/1.0 ${status} No\r\n\r\n`,
    }));
    await using client = clientOf(server, { transport: "tcp" });
    await client.setup();
    assertEquals(client.state, "READY");
  });
}

Deno.test("RtspClient uses Content-Base and an absolute control as they are", async () => {
  const sdp = SDP.replace("a=control:trackID=0", "a=control:rtsp://127.0.0.1:1/other/track");
  await using server = ScriptedServer.listen(standard({
    describe:
      `RTSP/1.0 200 OK\r\nContent-Base: rtsp://127.0.0.1:1/base/\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`,
  }));
  await using client = clientOf(server, { transport: "tcp" });
  await client.setup();
  await client.play();
  const lines = server.received.map((request) => request.split(" ")[1]);
  assertEquals(lines.slice(2), ["rtsp://127.0.0.1:1/other/track", "rtsp://127.0.0.1:1/base/"]);
});

Deno.test("RtspClient names what is offered when there is no JPEG", async () => {
  const sdp =
    "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 H265/90000\r\n";
  await using server = ScriptedServer.listen(standard({ sdp }));
  await using client = clientOf(server);
  const error = await assertRejects(() => client.setup(), SdpFormatError);
  assertStringIncludes(error.message, "H264 (96), H265 (97)");
  assertEquals(client.state, "INIT");
});

Deno.test("RtspClient says in a sentence what a refusal means", async () => {
  for (
    const [answer, part] of [
      ["RTSP/1.0 404 Not Found\r\n\r\n", "no film of that name"],
      ['RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n', "RTSP_USER"],
      [
        "RTSP/1.0 415 Unsupported Media Type\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nprogressive",
        "progressive",
      ],
      ["RTSP/1.0 503 Service Unavailable\r\n\r\n", "try again later"],
      ["RTSP/1.0 500 Internal Server Error\r\n\r\n", "500 Internal Server Error"],
    ]
  ) {
    await using server = ScriptedServer.listen(standard({ describe: answer }));
    await using client = clientOf(server);
    const error = await assertRejects(() => client.setup(), StatusError);
    assertStringIncludes(error.message, part);
    assertEquals(client.state, "INIT");
  }
});

Deno.test("RtspClient asks for the password once, and shows it nowhere", async () => {
  let asked = 0;
  const script = async (peer: ScriptedPeer) => {
    for (;;) {
      const request = await peer.request();
      if (request === "") return;
      const isKnown = request.includes("Authorization: Basic YW5uOmh1bnRlcjI=");
      const method = request.split(" ")[0];
      if (method === "OPTIONS" || isKnown) {
        await peer.say(withCseq(answerTo(method, request, {}), request));
      } else {
        const refusal = 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n';
        await peer.say(withCseq(refusal, request));
      }
    }
  };
  await using server = ScriptedServer.listen(script);
  await using client = clientOf(server, {
    transport: "tcp",
    askCredentials: () => {
      asked++;
      return Promise.resolve({ username: "ann", password: "hunter2" });
    },
  });
  const events = eventsOf(client);
  await client.setup();
  await client.teardown();
  await client.setup();
  assertEquals(asked, 1);
  const shown = JSON.stringify([events, client.statistics()]);
  assert(!shown.includes("hunter2") && !shown.includes("YW5u"), shown);
});

Deno.test("RtspClient follows a redirection, without the password where it leads to another host", async () => {
  await using target = ScriptedServer.listen(standard());
  await using server = ScriptedServer.listen(standard({
    describe: `RTSP/1.0 302 Moved\r\nLocation: rtsp://localhost:${target.port}/elsewhere\r\n\r\n`,
  }));
  await using client = clientOf(server, {
    transport: "tcp",
    credentials: { username: "ann", password: "hunter2" },
  });
  await client.setup();
  assertEquals(client.state, "READY");
  assertStringIncludes(target.received[0], `DESCRIBE rtsp://localhost:${target.port}/elsewhere `);
});

Deno.test("RtspClient refuses with StateError what the state forbids; after TEARDOWN it sets up anew", async () => {
  await using server = ScriptedServer.listen(standard());
  await using client = clientOf(server, { transport: "tcp" });
  const refuses = async (...verbs: ("setup" | "play" | "pause" | "teardown")[]) => {
    for (const verb of verbs) await assertRejects(() => client[verb](), StateError);
  };
  for (let round = 1; round <= 2; round++) {
    await refuses("play", "pause", "teardown");
    await client.setup();
    await refuses("setup", "pause");
    await client.play();
    await refuses("setup", "play");
    await client.pause();
    await refuses("setup", "pause");
    await client.play();
    await client.teardown();
    assertEquals(server.connections, round);
  }
  const plays = server.received.filter((request) => request.startsWith("PLAY"));
  assertEquals(plays.map((request) => request.includes("Range:")), [true, false, true, false]);
});

Deno.test("RtspClient jumps: PAUSE, then PLAY with a Range", async () => {
  await using server = ScriptedServer.listen(standard());
  await using client = clientOf(server, { transport: "tcp" });
  await client.setup();
  await client.play();
  await client.play({ startSeconds: 12.5, endSeconds: 20 });
  assertEquals(client.state, "PLAYING");
  const [pause, play] = server.received.slice(-2);
  assert(pause.startsWith("PAUSE "));
  assertStringIncludes(play, "Range: npt=12.500-20.000\r\n");
});

Deno.test("RtspClient takes silence at the announced end for the end", async () => {
  await using server = ScriptedServer.listen(standard({
    play: "RTSP/1.0 200 OK\r\nSession: s1\r\nRange: npt=0.000-0.200\r\n\r\n",
    onPlay: async (peer) => {
      for (const packet of packetsOf(FRAMES)) await peer.say(formatInterleaved(0, packet));
    },
  }));
  await using client = clientOf(server, { transport: "tcp", timeoutMs: 10_000 });
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  assert(events.some((event) => event.type === "end" && event.reason === "range"));
});

Deno.test("RtspClient tells a lost connection, and frames() throws it", async () => {
  await using server = ScriptedServer.listen(standard({
    onPlay: async (peer) => {
      for (const packet of packetsOf(FRAMES)) await peer.say(formatInterleaved(0, packet));
      peer.hangUp();
    },
  }));
  await using client = clientOf(server, { transport: "tcp" });
  const frames = client.frames();
  await client.setup();
  await client.play();
  let count = 0;
  const error = await assertRejects(async () => {
    for await (const _ of frames) count++;
  }, TransportError);
  assertEquals(count, 4);
  assertStringIncludes(error.message, "closed the connection");
  assertEquals(client.state, "INIT");
});

Deno.test("RtspClient connects again when told to, and plays on", async () => {
  let plays = 0;
  await using server = ScriptedServer.listen(standard({
    onPlay: async (peer) => {
      plays++;
      for (const packet of packetsOf(FRAMES)) await peer.say(formatInterleaved(0, packet));
      if (plays < 3) peer.hangUp();
      else await peer.say(formatInterleaved(1, goodbye()));
    },
  }));
  await using client = clientOf(server, {
    transport: "tcp",
    reconnects: true,
    reconnectDelayMs: 20,
  });
  await client.setup();
  await client.play();
  await until(() => client.hasEnded);
  const { frames, packets, lost, errors } = client.statistics();
  assertEquals({ frames, packets, lost }, {
    frames: 12,
    packets: 3 * packetsOf(FRAMES).length,
    lost: 0,
  });
  assertEquals(errors.length, 1); // the same sentence twice is told once
  assertEquals(client.latestFrame?.number, 12);
});

Deno.test("RtspClient gives up connecting again when it is torn down", async () => {
  await using server = ScriptedServer.listen(standard({ onPlay: (peer) => peer.hangUp() }));
  await using client = clientOf(server, {
    transport: "tcp",
    reconnects: true,
    reconnectDelayMs: 200,
  });
  await client.setup();
  await client.play();
  await until(() => client.statistics().errors.length > 0);
  await client.teardown();
  const { connections } = server;
  await delay(400);
  assertEquals(server.connections, connections);
  assertEquals(client.state, "INIT");
});

for (
  const [name, script] of [
    ["stays silent", async (peer: ScriptedPeer) => void await peer.request()],
    ["hangs up", async (peer: ScriptedPeer) => {
      await peer.request();
      peer.hangUp();
    }],
    ["answers in its own form", async (peer: ScriptedPeer) => {
      await peer.request();
      await peer.say("RTSP/1.0 404 NOT FOUND\nCSeq: 1\n");
      await peer.request();
    }],
  ] as const
) {
  Deno.test(`RtspClient takes a server that ${name} for one of the lab, and says so`, async () => {
    await using server = ScriptedServer.listen(async (peer, index) => {
      if (index === 0) return await script(peer);
      const setup = await peer.request();
      await peer.say(`RTSP/1.0 200 OK\nCSeq: ${cseqOf(setup)}\nSession: 123456`);
      await peer.request();
    });
    await using client = clientOf(server, { probeMs: 300 });
    const events = eventsOf(client);
    await client.setup();
    const { dialect } = client.statistics();
    assertEquals(dialect, "lab");
    assert(server.received[0].startsWith("OPTIONS rtsp://"));
    assert(server.received[1].startsWith("SETUP film RTSP/1.0\n"), server.received[1]);
    assertEquals(events.filter((event) => event.type === "note").length, 1);
    const told = events.find((event) => event.type === "dialect");
    assert(told?.type === "dialect" && told.reason !== undefined);
  });
}

Deno.test("RtspClient takes no 404, 401 or 501 to OPTIONS for a lab server", async () => {
  for (const status of ["404 Not Found", "401 Unauthorized", "501 Not Implemented"]) {
    await using server = ScriptedServer.listen(standard({ options: `RTSP/1.0 ${status}\r\n\r\n` }));
    await using client = clientOf(server, { transport: "tcp" });
    await client.setup();
    assertEquals(client.statistics().dialect, "rtsp");
  }
});

Deno.test("RtspClient waits for a slow standard server while it tries the lab dialect", async () => {
  await using server = ScriptedServer.listen(async (peer, index) => {
    const request = await peer.request();
    if (index > 0) {
      await peer.request(); // the attempt in the lab dialect: no answer
      return;
    }
    await delay(500);
    await peer.say(withCseq(answerTo("OPTIONS", request, {}), request));
    await standard()(peer);
  });
  await using client = clientOf(server, { probeMs: 150, transport: "tcp" });
  await client.setup();
  assertEquals(client.statistics().dialect, "rtsp");
  assertEquals(client.state, "READY");
});

Deno.test("RtspClient sends keepalives while it plays, and their answers disturb nothing", async () => {
  await using server = ScriptedServer.listen(standard({
    options: "RTSP/1.0 200 OK\r\nPublic: DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n\r\n",
    setup: () =>
      "RTSP/1.0 200 OK\r\nSession: s1;timeout=1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
  }));
  await using client = clientOf(server, { transport: "tcp", timeoutMs: 5000 });
  await client.setup();
  await client.play();
  const isKeepAlive = (request: string) => request.startsWith("GET_PARAMETER ");
  await until(() => server.received.filter(isKeepAlive).length >= 3);
  assertStringIncludes(server.received.find(isKeepAlive)!, "Session: s1\r\n");
  assertEquals(client.state, "PLAYING");
});

Deno.test("RtspClient says what to do when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using client = new RtspClient({ url: `rtsp://ann:hunter2@127.0.0.1:${port}/film` });
  const error = await assertRejects(() => client.setup(), TransportError);
  assertStringIncludes(error.message, `127.0.0.1 port ${port}`);
  assert(!error.message.includes("hunter2"));
});

Deno.test("RtspClient can be closed while it waits for a server", async () => {
  await using server = ScriptedServer.listen(async (peer) => void await peer.request());
  const client = clientOf(server, { dialect: "rtsp", timeoutMs: 10_000 });
  const start = performance.now();
  const setup = assertRejects(() => client.setup());
  await until(() => server.connections === 1);
  await client.close();
  await setup;
  assert(performance.now() - start < 3000);
  assertEquals(client.state, "INIT");
});

Deno.test("RtspClient lives through garbage on the RTSP connection and on the RTP port", async () => {
  await using server = ScriptedServer.listen(standard({
    onPlay: async (peer) => {
      for (const packet of packetsOf(FRAMES)) {
        await peer.say(formatInterleaved(0, packet));
        await peer.say(formatInterleaved(0, packet.subarray(0, 7)));
        await peer.say(formatInterleaved(1, new Uint8Array([0xff, 0, 1])));
      }
      await peer.say("\x00\x01 this is no RTSP \r\n\r\n");
    },
  }));
  await using client = clientOf(server, { transport: "tcp" });
  const events = eventsOf(client);
  await client.setup();
  await client.play();
  await until(() => events.some((event) => event.type === "error"));
  assertEquals(client.statistics().frames, 4);
  assert(client.statistics().malformed > 0);
});
