import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { answerChallenge, type Hash, parseChallenges } from "../../lib/auth.ts";
import { TransportError } from "../../lib/errors.ts";
import { openUdpPair } from "../../lib/net/udp.ts";
import { decodeRtcp, encodeRtcp } from "../../lib/rtcp.ts";
import type { ServerEvent } from "../../lib/server/events.ts";
import { RtspServer } from "../../lib/server/server.ts";
import { RtspServerPool } from "../../lib/server/server_pool.ts";
import { SharedAddressLimit } from "../../lib/server/shared_limit.ts";
import { type ProbeResponse, RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { TestServer } from "../support/test_server.ts";

const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
const isLinux = Deno.build.os === "linux";

function udp(rtp: UdpProbe, rtcp: UdpProbe) {
  return { Transport: `RTP/AVP;unicast;client_port=${rtp.port}-${rtcp.port}` };
}

function idOf(setup: ProbeResponse): string {
  assertEquals(setup.statusCode, 200);
  return setup.headers.get("session")!.split(";")[0];
}

async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 5000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !await isTrue();) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A connection to each of the threads, in their order: which one it is stands in the sessions that are set up by it. */
class Probes implements AsyncDisposable {
  readonly of: RtspProbe[] = [];
  readonly #others: RtspProbe[] = [];

  static async connect(test: TestServer, threads: number): Promise<Probes> {
    const probes = new Probes();
    const url = test.url("movie.mjpeg");
    while (Object.keys(probes.of).length < threads) {
      const probe = await RtspProbe.connect(test.port);
      const id = idOf(await probe.ask("SETUP", url, TCP));
      await probe.ask("TEARDOWN", url, { Session: id });
      const thread = parseInt(id.slice(-2), 16);
      assert(thread < threads, id);
      if (probes.of[thread] === undefined) probes.of[thread] = probe;
      else probes.#others.push(probe);
    }
    return probes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const probe of [...this.of, ...this.#others]) await probe[Symbol.asyncDispose]();
  }
}

/** The workers that were started while it lives. */
class WatchedWorkers implements Disposable {
  readonly all: Worker[] = [];
  readonly #original = globalThis.Worker;

  constructor() {
    const { all } = this;
    globalThis.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        all.push(this);
      }
    };
  }

  [Symbol.dispose](): void {
    globalThis.Worker = this.#original;
  }
}

Deno.test("SharedAddressLimit counts in all and by address, for all who share its memory", () => {
  const options = { total: 3, perAddress: 2 };
  const memory = SharedAddressLimit.memoryFor(options.total);
  const here = new SharedAddressLimit(memory, options);
  const there = new SharedAddressLimit(memory, options);
  assertEquals(here.take("a"), undefined);
  assertEquals(there.take("a"), undefined);
  assertMatch(here.take("a")!, /2 from a/);
  assertEquals(there.take("b"), undefined);
  assertMatch(here.take("c")!, /3 in all/);
  there.release("a");
  assertEquals(here.take("c"), undefined);
  here.release("nobody");
  assertEquals([here.total, there.total], [3, 3]);
});

Deno.test("SharedAddressLimit finds all addresses again, in whatever order they come and go", () => {
  const options = { total: 64, perAddress: 3 };
  const limit = new SharedAddressLimit(SharedAddressLimit.memoryFor(options.total), options);
  const counts = new Map<string, number>();
  let seed = 1, total = 0;
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fff_ffff) % below;
  for (let step = 0; step < 20_000; step++) {
    const address = `192.0.2.${random(40)}`, count = counts.get(address) ?? 0;
    if (random(2) === 0) {
      const isTaken = limit.take(address) === undefined;
      assertEquals(isTaken, total < 64 && count < 3, `${step} ${address}`);
      if (isTaken) counts.set(address, count + 1), total++;
    } else {
      limit.release(address);
      if (count > 0) counts.set(address, count - 1), total--;
    }
    assertEquals(limit.total, total);
  }
});

