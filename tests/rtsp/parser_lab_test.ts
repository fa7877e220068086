import { assertEquals, assertThrows } from "@std/assert";
import { RtspFormatError } from "../../lib/errors.ts";
import {
  headerValue,
  type RtspMessage,
  RtspParser,
  type RtspRequest,
  type RtspResponse,
} from "../../lib/rtsp.ts";
import { LAB_REPLY_BYTES } from "../vectors/lab_reply_bytes.ts";
import {
  LAB_JOINED_REQUESTS,
  LAB_REQUESTS,
  type LabRequestVector,
} from "../vectors/lab_requests.ts";
import { octets, readPieces, segmentations } from "./reading.ts";

const SERVER = { role: "server", dialect: "auto" } as const;
const CLIENT = { role: "client", dialect: "lab" } as const;

function onlyRequest(messages: readonly RtspMessage[]): RtspRequest {
  assertEquals(messages.length, 1, JSON.stringify(messages));
  const [message] = messages;
  if (message.type !== "request") throw new Error(`a ${message.type}`);
  return message;
}

function onlyResponse(messages: readonly RtspMessage[]): RtspResponse {
  assertEquals(messages.length, 1, JSON.stringify(messages));
  const [message] = messages;
  if (message.type !== "response") throw new Error(`a ${message.type}`);
  return message;
}

function assertMeaning(request: RtspRequest, vector: LabRequestVector, howCut: string): void {
  const { method, uri, cseq, headers, form } = vector.means;
  const what = `${vector.client} ${JSON.stringify(vector.bytes)} ${howCut}`;
  assertEquals(request.method, method, what);
  assertEquals(request.uri, uri, what);
  assertEquals(request.version, "RTSP/1.0", what);
  assertEquals(request.headers[0], ["CSeq", cseq], what);
  assertEquals(request.lab?.family, form, what);
  assertEquals(request.lab?.lineEnd, vector.bytes.includes("\r\n") ? "\r\n" : "\n", what);
  // A fourth line that comes in a segment of its own, behind three whole ones, is too late to be read.
  const isEarly = vector.means.method === "SETUP" &&
    /^[^]*\n[^]*\n[^]*\n$/.test(vector.bytes.slice(0, Number(howCut)));
  assertEquals(request.headers.slice(1), isEarly ? headers.slice(0, 1) : headers, what);
  assertEquals(request.lab?.hasBlankLine, vector.family === "A'''", what);
}

Deno.test("RtspParser reads every captured lab request, whole", () => {
  for (const vector of LAB_REQUESTS) {
    const messages = readPieces(SERVER, [octets(vector.bytes)], { silence: "pause" });
    assertMeaning(onlyRequest(messages), vector, "whole");
  }
});

Deno.test("RtspParser reads every captured lab request, octet by octet and cut at every place", () => {
  for (const vector of LAB_REQUESTS) {
    for (const pieces of segmentations(octets(vector.bytes))) {
      const messages = readPieces(SERVER, pieces, { silence: "pause" });
      assertMeaning(
        onlyRequest(messages),
        vector,
        pieces.length === 2 ? `${pieces[0].length}` : "whole",
      );
    }
  }
});

Deno.test("RtspParser reads every captured lab request at the end of the connection", () => {
  for (const vector of LAB_REQUESTS) {
    const messages = readPieces(SERVER, [octets(vector.bytes)], { silence: "end" });
    assertMeaning(onlyRequest(messages), vector, "whole");
  }
});

Deno.test("RtspParser reads captured lab requests that follow one another without silence", () => {
  for (const family of ["A'", "A''", "A'''"]) {
    const vectors = LAB_REQUESTS.filter((vector) => vector.family === family);
    const text = vectors.map(({ bytes }) => bytes).join("");
    for (const pieces of segmentations(octets(text))) {
      const messages = readPieces(SERVER, pieces, { silence: "pause" });
      assertEquals(messages.length, vectors.length);
      messages.forEach((message, index) =>
        assertMeaning(onlyRequest([message]), vectors[index], `cut at ${pieces[0].length}`)
      );
    }
  }
});

Deno.test("RtspParser splits requests that run together without a line end", () => {
  for (const text of LAB_JOINED_REQUESTS) {
    for (const pieces of segmentations(octets(text))) {
      const messages = readPieces(SERVER, pieces, { silence: "pause" });
      assertEquals(messages.length, 2, text);
      assertEquals(messages[0], messages[1], text);
    }
  }
  const glued = "SETUP m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070" +
    "PLAY m RTSP/1.0\nCSeq: 2\nSession: 123456TEARDOWN m RTSP/1.0\nCSeq: 3\nSession: 123456";
  const messages = readPieces(SERVER, [octets(glued)], { silence: "pause" });
  assertEquals(messages.map((message) => (message as RtspRequest).method), [
    "SETUP",
    "PLAY",
    "TEARDOWN",
  ]);
  assertEquals(
    headerValue((messages[0] as RtspRequest).headers, "Transport"),
    "RTP/UDP;client_port=26070",
  );
});

