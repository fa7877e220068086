/**
 * The Transport header.
 *
 * Floor 1. Reads the standard's spelling, the lab's, and what cameras make of either; writes the standard's, and for
 * the lab's `RTP/UDP` one port.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-12.39
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import { splitOutsideQuotes, unquote } from "./quoted_text.ts";
import type { RtspFormatCode } from "./message.ts";

/** Two ports or two channels: RTP's, then RTCP's. */
export type PortPair = readonly [number, number];

/** One of the alternatives of a Transport header. */
export interface TransportSpec {
  /** Protocol in upper case: `"RTP/AVP"`, `"RTP/AVP/UDP"`, `"RTP/AVP/TCP"`, the lab's `"RTP/UDP"`, or another. */
  readonly protocol: string;
  /** What carries the packets; UDP where the protocol names nothing. */
  readonly lowerTransport: "UDP" | "TCP";
  /** Whether `multicast` stands there; unicast otherwise, as every peer means it (against RFC 2326 s12.39). */
  readonly isMulticast: boolean;
  /** Ports of the client, 0 to 65535. A single port `n` reads as `n` and `n + 1`. */
  readonly clientPort?: PortPair;
  /** Ports of the server, 0 to 65535. */
  readonly serverPort?: PortPair;
  /** Multicast ports, 0 to 65535. */
  readonly port?: PortPair;
  /** Channels on the RTSP connection, 0 to 255. */
  readonly interleaved?: PortPair;
  /** Synchronisation source, 32 bits; absent where it is no hexadecimal number of that size. */
  readonly ssrc?: number;
  /** Address that the packets come from; may be empty. */
  readonly source?: string;
  /** Address that the packets go to; may be empty. */
  readonly destination?: string;
  /** Mode in upper case, for example `"PLAY"` or `"RECORD"`. */
  readonly mode?: string;
  /** Multicast time to live, 0 to 255. */
  readonly ttl?: number;
  /** Every other parameter in order, in the case it came in. */
  readonly extra: readonly (readonly [name: string, value?: string])[];
}

/**
 * Reads a Transport header: the alternatives in the order of preference, at least one.
 *
 * Alternatives that cannot be read are left out. Throws `RtspFormatError` (`code` `"transport"`) where none is left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTransport } from "./transport.ts";
 * const [spec] = parseTransport("RTP/AVP;unicast;client_port=4588-4589");
 * assertEquals(spec.clientPort, [4588, 4589]);
 * assertEquals(parseTransport("RTP/UDP; client_port= 25000")[0].clientPort, [25000, 25001]);
 * ```
 */
export function parseTransport(value: string): TransportSpec[] {
  const specs: TransportSpec[] = [];
  let refusal: RtspFormatError<RtspFormatCode> | undefined;
  for (const { text, start } of splitOutsideQuotes(value, ",")) {
    if (text.trim() === "") continue;
    try {
      specs.push(parseAlternative(text, start));
    } catch (error) {
      if (!(error instanceof RtspFormatError)) throw error;
      refusal ??= error;
    }
  }
  if (specs.length > 0) return specs;
  throw refusal ?? transportError("the header is empty", 0, value);
}

/**
 * Writes one alternative: the standard's spelling, or `RTP/UDP;client_port=N` for the lab's protocol.
 *
 * Throws `TypeError` where a parameter holds what would end it (our own mistake).
 */
export function formatTransport(spec: TransportSpec): string {
  const parts = [spec.protocol];
  if (isLabProtocol(spec.protocol)) {
    if (spec.clientPort !== undefined) parts.push(`client_port=${spec.clientPort[0]}`);
    return parts.join(";");
  }
  parts.push(spec.isMulticast ? "multicast" : "unicast");
  pushText(parts, "destination", spec.destination);
  pushText(parts, "source", spec.source);
  pushPair(parts, "interleaved", spec.interleaved);
  if (spec.ttl !== undefined) parts.push(`ttl=${spec.ttl}`);
  pushPair(parts, "port", spec.port);
  pushPair(parts, "client_port", spec.clientPort);
  pushPair(parts, "server_port", spec.serverPort);
  if (spec.ssrc !== undefined) {
    parts.push(`ssrc=${(spec.ssrc >>> 0).toString(16).toUpperCase().padStart(8, "0")}`);
  }
  if (spec.mode !== undefined) parts.push(`mode="${safe(spec.mode)}"`);
  for (const [name, value] of spec.extra) {
    parts.push(value === undefined ? safe(name) : `${safe(name)}=${safe(value)}`);
  }
  return parts.join(";");
}

/** Whether a protocol is the lab's: RTP straight on UDP, one port, one whole JPEG a packet. */
export function isLabProtocol(protocol: string): boolean {
  return LAB_PROTOCOLS.includes(protocol);
}

