/** What taps hear of a client and of a server that talk over real sockets; step mode; another film; jumps. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { RtspClient } from "../../lib/client/client.ts";
import { StepGate } from "../../lib/client/step_gate.ts";
import type {
  WireFrame,
  WireMessage,
  WireSession,
  WireTap,
  WireTransition,
} from "../../lib/engine/wire_tap.ts";
import { RtspFormatError, TransportError } from "../../lib/errors.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { playToEnd } from "../support/played.ts";
import { TestServer } from "../support/test_server.ts";

/** Remembers everything it hears. */
class Listener implements WireTap {
  readonly messages: WireMessage[] = [];
  readonly packets: { id: string; bytes: Uint8Array }[] = [];
  readonly frames: WireFrame[] = [];
  readonly sessions: WireSession[] = [];
  readonly transitions: WireTransition[] = [];
  readonly ended: string[] = [];
  readonly connections = { opened: 0, closed: 0 };
  connectionOpened: WireTap["connectionOpened"] = () => void this.connections.opened++;
  connectionClosed: WireTap["connectionClosed"] = () => void this.connections.closed++;
  message: WireTap["message"] = (message) => void this.messages.push(message);
  packet: WireTap["packet"] = ({ kind, session }, direction, bytes) =>
    void this.packets.push({ id: `${kind} ${direction} ${session}`, bytes: bytes.slice() });
  frame: WireTap["frame"] = (frame) => void this.frames.push(frame);
  session: WireTap["session"] = (session) => void this.sessions.push(session);
  transition: WireTap["transition"] = (transition) => void this.transitions.push(transition);
  sessionEnded: WireTap["sessionEnded"] = (id, reason) => void this.ended.push(`${id} ${reason}`);

  /** Octets of the messages of one direction, in their order. */
  said(direction: "in" | "out"): string[] {
    return this.messages.filter((message) => message.direction === direction)
      .map(({ bytes }) => new TextDecoder().decode(bytes));
  }

  count(id: string): number {
    return this.packets.filter((packet) => packet.id === id).length;
  }
}

for (const [dialect, transport] of [["rtsp", "udp"], ["rtsp", "tcp"], ["lab", "udp"]] as const) {
  Deno.test(`taps of both ends hear the same, ${dialect} over ${transport}`, async () => {
    const ours = new Listener();
    const theirs = new Listener();
    {
      await using served = await TestServer.start({ tap: theirs });
      const lab = { host: "127.0.0.1", port: served.port, file: "movie.mjpeg" };
      const url = dialect === "lab" ? lab : served.url("movie.mjpeg");
      const { statistics } = await playToEnd({ url, dialect, transport, tap: ours });
      assertEquals(statistics.frames, 20);
    }
    assertEquals(ours.said("out"), theirs.said("in"));
    assertEquals(ours.said("in"), theirs.said("out"));
    assertEquals(ours.connections, { opened: 1, closed: 1 });
    assertEquals(theirs.connections, { opened: 1, closed: 1 });
    for (
      const [answer, request] of ours.messages.filter((m) => m.direction === "in").map((
        m,
      ) => [m.message, m.request])
    ) {
      assert(answer !== undefined && request !== undefined);
    }
    assertEquals(ours.count("rtp in 1"), theirs.count("rtp out 1"));
    const sent = theirs.packets.filter(({ id }) => id === "rtp out 1").map(({ bytes }) => bytes);
    const came = ours.packets.filter(({ id }) => id === "rtp in 1").map(({ bytes }) => bytes);
    assertEquals(came, sent);
    if (dialect === "rtsp") assert(ours.count("rtcp in 1") > 0 && theirs.count("rtcp in 1") > 0);
    const keyOf = ({ timestamp, firstSequenceNumber, packetCount }: WireFrame) =>
      `${timestamp} ${firstSequenceNumber} ${packetCount}`;
    assertEquals(ours.frames.map(keyOf), theirs.frames.map(keyOf));
    assertEquals(ours.frames.map(({ number }) => number), ours.frames.map((_, i) => i + 1));
    const moves = ["INIT READY", "READY PLAYING", "PLAYING INIT"];
    assertEquals(theirs.transitions.map(({ from, to }) => `${from} ${to}`), moves);
    assertEquals(ours.transitions.map(({ cause }) => cause), ["SETUP", "PLAY", "TEARDOWN"]);
    assertEquals([ours.sessions[0].transport, theirs.sessions[0].transport], [
      transport,
      transport,
    ]);
    assertEquals([ours.sessions[0].dialect, theirs.sessions[0].dialect], [dialect, dialect]);
    assertEquals([ours.ended, theirs.ended], [["1 TEARDOWN"], ["1 TEARDOWN"]]);
  });
}

