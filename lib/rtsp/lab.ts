/**
 * The dialect of the Kurose-Ross streaming lab: what its programs send instead of RTSP, read into the ordinary shape
 * and written back.
 *
 * Floor 1. Fields of the lab stand at positions: the number on line 2, the port or the session on line 3. When a
 * message is over is the parser's business.
 *
 * @module
 */
import {
  contentLengthOf,
  isStatusLine,
  KNOWN_METHODS,
  parseHeaders,
  type RequestLine,
} from "./head.ts";
import {
  headerValue,
  type LabForm,
  RTSP_VERSION,
  type RtspHeader,
  type RtspRequest,
  type RtspResponse,
} from "./message.ts";

/** Whether a line can only be the first line of a request: a known method, then a blank or nothing. */
export function startsWithMethod(line: string): boolean {
  return METHOD_FIRST.test(line);
}

/** Whether a line behind a lab message opens the next message, and is no further header of that one. */
export function opensMessage(line: string): boolean {
  return startsWithMethod(line) || isStatusLine(line) ||
    /^[A-Za-z][^\s:]*\s[^]*RTSP\/\d+\.\d+\s*$/.test(line);
}

/** Whether the beginning of a line may grow into the first line of a request. */
export function mayBecomeRequestLine(partial: string): boolean {
  return METHOD_FIRST.test(partial) ||
    KNOWN_METHODS.some((method) => method.startsWith(partial)) || "TEAR DOWN".startsWith(partial);
}

/**
 * Where two requests run together without a line end (`3PAUSE movie.Mjpeg`, `26180 SETUP movie.Mjpeg`): index of the
 * second one's method, or -1.
 */
export function gluedMethodIndex(line: string): number {
  const match = GLUED_METHOD.exec(line);
  return match === null ? -1 : match.index + match[1].length;
}

/** Index of a method anywhere in a leftover of the message before, or -1. */
export function leftoverMethodIndex(line: string): number {
  const match = METHOD_INSIDE.exec(line);
  return match === null ? -1 : match.index;
}

/** Whether a line holds a transport that only the lab uses: RTP straight on UDP. */
export function isLabTransportLine(line: string): boolean {
  return /^\s*transport\s*:\s*(?:rtp|tcp)\s*\/\s*udp\b/i.test(line) || POSITIONAL_PORT.test(line);
}

/** The client's port on a line: digits as far as they have come, or `undefined`. */
export function labPortOf(line: string): string | undefined {
  return NAMED_PORT.exec(line)?.[1] ?? POSITIONAL_PORT.exec(line)?.[1];
}

/** Whether line 2 bears the number that every lab request has there. */
export function hasNumber(line: string): boolean {
  return /\d/.test(line);
}

/** Whether line 2 is the odd family's: a bare number. */
function isBareNumber(line: string): boolean {
  return /^\s*\d/.test(line);
}

/** Reads the lines of a lab request into the ordinary shape of a request. */
export function readLabRequest(
  requestLine: RequestLine,
  lines: readonly string[],
  form: Omit<LabForm, "family">,
): RtspRequest {
  const headers: RtspHeader[] = [];
  let named = parseHeaders(lines.slice(1), 0, true);
  let cseq = numberOf(headerValue(named, "CSeq"));
  if (cseq === undefined) {
    // Whatever stands on line 2 (`2`, ` 2 `, `SEeq: 2`) is the number and no header.
    cseq = numberOf(lines[1]);
    named = parseHeaders(lines.slice(2), 0, true);
  }
  if (cseq !== undefined) headers.push(["CSeq", cseq]);
  const transport = readTransport(lines, named);
  if (transport !== undefined) headers.push(["Transport", transport]);
  headers.push(...named.filter(([name]) => !/^(?:cseq|transport)$/i.test(name)));
  return {
    type: "request",
    method: requestLine.method,
    uri: labTarget(requestLine.uri),
    version: requestLine.version ?? RTSP_VERSION,
    headers,
    body: new Uint8Array(),
    lab: { family: isBareNumber(lines[1] ?? "") ? "B" : "A", ...form },
  };
}

/** Headers of a lab response in the ordinary shape: `CSeq` with digits only, or none where the server sent rubbish. */
export function readLabHeaders(lines: readonly string[]): RtspHeader[] {
  const headers: RtspHeader[] = [];
  for (const [name, value] of parseHeaders(lines, 0, true)) {
    if (name.toLowerCase() !== "cseq") headers.push([name, value]);
    else {
      const cseq = numberOf(value);
      if (cseq !== undefined) headers.push([name, cseq]);
    }
  }
  return headers;
}

/**
 * Writes a lab request. Family A has exactly three lines, each ended: the request, `CSeq`, and for SETUP the
 * transport, else the first other header (`Session: 0` where there is none). Further headers are written only where
 * the form has a blank line. Family B has the number on line 2, for SETUP the port on line 3, and no end.
 */
