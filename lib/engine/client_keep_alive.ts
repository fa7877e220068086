/**
 * When and how a client tells a server that it is still there.
 *
 * RFC 2326 s10.8, s12.37. Floor 2, imports types only. It sends nothing itself.
 *
 * @module
 */

import type { ClientRequest } from "./client_session_types.ts";

/** Seconds a session lives without a request when the server names no other time (RFC 2326 s12.37). */
export const DEFAULT_SESSION_TIMEOUT_SECONDS = 60;

/**
 * The keepalives of one session: at less than half of its timeout, by GET_PARAMETER where that is known, else OPTIONS.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * const keepAlive = new KeepAlive();
 * keepAlive.learnMethods(["OPTIONS", "GET_PARAMETER"]);
 * keepAlive.sessionTimeoutMs = 10_000;
 * keepAlive.requestSent(0);
 * assert(keepAlive.dueMs <= 5000);
 * assertEquals(keepAlive.request.method, "GET_PARAMETER");
 * ```
 */
export class KeepAlive {
  /** Milliseconds the session lives without a request. */
  sessionTimeoutMs: number = DEFAULT_SESSION_TIMEOUT_SECONDS * 1000;
  /** URL the keepalives go to. */
  uri = "";
  #method: "GET_PARAMETER" | "OPTIONS" = "OPTIONS";
  #lastRequestMs = 0;

  /** When the next keepalive is due: any request counts as one. */
  get dueMs(): number {
    return this.#lastRequestMs + Math.max(MIN_PERIOD_MS, this.sessionTimeoutMs * FRACTION);
  }

  /** The keepalive itself. */
  get request(): ClientRequest {
    return { method: this.#method, uri: this.uri };
  }

  /** Some request was sent at `now`. */
  requestSent(now: number): void {
    this.#lastRequestMs = now;
  }

  /** The server has told which methods it knows. */
  learnMethods(methods: readonly string[]): void {
    this.#method = methods.includes("GET_PARAMETER") ? "GET_PARAMETER" : "OPTIONS";
  }

  /** The server does not take the method: OPTIONS is taken by all. */
  fallBack(): void {
    this.#method = "OPTIONS";
  }
}

/** Half of the timeout, with room for a slow timer. */
const FRACTION = 0.45;
const MIN_PERIOD_MS = 500;
