/**
 * From a server's answer to the response on the wire: the headers every response has, in the order all clients take.
 *
 * Floor 2 (engine), pure. RFC 2326 s7, s12.37; the lab's three lines. Sibling engines: request_checks.ts. What the
 * answer is was decided elsewhere.
 *
 * @module
 */

import type { RtspFormatError } from "../errors.ts";
import {
  headerValue,
  reasonPhraseOf,
  RTSP_VERSION,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
} from "../rtsp.ts";
import { formatSession } from "../rtsp_headers.ts";
import type { RtspAnswer } from "./request_checks.ts";

/** What responses say about sessions. */
export interface ResponseContext {
  /** The session number of the connection's lab client. */
  readonly labSessionId: string;
  /** Session timeout that is told to standard clients, in seconds. */
  readonly sessionTimeoutSeconds: number;
}

/**
 * The response to a request: CSeq second and Session third, then the answer's own headers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { responseTo } from "./server_responses.ts";
 * const response = responseTo(
 *   {
 *     type: "request",
 *     method: "OPTIONS",
 *     uri: "*",
 *     version: "RTSP/1.0",
 *     headers: [["CSeq", "7"]],
 *     body: new Uint8Array(0),
 *   },
 *   { statusCode: 200, headers: [["Public", "OPTIONS"]] },
 *   { labSessionId: "123456", sessionTimeoutSeconds: 60 },
 * );
 * assertEquals(response.headers, [["CSeq", "7"], ["Public", "OPTIONS"]]);
 * ```
 */
export function responseTo(
  request: RtspRequest,
  answer: RtspAnswer,
  context: ResponseContext,
): RtspResponse {
  const { statusCode } = answer;
  // A lab client counts lines: only a description has more than three.
  const isBare = request.lab !== undefined && statusCode !== 200;
  const headers: RtspHeader[] = [];
  const cseq = headerValue(request.headers, "CSeq");
  if (cseq !== undefined) headers.push(["CSeq", cseq]);
  const session = sessionValueOf(request, answer, context);
  if (session !== undefined) headers.push(["Session", session]);
  if (!isBare) headers.push(...answer.headers ?? []);
  return {
    type: "response",
    version: RTSP_VERSION,
    statusCode,
    reasonPhrase: reasonPhraseOf(statusCode),
    headers,
    body: isBare ? NO_BODY : answer.body ?? NO_BODY,
    lab: request.lab,
  };
}

/** The response to what could not be read; the connection is closed after it. */
export function responseToMalformed(error: RtspFormatError): RtspResponse {
  return {
    type: "response",
    version: RTSP_VERSION,
    statusCode: error.statusCode,
    reasonPhrase: reasonPhraseOf(error.statusCode),
    headers: [["Connection", "close"]],
    body: NO_BODY,
  };
}

function sessionValueOf(
  request: RtspRequest,
  answer: RtspAnswer,
  context: ResponseContext,
): string | undefined {
  const { session } = answer;
  if (request.lab !== undefined) {
    // One lab client takes the description only where its third line is Content-Base.
    const isDescription = request.method === "DESCRIBE" && answer.statusCode === 200;
    if (isDescription && request.lab.lineEnd === "\r\n") return undefined;
    return session?.id ?? context.labSessionId;
  }
  if (session === undefined || request.method === "TEARDOWN") return undefined;
  const { id } = session;
  const { sessionTimeoutSeconds: timeoutSeconds } = context;
  return formatSession(request.method === "SETUP" ? { id, timeoutSeconds } : { id });
}

const NO_BODY = new Uint8Array(0);