export function formatLabRequest(request: RtspRequest, form: LabForm): string {
  const cseq = numberOf(headerValue(request.headers, "CSeq")) ?? "0";
  const transport = headerValue(request.headers, "Transport") ?? "";
  const port = NAMED_PORT.exec(transport)?.[1].split("-")[0].trim() ?? "0";
  const uri = request.uri.replaceAll(" ", "%20");
  const end = form.lineEnd;
  if (form.family === "B") {
    const head = `${request.method} ${uri}\n${cseq}`;
    return request.method === "SETUP" ? `${head}\n RTSP/1.0 RTP/UDP ${port}` : head;
  }
  const others = request.headers.filter(([name]) => !/^(?:cseq|transport)$/i.test(name));
  const lines = [
    `${request.method} ${uri === "" ? "" : `${uri} `}${RTSP_VERSION}`,
    `CSeq: ${cseq}`,
  ];
  if (request.method === "SETUP") lines.push(...PORT_LINES[form.portSpelling ?? "spaced"](port));
  else lines.push(lineOf(others.shift() ?? ["Session", "0"]));
  if (!form.hasBlankLine) return lines.join(end) + end;
  return [...lines, ...others.map(lineOf), "", ""].join(end);
}

/**
 * Writes the head of a lab response. Without a blank line in its form it has exactly three lines, each ended: status,
 * `CSeq`, `Session` (`0` where there is none, nothing behind a semicolon); with one it is CRLF, `CSeq` and `Session`
 * first, then the other headers, then the blank line.
 */
export function formatLabResponse(response: RtspResponse, form: LabForm): string {
  const { headers } = response;
  const end = form.hasBlankLine ? "\r\n" : form.lineEnd;
  const cseq = numberOf(headerValue(headers, "CSeq")) ?? "0";
  const session = headerValue(headers, "Session")?.split(";")[0].trim() ?? "0";
  const lines = [
    `${RTSP_VERSION} ${response.statusCode} ${response.reasonPhrase}`,
    `CSeq: ${cseq}`,
  ];
  if (form.hasBlankLine) {
    const given = headerValue(headers, "Session");
    lines.push(`Session: ${given ?? "0"}`);
    const others = headers.filter(([name]) => !/^(?:cseq|session|content-length)$/i.test(name));
    lines.push(...others.map(lineOf));
    if (response.body.length > 0) lines.push(`Content-Length: ${response.body.length}`);
    return [...lines, "", ""].join(end);
  }
  if (response.body.length === 0) return [...lines, `Session: ${session}`, ""].join(end);
  return lines.join(end) + end + describeHeadOf(response, session, end);
}

/**
 * The rest of a head in front of a description. The lab's Java client looks for Content-Base on line 3, counts lines
 * and takes the description right behind Content-Length; the Python ones index the session and want a blank line.
 */
function describeHeadOf(response: RtspResponse, session: string, end: string): string {
  const type = headerValue(response.headers, "Content-Type") ?? "application/sdp";
  const content = [`Content-Type: ${type}`, `Content-Length: ${response.body.length}`];
  if (end === "\n") return [`Session: ${session}`, ...content, "", ""].join(end);
  const base = headerValue(response.headers, "Content-Base") ?? "*";
  return [`Content-Base: ${base}`, ...content, ""].join(end);
}

/** Length of the body that a lab response announces; 0 where it announces none that can be used. */
export function labContentLengthOf(headers: readonly RtspHeader[], limitBytes: number): number {
  return contentLengthOf(headers.filter(([, value]) => /^\d{1,15}$/.test(value)), limitBytes, 0);
}

const METHODS_PATTERN = `(?:${KNOWN_METHODS.join("|")}|TEAR DOWN)`;
const METHOD_FIRST = new RegExp(`^${METHODS_PATTERN}(?: |$)`);
const METHOD_INSIDE = new RegExp(`${METHODS_PATTERN}(?= |$)`);

/** Only on the lines that end with a number: the sequence number, the session, the port. */
const GLUED_METHOD = new RegExp(
  `^((?:[A-Za-z_]{0,16}\\s*[:=]|\\s*\\d|\\s*RTSP/)(?:[^\\n]*\\d)? ?)${METHODS_PATTERN}(?: |$)`,
);

const NAMED_PORT = /client_port\s*=\s*(\d{1,7}(?:\s*-\s*\d{1,7})?)/i;
const POSITIONAL_PORT = /^\s*RTSP\/\d\.\d\s+\S+\s+(\d{1,7})\s*$/i;

/** The spellings of the port that the lab's servers want. */
const PORT_LINES: Record<NonNullable<LabForm["portSpelling"]>, (port: string) => string[]> = {
  "spaced": (port) => [`Transport: RTP/UDP; client_port= ${port}`],
  "tight": (port) => [`Transport: RTP/UDP;client_port=${port}`],
  "own-line": (port) => ["Transport: RTP/UDP", `client_port = ${port}`],
};

function lineOf([name, value]: RtspHeader): string {
  return `${name}: ${value}`;
}

/** The first run of digits. */
function numberOf(text: string | undefined): string | undefined {
  return /\d{1,10}/.exec(text ?? "")?.[0];
}

/** The transport of a lab request in one spelling; as it came where it is none of the lab's. */
function readTransport(
  lines: readonly string[],
  named: readonly RtspHeader[],
): string | undefined {
  const given = headerValue(named, "Transport");
  if (given !== undefined && /interleaved|\/tcp|multicast/i.test(given)) return given;
  for (const line of lines.slice(1)) {
    const port = labPortOf(line);
    if (port !== undefined) return `RTP/UDP;client_port=${port.replace(/\s+/g, "")}`;
  }
  return given === undefined ? undefined : "RTP/UDP";
}

/** `rtsp://tiny.mjpeg` names a file where the host should be. */
function labTarget(uri: string): string {
  return /^rtsp[us]?:\/\/([^/:@?]+)$/i.exec(uri)?.[1] ?? uri;
}
