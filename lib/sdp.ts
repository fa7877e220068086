/**
 * Session descriptions.
 *
 * Floor 1. Tolerant in reading (cameras and lab programs leave out half of it), strict in writing. It knows what
 * lines mean for RTSP's sake, and no codec's parameters.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8866
 * @see https://www.rfc-editor.org/rfc/rfc2326#appendix-C
 * @module
 */
import { SdpFormatError } from "./errors.ts";

/** Kinds of fault of a session description; the `code` of an `SdpFormatError`. */
export type SdpFormatCode = "no-version" | "no-media";

/** One `a=` line: a property has no value. */
export type SdpAttribute = readonly [name: string, value?: string];

/** The `o=` line (RFC 8866 s5.2). */
export interface SdpOrigin {
  /** Name of the creator, `"-"` for none. */
  readonly username: string;
  /** Number of the session, decimal digits of any size. */
  readonly sessionId: string;
  /** Number of the description's version, decimal digits of any size. */
  readonly sessionVersion: string;
  /** `"IN"`. */
  readonly networkType: string;
  /** `"IP4"` or `"IP6"`. */
  readonly addressType: string;
  /** Address of the creator. */
  readonly address: string;
}

/** A `c=` line (RFC 8866 s5.7). */
export interface SdpConnection {
  /** `"IN"`. */
  readonly networkType: string;
  /** `"IP4"` or `"IP6"`. */
  readonly addressType: string;
  /** Address, for multicast with its `/ttl`. */
  readonly address: string;
}

/** One `b=` line: kind, and kilobits per second for `"AS"`. */
export type SdpBandwidth = readonly [kind: string, value: number];

/** One `m=` line and what follows it (RFC 8866 s5.14). */
export interface SdpMedia {
  /** `"video"`, `"audio"`, `"application"` or another. */
  readonly kind: string;
  /** Port, 0 where SETUP decides. */
  readonly port: number;
  /** Number of port pairs; 1 where absent. */
  readonly portCount?: number;
  /** For example `"RTP/AVP"`. */
  readonly protocol: string;
  /** Payload types in the order of preference, as text. */
  readonly formats: readonly string[];
  /** The `c=` line of this medium. */
  readonly connection?: SdpConnection;
  /** The `b=` lines of this medium. */
  readonly bandwidth?: readonly SdpBandwidth[];
  /** The `a=` lines of this medium, in order. */
  readonly attributes: readonly SdpAttribute[];
}

/** A whole session description. */
export interface SessionDescription {
  /** Always 0. */
  readonly version: 0;
  /** Origin; absent in descriptions of lab programs. */
  readonly origin?: SdpOrigin;
  /** Name of the session; empty where the line is missing. */
  readonly name: string;
  /** The `i=` line of the session. */
  readonly information?: string;
  /** The `c=` line of the session. */
  readonly connection?: SdpConnection;
  /** The `b=` lines of the session. */
  readonly bandwidth?: readonly SdpBandwidth[];
  /** First and last moment as NTP seconds, in the digits they came in; `["0", "0"]` is unbounded. */
  readonly timing?: readonly [start: string, stop: string];
  /** The `a=` lines of the session, in order. */
  readonly attributes: readonly SdpAttribute[];
  /** The media, at least one. */
  readonly media: readonly SdpMedia[];
}

/** What a payload type stands for (RFC 8866 s6.6). */
export interface SdpRtpmap {
  /** Encoding name in the spelling it came with, for example `"JPEG"`. */
  readonly encodingName: string;
  /** Clock rate of RTP timestamps in hertz. */
  readonly clockRateHz: number;
  /** Channels or other parameters. */
  readonly parameters?: string;
}

/** A medium, and the payload type that carries the encoding searched for. */
export interface SdpMediaFormat {
  /** The medium. */
  readonly media: SdpMedia;
  /** Payload type, 0 to 127. */
  readonly payloadType: number;
  /** Clock rate of RTP timestamps in hertz. */
  readonly clockRateHz: number;
}

/**
 * Reads a session description: CRLF, LF or CR at line ends, lines in any order, unknown lines passed over.
 *
 * Throws `SdpFormatError`: `code` `"no-version"` where no `v=0` opens it, `"no-media"` where no `m=` line can be
 * used.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findMedia, parseSdp } from "./sdp.ts";
 * const sdp = parseSdp("v=0\r\nm=video 0 RTP/AVP 26\r\na=control:trackID=0\r\n");
 * assertEquals(findMedia(sdp, "JPEG")?.payloadType, 26);
 * ```
 */
