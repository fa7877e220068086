import { assert, assertEquals, assertMatch } from "@std/assert";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, paddedJpeg, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

/** SETUP as most lab clients send it: no newline at the end, no blank line. */
function labSetup(port: number, file = "movie.mjpeg", cseq = 1): string {
  return `SETUP ${file} RTSP/1.0\nCSeq: ${cseq}\nTransport: RTP/UDP; client_port= ${port}`;
}

/** The three lines that answer the lab's request; returns the session number. */
async function okOf(probe: RtspProbe, cseq: number): Promise<string> {
  let text = await probe.text(120);
  // The machine may be busy.
  for (let wait = 0; text === "" && wait < 30; wait++) text = await probe.text(120);
  const match = new RegExp(`^RTSP/1.0 200 OK\nCSeq: ${cseq}\nSession: ([1-9]\\d{5})\n$`).exec(text);
  if (match === null) throw new Error(`not the three lines: ${JSON.stringify(text)}`);
  return match[1];
}

Deno.test("RtspServer plays a film to a lab client: every frame, whole, in order, numbered from 1", async () => {
  const frames = sampleFrames(20);
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(rtp.port));
  const session = await okOf(probe, 1);
  await probe.send(`PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: ${session}`);
  assertEquals(await okOf(probe, 2), session);
  await rtp.received(20);
  const packets = rtp.rtp;
  assertEquals(packets.map((packet) => packet.sequenceNumber), frames.map((_, index) => index + 1));
  assertEquals(packets.map((packet) => packet.payload), frames);
  assert(packets.every((packet) => packet.marker && packet.payloadType === 26));
  const steps = packets.slice(1).map((packet, index) =>
    packet.timestamp - packets[index].timestamp
  );
  assertEquals(new Set(steps), new Set([1800]));
  await test.event("stream-ended");
  assertEquals(await rtp.countWithin(100), 0, "silent at the end of the file");
  await probe.send(`PAUSE movie.mjpeg RTSP/1.0\nCSeq: 3\nSession: ${session}`);
  assertEquals(await okOf(probe, 3), session, "the session is kept at the end of the file");
  await probe.send(`TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: ${session}`);
  assertEquals(await okOf(probe, 4), session);
  const ended = await test.event("session-ended");
  assertEquals([ended.frames, ended.packets, ended.dialect], [20, 20, "lab"]);
});

Deno.test("RtspServer stops a lab client's frames at PAUSE and goes on with the next number", async () => {
  await using test = await TestServer.start({ loop: true });
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(rtp.port) + "\n");
  await okOf(probe, 1);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\n");
  await okOf(probe, 2);
  await rtp.received(4);
  await probe.send("PAUSE movie.mjpeg RTSP/1.0\nCSeq: 3\nSession: 123456\n");
  await okOf(probe, 3);
  const paused = rtp.datagrams.length;
  assertEquals(await rtp.countWithin(100), 0);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: 123456\n");
  await okOf(probe, 4);
  await rtp.received(paused + 25);
  const numbers = rtp.rtp.map((packet) => packet.sequenceNumber);
  assertEquals(numbers, numbers.map((_, index) => index + 1), "no hole, and none at the loop");
});

Deno.test("RtspServer closes a lab connection about a second after TEARDOWN, or with the client's FIN", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  for (const waits of [true, false]) {
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(labSetup(rtp.port));
    await okOf(probe, 1);
    await probe.send("TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456");
    await okOf(probe, 2);
    const from = performance.now();
    if (!waits) await probe.closeWrite();
    assert(await probe.ended(3000));
    const tookMs = performance.now() - from;
    if (waits) assert(tookMs > 500, `closed after ${tookMs} ms`);
    else assert(tookMs < 500, `closed after ${tookMs} ms`);
  }
});

Deno.test("RtspServer ends a lab stream at once when its connection ends", async () => {
  await using test = await TestServer.start({ loop: true });
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(rtp.port));
  await okOf(probe, 1);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456");
  await rtp.received(3);
  probe.close();
  const ended = await test.event("session-ended", 1000);
  assertMatch(ended.reason, /connection/);
  await rtp.countWithin(40);
  assertEquals(await rtp.countWithin(100), 0);
  assertEquals(await test.server.sessions(), []);
});

Deno.test("RtspServer answers 404 for a missing film in the lab's three lines, and takes another SETUP", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(rtp.port, "nothing.mjpeg"));
  assertMatch(await probe.text(120), /^RTSP\/1.0 404 Not Found\nCSeq: 1\nSession: \d{6}\n$/);
  await probe.send(labSetup(rtp.port, "movie.mjpeg", 2));
  await okOf(probe, 2);
});

Deno.test("RtspServer finds the lab's ./videos/ and rtsp://name spellings", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  for (const file of ["./videos/movie.mjpeg", "rtsp://movie.mjpeg", "./movie.mjpeg"]) {
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(labSetup(rtp.port, file));
    await okOf(probe, 1);
  }
});

