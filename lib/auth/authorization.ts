/**
 * The server's side: writing challenges, reading and verifying answers.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616#section-3.4
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import type { RtspFormatCode } from "../rtsp/message.ts";
import { quote } from "../rtsp/quoted_text.ts";
import {
  decodeBase64,
  digestResponse,
  type Hash,
  type HashAlgorithm,
  parseAlgorithm,
} from "./digest.ts";
import type { NonceState } from "./nonce_book.ts";
import { parseAuthSchemes } from "./parameters.ts";

/** Credentials of Basic. */
export interface BasicAuthorization {
  /** Tells the schemes apart. */
  readonly scheme: "Basic";
  /** User name. */
  readonly username: string;
  /** Password. */
  readonly password: string;
}

/** Credentials of Digest, unverified. */
export interface DigestAuthorization {
  /** Tells the schemes apart. */
  readonly scheme: "Digest";
  /** User name. */
  readonly username: string;
  /** Realm as the client repeats it. */
  readonly realm: string;
  /** Nonce as the client repeats it. */
  readonly nonce: string;
  /** What the client says it asks for: the target, the base of it, or its path. */
  readonly uri: string;
  /** The hash, lower-case hexadecimal. */
  readonly response: string;
  /** Algorithm token as it came; MD5 is meant where there is none. */
  readonly algorithm?: string;
  /** Quality of protection; none in the form of RFC 2069. */
  readonly qop?: string;
  /** The `nc` parameter. */
  readonly nonceCount?: string;
  /** The `cnonce` parameter. */
  readonly cnonce?: string;
}

/** The value of an `Authorization` header. */
export type Authorization = BasicAuthorization | DigestAuthorization;

/** What challenges are made of. */
export interface FormatChallengesOptions {
  /** Realm. */
  readonly realm: string;
  /** Nonce, the same for all Digest challenges. */
  readonly nonce: string;
  /** Digest algorithms on offer; written with SHA-256 first, whatever their order here. */
  readonly algorithms: readonly HashAlgorithm[];
  /**
   * Whether Basic is offered as well, last.
   *
   * @default {false}
   */
  readonly isBasicOffered?: boolean;
  /**
   * Whether the password was right and only the nonce too old.
   *
   * @default {false}
   */
  readonly isStale?: boolean;
  /**
   * Whether `qop="auth"` is offered. Peers without qop are the rule in RTSP.
   *
   * @default {false}
   */
  readonly hasQop?: boolean;
}

/** `"stale"`: right in everything but the age of the nonce. */
export type VerifyResult = "ok" | "wrong" | "stale" | "malformed";

/** What verifying needs. */
export interface VerifyAuthorizationOptions {
  /** Value of the `Authorization` header. */
  readonly value: string;
  /** Method of the request. */
  readonly method: string;
  /** Target of the request. */
  readonly uri: string;
  /** Realm of the challenge. */
  readonly realm: string;
  /** Password of a user, `undefined` for a stranger. */
  readonly passwordOf: (username: string) => string | undefined;
  /** What the server knows of a nonce. */
  readonly nonceStateOf: (nonce: string) => NonceState;
  /**
   * Digest algorithms that were offered.
   *
   * @default {["MD5", "SHA-256"]}
   */
  readonly algorithms?: readonly HashAlgorithm[];
  /**
   * Whether Basic was offered.
   *
   * @default {false}
   */
  readonly isBasicOffered?: boolean;
  /** Hash function. */
  readonly hash: Hash;
}

/**
 * The values of the `WWW-Authenticate` headers of a 401, one header each, in the order that all known clients get
 * along with: FFmpeg takes the last Digest and knows no SHA-256, so MD5 stands behind it.
 */
export function formatChallenges(options: FormatChallengesOptions): string[] {
  const realm = `realm=${quote(options.realm)}`;
  const nonce = `nonce=${quote(options.nonce)}`;
  const tail = (options.hasQop ? ', qop="auth"' : "") + (options.isStale ? ", stale=true" : "");
  const values: string[] = [];
  for (const algorithm of ["SHA-256", "MD5"] as const) {
    if (!options.algorithms.includes(algorithm)) continue;
    // Clients without any idea of algorithms take the challenge without the word.
    const token = algorithm === "MD5" ? "" : `, algorithm=${algorithm}`;
    values.push(`Digest ${realm}, ${nonce}${token}${tail}`);
  }
  if (options.isBasicOffered) values.push(`Basic ${realm}`);
  return values;
}