export function parseSdp(text: string): SessionDescription {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const sdp: SessionDraft = { version: 0, name: "", attributes: [], media: [] };
  const media: MediaDraft[] = [];
  const attributes: SdpAttribute[] = [];
  let hasVersion = false;
  let current: MediaDraft | undefined;
  let isSkipping = false;
  for (const line of lines) {
    const match = /^\s*([a-z])\s*=/.exec(line);
    if (match === null) continue;
    const type = match[1];
    const value = line.slice(match[0].length).trim();
    if (type === "v") hasVersion ||= value === "0";
    else if (type === "m") {
      current = parseMedia(value);
      isSkipping = current === undefined;
      if (current !== undefined) media.push(current);
    } else if (isSkipping) continue;
    else if (type === "a") (current?.attributes ?? attributes).push(parseAttribute(value));
    else if (type === "b") addBandwidth(current ?? sdp, value);
    else if (type === "c") assignConnection(current ?? sdp, value);
    else if (type === "i") {
      if (current === undefined) sdp.information ??= value;
    } else assignSessionLine(sdp, type, value);
  }
  if (!hasVersion) {
    throw sdpError("no-version", 'Cannot read SDP: there is no line "v=0"', "RFC 8866 s5.1", text);
  }
  if (media.length === 0) {
    throw sdpError(
      "no-media",
      'Cannot read SDP: there is no usable "m=" line',
      "RFC 8866 s5.14",
      text,
    );
  }
  return { ...sdp, attributes, media };
}

/**
 * Writes a session description with CRLF in the order of RFC 8866 s5; what the RFC demands and the value lacks
 * (`o=`, `s=`, `t=`) is filled with its neutral form.
 *
 * Throws `TypeError` where a value holds a line end (our own mistake).
 */
export function formatSdp(sdp: SessionDescription): string {
  const origin = sdp.origin ?? NEUTRAL_ORIGIN;
  const lines = [
    "v=0",
    `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${origin.networkType} ` +
    `${origin.addressType} ${origin.address}`,
    `s=${sdp.name === "" ? "-" : sdp.name}`,
  ];
  if (sdp.information !== undefined) lines.push(`i=${sdp.information}`);
  pushConnection(lines, sdp);
  lines.push(`t=${(sdp.timing ?? ["0", "0"]).join(" ")}`);
  pushAttributes(lines, sdp.attributes);
  for (const media of sdp.media) {
    const port = media.portCount === undefined ? media.port : `${media.port}/${media.portCount}`;
    lines.push(`m=${media.kind} ${port} ${media.protocol} ${media.formats.join(" ")}`);
    pushConnection(lines, media);
    pushAttributes(lines, media.attributes);
  }
  for (const line of lines) {
    // deno-lint-ignore no-control-regex -- control characters are what is refused
    if (/[\x00\r\n]/.test(line)) {
      throw new TypeError(`Cannot write SDP line "${line}": it holds a line end`);
    }
  }
  return lines.join("\r\n") + "\r\n";
}

/** The value of the first attribute of that name (any case); `""` for a property, `undefined` where there is none. */
export function attributeValue(
  attributes: readonly SdpAttribute[],
  name: string,
): string | undefined {
  const wanted = name.toLowerCase();
  const found = attributes.find(([given]) => given.toLowerCase() === wanted);
  return found === undefined ? undefined : found[1] ?? "";
}

/** What a payload type of a medium stands for: its `a=rtpmap`, else the static table of RFC 3551 s6 (JPEG only). */
export function rtpmapOf(media: SdpMedia, payloadType: number | string): SdpRtpmap | undefined {
  const wanted = String(payloadType);
  for (const [name, value] of media.attributes) {
    if (name.toLowerCase() !== "rtpmap" || value === undefined) continue;
    const match = /^(\d{1,3})\s+([^\s/]+)\s*(?:\/\s*(\d{1,9}))?(?:\/(\S+))?/.exec(value);
    if (match === null || String(Number(match[1])) !== wanted) continue;
    const encodingName = match[2];
    const clockRateHz = Number(match[3] ?? 90_000);
    return match[4] === undefined
      ? { encodingName, clockRateHz }
      : { encodingName, clockRateHz, parameters: match[4] };
  }
  return STATIC_FORMATS[wanted];
}

/** The first medium, and its first payload type, that carries an encoding (any case), by name and not by number. */
export function findMedia(
  sdp: SessionDescription,
  encodingName: string,
): SdpMediaFormat | undefined {
  const wanted = encodingName.toLowerCase();
  for (const media of sdp.media) {
    for (const format of media.formats) {
      const rtpmap = rtpmapOf(media, format);
      if (rtpmap?.encodingName.toLowerCase() !== wanted) continue;
      return { media, payloadType: Number(format), clockRateHz: rtpmap.clockRateHz };
    }
  }
  return undefined;
}

/** The encodings on offer, for a message to the user: `"H264 (96)"`, `"JPEG (26)"`. */
export function describeEncodings(sdp: SessionDescription): string[] {
  return sdp.media.flatMap((media) =>
    media.formats.map((format) =>
      `${rtpmapOf(media, format)?.encodingName ?? media.kind} (${format})`
    )
  );
}

