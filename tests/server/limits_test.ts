import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { AddressLimit } from "../../lib/server/connection_limits.ts";
import { RtspServer } from "../../lib/server/server.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { TestServer } from "../support/test_server.ts";

Deno.test("AddressLimit counts in all and by address, and says which limit forbids", () => {
  const limit = new AddressLimit({ total: 3, perAddress: 2 });
  assertEquals(limit.take("a"), undefined);
  assertEquals(limit.take("a"), undefined);
  assertMatch(limit.take("a")!, /2 from a/);
  assertEquals(limit.take("b"), undefined);
  assertMatch(limit.take("c")!, /3 in all/);
  limit.release("a");
  assertEquals(limit.take("c"), undefined);
  limit.release("nobody");
  assertEquals(limit.total, 3);
});

Deno.test("RtspServer turns connections above the limit away with 503, and takes new ones when others end", async () => {
  await using test = await TestServer.start({ maxConnectionsPerAddress: 2 });
  await using first = await RtspProbe.connect(test.port);
  await using second = await RtspProbe.connect(test.port);
  await first.ask("OPTIONS", "*");
  await second.ask("OPTIONS", "*");
  await using third = await RtspProbe.connect(test.port);
  assertMatch(await third.text(1000), /^RTSP\/1.0 503 Service Unavailable\r\n/);
  assert(await third.ended());
  assertEquals((await first.ask("OPTIONS", "*")).statusCode, 200);
  assertEquals((await test.server.statistics()).connectionsRefused, 1);
  second.close();
  await test.event("connection-closed");
  await using fourth = await RtspProbe.connect(test.port);
  assertEquals((await fourth.ask("OPTIONS", "*")).statusCode, 200);
});

Deno.test("RtspServer that cannot keep up leaves out frames, answers all the same, and refuses SETUP with 453", async () => {
  await using test = await TestServer.start({
    maxLatenessMs: 20,
    loop: true,
    frameRateHz: 100,
    workers: 1, // this one is held below
  });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = (channel: number) => {
    const Transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
    return probe.ask("SETUP", url, { Transport });
  };
  const session = (await setup(0)).headers.get("session")!.split(";")[0];
  await probe.ask("PLAY", url, { Session: session });
  // Something holds the thread for most of the time.
  const holder = setInterval(() => {
    for (const end = performance.now() + 80; performance.now() < end;);
  }, 85);
  try {
    let refused = await setup(2);
    const end = performance.now() + 20_000;
    for (let channel = 4; refused.statusCode === 200 && performance.now() < end; channel += 2) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      refused = await setup(channel);
    }
    assertEquals(refused.statusCode, 453);
    assertMatch(refused.body, /frames are \d+ ms late/);
    assertEquals((await probe.ask("OPTIONS", "*")).statusCode, 200);
  } finally {
    clearInterval(holder);
  }
  assert(
    test.events.some((event) =>
      event.type === "warning" && /^Overloaded: frames are \d+ ms late/.test(event.message)
    ),
  );
  const [playing] = await test.server.sessions();
  assert(playing.frames > 5 && playing.framesDropped > 5, JSON.stringify(playing));
});

Deno.test("RtspServer limits the sessions too: 453", async () => {
  await using test = await TestServer.start({ maxConnections: 3 });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  for (let channel = 0; channel < 6; channel += 2) {
    const Transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
    assertEquals((await probe.ask("SETUP", url, { Transport })).statusCode, 200);
  }
  const refused = await probe.ask("SETUP", url, {
    Transport: "RTP/AVP/TCP;unicast;interleaved=6-7",
  });
  assertEquals(refused.statusCode, 453);
  assertMatch(refused.body, /3 in all/);
});

Deno.test("RtspServer closes a connection with half a request, and one that asks nothing", async () => {
  await using test = await TestServer.start({ requestTimeoutMs: 150, idleTimeoutMs: 2000 });
  await using half = await RtspProbe.connect(test.port);
  await using silent = await RtspProbe.connect(test.port);
  await half.send("OPTIONS * RTSP/1.0\r\nCSe");
  const from = performance.now();
  assert(await half.ended(2000));
  assert(performance.now() - from < 1900, "the half request is closed first");
  assert(await silent.ended(5000));
});

Deno.test("RtspServer survives endless lines, a thousand headers, and what is no RTSP at all", async () => {
  await using test = await TestServer.start();
  const cases = [
    "x".repeat(100_000),
    `OPTIONS ${"*".repeat(100_000)}`,
    `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n${"A: b\r\n".repeat(1000)}\r\n`,
    `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999999\r\n\r\n`,
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "\0".repeat(5000),
    "\r\n".repeat(50_000),
  ];
  for (const bytes of cases) {
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(bytes).catch(() => {});
    await probe.text(30);
  }
  for (let round = 0; round < 20; round++) {
    await using probe = await RtspProbe.connect(test.port);
    await probe.send(crypto.getRandomValues(new Uint8Array(3000))).catch(() => {});
  }
  await using probe = await RtspProbe.connect(test.port);
  assertEquals((await probe.ask("OPTIONS", "*")).statusCode, 200);
  assert((await test.server.statistics()).malformedMessages > 0);
});

