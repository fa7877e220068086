import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { FrameRing } from "../../lib/engine/frame_ring.ts";
import { RtpSender } from "../../lib/engine/sender.ts";
import { decodeRtcp, unixMsFromNtp } from "../../lib/rtcp.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { BorrowedFilm } from "../../lib/server/borrowed_film.ts";
import type { LiveViewer } from "../../lib/server/live_audience.ts";
import { LiveBorrower } from "../../lib/server/live_borrower.ts";
import { MediaError, type SharedMovie } from "../../lib/server/media_library.ts";
import { PacerTimer } from "../../lib/server/pacer_timer.ts";
import { threadOfSession } from "../../lib/server/session_ids.ts";
import type { LiveLetter } from "../../lib/server/thread_messages.ts";
import type { StreamTransport } from "../../lib/server/transports.ts";
import {
  assertUnbroken,
  infoOf,
  picturesOf,
  placesOf,
  Reader,
  TCP,
  UdpReader,
} from "../support/live_readers.ts";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

const FRAMES = sampleFrames(20);
const THREADS = 3;
const isLinux = Deno.build.os === "linux";

function test(name: string, fn: () => Promise<void>): void {
  const skipped = isLinux ? "" : " [skipped: needs Linux]";
  Deno.test({ name: `RtspServerPool ${name}${skipped}`, ignore: !isLinux, fn });
}

const live = (options = {}, files?: Record<string, Uint8Array>) =>
  TestServer.start({ live: true, workers: THREADS, ...options }, files);

function threadOf({ session }: Reader): number {
  return threadOfSession(session.Session)!;
}

/** Readers of every thread, so many of each kind. */
async function readersOfAllThreads(server: TestServer, ofEach: number): Promise<{
  readonly udp: UdpReader[];
  readonly tcp: Reader[];
}> {
  const udp: UdpReader[] = [], tcp: Reader[] = [];
  const has = (readers: readonly Reader[]) =>
    new Set(readers.map(threadOf)).size === THREADS && readers.length >= ofEach;
  while (!has(udp.map(({ reader }) => reader))) udp.push(await UdpReader.setUp(server));
  while (!has(tcp)) tcp.push(await Reader.setUp(server, TCP));
  return { udp, tcp };
}

async function closeAll(readers: readonly AsyncDisposable[]): Promise<void> {
  for (const reader of readers) await reader[Symbol.asyncDispose]();
}

test("plays one live stream in all threads: one SSRC, the same octets, what RTP-Info promises", async () => {
  await using server = await live();
  const { udp, tcp } = await readersOfAllThreads(server, 5);
  try {
    const ssrcs = [...tcp, ...udp.map(({ reader }) => reader)].map(({ ssrc }) => ssrc);
    assertEquals(new Set(ssrcs).size, 1);
    const answers = new Map<Reader, { seq: number; rtptime?: number }>();
    for (const reader of [...udp.map(({ reader }) => reader), ...tcp]) {
      const play = await reader.ask("PLAY", { Range: "npt=0-" });
      assertEquals([play.statusCode, play.headers.get("range")], [200, "npt=now-"]);
      answers.set(reader, infoOf(play));
    }
    const got: [Reader, Uint8Array[]][] = [];
    for (const reader of tcp) got.push([reader, await reader.probe.interleaved(0, 120)]);
    for (const { reader, rtp } of udp) {
      await rtp.received(120);
      got.push([reader, rtp.datagrams.map(({ bytes }) => bytes)]);
    }
    const byNumber = new Map<number, Uint8Array>();
    for (const [reader, packets] of got) {
      const decoded = packets.map(decodeRtp);
      assertUnbroken(decoded);
      const { seq, rtptime } = answers.get(reader)!;
      assertEquals(seq, decoded[0].sequenceNumber, `thread ${threadOf(reader)}`);
      // Of a film that nobody watched yet, another thread does not know when it begins.
      if (rtptime !== undefined) assertEquals(rtptime, decoded[0].timestamp);
      for (const [index, { sequenceNumber, ssrc }] of decoded.entries()) {
        assertEquals(ssrc, ssrcs[0]);
        const same = byNumber.get(sequenceNumber);
        if (same === undefined) byNumber.set(sequenceNumber, packets[index]);
        else assertEquals(packets[index], same);
      }
      const places = placesOf(picturesOf(packets), FRAMES);
      assertEquals(places, places.map((_, index) => (places[0] + index) % FRAMES.length));
    }
    const told = await server.server.sessions();
    assertEquals(told.map(({ framesDropped }) => framesDropped), told.map(() => 0));
    assert(
      told.every(({ frames, packets, positionSeconds }) =>
        frames > 5 && packets > 100 && positionSeconds >= 0
      ),
    );
  } finally {
    await closeAll([...tcp, ...udp]);
  }
});

