import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { RtspFormatError } from "../../lib/errors.ts";
import {
  DEFAULT_RTSP_LIMITS,
  formatInterleaved,
  headerValue,
  headerValues,
  type RtspMessage,
  RtspParser,
  type RtspParserOptions,
  type RtspRequest,
  type RtspResponse,
} from "../../lib/rtsp.ts";
import { octets, readPieces, segmentations } from "./reading.ts";

const SERVER = { role: "server", dialect: "auto" } as const;
const CLIENT = { role: "client", dialect: "auto" } as const;

function fault(options: RtspParserOptions, text: string | Uint8Array, isEnd = false) {
  const parser = new RtspParser(options);
  parser.push(typeof text === "string" ? octets(text) : text);
  if (isEnd) parser.endOfInput();
  const error = assertThrows(() => {
    while (parser.next() !== undefined);
  }, RtspFormatError);
  assertEquals(assertThrows(() => parser.next(), RtspFormatError), error);
  assertEquals(parser.pauseMs, undefined);
  return { code: error.code, statusCode: error.statusCode, offset: error.offset };
}

const FFMPEG_DIALOGUE = [
  "OPTIONS rtsp://127.0.0.1:9600/live RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lavf59.27.100\r\n\r\n",
  "DESCRIBE rtsp://127.0.0.1:9600/live RTSP/1.0\r\nAccept: application/sdp\r\nCSeq: 2\r\n\r\n",
  "SETUP rtsp://127.0.0.1:9600/live/trackID=0 RTSP/1.0\r\n" +
  "Transport: RTP/AVP/UDP;unicast;client_port=17176-17177\r\nCSeq: 3\r\n\r\n",
  "PLAY rtsp://127.0.0.1:9600/live/ RTSP/1.0\r\nRange: npt=0.000-\r\nCSeq: 4\r\nSession: 2E1556E3\r\n\r\n",
  "TEARDOWN rtsp://127.0.0.1:9600/live/ RTSP/1.0\r\nCSeq: 5\r\nSession: 2E1556E3\r\n\r\n",
];

Deno.test("RtspParser reads a player's whole dialogue, however it is cut", () => {
  for (const pieces of segmentations(octets(FFMPEG_DIALOGUE.join("")))) {
    const messages = readPieces(SERVER, pieces) as RtspRequest[];
    assertEquals(messages.map(({ method }) => method), [
      "OPTIONS",
      "DESCRIBE",
      "SETUP",
      "PLAY",
      "TEARDOWN",
    ]);
    assertEquals(messages.map(({ headers }) => headerValue(headers, "cseq")), [..."12345"]);
    assertEquals(messages[2].uri, "rtsp://127.0.0.1:9600/live/trackID=0");
    assertEquals(
      messages.every(({ lab, version }) => lab === undefined && version === "RTSP/1.0"),
      true,
    );
  }
});

Deno.test("RtspParser keeps order, case and duplicates of headers, joins folded lines, keeps empty values", () => {
  const text = "OPTIONS rtsp://h/x RTSP/1.0\r\nuser-agent: a\r\nCSeq: 1\r\nUser-Agent:   b \r\n" +
    "Require:\r\nX-Long: one\r\n\ttwo\r\n   three\r\nX-Colon: a:b\r\n\r\n";
  const [request] = readPieces(SERVER, [octets(text)]) as RtspRequest[];
  assertEquals(request.headers, [
    ["user-agent", "a"],
    ["CSeq", "1"],
    ["User-Agent", "b"],
    ["Require", ""],
    ["X-Long", "one two three"],
    ["X-Colon", "a:b"],
  ]);
  assertEquals(headerValues(request.headers, "USER-AGENT"), ["a", "b"]);
});

Deno.test("RtspParser takes bare line feeds and blank lines between messages", () => {
  const text = "\r\n\nOPTIONS * RTSP/1.0\nCSeq: 1\n\n\r\n\r\nOPTIONS * RTSP/1.0\r\nCSeq: 2\n\n";
  for (const pieces of segmentations(octets(text))) {
    assertEquals(readPieces(SERVER, pieces).length, 2);
  }
});

