/**
 * Overwriting what would let somebody in, before a message is shown or kept.
 *
 * Floor 1. Passwords, digests and nonces become `*`, octet by octet, so that every length and offset stays true. It
 * does not judge whether the message is RTSP: it takes any octets.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616#section-5
 * @module
 */
import { latin1 } from "../latin1.ts";

/** A message without secrets. */
export interface MaskedMessage {
  /** The octets, as many as before: the given array itself where nothing was overwritten, else a copy. */
  readonly bytes: Uint8Array;
  /** Whether anything was overwritten. */
  readonly isMasked: boolean;
}

/**
 * Overwrites credentials in the octets of an RTSP message: in the headers that carry them all but the scheme and the
 * parameters that are no secret, and names and passwords within URLs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { maskSecrets } from "./secrets.ts";
 * const message = "OPTIONS rtsp://ann:pw@host/ RTSP/1.0\r\nAuthorization: Basic YW5uOnB3\r\n\r\n";
 * const { bytes } = maskSecrets(new TextEncoder().encode(message));
 * assertEquals(
 *   new TextDecoder().decode(bytes),
 *   "OPTIONS rtsp://******@host/ RTSP/1.0\r\nAuthorization: Basic ********\r\n\r\n",
 * );
 * ```
 */
export function maskSecrets(bytes: Uint8Array): MaskedMessage {
  const text = latin1(bytes);
  if (!MAY_HOLD_SECRET.test(text)) return { bytes, isMasked: false };
  const masked = text
    .replace(SECRET_HEADER, (_, name: string, value: string) => name + maskValue(value))
    .replace(USER_INFO, maskUserInfo)
    .replace(ODD_USER_INFO, maskUserInfo);
  if (masked === text) return { bytes, isMasked: false };
  const copy = new Uint8Array(bytes.length);
  for (let i = 0; i < copy.length; i++) copy[i] = masked.charCodeAt(i);
  return { bytes: copy, isMasked: true };
}

/** Everything that is not known to be harmless is overwritten: a credential may be written wrongly, too. */
function maskValue(value: string): string {
  const scheme = /^\s*[A-Za-z]+(?=\s)/.exec(value)?.[0] ?? "";
  const rest = value.slice(scheme.length);
  let masked = scheme;
  let end = 0;
  for (const match of rest.matchAll(PARAMETER)) {
    masked += stars(rest.slice(end, match.index));
    end = match.index + match[0].length;
    const [, name, equals, given] = match;
    masked += name + equals;
    masked += HARMLESS.has(name.toLowerCase()) ? given : stars(given);
  }
  return masked + stars(rest.slice(end));
}

function maskUserInfo(_: string, scheme: string, secret: string): string {
  return `${scheme}${stars(secret)}@`;
}

/** What separates stays, so that the form can be seen. */
function stars(text: string): string {
  return text.replace(/[^\s,"]/g, "*");
}

const MAY_HOLD_SECRET = /auth|@/i;
/** A header that carries credentials or what they are made of, with its folded lines. */
const SECRET_HEADER =
  /^([^\S\r\n]*(?:proxy-)?(?:authorization|authenticate|www-authenticate|authentication-info)[^\S\r\n]*:)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim;
const PARAMETER = /([A-Za-z][A-Za-z0-9*_-]*)(\s*=\s*)("(?:[^"\\\r\n]|\\.)*"|[^\s,"=]+(?=[\s,]|$))/g;
const HARMLESS = new Set(["realm", "uri", "algorithm", "qop", "nc", "stale", "charset"]);
/** Up to the last `@` before the path: passwords with an `@` of their own are common. */
const USER_INFO = /(rtsps?:\/\/)([^\s/?#"<>]+)@/gi;
/** A password with a `/` of its own, which should have been escaped: what stands behind the colon is no port. */
const ODD_USER_INFO = /(rtsps?:\/\/)([^\s/?#"<>:@]*:(?!\d{0,5}(?:[/?#\s]|$))[^\s"<>@]*)@/gi;