Deno.test("RtspServer gives a slow TCP reader whole frames, fewer of them, and no hole in the numbers", async () => {
  await using test = await TestServer.start({ loop: true, frameRateHz: 500 });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: test.port });
  const ask = async (text: string) => {
    await connection.write(new TextEncoder().encode(text));
  };
  const url = test.url("movie.mjpeg");
  await ask(`SETUP ${url} RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n`);
  const buffer = new Uint8Array(65_536);
  let count = await connection.read(buffer);
  const id = /Session: (\w+)/.exec(new TextDecoder().decode(buffer.subarray(0, count!)))![1];
  await ask(`PLAY ${url} RTSP/1.0\r\nCSeq: 2\r\nSession: ${id}\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const [stalled] = await test.server.sessions();
  const chunks: number[] = [];
  const until = performance.now() + 1500;
  while (performance.now() < until) {
    count = await connection.read(buffer);
    if (count === null) break;
    for (const byte of buffer.subarray(0, count)) chunks.push(byte);
  }
  connection.close();
  const bytes = new Uint8Array(chunks);
  let offset = new TextDecoder("latin1").decode(bytes.subarray(0, 2000)).indexOf("\r\n\r\n") + 4;
  const numbers: number[] = [];
  while (offset + 4 < bytes.length) {
    assertEquals(bytes[offset], 0x24, "interleaved framing never breaks");
    const size = (bytes[offset + 2] << 8) | bytes[offset + 3];
    if (offset + 4 + size > bytes.length) break;
    if (bytes[offset + 1] === 0) {
      numbers.push(decodeRtp(bytes.subarray(offset + 4, offset + 4 + size)).sequenceNumber);
    }
    offset += 4 + size;
  }
  assert(numbers.length > 100);
  const holes = numbers.slice(1).filter((number, index) =>
    number !== (numbers[index] + 1) % 65_536
  );
  assertEquals(holes, []);
  assert(stalled.framesDropped > 0);
});

Deno.test("RtspServer closes a client that reads nothing while frames wait", async () => {
  await using test = await TestServer.start(
    { loop: true, frameRateHz: 500, writeTimeoutMs: 300 },
    undefined,
  );
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: test.port });
  const send = (text: string) => connection.write(new TextEncoder().encode(text));
  const url = test.url("movie.mjpeg");
  await send(`SETUP ${url} RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n`);
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer);
  const id = /Session: (\w+)/.exec(new TextDecoder().decode(buffer.subarray(0, count!)))![1];
  await send(`PLAY ${url} RTSP/1.0\r\nCSeq: 2\r\nSession: ${id}\r\n\r\n`);
  const ended = await test.event("session-ended", 15_000);
  assert(ended.framesDropped > 0, "newer frames replaced the one that waited");
  assertMatch((await test.event("connection-closed")).reason, /read nothing for 0\.3 s/);
  connection.close();
});

Deno.test("RtspServer.start() says what to do about a port in use, a missing folder, used-up UDP ports", async () => {
  await using test = await TestServer.start();
  const start = (options: Record<string, unknown>) =>
    RtspServer.start({ media: test.folder, hostname: "127.0.0.1", port: 0, ...options });
  await assertRejects(() => start({ port: test.port }), TransportError, "in use");
  await assertRejects(
    () => start({ media: `${test.folder}/none` }),
    TransportError,
    "no such folder",
  );
  await assertRejects(
    () => start({ media: `${test.folder}/movie.mjpeg` }),
    TransportError,
    "no folder",
  );
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await assertRejects(
    () => start({ rtpPorts: [rtp.port, rtcp.port] }),
    TransportError,
    "none is free",
  );
});

Deno.test("RtspServer.close() says goodbye to all readers, closes their connections, and may be repeated", async () => {
  const test = await TestServer.start({ loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using udp = await RtspProbe.connect(test.port);
  await using tcp = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setups = [
    await udp.ask("SETUP", url, {
      Transport: `RTP/AVP;unicast;client_port=${rtp.port}-${rtcp.port}`,
    }),
    await tcp.ask("SETUP", url, { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" }),
  ];
  const ids = setups.map((setup) => setup.headers.get("session")!.split(";")[0]);
  await udp.ask("PLAY", url, { Session: ids[0] });
  await tcp.ask("PLAY", url, { Session: ids[1] });
  await rtp.received(1);
  await tcp.interleaved(0, 1);
  await test[Symbol.asyncDispose]();
  await test.server.close();
  assert(await udp.ended() && await tcp.ended());
  const isGoodbye = (bytes: Uint8Array) => bytes.includes(203);
  await rtcp.received(2);
  assert(isGoodbye(rtcp.datagrams.at(-1)!.bytes));
  assert(isGoodbye((await tcp.interleaved(1, 2)).at(-1)!));
  assertEquals(test.events.filter((event) => event.type === "session-ended").length, 2);
});
