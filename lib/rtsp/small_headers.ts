/**
 * The small headers: Session, RTP-Info, Public and Allow, Scale, Speed.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-12
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import { splitOutsideQuotes, unquote } from "./quoted_text.ts";
import type { RtspFormatCode } from "./message.ts";

/** The value of a Session header (RFC 2326 s12.37). */
export interface RtspSession {
  /** Identifier, opaque. */
  readonly id: string;
  /** Seconds of silence after which the server ends the session; 60 where absent. */
  readonly timeoutSeconds?: number;
}

/** One stream of an RTP-Info header (RFC 2326 s12.33). */
export interface RtpInfo {
  /** URL of the stream as it came; empty where the server left it out. */
  readonly url: string;
  /** Sequence number of the first packet, 0 to 65535. */
  readonly seq?: number;
  /** RTP timestamp that belongs to the start of the Range, 32 bits. */
  readonly rtptime?: number;
}

/**
 * Reads a Session header. Any token is an identifier; a timeout that is no whole number above 0 is passed over.
 *
 * Throws `RtspFormatError` (`code` `"session"`, `statusCode` 454) where there is no identifier.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSession } from "./small_headers.ts";
 * assertEquals(parseSession("2E1556E3;timeout=60"), { id: "2E1556E3", timeoutSeconds: 60 });
 * ```
 */
export function parseSession(value: string): RtspSession {
  const [idText, ...parameters] = value.split(";");
  const id = idText.trim();
  if (id === "") {
    throw new RtspFormatError<RtspFormatCode>(
      "Cannot read Session header: there is no identifier",
      {
        code: "session",
        offset: 0,
        rfc: "RFC 2326 s12.37",
        value,
        statusCode: 454,
      },
    );
  }
  for (const parameter of parameters) {
    const match = /^\s*timeout\s*=\s*"?\s*(\d{1,9})/i.exec(parameter);
    if (match !== null && Number(match[1]) > 0) return { id, timeoutSeconds: Number(match[1]) };
  }
  return { id };
}

/** Writes a Session header. */
export function formatSession(session: RtspSession): string {
  return session.timeoutSeconds === undefined
    ? session.id
    : `${session.id};timeout=${session.timeoutSeconds}`;
}

/**
 * Reads an RTP-Info header. URLs may be quoted or not, and hold commas and semicolons either way. Numbers that
 * cannot be read are left out; this header is a hint, so nothing is thrown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseRtpInfo } from "./small_headers.ts";
 * assertEquals(parseRtpInfo("url=rtsp://h/a;b,c/trackID=0;seq=7;rtptime=900"), [
 *   { url: "rtsp://h/a;b,c/trackID=0", seq: 7, rtptime: 900 },
 * ]);
 * ```
 */
export function parseRtpInfo(value: string): RtpInfo[] {
  const streams: RtpInfo[] = [];
  for (const text of splitStreams(value)) {
    const stream = parseStream(text);
    if (stream !== undefined) streams.push(stream);
  }
  return streams;
}

/** Writes an RTP-Info header; a URL that holds a comma, a semicolon or a blank is quoted. */
export function formatRtpInfo(streams: readonly RtpInfo[]): string {
  return streams.map(({ url, seq, rtptime }) => {
    const parts = [`url=${/[,;\s]/.test(url) ? `"${url}"` : url}`];
    if (seq !== undefined) parts.push(`seq=${seq & 0xffff}`);
    if (rtptime !== undefined) parts.push(`rtptime=${rtptime >>> 0}`);
    return parts.join(";");
  }).join(",");
}

/** Reads a Public or Allow header: the methods in order, in wire case. */
export function parsePublic(value: string): string[] {
  return value.split(/[,\s]+/).filter((method) => method !== "");
}

/** Writes a Public or Allow header. */
export function formatPublic(methods: readonly string[]): string {
  return methods.join(", ");
}

/** Reads a Scale header: 1 is normal, negative is backwards. Throws `RtspFormatError` (`code` `"number"`). */
export function parseScale(value: string): number {
  return parseDecimal("Scale", value, /^[+-]?(?:\d{1,9}(?:\.\d*)?|\.\d+)$/, "RFC 2326 s12.34");
}

/** Reads a Speed header, a factor above 0. Throws `RtspFormatError` (`code` `"number"`). */
export function parseSpeed(value: string): number {
  const speed = parseDecimal("Speed", value, /^(?:\d{1,9}(?:\.\d*)?|\.\d+)/, "RFC 2326 s12.35");
  if (speed > 0) return speed;
  throw numberError("Speed", value, "RFC 2326 s12.35");
}

function parseDecimal(name: string, value: string, grammar: RegExp, rfc: string): number {
  const match = grammar.exec(value.trim());
  if (match === null) throw numberError(name, value, rfc);
  return Number(match[0]);
}

function numberError(name: string, value: string, rfc: string) {
  return new RtspFormatError<RtspFormatCode>(
    `Cannot read ${name} header: "${value}" is no usable number`,
    { code: "number", offset: 0, rfc, value },
  );
}

/** A comma starts the next stream only where `url=` (or `seq=`, for servers without URLs) follows. */
function splitStreams(value: string): string[] {
  const streams: string[] = [];
  for (const { text } of splitOutsideQuotes(value, ",")) {
    if (streams.length === 0 || /^\s*(?:url|seq|rtptime)\s*=/i.test(text)) streams.push(text);
    else streams[streams.length - 1] += `,${text}`;
  }
  return streams;
}

function parseStream(text: string): RtpInfo | undefined {
  const stream: { url: string; seq?: number; rtptime?: number } = { url: "" };
  const url: string[] = [];
  for (const { text: piece } of splitOutsideQuotes(text, ";")) {
    const match = /^\s*(url|seq|rtptime|ssrc)\s*=/i.exec(piece);
    const name = match?.[1].toLowerCase();
    const given = piece.slice(match?.[0].length ?? 0).trim();
    if (name === undefined) {
      if (url.length > 0) url.push(piece);
    } else if (name === "url" && url.length === 0) url.push(given);
    else if (name === "seq") {
      if (/^\d{1,5}$/.test(given) && Number(given) <= 65535) stream.seq = Number(given);
    } else if (name === "rtptime" && /^-?\d{1,10}$/.test(given)) {
      // Some cameras write the 32 bits as a signed number.
      stream.rtptime = Number(given) >>> 0;
    }
  }
  stream.url = unquote(url.join(";").trim());
  return stream.url === "" && stream.seq === undefined && stream.rtptime === undefined
    ? undefined
    : stream;
}
