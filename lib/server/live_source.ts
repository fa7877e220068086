/**
 * A film that is played as a camera would be: one endless stream, which readers join where it stands.
 *
 * Floor 4 (assembly). It takes the frames that are due from the shared batches to the relay, for as long as there are
 * readers. The film stands where the wall clock says, so it goes on while nobody looks. How frames leave is
 * `live_ways.ts`.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import type { Playback, PlayingRange } from "../engine/playback.ts";
import { Relay, type RelayWay } from "../engine/relay.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { StartPhase, StartPhases } from "../engine/start_phases.ts";
import type { DatagramSocket } from "../net/socket.ts";
import { type FrameBatches, isUnsendable, type PayloadFormat } from "./frame_batches.ts";
import { InterleavedWay, type LiveReader, NumberedWay, UdpWay } from "./live_ways.ts";
import type { SharedMovie } from "./media_library.ts";
import type { GrowthReader } from "./movie_growth.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import { UdpTransport } from "./transports.ts";

/** What a {@linkcode LiveSource} connects. */
export interface LiveSourceOptions {
  /** The film; the source releases it at its end. */
  readonly movie: SharedMovie;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** The film's one position: it starts over at the end, or grows. */
  readonly playback: Playback;
  /** Numbers, timestamps and reports of the source. */
  readonly sender: RtpSender;
  /** Where batches come from. */
  readonly batches: FrameBatches;
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** When streams begin. */
  readonly phases: StartPhases;
  /** Packets of a frame that leave at once, at least 1. */
  readonly burstPackets: number;
  /** Called for frames that cannot be sent, with the reason; at most once a second. */
  readonly onFault: (reason: string) => void;
}

/** One film, live, in one payload format. */
export class LiveSource implements Paced, GrowthReader {
  /** The pacer's place. */
  pacing: Paced["pacing"] = undefined;
  readonly #options: LiveSourceOptions;
  readonly #relay: Relay<LiveReader>;
  readonly #readers = new Set<LiveReader & SourceListener>();
  readonly #udpWays = new WeakMap<DatagramSocket, UdpWay>();
  readonly #interleavedWay = new InterleavedWay();
  readonly #numberedWay = new NumberedWay();
  #phase: StartPhase | undefined;
  /** Changes whenever it stops: what was loading is not wanted any more. */
  #round = 0;
  /** All frames of a film that grows were sent. */
  #isWaiting = false;
  #isEnded = false;
  #goodbyesSaid = 0;
  #unsendable = 0;
  #faultToldMs = -Infinity;

