/**
 * The protocol view of one program: what it listens with, what it remembers, and the timers that make news of it.
 *
 * Floor 3 (wall). WHATWG HTML s9.2 (server-sent events). A browser that reads too slowly gets everything anew when it
 * reads again, and delays nobody.
 *
 * @module
 */
import { WireHistory } from "../engine/wire_history.ts";
import { joinTaps, type WireTap } from "../engine/wire_tap.ts";
import type { ProtocolStep } from "./protocol_events.ts";
import { ProtocolRecorder } from "./protocol_recorder.ts";
import type { SessionCounters } from "./session_meter.ts";

/** What a {@linkcode ProtocolView} needs. */
export interface ProtocolViewOptions {
  /** Which program is watched. */
  readonly side: "client" | "server";
  /** Name and version of the program, for the files it exports. */
  readonly application: string;
  /** What the living sessions have counted. */
  readonly counters: () => readonly SessionCounters[];
  /** Step mode, where there is such a thing. */
  readonly step?: () => ProtocolStep;
  /** Milliseconds between two batches. @default {200} */
  readonly intervalMs?: number;
  /** Streams of events at a time. @default {16} */
  readonly maxSubscribers?: number;
  /** Octets of packets kept. @default {16777216} */
  readonly packetBytes?: number;
}

interface Subscriber {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Whether it has missed a batch. */
  isBehind: boolean;
}

/** Watches a wire for browsers. */
export class ProtocolView implements Disposable {
  /** Everything of late. */
  readonly history: WireHistory;
  /** What is shown. */
  readonly recorder: ProtocolRecorder;
  /** To be given to whoever calls taps. */
  readonly tap: WireTap;
  readonly #options: ProtocolViewOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #sampling: ReturnType<typeof setInterval>;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #quietTicks = 0;

  /** Begins to measure. */
  constructor(options: ProtocolViewOptions) {
    this.#options = options;
    this.history = new WireHistory({ packetBytes: options.packetBytes });
    const { side, counters, step } = options;
    this.recorder = new ProtocolRecorder({
      side,
      history: this.history,
      unixMsAt: (now) => this.unixMsAt(now),
      counters,
      step,
    });
    this.tap = joinTaps([this.history, this.recorder])!;
    this.#sampling = setInterval(() => this.recorder.sample(performance.now()), SAMPLE_MS);
    Deno.unrefTimer(this.#sampling);
  }

  /** Name and version of the program. */
  get application(): string {
    return this.#options.application;
  }

  /** Streams open now. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Unix milliseconds at a time of the monotonic clock. */
  unixMsAt(now: number): number {
    return performance.timeOrigin + now;
  }

  /** A stream of batches for one more browser, everything kept first; `undefined` if there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#subscribers.size >= (this.#options.maxSubscribers ?? 16)) return undefined;
    let subscriber: Subscriber;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        subscriber = { controller, isBehind: false };
        if (this.#subscribers.size === 0) this.#start();
        else this.#tick(); // what the others do not know yet must not be told to them as old
        this.#subscribers.add(subscriber);
        controller.enqueue(RETRY);
        controller.enqueue(eventOf(this.recorder.snapshot(performance.now())));
      },
      cancel: () => this.#remove(subscriber),
    }, { highWaterMark: QUEUED_BATCHES });
  }

  /** Ends all streams and timers. */
  close(): void {
    clearInterval(this.#sampling);
    for (const subscriber of this.#subscribers) {
      this.#remove(subscriber);
      subscriber.controller.close();
    }
  }

  /** The same as {@linkcode ProtocolView.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.recorder.takeNews(performance.now()); // the snapshot has it all
    this.#ticking = setInterval(() => this.#tick(), this.#options.intervalMs ?? 200);
  }

  #remove(subscriber: Subscriber): void {
    if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) {
      clearInterval(this.#ticking);
    }
  }

  #tick(): void {
    const now = performance.now();
    const news = this.recorder.takeNews(now);
    let bytes = news && eventOf(news);
    if (!bytes) {
      if (++this.#quietTicks < HEARTBEAT_TICKS) return this.#catchUp(now);
      bytes = HEARTBEAT;
    }
    this.#quietTicks = 0;
    for (const subscriber of this.#subscribers) {
      if (subscriber.isBehind) continue;
      if ((subscriber.controller.desiredSize ?? 0) > 0) subscriber.controller.enqueue(bytes);
      else subscriber.isBehind = bytes !== HEARTBEAT;
    }
    this.#catchUp(now);
  }

  #catchUp(now: number): void {
    for (const subscriber of this.#subscribers) {
      const { controller, isBehind } = subscriber;
      if (!isBehind || (controller.desiredSize ?? 0) < QUEUED_BATCHES) continue;
      subscriber.isBehind = false;
      controller.enqueue(eventOf(this.recorder.snapshot(now)));
    }
  }
}

const encoder = new TextEncoder();
const RETRY = encoder.encode("retry: 1000\n\n");
const HEARTBEAT = encoder.encode(":\n\n");
const HEARTBEAT_TICKS = 60;
const QUEUED_BATCHES = 4;
const SAMPLE_MS = 1000;

/** JSON holds no line ends, so one line of data is one batch. */
function eventOf(batch: unknown): Uint8Array {
  return encoder.encode(`event: protocol\ndata: ${JSON.stringify(batch)}\n\n`);
}
