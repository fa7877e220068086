/**
 * What a server has to know where it is one of several threads that serve one port together.
 *
 * Floor 4 (assembly). Limits and numbers are counted in memory that the threads share, and need no waiting; letters to
 * other threads go to whoever runs the threads (`server_pool.ts`, `server_worker.ts`).
 *
 * @module
 */

import type { AddressCounter, AddressLimitOptions } from "./connection_limits.ts";
import { SharedAddressLimit } from "./shared_limit.ts";
import type { Letter, SharedMemory } from "./thread_messages.ts";

/** The way to the other threads. */
export interface ThreadPost {
  /** Takes a letter to another thread, or to all others. */
  post(letter: Letter, to: number | "all"): void;
  /** So much is on its way to other threads that nothing more should be read; settles when that is over. */
  congestion(): Promise<void> | undefined;
}

/** One thread of a server. */
export interface ServerThread {
  /** Its number, 0 for the main thread. */
  readonly index: number;
  /** Open connections of all threads. */
  readonly connectionLimit: AddressCounter;
  /** Living sessions of all threads. */
  readonly sessionLimit: AddressCounter;
  /** Numbers of all threads. */
  readonly numbers: SharedNumbers;
  /** See {@linkcode ThreadPost}. */
  readonly others: ThreadPost;
  /** Takes letters of other threads; the server puts itself here. */
  receiver: ThreadReceiver | undefined;
}

/** The side of a server that is turned to the other threads. */
export interface ThreadReceiver {
  /** Takes a letter. */
  receive(letter: Letter, from: number): void;
  /**
   * Lets other threads listen where it listens.
   *
   * @returns false where the system does not.
   */
  sharePort(): boolean;
  /** So many threads share what is bounded for the whole server. */
  shareAmong(threads: number): void;
  /** Frames are late here. */
  isStrained(): boolean;
}

/** Numbers for connections and sessions that no two threads give out twice. */
export class SharedNumbers {
  readonly #numbers: Int32Array<SharedArrayBuffer>;

  /** Counts in this memory, of {@linkcode SharedNumbers.BYTES} octets. */
  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Int32Array(memory);
  }

  /** Octets of memory. */
  static readonly BYTES = 8;

  /** The next connection's. */
  nextConnection(): number {
    return Atomics.add(this.#numbers, 0, 1) + 1;
  }

  /** The next session's. */
  nextSession(): number {
    return Atomics.add(this.#numbers, 1, 1) + 1;
  }
}

/** Memory for the threads of a server. */
export function newSharedMemory({ total }: AddressLimitOptions): SharedMemory {
  return {
    counts: new SharedArrayBuffer(SharedNumbers.BYTES),
    connections: SharedAddressLimit.memoryFor(total),
    sessions: SharedAddressLimit.memoryFor(total),
  };
}

/** A thread that counts in this memory. */
export function serverThread(
  index: number,
  memory: SharedMemory,
  limits: AddressLimitOptions,
  others: ThreadPost,
): ServerThread {
  return {
    index,
    connectionLimit: new SharedAddressLimit(memory.connections, limits),
    sessionLimit: new SharedAddressLimit(memory.sessions, limits),
    numbers: new SharedNumbers(memory.counts),
    others,
    receiver: undefined,
  };
}