Deno.test("RtspParser reads bodies by their length, and text in UTF-8 or Latin-1", () => {
  const text = "SET_PARAMETER rtsp://h/x RTSP/1.0\r\nCSeq: 9\r\nContent-Length: 7\r\n\r\nbarparam" +
    "";
  for (const pieces of segmentations(octets(text.slice(0, -1)))) {
    const [request] = readPieces(SERVER, pieces) as RtspRequest[];
    assertEquals(new TextDecoder().decode(request.body), "barpara");
  }
  const utf8 = octets("DESCRIBE rtsp://h/\u00fcbung\ufeff RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  assertEquals((readPieces(SERVER, [utf8])[0] as RtspRequest).uri, "rtsp://h/\u00fcbung\ufeff");
  const latin1 = octets("DESCRIBE rtsp://h/#bung RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  latin1[latin1.indexOf(0x23)] = 0xfc;
  assertEquals((readPieces(SERVER, [latin1])[0] as RtspRequest).uri, "rtsp://h/\u00fcbung");
});

Deno.test("RtspParser hands out interleaved frames between messages, owned", () => {
  const frame = formatInterleaved(3, Uint8Array.of(0x0d, 0x0a, 0x24, 1));
  const bytes = new Uint8Array([
    ...frame,
    ...octets(FFMPEG_DIALOGUE[0]),
    ...formatInterleaved(0, new Uint8Array()),
    ...frame,
    ...octets(FFMPEG_DIALOGUE[4]),
  ]);
  for (const role of ["server", "client"] as const) {
    for (const pieces of segmentations(bytes)) {
      const messages = readPieces({ role, dialect: "auto" }, pieces);
      assertEquals(messages.map(({ type }) => type), [
        "interleaved",
        "request",
        "interleaved",
        "interleaved",
        "request",
      ]);
      assertEquals(messages[0], {
        type: "interleaved",
        channel: 3,
        payload: Uint8Array.of(0x0d, 0x0a, 0x24, 1),
      });
    }
  }
  const parser = new RtspParser(SERVER);
  parser.push(frame);
  const first = parser.next() as RtspMessage & { payload: Uint8Array };
  parser.push(new Uint8Array(5000).fill(0x24));
  assertEquals(first.payload, Uint8Array.of(0x0d, 0x0a, 0x24, 1));
});

Deno.test("RtspParser reads responses and requests in the client's role", () => {
  const text =
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n" +
    "$\x00\x00\x02ab" +
    "ANNOUNCE rtsp://h/x RTSP/1.0\r\nCSeq: 1\r\nNotice: 2101\r\n\r\n" +
    "RTSP/1.0 454 Session Not Found\r\nCSeq: 3\r\n\r\nRTSP/1.0 200\r\nCSeq: 4\r\nnonsense\r\n\r\n";
  for (const pieces of segmentations(octets(text))) {
    const [describe, frame, announce, refusal, terse] = readPieces(CLIENT, pieces);
    assertEquals(new TextDecoder().decode((describe as RtspResponse).body), "v=0\r\n");
    assertEquals(frame.type, "interleaved");
    assertEquals((announce as RtspRequest).method, "ANNOUNCE");
    assertEquals((refusal as RtspResponse).statusCode, 454);
    assertEquals((refusal as RtspResponse).reasonPhrase, "Session Not Found");
    assertEquals((terse as RtspResponse).reasonPhrase, "");
    assertEquals((terse as RtspResponse).headers, [["CSeq", "4"]]);
  }
});

Deno.test("RtspParser passes over what a server sends behind its body", () => {
  const text =
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nv=0\r\ns=x\r\nRTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n";
  for (const pieces of segmentations(octets(text))) {
    const messages = readPieces(CLIENT, pieces) as RtspResponse[];
    assertEquals(messages.map(({ headers }) => headerValue(headers, "CSeq")), ["2", "3"]);
  }
});

Deno.test("RtspParser takes a description without a length up to silence", () => {
  const text =
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=video 0 RTP/AVP 26\r\n";
  const end = { silence: "pause", expect: ["OPTIONS", "DESCRIBE"] } as const;
  const options = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n";
  const [, describe] = readPieces(CLIENT, [octets(options + text)], end) as RtspResponse[];
  assertEquals(new TextDecoder().decode(describe.body), "v=0\r\nm=video 0 RTP/AVP 26\r\n");
  const [other] = readPieces(CLIENT, [
    octets(text.slice(0, text.indexOf("v=0"))),
  ]) as RtspResponse[];
  assertEquals(other.body.length, 0);
});

Deno.test("RtspParser delivers another version, for the server to answer 505", () => {
  const text =
    "OPTIONS rtsp://h/x RTSP/2.0\r\nCSeq: 1\r\n\r\nOPTIONS rtsp://h/x RTSP/1.0\r\nCSeq: 2\r\n\r\n";
  const messages = readPieces(SERVER, [octets(text)]) as RtspRequest[];
  assertEquals(messages.map(({ version }) => version), ["RTSP/2.0", "RTSP/1.0"]);
});

Deno.test("RtspParser takes blanks in a target and lower case in a version", () => {
  const text = "DESCRIBE  rtsp://h/my movie.mjpeg  rtsp/1.0\r\nCSeq: 1\r\n\r\n";
  const [request] = readPieces(SERVER, [octets(text)]) as RtspRequest[];
  assertEquals([request.uri, request.version], ["rtsp://h/my movie.mjpeg", "RTSP/1.0"]);
});

Deno.test("RtspParser refuses foreign protocols at once", () => {
  const helloOfTls = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00);
  assertEquals(fault(SERVER, helloOfTls), { code: "not-rtsp", statusCode: 400, offset: 0 });
  assertEquals(fault(SERVER, "GET /live HTTP/1.1\r\n").code, "http");
  assertEquals(fault(CLIENT, "HTTP/1.1 400 Bad Request\r\n").code, "http");
  assertEquals(fault(SERVER, "hello world\r\n").code, "not-rtsp");
  assertEquals(fault(SERVER, "SSH-2.0-OpenSSH_9.2\r\n").code, "not-rtsp");
  assertEquals(fault(SERVER, "\x00\x00\x00").code, "not-rtsp");
  assertEquals(fault(SERVER, "PLAY\x01 x RTSP/1.0\r\n").code, "not-rtsp");
  assertEquals(fault(CLIENT, "220 mail ready\r\n").code, "not-rtsp");
  const second = FFMPEG_DIALOGUE[0] + "(";
  assertEquals(fault(SERVER, second).offset, FFMPEG_DIALOGUE[0].length);
});

Deno.test("RtspParser refuses what is malformed, with code, status and offset", () => {
  const head = "OPTIONS rtsp://h/x RTSP/1.0\r\n";
  const at = head.length;
  assertEquals(fault(SERVER, "OPTIONS rtsp://h/x RTSP/one\r\n").code, "request-line");
  assertEquals(fault(SERVER, "OPTIONS RTSP/1.0\r\n\r\n").code, "request-line");
  assertEquals(fault(SERVER, `${head}no colon here\r\n\r\n`).code, "header-line");
  assertEquals(fault(SERVER, `${head} folded first\r\n\r\n`).code, "header-line");
  assertEquals(fault(SERVER, `${head}Bad Name: x\r\n\r\n`).code, "header-line");
  assertEquals(fault(SERVER, `${head}A: b\x00c\r\n`), {
    code: "control-character",
    statusCode: 400,
    offset: at,
  });
  assertEquals(fault(SERVER, `${head}A: b\rC: d\r\n`).code, "control-character");
  for (const length of ["", "-1", "1e3", "0x10", "12 34", "9".repeat(16)]) {
    assertEquals(fault(SERVER, `${head}Content-Length: ${length}\r\n\r\n`), {
      code: "content-length",
      statusCode: 400,
      offset: 0,
    });
  }
  assertEquals(
    fault(SERVER, `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`).code,
    "content-length",
  );
  assertEquals(fault(CLIENT, "RTSP/1.0 20 OK\r\n").code, "status-line");
  assertEquals(fault(CLIENT, "RTSP/1.0 2000 OK\r\n").code, "status-line");
  assertEquals(fault(CLIENT, "PLAY \n2\n").code, "not-rtsp");
});

Deno.test("RtspParser holds its bounds", () => {
  const { lineBytes, headerCount, headBytes, bodyBytes } = DEFAULT_RTSP_LIMITS;
  const head = "OPTIONS rtsp://h/x RTSP/1.0\r\n";
  const longTarget = `OPTIONS rtsp://h/${"x".repeat(lineBytes)}`;
  assertEquals(fault(SERVER, longTarget).statusCode, 414);
  assertEquals(fault(SERVER, `${longTarget} RTSP/1.0\r\n\r\n`).code, "request-line-too-long");
  assertEquals(fault(SERVER, `${head}A: ${"x".repeat(lineBytes)}`), {
    code: "line-too-long",
    statusCode: 400,
    offset: head.length,
  });
  const longest = `A: ${"x".repeat(lineBytes - 3)}\r\n`;
  assertEquals(readPieces(SERVER, [octets(`${head}${longest}\r\n`)]).length, 1);
  assertEquals(fault(SERVER, head + longest.repeat(8)).code, "head-too-long");
  assertLess(head.length + longest.length * 7, headBytes);
  assertEquals(
    readPieces(SERVER, [octets(`${head}${"A: b\r\n".repeat(headerCount)}\r\n`)]).length,
    1,
  );
  assertEquals(
    fault(SERVER, `${head}${"A: b\r\n".repeat(headerCount + 1)}`).code,
    "too-many-headers",
  );
  assertEquals(fault(SERVER, `${head}${"A: b\r\n".repeat(1000)}`).code, "too-many-headers");
  assertEquals(fault(SERVER, `${head}Content-Length: ${bodyBytes + 1}\r\n\r\n`), {
    code: "body-too-long",
    statusCode: 413,
    offset: 0,
  });
  assertEquals(fault(SERVER, `${head}Content-Length: 999999999999999\r\n\r\n`).statusCode, 413);
  assertEquals(fault(SERVER, new Uint8Array(10_000_000).fill(0x41)).statusCode, 414);
  const odd = { ...SERVER, limits: { bodyBytes: 3, lineBytes: 40 } };
  assertEquals(fault(odd, `${head}Content-Length: 4\r\n\r\n`).statusCode, 413);
  assertEquals(fault(odd, "OPTIONS rtsp://host.example/xxxxxxxxx RTSP/1.0\r\n").statusCode, 414);
  const endless = "RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n" +
    "v".repeat(bodyBytes + 1);
  const parser = new RtspParser(CLIENT);
  parser.expectResponseTo("DESCRIBE");
  parser.push(octets(endless));
  assertEquals(assertThrows(() => parser.next(), RtspFormatError).statusCode, 413);
});

Deno.test("RtspParser refuses leftovers of a lab message without end", () => {
  const parser = new RtspParser(SERVER);
  parser.push(octets("PLAY \n2"));
  parser.next();
  parser.pause();
  parser.next();
  parser.push(octets("x\n".repeat(101)));
  assertEquals(assertThrows(() => parser.next(), RtspFormatError).code, "not-rtsp");
});

Deno.test("RtspParser says truncated where the connection ends within a message, and nothing between", () => {
  const whole = FFMPEG_DIALOGUE[0];
  for (let length = 1; length < whole.length; length++) {
    assertEquals(fault(SERVER, whole.slice(0, length), true).code, "truncated", String(length));
  }
  assertEquals(readPieces(SERVER, [octets(whole)], { silence: "end" }).length, 1);
  assertEquals(readPieces(SERVER, [], { silence: "end" }), []);
  assertEquals(fault(SERVER, "$\x00\x00\x05abc", true).code, "truncated");
  assertEquals(fault(SERVER, "$\x00", true).code, "truncated");
  const body = "RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabc";
  assertEquals(fault(CLIENT, body, true).code, "truncated");
});

/** Milliseconds that the fastest of some runs takes. */
function fastest(run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The exponent by which time grows with size. */
function exponentOf(run: (size: number) => void, small: number, large: number): number {
  run(small);
  const ratio = fastest(() => run(large)) / fastest(() => run(small));
  return Math.log(ratio) / Math.log(large / small);
}

function pushOctets(options: RtspParserOptions, bytes: Uint8Array): void {
  const parser = new RtspParser(options);
  for (let at = 0; at < bytes.length; at++) {
    parser.push(bytes.subarray(at, at + 1));
    parser.next();
    void parser.pauseMs;
  }
}

Deno.test("RtspParser takes time in proportion to the octets, one by one", () => {
  const head = "SET_PARAMETER rtsp://h/x RTSP/1.0\r\n";
  const labHead = "PLAY m RTSP/1.0\nCSeq: 1\n";
  const cases: Record<string, [RtspParserOptions, (size: number) => string]> = {
    body: [SERVER, (size) => `${head}Content-Length: ${size}\r\n\r\n${"x".repeat(size)}`],
    headers: [SERVER, (size) => `${head}${`A: ${"x".repeat(600)}\r\n`.repeat(size / 604)}`],
    "lab headers": [SERVER, (size) => `${labHead}${`A: ${"x".repeat(600)}\n`.repeat(size / 604)}`],
    "folded header": [
      SERVER,
      (size) => `${head}A: x\r\n${` ${"y".repeat(600)}\r\n`.repeat(size / 604)}`,
    ],
    "blank lines": [SERVER, (size) => "\r\n".repeat(size / 2)],
    frames: [CLIENT, (size) => `$\x01\x00\x7c${"x".repeat(124)}`.repeat(size / 128)],
    "lab body": [
      { role: "client", dialect: "lab" },
      (size) => `RTSP/1.0 200 OK\nContent-Type: a/b\n\n${"x".repeat(size)}`,
    ],
  };
  for (const [name, [options, textOf]] of Object.entries(cases)) {
    const texts = new Map([2400, 24_000].map((size) => [size, octets(textOf(size))]));
    const exponent = exponentOf((size) => pushOctets(options, texts.get(size)!), 2400, 24_000);
    assertLess(exponent, 1.6, name);
  }
});

Deno.test("RtspParser takes time in proportion to the messages of one segment", () => {
  const texts = new Map(
    [200, 4000].map((count) => [count, octets(FFMPEG_DIALOGUE[0].repeat(count))]),
  );
  const exponent = exponentOf(
    (count) => {
      assertEquals(readPieces(SERVER, [texts.get(count)!]).length, count);
    },
    200,
    4000,
  );
  assertLess(exponent, 1.6);
  assertGreater(exponent, 0);
});
