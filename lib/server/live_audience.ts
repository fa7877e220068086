/**
 * The readers of a live film in one thread: by which way each is served, when they are told the time, and their goodbye.
 *
 * Floor 4 (assembly). Where frames come from is the film's business: `live_source.ts`, `borrowed_source.ts`.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import { Relay, type RelayFrame, type RelayWay } from "../engine/relay.ts";
import type { RtpSender, SenderNumbers } from "../engine/sender.ts";
import type { DatagramSocket } from "../net/socket.ts";
import { InterleavedWay, type LiveReader, NumberedWay, UdpWay } from "./live_ways.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import { UdpTransport } from "./transports.ts";

/** A reader that is told what becomes of the film. */
export interface LiveViewer extends LiveReader {
  /** There will be no more frames. */
  sourceEnded(): void;
}

/** What a {@linkcode LiveAudience} connects. */
export interface LiveAudienceOptions {
  /** Numbers, timestamps and reports of the film. */
  readonly sender: RtpSender;
  /** The thread's timer. */
  readonly timer: PacerTimer;
  /** Packets of a frame that leave at once, at least 1. */
  readonly burstPackets: number;
  /** The film's time at a moment, in ticks of the clock rate. */
  readonly ticksAt: (now: number) => number;
}

/** All readers of one film in one thread. */
export class LiveAudience implements Paced {
  /** The pacer's place, for goodbyes. */
  pacing: Paced["pacing"] = undefined;
  readonly #options: LiveAudienceOptions;
  readonly #relay: Relay<LiveReader>;
  readonly #readers = new Set<LiveViewer>();
  readonly #udpWays = new WeakMap<DatagramSocket, UdpWay>();
  readonly #interleavedWay = new InterleavedWay();
  readonly #numberedWay = new NumberedWay();
  #isEnded = false;
  #goodbyesSaid = 0;

  /** Nobody reads yet. */
  constructor(options: LiveAudienceOptions) {
    this.#options = options;
    this.#relay = new Relay(options.sender);
  }

  /** How many readers there are. */
  get size(): number {
    return this.#readers.size;
  }

  /** The reader gets every frame from the next one on; of a film that has ended, its goodbye. */
  join(reader: LiveViewer): void {
    this.#readers.add(reader);
    this.#relay.join(reader, this.#wayOf(reader), this.#options.timer.now());
    if (this.#isEnded) this.end();
  }

  /** The reader gets nothing more; harmless when it gets nothing. */
  leave(reader: LiveViewer): void {
    this.#readers.delete(reader);
    this.#relay.leave(reader);
    if (this.#readers.size === 0) this.#options.timer.cancel(this);
  }

  /** Stamps a frame and sends it to everybody. */
  push(frame: RelayFrame): void {
    this.#reportIfDue();
    this.#relay.push(frame);
  }

  /** Sends a frame to everybody that was stamped in another thread; see {@linkcode Relay.forward}. */
  forward(frame: RelayFrame, numbers: SenderNumbers): void {
    this.#reportIfDue();
    this.#relay.forward(frame, numbers);
  }

  /** See {@linkcode Relay.finishFrame}. */
  finishFrame(): void {
    this.#relay.finishFrame();
  }

  /** Nothing is sent for a while, but readers shall see that the film lives. */
  reportMeanwhile(): void {
    this.#reportIfDue();
  }

  /** A compound of report and BYE. */
  goodbye(): Uint8Array {
    const { sender, timer, ticksAt } = this.#options;
    const now = timer.now();
    return sender.goodbye(timer.unixMsAt(now), sender.timestampAt(ticksAt(now)));
  }

  /** There will be no more frames: says goodbye to everybody, in a while. */
  end(): void {
    const { timer } = this.#options;
    this.#isEnded = true;
    this.#goodbyesSaid = 0;
    if (this.#readers.size > 0) timer.schedule(this, timer.now() + GOODBYE_DELAYS_MS[0]);
  }

  /** Says goodbye, over UDP again and again: players wait for ever for one that was lost. */
  onDue(now: number): void {
    this.#relay.finishFrame();
    const bytes = this.goodbye();
    const isFirst = this.#goodbyesSaid++ === 0;
    for (const reader of [...this.#readers]) {
      if (isFirst || reader.transport.kind === "UDP") reader.takeReport(bytes);
      if (isFirst) reader.sourceEnded();
    }
    const delayMs = GOODBYE_DELAYS_MS[this.#goodbyesSaid];
    const isOver = delayMs === undefined || this.#readers.size === 0;
    if (!isOver) this.#options.timer.schedule(this, now + delayMs);
  }

  #reportIfDue(): void {
    const { timer, ticksAt } = this.#options;
    const now = timer.now();
    if (this.#relay.reportDue(now)) {
      this.#relay.sendReport(now, timer.unixMsAt(now), ticksAt(now));
    }
  }

  #wayOf({ numbers, transport }: LiveReader): RelayWay<LiveReader> {
    if (numbers !== undefined) return this.#numberedWay;
    if (!(transport instanceof UdpTransport)) return this.#interleavedWay;
    let way = this.#udpWays.get(transport.rtp);
    if (way === undefined) {
      way = new UdpWay(transport.rtp, this.#options);
      this.#udpWays.set(transport.rtp, way);
    }
    return way;
  }
}

/** The first goodbye comes well after the last frame: players read it first and drop what they have not read yet. */
const GOODBYE_DELAYS_MS: readonly number[] = [250, 1000, 2000];
