import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { encodeRtcp, unixMsFromNtp } from "../../lib/rtcp.ts";
import { decodeRtcp } from "../../lib/rtcp.ts";
import { openUdpPair } from "../../lib/net/udp.ts";
import { decodeRtp } from "../../lib/rtp.ts";
import { JpegDepacketizer } from "../../lib/rtp_jpeg.ts";
import { parseSdp } from "../../lib/sdp.ts";
import { type ProbeResponse, RtspProbe, UdpProbe } from "../support/rtsp_probe.ts";
import { labFile, sampleFrames } from "../support/sample_frames.ts";
import { TestServer } from "../support/test_server.ts";

const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };

/** The session of a SETUP response, for the Session header. */
function sessionOf(response: ProbeResponse): { Session: string } {
  assertEquals(response.statusCode, 200);
  const value = response.headers.get("session") ?? "";
  assertMatch(value, /^[0-9a-f]{32};timeout=\d+$/);
  return { Session: value.split(";")[0] };
}

function udp(rtp: UdpProbe, rtcp: UdpProbe) {
  return { Transport: `RTP/AVP;unicast;client_port=${rtp.port}-${rtcp.port}` };
}

/** The sequence number and timestamp that the PLAY response promises. */
function rtpInfoOf(response: ProbeResponse): { seq: number; rtptime: number; url: string } {
  const match = /^url=([^;]+);seq=(\d+);rtptime=(\d+)$/.exec(
    response.headers.get("rtp-info") ?? "",
  );
  if (match === null) throw new Error(`RTP-Info: ${response.headers.get("rtp-info")}`);
  return { url: match[1], seq: Number(match[2]), rtptime: Number(match[3]) };
}

/** Whole pictures out of RTP packets. */
function picturesOf(datagrams: readonly Uint8Array[]): Uint8Array[] {
  const depacketizer = new JpegDepacketizer();
  return datagrams.flatMap((bytes) => depacketizer.push(decodeRtp(bytes), 0)?.jpeg ?? []);
}

Deno.test("RtspServer describes a film that is named by less than a URL, or by one that cannot be", async () => {
  await using test = await TestServer.start();
  await using probe = await RtspProbe.connect(test.port);
  const names = [
    "movie.mjpeg",
    "/movie.mjpeg",
    "rtsp:///movie.mjpeg",
    "rtsp://h:99999/movie.mjpeg",
  ];
  for (const name of [...names, "http://h/movie.mjpeg"]) {
    const response = await probe.ask("DESCRIBE", name);
    assertEquals(response.statusCode, 200, name);
    assertEquals(response.headers.get("content-base"), `${test.url("movie.mjpeg")}/`, name);
  }
});

Deno.test("RtspServer describes a film as players need it", async () => {
  await using test = await TestServer.start({ frameRateHz: undefined });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const response = await probe.ask("DESCRIBE", url, { Accept: "application/sdp" });
  assertEquals(response.statusCode, 200);
  assertEquals(response.headers.get("content-base"), `${url}/`);
  assertEquals(response.headers.get("content-type"), "application/sdp");
  const sdp = parseSdp(response.body);
  assertEquals(sdp.attributes.find(([name]) => name === "control")?.[1], "*");
  assertEquals(sdp.attributes.find(([name]) => name === "range")?.[1], "npt=0-1.000");
  assertEquals(sdp.media.length, 1);
  const [media] = sdp.media;
  assertEquals([media.kind, media.port, media.protocol, media.formats], ["video", 0, "RTP/AVP", [
    "26",
  ]]);
  assertEquals(
    new Map(media.attributes as [string, string][]),
    new Map([
      ["rtpmap", "26 JPEG/90000"],
      ["framerate", "20"],
      ["x-dimensions", "320,240"],
      ["framesize", "26 320-240"],
      ["control", "trackID=0"],
    ]),
  );
});