  /** A source that nobody reads yet. */
  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.#relay = new Relay(options.sender);
    options.movie.growth?.add(this);
  }

  /** Numbers, timestamps and reports of the source. */
  get sender(): RtpSender {
    return this.#options.sender;
  }

  /** Where the film stands, in seconds. */
  get positionSeconds(): number {
    return this.#options.playback.positionSeconds;
  }

  /** Frames that nobody got: they were too late, or cannot be sent. */
  get framesDropped(): number {
    return this.#unsendable + this.#options.playback.stats().dropped;
  }

  /** How late a frame was at worst, in ms. */
  get worstLatenessMs(): number {
    return this.#options.playback.stats().worstLatenessMs;
  }

  /** The reader gets every frame from the next one on. */
  join(reader: LiveReader & SourceListener): void {
    const now = this.#options.timer.now();
    const isFirst = this.#readers.size === 0;
    this.#readers.add(reader);
    this.#relay.join(reader, this.#wayOf(reader), now);
    if (isFirst) this.#run(now);
  }

  /** The reader gets nothing more; harmless when it gets nothing. */
  leave(reader: LiveReader & SourceListener): void {
    this.#relay.leave(reader);
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#stop();
  }

  /** What is played next, while somebody reads. */
  current(now: number): PlayingRange {
    return this.#options.playback.current(now);
  }

  /** A compound of report and BYE. */
  goodbye(): Uint8Array {
    const { timer, playback, sender } = this.#options;
    const now = timer.now();
    return sender.goodbye(timer.unixMsAt(now), sender.timestampAt(playback.ticksAt(now)));
  }

  /** Ends for good; its readers have left. */
  end(): void {
    this.#options.movie.growth?.delete(this);
    this.#stop();
    this.#options.movie.release();
  }

  /** The film has more frames. */
  onGrown(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#options.playback.goOn(this.#options.timer.now());
    this.#prefetch();
    this.#scheduleNext();
  }

  /** The film's file is gone: there will be no more frames. */
  onGrowthEnded(): void {
    this.#isEnded = true;
    if (this.#readers.size > 0) this.#endLater();
  }

  /** Called by the pacer. */
  onDue(now: number): void {
    if (this.#isEnded) return this.#sayGoodbye(now);
    const { batches, movie, format, playback, timer } = this.#options;
    playback.setStrained(timer.overload.isStrained(now));
    const frameIndex = playback.peek(now);
    if (frameIndex === undefined) return this.#scheduleNext();
    const batch = batches.peek(movie, format, frameIndex, "UDP");
    if (batch === undefined) return this.#load(frameIndex);
    const { mediaTicks } = playback.take(now)!;
    this.#reportIfDue(now);
    if (isUnsendable(batch)) this.#tellFault(batch.reason, now);
    else this.#relay.push({ batch, mediaTicks, spreadMs: 0.7 * playback.intervalMs });
    this.#prefetch();
    this.#scheduleNext();
  }

  /** The film is where it would be had it never stopped. */
  #run(now: number): void {
    if (this.#isEnded) return this.#endLater();
    const { playback, phases, timer } = this.#options;
    const nextMs = playback.nextDue();
    if (nextMs === undefined || nextMs < now) {
      this.#phase = phases.take(now, playback.intervalMs);
      const { startMs } = this.#phase;
      // Timestamps go on with the clock, whatever part of the film is next.
      playback.goOn(startMs);
      const start = this.#startAt(timer.unixMsAt(now));
      playback.play({ start }, startMs) ?? playback.play({ start: 0 }, startMs);
    }
    this.#prefetch();
    this.#scheduleNext();
  }

  #startAt(unixMs: number): number | "now" {
    const { movie, playback } = this.#options;
    const isGrowing = movie.growth !== undefined && !movie.growth.isEnded;
    return isGrowing ? "now" : unixMs / 1000 % playback.durationSeconds;
  }

  #stop(): void {
    this.#round++;
    this.#isWaiting = false;
    this.#goodbyesSaid = 0;
    if (this.#phase !== undefined) this.#options.phases.release(this.#phase);
    this.#phase = undefined;
    this.#options.timer.cancel(this);
  }

  #load(frameIndex: number): void {
    const { batches, movie, format, timer } = this.#options;
    const round = this.#round;
    timer.stayResponsive();
    batches.load(movie, format, frameIndex, "UDP").then(() => {
      if (round === this.#round) timer.schedule(this, timer.now());
    });
  }

  #prefetch(): void {
    const { batches, movie, format, playback, timer } = this.#options;
    const depth = batches.prefetchDepth(movie, format);
    for (let ahead = 0; ahead < depth; ahead++) {
      const frameIndex = playback.frameAhead(ahead);
      // What is being read comes by promises, which settle between turns only.
      if (batches.prefetch(movie, format, frameIndex, "UDP")) timer.stayResponsive();
    }
  }

  #scheduleNext(): void {
    const { playback, timer } = this.#options;
    const dueMs = playback.nextDue();
    if (dueMs !== undefined) return timer.schedule(this, dueMs);
    const now = timer.now();
    this.#isWaiting = true;
    this.#reportIfDue(now);
    timer.schedule(this, now + WAITING_INTERVAL_MS);
  }

  #reportIfDue(now: number): void {
    if (!this.#relay.reportDue(now)) return;
    const { playback, timer } = this.#options;
    this.#relay.sendReport(now, timer.unixMsAt(now), playback.ticksAt(now));
  }

  /** A film with many bad frames is told of once a second. */
  #tellFault(reason: string, now: number): void {
    this.#unsendable++;
    if (now - this.#faultToldMs < FAULT_INTERVAL_MS) return;
    this.#faultToldMs = now;
    this.#options.onFault(reason);
  }

  #endLater(): void {
    const { timer } = this.#options;
    this.#round++;
    timer.schedule(this, timer.now() + GOODBYE_DELAYS_MS[0]);
  }

  /** Said again over UDP: players wait for ever for one that was lost. */
  #sayGoodbye(now: number): void {
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

/** Told what becomes of the source it reads. */
export interface SourceListener {
  /** There will be no more frames. */
  sourceEnded(): void;
}

/** The first goodbye comes well after the last frame: players read it first and drop what they have not read yet. */
const GOODBYE_DELAYS_MS: readonly number[] = [250, 1000, 2000];
/** How often a source that waits for more frames looks whether a report is due. */
const WAITING_INTERVAL_MS = 500;
const FAULT_INTERVAL_MS = 1000;