/**
 * Reads the value of an `Authorization` header.
 *
 * Throws `RtspFormatError` (`code` `"authorization"`) for another scheme or a missing parameter.
 */
export function parseAuthorization(value: string): Authorization {
  const [found] = parseAuthSchemes(value);
  const scheme = found?.scheme.toLowerCase();
  if (scheme === "basic") {
    const text = decodeBase64(found.token ?? "");
    const colon = text?.indexOf(":") ?? -1;
    if (text !== undefined && colon >= 0) {
      return { scheme: "Basic", username: text.slice(0, colon), password: text.slice(colon + 1) };
    }
  } else if (scheme === "digest") {
    const digest = readDigest(found.parameters);
    if (digest !== undefined) return digest;
  }
  throw new RtspFormatError<RtspFormatCode>("Cannot read Authorization header", {
    code: "authorization",
    offset: 0,
    rfc: "RFC 7235 s4.2",
  });
}

/**
 * Verifies the value of an `Authorization` header; nothing is thrown.
 *
 * Digest is computed over the client's own `uri`, which must then be the target, its path, or a folder above it:
 * live555 names the base URL when it sets a stream up. A stranger takes as long as a wrong password.
 */
export function verifyAuthorization(options: VerifyAuthorizationOptions): VerifyResult {
  let given: Authorization;
  try {
    given = parseAuthorization(options.value);
  } catch (error) {
    if (error instanceof RtspFormatError) return "malformed";
    throw error;
  }
  const password = options.passwordOf(given.username);
  if (given.scheme === "Basic") {
    const isEqual = equalInConstantTime(given.password, password ?? "");
    return isEqual && password !== undefined && options.isBasicOffered === true ? "ok" : "wrong";
  }
  const algorithm = parseAlgorithm(given.algorithm);
  if (algorithm === undefined) return "malformed";
  if (given.qop !== undefined && given.qop !== "auth") return "malformed";
  const isOffered = (options.algorithms ?? ["MD5", "SHA-256"]).includes(algorithm.hash);
  const expected = digestResponse({
    ...given,
    algorithm,
    password: password ?? "",
    realm: options.realm,
    method: options.method,
  }, options.hash);
  const isRight = equalInConstantTime(given.response, expected) && password !== undefined &&
    isOffered && given.realm === options.realm && isSameOrAbove(given.uri, options.uri);
  if (!isRight) return "wrong";
  return options.nonceStateOf(given.nonce) === "valid" ? "ok" : "stale";
}

/** Whether two texts are equal, in a time that depends on their lengths alone. */
export function equalInConstantTime(a: string, b: string): boolean {
  const length = Math.max(a.length, b.length);
  let difference = a.length ^ b.length;
  for (let at = 0; at < length; at++) {
    difference |= (at < a.length ? a.charCodeAt(at) : 0) ^ (at < b.length ? b.charCodeAt(at) : 0);
  }
  return difference === 0;
}

function readDigest(parameters: ReadonlyMap<string, string>): DigestAuthorization | undefined {
  const [username, realm, nonce, uri, response] = DIGEST_PARAMETERS.map((name) =>
    parameters.get(name)
  );
  if (
    username === undefined || realm === undefined || nonce === undefined || uri === undefined ||
    response === undefined
  ) return undefined;
  const qop = parameters.get("qop")?.toLowerCase();
  const nonceCount = parameters.get("nc");
  const cnonce = parameters.get("cnonce");
  if (qop !== undefined && (nonceCount === undefined || cnonce === undefined)) return undefined;
  const algorithm = parameters.get("algorithm");
  return {
    scheme: "Digest",
    username,
    realm,
    nonce,
    uri,
    response: response.toLowerCase(),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(qop === undefined ? {} : { qop }),
    ...(nonceCount === undefined ? {} : { nonceCount }),
    ...(cnonce === undefined ? {} : { cnonce }),
  };
}

const DIGEST_PARAMETERS = ["username", "realm", "nonce", "uri", "response"] as const;

/** Whether a digest's `uri` names the target or a folder above it, host and query apart; the root only for itself. */
function isSameOrAbove(uri: string, target: string): boolean {
  const above = pathParts(uri);
  const parts = pathParts(target);
  if (above.length === 0) return parts.length === 0;
  return above.length <= parts.length && above.every((part, index) => part === parts[index]);
}

function pathParts(uri: string): string[] {
  const path = uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "").replace(/\?[^]*$/, "");
  return path.split("/").filter((part) => part !== "");
}