Deno.test("taps hear what cannot be read, and every attempt to log in", async () => {
  const theirs = new Listener();
  await using served = await TestServer.start({ tap: theirs, users: new Map([["ann", "pw"]]) });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: served.port });
  await connection.write(new TextEncoder().encode("\x16\x03\x01 hello"));
  for await (const _ of connection.readable);
  const [unreadable] = theirs.messages;
  assertEquals(unreadable.message, undefined);
  assertEquals(new TextDecoder().decode(unreadable.bytes), "\x16\x03\x01 hello");
  const ours = new Listener();
  await using client = new RtspClient({
    url: served.url("movie.mjpeg"),
    credentials: { username: "ann", password: "pw" },
    tap: ours,
  });
  await client.setup();
  const statuses = ours.messages.filter(({ message }) => message?.type === "response")
    .map(({ message }) => message?.type === "response" && message.statusCode);
  assertEquals(statuses, [200, 401, 200, 200]);
  assertEquals(
    ours.messages.filter(({ isAutomatic, direction }) => isAutomatic && direction === "out").length,
    1,
  );
});

Deno.test("StepGate lets requests go one by one, and all when it is switched off", async () => {
  let changes = 0;
  const gate = new StepGate({ isEnabled: false, onChange: () => changes++ });
  const { signal } = new AbortController();
  assertEquals(gate.hold({ method: "OPTIONS", uri: "*" }, signal), undefined);
  assertEquals(gate.step(), false);
  gate.setEnabled(true);
  const went: string[] = [];
  const hold = (method: string, by = signal) =>
    gate.hold({ method, uri: "*" }, by)!.then(() => went.push(method));
  const gone = new AbortController();
  const all = [hold("A"), hold("B"), hold("C", gone.signal), hold("D"), hold("E")];
  assertEquals(gate.waiting?.method, "A");
  assertEquals([gate.step(), gate.waiting?.method], [true, "B"]);
  gone.abort();
  await delay(0);
  assertEquals(went.sort(), ["A", "C"]);
  gate.step();
  assertEquals(gate.waiting?.method, "D");
  gate.setEnabled(false);
  await Promise.all(all);
  assertEquals([went.length, gate.waiting], [5, undefined]);
  assert(changes >= 8);
  gate.setEnabled(true);
  assertEquals(gate.hold({ method: "F", uri: "*" }, gone.signal), undefined);
});

Deno.test("step mode holds each request back, and nothing times out meanwhile", async () => {
  await using served = await TestServer.start();
  const gate = new StepGate({ isEnabled: true });
  await using client = new RtspClient({
    url: served.url("movie.mjpeg"),
    ...{ timeoutMs: 1500, probeMs: 300, transport: "tcp" },
    beforeRequest: (request, signal) => gate.hold(request, signal),
  });
  const errors: unknown[] = [];
  client.on((event) => event.type === "error" && errors.push(event.error));
  const stepped: string[] = [];
  const step = async () => {
    while (!gate.waiting) await delay(5);
    const { method } = gate.waiting;
    if (method === "OPTIONS" || method === "PLAY") await delay(1800); // longer than any timeout
    stepped.push(gate.waiting.method);
    gate.step();
  };
  const ready = client.setup();
  for (let i = 0; i < 3; i++) await step();
  await ready;
  const playing = client.play();
  await step();
  await playing;
  assertEquals(stepped, ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]);
  assertEquals([client.state, client.statistics().dialect, errors], ["PLAYING", "rtsp", []]);
  for await (const frame of client.frames()) if (frame.number >= 3) break;
  // Nobody has to click to close.
  const pausing = client.pause();
  await delay(20);
  assertEquals(gate.waiting?.method, "PAUSE");
  await client.close();
  await pausing.catch(() => {});
  assertEquals([client.state, gate.waiting], ["INIT", undefined]);
});