Deno.test({
  name:
    "RtspServerPool answers a request about a session on a connection of another thread as on its own",
  ignore: !isLinux,
  fn: async () => {
    await using test = await TestServer.start({ workers: 2, loop: true });
    await using probes = await Probes.connect(test, 2);
    const url = test.url("movie.mjpeg");
    for (const [own, other] of [[0, 1], [1, 0]].map((pair) => pair.map((i) => probes.of[i]))) {
      const [rtp, rtcp] = UdpProbe.pair();
      await using _rtp = rtp;
      await using _rtcp = rtcp;
      const Session = idOf(await own.ask("SETUP", `${url}/trackID=0`, udp(rtp, rtcp)));
      const wrong = await other.ask("PAUSE", test.url("other.mjpeg"), { Session });
      assertEquals([wrong.statusCode, wrong.body], [460, 'The session is for "movie.mjpeg"\n']);
      const play = await other.ask("PLAY", url, { Session, Range: "npt=0.1-" });
      assertEquals(play.statusCode, 200);
      assertEquals(play.headers.get("session"), Session);
      assertMatch(play.headers.get("range")!, /^npt=0\.1/);
      await rtp.received(3);
      const seq = Number(/seq=(\d+)/.exec(play.headers.get("rtp-info")!)![1]);
      assertEquals(rtp.rtp[0].sequenceNumber, seq);
      // Both connections see one state.
      const refused = await own.ask("SETUP", test.url("other.mjpeg"), { Session, ...TCP });
      assertEquals(refused.statusCode, 459);
      const [snapshot] = await test.server.sessions();
      assertEquals([snapshot.state, snapshot.transport], ["PLAYING", "UDP"]);
      assertEquals((await own.ask("PAUSE", url, { Session })).statusCode, 200);
      assertEquals((await other.ask("GET_PARAMETER", "*", { Session })).statusCode, 200);
      const described = await other.ask("DESCRIBE", url, { Session });
      assertMatch(described.body, /m=video 0 RTP\/AVP 26/);
      assertEquals((await other.ask("TEARDOWN", url, { Session })).statusCode, 200);
      assertEquals((await own.ask("PLAY", url, { Session })).statusCode, 454);
      assertEquals((await other.ask("PLAY", url, { Session })).statusCode, 454);
      assertEquals(await test.server.sessions(), []);
    }
  },
});

Deno.test({
  name:
    "RtspServerPool answers 454 for sessions that no thread has, and for threads that there are not",
  ignore: !isLinux,
  fn: async () => {
    await using test = await TestServer.start({ workers: 2 });
    await using probe = await RtspProbe.connect(test.port);
    const url = test.url("movie.mjpeg");
    for (const end of ["00", "01", "02", "3f", "ff"]) {
      const Session = "0123456789abcdef0123456789abcd" + end;
      assertEquals((await probe.ask("PLAY", url, { Session })).statusCode, 454, end);
      assertEquals((await probe.ask("OPTIONS", "*", { Session })).statusCode, 200, end);
      assertEquals((await probe.ask("SETUP", url, { Session, ...TCP })).statusCode, 454, end);
    }
    // Requests that follow each other without waiting are answered in their order.
    const Session = `Session: ${"0".repeat(30)}`;
    const requests = Array.from(
      { length: 20 },
      (_, i) =>
        `PLAY ${url} RTSP/1.0\r\nCSeq: ${100 + i}\r\n${Session}0${i % 3}\r\n\r\n` +
        `OPTIONS * RTSP/1.0\r\nCSeq: ${200 + i}\r\n\r\n`,
    );
    await probe.send(requests.join(""));
    for (let i = 0; i < 20; i++) {
      const [play, options] = [await probe.response(), await probe.response()];
      assertEquals([play.statusCode, play.headers.get("cseq")], [454, String(100 + i)]);
      assertEquals([options.statusCode, options.headers.get("cseq")], [200, String(200 + i)]);
    }
  },
});

