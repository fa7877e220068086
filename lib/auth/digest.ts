/**
 * The arithmetic of Digest, shared by who answers and who verifies; and Base64 for Basic.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616#section-3.4.1
 * @module
 */
import { latin1 } from "../latin1.ts";

/** Hash functions that Digest needs. */
export type HashAlgorithm = "MD5" | "SHA-256";

/** A hash function: lower-case hexadecimal of the hash of the text's UTF-8. */
export type Hash = (algorithm: HashAlgorithm, text: string) => string;

/** What a Digest response is computed from. */
export interface DigestInput {
  /** Algorithm as `parseAlgorithm` reads it. */
  readonly algorithm: DigestAlgorithm;
  /** User name. */
  readonly username: string;
  /** Password. */
  readonly password: string;
  /** Realm of the challenge. */
  readonly realm: string;
  /** Nonce of the challenge. */
  readonly nonce: string;
  /** Method of the request. */
  readonly method: string;
  /** The `uri` parameter, letter for letter. */
  readonly uri: string;
  /** `"auth"`, or `undefined` for the form of RFC 2069. */
  readonly qop?: string;
  /** The `nc` parameter, eight hexadecimal digits. */
  readonly nonceCount?: string;
  /** The `cnonce` parameter. */
  readonly cnonce?: string;
}

/** An algorithm token taken apart. */
export interface DigestAlgorithm {
  /** The hash function. */
  readonly hash: HashAlgorithm;
  /** Whether the session variant (`MD5-sess`) is meant. */
  readonly isSession: boolean;
}

/** Reads an algorithm token in any case; MD5 where there is none; `undefined` for one that is not known. */
export function parseAlgorithm(token: string | undefined): DigestAlgorithm | undefined {
  switch ((token ?? "MD5").toUpperCase()) {
    case "MD5":
      return { hash: "MD5", isSession: false };
    case "MD5-SESS":
      return { hash: "MD5", isSession: true };
    case "SHA-256":
    case "SHA256":
      return { hash: "SHA-256", isSession: false };
    case "SHA-256-SESS":
      return { hash: "SHA-256", isSession: true };
    default:
      return undefined;
  }
}

/** The `response` parameter (RFC 7616 s3.4.1; RFC 2069 s2.1.2 without qop). */
export function digestResponse(input: DigestInput, hash: Hash): string {
  const { algorithm, nonce } = input;
  const of = (text: string) => hash(algorithm.hash, text);
  const user = of(`${input.username}:${input.realm}:${input.password}`);
  const first = algorithm.isSession ? of(`${user}:${nonce}:${input.cnonce ?? ""}`) : user;
  const second = of(`${input.method}:${input.uri}`);
  return input.qop === undefined
    ? of(`${first}:${nonce}:${second}`)
    : of(`${first}:${nonce}:${input.nonceCount}:${input.cnonce}:${input.qop}:${second}`);
}

/** Base64 of a text's UTF-8 (RFC 4648 s4). */
export function encodeBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let encoded = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const rest = bytes.length - at;
    const group = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    encoded += BASE64[group >> 18] + BASE64[(group >> 12) & 63] +
      (rest > 1 ? BASE64[(group >> 6) & 63] : "=") + (rest > 2 ? BASE64[group & 63] : "=");
  }
  return encoded;
}

/** The text of Base64, padded or not; Latin-1 where it is no UTF-8; `undefined` where it is no Base64. */
export function decodeBase64(encoded: string): string | undefined {
  const digits = encoded.replace(/={0,2}$/, "");
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(digits)) return undefined;
  const bytes = new Uint8Array(Math.floor(digits.length * 3 / 4));
  let group = 0;
  let bits = 0;
  let size = 0;
  for (const digit of digits) {
    group = ((group << 6) | BASE64.indexOf(digit)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = (group >> bits) & 0xff;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