test("reports a live stream in every thread with the same counters, and says goodbye to all", async () => {
  const readers: UdpReader[] = [];
  {
    await using server = await live();
    const { udp, tcp } = await readersOfAllThreads(server, 3);
    await closeAll(tcp);
    readers.push(...udp);
    for (const { reader } of readers) await reader.ask("PLAY");
    for (const { rtcp, rtp } of readers) {
      await rtp.received(20);
      await rtcp.received(1);
    }
  }
  try {
    const reports = [];
    for (const { rtcp, reader } of readers) {
      await rtcp.received(2);
      const first = decodeRtcp(rtcp.datagrams[0].bytes)[0];
      const last = decodeRtcp(rtcp.datagrams.at(-1)!.bytes);
      assertEquals(
        last.map(({ type }) => type),
        ["SR", "SDES", "BYE"],
        `thread ${threadOf(reader)}`,
      );
      assert(first.type === "SR" && last[0].type === "SR");
      reports.push(first, last[0]);
    }
    assertEquals(new Set(reports.map(({ ssrc }) => ssrc)).size, 1);
    // All reports lie on one line of RTP time over wall-clock time.
    const [{ ntp, rtpTimestamp }] = reports;
    for (const other of reports) {
      const ms = unixMsFromNtp(other.ntp) - unixMsFromNtp(ntp);
      const ticks = (other.rtpTimestamp - rtpTimestamp) | 0;
      assert(Math.abs(ticks / 90 - ms) < 15, `${ticks / 90} ms in ticks, ${ms} ms by the clock`);
    }
  } finally {
    await closeAll(readers);
  }
});

test("bears readers that come and go in all threads, and lets go of a film that nobody uses", async () => {
  await using server = await live({ frameRateHz: 100 });
  const { udp: [steady, ...others], tcp } = await readersOfAllThreads(server, 3);
  await steady.reader.ask("PLAY");
  for (let round = 0; round < 4; round++) {
    await Promise.all(others.map(async ({ reader }) => {
      await reader.ask("PLAY");
      await delay(40);
      await reader.ask("PAUSE");
    }));
    await Promise.all(tcp.map((reader) => reader.ask(round % 2 === 0 ? "PLAY" : "PAUSE")));
  }
  await steady.rtp.received(200);
  assertUnbroken(steady.rtp.rtp);
  for (const { reader } of [steady, ...others]) await reader.ask("TEARDOWN");
  const { ssrc } = steady.reader;
  await closeAll([steady, ...others, ...tcp]);
  for (let wait = 0; (await server.server.sessions()).length > 0 && wait < 100; wait++) {
    await delay(10);
  }
  await delay(50);
  const { udp, tcp: next } = await readersOfAllThreads(server, 3);
  const ssrcs = new Set([...udp.map(({ reader }) => reader), ...next].map((reader) => reader.ssrc));
  assertEquals(ssrcs.size, 1);
  assertNotEquals([...ssrcs], [ssrc]);
  await closeAll([...udp, ...next]);
});

test("goes on with a film for another thread when the main thread has no reader, and the other way", async () => {
  await using server = await live();
  const { udp, tcp } = await readersOfAllThreads(server, 3);
  const here = udp.find(({ reader }) => threadOf(reader) === 0)!;
  const there = udp.find(({ reader }) => threadOf(reader) !== 0)!;
  for (const [first, second] of [[there, here], [here, there]]) {
    await first.reader.ask("PLAY");
    await first.rtp.received(first.packets.length + 40);
    const play = await second.reader.ask("PLAY");
    const before = second.packets.length;
    await second.rtp.received(before + 20);
    assertEquals(infoOf(play).seq, decodeRtp(second.packets[before]).sequenceNumber);
    await first.reader.ask("PAUSE");
    await second.rtp.received(before + 60);
    await second.reader.ask("PAUSE");
    assertUnbroken(second.packets.slice(before).map(decodeRtp));
    await delay(100);
    const { length } = second.packets;
    assertEquals(await second.rtp.countWithin(100), 0);
    assertEquals(second.packets.length, length);
  }
  await closeAll([...udp, ...tcp]);
});

test("plays live films to lab clients of all threads, each with numbers of its own", async () => {
  await using server = await live();
  const clients: { rtp: UdpProbe; probe: RtspProbe }[] = [];
  for (let i = 0; i < 8; i++) {
    const client = { rtp: new UdpProbe(), probe: await RtspProbe.connect(server.port) };
    clients.push(client);
    await client.probe.send(
      `SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${client.rtp.port}`,
    );
    const session = /Session: (\d+)/.exec(await client.probe.text(120))![1];
    await client.probe.send(`PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}`);
  }
  for (const { rtp, probe } of clients) {
    await rtp.received(20);
    assertEquals(rtp.rtp.map(({ sequenceNumber }) => sequenceNumber), rtp.rtp.map((_, i) => i + 1));
    await probe[Symbol.asyncDispose]();
    await rtp[Symbol.asyncDispose]();
  }
});

