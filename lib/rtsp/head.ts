/**
 * The head of a message: its first line and its headers, as lines of text.
 *
 * Floor 1. What is particular to the lab's dialect stands in `lab.ts`; where lines come from, in `parser.ts`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-6.1
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import type { RtspFormatCode, RtspHeader } from "./message.ts";
import { trimBlanks } from "./quoted_text.ts";

/** The first line of a request, taken apart. */
export interface RequestLine {
  /** Method in wire case; `TEAR DOWN` reads as `TEARDOWN`. */
  readonly method: string;
  /** Target as it came; empty where there is none. */
  readonly uri: string;
  /** `"RTSP/1.0"`, or `undefined` where the line ends without a version. */
  readonly version: string | undefined;
  /**
   * How far the line tells the dialect: `"standard"` has a URL with a path or a port, or `*`, and a version;
   * `"bare"` has a file name or nothing; `"doubtful"` can be either.
   */
  readonly kind: "standard" | "doubtful" | "bare";
}

/** The first line of a response, taken apart. */
export interface StatusLine {
  /** Version, for example `"RTSP/1.0"`. */
  readonly version: string;
  /** Status code, 100 to 999. */
  readonly statusCode: number;
  /** Reason phrase, possibly empty. */
  readonly reasonPhrase: string;
}

/** Methods of the standard and of the lab's extensions: what may open a lab request, which names no version. */
export const KNOWN_METHODS: readonly string[] = [
  "OPTIONS",
  "DESCRIBE",
  "ANNOUNCE",
  "SETUP",
  "PLAY",
  "PAUSE",
  "TEARDOWN",
  "GET_PARAMETER",
  "SET_PARAMETER",
  "REDIRECT",
  "RECORD",
  "FORWARD",
  "BACKWARD",
  "SWITCH",
  "SPEEDUP",
];

/**
 * Reads the first line of a request.
 *
 * Throws `RtspFormatError`: `code` `"http"` for a request of the web, `"not-rtsp"` for anything else foreign,
 * `"request-line"` for a malformed one.
 */
export function parseRequestLine(line: string, offset: number): RequestLine {
  const text = trimBlanks(line);
  const blank = text.search(/[ \t]/);
  let method = blank < 0 ? text : text.slice(0, blank);
  let rest = blank < 0 ? "" : trimBlanks(text.slice(blank));
  if (!TOKEN.test(method)) throw notRtsp(line, offset);
  if (method === "TEAR" && /^DOWN(?:\s|$)/.test(rest)) {
    method = "TEARDOWN";
    rest = trimBlanks(rest.slice(4));
  }
  const lastBlank = Math.max(rest.lastIndexOf(" "), rest.lastIndexOf("\t"));
  const lastWord = rest.slice(lastBlank + 1).toUpperCase();
  if (/^HTTP\/\d/.test(lastWord)) {
    throw headError("http", `Cannot read RTSP request: the peer speaks ${lastWord}`, offset, line);
  }
  if (!VERSION.test(lastWord)) {
    if (/(?:^|\s)RTSP\/(?!\/)/.test(rest)) {
      const message = "Cannot read RTSP request line: it does not end with a version";
      throw headError("request-line", message, offset, line);
    }
    if (!KNOWN_METHODS.includes(method)) throw notRtsp(line, offset);
    return { method, uri: rest, version: undefined, kind: "bare" };
  }
  const uri = trimBlanks(rest.slice(0, Math.max(lastBlank, 0)));
  return { method, uri, version: lastWord, kind: kindOfTarget(uri) };
}

/** Whether a line is the first line of a response. */
export function isStatusLine(line: string): boolean {
  return STATUS_LINE.test(line);
}

/** Reads the first line of a response. Throws `RtspFormatError` (`code` `"status-line"` or `"http"`). */
export function parseStatusLine(line: string, offset: number): StatusLine {
  const match = STATUS_LINE.exec(line);
  if (match !== null) {
    return {
      version: match[1].toUpperCase(),
      statusCode: Number(match[2]),
      reasonPhrase: trimBlanks(match[3]),
    };
  }
  throw /^HTTP\//i.test(line)
    ? headError("http", "Cannot read RTSP response: the peer speaks HTTP", offset, line)
    : headError("status-line", "Cannot read RTSP status line", offset, line);
}

