import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { concat } from "@std/bytes";
import { RtspClient } from "../../lib/client/client.ts";
import type { UdpChoice } from "../../lib/server/udp_choice.ts";
import { decodeRtcp, encodeRtcp } from "../../lib/rtcp.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { parseSdp } from "../../lib/sdp.ts";
import {
  assertUnbroken,
  infoOf,
  picturesOf,
  placesOf,
  Reader,
  TCP,
  UdpReader,
} from "../support/live_readers.ts";
import { type ProbeResponse, RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, paddedJpeg, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

const UDP_WAYS: readonly UdpChoice[] = [
  "portable",
  ...(Deno.build.os === "linux" ? ["linux" as const] : []),
];
const FRAMES = sampleFrames(20);

const live = (options = {}, files?: Record<string, Uint8Array>) =>
  TestServer.start({ live: true, ...options }, files);

Deno.test("RtspServer describes a live film without an end, and plays the present whatever is asked for", async () => {
  await using test = await live({ frameRateHz: 100 });
  await using reader = await Reader.setUp(test, TCP);
  const described = await reader.ask("DESCRIBE");
  const sdp = parseSdp(described.body);
  assertEquals(sdp.attributes.find(([name]) => name === "range")?.[1], "npt=now-");
  const asked: Record<string, string>[] = [
    {},
    { Range: "npt=now-" },
    { Range: "npt=0.000-" },
    { Range: "npt=3600-3700" },
    { Range: "npt=5-5" },
    { Range: "clock=20200101T000000Z-" },
    { Range: "smpte=10:00:00-" },
    { Range: "npt=0-", Scale: "-2.0", Speed: "4" },
  ];
  for (const headers of asked) {
    const play = await reader.ask("PLAY", headers);
    assertEquals([play.statusCode, play.headers.get("range")], [200, "npt=now-"]);
    assertEquals(play.headers.get("scale"), headers.Scale && "1.0");
    assertEquals(play.headers.get("speed"), headers.Speed && "1.0");
    const pause = await reader.ask("PAUSE");
    assertEquals([pause.statusCode, pause.headers.has("range")], [200, false]);
  }
  assertEquals((await reader.ask("PLAY", { Range: "nonsense" })).statusCode, 457);
  assertEquals((await reader.ask("PLAY", { Scale: "0" })).statusCode, 400);
});

for (const udp of UDP_WAYS) {
  Deno.test(`RtspServer plays a live film to readers that join at any moment: one SSRC, the same octets, sent the ${udp} way`, async () => {
    await using test = await live({ udp, workers: 1 });
    await using first = await UdpReader.setUp(test);
    const firstPlay = await first.reader.ask("PLAY");
    await first.rtp.received(40);
    await using second = await UdpReader.setUp(test);
    const secondPlay = await second.reader.ask("PLAY", { Range: "npt=0.000-" });
    await second.rtp.received(60);
    await using third = await Reader.setUp(test, TCP);
    const thirdPlay = await third.ask("PLAY");
    const interleaved = await third.probe.interleaved(0, 60);
    await first.rtp.received(first.packets.length + 60);

    const { ssrc } = first.reader;
    assertEquals([second.reader.ssrc, third.ssrc], [ssrc, ssrc]);
    const all = [[first.packets, firstPlay], [second.packets, secondPlay], [
      interleaved,
      thirdPlay,
    ]];
    const byNumber = new Map(
      first.packets.map((bytes) => [decodeRtp(bytes).sequenceNumber, bytes]),
    );
    for (const [packets, play] of all as [Uint8Array[], ProbeResponse][]) {
      const decoded = packets.map(decodeRtp);
      assertUnbroken(decoded);
      assert(decoded.every((packet) => packet.ssrc === ssrc));
      assertEquals(
        infoOf(play),
        { seq: decoded[0].sequenceNumber, rtptime: decoded[0].timestamp },
        "what RTP-Info promises comes first",
      );
      for (const bytes of packets) {
        const same = byNumber.get(decodeRtp(bytes).sequenceNumber);
        if (same !== undefined) assertEquals(bytes, same);
      }
    }
    assert(interleaved.some((bytes) => byNumber.has(decodeRtp(bytes).sequenceNumber)));
    const places = placesOf(picturesOf(first.packets), FRAMES);
    assert(places.length > 8);
    assertEquals(places, places.map((_, index) => (places[0] + index) % FRAMES.length));
  });

  Deno.test(`RtspServer gives each of 120 readers every packet of a live film, sent the ${udp} way`, async () => {
    await using test = await live({ udp, frameRateHz: 10 });
    const readers: UdpReader[] = [];
    try {
      while (readers.length < 120) {
        const reader = await UdpReader.setUp(test);
        readers.push(reader);
        await reader.reader.ask("PLAY");
      }
      const newest = readers.at(-1)!;
      await newest.rtp.received(100, 30_000);
      const wanted = new Map(
        newest.packets.slice(0, 100).map((bytes) => [decodeRtp(bytes).sequenceNumber, bytes]),
      );
      for (const { rtp } of readers) {
        const last = [...wanted.keys()].at(-1)!;
        for (let wait = 0; wait < 500; wait++) {
          if (rtp.rtp.some(({ sequenceNumber }) => sequenceNumber === last)) break;
          await delay(10);
        }
        assertUnbroken(rtp.rtp);
        const shared = rtp.datagrams.map(({ bytes }) => bytes)
          .filter((bytes) => wanted.has(decodeRtp(bytes).sequenceNumber));
        assertEquals(shared.length, 100);
        for (const bytes of shared) {
          assertEquals(bytes, wanted.get(decodeRtp(bytes).sequenceNumber));
        }
      }
      const told = await test.server.sessions();
      assertEquals(told.map(({ framesDropped }) => framesDropped), told.map(() => 0));
    } finally {
      for (const reader of readers) await reader[Symbol.asyncDispose]();
    }
  });

  Deno.test(`RtspServer sends large live frames in slices, all to each reader, sent the ${udp} way`, async () => {
    const large = FRAMES.slice(0, 3).map((frame) => largeFrame(frame));
    const files = { "movie.mjpeg": concat(large) };
    await using test = await live({ udp, burstPackets: 8, frameRateHz: 10 }, files);
    const readers = await Promise.all(Array.from({ length: 5 }, () => UdpReader.setUp(test)));
    try {
      for (const { reader } of readers) await reader.ask("PLAY");
      await readers[0].rtp.received(150);
      // Leaves in the middle of a frame: the others are not disturbed, and it gets the frame's end.
      await readers[0].reader.ask("PAUSE");
      await delay(50);
      const left = readers[0].packets.length;
      for (const { rtp } of readers.slice(1)) await rtp.received(left + 200);
      assertEquals(readers[0].packets.length, left);
      for (const { packets } of readers) assertUnbroken(packets.map(decodeRtp));
      assert(decodeRtp(readers[0].packets.at(-1)!).marker, "a frame that was begun is finished");
      const [, one, two] = readers;
      assert(placesOf(picturesOf(one.packets), large).every((place) => place >= 0));
      const byNumber = new Map(
        two.packets.map((bytes) => [decodeRtp(bytes).sequenceNumber, bytes]),
      );
      const common = one.packets.filter((bytes) => byNumber.has(decodeRtp(bytes).sequenceNumber));
      assert(common.length > 150);
      for (const bytes of common) {
        assertEquals(bytes, byNumber.get(decodeRtp(bytes).sequenceNumber));
      }
    } finally {
      for (const reader of readers) await reader[Symbol.asyncDispose]();
    }
  });
}

/** A picture whose compressed part is much longer: RTP/JPEG carries no comments. */
function largeFrame(frame: Uint8Array): Uint8Array {
  // Restart markers and stuffing would change the picture; zeros before EOI are skipped by decoders.
  const end = frame.length - 2;
  return concat([frame.subarray(0, end), new Uint8Array(70_000), frame.subarray(end)]);
}

Deno.test("RtspServer pauses one reader of a live film: the numbers go on, and so does the film", async () => {
  await using test = await live();
  await using one = await UdpReader.setUp(test);
  await using two = await UdpReader.setUp(test);
  await one.reader.ask("PLAY");
  await two.reader.ask("PLAY");
  await one.rtp.received(20);
  assertEquals((await one.reader.ask("PAUSE")).statusCode, 200);
  await delay(30);
  const { length } = one.packets;
  await two.rtp.received(two.packets.length + 60);
  assertEquals(one.packets.length, length);
  const play = await one.reader.ask("PLAY");
  await one.rtp.received(length + 20);
  const next = decodeRtp(one.packets[length]), last = decodeRtp(one.packets[length - 1]);
  assertEquals(infoOf(play).seq, next.sequenceNumber);
  assert((next.sequenceNumber - last.sequenceNumber + 65_536) % 65_536 > 50);
  assertUnbroken(two.packets.map(decodeRtp));
});

Deno.test("RtspServer reports a live source with its own counters to every reader, at once and now and then", async () => {
  await using test = await live({ workers: 1 });
  await using one = await UdpReader.setUp(test);
  await one.reader.ask("PLAY");
  await one.rtp.received(50);
  await using two = await UdpReader.setUp(test);
  await two.reader.ask("PLAY");
  await two.rtcp.received(1);
  await two.rtp.received(1);
  assert(
    two.rtcp.datagrams[0].at <= two.rtp.datagrams[0].at + 5,
    "the time comes with the first frame",
  );
  const [report] = decodeRtcp(two.rtcp.datagrams[0].bytes);
  assert(report.type === "SR");
  const first = decodeRtp(one.packets[0]).sequenceNumber;
  const joined = decodeRtp(two.packets[0]).sequenceNumber;
  assertEquals([report.ssrc, report.packetCount], [
    one.reader.ssrc,
    (joined - first + 65_536) % 65_536,
  ]);
  await one.rtcp.received(2, 8000);
  await two.rtcp.received(2, 8000);
  assertEquals(one.rtcp.datagrams[1].bytes, two.rtcp.datagrams[1].bytes);
  // What each reader reports is its own.
  const port = await serverRtcpPort(two);
  two.rtcp.socket.sendTo(reportOf(one.reader.ssrc, 7), { hostname: "127.0.0.1", port });
  await delay(50);
  assertEquals((await test.server.sessions()).map(({ packetsLost }) => packetsLost), [0, 7]);
});

/** A receiver report of so many packets lost. */
function reportOf(ssrc: number, cumulativeLost: number): Uint8Array {
  const block = {
    ssrc,
    fractionLost: 128,
    cumulativeLost,
    extendedHighestSequenceNumber: 0,
    interarrivalJitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
  };
  return encodeRtcp([{ type: "RR", ssrc: 1, reports: [block] }], { isReducedSize: true });
}

/** Where the server's reports come from. */
async function serverRtcpPort({ reader, transport }: UdpReader): Promise<number> {
  const answer = await reader.ask("SETUP", { Transport: transport });
  return Number(/server_port=\d+-(\d+)/.exec(answer.headers.get("transport")!)![1]);
}

Deno.test("RtspServer tells readers of one host and one SSRC apart, though a NAT changes their ports", async () => {
  await using test = await live({ workers: 1 });
  await using one = await UdpReader.setUp(test);
  await using two = await UdpReader.setUp(test);
  const port = await serverRtcpPort(one);
  const outside = [new UdpProbe(), new UdpProbe()];
  for (const [index, { socket }] of [...outside.entries(), ...outside.entries()]) {
    const report = reportOf(one.reader.ssrc, 10 + index);
    socket.sendTo(report, { hostname: "127.0.0.1", port });
    await delay(20);
  }
  const told = await test.server.sessions();
  assertEquals(told.map(({ packetsLost }) => packetsLost).sort(), [10, 11]);
  assertEquals(told.map(({ receiverReports }) => receiverReports), [2, 2]);
  await two.reader.ask("TEARDOWN");
  for (const probe of outside) await probe[Symbol.asyncDispose]();
});

Deno.test("RtspServer plays a live film to lab clients: whole frames, each client's numbers from 1", async () => {
  await using test = await live();
  await using one = new UdpProbe();
  await using two = new UdpProbe();
  for (const [index, rtp] of [one, two].entries()) {
    const probe = await RtspProbe.connect(test.port);
    await probe.send(
      `SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${rtp.port}`,
    );
    const session = /Session: (\d+)/.exec(await probe.text(150))![1];
    await probe.send(`PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}`);
    await rtp.received(10);
    await probe.send(`PAUSE movie.mjpeg RTSP/1.0\nCSeq: 3\nSession: ${session}`);
    assertMatch(await probe.text(150), /200 OK/);
    const { length } = rtp.datagrams;
    assertEquals(await rtp.countWithin(100), 0);
    await probe.send(`PLAY movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: ${session}`);
    await rtp.received(length + 25);
    assertEquals(rtp.rtp.map(({ sequenceNumber }) => sequenceNumber), rtp.rtp.map((_, i) => i + 1));
    const places = rtp.rtp.map(({ payload }) =>
      FRAMES.findIndex((frame) => frame.join() === payload.join())
    );
    assert(places.every((place) => place >= 0), `client ${index}`);
    const seen = places.slice(length);
    assertEquals(seen, seen.map((_, i) => (seen[0] + i) % FRAMES.length), "the loop has no seam");
    await probe[Symbol.asyncDispose]();
  }
});

Deno.test("RtspServer plays the same moment of a live film to our client by UDP, by TCP and in the lab's dialect", async () => {
  await using test = await live({ frameRateHz: 20 });
  const host = "127.0.0.1", file = "movie.mjpeg";
  const clients = [
    new RtspClient({ url: test.url(file), transport: "udp" }),
    new RtspClient({ url: test.url(file), transport: "tcp" }),
    new RtspClient({ url: { host, port: test.port, file }, dialect: "lab" }),
  ];
  const newest: number[] = [];
  const counts = clients.map(() => 0);
  try {
    for (const [index, client] of clients.entries()) {
      client.onFrame(({ jpeg }) => {
        newest[index] = placesOf([jpeg], FRAMES)[0];
        counts[index]++;
      });
      await client.setup();
      await client.play();
      await delay(60);
    }
    const end = performance.now() + 10_000;
    while (counts.some((count) => count < 20) && performance.now() < end) await delay(10);
    assert(counts.every((count) => count >= 20), counts.join());
    const spread = newest.map((place) => (place - newest[0] + 30) % 20 - 10);
    assert(spread.every((frames) => Math.abs(frames) <= 4), `frames shown together: ${newest}`);
    assertEquals(clients.map((client) => client.statistics().lost), [0, 0, 0]);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});

Deno.test("RtspServer goes on with a live film for the others when a reader stalls its connection, and names it", async () => {
  const large = FRAMES.slice(0, 5).map(largeFrame);
  await using test = await live({ frameRateHz: 60, writeTimeoutMs: 60_000 }, {
    "movie.mjpeg": concat(large),
  });
  const stalled = await Deno.connect({ hostname: "127.0.0.1", port: test.port });
  const say = (text: string) => stalled.write(new TextEncoder().encode(text));
  const url = test.url("movie.mjpeg");
  await say(`SETUP ${url} RTSP/1.0\r\nCSeq: 1\r\nTransport: ${TCP}\r\n\r\n`);
  const answer = new Uint8Array(1000);
  const text = new TextDecoder().decode(answer.subarray(0, (await stalled.read(answer))!));
  const session = /Session: ([^;]+)/.exec(text)![1];
  await say(`PLAY ${url} RTSP/1.0\r\nCSeq: 2\r\nSession: ${session}\r\n\r\n`);
  try {
    await using one = await Reader.setUp(test, TCP);
    await using two = await UdpReader.setUp(test);
    await one.ask("PLAY");
    await two.reader.ask("PLAY");
    const end = performance.now() + 15_000;
    const isTold = () =>
      test.events.some((event) => event.type === "warning" && event.message.includes("too slowly"));
    while (!isTold() && performance.now() < end) await delay(20);
    assert(isTold());
    const [slow, fast, udp] = await test.server.sessions();
    assert(slow.framesDropped > 0 && slow.frames < fast.frames + 40);
    assertEquals([fast.framesDropped, udp.framesDropped], [0, 0]);
    one.probe.packets.length = 0;
    assertUnbroken((await one.probe.interleaved(0, 300)).map(decodeRtp));
  } finally {
    stalled.close();
  }
});

Deno.test("RtspServer bears readers that come and go all the time: the others miss nothing, nothing is left", async () => {
  await using test = await live({ frameRateHz: 100 });
  await using steady = await UdpReader.setUp(test);
  await steady.reader.ask("PLAY");
  for (let round = 0; round < 6; round++) {
    const readers = await Promise.all(
      Array.from(
        { length: 5 },
        (_, i) => i % 2 === 0 ? UdpReader.setUp(test) : Reader.setUp(test, TCP),
      ),
    );
    await Promise.all(readers.map(async (made) => {
      const reader = made instanceof UdpReader ? made.reader : made;
      await reader.ask("PLAY");
      await delay(20 + 10 * round);
      // A session over UDP outlives its connection for a minute.
      if (round % 2 === 0 || made instanceof UdpReader) await reader.ask("TEARDOWN");
      await made[Symbol.asyncDispose]();
    }));
  }
  assertUnbroken(steady.rtp.rtp);
  await steady.reader.ask("TEARDOWN");
  await delay(100); // what was sent before may still have to be read
  const { length } = steady.packets;
  const before = steady.reader.ssrc;
  await delay(100);
  assertEquals(steady.packets.length, length);
  // Nobody is left: the next reader begins another stream.
  await using next = await UdpReader.setUp(test);
  assertNotEquals(next.reader.ssrc, before);
});

Deno.test("RtspServer shows a live film where the clock says, though nobody looked meanwhile", async () => {
  await using test = await live({ frameRateHz: 20 });
  await using reader = await Reader.setUp(test, TCP);
  const durationMs = FRAMES.length * 50;
  const shown: number[] = [];
  for (const waitMs of [0, 330]) {
    await delay(waitMs);
    const before = reader.probe.packets.length;
    await reader.ask("PLAY");
    const packets = await reader.probe.interleaved(0, before + 20);
    await reader.ask("PAUSE");
    shown.push(placesOf(picturesOf(packets.slice(before)), FRAMES)[0]);
    const at = (shown.at(-1)! * 50 - Date.now() % durationMs + 2.5 * durationMs) % durationMs;
    assert(
      Math.abs(at - durationMs / 2) < 300,
      `frame ${shown.at(-1)} is ${at - durationMs / 2} ms off`,
    );
  }
  assertNotEquals(shown[0], shown[1]);
  const timestamps = reader.probe.packets.filter(({ channel }) => channel === 0)
    .map(({ bytes }) => decodeRtp(bytes).timestamp);
  const ticks = (timestamps.at(-1)! - timestamps[0] + 2 ** 32) % 2 ** 32;
  assert(ticks > 0.33 * 90_000 && ticks < 3 * 90_000, `${ticks} ticks`);
});

Deno.test("RtspServer says goodbye to readers of a live film when it is stopped", async () => {
  await using one = new UdpReader();
  {
    await using test = await live();
    one.reader = await Reader.setUp(test, one.transport);
    await one.reader.ask("PLAY");
    await one.rtp.received(10);
  }
  await one.rtcp.received(2);
  const last = decodeRtcp(one.rtcp.datagrams.at(-1)!.bytes);
  assertEquals(last.map(({ type }) => type), ["SR", "SDES", "BYE"]);
});

Deno.test("RtspServer changes the transport of a reader of a live film while it plays", async () => {
  await using test = await live();
  await using one = await UdpReader.setUp(test);
  await one.reader.ask("PLAY");
  await one.rtp.received(10);
  const again = await one.reader.ask("SETUP", { Transport: TCP });
  assertEquals(again.statusCode, 200);
  const packets = await one.reader.probe.interleaved(0, 20);
  const last = decodeRtp(one.packets.at(-1)!).sequenceNumber;
  assertEquals(decodeRtp(packets[0]).sequenceNumber, (last + 1) % 65_536);
});

Deno.test("RtspServer plays a live film that grows from its newest frame on, and ends it with the file", async () => {
  await using test = await live({ follow: true }, { "movie.mjpeg": labFile(FRAMES.slice(0, 10)) });
  await using one = await UdpReader.setUp(test);
  await one.reader.ask("PLAY");
  const path = `${test.folder}/movie.mjpeg`;
  const shown = () => placesOf(picturesOf(one.packets), FRAMES);
  const until = async (count: number) => {
    for (let wait = 0; shown().length < count && wait < 300; wait++) await delay(10);
  };
  await until(1);
  await Deno.writeFile(path, labFile(FRAMES.slice(10, 14)), { append: true });
  await until(5);
  assertEquals(shown(), [9, 10, 11, 12, 13]);
  await Deno.truncate(path, 100);
  await test.event("stream-ended");
  await delay(50);
  const last = decodeRtcp(one.rtcp.datagrams.at(-1)!.bytes);
  assertEquals(last.map(({ type }) => type), ["SR", "SDES", "BYE"]);
});

Deno.test("RtspServer plays live frames that lab clients' buffers are too small for, and some that cannot be sent", async () => {
  const files = { "movie.mjpeg": labFile([...FRAMES.slice(0, 3), paddedJpeg(FRAMES[3], 30_000)]) };
  await using test = await live({}, files);
  await using one = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(
    `SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${one.port}`,
  );
  await probe.text(150);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 1");
  await one.received(12);
  assert(one.datagrams.every(({ bytes }) => bytes.length <= 20_480));
});
