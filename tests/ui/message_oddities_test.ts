import { assertEquals } from "@std/assert";
import { RtspParser, type RtspRequest, type RtspResponse } from "../../lib/rtsp.ts";
import { odditiesOf } from "../../lib/ui/message_oddities.ts";

/** Reads one message as the parser of that side does. */
function read(text: string, role: "client" | "server") {
  const parser = new RtspParser({ role, dialect: "auto", keepsBytes: true });
  parser.push(new TextEncoder().encode(text));
  let message = parser.next();
  if (message === undefined) {
    parser.pause();
    message = parser.next();
  }
  const bytes = parser.messageBytes!;
  return { message: message as RtspRequest | RtspResponse, bytes };
}

function request(text: string): RtspRequest {
  return read(text, "server").message as RtspRequest;
}

/** Codes and sections of what is odd about a request. */
function odd(text: string): string[] {
  return odditiesOf(read(text, "server")).map(({ code, rfc }) => `${code} ${rfc}`);
}

function oddAnswer(text: string, asked: string, roundTripMs?: number): string[] {
  return odditiesOf({ ...read(text, "client"), request: request(asked), roundTripMs })
    .map(({ code, severity }) => `${severity} ${code}`);
}

const PLAY = "PLAY rtsp://h/f RTSP/1.0\r\nCSeq: 4\r\nSession: 9\r\n\r\n";
const SETUP = "SETUP rtsp://h/f RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP;unicast\r\n\r\n";

Deno.test("odditiesOf() finds nothing odd about an ordinary dialogue", () => {
  assertEquals(odd(PLAY), []);
  assertEquals(odd(SETUP), []);
  const info = "RTP-Info: url=rtsp://h/f;seq=1\r\n";
  assertEquals(
    oddAnswer(`RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 9\r\n${info}\r\n`, PLAY, 20),
    [],
  );
});

Deno.test("odditiesOf() names each header that the RFC demands", () => {
  assertEquals(odd("PLAY rtsp://h/f RTSP/1.0\r\nSession: 9\r\n\r\n"), [
    "missing-header RFC 2326 s12.17",
  ]);
  assertEquals(odd("PLAY rtsp://h/f RTSP/1.0\r\nCSeq: 1\r\n\r\n"), [
    "missing-header RFC 2326 s12.37",
  ]);
  assertEquals(odd("SETUP rtsp://h/f RTSP/1.0\r\nCSeq: 1\r\n\r\n"), [
    "missing-header RFC 2326 s12.39",
  ]);
  assertEquals(oddAnswer("RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", SETUP), [
    "error missing-header",
    "error missing-header",
  ]);
  assertEquals(oddAnswer("RTSP/1.0 401 No\r\nCSeq: 3\r\n\r\n", SETUP), [
    "note refused",
    "error missing-header",
  ]);
  assertEquals(oddAnswer("RTSP/1.0 405 No\r\nCSeq: 4\r\nSession: 9\r\n\r\n", PLAY), [
    "warning refused",
    "error missing-header",
  ]);
});

Deno.test("odditiesOf() tells numbers, sessions, statuses and times that do not fit", () => {
  assertEquals(odd(PLAY.replace("CSeq: 4", "CSeq: four")), ["cseq RFC 2326 s12.17"]);
  assertEquals(odd(PLAY.replace("CSeq: 4", "CSeq: 4\r\nCSeq: 5")), [
    "repeated-header RFC 2326 s4.2",
  ]);
  assertEquals(odd(PLAY.replace("PLAY", "JUMP")), ["method RFC 2326 s10"]);
  const ok = "RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 9\r\nRTP-Info: url=x\r\n\r\n";
  assertEquals(oddAnswer(ok.replace("CSeq: 4", "CSeq: 5"), PLAY), ["error cseq"]);
  assertEquals(oddAnswer(ok.replace("Session: 9", "Session: 8"), PLAY), ["error session"]);
  assertEquals(oddAnswer(ok, PLAY, 1500), ["warning slow"]);
  assertEquals(oddAnswer("RTSP/1.0 461 No\r\nCSeq: 4\r\nSession: 9\r\n\r\n", PLAY), [
    "warning status",
    "warning refused",
  ]);
  assertEquals(oddAnswer("RTSP/1.0 299 Hm\r\nCSeq: 4\r\nSession: 9\r\nRTP-Info: x\r\n\r\n", PLAY), [
    "warning status",
  ]);
  const alone = odditiesOf(read(ok, "client"));
  assertEquals(alone.map(({ code }) => code), ["cseq"]);
});

Deno.test("odditiesOf() tells the lab's ways as notes", () => {
  const found = odditiesOf(
    read("SETUP movie.Mjpeg RTSP/1.0\nCSeq: 1\nTransport: RTP/UDP; client_port= 25000", "server"),
  );
  assertEquals(found.map(({ code, severity }) => `${severity} ${code}`), [
    "note missing-blank-line",
    "note bare-line-feed",
    "note lab-form",
    "note lab-form",
  ]);
});

Deno.test("odditiesOf() tells octets that are not ASCII, and what is no message at all", () => {
  assertEquals(odd(PLAY.replace("Session: 9", "Session: 9\r\nX-Name: Zoë")), [
    "octets RFC 2326 s15.1",
  ]);
  const [{ code, severity }] = odditiesOf({ bytes: new Uint8Array(3), message: undefined });
  assertEquals([code, severity], ["unreadable", "error"]);
});