Deno.test({
  name:
    "RtspServerPool keeps a session alive by requests of another thread's connection, after its own has ended",
  ignore: !isLinux,
  fn: async () => {
    await using test = await TestServer.start({ workers: 2, sessionTimeoutSeconds: 1 });
    await using probes = await Probes.connect(test, 2);
    const [rtp, rtcp] = UdpProbe.pair();
    await using _rtp = rtp;
    await using _rtcp = rtcp;
    const url = test.url("movie.mjpeg");
    const Session = idOf(await probes.of[1].ask("SETUP", url, udp(rtp, rtcp)));
    probes.of[1].close();
    for (let i = 0; i < 7; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await probes.of[0].ask("OPTIONS", "*", { Session });
    }
    assertEquals((await probes.of[0].ask("PLAY", url, { Session })).statusCode, 200);
    await rtp.received(1);
    const reason = () => test.events.findLast((event) => event.type === "session-ended")!.reason;
    await until(() => reason() !== "TEARDOWN", 10_000);
    assertMatch(reason(), /^expired/);
  },
});

Deno.test({
  name:
    "RtspServerPool moves a stream into a connection of another thread, takes its reports there, and ends with it",
  ignore: !isLinux,
  fn: async () => {
    await using test = await TestServer.start({ workers: 2, loop: true });
    await using probes = await Probes.connect(test, 2);
    const [rtp, rtcp] = UdpProbe.pair();
    await using _rtp = rtp;
    await using _rtcp = rtcp;
    const url = test.url("movie.mjpeg");
    const [own, other] = probes.of;
    // The other connection has a session of its own on the channels that are asked for.
    const Own = idOf(await other.ask("SETUP", url, TCP));
    const Session = idOf(await own.ask("SETUP", url, udp(rtp, rtcp)));
    const moved = await other.ask("SETUP", url, { Session, ...TCP });
    assertEquals(idOf(moved), Session);
    assertMatch(moved.headers.get("transport")!, /interleaved=2-3/);
    assertMatch(
      (await other.ask("SETUP", url, { Transport: "RTP/AVP/TCP;interleaved=2-3" })).headers
        .get("transport")!,
      /interleaved=4-5/,
    );
    assertEquals((await other.ask("PLAY", url, { Session })).statusCode, 200);
    await other.ask("PLAY", url, { Session: Own });
    const packets = await other.interleaved(2, 30);
    await other.interleaved(0, 30);
    const numbers = packets.map((bytes) => (bytes[2] << 8) | bytes[3]);
    assert(numbers.every((number, i) => number === (numbers[0] + i) % 65_536), "no hole");
    assertEquals(rtp.datagrams, []);
    const report = await other.interleaved(3, 1);
    const [senderReport] = decodeRtcp(report[0]);
    assert(senderReport.type === "SR");
    const receiverReport = encodeRtcp([{
      type: "RR",
      ssrc: 7,
      reports: [{
        ssrc: senderReport.ssrc,
        fractionLost: 0,
        cumulativeLost: 5,
        extendedHighestSequenceNumber: numbers[0],
        interarrivalJitter: 0,
        lastSr: 0,
        delaySinceLastSr: 0,
      }],
    }, { type: "SDES", chunks: [{ ssrc: 7, items: [{ itemType: 1, text: "reader" }] }] }]);
    await other.send(new Uint8Array([0x24, 3, 0, receiverReport.length, ...receiverReport]));
    const lossTold = async () =>
      (await test.server.sessions()).some(({ packetsLost }) => packetsLost === 5);
    await until(lossTold);
    assertEquals((await test.server.sessions()).length, 3);
    other.close();
    await until(async () => (await test.server.sessions()).length === 0);
    assertEquals((await test.server.statistics()).strayDatagrams, 0);
  },
});

