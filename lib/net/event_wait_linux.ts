/**
 * Waits on this thread, in the middle of a turn, until a moment has come or the event loop has something to do.
 *
 * Floor 3 (wall). Linux, through FFI. A turn of Deno's event loop that a timer begins costs about 50 microseconds of CPU and
 * comes 1.2 ms late on average; waiting here costs about 14 and is exact to 0.1 ms (measured, Deno 2.9.6). The thread's own
 * epoll descriptor is what is waited on, so whatever would wake the event loop ends the wait. It reads no event: that stays
 * the event loop's work. Promises do not settle during the wait, so keep waits short.
 *
 * @module
 */

import { findDatagramDescriptor } from "./descriptor_linux.ts";
import { findEventLoop } from "./event_loop_linux.ts";
import { type Libc, openLibc } from "./libc.ts";
import { openUdp } from "./udp.ts";

/** Waits for events of this thread's event loop. */
export interface EventWait {
  /**
   * Waits at most so long, in ms; fractions count.
   *
   * @returns whether the event loop has something to do: then return to it.
   */
  wait(ms: number): boolean;
  /** Gives back what it holds. */
  close(): void;
}

/**
 * Opens the wait of this thread.
 *
 * @returns `undefined` without Linux, without `--allow-ffi`, or where the event loop's descriptor cannot be found.
 */
export function openEventWait(): EventWait | undefined {
  const libc = openLibc();
  if (libc === undefined) return undefined;
  const epoll = findOwnEventLoop(libc);
  if (epoll !== undefined) return new LinuxEventWait(libc, epoll);
  libc.close();
  return undefined;
}

class LinuxEventWait implements EventWait {
  readonly #libc: Libc;
  /** `struct pollfd`. */
  readonly #descriptors: Uint8Array<ArrayBuffer>;
  /** `struct timespec`. */
  readonly #time = new BigInt64Array(2);
  readonly #timeBytes = new Uint8Array(this.#time.buffer);

  constructor(libc: Libc, epoll: number) {
    this.#libc = libc;
    this.#descriptors = new Uint8Array(new Int32Array([epoll, POLLIN]).buffer);
  }

  wait(ms: number): boolean {
    if (!(ms > 0)) return false;
    this.#time[0] = BigInt(Math.floor(ms / 1000));
    this.#time[1] = BigInt(Math.floor((ms % 1000) * 1e6));
    // A signal ends the wait with -1: the event loop is told of it.
    return this.#libc.calls.ppoll(this.#descriptors, 1, this.#timeBytes, null) !== 0;
  }

  close(): void {
    this.#libc.close();
  }
}

/** Deno's event loop watches each socket from its opening. */
function findOwnEventLoop(libc: Libc): number | undefined {
  using probe = openUdp({ hostname: "127.0.0.1" });
  const found = findDatagramDescriptor(libc, probe.address);
  return found && findEventLoop(libc, found.fd);
}

const POLLIN = 1;
