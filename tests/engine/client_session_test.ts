/** The client's side of one RTSP connection, driven by hand: no sockets, and a clock that moves when told. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  ClientSession,
  type ClientSessionEvent,
  type ClientSessionOptions,
} from "../../lib/engine/client_session.ts";
import { StateError } from "../../lib/errors.ts";
import { headerValue, type RtspResponse } from "../../lib/rtsp.ts";
import { LAB_REPLIES } from "../vectors/lab_replies.ts";

const URL = "rtsp://127.0.0.1:8554/movie";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function sessionOf(options: Partial<ClientSessionOptions> = {}): ClientSession {
  return new ClientSession({
    dialect: "rtsp",
    hash: (algorithm, text) =>
      createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex"),
    random: () => 0.25,
    ...options,
  });
}

function drain(session: ClientSession): ClientSessionEvent[] {
  const events: ClientSessionEvent[] = [];
  for (let event = session.poll(); event; event = session.poll()) events.push(event);
  return events;
}

function sentBy(session: ClientSession): string {
  return drain(session).filter((event) => event.type === "send")
    .map((event) => decoder.decode(event.bytes)).join("");
}

function answer(session: ClientSession, text: string, now = 0): ClientSessionEvent[] {
  session.receive(encoder.encode(text), now);
  return drain(session);
}

function ok(cseq: number, ...headers: string[]): string {
  return ["RTSP/1.0 200 OK", `CSeq: ${cseq}`, ...headers, "", ""].join("\r\n");
}

/** A session that has been set up, at time 0. */
function readySession(sessionHeader: string, publicHeader?: string): ClientSession {
  const session = sessionOf();
  session.setKeepAliveUri(URL);
  session.request({ method: "OPTIONS", uri: URL }, 0);
  answer(session, ok(1, ...(publicHeader ? [`Public: ${publicHeader}`] : [])));
  session.request({ method: "SETUP", uri: `${URL}/trackID=0` }, 0);
  answer(session, ok(2, `Session: ${sessionHeader}`));
  return session;
}

function responsesIn(events: ClientSessionEvent[]): RtspResponse[] {
  return events.flatMap((event) =>
    event.type === "response" && event.isFinal ? [event.response] : []
  );
}

Deno.test("ClientSession numbers requests from 1 and matches answers by CSeq, in any order", () => {
  const session = sessionOf({ userAgent: "test" });
  const first = session.request({ method: "OPTIONS", uri: URL }, 0);
  const second = session.request({ method: "DESCRIBE", uri: URL }, 0);
  const sent = sentBy(session);
  assertStringIncludes(sent, `OPTIONS ${URL} RTSP/1.0\r\nCSeq: 1\r\n`);
  assertStringIncludes(sent, `DESCRIBE ${URL} RTSP/1.0\r\nCSeq: 2\r\n`);
  assertStringIncludes(sent, "User-Agent: test\r\n");
  const events = answer(session, ok(2) + ok(1));
  assertEquals(
    events.flatMap((event) => event.type === "response" ? [event.id] : []),
    [second, first],
  );
});

Deno.test("ClientSession walks INIT, READY, PLAYING, READY, INIT and sends the session's identifier", () => {
  const session = readySession("abc;timeout=60");
  assertEquals(session.state, "READY");
  const steps = [["PLAY", "PLAYING"], ["PAUSE", "READY"], ["TEARDOWN", "INIT"]] as const;
  steps.forEach(([method, state], i) => {
    session.request({ method, uri: URL }, 0);
    assertStringIncludes(sentBy(session), "Session: abc\r\n");
    const events = answer(session, ok(3 + i, "Session: abc"));
    assertEquals(session.state, state);
    assert(events.some((event) => event.type === "state" && event.state === state));
  });
  assertEquals(session.sessionId, undefined);
});

Deno.test("ClientSession refuses with StateError what the state forbids, and sends nothing", () => {
  for (const method of ["PLAY", "PAUSE", "RECORD"]) {
    const session = sessionOf();
    const error = assertThrows(() => session.request({ method, uri: URL }, 0), StateError);
    assertEquals(error.state, "INIT");
    assert(error.allowed.includes("SETUP"));
    assertEquals(drain(session), []);
  }
  const ready = readySession("1");
  drain(ready);
  assertThrows(() => ready.request({ method: "PAUSE", uri: URL }, 0), StateError);
});