Deno.test("a request that is held back fails when the server hangs up", async () => {
  const gate = new StepGate({ isEnabled: true });
  let client: RtspClient;
  {
    await using served = await TestServer.start();
    client = new RtspClient({
      url: served.url("movie.mjpeg"),
      beforeRequest: (request, signal) => gate.hold(request, signal),
    });
    const ready = client.setup();
    ready.catch(() => {});
    while (!gate.waiting) await delay(5);
    await served.server.close();
    await assertRejects(() => ready, TransportError);
  }
  await client.close();
});

Deno.test("RtspClient.open() turns to another film; frames go on being numbered", async () => {
  const files = {
    "a.mjpeg": labFile(sampleFrames(50)),
    "b c.mjpeg": labFile(sampleFrames(10)),
  };
  await using served = await TestServer.start({}, files);
  const tap = new Listener();
  await using client = new RtspClient({ url: served.url("a.mjpeg"), tap });
  const numbers: number[] = [];
  client.onFrame(({ number }) => numbers.push(number));
  await client.setup();
  await client.play();
  while (numbers.length < 5) await delay(5);
  await client.open("b c.mjpeg");
  assertEquals([client.state, client.statistics().frames], ["INIT", 0]);
  assertEquals(client.url, served.url("b c.mjpeg"));
  await client.setup();
  const ended = new Promise<void>((resolve) => client.on((e) => e.type === "end" && resolve()));
  await client.play();
  await ended;
  assertEquals(client.statistics().frames, 10);
  assertEquals(numbers, [...numbers].sort((x, y) => x - y));
  assertEquals(new Set(numbers).size, numbers.length);
  assertEquals(tap.sessions.map(({ id }) => id), [1, 2]);
  await assertRejects(() => client.open("rtsp://"), RtspFormatError);
  await assertRejects(() => client.open("rtsps://h/f"), RangeError);
  assertEquals(client.url, served.url("b c.mjpeg"));
});

Deno.test("RtspClient.open() keeps passwords for the server they were meant for", async () => {
  const users = new Map([["ann", "pw"]]);
  const theirs = new Listener();
  await using guarded = await TestServer.start({ users });
  await using other = await TestServer.start({ users: new Map([["x", "y"]]), tap: theirs });
  await using client = new RtspClient({
    url: guarded.url("movie.mjpeg"),
    credentials: { username: "ann", password: "pw" },
  });
  await client.setup();
  await client.open("movie.mjpeg");
  await client.setup();
  await client.open(other.url("movie.mjpeg"));
  await assertRejects(() => client.setup());
  assert(theirs.said("in").length > 0);
  for (const text of theirs.said("in")) assert(!/Authorization/i.test(text), text);
});

Deno.test("RtspClient.film tells the place in the film, also after a jump", async () => {
  const files = { "movie.mjpeg": labFile(sampleFrames(200)) };
  await using served = await TestServer.start({}, files);
  await using client = new RtspClient({ url: served.url("movie.mjpeg") });
  assertEquals(client.film.isSeekable, false);
  await client.setup();
  const { startSeconds, endSeconds, isSeekable } = client.film;
  assertEquals([startSeconds, endSeconds, isSeekable], [0, 4, true]);
  let frames = 0;
  client.onFrame(() => frames++);
  await client.play();
  while (frames < 11) await delay(2);
  assertAlmostEquals(client.film.positionSeconds!, (frames - 1) / 50, 0.03);
  frames = 0;
  await client.play({ startSeconds: 2 });
  frames = 0;
  while (frames < 6) await delay(2);
  assertAlmostEquals(client.film.positionSeconds!, 2 + frames / 50, 0.08);
  await client.pause();
  const paused = client.film.positionSeconds!;
  await client.play();
  frames = 0;
  while (frames < 3) await delay(2);
  assertAlmostEquals(client.film.positionSeconds!, paused + frames / 50, 0.08);
});
