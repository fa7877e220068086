/**
 * A worker of a server as the main thread sees it: started, asked, ended.
 *
 * Floor 4 (assembly). The other side is `server_worker.ts`.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { type Envelope, Mailbox } from "./mailbox.ts";
import type { MessageFromWorker, MessageToWorker, ThreadAccount } from "./thread_messages.ts";

/** Told what comes from a worker. */
export interface WorkerListener {
  /** Takes events and letters. */
  readonly onMessage: (
    message: Extract<MessageFromWorker, { type: "event" | "letter" }>,
    from: number,
  ) => void;
  /** It ended although nobody asked it to. */
  readonly onCrash: (error: TransportError) => void;
}

/** One worker. */
export class WorkerThread {
  /** Number of the thread, from 1. */
  readonly index: number;
  readonly #worker: Worker;
  readonly #mailbox: Mailbox<MessageToWorker, MessageFromWorker>;
  readonly #listener: WorkerListener;
  readonly #asked = new Map<number, (account: ThreadAccount | undefined) => void>();
  readonly #started = Promise.withResolvers<string | undefined>();
  #hasStarted = false;
  readonly #parted = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #nextId = 1;
  #isEnding = false;

  /** Starts it; see {@linkcode WorkerThread.started}. */
  constructor(
    start: Omit<Extract<MessageToWorker, { type: "start" }>, "type">,
    listener: WorkerListener,
  ) {
    this.index = start.index;
    this.#listener = listener;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"; // a bundle's worker is JavaScript
    const url = new URL(`./server_worker.${extension}`, import.meta.url);
    this.#worker = new Worker(url, { type: "module", name: `server thread ${start.index}` });
    this.#mailbox = new Mailbox(
      (envelope) => this.#worker.postMessage(envelope),
      (message) => this.#take(message),
    );
    this.#worker.addEventListener(
      "message",
      (event: MessageEvent<Envelope<MessageFromWorker>>) => this.#mailbox.receive(event.data),
    );
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault(); // otherwise the error ends the program, with no goodbye to anybody
      this.#crash(event.message);
    });
    this.post({ type: "start", ...start });
  }

  /** Settles once it serves, or with the reason why it cannot. */
  get started(): Promise<string | undefined> {
    return this.#started.promise;
  }

  /** Hands it a message. */
  post(message: MessageToWorker): void {
    this.#mailbox.post(message);
  }

  /** See {@linkcode Mailbox.congestion}. */
  get congestion(): Promise<void> | undefined {
    return this.#mailbox.congestion;
  }

  /** What it has to say about itself; nothing once it is ending. */
  account(): Promise<ThreadAccount | undefined> {
    if (this.#isEnding) return Promise.resolve(undefined);
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<ThreadAccount | undefined>();
    this.#asked.set(id, resolve);
    this.post({ type: "ask", id });
    return promise;
  }

  /** Lets it say goodbye to its readers, those on connections of other threads included; settles when it has. */
  async part(): Promise<void> {
    if (this.#isEnding) return;
    this.post({ type: "goodbye" });
    const patience = setTimeout(() => this.#parted.resolve(), CLOSE_PATIENCE_MS);
    await this.#parted.promise;
    clearTimeout(patience);
  }

  /** Lets it say goodbye to its readers, and ends it. */
  async close(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.post({ type: "close" });
    }
    const patience = setTimeout(() => this.#end(), CLOSE_PATIENCE_MS);
    await this.#ended.promise;
    clearTimeout(patience);
  }

  #take(message: MessageFromWorker): void {
    switch (message.type) {
      case "started":
        this.#hasStarted = true;
        return this.#started.resolve(undefined);
      case "refused":
        return this.#started.resolve(message.message);
      case "account":
        this.#asked.get(message.id)?.(message.account);
        this.#asked.delete(message.id);
        return;
      case "parted":
        return this.#parted.resolve();
      case "closed":
        return this.#end();
      default:
        return this.#listener.onMessage(message, this.index);
    }
  }

  #crash(reason: string): void {
    const isExpected = this.#isEnding || !this.#hasStarted;
    this.#started.resolve(reason);
    this.#end();
    if (isExpected) return;
    this.#listener.onCrash(
      new TransportError(`Thread ${this.index} of the server has ended: ${reason}`, {
        operation: "worker",
      }),
    );
  }

  #end(): void {
    this.#isEnding = true;
    this.#worker.terminate();
    this.#mailbox.close();
    this.#started.resolve("it has ended");
    for (const resolve of this.#asked.values()) resolve(undefined);
    this.#asked.clear();
    this.#parted.resolve();
    this.#ended.resolve();
  }
}

/** Longer than a server needs for its goodbyes. */
const CLOSE_PATIENCE_MS = 5000;