Deno.test({
  name:
    "RtspServerPool keeps to its limits, numbers without a gap and counts all, over all threads",
  ignore: !isLinux,
  fn: async () => {
    await using test = await TestServer.start({ workers: 4, maxConnections: 24 });
    const url = test.url("movie.mjpeg");
    const connections = await Promise.all(
      Array.from({ length: 60 }, () => RtspProbe.connect(test.port)),
    );
    try {
      const answers = await Promise.all(connections.map(async (probe) => {
        try {
          return idOf(await probe.ask("SETUP", url, TCP));
        } catch {
          return undefined; // turned away
        }
      }));
      const ids = answers.filter((id) => id !== undefined);
      assertEquals(ids.length, 24);
      const threads = new Set(ids.map((id) => id.slice(-2)));
      assert(threads.size > 1, "the system has sent all to one thread");
      const before = await test.server.statistics();
      assertEquals(
        [before.connections, before.connectionsAccepted, before.connectionsRefused],
        [24, 24, 36],
      );
      assertEquals([before.sessions, before.sessionsBegun, before.requests], [24, 24, 24]);
      const sessions = await test.server.sessions();
      assertEquals(sessions.map(({ session }) => session), Array.from(ids, (_, i) => i + 1));
      // One more session than connections may be: the limit is for both.
      const admitted = connections[answers.findIndex((id) => id !== undefined)];
      const further = await admitted.ask("SETUP", url, {
        Transport: "RTP/AVP/TCP;unicast;interleaved=2-3",
      });
      assertEquals([further.statusCode, further.body], [
        453,
        "No further session: 24 in all are open already\n",
      ]);
      for (const probe of connections) probe.close();
      await until(async () => (await test.server.statistics()).connections === 0);
      await using again = await RtspProbe.connect(test.port);
      idOf(await again.ask("SETUP", url, TCP));
      const numbers = test.events.flatMap((event) =>
        event.type === "connection-opened" ? [event.connection] : []
      );
      assertEquals(numbers.sort((a, b) => a - b), Array.from({ length: 25 }, (_, i) => i + 1));
      assertEquals((await test.server.sessions()).map(({ session }) => session), [25]);
      assertEquals(test.events.filter(({ type }) => type === "media-opened").length, 1);
    } finally {
      for (const probe of connections) await probe[Symbol.asyncDispose]();
    }
  },
});

const hash: Hash = (algorithm, text) =>
  createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");