/** `TCP/UDP` is one student's spelling; UDP is meant. */
const LAB_PROTOCOLS: readonly string[] = ["RTP/UDP", "TCP/UDP"];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function parseAlternative(text: string, start: number): TransportSpec {
  const parameters = splitOutsideQuotes(text, ";");
  const protocol = parameters[0].text.replace(/\s+/g, "").toUpperCase();
  if (!PROTOCOL.test(protocol)) {
    throw transportError(`"${protocol}" is no protocol`, start, text);
  }
  const spec: Mutable<TransportSpec> = {
    protocol,
    lowerTransport: protocol.endsWith("/TCP") ? "TCP" : "UDP",
    isMulticast: false,
    extra: [],
  };
  const extra: [string, string?][] = [];
  for (const parameter of parameters.slice(1)) {
    const trimmed = parameter.text.trim();
    if (trimmed === "") continue;
    const equals = trimmed.indexOf("=");
    const name = (equals < 0 ? trimmed : trimmed.slice(0, equals)).trim();
    const given = equals < 0 ? undefined : unquote(trimmed.slice(equals + 1).trim());
    if (!assignParameter(spec, name.toLowerCase(), given, start + parameter.start)) {
      extra.push(given === undefined ? [name] : [name, given]);
    }
  }
  spec.extra = extra;
  return spec;
}

/** Sets a known parameter; false where it is unknown or cannot be read and may be passed over. */
function assignParameter(
  spec: Mutable<TransportSpec>,
  name: string,
  value: string | undefined,
  offset: number,
): boolean {
  switch (name) {
    case "unicast":
      return value === undefined;
    case "multicast":
      spec.isMulticast = true;
      return value === undefined;
    case "client_port":
      spec.clientPort = parsePair(name, value, 65535, offset);
      return true;
    case "server_port":
      spec.serverPort = parsePair(name, value, 65535, offset);
      return true;
    case "port":
      spec.port = parsePair(name, value, 65535, offset);
      return true;
    case "interleaved":
      spec.interleaved = parsePair(name, value, 255, offset);
      return true;
    case "ssrc": {
      const ssrc = parseSsrc(value);
      if (ssrc !== undefined) spec.ssrc = ssrc;
      return ssrc !== undefined;
    }
    case "ttl":
      if (value === undefined || !/^\d{1,3}$/.test(value) || Number(value) > 255) return false;
      spec.ttl = Number(value);
      return true;
    case "mode":
      if (value === undefined) return false;
      spec.mode = value.toUpperCase();
      return true;
    case "source":
      spec.source = value ?? "";
      return true;
    case "destination":
      spec.destination = value ?? "";
      return true;
    default:
      return false;
  }
}

function parsePair(
  name: string,
  value: string | undefined,
  highest: number,
  offset: number,
): PortPair {
  const match = /^(\d{1,7})\s*(?:-\s*(\d{1,7})?)?$/.exec(value ?? "");
  const first = Number(match?.[1] ?? Number.NaN);
  if (!(first <= highest)) {
    throw transportError(`${name} is "${value ?? ""}", wanted 0 to ${highest}`, offset, value);
  }
  const second = match?.[2] === undefined ? Math.min(first + 1, highest) : Number(match[2]);
  if (second > highest) {
    throw transportError(`${name} is "${value}", wanted 0 to ${highest}`, offset, value);
  }
  return [first, second];
}

function parseSsrc(value: string | undefined): number | undefined {
  const match = /^(?:0x)?0*([0-9a-f]{1,8})$/i.exec(value?.trim() ?? "");
  return match === null ? undefined : Number.parseInt(match[1], 16);
}

function pushPair(parts: string[], name: string, pair: PortPair | undefined): void {
  if (pair !== undefined) parts.push(`${name}=${pair[0]}-${pair[1]}`);
}

function pushText(parts: string[], name: string, value: string | undefined): void {
  if (value !== undefined) parts.push(value === "" ? name : `${name}=${safe(value)}`);
}

function safe(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\x00-\x1f\x7f,;"=]/.test(text)) {
    throw new TypeError(`Cannot write transport parameter "${text}": it holds a separator`);
  }
  return text;
}

/** Two to five tokens with slashes between. */
const PROTOCOL = /^[A-Z0-9.+-]+(?:\/[A-Z0-9.+-]+){1,4}$/;

function transportError(reason: string, offset: number, value: unknown) {
  return new RtspFormatError<RtspFormatCode>(`Cannot read Transport header: ${reason}`, {
    code: "transport",
    offset,
    rfc: "RFC 2326 s12.39",
    value,
  });
}
