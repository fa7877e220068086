/**
 * The program's side of the receiving thread: starts it, names sockets to it, hands out what it has received.
 *
 * Floor 3 (wall). Linux, through FFI; where it cannot work, {@linkcode reasonAgainstReceiveThread} says why. One thread and
 * one ring serve all sockets of the program, as long as somebody holds the thread. Datagrams are handed out in batches:
 * the thread wakes this one only when it sleeps. A descriptor is given back when the thread has let go of it, never before.
 *
 * @module
 */

import {
  encodeEvent,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_EVENT_SIZE,
  EPOLLIN,
} from "./event_loop_linux.ts";
import { type Libc, openLibc } from "./libc.ts";
import { createRingMemory, RingReader, type RingRecord } from "./receive_ring.ts";
import {
  clockOffsetMs,
  type ReceiveAnswer,
  type ReceiveWork,
  request,
  STATE,
  threadWords,
  waitForAcknowledgement,
  waitForEnd,
} from "./receive_work.ts";

/** Gets the datagrams of one socket. */
export interface ReceiveTarget {
  /** Takes a datagram; the record is borrowed. */
  take(record: RingRecord): void;
  /** So many datagrams, of all sockets, found no room since the last call. */
  overflowed(datagrams: number): void;
  /** The thread has ended by a fault: nothing more comes from it. */
  failed(): void;
}

/** A hold on the thread. */
export interface ReceiveThread extends Disposable {
  /** Resolves to true when the thread receives, to false when it cannot, or was given back before it could. */
  readonly ready: Promise<boolean>;
  /** Whether the thread receives now. */
  readonly isRunning: boolean;
  /** Datagrams that found no room in the ring, since the thread was started. */
  readonly overflowed: number;
  /** Another hold on the same thread. */
  share(): ReceiveThread;
  /** Lets the thread receive by this descriptor; returns its number, `undefined` where the system refuses. */
  add(fd: number, target: ReceiveTarget): number | undefined;
  /**
   * Takes a descriptor back. Nothing is handed out for it any more.
   *
   * @returns a promise where the thread is slow to let go: the descriptor must not be closed before it is settled.
   */
  remove(socket: number, fd: number): Promise<void> | undefined;
  /** Hands out at once what has been received already. */
  takeArrived(): void;
  /** Gives the hold back; the last one ends the thread. Harmless when repeated. */
  close(): void;
}

/** Settings of {@linkcode openReceiveThread}, for tests. */
export interface ReceiveThreadOptions {
  /** Octets that may wait to be taken, a power of two. @default {16777216} */
  readonly ringBytes?: number;
  /** What the thread runs. @default {`receive_worker.ts`} */
  readonly worker?: URL;
}

/** Why there can be no receiving thread here; `undefined` where there can. It never asks for a permission. */
export function reasonAgainstReceiveThread(): string | undefined {
  if (fault !== undefined) return fault;
  if (Deno.build.os !== "linux") return `this system is ${Deno.build.os}`;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return "it needs the permission --allow-ffi";
  }
  const url = workerUrl();
  if (url.protocol === "file:") {
    const { state } = Deno.permissions.querySync({ name: "read", path: url });
    if (state !== "granted") return `it needs the permission to read ${url.pathname}`;
  }
  const libc = openLibc();
  if (libc === undefined) return "the system's C library lacks what it needs";
  libc.close();
  return undefined;
}

let shared: Thread | undefined;
/** Why a thread ended by itself: no other is tried then. */
let fault: string | undefined;

/**
 * Holds the program's receiving thread, and starts it where it is not there yet. Starting takes some 20 ms, and happens
 * beside whatever else is done.
 *
 * @returns `undefined` where it cannot work: see {@linkcode reasonAgainstReceiveThread}.
 */
export function openReceiveThread(options: ReceiveThreadOptions = {}): ReceiveThread | undefined {
  if (shared === undefined) {
    if (reasonAgainstReceiveThread() !== undefined) return undefined;
    shared = Thread.start(options, () => shared = undefined);
  }
  return shared && new Hold(shared);
}