/** Size of the picture in pixels from `a=x-dimensions:W,H` or `a=framesize:PT W-H`; `undefined` without either. */
export function dimensionsOf(media: SdpMedia): { width: number; height: number } | undefined {
  const given = attributeValue(media.attributes, "x-dimensions") ??
    attributeValue(media.attributes, "framesize")?.replace(/^\s*\d+\s+/, "");
  const match = /^\s*(\d{1,5})\s*[,x-]\s*(\d{1,5})/i.exec(given ?? "");
  if (match === null || Number(match[1]) === 0 || Number(match[2]) === 0) return undefined;
  return { width: Number(match[1]), height: Number(match[2]) };
}

/** Frame rate in hertz from `a=framerate` or `a=x-framerate`; `undefined` without a number above 0. */
export function frameRateOf(media: SdpMedia): number | undefined {
  const given = attributeValue(media.attributes, "framerate") ??
    attributeValue(media.attributes, "x-framerate");
  const match = /^\s*(?:\d+\s+)?(\d{1,6}(?:\.\d*)?)\s*$/.exec(given ?? "");
  return match === null || Number(match[1]) === 0 ? undefined : Number(match[1]);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

type MediaDraft = Mutable<Omit<SdpMedia, "attributes" | "bandwidth">> & {
  attributes: SdpAttribute[];
  bandwidth?: SdpBandwidth[];
};

type SessionDraft = Mutable<Omit<SessionDescription, "bandwidth">> & {
  bandwidth?: SdpBandwidth[];
};

const NEUTRAL_ORIGIN: SdpOrigin = {
  username: "-",
  sessionId: "0",
  sessionVersion: "0",
  networkType: "IN",
  addressType: "IP4",
  address: "0.0.0.0",
};

/** RFC 3551 s6, table 5: the one static payload type that this library handles. */
const STATIC_FORMATS: Readonly<Record<string, SdpRtpmap>> = {
  26: { encodingName: "JPEG", clockRateHz: 90_000 },
};

function parseMedia(value: string): MediaDraft | undefined {
  const match = /^(\S+)\s+(\d{1,5})(?:\/(\d{1,5}))?\s+(\S+)\s+(\S[^]*)$/.exec(value);
  if (match === null || Number(match[2]) > 65535) return undefined;
  const media: MediaDraft = {
    kind: match[1],
    port: Number(match[2]),
    protocol: match[4],
    formats: match[5].split(/\s+/),
    attributes: [],
  };
  if (match[3] !== undefined) media.portCount = Number(match[3]);
  return media;
}

function parseAttribute(value: string): SdpAttribute {
  const colon = value.indexOf(":");
  return colon < 0 ? [value] : [value.slice(0, colon).trim(), value.slice(colon + 1).trim()];
}

function addBandwidth(target: { bandwidth?: SdpBandwidth[] }, value: string): void {
  const match = /^([^\s:]+)\s*:\s*(\d{1,12})/.exec(value);
  if (match === null) return;
  target.bandwidth ??= [];
  target.bandwidth.push([match[1], Number(match[2])]);
}

function assignConnection(target: { connection?: SdpConnection }, value: string): void {
  const [networkType, addressType, address] = value.split(/\s+/);
  if (address === undefined || target.connection !== undefined) return;
  target.connection = { networkType, addressType, address };
}

/** Lines that belong to the session wherever they stand: lab programs put `t=` behind `m=`. */
function assignSessionLine(sdp: SessionDraft, type: string, value: string): void {
  if (type === "o") {
    const [username, sessionId, sessionVersion, networkType, addressType, address] = value.split(
      /\s+/,
    );
    if (address === undefined) return;
    sdp.origin = { username, sessionId, sessionVersion, networkType, addressType, address };
  } else if (type === "s") sdp.name = value;
  else if (type === "t") {
    const [start, stop] = value.split(/\s+/);
    if (stop !== undefined) sdp.timing ??= [start, stop];
  }
}

function pushConnection(
  lines: string[],
  from: { connection?: SdpConnection; bandwidth?: readonly SdpBandwidth[] },
): void {
  if (from.connection !== undefined) {
    const { networkType, addressType, address } = from.connection;
    lines.push(`c=${networkType} ${addressType} ${address}`);
  }
  for (const [kind, value] of from.bandwidth ?? []) lines.push(`b=${kind}:${value}`);
}

function pushAttributes(lines: string[], attributes: readonly SdpAttribute[]): void {
  for (const [name, value] of attributes) {
    lines.push(value === undefined ? `a=${name}` : `a=${name}:${value}`);
  }
}

function sdpError(code: SdpFormatCode, message: string, rfc: string, value: string) {
  return new SdpFormatError<SdpFormatCode>(message, {
    code,
    offset: 0,
    rfc,
    value: value.slice(0, 200),
  });
}