Deno.test("RtspParser answers whole lab requests without waiting, and passes over what comes late", () => {
  const parser = new RtspParser(SERVER);
  const read = (text: string) => {
    parser.push(octets(text));
    const message = parser.next();
    return message?.type === "request" ? message.method : message?.type;
  };
  assertEquals(
    read("SETUP m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26500\n"),
    "SETUP",
  );
  assertEquals(parser.pauseMs, undefined);
  assertEquals(read("\n"), undefined);
  assertEquals(read("PAUSE m RTSP/1.0\nCSeq: 2\nSession: 123456\n"), "PAUSE");
  assertEquals(read("Prefer: "), undefined);
  assertEquals(parser.pauseMs, 40);
  assertEquals(read("SDPAUSE m RTSP/1.0\nCSeq: 3\nSession: 123456\n"), undefined);
  assertEquals(parser.pauseMs, 40);
  parser.pause();
  assertEquals(read(""), "PAUSE");
  assertEquals(read("Prefer: SD"), undefined);
  parser.pause();
  assertEquals(parser.next(), undefined);
  assertEquals(parser.pauseMs, undefined);
  assertEquals(read("TEAR"), undefined);
  assertEquals(parser.pauseMs, undefined);
  assertEquals(read("DOWN m RTSP/1.0\nCSeq: 4\nSession: 123456\n"), undefined);
  parser.pause();
  assertEquals(read(""), "TEARDOWN");
  assertEquals(read("PLAY m RTSP/1.0\nCSeq: 5\nSession: 123456\n"), "PLAY");
});

Deno.test("RtspParser waits where a line behind the third would matter", () => {
  const waits = [
    "SETUP m RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= 26500\r\n",
    "SETUP m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP\n",
    "SETUP rtsp://h/m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26500\n",
  ];
  for (const text of waits) assertEquals(readPieces(SERVER, [octets(text)]), [], text);
});

Deno.test("RtspParser.pauseMs is longer for a message that looks unfinished", () => {
  const pauseAfter = (text: string) => {
    const parser = new RtspParser(SERVER);
    parser.push(octets(text));
    assertEquals(parser.next(), undefined);
    return parser.pauseMs;
  };
  assertEquals(pauseAfter("SETUP m RTSP/1.0\n"), undefined);
  assertEquals(pauseAfter("SETUP m RTSP/1.0\nCSeq: 1"), 1000);
  assertEquals(pauseAfter("SETUP m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26"), 1000);
  assertEquals(pauseAfter("SETUP m RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070"), 40);
  assertEquals(pauseAfter("SETUP m\n1\n RTSP/1.0 RTP/UDP 260"), 1000);
  assertEquals(pauseAfter("SETUP m\n1\n RTSP/1.0 RTP/UDP 26010"), 40);
  assertEquals(pauseAfter("PLAY \n2"), 40);
  assertEquals(pauseAfter("PLAY m\nCSeq:"), 200);
  assertEquals(pauseAfter("PLAY m RTSP/1.0\nCSeq: 2"), 200);
  assertEquals(pauseAfter("PLAY m RTSP/1.0\nCSeq: 2\nSession: 1"), 40);
});

Deno.test("RtspParser never ends a standard request with silence", () => {
  const texts = [
    "SETUP rtsp://h/m RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\n",
    "PLAY rtsp://h:554 RTSP/1.0\nCSeq: 1\nSession: 1\n",
    "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: telnet\r\n",
    "OPTIONS rtsp://192.168.1.5 RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: telnet\r\n",
    "DESCRIBE /live RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n",
  ];
  for (const text of texts) {
    const parser = new RtspParser(SERVER);
    for (const octet of octets(text)) {
      parser.push(Uint8Array.of(octet));
      assertEquals(parser.next(), undefined, text);
      assertEquals(parser.pauseMs, undefined, text);
      parser.pause();
      assertEquals(parser.next(), undefined, text);
    }
    parser.push(octets("\r\n"));
    const message = parser.next();
    assertEquals(message?.type, "request");
    assertEquals((message as RtspRequest).lab, undefined, text);
  }
});

