/**
 * The client's side: reading challenges, choosing one, answering it.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616#section-3.3
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import type { RtspFormatCode } from "../rtsp/message.ts";
import { quote } from "../rtsp/quoted_text.ts";
import { digestResponse, encodeBase64, type Hash, parseAlgorithm } from "./digest.ts";
import { type AuthParameters, parseAuthSchemes } from "./parameters.ts";

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** `"Basic"`, `"Digest"`, or another scheme as it came. */
  readonly scheme: string;
  /** Realm; empty where there is none. */
  readonly realm: string;
  /** Nonce of Digest. */
  readonly nonce?: string;
  /** What the answer must repeat. */
  readonly opaque?: string;
  /** Algorithm token as it came; MD5 is meant where there is none. */
  readonly algorithm?: string;
  /** Qualities of protection on offer; empty for the form of RFC 2069. */
  readonly qop: readonly string[];
  /** Whether only the nonce was too old: the password need not be asked for again. */
  readonly isStale: boolean;
}

/** What answering needs. */
export interface AnswerChallengeOptions {
  /** The challenge, from {@linkcode chooseChallenge}. */
  readonly challenge: Challenge;
  /** User name. */
  readonly username: string;
  /** Password. */
  readonly password: string;
  /** Method of the request. */
  readonly method: string;
  /** Target of the request, letter for letter. */
  readonly uri: string;
  /** Text that nobody can guess; used only where the server offers `qop`. */
  readonly cnonce: string;
  /** How often this nonce has been used, this time included: 1, 2, 3... */
  readonly nonceCount: number;
  /** Hash function. */
  readonly hash: Hash;
}

/**
 * Reads the values of all `WWW-Authenticate` headers, of which each may hold several challenges.
 *
 * Throws `RtspFormatError` (`code` `"challenge"`) where none can be read.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  const challenges = values.flatMap(parseAuthSchemes).map(({ scheme, parameters }) =>
    challengeOf(scheme, parameters)
  );
  if (challenges.length > 0) return challenges;
  throw new RtspFormatError<RtspFormatCode>(
    `Cannot read WWW-Authenticate header: "${values.join(", ").slice(0, 80)}" holds no challenge`,
    { code: "challenge", offset: 0, rfc: "RFC 7235 s4.1" },
  );
}

/** The strongest challenge that can be answered: Digest SHA-256, Digest MD5, Basic; `undefined` where none can. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  let best: Challenge | undefined;
  for (const challenge of challenges) {
    if (strengthOf(challenge) > (best === undefined ? 0 : strengthOf(best))) best = challenge;
  }
  return best;
}

/**
 * The value of the `Authorization` header that answers a challenge.
 *
 * Throws `TypeError` for a challenge that {@linkcode chooseChallenge} would not choose.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { answerChallenge, parseChallenges } from "./challenge.ts";
 * const [challenge] = parseChallenges(['Basic realm="camera"']);
 * const value = answerChallenge({
 *   challenge,
 *   username: "Aladdin",
 *   password: "open sesame",
 *   method: "DESCRIBE",
 *   uri: "rtsp://h/live",
 *   cnonce: "",
 *   nonceCount: 1,
 *   hash: () => "",
 * });
 * assertEquals(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
 * ```
 */
export function answerChallenge(options: AnswerChallengeOptions): string {
  const { challenge, username, password } = options;
  if (strengthOf(challenge) === 0) {
    throw new TypeError(`Cannot answer challenge: scheme is "${challenge.scheme}"`);
  }
  if (challenge.scheme === "Basic") return `Basic ${encodeBase64(`${username}:${password}`)}`;
  const algorithm = parseAlgorithm(challenge.algorithm)!;
  const hasQop = challenge.qop.includes("auth");
  const nonceCount = options.nonceCount.toString(16).padStart(8, "0");
  const response = digestResponse({
    algorithm,
    username,
    password,
    realm: challenge.realm,
    nonce: challenge.nonce ?? "",
    method: options.method,
    uri: options.uri,
    cnonce: options.cnonce,
    ...(hasQop ? { qop: "auth", nonceCount } : {}),
  }, options.hash);
  const parts = [
    `username=${quote(username)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce ?? "")}`,
    `uri=${quote(options.uri)}`,
    `response="${response}"`,
  ];
  if (challenge.algorithm !== undefined) parts.push(`algorithm=${challenge.algorithm}`);
  if (challenge.opaque !== undefined) parts.push(`opaque=${quote(challenge.opaque)}`);
  if (hasQop) parts.push("qop=auth", `nc=${nonceCount}`);
  if (hasQop || algorithm.isSession) parts.push(`cnonce=${quote(options.cnonce)}`);
  return `Digest ${parts.join(", ")}`;
}

function challengeOf(scheme: string, parameters: AuthParameters): Challenge {
  const name = scheme.toLowerCase();
  const optional = (key: string, value: string | undefined) =>
    value === undefined ? {} : { [key]: value };
  return {
    scheme: name === "basic" ? "Basic" : name === "digest" ? "Digest" : scheme,
    realm: parameters.get("realm") ?? "",
    ...optional("nonce", parameters.get("nonce")),
    ...optional("opaque", parameters.get("opaque")),
    ...optional("algorithm", parameters.get("algorithm")),
    qop: (parameters.get("qop") ?? "").toLowerCase().split(/[,\s]+/).filter((word) => word !== ""),
    isStale: parameters.get("stale")?.toLowerCase() === "true",
  };
}

/** 0 where it cannot be answered. */
function strengthOf(challenge: Challenge): number {
  if (challenge.scheme === "Basic") return 1;
  if (challenge.scheme !== "Digest" || challenge.nonce === undefined) return 0;
  // Peers that offer only `auth-int` want a hash of the body, which no RTSP peer has been seen to do.
  if (challenge.qop.length > 0 && !challenge.qop.includes("auth")) return 0;
  const algorithm = parseAlgorithm(challenge.algorithm);
  if (algorithm === undefined) return 0;
  return algorithm.hash === "SHA-256" ? 3 : 2;
}
