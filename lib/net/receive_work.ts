/**
 * What the program and its receiving thread have in common: the thread's work, its state, its clock.
 *
 * Floor 3 (wall). No message goes to the thread once it runs, for it only waits for datagrams: words in shared memory and
 * a descriptor that wakes it take their place.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { controlWords, FIRST_FREE_WORD } from "./receive_ring.ts";

/** The one message to the thread. */
export interface ReceiveWork {
  /** Memory of the ring. */
  readonly memory: SharedArrayBuffer;
  /** The epoll descriptor: its events hold the number of a socket, and above it the socket's descriptor. */
  readonly epoll: number;
  /** The descriptor that is written to in order to wake the thread. */
  readonly wake: number;
  /** What makes the monotonic clock the program's `performance.now()`, in ms. */
  readonly clockOffsetMs: number;
}

/** What the thread answers, once or twice. */
export type ReceiveAnswer =
  | { readonly type: "running" }
  | { readonly type: "failed"; readonly reason: string };

/** The word that holds the thread's state, and its values. */
export const STATE = {
  word: FIRST_FREE_WORD,
  starting: 0,
  running: 1,
  stopping: 2,
  stopped: 3,
} as const;

/** Word that counts what the thread was asked to notice. */
const REQUESTED = FIRST_FREE_WORD + 1;
/** Word that counts what it has noticed. */
const ACKNOWLEDGED = FIRST_FREE_WORD + 2;

/** The words of {@linkcode STATE} and of what follows. */
export function threadWords(memory: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return controlWords(memory);
}

/** On the thread: says that it holds nothing any more of what it was asked to let go. */
export function acknowledge(words: Int32Array<SharedArrayBuffer>): void {
  const requested = Atomics.load(words, REQUESTED);
  if (requested === Atomics.load(words, ACKNOWLEDGED)) return;
  Atomics.store(words, ACKNOWLEDGED, requested);
  Atomics.notify(words, ACKNOWLEDGED);
}

/** On the program's side: asks for an acknowledgement; returns its number. Wake the thread then. */
export function request(words: Int32Array<SharedArrayBuffer>): number {
  return Atomics.add(words, REQUESTED, 1) + 1 | 0;
}

/** Waits until a request has been acknowledged or the thread has ended; false when it took too long. */
export function waitForAcknowledgement(
  words: Int32Array<SharedArrayBuffer>,
  number: number,
  patienceMs: number,
): boolean {
  const end = performance.now() + patienceMs;
  for (;;) {
    const seen = Atomics.load(words, ACKNOWLEDGED);
    if ((seen - number | 0) >= 0) return true;
    if (Atomics.load(words, STATE.word) === STATE.stopped) return true;
    const leftMs = end - performance.now();
    if (leftMs <= 0) return false;
    Atomics.wait(words, ACKNOWLEDGED, seen, Math.min(leftMs, STATE_CHECK_MS));
  }
}

/** Waits until the thread has ended; false when it took too long. */
export function waitForEnd(words: Int32Array<SharedArrayBuffer>, patienceMs: number): boolean {
  const end = performance.now() + patienceMs;
  for (;;) {
    const state = Atomics.load(words, STATE.word);
    if (state === STATE.stopped) return true;
    const leftMs = end - performance.now();
    if (leftMs <= 0) return false;
    Atomics.wait(words, STATE.word, state, leftMs);
  }
}

/** Clocks of the system (Linux). */
export const CLOCK = { realtime: 0, monotonic: 1 } as const;

const time = new BigInt64Array(2);
const timeBytes = new Uint8Array(time.buffer);
const timeWords = new Uint32Array(time.buffer);

/** Reads a clock, in ms with fractions. */
export function readClockMs(libc: Libc, clock: number): number {
  libc.calls.clock_gettime(clock, timeBytes);
  return (timeWords[1] * 2 ** 32 + timeWords[0]) * 1000 + timeWords[2] / 1e6;
}

/** How much later `performance.now()` is than the monotonic clock, in ms: the most exact of a few readings. */
export function clockOffsetMs(libc: Libc): number {
  let best = Infinity;
  let offset = 0;
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = performance.now();
    const monotonicMs = readClockMs(libc, CLOCK.monotonic);
    const after = performance.now();
    if (after - before >= best) continue;
    best = after - before;
    offset = (before + after) / 2 - monotonicMs;
  }
  return offset;
}

const STATE_CHECK_MS = 50;