Deno.test("RtspParser lets both dialects follow each other on one connection", () => {
  const parser = new RtspParser(SERVER);
  const forms: string[] = [];
  const read = (text: string) => {
    parser.push(octets(text));
    for (let message = parser.next(); message !== undefined; message = parser.next()) {
      forms.push(
        message.type === "request"
          ? `${message.method} ${message.lab?.family ?? "-"}`
          : message.type,
      );
    }
  };
  read("OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  read("SETUP m\n1\n RTSP/1.0 RTP/UDP 26010");
  parser.pause();
  read("");
  read("PLAY rtsp://h/m RTSP/1.0\r\nCSeq: 2\r\n");
  assertEquals(parser.pauseMs, undefined);
  read("\r\n$\x00\x00\x01x");
  assertEquals(forms, ["OPTIONS -", "SETUP B", "PLAY -", "interleaved"]);
});

Deno.test("RtspParser takes a lab request with a whole URL for the lab's by its transport", () => {
  const text =
    "SETUP rtsp://127.0.0.1/movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 26070";
  const setup = onlyRequest(readPieces(SERVER, [octets(text)], { silence: "pause" }));
  assertEquals(setup.lab, { family: "A", lineEnd: "\n", hasBlankLine: false });
  assertEquals(setup.uri, "rtsp://127.0.0.1/movie.Mjpeg");
  const play = "\nPLAY rtsp://127.0.0.1/movie.Mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456";
  assertEquals(readPieces(SERVER, [octets(text + play)], { silence: "pause" }).length, 2);
});

Deno.test("RtspParser with dialect rtsp reads no lab request", () => {
  const parser = () => new RtspParser({ role: "server", dialect: "rtsp" });
  const odd = parser();
  odd.push(octets("PLAY \n2"));
  assertEquals(assertThrows(() => odd.next(), RtspFormatError).code, "not-rtsp");
  const canonical = parser();
  canonical.push(octets("PLAY m RTSP/1.0\nCSeq: 2\nSession: 1"));
  assertEquals(canonical.next(), undefined);
  assertEquals(canonical.pauseMs, undefined);
  canonical.endOfInput();
  assertEquals(assertThrows(() => canonical.next(), RtspFormatError).code, "truncated");
});

Deno.test("RtspParser reads every captured lab reply, whole, octet by octet and cut at every place", () => {
  for (const { server, method, bytes, means } of LAB_REPLY_BYTES) {
    for (const pieces of segmentations(octets(bytes))) {
      for (const silence of ["pause", "end"] as const) {
        const messages = readPieces(CLIENT, pieces, { silence, expect: [method] });
        const response = onlyResponse(messages);
        const what = `${server} cut at ${pieces[0].length}`;
        assertEquals(response.statusCode, means.statusCode, what);
        assertEquals(headerValue(response.headers, "CSeq"), means.cseq, what);
        assertEquals(headerValue(response.headers, "Session"), means.session, what);
        for (const [name, value] of means.headers ?? []) {
          assertEquals(headerValue(response.headers, name), value, what);
        }
        assertEquals(new TextDecoder().decode(response.body), means.body ?? "", what);
        assertEquals(response.lab?.family, "A", what);
      }
    }
  }
});

Deno.test("RtspParser in the client's role waits as long as the reply looks unfinished", () => {
  const pauseAfter = (text: string) => {
    const parser = new RtspParser(CLIENT);
    parser.push(octets(text));
    assertEquals(parser.next(), undefined);
    return parser.pauseMs;
  };
  assertEquals(pauseAfter("RTSP/1.0 2"), undefined);
  assertEquals(pauseAfter("RTSP/1.0 200 OK\n"), 1000);
  assertEquals(pauseAfter("RTSP/1.0 200 OK\nCSeq: 1\n"), 250);
  assertEquals(pauseAfter("RTSP/1.0 200 OK\nCSeq: 1\nSession: 1"), 80);
  assertEquals(pauseAfter("RTSP/1.0 200 OK\nCSeq: 1\nContent-Length: 91\n"), 1000);
});

Deno.test("RtspParser in the client's role passes over what follows a lab reply", () => {
  const parser = new RtspParser(CLIENT);
  parser.push(octets("RTSP/1.0 200 OK\nCSeq: 1\nSession: 326986\nTotal"));
  assertEquals(parser.next(), undefined);
  parser.pause();
  assertEquals(parser.next()?.type, "response");
  parser.push(octets("Frames: 240"));
  assertEquals(parser.next(), undefined);
  assertEquals(parser.pauseMs, 40);
  parser.pause();
  assertEquals(parser.next(), undefined);
  parser.push(octets("RTSP/1.0 200 OK\nCSeq: 2\nSession: 326986\n\n"));
  assertEquals(headerValue(onlyResponse([parser.next()!]).headers, "CSeq"), "2");
});

Deno.test("RtspParser tells a lab server by its answer to a standard request", () => {
  const auto = { role: "client", dialect: "auto" } as const;
  for (const silence of ["pause", "end"] as const) {
    const bytes = octets("RTSP/1.0 200 OK\nCSeq: 1\nSession: 349914");
    assertEquals(onlyResponse(readPieces(auto, [bytes], { silence })).lab?.lineEnd, "\n");
  }
  const java = octets("RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 9f91bae1\r\n");
  assertEquals(readPieces(auto, [java], { silence: "pause" }), []);
  assertEquals(onlyResponse(readPieces(auto, [java], { silence: "end" })).lab?.lineEnd, "\r\n");
  const standard = octets("RTSP/1.0 200 OK\nCSeq: 1\nSession: 349914\n\n");
  assertEquals(onlyResponse(readPieces(auto, [standard])).lab, undefined);
});
