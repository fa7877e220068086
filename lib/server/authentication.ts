/**
 * Who may use a server: challenges, their verification, and what wrong passwords cost.
 *
 * Floor 4 (assembly): hands randomness and hashes to `lib/auth.ts`. RFC 7616, RFC 7617, RFC 2326 App. D.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { formatChallenges, NonceBook, verifyAuthorization } from "../auth.ts";
import type { Hash, HashAlgorithm } from "../auth.ts";
import type { RtspAnswer } from "../engine/request_checks.ts";
import type { Refusal } from "../engine/server_session.ts";
import { headerValue, type RtspRequest } from "../rtsp.ts";
import type { ServerListener } from "./events.ts";

/** Options of {@linkcode Authentication}. */
export interface AuthenticationOptions {
  /** Names and passwords. */
  readonly users: ReadonlyMap<string, string>;
  /** Offers Digest with SHA-256, before MD5. @default {true} */
  readonly offersSha256?: boolean;
  /** Offers Basic, last. @default {true} */
  readonly offersBasic?: boolean;
  /** How long a nonce may be used, in ms. @default {300000} */
  readonly nonceLifetimeMs?: number;
  /** Told of wrong passwords. */
  readonly emit: ServerListener;
  /** Told where a wrong password came from, for other threads that count too. */
  readonly onFailure?: (address: string) => void;
}

/** Asks for credentials, for all connections of a server. */
export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #algorithms: readonly HashAlgorithm[];
  readonly #isBasicOffered: boolean;
  readonly #nonces: NonceBook;
  readonly #offenders = new Map<string, Offender>();
  #failures = 0;

  /** Nobody has failed yet. */
  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#algorithms = (options.offersSha256 ?? true) ? ["SHA-256", "MD5"] : ["MD5"];
    this.#isBasicOffered = options.offersBasic ?? true;
    this.#nonces = new NonceBook({ lifetimeMs: options.nonceLifetimeMs });
  }

  /** Requests with wrong credentials so far. */
  get failures(): number {
    return this.#failures;
  }

  /** The gate of one connection: checks each of its requests. */
  gateFor(address: string): (request: RtspRequest, now: number) => Refusal | undefined {
    let hasProved = false;
    return (request, now) => {
      const value = headerValue(request.headers, "Authorization");
      if (value === undefined) return { answer: this.#challenge(now, false), delayMs: 0 };
      // Who guesses too often is not even listened to; who has been right before, always.
      const isBarred = !hasProved && this.#isBarred(address, now);
      const result = isBarred ? "wrong" : this.#verify(value, request, now);
      if (result === "ok") {
        hasProved = true;
        return undefined;
      }
      if (result === "stale") return { answer: this.#challenge(now, true), delayMs: 0 };
      const delayMs = this.#fail(address, now, isBarred);
      return { answer: this.#challenge(now, false), delayMs };
    };
  }

  #verify(value: string, request: RtspRequest, now: number) {
    return verifyAuthorization({
      value,
      method: request.method,
      uri: request.uri,
      realm: REALM,
      passwordOf: (username) => this.#options.users.get(username),
      nonceStateOf: (nonce) => this.#nonces.stateOf(nonce, now),
      algorithms: this.#algorithms,
      isBasicOffered: this.#isBasicOffered,
      hash,
    });
  }

  #challenge(now: number, isStale: boolean): RtspAnswer {
    const challenges = formatChallenges({
      realm: REALM,
      nonce: this.#nonces.issue(now, randomText),
      algorithms: this.#algorithms,
      isBasicOffered: this.#isBasicOffered,
      isStale,
    });
    return {
      statusCode: 401,
      headers: challenges.map((challenge) => ["WWW-Authenticate", challenge]),
    };
  }

  #isBarred(address: string, now: number): boolean {
    const offender = this.#offenders.get(address);
    return offender !== undefined && offender.failures >= MAX_FAILURES &&
      now - offender.lastMs < FORGIVE_MS;
  }

  /** Counts a wrong password; returns how long its answer has to wait, in ms. */
  #fail(address: string, now: number, isBarred: boolean): number {
    this.#failures++;
    if (!isBarred) this.#options.onFailure?.(address);
    const failures = this.#count(address, now, isBarred);
    const message = isBarred
      ? `login from ${address} refused unseen: ${failures} wrong passwords within a minute`
      : `wrong name or password from ${address}, number ${failures}`;
    this.#options.emit({ type: "warning", message });
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
  }

  /** A wrong password came to another thread of the server. */
  failedElsewhere(address: string, now: number): void {
    this.#count(address, now, false);
  }

  #count(address: string, now: number, isBarred: boolean): number {
    const known = this.#offenders.get(address);
    const isForgiven = known === undefined || now - known.lastMs >= FORGIVE_MS;
    const failures = isForgiven ? 1 : known.failures + (isBarred ? 0 : 1);
    const lastMs = isBarred && known !== undefined ? known.lastMs : now;
    this.#offenders.delete(address);
    this.#offenders.set(address, { failures, lastMs });
    for (const oldest of this.#offenders.keys()) {
      if (this.#offenders.size <= MAX_OFFENDERS) break;
      this.#offenders.delete(oldest);
    }
    return failures;
  }
}

interface Offender {
  readonly failures: number;
  readonly lastMs: number;
}

/** MD5 is what cameras and players speak; the web's own hashing does not have it. */
const hash: Hash = (algorithm, text) =>
  createHash(algorithm === "MD5" ? "md5" : "sha256").update(text).digest("hex");

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const REALM = "deno-rtsp";
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 4000;
const MAX_FAILURES = 10;
const FORGIVE_MS = 60_000;
const MAX_OFFENDERS = 4096;