Deno.test("ClientSession keeps its state after a refusal", () => {
  const session = readySession("1");
  session.request({ method: "PLAY", uri: URL }, 0);
  const [response] = responsesIn(answer(session, "RTSP/1.0 457 Invalid Range\r\nCSeq: 3\r\n\r\n"));
  assertEquals(response.statusCode, 457);
  assertEquals(session.state, "READY");
});

Deno.test("ClientSession sends keepalives before half of the timeout, by GET_PARAMETER if that is listed", () => {
  const session = readySession("abc;timeout=10", "OPTIONS, GET_PARAMETER");
  drain(session);
  const due = session.nextTimeout();
  assert(due !== undefined && due > 0 && due <= 5000, String(due));
  session.handleTimeout(due - 1);
  assertEquals(drain(session), []);
  session.handleTimeout(due);
  assertStringIncludes(
    sentBy(session),
    `GET_PARAMETER ${URL} RTSP/1.0\r\nCSeq: 3\r\nSession: abc\r\n`,
  );
  // Its answer is nobody's business, and a refusal changes the method.
  const events = answer(session, "RTSP/1.0 405 Method Not Allowed\r\nCSeq: 3\r\n\r\n", due);
  assert(events.every((event) => event.type !== "response" || event.isKeepAlive));
  const next = session.nextTimeout()!;
  session.handleTimeout(next);
  assertStringIncludes(sentBy(session), `OPTIONS ${URL}`);
});

Deno.test("ClientSession uses OPTIONS for keepalives where GET_PARAMETER is not listed, 60 s by default", () => {
  const session = readySession("abc", "OPTIONS, DESCRIBE, SETUP, PLAY");
  drain(session);
  const due = session.nextTimeout()!;
  assert(due > 20_000 && due <= 30_000, String(due));
  session.handleTimeout(due);
  assertStringIncludes(sentBy(session), "OPTIONS ");
});

Deno.test("ClientSession tells a session that the server has forgotten", () => {
  const session = readySession("abc;timeout=10");
  drain(session);
  session.handleTimeout(session.nextTimeout()!);
  drain(session);
  const events = answer(session, "RTSP/1.0 454 Session Not Found\r\nCSeq: 3\r\n\r\n");
  assert(events.some((event) => event.type === "session-lost"));
});

Deno.test("ClientSession gives up on an answer in time and drops it when it comes late", () => {
  const session = sessionOf();
  const id = session.request({ method: "DESCRIBE", uri: URL, timeoutMs: 500 }, 0);
  drain(session);
  assertEquals(session.nextTimeout(), 500);
  session.handleTimeout(500);
  assertEquals(drain(session), [{ type: "timeout", id, method: "DESCRIBE" }]);
  assertEquals(answer(session, ok(1)), []);
});

Deno.test("ClientSession fails on an answer that nobody asked for", () => {
  const session = sessionOf();
  session.request({ method: "OPTIONS", uri: URL }, 0);
  drain(session);
  const events = answer(session, ok(7));
  assertEquals(events.map((event) => event.type), ["failed"]);
});

Deno.test("ClientSession waits on after a provisional answer", () => {
  const session = sessionOf();
  session.request({ method: "OPTIONS", uri: URL }, 0);
  drain(session);
  assertEquals(answer(session, "RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n"), []);
  assertEquals(responsesIn(answer(session, ok(1))).length, 1);
});

Deno.test("ClientSession answers what a server asks", () => {
  const session = sessionOf();
  const ask = (method: string) =>
    answer(session, `${method} * RTSP/1.0\r\nCSeq: 5\r\n\r\n`)
      .map((event) => event.type === "send" ? decoder.decode(event.bytes) : event.type).join("|");
  assertStringIncludes(ask("OPTIONS"), "RTSP/1.0 200 OK\r\nCSeq: 5\r\nPublic: ");
  assertStringIncludes(ask("GET_PARAMETER"), "RTSP/1.0 200 OK");
  assertStringIncludes(ask("REDIRECT"), "RTSP/1.0 501 Not Implemented");
});

Deno.test("ClientSession hands out interleaved data between answers", () => {
  const session = readySession("1");
  drain(session);
  const events = answer(session, "$\x01\x00\x03abc" + "$\x00\x00\x00");
  assertEquals(
    events.map((event) =>
      event.type === "interleaved" ? [event.channel, decoder.decode(event.payload)] : event.type
    ),
    [[1, "abc"], [0, ""]],
  );
});