Deno.test("RtspServer holds answers to the odd family back by 5 to 20 ms", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(`SETUP movie.mjpeg\n1\n RTSP/1.0 RTP/UDP ${rtp.port}`);
  await okOf(probe, 1);
  await probe.send("PLAY \n2");
  await okOf(probe, 2);
  await rtp.received(3);
  await probe.send("TEARDOWN \n3");
  await okOf(probe, 3);
});

Deno.test("RtspServer serves a SETUP that is sent twice once, and answers both in writes of their own", async () => {
  await using test = await TestServer.start({ loop: true });
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  const setup = `SETUP movie.mjpeg\n 1 \n RTSP/1.0 RTP/UDP ${rtp.port} `;
  await probe.send(setup + setup);
  const text = await probe.text(200);
  assertMatch(text, /^(RTSP\/1\.0 200 OK\nCSeq: 1\nSession: (\d{6})\n){2}$/);
  assertEquals(probe.arrivals.length, 2);
  await probe.send("PLAY movie.mjpeg\n 2PLAY movie.mjpeg\n 2");
  await probe.text(200);
  assertEquals((await test.server.sessions()).length, 1);
  await rtp.received(5);
  const numbers = rtp.rtp.map((packet) => packet.sequenceNumber);
  assertEquals(numbers, numbers.map((_, index) => index + 1));
});

Deno.test("RtspServer lets a lab client set up anew on the same connection", async () => {
  await using test = await TestServer.start({ loop: true });
  await using first = new UdpProbe();
  await using second = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(first.port));
  await okOf(probe, 1);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 1");
  await first.received(2);
  await probe.text(50);
  await probe.send(labSetup(second.port, "movie.mjpeg", 3));
  await okOf(probe, 3);
  await probe.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: 1");
  await second.received(2);
  assertEquals(second.rtp[0].sequenceNumber, 1);
  assertEquals((await test.server.sessions()).length, 1);
});

Deno.test("RtspServer describes a film to lab clients: Java's lines, and Python's", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  await using java = await RtspProbe.connect(test.port);
  await java.send(
    `SETUP movie.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= ${rtp.port}\r\n`,
  );
  const setup = await java.text(120);
  const session = /^RTSP\/1.0 200 OK\r\nCSeq: 1\r\nSession: (\d{6})\r\n$/.exec(setup)![1];
  await java.send("DESCRIBE movie.mjpeg RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n");
  const body = `v=0\r\nm=video ${rtp.port} RTP/AVP 26\r\na=control:streamid=${session}\r\n` +
    'a=mimetype:string;"video/MJPEG"\r\n';
  await java.expect(
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: movie.mjpeg\r\nContent-Type: application/sdp\r\n" +
      `Content-Length: ${body.length}\r\n${body}`,
  );
  await using python = await RtspProbe.connect(test.port);
  await python.send("DESCRIBE movie.mjpeg RTSP/1.0\nCSeq: 1\nAccept: application/sdp\n");
  const text = await python.text(200);
  const [head, description] = text.split("\n\n");
  assertMatch(
    head,
    /^RTSP\/1.0 200 OK\nCSeq: 1\nSession: \d{6}\nContent-Type: application\/sdp\nContent-Length: \d+$/,
  );
  assertMatch(description, /^v=0\no=.*\ns=.*\nm=video 0 RTP\/AVP 26\n/);
});

Deno.test("RtspServer re-encodes frames above a lab client's buffer, once, and says so", async () => {
  const [small, other] = sampleFrames(2);
  const large = paddedJpeg(other, 30_000);
  await using test = await TestServer.start({ frameRateHz: 10 }, {
    "large.mjpeg": labFile([small, large]),
  });
  for (let round = 0; round < 2; round++) {
    await using rtp = new UdpProbe();
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(labSetup(rtp.port, "large.mjpeg"));
    await okOf(probe, 1);
    await probe.send("PLAY large.mjpeg RTSP/1.0\nCSeq: 2\nSession: 1");
    await rtp.received(2, 20_000);
    assertEquals(rtp.rtp[0].payload, small, "a small frame stays as it is");
    const fitted = rtp.rtp[1].payload;
    assert(fitted.length <= 20_468, `${fitted.length} bytes`);
    assertEquals([...fitted.subarray(0, 2)], [0xff, 0xd8]);
  }
  const notices = test.events.filter((event) => event.type === "notice");
  assertEquals(notices.length, 1);
});

Deno.test("RtspServer sends large frames as they are with fit off, and refuses what no datagram holds", async () => {
  const [frame] = sampleFrames(1);
  const large = paddedJpeg(frame, 65_495);
  await using test = await TestServer.start({ fit: false }, {
    "large.mjpeg": labFile([large]),
    "huge.mjpeg": labFile([paddedJpeg(frame, 65_500)]),
  });
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  await probe.send(labSetup(rtp.port, "huge.mjpeg"));
  assertMatch(await probe.text(120), /^RTSP\/1.0 415 [^\n]*\nCSeq: 1\nSession: \d{6}\n$/);
  await probe.send(labSetup(rtp.port, "large.mjpeg", 2));
  await okOf(probe, 2);
  await probe.send("PLAY large.mjpeg RTSP/1.0\nCSeq: 3\nSession: 1");
  await rtp.received(1);
  assertEquals(rtp.rtp[0].payload, large);
});