class Hold implements ReceiveThread {
  readonly #thread: Thread;
  #isClosed = false;

  constructor(thread: Thread) {
    this.#thread = thread;
    thread.holds++;
  }

  get ready(): Promise<boolean> {
    return this.#thread.ready;
  }

  get isRunning(): boolean {
    return this.#thread.isRunning;
  }

  get overflowed(): number {
    return this.#thread.overflowed;
  }

  share(): ReceiveThread {
    return new Hold(this.#thread);
  }

  add(fd: number, target: ReceiveTarget): number | undefined {
    return this.#thread.add(fd, target);
  }

  remove(socket: number, fd: number): Promise<void> | undefined {
    return this.#thread.remove(socket, fd);
  }

  takeArrived(): void {
    this.#thread.takeArrived();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (--this.#thread.holds === 0) this.#thread.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class Thread {
  holds = 0;
  readonly ready: Promise<boolean>;
  readonly #libc: Libc;
  readonly #epoll: number;
  readonly #wake: number;
  readonly #onEnd: () => void;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #ring: RingReader;
  readonly #targets = new Map<number, ReceiveTarget>();
  readonly #worker: Worker;
  readonly #take = (record: RingRecord) => this.#handOut(record);
  #setReady: (isReady: boolean) => void;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #nextSocket = 1;
  #isTaking = false;
  #toldOverflow = 0;
  #hasEnded = false;
  #mayRun = false;

  private constructor(
    libc: Libc,
    descriptors: { readonly epoll: number; readonly wake: number },
    options: ReceiveThreadOptions,
    onEnd: () => void,
  ) {
    this.#libc = libc;
    this.#epoll = descriptors.epoll;
    this.#wake = descriptors.wake;
    this.#onEnd = onEnd;
    const memory = createRingMemory(options.ringBytes ?? RING_BYTES);
    this.#words = threadWords(memory);
    this.#ring = new RingReader(memory);
    ({ promise: this.ready, resolve: this.#setReady } = Promise.withResolvers<boolean>());
    this.#worker = new Worker(options.worker ?? workerUrl(), { type: "module", name: "receive" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<ReceiveAnswer>) => {
      if (data.type === "running") this.#start();
      else this.#fail(data.reason);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault(); // otherwise the error ends the program
      this.#fail(event.message);
    });
    const work: ReceiveWork = { memory, ...descriptors, clockOffsetMs: clockOffsetMs(libc) };
    this.#worker.postMessage(work);
  }

  static start(options: ReceiveThreadOptions, onEnd: () => void): Thread | undefined {
    const libc = openLibc();
    if (libc === undefined) return undefined;
    const epoll = libc.calls.epoll_create1(EPOLL_CLOEXEC);
    const wake = libc.calls.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const event = encodeEvent(EPOLLIN, eventData(0, wake));
    if (epoll >= 0 && wake >= 0 && libc.calls.epoll_ctl(epoll, EPOLL_CTL_ADD, wake, event) === 0) {
      return new Thread(libc, { epoll, wake }, options, onEnd);
    }
    for (const fd of [epoll, wake]) if (fd >= 0) libc.calls.close(fd);
    libc.close();
    return undefined;
  }

  get isRunning(): boolean {
    return this.#mayRun && !this.#hasEnded;
  }

  get overflowed(): number {
    return this.#ring.overflowed;
  }

  add(fd: number, target: ReceiveTarget): number | undefined {
    if (!this.isRunning) return undefined;
    const socket = this.#nextSocket++ | 0;
    const event = encodeEvent(EPOLLIN, eventData(socket, fd));
    this.#targets.set(socket, target);
    if (this.#libc.calls.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event) === 0) return socket;
    this.#targets.delete(socket);
    return undefined;
  }

  remove(socket: number, fd: number): Promise<void> | undefined {
    this.#targets.delete(socket);
    if (!this.isRunning) return undefined;
    const event = new Uint8Array(EPOLL_EVENT_SIZE);
    this.#libc.calls.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, event);
    const number = request(this.#words);
    this.#wakeThread();
    if (waitForAcknowledgement(this.#words, number, PATIENCE_MS)) return undefined;
    return this.#untilAcknowledged(number);
  }

  takeArrived(): void {
    this.#takeSome(Infinity);
  }

  /** Ends the thread, which may not have begun. */
  stop(): void {
    if (this.#hasEnded) return;
    this.#onEnd();
    const words = this.#words;
    const { word, starting, running, stopping, stopped } = STATE;
    const hadBegun = Atomics.compareExchange(words, word, starting, stopped) !== starting;
    if (hadBegun) Atomics.compareExchange(words, word, running, stopping);
    this.#wakeThread();
    this.#end();
    if (!hadBegun || waitForEnd(words, PATIENCE_MS)) this.#release();
    else void this.#releaseLater();
  }

  #start(): void {
    if (this.#hasEnded) return;
    this.#mayRun = true;
    this.#setReady(true);
    void this.#run();
  }

  /** Hands out what comes, for as long as the thread is there. */
  async #run(): Promise<void> {
    while (!this.#hasEnded) {
      if (this.#takeSome(BATCH_DATAGRAMS) === BATCH_DATAGRAMS) {
        // A flood: others get their turn.
        await new Promise<void>((resolve) => this.#pause = setTimeout(resolve, 0));
      } else {
        this.#tellOverflow();
        await this.#ring.sleep();
      }
    }
  }

  #tellOverflow(): void {
    const { overflowed } = this.#ring;
    const more = overflowed - this.#toldOverflow;
    if (more === 0) return;
    this.#toldOverflow = overflowed;
    for (const target of this.#targets.values()) target.overflowed(more);
  }

  #takeSome(limit: number): number {
    if (this.#isTaking) return 0; // whoever is called takes the rest
    this.#isTaking = true;
    try {
      return this.#ring.read(limit, this.#take);
    } finally {
      this.#isTaking = false;
    }
  }

  #handOut(record: RingRecord): void {
    const target = this.#targets.get(record.socket);
    if (target === undefined) return; // closed meanwhile
    try {
      target.take(record);
    } catch (error) {
      reportError(error);
    }
  }

  #fail(reason: string): void {
    if (this.#hasEnded) return;
    fault = `the receiving thread ended: ${reason}`;
    this.takeArrived();
    this.#onEnd();
    const targets = [...this.#targets.values()];
    Atomics.store(this.#words, STATE.word, STATE.stopped);
    this.#end();
    this.#release();
    for (const target of targets) target.failed();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#setReady(false);
    this.#targets.clear();
    clearTimeout(this.#pause);
    this.#ring.wake();
  }

  #release(): void {
    this.#worker.terminate();
    this.#libc.calls.close(this.#epoll);
    this.#libc.calls.close(this.#wake);
    this.#libc.close();
  }

  /** A thread that gets no time to run keeps its descriptors until it has ended. */
  async #releaseLater(): Promise<void> {
    while (!waitForEnd(this.#words, 0)) await pause();
    this.#release();
  }

  async #untilAcknowledged(number: number): Promise<void> {
    while (!waitForAcknowledgement(this.#words, number, 0)) await pause();
  }

  #wakeThread(): void {
    this.#libc.calls.write(this.#wake, ONE, 8n);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

/** The socket's number, and above it its descriptor. */
function eventData(socket: number, fd: number): bigint {
  return BigInt(fd) << 32n | BigInt(socket >>> 0);
}

function workerUrl(): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"; // a bundle's worker is JavaScript
  return new URL(`./receive_worker.${extension}`, import.meta.url);
}

/** A second of 60 frames of 100 kB is 6 MB: this carries pauses of two seconds. */
const RING_BYTES = 16 << 20;
/** Datagrams handed out before the event loop gets a turn. */
const BATCH_DATAGRAMS = 4_096;
/** The thread answers within 0.1 ms when it gets a processor. */
const PATIENCE_MS = 50;
const RETRY_MS = 5;
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);
const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
