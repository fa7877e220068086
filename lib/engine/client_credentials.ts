/**
 * Proves who the client is: picks the strongest challenge it can answer and keeps answering it with every request.
 *
 * RFC 2326 s14, RFC 7617 (Basic), RFC 7616 (Digest). Floor 2, uses `lib/auth.ts`. Name and password stay in here: they
 * appear in no event, no error and no snapshot.
 *
 * @module
 */

import { RtspFormatError } from "../errors.ts";
import {
  answerChallenge,
  type Challenge,
  chooseChallenge,
  type Hash,
  parseChallenges,
} from "../auth.ts";

/** A name and its password. */
export interface Credentials {
  /** The user's name. */
  readonly username: string;
  /** The user's password, in clear: never log it. */
  readonly password: string;
}

/**
 * Answers challenges for one connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const credentials = new ClientCredentials({
 *   credentials: { username: "Aladdin", password: "open sesame" },
 *   hash: () => "",
 *   random: () => 0,
 * });
 * assertEquals(credentials.authorize("DESCRIBE", "rtsp://h/live"), undefined);
 * assertEquals(credentials.challenge(['Basic realm="camera"']), "new");
 * assertEquals(
 *   credentials.authorize("DESCRIBE", "rtsp://h/live"),
 *   "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
 * );
 * ```
 */
export class ClientCredentials {
  readonly #hash: Hash;
  readonly #random: () => number;
  #credentials: Credentials | undefined;
  #challenge: Challenge | undefined;
  #nonceCount = 0;

  /** Without `credentials` every challenge is unusable until {@linkcode ClientCredentials.set} is called. */
  constructor(
    options: { readonly credentials?: Credentials; hash: Hash; random: () => number },
  ) {
    this.#credentials = options.credentials;
    this.#hash = options.hash;
    this.#random = options.random;
  }

  /** Sets or replaces name and password. */
  set(credentials: Credentials): void {
    this.#credentials = credentials;
  }

  /**
   * Takes the values of a 401's `WWW-Authenticate` headers: `new` when they can be answered, `stale` when only the
   * nonce had expired, `unusable` without a name or without a scheme and algorithm that we know.
   */
  challenge(values: readonly string[]): "new" | "stale" | "unusable" {
    const best = chooseChallenge(readable(values));
    if (!best || !this.#credentials) return "unusable";
    this.#challenge = best;
    this.#nonceCount = 0;
    return best.isStale ? "stale" : "new";
  }

  /** Value of the `Authorization` header for one request, `undefined` while the server has not asked. */
  authorize(method: string, uri: string): string | undefined {
    if (!this.#challenge || !this.#credentials) return undefined;
    this.#nonceCount++;
    return answerChallenge({
      challenge: this.#challenge,
      username: this.#credentials.username,
      password: this.#credentials.password,
      method,
      uri,
      cnonce: this.#clientNonce(),
      nonceCount: this.#nonceCount,
      hash: this.#hash,
    });
  }

  #clientNonce(): string {
    let text = "";
    while (text.length < 16) {
      text += Math.floor(this.#random() * 0x10000).toString(16).padStart(4, "0");
    }
    return text;
  }
}

/** A 401 whose challenge cannot be read is a plain refusal, no reason to break the conversation off. */
function readable(values: readonly string[]): Challenge[] {
  try {
    return values.length === 0 ? [] : parseChallenges(values);
  } catch (error) {
    if (error instanceof RtspFormatError) return [];
    throw error;
  }
}
