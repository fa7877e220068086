import { assertEquals, assertThrows } from "@std/assert";
import {
  formatInterleaved,
  formatRequest,
  formatResponse,
  INTERLEAVED_HEADER_SIZE,
  type LabForm,
  reasonPhraseOf,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
} from "../../lib/rtsp.ts";
import { octets } from "./reading.ts";

const NONE = new Uint8Array();

function request(method: string, uri: string, headers: RtspHeader[], lab?: LabForm): RtspRequest {
  return {
    type: "request",
    method,
    uri,
    version: "RTSP/1.0",
    headers,
    body: NONE,
    ...(lab && { lab }),
  };
}

function response(headers: RtspHeader[], lab?: LabForm, body: Uint8Array = NONE): RtspResponse {
  const status = { version: "RTSP/1.0", statusCode: 200, reasonPhrase: "OK" };
  return { type: "response", ...status, headers, body, ...(lab && { lab }) };
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const A: LabForm = { family: "A", lineEnd: "\n", hasBlankLine: false };
const JAVA: LabForm = { family: "A", lineEnd: "\r\n", hasBlankLine: false };
const BLANK: LabForm = { family: "A", lineEnd: "\r\n", hasBlankLine: true };
const B: LabForm = { family: "B", lineEnd: "\n", hasBlankLine: false };

Deno.test("formatRequest() writes CRLF, one blank line and the length of a body", () => {
  const bytes = formatRequest({
    ...request("SET_PARAMETER", "rtsp://h/a b", [["CSeq", "1"], ["X", " y "]]),
    body: octets("caf\u00e9"),
  });
  assertEquals(
    text(bytes),
    "SET_PARAMETER rtsp://h/a%20b RTSP/1.0\r\nCSeq: 1\r\nX: y\r\nContent-Length: 5\r\n\r\ncaf\u00e9",
  );
});

Deno.test("formatRequest() writes three lines, each ended, for the lab's family A", () => {
  const setup = [["CSeq", "1"], ["Transport", "RTP/UDP;client_port=5008"]] as RtspHeader[];
  assertEquals(
    text(formatRequest(request("SETUP", "video.mjpeg", setup, A))),
    "SETUP video.mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 5008\n",
  );
  const session = [["CSeq", "2"], ["Session", "123456"], ["User-Agent", "x"]] as RtspHeader[];
  assertEquals(
    text(formatRequest(request("PLAY", "video.mjpeg", session, A))),
    "PLAY video.mjpeg RTSP/1.0\nCSeq: 2\nSession: 123456\n",
  );
  assertEquals(
    text(formatRequest(request("TEARDOWN", "a b.mjpeg", [["CSeq", "3"]], JAVA))),
    "TEARDOWN a%20b.mjpeg RTSP/1.0\r\nCSeq: 3\r\nSession: 0\r\n",
  );
  const describe = [["CSeq", "2"], ["Accept", "application/sdp"]] as RtspHeader[];
  assertEquals(
    text(formatRequest(request("DESCRIBE", "tiny.mjpeg", describe, JAVA))),
    "DESCRIBE tiny.mjpeg RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n",
  );
});

Deno.test("formatRequest() writes the lab's other spellings", () => {
  const setup = [["CSeq", "1"], ["Transport", "RTP/UDP;client_port=26010"]] as RtspHeader[];
  const spelt = (uri: string, lab: LabForm) =>
    text(formatRequest(request("SETUP", uri, setup, lab)));
  assertEquals(
    spelt("movie.Mjpeg", { ...A, portSpelling: "own-line" }),
    "SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP\nclient_port = 26010\n",
  );
  assertEquals(
    spelt("rtsp://tiny.mjpeg", { ...JAVA, portSpelling: "tight" }),
    "SETUP rtsp://tiny.mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP;client_port=26010\r\n",
  );
  assertEquals(spelt("movie.Mjpeg", B), "SETUP movie.Mjpeg\n1\n RTSP/1.0 RTP/UDP 26010");
  assertEquals(text(formatRequest(request("PLAY", "", [["CSeq", "2"]], B))), "PLAY \n2");
  assertEquals(
    spelt("movie.Mjpeg", BLANK),
    "SETUP movie.Mjpeg RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/UDP; client_port= 26010\r\n\r\n",
  );
});

Deno.test("formatResponse() writes exactly three lines for a lab request without a blank line", () => {
  const headers = [
    ["CSeq", "1"],
    ["Server", "x"],
    ["Session", "123456;timeout=60"],
    ["Transport", "RTP/UDP;client_port=1"],
  ] as RtspHeader[];
  for (const form of [A, B]) {
    assertEquals(
      text(formatResponse(response(headers, form))),
      "RTSP/1.0 200 OK\nCSeq: 1\nSession: 123456\n",
    );
  }
  assertEquals(
    text(formatResponse(response(headers, JAVA))),
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 123456\r\n",
  );
  const missing = { ...response([["CSeq", "4"]], A), statusCode: 404, reasonPhrase: "Not Found" };
  assertEquals(text(formatResponse(missing)), "RTSP/1.0 404 Not Found\nCSeq: 4\nSession: 0\n");
  assertEquals(
    text(formatResponse(response(headers, BLANK))),
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 123456;timeout=60\r\nServer: x\r\n" +
      "Transport: RTP/UDP;client_port=1\r\n\r\n",
  );
});

Deno.test("formatResponse() writes a description as each lab client reads it", () => {
  const headers = [
    ["CSeq", "3"],
    ["Content-Base", "movie.Mjpeg"],
    ["Content-Type", "application/sdp"],
    ["Session", "123456"],
  ] as RtspHeader[];
  const body = octets("v=0\r\n");
  assertEquals(
    text(formatResponse(response(headers, JAVA, body))),
    "RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: movie.Mjpeg\r\nContent-Type: application/sdp\r\n" +
      "Content-Length: 5\r\nv=0\r\n",
  );
  assertEquals(
    text(formatResponse(response(headers, A, body))),
    "RTSP/1.0 200 OK\nCSeq: 3\nSession: 123456\nContent-Type: application/sdp\nContent-Length: 5\n\nv=0\r\n",
  );
  assertEquals(
    text(formatResponse(response(headers, BLANK, body))),
    "RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 123456\r\nContent-Base: movie.Mjpeg\r\n" +
      "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n",
  );
});

Deno.test("formatRequest(), formatResponse() refuse what would break a message apart", () => {
  const bad: [string, () => unknown][] = [
    ["method", () => formatRequest(request("PL AY", "rtsp://h/", []))],
    ["method", () => formatRequest(request("", "rtsp://h/", []))],
    ["target", () => formatRequest(request("PLAY", "rtsp://h/\r\nX: y", []))],
    ["target", () => formatRequest(request("PLAY", "", []))],
    ["header name", () => formatRequest(request("PLAY", "rtsp://h/", [["A:b", "c"]]))],
    ["header X", () => formatRequest(request("PLAY", "rtsp://h/", [["X", "a\r\nb"]]))],
    ["header X", () => formatRequest(request("PLAY", "m", [["X", "a\nb"]], A))],
    ["header X", () => formatResponse(response([["X", "\x00"]]))],
    ["body", () => formatRequest({ ...request("PLAY", "m", [], B), body: octets("x") })],
    ["reason", () => formatResponse({ ...response([]), reasonPhrase: "a\nb" })],
  ];
  for (const [word, write] of bad) assertThrows(write, TypeError, word);
  assertThrows(() => formatResponse({ ...response([]), statusCode: 99 }), RangeError, "99");
  assertThrows(() => formatResponse({ ...response([]), statusCode: 200.5 }), RangeError);
  assertThrows(
    () => formatResponse(response([["content-length", "4"]], undefined, octets("abc"))),
    RangeError,
  );
});

Deno.test("formatInterleaved() writes channel and length, and refuses what does not fit", () => {
  assertEquals(formatInterleaved(1, Uint8Array.of(9)), Uint8Array.of(0x24, 1, 0, 1, 9));
  const largest = formatInterleaved(255, new Uint8Array(65_535));
  assertEquals(largest.length, INTERLEAVED_HEADER_SIZE + 65_535);
  assertEquals(largest.subarray(0, 4), Uint8Array.of(0x24, 255, 255, 255));
  assertThrows(() => formatInterleaved(256, NONE), RangeError);
  assertThrows(() => formatInterleaved(-1, NONE), RangeError);
  assertThrows(() => formatInterleaved(0, new Uint8Array(65_536)), RangeError);
});

Deno.test("reasonPhraseOf() knows the RFC's codes and the classes of the others", () => {
  assertEquals(reasonPhraseOf(455), "Method Not Valid in This State");
  assertEquals(reasonPhraseOf(461), "Unsupported transport");
  assertEquals(reasonPhraseOf(299), "OK");
  assertEquals(reasonPhraseOf(499), "Client Error");
  assertEquals(reasonPhraseOf(999), "Unknown");
});
