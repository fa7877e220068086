/**
 * What is unusual about an RTSP message: what a person should look at, each with the section that has the rule.
 *
 * Floor 3 (wall), pure. RFC 2326; the streaming lab's ways are told as notes, not as faults. It judges form and headers
 * only, one message at a time, an answer together with its request.
 *
 * @module
 */
import { latin1 } from "../latin1.ts";
import { headerValue, headerValues } from "../rtsp.ts";
import type { RtspRequest, RtspResponse } from "../rtsp.ts";
import type { ProtocolOddity, ProtocolOddityCode } from "./protocol_events.ts";

/** A message and what is known about its circumstances. */
export interface ObservedMessage {
  /** Its octets. */
  readonly bytes: Uint8Array;
  /** What was read; `undefined` for what could not be. */
  readonly message: RtspRequest | RtspResponse | undefined;
  /** In a response: the request it answers. */
  readonly request?: RtspRequest;
  /** In a response: how long it took. */
  readonly roundTripMs?: number;
}

/**
 * Looks for everything odd about a message.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const bytes = new TextEncoder().encode("PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 3\r\n\r\n");
 * const message = {
 *   type: "request",
 *   method: "PLAY",
 *   uri: "rtsp://h/a",
 *   version: "RTSP/1.0",
 *   headers: [["CSeq", "3"]],
 *   body: new Uint8Array(),
 * } as const;
 * const [oddity] = odditiesOf({ bytes, message });
 * assertEquals([oddity.code, oddity.rfc], ["missing-header", "RFC 2326 s12.37"]);
 * ```
 */
export function odditiesOf(observed: ObservedMessage): ProtocolOddity[] {
  const { message } = observed;
  if (message === undefined) {
    return [odd("unreadable", "error", "This is no RTSP message that can be read", "s4")];
  }
  const found = formOddities(observed.bytes, message);
  if (message.version !== "RTSP/1.0" && !message.lab) {
    found.push(odd("version", "warning", `The version is "${message.version}"`, "s3.1"));
  }
  for (const name of SINGLE_HEADERS) {
    const count = headerValues(message.headers, name).length;
    if (count > 1) {
      found.push(odd("repeated-header", "error", `${name} stands there ${count} times`, "s4.2"));
    }
  }
  found.push(...cseqOddities(observed));
  if (message.type === "request") found.push(...requestOddities(message));
  else found.push(...responseOddities(message, observed));
  return found;
}

function formOddities(bytes: Uint8Array, message: RtspRequest | RtspResponse): ProtocolOddity[] {
  const found: ProtocolOddity[] = [];
  const head = latin1(bytes.subarray(0, bytes.length - message.body.length));
  if (!/\r?\n\r?\n$/.test(head)) {
    const severity = message.lab ? "note" : "error";
    found.push(
      odd("missing-blank-line", severity, "The head does not end with an empty line", "s4"),
    );
  }
  if (/(^|[^\r])\n/.test(head)) {
    found.push(odd("bare-line-feed", "note", "Lines end with LF alone, not with CRLF", "s4"));
  }
  // deno-lint-ignore no-control-regex -- what should not be there is looked for
  if (/[^\x09\x0a\x0d\x20-\x7e]/.test(head)) {
    const text = "The head holds octets that are not printable ASCII";
    found.push(odd("octets", "warning", text, "s15.1"));
  }
  if (!message.lab) return found;
  if (message.type === "request" && !/^rtsps?:\/\//i.test(message.uri)) {
    const text = "The request line names a file, or nothing, where a URL belongs";
    found.push(odd("lab-form", "note", text, "s6.1"));
  }
  const transport = headerValue(message.headers, "Transport");
  if (transport !== undefined && !/^\s*RTP\/AVP/i.test(transport)) {
    const text = "Transport is RTP/UDP, which the RFC spells RTP/AVP";
    found.push(odd("lab-form", "note", text, "s12.39"));
  }
  return found;
}

function cseqOddities({ message, request }: ObservedMessage): ProtocolOddity[] {
  const text = headerValue(message!.headers, "CSeq");
  if (text === undefined) return [missing("CSeq", "s12.17")];
  if (!/^\s*\d+\s*$/.test(text)) {
    return [odd("cseq", "error", `CSeq is "${text}", no number`, "s12.17")];
  }
  if (message!.type !== "response") return [];
  if (request === undefined) {
    return [odd("cseq", "error", `No request with CSeq ${text} waits for an answer`, "s12.17")];
  }
  const asked = headerValue(request.headers, "CSeq") ?? "";
  if (Number(asked) === Number(text)) return [];
  return [odd("cseq", "error", `CSeq is ${text}, the request's is ${asked}`, "s12.17")];
}

