import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type ConversationSession,
  PUBLIC_METHODS,
  type RtspAnswer,
  type RtspCall,
} from "../../lib/engine/request_checks.ts";
import { allowedMethods, RTSP_STATES, type RtspState } from "../../lib/engine/rtsp_state.ts";
import {
  type ConversationEvent,
  ServerConversation,
  type ServerConversationOptions,
} from "../../lib/engine/server_session.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A conversation with a clock that only moves when told, and whoever answers its calls. */
class Talk {
  readonly conversation: ServerConversation;
  readonly sessions = new Map<string, ConversationSession>();
  readonly calls: RtspCall[] = [];
  /** What was written, each write with its time. */
  readonly writes: { readonly text: string; readonly at: number }[] = [];
  closeReason: string | undefined;
  interleaved: [channel: number, size: number][] = [];
  now = 0;
  /** Answers calls at once; `undefined` leaves the call waiting. */
  answer: (call: RtspCall) => RtspAnswer | undefined = (call) => this.#obey(call);

  constructor(options: Partial<ServerConversationOptions> = {}) {
    this.conversation = new ServerConversation({
      sessions: { find: (id) => this.sessions.get(id) },
      labSessionId: "123456",
      ...options,
    });
  }

  /** Sends text, and lets the time pass that the conversation asks for, up to `waitMs`. */
  send(text: string, waitMs = 100): string {
    const from = this.writes.length;
    this.conversation.receive(encoder.encode(text), this.now);
    this.#drain();
    this.wait(waitMs);
    return this.writes.slice(from).map((write) => write.text).join("");
  }

