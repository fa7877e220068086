/**
 * A film that is played as a camera would be: one endless stream, which readers join where it stands.
 *
 * Floor 4 (assembly). It takes the frames that are due from the shared batches to the audience, for as long as somebody
 * watches. The film stands where the wall clock says, so it goes on while nobody looks.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import type { Playback, PlayingRange } from "../engine/playback.ts";
import type { RelayFrame } from "../engine/relay.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { StartPhase, StartPhases } from "../engine/start_phases.ts";
import { type FrameBatches, isUnsendable, type PayloadFormat } from "./frame_batches.ts";
import { LiveAudience, type LiveViewer } from "./live_audience.ts";
import type { LiveFilm, NextPacket } from "./live_film.ts";
import type { SharedMovie } from "./media_library.ts";
import type { GrowthReader } from "./movie_growth.ts";
import type { PacerTimer } from "./pacer_timer.ts";

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

/** Those who watch from another thread. */
export interface LiveOutlet {
  /** Takes a stamped frame, borrowed, that was due at `dueMs`. */
  sendFrame(frame: RelayFrame, dueMs: number): void;
  /** There will be no more frames. */
  end(): void;
}

/** One film, live, in one payload format. */
export class LiveSource implements LiveFilm, Paced, GrowthReader {
  /** The pacer's place. */
  pacing: Paced["pacing"] = undefined;
  /** Takes frames to other threads, where these use the film. */
  outlet: LiveOutlet | undefined;
  readonly #options: LiveSourceOptions;
  readonly #audience: LiveAudience;
  /** Readers here, and whoever stands for those elsewhere. */
  readonly #watchers = new Set<unknown>();
  #phase: StartPhase | undefined;
  /** Changes whenever it stops: what was loading is not wanted any more. */
  #round = 0;
  /** All frames of a film that grows were sent. */
  #isWaiting = false;
  #isEnded = false;
  #unsendable = 0;
  #faultToldMs = -Infinity;

  /** A source that nobody watches yet. */
  constructor(options: LiveSourceOptions) {
    this.#options = options;
    const ticksAt = (now: number) => options.playback.ticksAt(now);
    this.#audience = new LiveAudience({ ...options, ticksAt });
    options.movie.growth?.add(this);
  }

  /** See {@linkcode LiveFilm.sender}. */
  get sender(): RtpSender {
    return this.#options.sender;
  }

  /** See {@linkcode LiveFilm.positionSeconds}. */
  get positionSeconds(): number {
    return this.#options.playback.positionSeconds;
  }

  /** Frames that nobody got: they were too late, or cannot be sent. */
  get framesDropped(): number {
    return this.#unsendable + this.#options.playback.stats().dropped;
  }

  /** See {@linkcode LiveFilm.worstLatenessMs}. */
  get worstLatenessMs(): number {
    return this.#options.playback.stats().worstLatenessMs;
  }

  /** The largest frame of the film, in octets, as far as it is known. */
  get largestFrameBytes(): number {
    return this.#options.movie.file.index.largestFrameBytes;
  }

  /** See {@linkcode LiveFilm.join}. */
  join(reader: LiveViewer): void {
    this.#audience.join(reader);
    this.watch(reader);
  }

  /** See {@linkcode LiveFilm.leave}. */
  leave(reader: LiveViewer): void {
    this.#audience.leave(reader);
    this.unwatch(reader);
  }

  /** The film runs while somebody watches. */
  watch(watcher: unknown): void {
    const isFirst = this.#watchers.size === 0;
    this.#watchers.add(watcher);
    if (isFirst) this.#run(this.#options.timer.now());
  }

  /** Ends {@linkcode LiveSource.watch}. */
  unwatch(watcher: unknown): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#stop();
  }

  /** See {@linkcode LiveFilm.current}. */
  current(now: number): PlayingRange {
    return this.#options.playback.current(now);
  }

  /** See {@linkcode LiveFilm.nextPacket}. */
  nextPacket({ mediaTicks }: PlayingRange): NextPacket {
    const { sender } = this;
    return { seq: sender.nextSequenceNumber, rtptime: sender.timestampAt(mediaTicks) };
  }

  /** See {@linkcode LiveFilm.goodbye}. */
  goodbye(): Uint8Array {
    return this.#audience.goodbye();
  }

  /** Ends for good; its readers have left. */
  close(): void {
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
    this.#stop();
    this.#audience.end();
    this.outlet?.end();
  }

  /** Called by the pacer. */
  onDue(now: number): void {
    const { batches, movie, format, playback, timer } = this.#options;
    playback.setStrained(timer.overload.isStrained(now));
    const frameIndex = playback.peek(now);
    if (frameIndex === undefined) return this.#scheduleNext();
    const batch = batches.peek(movie, format, frameIndex, "UDP");
    if (batch === undefined) return this.#load(frameIndex);
    const { mediaTicks, dueMs } = playback.take(now)!;
    if (isUnsendable(batch)) this.#tellFault(batch.reason, now);
    else {
      const frame = { batch, mediaTicks, spreadMs: 0.7 * playback.intervalMs };
      this.#audience.push(frame);
      this.outlet?.sendFrame(frame, dueMs);
    }
    this.#prefetch();
    this.#scheduleNext();
  }

  /** The film is where it would be had it never stopped. */
  #run(now: number): void {
    if (this.#isEnded) return;
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
    this.#isWaiting = true;
    this.#audience.reportMeanwhile();
    timer.schedule(this, timer.now() + WAITING_INTERVAL_MS);
  }

  /** A film with many bad frames is told of once a second. */
  #tellFault(reason: string, now: number): void {
    this.#unsendable++;
    if (now - this.#faultToldMs < FAULT_INTERVAL_MS) return;
    this.#faultToldMs = now;
    this.#options.onFault(reason);
  }
}

/** How often a source that waits for more frames looks whether a report is due. */
const WAITING_INTERVAL_MS = 500;
const FAULT_INTERVAL_MS = 1000;
