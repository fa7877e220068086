/**
 * Writing messages and interleaved frames.
 *
 * Floor 1. Strict: CRLF, one blank line, one Content-Length; or, for a message with a lab form, exactly what that
 * form is. What would break a message apart is refused as our own mistake.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-4
 * @module
 */
import { formatLabRequest, formatLabResponse } from "./lab.ts";
import {
  headerValue,
  type InterleavedFrame,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
} from "./message.ts";
import { trimBlanks } from "./quoted_text.ts";

/** Octets before the payload of an interleaved frame (RFC 2326 s10.12). */
export const INTERLEAVED_HEADER_SIZE = 4;

/**
 * Writes a request, owned. A body without a Content-Length gets one; blanks in the target become `%20`.
 *
 * Throws `TypeError` where a method, target or header holds what would end it, and `RangeError` where
 * Content-Length is not the size of the body.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatRequest } from "./format.ts";
 * const bytes = formatRequest({
 *   type: "request",
 *   method: "OPTIONS",
 *   uri: "rtsp://127.0.0.1/live",
 *   version: "RTSP/1.0",
 *   headers: [["CSeq", "1"]],
 *   body: new Uint8Array(),
 * });
 * assertEquals(
 *   new TextDecoder().decode(bytes),
 *   "OPTIONS rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n",
 * );
 * ```
 */
export function formatRequest(request: RtspRequest): Uint8Array<ArrayBuffer> {
  refuse(!TOKEN.test(request.method), "method", request.method);
  refuse(CONTROL.test(request.uri), "target", request.uri);
  checkHeaders(request.headers);
  if (request.lab !== undefined) {
    const mayHaveBody = request.lab.family === "A" && request.lab.hasBlankLine;
    refuse(
      request.body.length > 0 && !mayHaveBody,
      "body",
      "of a lab request without a blank line",
    );
    return join(formatLabRequest(request, request.lab), request.body);
  }
  const uri = trimBlanks(request.uri).replaceAll(" ", "%20");
  refuse(uri === "", "target", request.uri);
  const firstLine = `${request.method} ${uri} ${request.version}`;
  return formatStandard(firstLine, request.headers, request.body);
}

/**
 * Writes a response, owned. A body without a Content-Length gets one. A lab form without a blank line writes exactly
 * the three lines that its peers can read, and leaves out every other header.
 *
 * Throws `TypeError` where a phrase or header holds what would end it, and `RangeError` where Content-Length is not
 * the size of the body or the status code is not of three digits.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatResponse } from "./format.ts";
 * const bytes = formatResponse({
 *   type: "response",
 *   version: "RTSP/1.0",
 *   statusCode: 200,
 *   reasonPhrase: "OK",
 *   headers: [["CSeq", "1"], ["Session", "349914;timeout=60"], ["Server", "deno-rtsp"]],
 *   body: new Uint8Array(),
 *   lab: { family: "A", lineEnd: "\n", hasBlankLine: false },
 * });
 * assertEquals(new TextDecoder().decode(bytes), "RTSP/1.0 200 OK\nCSeq: 1\nSession: 349914\n");
 * ```
 */
export function formatResponse(response: RtspResponse): Uint8Array<ArrayBuffer> {
  const { statusCode, reasonPhrase } = response;
  if (!(Number.isInteger(statusCode) && statusCode >= 100 && statusCode <= 999)) {
    throw new RangeError(`Cannot write RTSP response: status is ${statusCode}, wanted 100 to 999`);
  }
  refuse(CONTROL.test(reasonPhrase), "reason phrase", reasonPhrase);
  checkHeaders(response.headers);
  if (response.lab !== undefined) {
    return join(formatLabResponse(response, response.lab), response.body);
  }
  const firstLine = `${response.version} ${statusCode} ${trimBlanks(reasonPhrase)}`;
  return formatStandard(firstLine, response.headers, response.body);
}

/**
 * Writes an interleaved frame, owned: `$`, channel, length, payload (RFC 2326 s10.12).
 *
 * Throws `RangeError` for a channel above 255 or a payload above 65,535 octets.
 */
export function formatInterleaved(
  channel: InterleavedFrame["channel"],
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (!(Number.isInteger(channel) && channel >= 0 && channel <= 255)) {
    throw new RangeError(`Cannot write interleaved frame: channel is ${channel}, wanted 0 to 255`);
  }
  if (payload.length > 65_535) {
    throw new RangeError(
      `Cannot write interleaved frame: payload has ${payload.length} bytes, limit 65535`,
    );
  }
  const frame = new Uint8Array(INTERLEAVED_HEADER_SIZE + payload.length);
  frame[0] = 0x24;
  frame[1] = channel;
  frame[2] = payload.length >> 8;
  frame[3] = payload.length & 0xff;
  frame.set(payload, INTERLEAVED_HEADER_SIZE);
  return frame;
}

/** RFC 2326 s15.1: `token`. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// deno-lint-ignore no-control-regex -- control characters are what is refused
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

function formatStandard(
  firstLine: string,
  headers: readonly RtspHeader[],
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = headerValue(headers, "Content-Length");
  if (length !== undefined && length !== String(body.length)) {
    throw new RangeError(
      `Cannot write RTSP message: Content-Length is ${length}, the body has ${body.length} bytes`,
    );
  }
  let text = `${firstLine}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${trimBlanks(value)}\r\n`;
  if (length === undefined && body.length > 0) text += `Content-Length: ${body.length}\r\n`;
  return join(`${text}\r\n`, body);
}

function checkHeaders(headers: readonly RtspHeader[]): void {
  for (const [name, value] of headers) {
    refuse(!TOKEN.test(name), "header name", name);
    refuse(CONTROL.test(value), `header ${name}`, value);
  }
}

function refuse(isRefused: boolean, what: string, value: string): void {
  if (isRefused) {
    throw new TypeError(`Cannot write RTSP message: ${what} is ${JSON.stringify(value)}`);
  }
}

function join(head: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = ENCODER.encode(head);
  if (body.length === 0) return text;
  const bytes = new Uint8Array(text.length + body.length);
  bytes.set(text);
  bytes.set(body, text.length);
  return bytes;
}

const ENCODER = new TextEncoder();