  /** Lets time pass. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.conversation.nextTimeout();
      if (next === undefined || next > end) break;
      this.now = Math.max(this.now, next);
      this.conversation.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
  }

  session(state: RtspState, path = "movie.mjpeg"): ConversationSession {
    const session = { id: "5eC4e7", path, state, lastRequestMs: 0 };
    this.sessions.set(session.id, session);
    return session;
  }

  #drain(): void {
    for (let event = this.conversation.poll(); event; event = this.conversation.poll()) {
      this.#take(event);
    }
  }

  #take(event: ConversationEvent): void {
    if (event.type === "send") {
      this.writes.push({ text: decoder.decode(event.bytes), at: this.now });
      event.afterSend?.();
    } else if (event.type === "close") {
      this.closeReason = event.reason;
    } else if (event.type === "interleaved") {
      this.interleaved.push([event.channel, event.payload.length]);
    } else if (event.type === "call") {
      this.calls.push(event.call);
      const answer = this.answer(event.call);
      if (answer !== undefined) this.conversation.answer(answer, this.now);
    }
  }

  #obey(call: RtspCall): RtspAnswer {
    if (call.method !== "SETUP") return { statusCode: 200, session: call.session };
    return { statusCode: 200, session: call.session ?? this.session("INIT", call.path) };
  }
}

function request(method: string, headers = "", uri = "rtsp://h/movie.mjpeg", cseq = 7): string {
  return `${method} ${uri} RTSP/1.0\r\nCSeq: ${cseq}\r\n${headers}\r\n`;
}

const SESSION = "Session: 5eC4e7\r\n";
const TRANSPORT = "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n";

Deno.test("ServerConversation answers OPTIONS in every state, without asking anybody", () => {
  const talk = new Talk({
    authorize: () => ({ answer: { statusCode: 401 }, delayMs: 0 }),
  });
  for (const uri of ["*", "rtsp://h", "rtsp://h/nothing"]) {
    assertEquals(
      talk.send(request("OPTIONS", "", uri)),
      `RTSP/1.0 200 OK\r\nCSeq: 7\r\nPublic: ${PUBLIC_METHODS}\r\n\r\n`,
    );
  }
  assertEquals(talk.calls, []);
});

Deno.test("ServerConversation refuses with the status each mistake has", () => {
  const cases: [request: string, statusCode: number, header?: string][] = [
    [request("OPTIONS").replace("RTSP/1.0", "RTSP/2.0"), 505],
    ["DESCRIBE rtsp://h/m RTSP/1.0\r\n\r\n", 400],
    [
      request("SETUP", "Require: funky-feature, other\r\n"),
      551,
      "Unsupported: funky-feature, other",
    ],
    [request("JUMP"), 501],
    [request("REDIRECT"), 501],
    [request("ANNOUNCE"), 405, `Allow: ${PUBLIC_METHODS}`],
    [request("RECORD"), 405, `Allow: ${PUBLIC_METHODS}`],
    [request("DESCRIBE", "", "rtsp://h/../etc/passwd"), 404],
    [request("DESCRIBE", "", "rtsp://h/%2e%2e/etc/passwd"), 404],
    [request("DESCRIBE", "", "rtsp://h/a%2fb"), 404],
    [request("DESCRIBE", "Accept: text/html\r\n"), 406],
    [request("PLAY"), 454],
    [request("PLAY", "Session: other\r\n"), 454],
    [request("PAUSE"), 454],
    [request("TEARDOWN"), 454],
    [request("GET_PARAMETER", "Session: other\r\n"), 454],
    [request("SETUP", `Session: other\r\n${TRANSPORT}`), 454],
  ];
  for (const [text, statusCode, header] of cases) {
    const talk = new Talk();
    const reply = talk.send(text);
    assertStringIncludes(reply, `RTSP/1.0 ${statusCode} `, text);
    if (header !== undefined) assertStringIncludes(reply, `${header}\r\n`);
    assertEquals(talk.calls, [], text);
    assertEquals(talk.closeReason, undefined, "a mistake is no reason to close");
  }
});

Deno.test("ServerConversation follows the state table cell by cell", () => {
  for (const state of RTSP_STATES.filter((candidate) => candidate !== "RECORDING")) {
    for (const method of ["SETUP", "PLAY", "PAUSE", "TEARDOWN"] as const) {
      const talk = new Talk();
      const session = talk.session(state);
      const reply = talk.send(request(method, SESSION + TRANSPORT));
      const allowed = allowedMethods(state);
      if (allowed.includes(method)) {
        assertStringIncludes(reply, "RTSP/1.0 200 OK", `${method} in ${state}`);
      } else {
        assertStringIncludes(reply, "RTSP/1.0 455 ", `${method} in ${state}`);
        const allow = /Allow: (.*)\r\n/.exec(reply)?.[1];
        assertEquals(
          allow,
          allowed.filter((name) => name !== "ANNOUNCE" && name !== "RECORD").join(", "),
        );
        assertEquals(session.state, state, "a refused request changes nothing");
      }
    }
  }
});

Deno.test("ServerConversation moves the session when its call has succeeded, and only then", () => {
  const talk = new Talk();
  talk.send(request("SETUP", TRANSPORT));
  const session = talk.sessions.get("5eC4e7")!;
  assertEquals(session.state, "READY");
  talk.answer = () => ({ statusCode: 457, session });
  talk.send(request("PLAY", `${SESSION}Range: npt=99-\r\n`));
  assertEquals(session.state, "READY");
  talk.answer = () => ({ statusCode: 200, session });
  talk.send(request("PLAY", SESSION));
  assertEquals(session.state, "PLAYING");
  talk.send(request("PAUSE", SESSION));
  assertEquals(session.state, "READY");
  talk.send(request("TEARDOWN", SESSION));
  assertEquals(session.state, "INIT");
});

Deno.test("ServerConversation tells the timeout with SETUP only, and no session after TEARDOWN", () => {
  const talk = new Talk({ sessionTimeoutSeconds: 8 });
  assertStringIncludes(talk.send(request("SETUP", TRANSPORT)), "Session: 5eC4e7;timeout=8\r\n");
  assertStringIncludes(talk.send(request("PLAY", SESSION)), "Session: 5eC4e7\r\n");
  assert(!talk.send(request("TEARDOWN", SESSION)).includes("Session"));
});

Deno.test("ServerConversation answers keepalives in every state", () => {
  for (const method of ["GET_PARAMETER", "SET_PARAMETER"]) {
    for (const state of RTSP_STATES) {
      const talk = new Talk();
      const session = talk.session(state);
      talk.now = 5000;
      assertStringIncludes(talk.send(request(method, SESSION)), "200 OK\r\nCSeq: 7\r\nSession");
      assertEquals(session.lastRequestMs, 5000);
    }
    assertStringIncludes(new Talk().send(request(method)), "RTSP/1.0 200 OK");
    const withBody = request(method, "Content-Length: 7\r\n") + "packets";
    assertStringIncludes(new Talk().send(withBody), "RTSP/1.0 451 ");
  }
});

Deno.test("ServerConversation takes OPTIONS with a session for a keepalive", () => {
  const talk = new Talk();
  const session = talk.session("PLAYING");
  talk.now = 5000;
  talk.send(request("OPTIONS", SESSION, "*"));
  assertEquals(session.lastRequestMs, 5000);
});

Deno.test("ServerConversation refuses other movies in a session: 459 to SETUP, 460 to PLAY and PAUSE", () => {
  const talk = new Talk();
  talk.session("READY");
  const other = "rtsp://h/other.mjpeg";
  assertStringIncludes(talk.send(request("SETUP", SESSION + TRANSPORT, other)), "RTSP/1.0 459 ");
  assertStringIncludes(talk.send(request("PLAY", SESSION, other)), "RTSP/1.0 460 ");
  assertStringIncludes(talk.send(request("PAUSE", SESSION, other)), "RTSP/1.0 460 ");
  assertStringIncludes(talk.send(request("PLAY", SESSION, "rtsp://h/movie.mjpeg/")), "200 OK");
  assertStringIncludes(talk.send(request("TEARDOWN", SESSION, "*")), "200 OK");
});

Deno.test("ServerConversation resolves a track at the root when one movie was described", () => {
  const talk = new Talk();
  talk.send(request("DESCRIBE"));
  talk.send(request("SETUP", TRANSPORT, "rtsp://h/trackID=0"));
  assertEquals([talk.calls[1].path, talk.calls[1].track], ["movie.mjpeg", "0"]);
  talk.send(request("DESCRIBE", "", "rtsp://h/second.mjpeg"));
  talk.send(request("SETUP", TRANSPORT, "rtsp://h/trackID=0"));
  assertEquals(talk.calls[3].path, "");
});

Deno.test("ServerConversation answers in order, one request at a time", () => {
  const talk = new Talk();
  talk.answer = () => undefined;
  talk.send(request("DESCRIBE", "", "rtsp://h/a", 1) + request("OPTIONS", "", "*", 2));
  assertEquals(talk.writes, []);
  assertEquals(talk.conversation.isBusy, true);
  talk.conversation.answer({ statusCode: 200 }, talk.now);
  talk.wait(0);
  assertEquals(talk.writes.map((write) => /CSeq: \d/.exec(write.text)?.[0]), [
    "CSeq: 1",
    "CSeq: 2",
  ]);
});

Deno.test("ServerConversation takes interleaved packets between requests", () => {
  const talk = new Talk();
  const packet = "$\x01\x00\x04abcd";
  talk.send(packet + request("OPTIONS") + packet);
  assertEquals(talk.interleaved, [[1, 4], [1, 4]]);
  assertEquals(talk.writes.length, 1);
});

Deno.test("ServerConversation answers what it cannot read, and closes", () => {
  const cases: [string, number][] = [
    ["HELLO\r\n\r\n", 400],
    [request("DESCRIBE", "", `rtsp://h/${"x".repeat(9000)}`), 414],
    [request("DESCRIBE", "A: b\r\n".repeat(101)), 400],
    [request("GET_PARAMETER", "Content-Length: 70000\r\n"), 413],
    [request("GET_PARAMETER", "Content-Length: none\r\n"), 400],
  ];
  for (const [text, statusCode] of cases) {
    const talk = new Talk();
    const reply = talk.send(text);
    assertStringIncludes(reply, `RTSP/1.0 ${statusCode} `, text.slice(0, 60));
    assert(talk.closeReason !== undefined);
    assertEquals(talk.send(request("OPTIONS")), "", "nothing more is read");
  }
});

Deno.test("ServerConversation closes when a request stays incomplete, however slowly it drips", () => {
  const talk = new Talk({ requestTimeoutMs: 1000 });
  for (const character of request("OPTIONS").slice(0, 20)) {
    talk.send(character, 60);
  }
  assertMatch(talk.closeReason ?? "", /incomplete/);
});

Deno.test("ServerConversation closes an idle connection, but not one with a session", () => {
  const idle = new Talk({ idleTimeoutMs: 1000 });
  idle.send(request("OPTIONS"));
  idle.wait(950);
  assertMatch(idle.closeReason ?? "", /Nothing/);
  const busy = new Talk({ idleTimeoutMs: 1000 });
  busy.send(request("SETUP", TRANSPORT));
  busy.conversation.setHasSession(true);
  busy.wait(100_000);
  assertEquals(busy.closeReason, undefined);
});

Deno.test("ServerConversation answers what waits before it follows the peer's close", () => {
  const talk = new Talk();
  talk.answer = () => undefined;
  talk.send(request("DESCRIBE"));
  talk.conversation.endOfInput(talk.now);
  assertEquals(talk.closeReason, undefined);
  talk.conversation.answer({ statusCode: 200 }, talk.now);
  talk.wait(0);
  assertEquals(talk.writes.length, 1);
  assert(talk.closeReason !== undefined);
});

Deno.test("ServerConversation holds the answer to wrong credentials back", () => {
  const talk = new Talk({
    authorize: () => ({ answer: { statusCode: 401 }, delayMs: 250 }),
  });
  talk.send(request("DESCRIBE"), 1000);
  assertEquals(talk.writes.map((write) => write.at), [250]);
});

Deno.test("ServerConversation.answer() is refused when nothing was asked", () => {
  assertThrows(() => new Talk().conversation.answer({ statusCode: 200 }, 0), TypeError);
});

const LAB_SETUP = "SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070";
const LAB_OK = (cseq: number) => `RTSP/1.0 200 OK\nCSeq: ${cseq}\nSession: 123456\n`;

/** A lab session has the connection's number. */
function labTalk(): Talk {
  const talk = new Talk();
  talk.answer = (call) => {
    const session = call.session ??
      { id: "123456", path: call.path, state: "INIT" as const, lastRequestMs: 0 };
    return { statusCode: 200, session };
  };
  return talk;
}

Deno.test("ServerConversation speaks the lab's dialect: three lines, one write each", () => {
  const talk = labTalk();
  assertEquals(talk.send(LAB_SETUP), LAB_OK(1));
  assertEquals(talk.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456"), LAB_OK(2));
  assertEquals(talk.send("PAUSE movie.mjpeg RTSP/1.0\nCSeq: 3\nSession: 123456\n"), LAB_OK(3));
  assertEquals(talk.send("PAUSE movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: 0\n"), LAB_OK(4));
  assertEquals(talk.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 5\nSession: 99"), LAB_OK(5));
  assertEquals(talk.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 6", 1500), LAB_OK(6));
  assertEquals(talk.send("TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 7\nSession: 123456"), LAB_OK(7));
  assertEquals(talk.calls.map((call) => [call.method, call.path]), [
    ["SETUP", "movie.mjpeg"],
    ["PLAY", "movie.mjpeg"],
    ["PAUSE", "movie.mjpeg"],
    ["PAUSE", "movie.mjpeg"],
    ["PLAY", "movie.mjpeg"],
    ["PLAY", "movie.mjpeg"],
    ["TEARDOWN", "movie.mjpeg"],
  ]);
});

Deno.test("ServerConversation closes a lab connection a second after TEARDOWN, unless it goes on", () => {
  const talk = labTalk();
  talk.send(LAB_SETUP);
  talk.send("TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\n", 500);
  assertEquals(talk.closeReason, undefined);
  assertEquals(talk.send(LAB_SETUP.replace("CSeq: 1", "CSeq: 3"), 2000), LAB_OK(3));
  assertEquals(talk.closeReason, undefined);
  talk.send("TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 4\nSession: 123456\n", 990);
  assertEquals(talk.closeReason, undefined);
  talk.wait(20);
  assert(talk.closeReason !== undefined);
});

Deno.test("ServerConversation holds answers to family B back by 5 to 20 ms, and those to family A not", () => {
  const talk = labTalk();
  talk.send("SETUP movie.mjpeg\n1\n RTSP/1.0 RTP/UDP 26010\n\n");
  const [setup] = talk.writes;
  assert(setup.at >= 5 && setup.at <= 20, `held back for ${setup.at} ms`);
  talk.now = 1000;
  talk.send("PLAY \n2\n\n");
  assert(talk.writes[1].at >= 1005 && talk.writes[1].at <= 1020, `${talk.writes[1].at}`);
  const other = labTalk();
  other.send(`${LAB_SETUP}\n`);
  assertEquals(other.writes[0].at, 0);
});

Deno.test("ServerConversation answers a request sent twice twice, apart, and acts on it once", () => {
  const talk = labTalk();
  const setup = "SETUP movie.Mjpeg\n 1 \n RTSP/1.0 RTP/UDP 26180 ";
  talk.send(setup + setup, 200);
  assertEquals(talk.calls.length, 1);
  assertEquals(talk.writes.map((write) => write.text), [LAB_OK(1), LAB_OK(1)]);
  assert(talk.writes[1].at - talk.writes[0].at >= 5, "two answers never share a segment");
  const pause = "PAUSE movie.Mjpeg\n 3";
  talk.send("PLAY movie.Mjpeg\n 2PLAY movie.Mjpeg\n 2", 200);
  talk.send(pause + pause, 200);
  assertEquals(talk.writes.slice(2).map((write) => write.text), [2, 2, 3, 3].map(LAB_OK));
});

Deno.test("ServerConversation takes a refused lab SETUP again on the same connection", () => {
  const talk = labTalk();
  const grant = talk.answer;
  talk.answer = () => ({ statusCode: 404 });
  assertEquals(talk.send(LAB_SETUP), "RTSP/1.0 404 Not Found\nCSeq: 1\nSession: 123456\n");
  talk.answer = grant;
  assertEquals(talk.send(LAB_SETUP), LAB_OK(1));
});

Deno.test("ServerConversation answers a lab client that asks at the wrong time, and never with silence", () => {
  const talk = labTalk();
  assertEquals(
    talk.send("PLAY movie.mjpeg RTSP/1.0\nCSeq: 1\nSession: 0"),
    "RTSP/1.0 454 Session Not Found\nCSeq: 1\nSession: 123456\n",
  );
  assertEquals(talk.send("TEARDOWN movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 0"), LAB_OK(2));
  assertEquals(talk.calls, []);
});

Deno.test("ServerConversation answers in the lab client's own line ends", () => {
  const talk = labTalk();
  assertEquals(
    talk.send("SETUP tiny.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= 26510\r\n"),
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 123456\r\n",
  );
});
