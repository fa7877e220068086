/**
 * A server on all cores: several threads that listen on one port, each with connections, readers, UDP ports and a timer of
 * its own, and together with one set of limits, numbers and statistics.
 *
 * Floor 4 (assembly). Linux spreads the connections; elsewhere one thread serves. What belongs to one reader never
 * crosses threads; only a request about a session of another thread does (`errands.ts`).
 *
 * @module
 */

import type { TransportError } from "../errors.ts";
import type { SocketAddress } from "../net/socket.ts";
import { NOTHING_HELD } from "./errands.ts";
import type {
  ServerEvent,
  ServerListener,
  ServerSessionSnapshot,
  ServerStatistics,
} from "./events.ts";
import { limitsOf, MAX_THREADS, type RtspServerOptions } from "./options.ts";
import { RtspServer } from "./server.ts";
import { newSharedMemory, type ServerThread, serverThread } from "./server_thread.ts";
import type { Letter, SharedMemory, ThreadAccount, ThreadOptions } from "./thread_messages.ts";
import { WorkerThread } from "./worker_thread.ts";

/** Options of {@linkcode RtspServerPool.start}. */
export interface RtspServerPoolOptions extends Omit<RtspServerOptions, "tap"> {
  /**
   * Threads, 1 to 64. Without a number there is one at first, and another one whenever the others have 8 sessions each or
   * fall behind, up to the number of processors, 16 at most.
   * @default {as many as are needed}
   */
  readonly workers?: number;
}

/**
 * A running server with as many threads as it needs. `random` is for the first of them alone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RtspServerPool } from "./server_pool.ts";
 * await using server = await RtspServerPool.start({ media: ".", hostname: "127.0.0.1", port: 0 });
 * assertEquals((await server.statistics()).sessions, 0);
 * ```
 */