/**
 * Reads header lines: folded lines are joined with one blank, order and duplicates are kept.
 *
 * A line without a name and a colon throws `RtspFormatError` (`code` `"header-line"`), or is passed over where
 * `isTolerant`.
 */
export function parseHeaders(
  lines: readonly string[],
  offset: number,
  isTolerant: boolean,
): RtspHeader[] {
  const headers: [string, string][] = [];
  let folded: string[] | undefined;
  const unfold = () => {
    if (folded === undefined) return;
    headers[headers.length - 1][1] = folded.filter((part) => part !== "").join(" ");
    folded = undefined;
  };
  for (const line of lines) {
    if (/^[ \t]/.test(line) && headers.length > 0) {
      folded ??= [headers[headers.length - 1][1]];
      folded.push(trimBlanks(line));
      continue;
    }
    unfold();
    const colon = line.indexOf(":");
    const name = trimBlanks(line.slice(0, Math.max(colon, 0)));
    if (TOKEN.test(name)) headers.push([name, trimBlanks(line.slice(colon + 1))]);
    else if (!isTolerant) {
      throw headError(
        "header-line",
        `Cannot read RTSP header line "${line.slice(0, 80)}": wanted "name: value"`,
        offset,
        line,
      );
    }
  }
  unfold();
  return headers;
}

/**
 * The number of octets of the body, 0 where no header says so.
 *
 * Throws `RtspFormatError`: `code` `"content-length"` (400) for one that is no number or two that differ,
 * `"body-too-long"` (413) above the limit.
 */
export function contentLengthOf(
  headers: readonly RtspHeader[],
  limitBytes: number,
  offset: number,
): number {
  let length: number | undefined;
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "content-length") continue;
    if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== Number(value))) {
      throw headError(
        "content-length",
        `Cannot read RTSP message: Content-Length is "${value}"`,
        offset,
        value,
      );
    }
    length = Number(value);
  }
  if (length === undefined || length <= limitBytes) return length ?? 0;
  throw headError(
    "body-too-long",
    `Cannot read RTSP message: the body has ${length} bytes, limit ${limitBytes}`,
    offset,
    length,
    413,
  );
}

/** A fault of a message's head. */
export function headError(
  code: RtspFormatCode,
  message: string,
  offset: number,
  value: unknown,
  statusCode = 400,
): RtspFormatError<RtspFormatCode> {
  const shown = typeof value === "string" ? value.slice(0, 200) : value;
  return new RtspFormatError(message, {
    code,
    offset,
    rfc: "RFC 2326 s4",
    value: shown,
    statusCode,
  });
}

/** A fault: these are no bytes of RTSP at all. */
export function notRtsp(shown: string, offset: number): RtspFormatError<RtspFormatCode> {
  return headError(
    "not-rtsp",
    `Cannot read RTSP message: it starts with ${JSON.stringify(shown.slice(0, 40))}`,
    offset,
    shown,
  );
}

/** Whether a text holds a control character other than a tab. */
export function hasControlCharacter(text: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}

/** Whether a token may start with an octet (RFC 2326 s15.1). */
export function isTokenOctet(octet: number): boolean {
  return TOKEN.test(String.fromCharCode(octet));
}

/** RFC 2326 s15.1: `token`. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VERSION = /^RTSP\/\d{1,3}\.\d{1,3}$/;
const STATUS_LINE = /^(RTSP\/\d{1,3}\.\d{1,3})[ \t]+([1-9]\d\d)(?![^ \t])([^]*)$/i;

function kindOfTarget(uri: string): RequestLine["kind"] {
  if (uri === "*") return "standard";
  if (uri.startsWith("/")) return "doubtful";
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/?)/i.exec(uri);
  if (match === null) return "bare";
  // `rtsp://tiny.mjpeg` is how one lab program names a file; a server's root URL without a slash looks the same.
  return match[3] === "" && !/[:@?]/.test(match[2]) ? "doubtful" : "standard";
}
