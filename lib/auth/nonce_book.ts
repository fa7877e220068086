/**
 * The nonces a server has given out.
 *
 * Floor 1, pure: the time and the random text are arguments. It counts no uses: RTSP clients repeat `nc`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7616#section-3.3
 * @module
 */

/** What a server knows of a nonce. */
export type NonceState = "valid" | "expired" | "unknown";

/** Options of a {@linkcode NonceBook}. */
export interface NonceBookOptions {
  /**
   * How long a nonce may be used, milliseconds.
   *
   * @default {300_000}
   */
  readonly lifetimeMs?: number;
  /**
   * Largest number of nonces kept; the oldest goes first.
   *
   * @default {4096}
   */
  readonly capacity?: number;
}

/**
 * The nonces a server has given out, bounded in number and in time.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { NonceBook } from "./nonce_book.ts";
 * const book = new NonceBook({ lifetimeMs: 1000 });
 * const nonce = book.issue(0, () => "7f3a");
 * assertEquals(book.stateOf(nonce, 999), "valid");
 * assertEquals(book.stateOf(nonce, 1000), "expired");
 * assertEquals(book.stateOf("made up", 0), "unknown");
 * ```
 */
export class NonceBook {
  readonly #lifetimeMs: number;
  readonly #capacity: number;
  /** Nonce to the time it was given out, oldest first. */
  readonly #issued = new Map<string, number>();

  /** An empty book. */
  constructor(options: NonceBookOptions = {}) {
    this.#lifetimeMs = options.lifetimeMs ?? 300_000;
    this.#capacity = Math.max(options.capacity ?? 4096, 1);
  }

  /** Number of nonces kept. */
  get size(): number {
    return this.#issued.size;
  }

  /** Gives out a nonce: `random` hands in text that nobody can guess; `now` is monotonic milliseconds. */
  issue(now: number, random: () => string): string {
    for (const [nonce, issuedAt] of this.#issued) {
      // Expired ones stay for one more lifetime, so that a late client hears `stale` and not a refusal.
      if (this.#issued.size < this.#capacity && now - issuedAt < 2 * this.#lifetimeMs) break;
      this.#issued.delete(nonce);
    }
    const nonce = random();
    this.#issued.set(nonce, now);
    return nonce;
  }

  /** What is known of a nonce. */
  stateOf(nonce: string, now: number): NonceState {
    const issuedAt = this.#issued.get(nonce);
    if (issuedAt === undefined) return "unknown";
    return now - issuedAt < this.#lifetimeMs ? "valid" : "expired";
  }
}
