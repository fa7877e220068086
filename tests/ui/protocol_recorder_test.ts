/** The recorder and its exports, fed by hand: no socket, and a clock that moves only when told. */
import { assert, assertEquals } from "@std/assert";
import type { WireFlow, WireTap } from "../../lib/engine/wire_tap.ts";
import { WireHistory } from "../../lib/engine/wire_history.ts";
import { joinTaps } from "../../lib/engine/wire_tap.ts";
import { RtspParser, type RtspRequest, type RtspResponse } from "../../lib/rtsp.ts";
import {
  formatDialogueMermaid,
  formatDialogueText,
  formatStatisticsCsv,
  formatStatisticsJson,
} from "../../lib/ui/protocol_exports.ts";
import { ProtocolRecorder } from "../../lib/ui/protocol_recorder.ts";
import type { SessionCounters } from "../../lib/ui/session_meter.ts";

const LOCAL = { hostname: "::1", port: 40_000 };
const REMOTE = { hostname: "127.0.0.1", port: 554 };
const FLOW: WireFlow = {
  session: 1,
  kind: "rtp",
  payload: "jpeg",
  connection: 1,
  channel: undefined,
  local: LOCAL,
  remote: REMOTE,
};

class Bench {
  readonly history = new WireHistory();
  counters: SessionCounters[] = [];
  readonly recorder: ProtocolRecorder;
  readonly tap: WireTap;

  constructor(side: "client" | "server" = "client") {
    this.recorder = new ProtocolRecorder({
      side,
      history: this.history,
      unixMsAt: (now) => 1000 + now,
      counters: () => this.counters,
    });
    this.tap = joinTaps([this.history, this.recorder])!;
  }

  open(): void {
    this.tap.connectionOpened!({ id: 1, local: LOCAL, remote: REMOTE, isOpener: true }, 1);
  }

  session(): void {
    const session = { id: 1, connection: 1, url: "rtsp://u:p@h/f", remote: REMOTE } as const;
    this.tap.session!({ ...session, dialect: "rtsp", transport: "udp" }, 5);
  }

  request(text: string, now: number, session?: number): RtspRequest {
    const parser = new RtspParser({ role: "server", dialect: "auto", keepsBytes: true });
    parser.push(new TextEncoder().encode(text));
    const message = parser.next() as RtspRequest;
    const bytes = parser.messageBytes!;
    this.tap.message!({ connection: 1, direction: "out", bytes, message, session }, now);
    return message;
  }

  response(text: string, request: RtspRequest, now: number, session?: number): void {
    const parser = new RtspParser({ role: "client", dialect: "auto", keepsBytes: true });
    parser.push(new TextEncoder().encode(text));
    const message = parser.next() as RtspResponse;
    const bytes = parser.messageBytes!;
    this.tap.message!({ connection: 1, direction: "in", bytes, message, request, session }, now);
  }

  rtp(sequenceNumber: number, timestamp: number, now: number, marker = true): void {
    const bytes = new Uint8Array(100);
    const view = new DataView(bytes.buffer);
    bytes[0] = 0x80;
    bytes[1] = marker ? 154 : 26;
    view.setUint16(2, sequenceNumber);
    view.setUint32(4, timestamp);
    this.tap.packet!(FLOW, "in", bytes, now);
  }

  frame(first: number, timestamp: number, now: number, number: number, packetCount = 1): void {
    this.tap.frame!(
      { session: 1, timestamp, firstSequenceNumber: first, packetCount, size: 99, number },
      now,
    );
  }
}

const LOGIN = 'Authorization: Digest username="ann", nonce="1a", response="2b"\r\n';

Deno.test("ProtocolRecorder tells messages with bytes, round trip and cause of a transition", () => {
  const bench = new Bench();
  bench.open();
  const setup = bench.request(
    `SETUP rtsp://u:p@h/f RTSP/1.0\r\nCSeq: 7\r\nTransport: x\r\n${LOGIN}\r\n`,
    10,
  );
  bench.response(
    "RTSP/1.0 200 OK\r\nCSeq: 7\r\nSession: 9;timeout=5\r\nTransport: x\r\n\r\n",
    setup,
    12.5,
  );
  bench.session();
  bench.tap.transition!({ session: 1, from: "INIT", to: "READY", cause: "SETUP" }, 13);
  const batch = bench.recorder.snapshot(20);
  assertEquals([batch.side, batch.isFirst, batch.time], ["client", true, 1020]);
  assertEquals(batch.connections, [{
    id: 1,
    local: "[::1]:40000",
    remote: "127.0.0.1:554",
    openedTime: 1001,
    closedTime: null,
  }]);
  const [request, response] = batch.messages;
  assertEquals([request.method, request.uri, request.cseq], ["SETUP", "rtsp://h/f", "7"]);
  assertEquals(request.isMasked, true);
  const shown = new TextDecoder().decode(Uint8Array.fromBase64(request.bytes));
  assert(!/ann|1a|2b|u:p/.test(shown) && shown.includes('Digest username="***"'), shown);
  assertEquals(request.size, Uint8Array.fromBase64(request.bytes).length);
  assertEquals([response.requestId, response.roundTripMs], [request.id, 2.5]);
  assertEquals([response.statusCode, response.sessionId, response.method], [200, "9", "SETUP"]);
  assertEquals(batch.messages.map(({ session }) => session), [1, 1]); // told late, yet its own
  assertEquals(batch.transitions, [{
    id: 1,
    time: 1013,
    session: 1,
    from: "INIT",
    to: "READY",
    message: request.id,
    cause: "SETUP",
  }]);
  assertEquals([batch.sessions[0].url, batch.sessions[0].state], ["rtsp://h/f", "READY"]);
});