Deno.test({
  name:
    "RtspServerPool takes a password with the nonce of another thread for stale, not for wrong, and counts guesses of all",
  ignore: !isLinux,
  fn: async () => {
    const users = new Map([["ann", "s3cret"]]);
    await using test = await TestServer.start({ workers: 2, users });
    const uri = test.url("movie.mjpeg");
    const answer = (challenged: ProbeResponse, password: string) => {
      assertEquals(challenged.statusCode, 401);
      const [challenge] = parseChallenges(challenged.headers.get("www-authenticate")!.split("\n"));
      const options = { username: "ann", password, method: "DESCRIBE", uri, cnonce: "abc", hash };
      return { Authorization: answerChallenge({ challenge, nonceCount: 1, ...options }) };
    };
    const connections: RtspProbe[] = [];
    try {
      await using first = await RtspProbe.connect(test.port);
      const challenge = await first.ask("DESCRIBE", uri);
      let staleCount = 0;
      for (let i = 0; i < 20; i++) {
        const probe = await RtspProbe.connect(test.port);
        connections.push(probe);
        const response = await probe.ask("DESCRIBE", uri, answer(challenge, "s3cret"));
        if (response.statusCode === 200) continue;
        staleCount++;
        assertMatch(response.headers.get("www-authenticate")!, /stale=true/);
        const second = await probe.ask("DESCRIBE", uri, answer(response, "s3cret"));
        assertEquals(second.statusCode, 200);
      }
      assert(staleCount > 0 && staleCount < 20, `${staleCount} of 20 on the other thread`);
      assertEquals((await test.server.statistics()).failedLogins, 0);
      await Promise.all(connections.map(async (probe) => {
        const { Authorization } = answer(await probe.ask("DESCRIBE", uri), "wrong");
        await probe.send(
          `DESCRIBE ${uri} RTSP/1.0\r\nCSeq: 9\r\nAuthorization: ${Authorization}\r\n\r\n`,
        );
      }));
      await until(async () => (await test.server.statistics()).failedLogins === 20);
      // Whoever has not proved itself is not even listened to now, on either thread.
      for (let i = 0; i < 6; i++) {
        const probe = await RtspProbe.connect(test.port);
        connections.push(probe);
        const { Authorization } = answer(await probe.ask("DESCRIBE", uri), "s3cret");
        await probe.send(
          `DESCRIBE ${uri} RTSP/1.0\r\nCSeq: 9\r\nAuthorization: ${Authorization}\r\n\r\n`,
        );
        assertEquals(await probe.text(50), "", "the answer is held back");
      }
    } finally {
      for (const probe of connections) await probe[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name:
    "RtspServerPool says goodbye by connections of other threads before any thread closes its own",
  ignore: !isLinux,
  fn: async () => {
    for (const [own, other] of [[0, 1], [1, 0]]) {
      await using test = await TestServer.start({ workers: 2, loop: true });
      await using probes = await Probes.connect(test, 2);
      const url = test.url("movie.mjpeg");
      const Session = idOf(await probes.of[own].ask("SETUP", url, TCP));
      const probe = probes.of[other];
      assertEquals((await probe.ask("SETUP", url, { Session, ...TCP })).statusCode, 200);
      assertEquals((await probe.ask("PLAY", url, { Session })).statusCode, 200);
      await probe.interleaved(0, 30);
      await test.server.close();
      assert(await probe.ended());
      const reports = (await probe.interleaved(1, 2)).flatMap((bytes) => decodeRtcp(bytes));
      assertEquals(reports.at(-1)?.type, "BYE", `thread ${own}, by thread ${other}`);
    }
  },
});

Deno.test("RtspServerPool fails where another server has the port, be it one that shares it among its threads", async () => {
  await using test = await TestServer.start({ workers: 2 });
  const options = { media: test.folder, hostname: "127.0.0.1", port: test.port };
  await assertRejects(
    () => RtspServerPool.start({ ...options, workers: 2 }),
    TransportError,
    "in use",
  );
  await assertRejects(() => RtspServerPool.start(options), TransportError, "in use");
  await assertRejects(() => RtspServer.start(options), TransportError, "in use");
  await assertRejects(
    () => RtspServerPool.start({ ...options, workers: 0 }),
    RangeError,
    "1 to 64",
  );
});

Deno.test({
  name: "RtspServerPool starts further threads when there is use for them",
  ignore: !isLinux || navigator.hardwareConcurrency < 2,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-" });
    const media = new URL("../../media/", import.meta.url);
    await using server = await RtspServerPool.start({ media, hostname: "127.0.0.1", port: 0 });
    const connections: RtspProbe[] = [];
    try {
      const begin = async () => {
        const probe = await RtspProbe.connect(server.address.port);
        connections.push(probe);
        return idOf(await probe.ask("SETUP", server.url("video.mjpeg"), TCP));
      };
      for (let i = 0; i < 7; i++) await begin();
      assertEquals(server.threads, 1);
      await begin();
      assertEquals(server.threads, 2);
      for (let i = 0, id = await begin(); !id.endsWith("01"); i++, id = await begin()) {
        assert(i < 100, "nobody comes to the second thread");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals((await server.statistics()).sessions, connections.length);
    } finally {
      for (const probe of connections) await probe[Symbol.asyncDispose]();
      await Deno.remove(folder);
    }
  },
});

Deno.test({
  name: "RtspServerPool has as many threads as there are pairs of UDP ports, and says so once",
  ignore: !isLinux,
  fn: async () => {
    const notices = (events: readonly ServerEvent[]) =>
      events.flatMap((event) => event.type === "notice" ? [event.message] : [])
        .filter((message) => /serve/.test(message));
    const [first, second, from] = fourPorts();
    first.forEach((socket) => socket.close());
    second.forEach((socket) => socket.close());
    {
      await using test = await TestServer.start({ workers: 4, rtpPorts: [from, from + 3] });
      assertEquals((test.server as RtspServerPool).threads, 2);
      assertEquals(notices(test.events), [
        `2 threads at most serve: each needs a pair of UDP ports of its own, and ${from} to ${
          from + 3
        } has 2 in all`,
      ]);
    }
    // Another program has the second pair.
    const taken = openUdpPair({ hostname: "127.0.0.1", ports: [from + 2, from + 3] });
    try {
      await using test = await TestServer.start({ workers: 2, rtpPorts: [from, from + 3] });
      assertEquals((test.server as RtspServerPool).threads, 1);
      const told = notices(test.events);
      assertEquals(told.length, 1);
      assertMatch(told[0], /^One thread serves: Cannot open a pair of UDP ports from \d+ to \d+/);
      await using probe = await RtspProbe.connect(test.port);
      idOf(await probe.ask("SETUP", test.url("movie.mjpeg"), TCP));
    } finally {
      taken.forEach((socket) => socket.close());
    }
  },
});

/** Two neighbouring pairs of ports that are free. */
function fourPorts() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = openUdpPair({ hostname: "127.0.0.1" });
    const from = first[0].address.port;
    try {
      const ports = [from + 2, from + 3] as const;
      return [first, openUdpPair({ hostname: "127.0.0.1", ports }), from] as const;
    } catch {
      first.forEach((socket) => socket.close());
    }
  }
  throw new Error("no two pairs of ports are free");
}

Deno.test({
  name: "RtspServerPool ends with a goodbye to the others' readers when a thread has crashed",
  ignore: !isLinux,
  fn: async () => {
    using workers = new WatchedWorkers();
    await using test = await TestServer.start({ workers: 3, loop: true });
    const pool = test.server as RtspServerPool;
    await using probes = await Probes.connect(test, 3);
    const [rtp, rtcp] = UdpProbe.pair();
    await using _rtp = rtp;
    await using _rtcp = rtcp;
    const url = test.url("movie.mjpeg");
    for (const thread of [0, 2]) {
      const Session = idOf(await probes.of[thread].ask("SETUP", url, udp(rtp, rtcp)));
      await probes.of[thread].ask("PLAY", url, { Session });
    }
    await rtp.received(10);
    workers.all[0].postMessage({ type: "batch", messages: [{ type: "letter", letter: null }] });
    assertMatch((await pool.failed).message, /^Thread 1 of the server has ended: .*TypeError/);
    await pool.close();
    assert(await probes.of[0].ended() && await probes.of[2].ended());
    const goodbyes = rtcp.datagrams.map(({ bytes }) => decodeRtcp(bytes))
      .filter((packets) => packets.some(({ type }) => type === "BYE"));
    assertEquals(goodbyes.length, 2);
    // The system takes back what a crashed thread held in its own time.
    await until(async () => {
      try {
        await (await RtspProbe.connect(test.port)).close();
        return false;
      } catch {
        return true;
      }
    });
  },
});

Deno.test({
  name: "RtspServerPool.close() says goodbye to the readers of all threads, and may be repeated",
  ignore: !isLinux,
  fn: async () => {
    const test = await TestServer.start({ workers: 3, loop: true });
    await using probes = await Probes.connect(test, 3);
    const url = test.url("movie.mjpeg");
    const ears = probes.of.map(() => UdpProbe.pair());
    for (const [i, probe] of probes.of.entries()) {
      const Session = idOf(await probe.ask("SETUP", url, udp(...ears[i])));
      await probe.ask("PLAY", url, { Session });
      await ears[i][0].received(1);
    }
    await test[Symbol.asyncDispose]();
    await test.server.close();
    for (const [rtp, rtcp] of ears) {
      await rtcp.received(2);
      assert(decodeRtcp(rtcp.datagrams.at(-1)!.bytes).some(({ type }) => type === "BYE"));
      await rtp[Symbol.asyncDispose]();
      await rtcp[Symbol.asyncDispose]();
    }
    for (const probe of probes.of) assert(await probe.ended());
    assertEquals(
      test.events.filter((event) =>
        event.type === "session-ended" && event.reason === "the server was stopped"
      ).length,
      3,
    );
  },
});