test("ends a live film that grows in all threads when its file is gone", async () => {
  await using server = await live({ follow: true }, {
    "movie.mjpeg": labFile(FRAMES.slice(0, 10)),
  });
  const { udp, tcp } = await readersOfAllThreads(server, 3);
  for (const { reader } of udp) await reader.ask("PLAY");
  const path = `${server.folder}/movie.mjpeg`;
  await Deno.writeFile(path, labFile(FRAMES.slice(10)), { append: true });
  for (const { rtp } of udp) await rtp.received(60);
  await Deno.truncate(path, 100);
  for (const { rtcp } of udp) {
    const isBye = () =>
      rtcp.datagrams.some(({ bytes }) => decodeRtcp(bytes).some(({ type }) => type === "BYE"));
    for (let wait = 0; !isBye() && wait < 500; wait++) await delay(10);
    assert(isBye());
  }
  await closeAll([...udp, ...tcp]);
});

/** A reader that keeps the first octet of what it is sent. */
class Viewer implements LiveViewer {
  readonly seen: number[] = [];
  readonly numbers: RtpSender = senderOf();
  readonly transport: StreamTransport = {
    kind: "UDP",
    sendFrame: (batch) => this.seen.push(batch.bytes[14]) * 0,
    sendReport: () => {},
    discard: () => {},
  };

  takeReport(): void {}
  frameSent(): void {}
  frameGivenUp(): void {}
  sourceEnded(): void {}
}

function senderOf(): RtpSender {
  return new RtpSender({
    ssrc: 1,
    sequenceNumber: 0,
    timestamp: 0,
    clockRateHz: 90_000,
    payloadType: 26,
    cname: "x",
  });
}

function write(ring: FrameRing, number: number, size: number): boolean {
  const bytes = new Uint8Array(size).fill(number);
  return ring.write({ bytes, packetSize: size, packetCount: 1, payloadSize: size - 12 }, {
    numbers: { sequenceNumber: number, packetsSent: number, octetsSent: number },
    mediaTicks: number * 3600,
    nextTicks: number * 3600 + 3600,
    spreadMs: 1,
    unixMs: Date.now(),
    positionSeconds: number,
  });
}

Deno.test("BorrowedFilm counts the frames that it comes too late for, and follows the film to another place", () => {
  using timer = new PacerTimer();
  const ring = FrameRing.create(100);
  write(ring, 1, 50);
  const watched: boolean[] = [];
  const film = new BorrowedFilm({
    sender: senderOf(),
    memory: ring.memory,
    written: ring.written,
    timer,
    burstPackets: 64,
    onWatched: (isWatched) => watched.push(isWatched),
  });
  const one = new Viewer(), two = new Viewer();
  film.join(one);
  film.join(two);
  write(ring, 2, 60);
  film.takeFrames();
  assertEquals(film.nextPacket(film.current(timer.now())), { seq: 2, rtptime: 3 * 3600 });
  for (let number = 3; number <= 14; number++) write(ring, number, 70);
  film.takeFrames();
  assertEquals(film.framesDropped, 4);
  const larger = FrameRing.create(1000);
  write(ring, 15, 80);
  film.moveTo(larger.memory);
  write(larger, 16, 900);
  film.takeFrames();
  assertEquals(one.seen, [2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  assertEquals(film.positionSeconds, 16);
  film.leave(one);
  film.leave(two);
  film.leave(two);
  assertEquals(watched, [true, false]);
  assertEquals(film.sender.stats().packetsSent, 16);
});

Deno.test("LiveBorrower asks once for all readers of a film, and again after it was refused or given back", async () => {
  using timer = new PacerTimer();
  const posted: LiveLetter[] = [];
  const borrower = new LiveBorrower({
    timer,
    burstPackets: 64,
    post: (letter) => posted.push(letter),
  });
  const movie = { id: 1, path: "a" } as SharedMovie;
  const refused = [borrower.hold(movie, "jpeg", "x"), borrower.hold(movie, "jpeg", "x")];
  assertEquals(posted.map(({ kind }) => kind), ["live-borrow"]);
  borrower.receive({ kind: "live-lent", request: 1, answer: "There is no file" });
  for (const holding of refused) await assertRejects(() => holding, MediaError, "no file");
  const lent = {
    loan: 7,
    ssrc: 5,
    timestamp: 9,
    numbers: { sequenceNumber: 3, packetsSent: 2, octetsSent: 1 },
    memory: FrameRing.create(10).memory,
    written: 0,
  };
  const holding = [borrower.hold(movie, "jpeg", "x"), borrower.hold(movie, "jpeg", "x")];
  borrower.receive({ kind: "live-lent", request: 2, answer: lent });
  const [one, two] = await Promise.all(holding);
  assertEquals(one.film, two.film);
  assertEquals([one.film.sender.ssrc, one.film.sender.nextSequenceNumber], [5, 3]);
  one.release();
  one.release();
  await delay(1);
  assertEquals(posted.length, 2);
  two.release();
  await delay(1);
  assertEquals(posted.at(-1), { kind: "live-return", loan: 7 });
  borrower.receive({ kind: "live-frame", loan: 7 });
});