Deno.test("ProtocolRecorder tells news once, and what has changed again", () => {
  const bench = new Bench();
  bench.open();
  bench.request("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 2);
  assertEquals(bench.recorder.takeNews(3)!.messages.length, 1);
  assertEquals(bench.recorder.takeNews(4), undefined);
  bench.tap.connectionClosed!(1, 5);
  const news = bench.recorder.takeNews(6)!;
  assertEquals([news.messages.length, news.connections[0].closedTime], [0, 1005]);
});

Deno.test("ProtocolRecorder tells frames with their packets, and a late packet again", () => {
  const bench = new Bench();
  bench.session();
  for (const [seq, marker] of [[10, false], [11, true], [14, false], [15, true]] as const) {
    bench.rtp(seq, seq < 12 ? 0 : 7200, seq, marker);
  }
  bench.frame(10, 0, 20, 1, 2);
  bench.frame(14, 7200, 21, 2, 2);
  const told = bench.recorder.takeNews(30)!;
  assertEquals(told.packets.map(({ sequenceNumber }) => sequenceNumber), [10, 11, 14, 15]);
  assertEquals(
    told.frames.map(({ status, runs, number }) => [
      status,
      number,
      ...runs.map((run) => `${run.sequenceNumber}+${run.count} ${run.status}`),
    ]),
    [
      ["complete", 1, "10+2 received"],
      ["dropped", null, "12+2 lost"],
      ["complete", 2, "14+2 received"],
    ],
  );
  assertEquals(told.frames[0].assemblyMs, 10);
  bench.rtp(13, 3600, 40);
  const { frames } = bench.recorder.takeNews(50)!;
  assertEquals(frames.map(({ id }) => id), [told.frames[1].id]);
  assertEquals(frames[0].runs.map(({ status }) => status), ["lost", "late"]);
});

Deno.test("ProtocolRecorder samples packets when they are many, and all of RTCP", () => {
  const bench = new Bench();
  bench.session();
  const report = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 0);
  bench.tap.packet!({ ...FLOW, kind: "rtcp" }, "out", report, 1);
  for (let i = 0; i < 2000; i++) bench.rtp(i, i, i);
  const { packets, totals } = bench.recorder.takeNews(2000)!;
  assertEquals(packets[0].kind, "rtcp");
  assertEquals(packets.at(-1)!.sequenceNumber, 1999);
  assert(packets.length <= 20);
  assertEquals(totals, {
    packets: 2001,
    packetsSkipped: 2001 - packets.length,
    messages: 0,
  });
  assertEquals(bench.recorder.snapshot(2001).packets.length, 200);
});

Deno.test("ProtocolRecorder measures seconds by differences", () => {
  const bench = new Bench();
  bench.session();
  const counters = { session: 1, lost: 0, reordered: 0, jitterMs: 2, bufferedPackets: 3 };
  bench.counters = [{ ...counters, packets: 100, bytes: 1000, framesDropped: 0 }];
  bench.recorder.sample(1005);
  bench.counters = [{ ...counters, packets: 190, bytes: 2250, framesDropped: 1, lost: 10 }];
  bench.rtp(1, 0, 1500);
  bench.frame(1, 0, 1504, 1);
  bench.recorder.sample(2005);
  const [, second] = bench.recorder.samples;
  assertEquals(
    [second.bitRate, second.packetRate, second.lost, second.lossRatio, second.frameRate],
    [10_000, 90, 10, 0.1, 1],
  );
  assertEquals([second.frameLatencyMs, second.bufferedPackets, second.totalLost], [4, 3, 10]);
  assertEquals(bench.recorder.sessions[0].sample, second);
});

