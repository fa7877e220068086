/**
 * Tells browsers what the player does, as server-sent events: the whole state each time, never a difference.
 *
 * Floor 3 (wall). WHATWG HTML s9.2. A subscriber who reads too slowly misses snapshots, never the newest one.
 *
 * @module
 */

/** What subscribers are told about. */
export interface SnapshotSource {
  /** The state as JSON text without line ends. */
  json(): string;
  /** What may not wait for the next tick, as text: told at once when it differs. */
  urgent(): string;
  /** Calls `listener` when something may have changed; returns what ends that. */
  onChange(listener: () => void): () => void;
}

interface Subscriber {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  lastJson: string;
}

/** The subscribers of one source. It has a timer only while somebody listens. */
export class EventStreams {
  readonly #source: SnapshotSource;
  readonly #maxSubscribers: number;
  readonly #intervalMs: number;
  readonly #subscribers = new Set<Subscriber>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #stopListening: (() => void) | undefined;
  #urgent = "";
  #quietTicks = 0;

  /** At most `maxSubscribers` at a time, told at most every `intervalMs` and whenever `urgent()` changes. */
  constructor(
    source: SnapshotSource,
    options: { readonly maxSubscribers: number; readonly intervalMs: number },
  ) {
    this.#source = source;
    this.#maxSubscribers = options.maxSubscribers;
    this.#intervalMs = options.intervalMs;
  }

  /** Streams open now. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** A stream of events for one more subscriber, a snapshot first; `undefined` if there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#subscribers.size >= this.#maxSubscribers) return undefined;
    let subscriber: Subscriber;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        subscriber = { controller, lastJson: "" };
        controller.enqueue(RETRY);
        this.#subscribers.add(subscriber);
        if (this.#subscribers.size === 1) this.#start();
        this.#tell(subscriber, this.#source.json());
      },
      cancel: () => this.#remove(subscriber),
    }, { highWaterMark: QUEUED_EVENTS });
  }

  /** Ends all streams. */
  close(): void {
    for (const subscriber of this.#subscribers) {
      this.#remove(subscriber);
      subscriber.controller.close();
    }
  }

  #start(): void {
    this.#urgent = this.#source.urgent();
    this.#stopListening = this.#source.onChange(() => {
      if (this.#source.urgent() !== this.#urgent) this.#tellAll();
    });
    this.#timer = setInterval(() => this.#tellAll(), this.#intervalMs);
  }

  #remove(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
    clearInterval(this.#timer);
    this.#stopListening?.();
  }

  #tellAll(): void {
    this.#urgent = this.#source.urgent();
    const json = this.#source.json();
    let isQuiet = true;
    for (const subscriber of this.#subscribers) {
      if (this.#tell(subscriber, json)) isQuiet = false;
    }
    this.#quietTicks = isQuiet ? this.#quietTicks + 1 : 0;
    if (this.#quietTicks * this.#intervalMs < HEARTBEAT_MS) return;
    this.#quietTicks = 0;
    for (const { controller } of this.#subscribers) {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(HEARTBEAT);
    }
  }

  #tell(subscriber: Subscriber, json: string): boolean {
    if (json === subscriber.lastJson || (subscriber.controller.desiredSize ?? 0) <= 0) return false;
    subscriber.lastJson = json;
    subscriber.controller.enqueue(encoder.encode(`event: state\ndata: ${json}\n\n`));
    return true;
  }
}

const encoder = new TextEncoder();
const RETRY = encoder.encode("retry: 1000\n\n");
const HEARTBEAT = encoder.encode(":\n\n"); // a comment: shows a vanished browser to the system
const HEARTBEAT_MS = 15_000;
const QUEUED_EVENTS = 4;