Deno.test("RtspServer names the control absolutely when the URL has a query", async () => {
  await using test = await TestServer.start();
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const response = await probe.ask("DESCRIBE", `${url}?x=1&y=/z`);
  assertEquals(response.headers.get("content-base"), `${url}/`);
  assertMatch(response.body, new RegExp(`a=control:${url}/trackID=0\r\n`));
  for (const uri of [`${url}?x=1/trackID=0`, `${url}/trackID=0?x=1`, `${url}//trackID=0/`, url]) {
    assertEquals((await probe.ask("SETUP", uri, TCP)).statusCode, 200, uri);
  }
});

Deno.test("RtspServer serves sub-folders and names with blanks and other letters, and nothing outside", async () => {
  const film = labFile(sampleFrames(1));
  await using test = await TestServer.start({}, {
    "inside/Ein schöner Film.mjpeg": film,
    "100%.mjpeg": film,
  });
  const outside = await Deno.makeTempDir({ prefix: "deno-rtsp-outside-" });
  try {
    await Deno.writeFile(`${outside}/secret.mjpeg`, film);
    await Deno.symlink(`${outside}/secret.mjpeg`, `${test.folder}/link.mjpeg`);
    await Deno.symlink(outside, `${test.folder}/linked`);
    await Deno.symlink(`${test.folder}/100%.mjpeg`, `${test.folder}/within.mjpeg`);
    await Deno.writeFile(`${test.folder}/empty.mjpeg`, new Uint8Array(0));
    await Deno.writeTextFile(`${test.folder}/text.mjpeg`, "no film at all, only words");
    await Deno.writeFile(`${test.folder}/cut.mjpeg`, film.subarray(0, 200));
    await using probe = await RtspProbe.connect(test.port);
    for (const path of ["inside/Ein schöner Film.mjpeg", "100%.mjpeg", "within.mjpeg"]) {
      assertEquals((await probe.ask("DESCRIBE", test.url(path))).statusCode, 200, path);
    }
    const base = test.url("");
    for (
      const path of [
        "missing.mjpeg",
        "link.mjpeg",
        "linked/secret.mjpeg",
        "empty.mjpeg",
        "text.mjpeg",
        "cut.mjpeg",
        "inside",
        "",
        `../${outside.split("/").at(-1)}/secret.mjpeg`,
        `..%2f${outside.split("/").at(-1)}%2fsecret.mjpeg`,
        `inside/%2e%2e/%2e%2e/${outside.split("/").at(-1)}/secret.mjpeg`,
        `/${outside}/secret.mjpeg`,
        "100%25.mjpeg/x",
        "a%00b",
        "C:%5Cwindows",
      ]
    ) {
      const response = await probe.ask("DESCRIBE", base + path);
      assertEquals([response.statusCode, response.body], [404, ""], path);
    }
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
});

Deno.test("RtspServer plays over UDP: what RTP-Info promises, every picture, then SR, SDES and BYE", async () => {
  const frames = sampleFrames(20);
  await using test = await TestServer.start();
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", `${url}/trackID=0`, udp(rtp, rtcp));
  const session = sessionOf(setup);
  const transport = setup.headers.get("transport")!;
  const match = new RegExp(
    `^RTP/AVP;unicast;source=127\\.0\\.0\\.1;client_port=${rtp.port}-${rtcp.port};server_port=(\\d+)-(\\d+);ssrc=([0-9A-F]{8})$`,
  ).exec(transport);
  assert(match !== null, transport);
  assertEquals(Number(match[1]) % 2, 0);
  assertEquals(Number(match[2]), Number(match[1]) + 1);
  const play = await probe.ask("PLAY", `${url}/`, { ...session, Range: "npt=0.000-" });
  assertEquals(play.statusCode, 200);
  assertMatch(play.headers.get("range")!, /^npt=0(\.0+)?-0\.4(0*)$/);
  const info = rtpInfoOf(play);
  assertEquals(info.url, `${url}/trackID=0`);
  await test.event("stream-ended");
  await rtcp.received(2);
  const packets = rtp.rtp;
  assertEquals([packets[0].sequenceNumber, packets[0].timestamp], [info.seq, info.rtptime]);
  assertEquals(packets[0].ssrc, Number.parseInt(match[3], 16));
  assertEquals(packets[0].payloadType, 26);
  assert(packets.every((packet, index) => packet.sequenceNumber === (info.seq + index) % 65536));
  const pictures = picturesOf(rtp.datagrams.map(({ bytes }) => bytes));
  assertEquals(pictures.length, frames.length);
  const first = decodeRtcp(rtcp.datagrams[0].bytes);
  assertEquals(first.map((packet) => packet.type), ["SR", "SDES"]);
  const last = decodeRtcp(rtcp.datagrams.at(-1)!.bytes);
  assertEquals(last.map((packet) => packet.type), ["SR", "SDES", "BYE"]);
  const report = last[0];
  assert(report.type === "SR");
  assertEquals(report.packetCount, packets.length);
  assertEquals(report.octetCount, packets.reduce((sum, { payload }) => sum + payload.length, 0));
  assert(
    rtcp.datagrams.at(-1)!.at >= rtp.datagrams.at(-1)!.at,
    "the goodbye comes after the last frame",
  );
  assertEquals(
    await rtcp.countWithin(1300),
    1,
    "the goodbye is repeated, since it may have been lost",
  );
  // The session is kept: the film can be played again.
  const again = await probe.ask("PLAY", `${url}/`, { ...session, Range: "npt=0.3-" });
  assertEquals(again.statusCode, 200);
  const before = packets.length;
  await rtp.received(before + 1);
  assertEquals(rtp.rtp[before].sequenceNumber, rtpInfoOf(again).seq);
  assertEquals((await probe.ask("TEARDOWN", `${url}/`, session)).statusCode, 200);
});

Deno.test("RtspServer sends the first report with the first frame, and NTP and RTP time agree", async () => {
  await using test = await TestServer.start();
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const session = sessionOf(await probe.ask("SETUP", url, udp(rtp, rtcp)));
  await probe.ask("PLAY", url, session);
  const [first] = await rtcp.received(1, 1000);
  await rtp.received(1);
  assert(Math.abs(first.at - rtp.datagrams[0].at) < 50);
  // The second one comes with the goodbye.
  await rtcp.received(2);
  const reports = rtcp.datagrams.slice(0, 2).map(({ bytes }) => {
    const [report] = decodeRtcp(bytes);
    assert(report.type === "SR");
    return { unixMs: unixMsFromNtp(report.ntp), ticks: report.rtpTimestamp };
  });
  const wallMs = reports[1].unixMs - reports[0].unixMs;
  const mediaMs = ((reports[1].ticks - reports[0].ticks) >>> 0) / 90;
  assert(Math.abs(wallMs - mediaMs) < 1, `${wallMs} ms of NTP time, ${mediaMs} ms of RTP time`);
  assert(Math.abs(reports[0].unixMs - Date.now()) < 5000);
});

Deno.test("RtspServer plays interleaved on the channels that were asked for, several sessions at once", async () => {
  await using test = await TestServer.start();
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const wanted = [[0, 1], [7, 9], [254, 255]];
  const sessions = [];
  for (const [rtp, rtcp] of wanted) {
    const setup = await probe.ask("SETUP", url, {
      Transport: `RTP/AVP/TCP;unicast;interleaved=${rtp}-${rtcp}`,
    });
    assertMatch(setup.headers.get("transport")!, new RegExp(`;interleaved=${rtp}-${rtcp};ssrc=`));
    sessions.push(sessionOf(setup));
  }
  const taken = await probe.ask("SETUP", url, TCP);
  assertMatch(taken.headers.get("transport")!, /interleaved=2-3;/, "taken channels are replaced");
  for (const session of sessions) await probe.ask("PLAY", url, session);
  for (const [rtp, rtcp] of wanted) {
    await probe.interleaved(rtcp, 2);
    const packets = await probe.interleaved(rtp, 1);
    assertEquals(picturesOf(packets).length, 20);
  }
});

Deno.test("RtspServer takes the first transport that it can serve, and answers 461 when there is none", async () => {
  await using test = await TestServer.start();
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const several = await probe.ask("SETUP", url, {
    Transport: "RTP/AVP;multicast,RTP/SAVP;unicast;client_port=5000-5001,RTP/AVP;unicast," +
      "RTP/AVP/TCP;unicast;interleaved=4-5,RTP/AVP;unicast;client_port=5000-5001",
  });
  assertMatch(several.headers.get("transport")!, /^RTP\/AVP\/TCP;unicast;interleaved=4-5;/);
  for (
    const Transport of [
      "RTP/AVP;multicast",
      "RAW/RAW/UDP;unicast;client_port=5000-5001",
      "RTP/AVP;unicast",
      "RTP/AVP;unicast;client_port=0-1",
      "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
      "nonsense",
    ]
  ) {
    assertEquals((await probe.ask("SETUP", url, { Transport })).statusCode, 461, Transport);
  }
  assertEquals((await probe.ask("SETUP", url)).statusCode, 461);
});

Deno.test("RtspServer sends only to the address the request came from", async () => {
  await using test = await TestServer.start();
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const { Transport } = udp(rtp, rtcp);
  const setup = await probe.ask("SETUP", url, { Transport: `${Transport};destination=192.0.2.7` });
  assert(!setup.headers.get("transport")!.includes("192.0.2.7"));
  await probe.ask("PLAY", url, sessionOf(setup));
  await rtp.received(1);
});

Deno.test("RtspServer switches a silent UDP stream to TCP without a Session header, as FFmpeg asks", async () => {
  await using test = await TestServer.start({ loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const session = sessionOf(await probe.ask("SETUP", url, udp(rtp, rtcp)));
  await probe.ask("PLAY", url, session);
  await rtp.received(1);
  assertEquals((await probe.ask("PAUSE", url, session)).statusCode, 200);
  assertEquals(sessionOf(await probe.ask("SETUP", url, TCP)), session);
  const play = await probe.ask("PLAY", url, { ...session, Range: "npt=0.000-" });
  const [packet] = await probe.interleaved(0, 1);
  assertEquals(decodeRtp(packet).sequenceNumber, rtpInfoOf(play).seq);
  assertEquals(await rtp.countWithin(60), 0);
  assertEquals((await test.server.sessions()).length, 1);
});

Deno.test("RtspServer seeks, pauses and resumes", async () => {
  await using test = await TestServer.start({ frameRateHz: 20 });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const session = sessionOf(await probe.ask("SETUP", url, TCP));
  const seek = await probe.ask("PLAY", url, { ...session, Range: "npt=0.5-" });
  assertMatch(seek.headers.get("range")!, /^npt=0\.5(00)?-1(\.0+)?$/);
  await probe.interleaved(0, 1);
  const back = await probe.ask("PLAY", url, { ...session, Range: "npt=0.1-0.2" });
  assertMatch(back.headers.get("range")!, /^npt=0\.1(00)?-0\.2(00)?$/);
  await probe.interleaved(1, 3);
  const whilePlaying = await probe.ask("PLAY", url, { ...session, Range: "npt=0.5-" });
  assertEquals(whilePlaying.statusCode, 200);
  const pause = await probe.ask("PAUSE", url, session);
  assertMatch(pause.headers.get("range")!, /^npt=0\.5\d*-$/);
  const position = /npt=([\d.]+)-/.exec(pause.headers.get("range")!)![1];
  const resume = await probe.ask("PLAY", url, { ...session, Range: "npt=now-" });
  assertMatch(resume.headers.get("range")!, new RegExp(`^npt=${position}`));
  for (const Range of ["npt=5-", "npt=0.5-0.2", "smpte=0:10:00-", "clock=19961108T142300Z-", "x"]) {
    const refused = await probe.ask("PLAY", url, { ...session, Range });
    assertEquals(refused.statusCode, 457, Range);
  }
  assertEquals((await probe.ask("PLAY", url, session)).statusCode, 200, "still playing");
});

Deno.test("RtspServer keeps a UDP session that a receiver report keeps alive, and ends one that is silent", async () => {
  await using test = await TestServer.start({ sessionTimeoutSeconds: 1, loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  const url = test.url("movie.mjpeg");
  await using probe = await RtspProbe.connect(test.port);
  const setup = await probe.ask("SETUP", url, udp(rtp, rtcp));
  const session = sessionOf(setup);
  assertMatch(setup.headers.get("session")!, /;timeout=1$/);
  await probe.ask("PLAY", url, session);
  probe.close();
  const serverRtcp = Number(/server_port=\d+-(\d+)/.exec(setup.headers.get("transport")!)![1]);
  const report = new Uint8Array([0x80, 201, 0, 1, 0, 0, 0, 1]);
  for (let round = 0; round < 8; round++) {
    rtcp.socket.sendTo(report, { hostname: "127.0.0.1", port: serverRtcp });
    await rtp.countWithin(400);
  }
  assert(await rtp.countWithin(50) > 0, "the stream goes on without its connection");
  const ended = await test.event("session-ended", 5000);
  assertMatch(ended.reason, /expired/);
  await rtp.countWithin(40);
  assertEquals(await rtp.countWithin(100), 0);
});

Deno.test("RtspServer lets another connection take over a UDP session", async () => {
  await using test = await TestServer.start({ loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  const url = test.url("movie.mjpeg");
  await using first = await RtspProbe.connect(test.port);
  const session = sessionOf(await first.ask("SETUP", url, udp(rtp, rtcp)));
  first.close();
  await using second = await RtspProbe.connect(test.port);
  assertEquals((await second.ask("PLAY", url, session)).statusCode, 200);
  await rtp.received(1);
  assertEquals((await second.ask("TEARDOWN", url, session)).statusCode, 200);
  assertEquals((await second.ask("PLAY", url, session)).statusCode, 454);
});

Deno.test("RtspServer ends an interleaved stream at once with its connection", async () => {
  await using test = await TestServer.start({ loop: true });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const session = sessionOf(await probe.ask("SETUP", url, TCP));
  await probe.ask("PLAY", url, session);
  await probe.interleaved(0, 1);
  probe.close();
  await test.event("session-ended", 1000);
});

Deno.test("RtspServer reads receiver reports, lost packets signed, and tells them at the end", async () => {
  await using test = await TestServer.start({ loop: true });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", url, TCP);
  const session = sessionOf(setup);
  const ssrc = Number.parseInt(/ssrc=([0-9A-F]+)/.exec(setup.headers.get("transport")!)![1], 16);
  await probe.ask("PLAY", url, session);
  const report = encodeRtcp([{
    type: "RR",
    ssrc: 5,
    reports: [{
      ssrc,
      fractionLost: 0,
      cumulativeLost: -1,
      extendedHighestSequenceNumber: 9,
      interarrivalJitter: 90,
      lastSr: 0,
      delaySinceLastSr: 0,
    }],
  }, { type: "SDES", chunks: [{ ssrc: 5, items: [{ itemType: 1, text: "reader@test" }] }] }]);
  await probe.send(new Uint8Array([0x24, 1, 0, report.length, ...report]));
  await probe.send(new Uint8Array([0x24, 99, 0, 4, 1, 2, 3, 4]));
  await probe.ask("GET_PARAMETER", url, session);
  await probe.ask("TEARDOWN", url, session);
  const ended = await test.event("session-ended");
  assertEquals([ended.receiverReports, ended.packetsLost, ended.jitterMs], [1, -1, 1]);
  assertEquals((await test.server.statistics()).strayDatagrams, 1);
});

Deno.test("RtspServer counts garbage on its UDP ports, and nothing else happens", async () => {
  await using test = await TestServer.start({ loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", url, udp(rtp, rtcp));
  await probe.ask("PLAY", url, sessionOf(setup));
  const ports = /server_port=(\d+)-(\d+)/.exec(setup.headers.get("transport")!)!;
  for (const port of [Number(ports[1]), Number(ports[2])]) {
    for (const size of [0, 1, 12, 200, 1500, 60_000]) {
      rtp.socket.sendTo(crypto.getRandomValues(new Uint8Array(size)), {
        hostname: "127.0.0.1",
        port,
      });
      rtcp.socket.sendTo(crypto.getRandomValues(new Uint8Array(size)), {
        hostname: "127.0.0.1",
        port,
      });
    }
  }
  await rtp.received(30);
  assertEquals((await probe.ask("OPTIONS", "*")).statusCode, 200);
  assert((await test.server.statistics()).strayDatagrams > 0);
});

Deno.test("RtspServer starts sessions where nobody can guess, or where it is told", async () => {
  await using guess = await TestServer.start();
  const url = guess.url("movie.mjpeg");
  await using probe = await RtspProbe.connect(guess.port);
  const starts = new Set<number>();
  const ids = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const setup = await probe.ask("SETUP", url, {
      Transport: `RTP/AVP/TCP;interleaved=${2 * round}-${2 * round + 1}`,
    });
    ids.add(sessionOf(setup).Session);
    starts.add(rtpInfoOf(await probe.ask("PLAY", url, sessionOf(setup))).rtptime);
  }
  assertEquals([ids.size, starts.size], [3, 3]);
  const values = [0.5, 65_534 / 65_536, (2 ** 32 - 900) / 2 ** 32];
  await using told = await TestServer.start({ random: () => values.shift()!, workers: 1 });
  await using other = await RtspProbe.connect(told.port);
  const setup = await other.ask("SETUP", told.url("movie.mjpeg"), TCP);
  assertMatch(setup.headers.get("transport")!, /ssrc=80000000/);
  const play = await other.ask("PLAY", told.url("movie.mjpeg"), sessionOf(setup));
  assertEquals([rtpInfoOf(play).seq, rtpInfoOf(play).rtptime], [65_534, 2 ** 32 - 900]);
  await other.interleaved(1, 2);
  const packets = (await other.interleaved(0, 1)).map(decodeRtp);
  assertEquals(packets.slice(0, 4).map((packet) => packet.sequenceNumber), [65_534, 65_535, 0, 1]);
  const timestamps = [...new Set(packets.map((packet) => packet.timestamp))];
  assertEquals(timestamps.slice(0, 2), [2 ** 32 - 900, 900]);
});

Deno.test("RtspServer speaks both dialects on one port at the same time", async () => {
  await using test = await TestServer.start();
  await using lab = await RtspProbe.connect(test.port);
  await using standard = await RtspProbe.connect(test.port);
  await using rtp = new UdpProbe();
  const url = test.url("movie.mjpeg");
  const session = sessionOf(await standard.ask("SETUP", url, TCP));
  await lab.send(
    `SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= ${rtp.port}\n`,
  );
  await standard.ask("PLAY", url, session);
  assertMatch(await lab.text(100), /^RTSP\/1.0 200 OK\nCSeq: 1\nSession: \d{6}\n$/);
  await lab.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 1\n");
  await rtp.received(20);
  await standard.interleaved(1, 2);
  assertEquals(picturesOf(await standard.interleaved(0, 1)).length, 20);
  assertEquals(rtp.rtp.map((packet) => packet.payload), sampleFrames(20));
});

Deno.test("RtspServer serves the lab's payload to whoever asks for RTP/UDP in standard form", async () => {
  await using test = await TestServer.start();
  await using rtp = new UdpProbe();
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const setup = await probe.ask("SETUP", url, { Transport: `RTP/UDP;client_port=${rtp.port}` });
  assertEquals(setup.headers.get("transport"), `RTP/UDP;client_port=${rtp.port}`);
  await probe.ask("PLAY", url, sessionOf(setup));
  await rtp.received(20);
  assertEquals(rtp.rtp.map((packet) => packet.payload), sampleFrames(20));
});

Deno.test("RtspServer with repair off refuses what RTP/JPEG cannot carry with 415 and the reason", async () => {
  const [frame] = sampleFrames(1);
  const progressive = frame.slice();
  progressive[
    progressive.findIndex((byte, at) => byte === 0xff && progressive[at + 1] === 0xc0) + 1
  ] = 0xc2;
  await using test = await TestServer.start({ repair: "off" }, {
    "progressive.mjpeg": labFile([progressive]),
  });
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("progressive.mjpeg");
  for (const [method, headers] of [["DESCRIBE", {}], ["SETUP", TCP]] as const) {
    const response = await probe.ask(method, url, headers);
    assertEquals(response.statusCode, 415);
    assertMatch(response.body, /progressive/i);
  }
});

Deno.test("RtspServer shows the built-in sample unless the folder has a film of that name", async () => {
  const sample = new URL("../../media/video.mjpeg", import.meta.url);
  const empty = await TestServer.start({ sample }, {});
  try {
    await using probe = await RtspProbe.connect(empty.port);
    const response = await probe.ask("DESCRIBE", empty.url("video.mjpeg"));
    assertMatch(response.body, /a=range:npt=0-10\.000/, "500 frames at 50 a second");
  } finally {
    await empty[Symbol.asyncDispose]();
  }
  await using own = await TestServer.start({ sample }, { "video.mjpeg": labFile(sampleFrames(3)) });
  await using probe = await RtspProbe.connect(own.port);
  const response = await probe.ask("DESCRIBE", own.url("video.mjpeg"));
  assertMatch(response.body, /a=range:npt=0-0\.060/);
});

Deno.test("RtspServer shows a film that was replaced on disk as it is now", async () => {
  await using test = await TestServer.start();
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  const before = await probe.ask("DESCRIBE", url);
  await Deno.writeFile(`${test.folder}/movie.mjpeg`, labFile(sampleFrames(3)));
  const after = await probe.ask("DESCRIBE", url);
  assertNotEquals(before.body, after.body);
  assertMatch(after.body, /a=range:npt=0-0\.060/);
});

Deno.test("RtspServer on :: serves IPv6 and IPv4 clients over UDP", async () => {
  let test: TestServer;
  try {
    test = await TestServer.start({ hostname: "::" });
  } catch {
    return; // This machine has no IPv6.
  }
  await using _test = test;
  for (const hostname of ["::1", "127.0.0.1"]) {
    const [rtpSocket, rtcpSocket] = openUdpPair({ hostname });
    await using rtp = new UdpProbe(rtpSocket);
    await using rtcp = new UdpProbe(rtcpSocket);
    await using probe = await RtspProbe.connect(test.port, hostname);
    const setup = await probe.ask("SETUP", "rtsp://localhost/movie.mjpeg", udp(rtp, rtcp));
    assertMatch(setup.headers.get("transport")!, new RegExp(`;source=${hostname};`));
    await probe.ask("PLAY", "rtsp://localhost/movie.mjpeg", sessionOf(setup));
    await test.event("stream-ended");
    await rtcp.received(2);
    assertEquals(picturesOf(rtp.datagrams.map(({ bytes }) => bytes)).length, 20);
    test.events.length = 0;
  }
});

Deno.test("RtspServer keeps alive what a connection has set up by any of its requests", async () => {
  await using test = await TestServer.start({ sessionTimeoutSeconds: 1, loop: true });
  const [rtp, rtcp] = UdpProbe.pair();
  await using _rtp = rtp;
  await using _rtcp = rtcp;
  await using probe = await RtspProbe.connect(test.port);
  const url = test.url("movie.mjpeg");
  await probe.ask("PLAY", url, sessionOf(await probe.ask("SETUP", url, udp(rtp, rtcp))));
  for (let round = 0; round < 8; round++) {
    await rtp.countWithin(400);
    await probe.ask("OPTIONS", "*");
  }
  assertEquals((await test.server.sessions()).length, 1);
});