Deno.test("ProtocolRecorder stays within its bounds under a hostile flood", () => {
  const bench = new Bench();
  const text = "x".repeat(60_000);
  for (let i = 1; i <= 400; i++) {
    bench.tap.connectionOpened!({ id: i, local: LOCAL, remote: REMOTE, isOpener: false }, i);
    const bytes = new TextEncoder().encode(text);
    bench.tap.message!({ connection: i, direction: "in", bytes, message: undefined }, i);
    const session = { id: i, connection: i, url: "", remote: REMOTE } as const;
    bench.tap.session!({ ...session, dialect: "lab", transport: "udp" }, i);
    bench.tap.sessionEnded!(i, "over", i);
  }
  const batch = bench.recorder.snapshot(500);
  assert(batch.messages.reduce((sum, { bytes }) => sum + bytes.length, 0) <= 4 << 20);
  assert(batch.connections.length <= 256);
  assertEquals(batch.messages.at(-1)!.kind, "unreadable");
});

Deno.test("a server's recorder tells sent frames, and transitions without a named cause", () => {
  const bench = new Bench("server");
  bench.session();
  const play = "PLAY rtsp://h/f RTSP/1.0\r\nCSeq: 2\r\nSession: 1\r\n\r\n";
  bench.request(play, 6, 1);
  bench.tap.transition!({ session: 1, from: "READY", to: "PLAYING", cause: "" }, 7);
  for (const seq of [1, 2, 3]) bench.tap.packet!(FLOW, "out", new Uint8Array(50 + seq), 8);
  bench.frame(1, 0, 8, 1, 3);
  const { frames, transitions } = bench.recorder.takeNews(9)!;
  assertEquals([transitions[0].cause, transitions[0].message], ["PLAY", 1]);
  assertEquals([frames[0].status, frames[0].packetCount], ["sent", 3]);
  assertEquals(frames[0].runs.reduce((sum, { count }) => sum + count, 0), 3);
  assertEquals(frames[0].runs[0].packet, 1);
});

const HOSTILE = "<script>alert(1)</script>;%%{init}%%\x1b[2J";

function hostileDialogue() {
  const bench = new Bench();
  bench.open();
  const request = bench.request("OPTIONS rtsp://h/f RTSP/1.0\r\nCSeq: 1\r\n\r\n", 2);
  bench.response(
    `RTSP/1.0 200 ${HOSTILE.slice(0, -4)}\r\nCSeq: 1\r\nPublic: x\r\n\r\n`,
    request,
    3,
  );
  const bytes = new TextEncoder().encode(`${HOSTILE}\r\n`);
  bench.tap.message!({ connection: 1, direction: "in", bytes, message: undefined }, 4);
  const { messages, transitions } = bench.recorder;
  return { side: "client", messages, transitions } as const;
}

Deno.test("formatDialogueText() shows each line, and control characters as text", () => {
  const text = formatDialogueText(hostileDialogue());
  assert(text.includes("C -> S  connection 1"));
  assert(text.includes("    OPTIONS rtsp://h/f RTSP/1.0\n    CSeq: 1\n"));
  assert(text.includes("\\x1b[2J"));
  // deno-lint-ignore no-control-regex -- none may be there
  assert(!/[\x00-\x09\x0b-\x1f]/.test(text));
});

Deno.test("formatDialogueMermaid() lets nothing of the network be Mermaid or HTML", () => {
  const text = formatDialogueMermaid(hostileDialogue());
  const lines = text.trimEnd().split("\n");
  assertEquals(lines[0], "sequenceDiagram");
  assertEquals(lines[3], "    C->>S: OPTIONS rtsp://h/f (CSeq 1)");
  for (const line of lines.slice(3)) {
    assert(
      /^ {4}(?:[CS]--?>>[CS]|Note (?:over|right of) [CS]): [^<>;%{}]*(?:#\d+;[^<>;%{}]*)*$/.test(
        line,
      ),
      line,
    );
  }
});

Deno.test("formatStatisticsCsv() and formatStatisticsJson() hold the same seconds", () => {
  const bench = new Bench();
  bench.session();
  bench.counters = [{
    ...{ session: 1, packets: 8, bytes: 9, lost: 0, reordered: 0 },
    ...{ jitterMs: null, bufferedPackets: 0, framesDropped: 0 },
  }];
  bench.recorder.sample(1005);
  const { samples, sessions, transitions } = bench.recorder;
  const csv = formatStatisticsCsv({ samples, sessions, transitions }).split("\r\n");
  assertEquals(csv.length, 3);
  assertEquals(csv[0].split(",").length, csv[1].split(",").length);
  assert(csv[1].startsWith("1970-01-01T00:00:02.005Z,1,INIT,72,"));
  const json = JSON.parse(formatStatisticsJson({ samples, sessions, transitions }));
  assertEquals(json.samples, JSON.parse(JSON.stringify(samples)));
});
