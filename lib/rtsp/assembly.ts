/**
 * Making a message of a whole head.
 *
 * Floor 1. How the head became whole, and the octets of the body, are the parser's business.
 *
 * @module
 */
import { contentLengthOf, headError, parseHeaders } from "./head.ts";
import { labContentLengthOf, readLabHeaders, readLabRequest } from "./lab.ts";
import {
  headerValue,
  type RtspHeader,
  type RtspLimits,
  type RtspRequest,
  type RtspResponse,
} from "./message.ts";
import type { PendingHead } from "./pending_head.ts";

/** How a head became whole. */
export interface HeadEnd {
  /** Whether the message is read as the lab's. */
  readonly isLab: boolean;
  /** Whether a blank line ended it. */
  readonly hasBlankLine: boolean;
  /** Whether a body's first line ended it. */
  readonly isBodyNext: boolean;
}

/** A message without its body. */
export interface AssembledMessage<Message> {
  /** The message; its body is empty. */
  readonly message: Message;
  /** Octets of its body; `undefined` where the body ends with silence. */
  readonly bodyLength: number | undefined;
}

/** Makes a request. Throws `RtspFormatError` as {@linkcode parseHeaders} and {@linkcode contentLengthOf} do. */
export function assembleRequest(
  head: PendingHead,
  end: HeadEnd,
  limits: RtspLimits,
): AssembledMessage<RtspRequest> {
  const requestLine = head.requestLine!;
  const message = end.isLab
    ? readLabRequest(requestLine, head.lines, {
      lineEnd: head.lineEnd,
      hasBlankLine: end.hasBlankLine,
    })
    : standardRequest(head);
  const bodyLength = end.hasBlankLine
    ? contentLengthOf(message.headers, limits.bodyBytes, head.offset)
    : 0;
  return { message, bodyLength };
}

/**
 * Makes a response; header lines that cannot be read are passed over.
 *
 * `method` is that of the request it answers, where that is known. Throws `RtspFormatError` as
 * {@linkcode contentLengthOf} does.
 */
export function assembleResponse(
  head: PendingHead,
  end: HeadEnd,
  options: { readonly limits: RtspLimits; readonly method: string | undefined },
): AssembledMessage<RtspResponse> {
  const { isLab, hasBlankLine, isBodyNext } = end;
  const lines = head.lines.slice(1);
  const headers = isLab ? readLabHeaders(lines) : parseHeaders(lines, head.offset, true);
  const message: RtspResponse = {
    type: "response",
    ...head.statusLine!,
    headers,
    body: NO_BODY,
    ...(isLab ? { lab: { family: "A", lineEnd: head.lineEnd, hasBlankLine } } : {}),
  };
  if (!hasBlankLine && !isBodyNext) return { message, bodyLength: 0 };
  if (headerValue(headers, "Content-Length") === undefined) {
    const isDescription = isBodyNext || (isLab || options.method === "DESCRIBE") &&
        message.statusCode === 200 && headerValue(headers, "Content-Type") !== undefined;
    return { message, bodyLength: isDescription ? undefined : 0 };
  }
  return { message, bodyLength: lengthOf(headers, isLab, options.limits, head.offset) };
}

const NO_BODY = new Uint8Array();

function standardRequest(head: PendingHead): RtspRequest {
  const { method, uri, version } = head.requestLine!;
  if (uri === "") {
    const message = "Cannot read RTSP request line: there is no target";
    throw headError("request-line", message, head.offset, head.lines[0]);
  }
  const headers = parseHeaders(head.lines.slice(1), head.offset, false);
  return { type: "request", method, uri, version: version!, headers, body: NO_BODY };
}

function lengthOf(
  headers: readonly RtspHeader[],
  isLab: boolean,
  limits: RtspLimits,
  offset: number,
): number {
  return isLab
    ? labContentLengthOf(headers, limits.bodyBytes)
    : contentLengthOf(headers, limits.bodyBytes, offset);
}