for (const algorithm of ["MD5", "SHA-256"]) {
  for (const qop of ["", ', qop="auth"']) {
    Deno.test(`ClientSession answers Digest ${algorithm}${qop} once, and at once from then on`, () => {
      const session = sessionOf({ credentials: { username: "ann", password: "hunter2" } });
      const id = session.request({ method: "DESCRIBE", uri: URL }, 0);
      drain(session);
      const challenge =
        `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=${algorithm}${qop}`;
      const events = answer(
        session,
        `RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n${challenge}\r\n\r\n`,
      );
      const again = events.find((event) => event.type === "send");
      assert(again?.type === "send");
      const text = decoder.decode(again.bytes);
      assertStringIncludes(text, 'Authorization: Digest username="ann"');
      assertEquals(text.includes("nc=00000001"), qop !== "");
      const visible = JSON.stringify(events.filter((event) => event.type !== "send"));
      assert(!visible.includes("hunter2") && !visible.includes("Digest username"), visible);
      const done = answer(session, ok(2));
      assert(done.some((event) => event.type === "response" && event.id === id && event.isFinal));
      session.request({ method: "SETUP", uri: `${URL}/t` }, 0);
      const setup = sentBy(session);
      assertStringIncludes(setup, `uri="${URL}/t"`);
      assertEquals(setup.includes("nc=00000002"), qop !== "");
    });
  }
}

Deno.test("ClientSession hands a second 401 to the caller: the password is wrong", () => {
  const session = sessionOf({ credentials: { username: "ann", password: "x" } });
  session.request({ method: "DESCRIBE", uri: URL }, 0);
  drain(session);
  const refusal = (cseq: number) =>
    `RTSP/1.0 401 Unauthorized\r\nCSeq: ${cseq}\r\nWWW-Authenticate: Basic realm="r"\r\n\r\n`;
  assertEquals(responsesIn(answer(session, refusal(1))), []);
  assertEquals(responsesIn(answer(session, refusal(2))).map((r) => r.statusCode), [401]);
});

Deno.test("ClientSession takes a stale nonce for no refusal", () => {
  const session = sessionOf({ credentials: { username: "ann", password: "x" } });
  session.request({ method: "DESCRIBE", uri: URL }, 0);
  drain(session);
  const refusal = (cseq: number, nonce: string, stale: string) =>
    `RTSP/1.0 401 Unauthorized\r\nCSeq: ${cseq}\r\n` +
    `WWW-Authenticate: Digest realm="r", nonce="${nonce}"${stale}\r\n\r\n`;
  answer(session, refusal(1, "a", ""));
  const events = answer(session, refusal(2, "b", ", stale=true"));
  const again = events.find((event) => event.type === "send");
  assert(again?.type === "send");
  assertStringIncludes(decoder.decode(again.bytes), 'nonce="b"');
});

Deno.test("ClientSession without a password hands the 401 to the caller; a 401 without a challenge too", () => {
  const anonymous = sessionOf();
  anonymous.request({ method: "DESCRIBE", uri: URL }, 0);
  drain(anonymous);
  const basic = 'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="r"\r\n\r\n';
  assertEquals(responsesIn(answer(anonymous, basic)).map((r) => r.statusCode), [401]);
  const known = sessionOf({ credentials: { username: "ann", password: "x" } });
  known.request({ method: "DESCRIBE", uri: URL }, 0);
  drain(known);
  const bare = "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n";
  assertEquals(responsesIn(answer(known, bare)).map((r) => r.statusCode), [401]);
});