function requestOddities({ method, headers, lab }: RtspRequest): ProtocolOddity[] {
  const found: ProtocolOddity[] = [];
  if (!METHODS.has(method)) {
    found.push(odd("method", "warning", `The RFC knows no method "${method}"`, "s10"));
  }
  const has = (name: string) => headerValue(headers, name) !== undefined;
  if (method === "SETUP" && !has("Transport")) found.push(missing("Transport", "s12.39"));
  if (SESSION_METHODS.has(method) && !has("Session") && !lab) {
    found.push(missing("Session", "s12.37"));
  }
  return found;
}

function responseOddities(
  response: RtspResponse,
  { request, roundTripMs }: ObservedMessage,
): ProtocolOddity[] {
  const { statusCode, reasonPhrase, headers, lab } = response;
  const found: ProtocolOddity[] = [];
  const method = request?.method;
  const has = (name: string) => headerValue(headers, name) !== undefined;
  if (!STATUS_CODES.has(statusCode) || !isStatusOf(method, statusCode)) {
    const text = `Status ${statusCode} does not fit ${method ?? "any request"}`;
    found.push(odd("status", "warning", text, "s7.1.1"));
  }
  if (statusCode === 401) {
    const text = "The server wants a name and a password";
    found.push(odd("refused", "note", text, "s11.3.3"));
    if (!has("WWW-Authenticate")) found.push(missing("WWW-Authenticate", "s12.44"));
  } else if (statusCode >= 400) {
    const text = `${method ?? "The request"} is refused: ${statusCode} ${reasonPhrase}`;
    found.push(odd("refused", "warning", text, "s11.3"));
    if (statusCode === 405 && !has("Allow")) found.push(missing("Allow", "s12.4"));
  } else if (statusCode >= 200 && statusCode < 300 && !lab) {
    for (const [name, rfc] of NEEDED[method ?? ""] ?? []) {
      if (!has(name)) found.push(missing(name, rfc));
    }
  }
  const asked = request && sessionOf(request);
  const given = sessionOf(response);
  if (asked !== undefined && asked !== "0" && given !== undefined && asked !== given) {
    const text = `Session is "${given}", the request's is "${asked}"`;
    found.push(odd("session", "error", text, "s12.37"));
  }
  if (roundTripMs !== undefined && roundTripMs > SLOW_MS) {
    const text = `The answer took ${(roundTripMs / 1000).toFixed(1)} s`;
    found.push(odd("slow", "warning", text, "s9.1"));
  }
  return found;
}

/** Codes that belong to one kind of request (RFC 2326 s7.1.1, s11.3). */
function isStatusOf(method: string | undefined, statusCode: number): boolean {
  if (method === undefined) return true;
  if (statusCode === 461) return method === "SETUP";
  if (statusCode === 457) return method === "PLAY" || method === "PAUSE" || method === "RECORD";
  if (statusCode === 250) return method === "RECORD";
  if (statusCode === 201) return method === "RECORD" || method === "ANNOUNCE";
  return true;
}

/** The identifier in the `Session` header, without its parameters. */
export function sessionOf(message: RtspRequest | RtspResponse): string | undefined {
  return headerValue(message.headers, "Session")?.split(";")[0].trim();
}

function missing(name: string, section: string): ProtocolOddity {
  return odd("missing-header", "error", `${name} is missing`, section);
}

function odd(
  code: ProtocolOddityCode,
  severity: ProtocolOddity["severity"],
  text: string,
  section: string,
): ProtocolOddity {
  return { code, severity, text, rfc: `RFC 2326 ${section}` };
}

const SLOW_MS = 1000;
/** RFC 2326 s7.1.1. */
const STATUS_CODES = new Set([
  ...[
    100,
    200,
    201,
    250,
    300,
    301,
    302,
    303,
    304,
    305,
    400,
    401,
    402,
    403,
    404,
    405,
    406,
    407,
    408,
  ],
  ...[410, 411, 412, 413, 414, 415, 451, 452, 453, 454, 455, 456, 457, 458, 459, 460, 461, 462],
  ...[500, 501, 502, 503, 504, 505, 551],
]);
const SINGLE_HEADERS = [
  "CSeq",
  "Session",
  "Content-Length",
  "Content-Type",
  "Content-Base",
  "Scale",
];
const SESSION_METHODS = new Set(["PLAY", "PAUSE", "TEARDOWN", "RECORD"]);
const METHODS = new Set([
  ...["OPTIONS", "DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "TEARDOWN"],
  ...["GET_PARAMETER", "SET_PARAMETER", "REDIRECT", "RECORD"],
]);
/** What a 2xx answer to a method must hold. */
const NEEDED: Readonly<Record<string, readonly (readonly [name: string, section: string])[]>> = {
  OPTIONS: [["Public", "s10.1"]],
  DESCRIBE: [["Content-Type", "s12.16"]],
  SETUP: [["Session", "s12.37"], ["Transport", "s12.39"]],
  PLAY: [["RTP-Info", "s12.33"]],
};
