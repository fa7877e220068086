/**
 * Identifiers of standard sessions: nobody can guess one, and the threads of a server can read from it whose it is.
 *
 * Floor 4 (assembly). RFC 2326 s3.4, s16 (hijacked sessions).
 *
 * @module
 */

/**
 * A new identifier: 128 bits from the system's generator, the last 8 of which give way to the number of the thread that
 * keeps the session, where a server has several.
 */
export function newSessionId(thread?: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  if (thread !== undefined) bytes[15] = thread;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The thread that keeps the session of an identifier, if there is one; `undefined` for what never was an identifier.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { newSessionId, threadOfSession } from "./session_ids.ts";
 * assertEquals(threadOfSession(newSessionId(3)), 3);
 * assertEquals(threadOfSession("123456"), undefined);
 * ```
 */
export function threadOfSession(id: string): number | undefined {
  return /^[0-9a-f]{32}$/.test(id) ? parseInt(id.slice(-2), 16) : undefined;
}