Deno.test("ClientSession writes lab requests in three lines, in each of its spellings", () => {
  const setup = {
    method: "SETUP",
    uri: "movie.mjpeg",
    headers: [["Transport", "RTP/UDP;client_port=25000"]] as const,
  };
  const written = (labForm: ClientSessionOptions["labForm"]) => {
    const session = sessionOf({ dialect: "lab", labForm, userAgent: "unwanted" });
    session.request(setup, 0);
    const first = sentBy(session);
    answer(session, "RTSP/1.0 200 OK\nCSeq: 1\nSession: 123456\n", 0);
    session.handleTimeout(10_000);
    drain(session);
    session.request({ method: "PLAY", uri: "movie.mjpeg" }, 10_000);
    return [first, sentBy(session)];
  };
  assertEquals(written("canonical"), [
    "SETUP movie.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 25000\n",
    "PLAY movie.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\n",
  ]);
  assertEquals(written("port-on-fourth-line")[0].trimEnd().split("\n"), [
    "SETUP movie.mjpeg RTSP/1.0",
    "CSeq: 1",
    "Transport: RTP/UDP",
    "client_port = 25000",
  ]);
  assertEquals(written("name-as-host"), [
    "SETUP rtsp://movie.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP;client_port=25000\r\n",
    "PLAY rtsp://movie.mjpeg RTSP/1.0\r\nCSeq: 2\r\nSession: 123456\r\n",
  ]);
});

for (const reply of LAB_REPLIES) {
  Deno.test(`ClientSession understands a lab server's answer, whole and split: ${reply.name}`, () => {
    const text = reply.setup.replaceAll("{n}", "1");
    for (let cut = 0; cut <= text.length; cut++) {
      const session = sessionOf({ dialect: "lab" });
      session.request({ method: "SETUP", uri: "movie.mjpeg" }, 0);
      drain(session);
      session.receive(encoder.encode(text.slice(0, cut)), 0);
      session.receive(encoder.encode(text.slice(cut)), 1);
      for (let now = 1; now < 2000 && session.state === "INIT"; now += 10) {
        session.handleTimeout(now);
      }
      const [response] = responsesIn(drain(session));
      assertEquals(response?.statusCode, 200, `cut at ${cut}`);
      assertEquals(session.state, "READY");
      assertEquals(session.sessionId, reply.sessionId, `cut at ${cut}`);
      session.request({ method: "PLAY", uri: "movie.mjpeg" }, 2000);
      assertStringIncludes(sentBy(session), `Session: ${reply.sessionId ?? "0"}\n`);
    }
  });
}

Deno.test("ClientSession understands a lab answer to a standard request where it is told to watch for one", () => {
  const session = sessionOf({ detectsLab: true });
  session.request({ method: "OPTIONS", uri: URL }, 0);
  drain(session);
  session.receive(encoder.encode("RTSP/1.0 200 OK\nCSeq: 1\nSession: 349914"), 0);
  for (let now = 0; now < 1000; now += 10) session.handleTimeout(now);
  const [response] = responsesIn(drain(session));
  assert(response?.lab !== undefined);
});

Deno.test("ClientSession lets nothing but its own events out of any bytes (fuzz)", () => {
  const runs = Number(Deno.env.get("FUZZ_RUNS") ?? 200);
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(
      "RTSP/1.0 200 OK\r\n",
      "CSeq: 1\r\n",
      "Session: \r\n",
      "\r\n",
      "\n",
      "$\x00\x00\x01x",
    )
      .map((text) => encoder.encode(text)),
    fc.constantFrom(
      "WWW-Authenticate: Digest x\r\n",
      "RTSP/1.0 401 No\r\n",
      "OPTIONS * RTSP/1.0\r\n",
    )
      .map((text) => encoder.encode(text)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("rtsp" as const, "lab" as const),
      fc.array(pieces, { maxLength: 12 }),
      (dialect, chunks) => {
        const session = sessionOf({
          dialect,
          detectsLab: true,
          credentials: { username: "a", password: "b" },
        });
        session.request({ method: "OPTIONS", uri: URL }, 0);
        let now = 0;
        for (const chunk of chunks) {
          session.receive(chunk, now);
          now += 60;
          session.handleTimeout(now);
        }
        session.endOfInput(now);
        for (const event of drain(session)) {
          if (event.type === "response") headerValue(event.response.headers, "CSeq");
        }
      },
    ),
    { numRuns: runs, seed: 7 },
  );
});

Deno.test("ClientSession tells its own lab requests in the form they were written in", () => {
  const session = sessionOf({ dialect: "lab", tellsMessages: true });
  session.request({ method: "SETUP", uri: "movie.mjpeg" }, 0);
  const told = drain(session).flatMap((event) => event.type === "message" ? [event.message] : []);
  assertEquals(told.map((message) => message?.lab), [
    { family: "A", lineEnd: "\n", hasBlankLine: false },
  ]);
});