export class RtspServerPool implements AsyncDisposable {
  readonly #options: RtspServerPoolOptions;
  readonly #memory: SharedMemory;
  readonly #thread: ServerThread;
  readonly #listeners: Set<ServerListener>;
  /** By the numbers of their threads; those that start are among them. */
  readonly #workers = new Map<number, WorkerThread>();
  readonly #starting = new Set<Promise<void>>();
  readonly #told = new Map<string, Set<number>>();
  readonly #failed = Promise.withResolvers<TransportError>();
  #server!: RtspServer;
  #mostThreads: number;
  #nextIndex = 1;
  /** Why a worker that was started last could not serve. */
  #refusal: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: RtspServerPoolOptions, mostThreads: number) {
    this.#options = options;
    this.#mostThreads = mostThreads;
    const limits = limitsOf(options);
    this.#memory = newSharedMemory(limits);
    this.#thread = serverThread(0, this.#memory, limits, {
      post: (letter, to) => this.#deliver(letter, 0, to),
      congestion: () => this.#congestion(),
    });
    this.#listeners = new Set(options.listener === undefined ? [] : [options.listener]);
  }

  /**
   * Starts to listen; with a number of `workers`, all of them serve once it settles.
   *
   * @throws {TransportError} when the port or the folder cannot be had; the message says what to do.
   * @throws {RangeError} when `workers` is no such number.
   */
  static async start(options: RtspServerPoolOptions): Promise<RtspServerPool> {
    const pool = new RtspServerPool(
      options,
      Math.min(threadsWanted(options), threadsPossible(options)),
    );
    await pool.#start();
    return pool;
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#server.address;
  }

  /** Threads that serve now, or are about to. */
  get threads(): number {
    return 1 + this.#workers.size;
  }

  /** Settles when a thread has ended by an error; the others are then closed, as by {@linkcode RtspServerPool.close}. */
  get failed(): Promise<TransportError> {
    return this.#failed.promise;
  }

  /** See {@linkcode RtspServer.url}. */
  url(path: string): string {
    return this.#server.url(path);
  }

  /** All living sessions, in the order of their numbers. */
  async sessions(): Promise<ServerSessionSnapshot[]> {
    const accounts = await this.#accounts();
    return accounts.flatMap(({ sessions }) => sessions).sort((a, b) => a.session - b.session);
  }

  /** What all threads have counted so far. */
  async statistics(): Promise<ServerStatistics> {
    const [first, ...others] = (await this.#accounts()).map(({ statistics }) => statistics);
    const sum: Record<keyof ServerStatistics, number> = { ...first };
    const names = Object.keys(sum) as (keyof ServerStatistics)[];
    for (const statistics of others) for (const name of names) sum[name] += statistics[name];
    return sum;
  }

  /** See {@linkcode RtspServer.on}. */
  on(listener: ServerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all streams with a goodbye, closes everything, and leaves nothing behind. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  /** See {@linkcode RtspServerPool.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const { workers } = this.#options;
    const listener = (event: ServerEvent) => this.#tell(event, 0);
    this.#server = await RtspServer.start(
      { ...this.#options, listener },
      this.#mostThreads > 1 ? this.#thread : undefined,
    );
    // Systems that cannot spread connections need not say so to those who did not ask.
    const isOdd = workers !== undefined || Deno.build.os === "linux";
    if (isOdd && this.#mostThreads < threadsWanted(this.#options)) {
      this.#tellFewer(reasonForFewer(this.#options));
    }
    if (workers === undefined) return;
    this.#startWorkers(this.#mostThreads - 1);
    await Promise.all(this.#starting);
  }

  /** Whether the threads that serve have enough to do. */
  #isFurtherThreadNeeded(): boolean {
    if (this.threads >= this.#mostThreads || this.#closing !== undefined) return false;
    return this.#thread.sessionLimit.total >= SESSIONS_PER_THREAD * this.threads ||
      (this.threads === 1 && this.#thread.receiver?.isStrained() === true);
  }

  #startWorkers(count: number): void {
    if (count <= 0) return;
    if (!this.#thread.receiver!.sharePort()) {
      this.#mostThreads = 1;
      return this.#tellFewer("to share the port it needs the permission --allow-ffi");
    }
    for (let i = 0; i < count; i++) this.#startWorker();
  }

  #startWorker(): void {
    const worker = new WorkerThread({
      index: this.#nextIndex++,
      options: this.#workerOptions(),
      memory: this.#memory,
    }, {
      onMessage: (message, from) => {
        if (message.type === "event") this.#tell(message.event, from);
        else this.#deliver(message.letter, from, message.to);
      },
      onCrash: (error) => this.#fail(error),
    });
    this.#workers.set(worker.index, worker);
    const starting = this.#awaitStart(worker).finally(() => {
      this.#starting.delete(starting);
      if (this.#starting.size === 0) this.#tellRefusal();
    });
    this.#starting.add(starting);
  }

  async #awaitStart(worker: WorkerThread): Promise<void> {
    const refusal = await worker.started;
    if (this.#closing !== undefined) return;
    if (refusal === undefined) return this.#shareAmongAll();
    this.#refusal ??= refusal;
    this.#workers.delete(worker.index);
    await worker.close();
  }

  /** Where one thread could not start, the next one could not either: they are as many as there are now. */
  #tellRefusal(): void {
    if (this.#refusal === undefined || this.#closing !== undefined) return;
    this.#mostThreads = this.threads;
    this.#tellFewer(this.#refusal);
    this.#refusal = undefined;
  }

  #tellFewer(reason: string): void {
    const most = this.#mostThreads;
    const threads = most === 1 ? "One thread serves" : `${most} threads at most serve`;
    this.#tell({ type: "notice", message: `${threads}: ${reason}` }, 0);
  }

  #shareAmongAll(): void {
    const count = this.threads;
    this.#thread.receiver?.shareAmong(count);
    for (const worker of this.#workers.values()) worker.post({ type: "threads", count });
  }

  #workerOptions(): ThreadOptions {
    const { listener: _, random: _random, workers: _workers, ...rest } = this.#options;
    const { sample, media } = rest;
    const { hostname, port } = this.address;
    return {
      ...rest,
      hostname,
      port,
      media: media instanceof URL ? { href: media.href } : media,
      sample: sample && { href: sample.href },
      ownsThread: true,
    };
  }

  #deliver(letter: Letter, from: number, to: number | "all"): void {
    if (to === "all") {
      for (const index of [0, ...this.#workers.keys()]) {
        if (index !== from) this.#deliver(letter, from, index);
      }
    } else if (to === 0) this.#thread.receiver?.receive(letter, from);
    else if (this.#workers.has(to)) this.#workers.get(to)!.post({ type: "letter", from, letter });
    else if (letter.kind === "request") this.#deliver(answerOfNobody(letter), to, from);
  }

  #congestion(): Promise<void> | undefined {
    for (const { congestion } of this.#workers.values()) {
      if (congestion !== undefined) return congestion;
    }
    return undefined;
  }

  #tell(event: ServerEvent, from: number): void {
    if (this.#isToldAlready(event, from)) return;
    for (const listener of this.#listeners) listener(event);
    const mayNeedThread = event.type === "session-begun" || event.type === "connection-opened";
    if (mayNeedThread && this.#options.workers === undefined && this.#isFurtherThreadNeeded()) {
      this.#startWorkers(1);
    }
  }

  /** Each thread opens a movie for itself, and says so: once is enough. */
  #isToldAlready(event: ServerEvent, from: number): boolean {
    if (event.type !== "media-opened" && event.type !== "notice") return false;
    const text = JSON.stringify(event);
    const tellers = this.#told.get(text);
    if (tellers !== undefined && !tellers.has(from)) {
      tellers.add(from);
      return true;
    }
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(text, new Set([from]));
    return false;
  }

  async #accounts(): Promise<ThreadAccount[]> {
    const workers = [...this.#workers.values()];
    const told = await Promise.all(workers.map((worker) => worker.account()));
    const own = { sessions: this.#server.sessions(), statistics: this.#server.statistics() };
    return [own, ...told.filter((account) => account !== undefined)];
  }

  #fail(error: TransportError): void {
    this.#tell({ type: "warning", message: error.message }, 0);
    this.#failed.resolve(error);
    this.close();
  }

  async #closeAll(): Promise<void> {
    const workers = [...this.#workers.values()];
    // A goodbye may have to leave by a connection of another thread: no connection is closed before all are said.
    await Promise.all([this.#server.part(), ...workers.map((worker) => worker.part())]);
    await Promise.all([this.#server.close(), ...workers.map((worker) => worker.close())]);
    await Promise.all(this.#starting);
    this.#workers.clear();
  }
}

/** How many threads there shall be, or may be where no number was asked for. */
function threadsWanted({ workers }: RtspServerPoolOptions): number {
  if (workers === undefined) return Math.min(navigator.hardwareConcurrency, MOST_BY_ITSELF);
  if (Number.isInteger(workers) && workers >= 1 && workers <= MAX_THREADS) return workers;
  throw new RangeError(`Cannot start ${workers} threads: 1 to ${MAX_THREADS} are possible`);
}

/** How many threads can serve here. */
function threadsPossible({ hostname = "0.0.0.0", rtpPorts }: RtspServerPoolOptions): number {
  if (Deno.build.os !== "linux") return 1;
  if (rtpPorts === undefined) return MAX_THREADS;
  // An address that takes IPv6 and IPv4 needs a pair for each.
  return Math.max(1, Math.floor(pairsIn(rtpPorts) / (hostname === "::" ? 2 : 1)));
}

function reasonForFewer({ rtpPorts }: RtspServerPoolOptions): string {
  if (Deno.build.os !== "linux" || rtpPorts === undefined) {
    return `${Deno.build.os} does not spread the connections to one port over several`;
  }
  const [from, to] = rtpPorts;
  return `each needs a pair of UDP ports of its own, and ${from} to ${to} has ${
    pairsIn(rtpPorts)
  } in all`;
}

function pairsIn([from, to]: readonly [from: number, to: number]): number {
  return Math.max(0, Math.floor((to - (from + from % 2) + 1) / 2));
}

/** For a request about a session of a thread that there is not. */
function answerOfNobody({ place }: Extract<Letter, { kind: "request" }>): Letter {
  return {
    kind: "answer",
    connection: place.number,
    answer: { statusCode: 454, session: undefined },
    wantsSent: false,
    held: NOTHING_HELD,
  };
}

const MOST_BY_ITSELF = 16;
/** So many are no work for a thread; and a thread has begun long before the next ones have. */
const SESSIONS_PER_THREAD = 8;
const MAX_TOLD = 1024;
