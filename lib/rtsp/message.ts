/**
 * The shapes of an RTSP message, and looking up its headers.
 *
 * Floor 1. Formatting is in `format.ts`, parsing in `parser.ts`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-4
 * @module
 */

/** The one protocol version this library speaks (RFC 2326 s3.1). */
export const RTSP_VERSION = "RTSP/1.0";

/** How a connection's messages are read: `"auto"` decides for each message by its form. */
export type RtspDialect = "auto" | "rtsp" | "lab";

/** One header line: the name in the spelling it came with, the value without surrounding blanks. */
export type RtspHeader = readonly [name: string, value: string];

/**
 * How a message of the Kurose-Ross streaming lab was spelt, so that its answer can be spelt alike. The lab
 * reads fields by position, knows no URL and usually ends a message with the end of the segment.
 */
export interface LabForm {
  /** `"A"`: version on line 1 or a named `CSeq` line; `"B"`: a bare number stands on line 2. */
  readonly family: "A" | "B";
  /** Line end of the message, to be used for its answer. */
  readonly lineEnd: "\n" | "\r\n";
  /** Whether a blank line ended the message: such a peer takes an answer with a blank line and more headers. */
  readonly hasBlankLine: boolean;
  /**
   * How `client_port` is written in a request; never set by the parser.
   * `"spaced"`: `RTP/UDP; client_port= N`; `"tight"`: `RTP/UDP;client_port=N`; `"own-line"`: on a fourth line,
   * `client_port = N`.
   *
   * @default {"spaced"}
   */
  readonly portSpelling?: "spaced" | "tight" | "own-line";
}

/** A request (RFC 2326 s6). */
export interface RtspRequest {
  /** Tells a request from the other things a connection carries. */
  readonly type: "request";
  /** Method in wire case, for example `"SETUP"`. The lab's `TEAR DOWN` reads as `"TEARDOWN"`. */
  readonly method: string;
  /** Request target as it came. Empty where a lab request names none; a lab `rtsp://name` reads as `name`. */
  readonly uri: string;
  /** Version as it came, for example `"RTSP/1.0"`; a lab request without one has `"RTSP/1.0"`. */
  readonly version: string;
  /** Headers in order. A lab request is normalised: `CSeq` has digits only, `Transport` is `RTP/UDP;client_port=N`. */
  readonly headers: readonly RtspHeader[];
  /** Body, owned; empty where there is none. */
  readonly body: Uint8Array;
  /** Present where the message is in the lab's dialect. */
  readonly lab?: LabForm;
}

/** A response (RFC 2326 s7). */
export interface RtspResponse {
  /** Tells a response from the other things a connection carries. */
  readonly type: "response";
  /** Version as it came, for example `"RTSP/1.0"`. */
  readonly version: string;
  /** Status code, 100 to 999. */
  readonly statusCode: number;
  /** Reason phrase, possibly empty. */
  readonly reasonPhrase: string;
  /** Headers in order. In a lab response `CSeq` has digits only and is missing where the server sent none. */
  readonly headers: readonly RtspHeader[];
  /** Body, owned; empty where there is none. */
  readonly body: Uint8Array;
  /** Present where the message is in the lab's dialect. */
  readonly lab?: LabForm;
}

/** One binary packet between the messages of a connection (RFC 2326 s10.12). */
export interface InterleavedFrame {
  /** Tells a frame from the other things a connection carries. */
  readonly type: "interleaved";
  /** Channel, 0 to 255. */
  readonly channel: number;
  /** The packet, owned, at most 65,535 octets. */
  readonly payload: Uint8Array;
}

/** Everything a connection carries. */
export type RtspMessage = RtspRequest | RtspResponse | InterleavedFrame;

/** Bounds of what a parser keeps. */
export interface RtspLimits {
  /** Longest line in octets without its end: 414 for the request line, 400 for another. */
  readonly lineBytes: number;
  /** Largest number of header lines: 400 above. */
  readonly headerCount: number;
  /** Longest head (first line and headers) in octets: 400 above. */
  readonly headBytes: number;
  /** Longest body in octets: 413 above. */
  readonly bodyBytes: number;
}

/** The bounds that hold where none are given. */
export const DEFAULT_RTSP_LIMITS: RtspLimits = Object.freeze({
  lineBytes: 8192,
  headerCount: 100,
  headBytes: 65_536,
  bodyBytes: 65_536,
});

/** Kinds of fault of an RTSP message or of one header's value; the `code` of an `RtspFormatError`. */
export type RtspFormatCode =
  | "not-rtsp"
  | "http"
  | "request-line"
  | "status-line"
  | "request-line-too-long"
  | "line-too-long"
  | "head-too-long"
  | "too-many-headers"
  | "header-line"
  | "control-character"
  | "content-length"
  | "body-too-long"
  | "truncated"
  | "transport"
  | "range"
  | "session"
  | "number"
  | "url"
  | "forbidden-path"
  | "challenge"
  | "authorization";

/**
 * The value of the first header of that name, in any case, or `undefined`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { headerValue } from "../rtsp.ts";
 * assertEquals(headerValue([["CSeq", "4"], ["Session", "7"]], "cseq"), "4");
 * ```
 */
export function headerValue(headers: readonly RtspHeader[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const header of headers) {
    if (header[0].length === wanted.length && header[0].toLowerCase() === wanted) return header[1];
  }
  return undefined;
}

/** The values of all headers of that name, in any case, in order. */
export function headerValues(headers: readonly RtspHeader[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value);
}

/** Whether this library can answer a request of that version (RFC 2326 s7.1.1: 505 otherwise). */
export function isSupportedVersion(version: string): boolean {
  return version === RTSP_VERSION;
}
