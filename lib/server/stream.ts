/**
 * One reader's stream: when the pacer says so, the next frame goes from the shared batches through the sender to the
 * transport; sender reports between, a goodbye at the end.
 *
 * Floor 4 (assembly). It connects playback, batches, sender and transport; requests are answered elsewhere.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import type { Playback, PlaybackRequest, PlayingRange } from "../engine/playback.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { StartPhase, StartPhases } from "../engine/start_phases.ts";
import type { RepairAction } from "../jpeg.ts";
import { type FrameBatches, isUnsendable, type PayloadFormat } from "./frame_batches.ts";
import { countRepairs } from "./frame_preparation.ts";
import type { SharedMovie } from "./media_library.ts";
import type { NextPacket } from "./live_film.ts";
import { MissedFrames } from "./missed_frames.ts";
import type { GrowthReader } from "./movie_growth.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { SessionStream, StreamStatistics } from "./session_stream.ts";
import type { StreamTransport } from "./transports.ts";

/** What a {@linkcode MediaStream} connects. */
export interface MediaStreamOptions {
  /** The movie; the stream does not release it. */
  readonly movie: SharedMovie;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** The reader's position. */
  readonly playback: Playback;
  /** Numbers, timestamps and reports. */
  readonly sender: RtpSender;
  /** Where packets go at first. */
  readonly transport: StreamTransport;
  /** Where batches come from. */
  readonly batches: FrameBatches;
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** When streams begin. */
  readonly phases: StartPhases;
  /** Sends RTCP: standard sessions do, the lab's have none. */
  readonly hasReports: boolean;
  /** Called once the film, or the asked range, has ended. */
  readonly onEnd: () => void;
  /** Called for frames that cannot be sent, with the reason; at most once a second. */
  readonly onFault: (reason: string) => void;
  /** Called when frames are given up because the reader, or the socket, is too slow; at most once in five seconds. */
  readonly onSlow: (frames: number) => void;
}

/** The stream of one session. */
export class MediaStream implements SessionStream, Paced, GrowthReader {
  /** See {@linkcode SessionStream.isLive}. */
  readonly isLive = false;
  /** The pacer's place. */
  pacing: Paced["pacing"] = undefined;
  /** Numbers, timestamps and reports. */
  readonly sender: RtpSender;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  readonly #options: MediaStreamOptions;
  readonly #playback: Playback;
  #transport: StreamTransport;
  /** When the goodbye is due. */
  #endMs: number | undefined;
  #isStep = false;
  /** All frames of a movie that grows were sent. */
  #isWaiting = false;
  #phase: StartPhase | undefined;
  #goodbyesSaid = 0;
  /** Changes with every PLAY and PAUSE: what was loading for an earlier one is not wanted any more. */
  #round = 0;
  #framesSent = 0;
  #unsendable = 0;
  readonly #missed: MissedFrames;
  readonly #repairs: Partial<Record<RepairAction, number>> = {};
  #faultToldMs = -Infinity;

  /** A stream that has not begun. */
  constructor(options: MediaStreamOptions) {
    this.#options = options;
    this.#missed = new MissedFrames(options.onSlow);
    this.sender = options.sender;
    this.format = options.format;
    this.#playback = options.playback;
    this.#transport = options.transport;
    options.movie.growth?.add(this);
    this.#prefetch();
  }

  /** See {@linkcode SessionStream.ssrc}. */
  get ssrc(): number {
    return this.sender.ssrc;
  }

  /** See {@linkcode SessionStream.isPlaying}. */
  get isPlaying(): boolean {
    return this.#playback.isPlaying;
  }

  /** See {@linkcode SessionStream.positionSeconds}. */
  get positionSeconds(): number {
    return this.#playback.positionSeconds;
  }

  /** Where packets go now. */
  get transport(): StreamTransport {
    return this.#transport;
  }

  /** Sends by another transport from now on. */
  replaceTransport(transport: StreamTransport): void {
    this.#transport.discard();
    this.#transport = transport;
  }

  /**
   * Prepares to play; nothing is sent before {@linkcode MediaStream.begin}.
   *
   * @returns what will be played, or `undefined` when the range is outside the movie (then nothing has changed).
   */
  play(request: PlaybackRequest, now: number): PlayingRange | undefined {
    const phase = this.#options.phases.take(now, this.#playback.intervalMs);
    const range = this.#playback.play(request, phase.startMs);
    if (range === undefined) {
      this.#options.phases.release(phase);
      return undefined;
    }
    this.#stop();
    this.#phase = phase;
    this.#isStep = range.isStep;
    this.#prefetch();
    return range;
  }

  /** See {@linkcode SessionStream.current}. */
  current(now: number): PlayingRange {
    return this.#playback.current(now);
  }

  /** See {@linkcode SessionStream.nextPacket}. */
  nextPacket({ mediaTicks }: PlayingRange): NextPacket {
    const { sender } = this;
    return { seq: sender.nextSequenceNumber, rtptime: sender.timestampAt(mediaTicks) };
  }

  /** Begins to send what {@linkcode MediaStream.play} prepared. */
  begin(): void {
    const now = this.#options.timer.now();
    if (!this.#playback.isPlaying) return;
    if (this.#options.hasReports) this.sender.startReports(now);
    this.onDue(now);
  }

  /** Stops after the frame under way; PLAY goes on with the next one. */
  pause(): void {
    this.#playback.pause();
    this.#stop();
  }

  /** Ends for good, with a goodbye to the reader when `saysGoodbye`. */
  end(saysGoodbye: boolean): void {
    this.#options.movie.growth?.delete(this);
    this.#playback.pause();
    this.#stop();
    if (saysGoodbye && this.#framesSent > 0) this.#sayGoodbye(this.#options.timer.now());
  }

  /** The movie has more frames: who waited for them goes on. */
  onGrown(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#playback.goOn(this.#options.timer.now());
    this.#prefetch();
    this.#scheduleNext();
  }

  /** The movie's file is gone: the stream ends here, unless it has ended already. */
  onGrowthEnded(): void {
    const isPlaying = this.#playback.isPlaying;
    this.#playback.endGrowth();
    if (!isPlaying) return;
    const { timer } = this.#options;
    this.#playback.pause();
    this.#round++;
    this.#endMs = timer.now() + (this.#transport.kind === "UDP" ? UDP_GOODBYE_DELAY_MS : 0);
    timer.schedule(this, this.#endMs);
  }

  /** Called by the pacer. */
  onDue(now: number): void {
    if (this.#endMs !== undefined && now >= this.#endMs) return this.#finish(now);
    this.#playback.setStrained(this.#options.timer.overload.isStrained(now));
    const frameIndex = this.#playback.peek(now);
    if (frameIndex === undefined) return this.#scheduleNext();
    const { batches, movie, timer } = this.#options;
    const batch = batches.peek(movie, this.format, frameIndex, this.#transport.kind);
    if (batch === undefined) {
      const round = this.#round;
      timer.stayResponsive();
      batches.load(movie, this.format, frameIndex, this.#transport.kind).then(() => {
        if (round === this.#round) timer.schedule(this, timer.now());
      });
      return;
    }
    const frame = this.#playback.take(now)!;
    if (this.sender.reportDue(now)) this.#sendReport(now);
    if (isUnsendable(batch)) {
      this.#unsendable++;
      this.#tellFault(batch.reason, now);
    } else {
      const timestamp = this.sender.timestampAt(frame.mediaTicks);
      const spreadMs = 0.7 * this.#playback.intervalMs;
      const givenUp = this.#transport.sendFrame(batch, this.sender, timestamp, spreadMs);
      this.#framesSent += 1 - givenUp;
      if (batch.repairs !== undefined) countRepairs(this.#repairs, batch.repairs);
      if (givenUp > 0) this.#missed.add(givenUp, now);
    }
    if (frame.isLast) {
      // After a single step nobody leaves: the next one follows on request.
      if (this.#isStep) return;
      // The goodbye comes well after the last frame: players read it first and drop what they have not read yet.
      const delayMs = this.#transport.kind === "UDP" ? UDP_GOODBYE_DELAY_MS : 0;
      this.#endMs = now + Math.min(LONGEST_FRAME_MS, this.#playback.intervalMs) + delayMs;
      timer.schedule(this, this.#endMs);
      return;
    }
    this.#prefetch();
    this.#scheduleNext();
  }

  /** See {@linkcode SessionStream.receiveRtcp}. */
  receiveRtcp(bytes: Uint8Array, now: number, unixMs: number): void {
    this.sender.receive(bytes, now, unixMs);
  }

  /** Counters. */
  stats(): StreamStatistics {
    const { dropped, worstLatenessMs } = this.#playback.stats();
    return {
      repairs: { ...this.#repairs },
      framesSent: this.#framesSent,
      framesDropped: this.#unsendable + this.#missed.total + dropped,
      positionSeconds: this.positionSeconds,
      worstLatenessMs,
      sender: this.sender.stats(),
    };
  }

  #scheduleNext(): void {
    const dueMs = this.#playback.nextDue();
    if (dueMs !== undefined) return this.#options.timer.schedule(this, dueMs);
    if (this.#playback.isWaiting) this.#wait();
  }

  /** Reports go on, so that the reader sees that the session lives. */
  #wait(): void {
    const { timer } = this.#options, now = timer.now();
    this.#isWaiting = true;
    if (this.sender.reportDue(now)) this.#sendReport(now);
    timer.schedule(this, now + WAITING_INTERVAL_MS);
  }

  #prefetch(): void {
    const { batches, movie, timer } = this.#options;
    const depth = batches.prefetchDepth(movie, this.format);
    for (let ahead = 0; ahead < depth; ahead++) {
      // What is being read comes by promises, which settle between turns only.
      const frameIndex = this.#playback.frameAhead(ahead);
      if (batches.prefetch(movie, this.format, frameIndex, this.#transport.kind)) {
        timer.stayResponsive();
      }
    }
  }

  #stop(): void {
    this.#round++;
    if (this.#phase !== undefined) this.#options.phases.release(this.#phase);
    this.#phase = undefined;
    this.#endMs = undefined;
    this.#isWaiting = false;
    this.#goodbyesSaid = 0;
    this.#options.timer.cancel(this);
    this.#transport.discard();
    this.sender.stopReports();
  }

  /** Over UDP the goodbye is said again: players wait for ever for one that was lost. */
  #finish(now: number): void {
    const repeatMs = this.#transport.kind === "UDP"
      ? GOODBYE_REPEATS_MS[this.#goodbyesSaid]
      : undefined;
    this.#sayGoodbye(now);
    if (this.#goodbyesSaid++ === 0) {
      this.sender.stopReports();
      this.#options.onEnd();
    }
    // The session may have been ended by whoever was told.
    if (this.#endMs === undefined) return;
    this.#endMs = repeatMs === undefined || !this.#options.hasReports ? undefined : now + repeatMs;
    if (this.#endMs !== undefined) this.#options.timer.schedule(this, this.#endMs);
  }

  /** A film with many bad frames is told of once a second. */
  #tellFault(reason: string, now: number): void {
    if (now - this.#faultToldMs < FAULT_INTERVAL_MS) return;
    this.#faultToldMs = now;
    this.#options.onFault(reason);
  }

  #sendReport(now: number): void {
    const { timer } = this.#options;
    const timestamp = this.sender.timestampAt(this.#playback.ticksAt(now));
    this.#transport.sendReport(this.sender.report(timer.unixMsAt(now), timestamp));
    this.sender.reportSent(now);
  }

  #sayGoodbye(now: number): void {
    if (!this.#options.hasReports) return;
    const timestamp = this.sender.timestampAt(this.#playback.ticksAt(now));
    const { timer } = this.#options;
    this.#transport.sendReport(this.sender.goodbye(timer.unixMsAt(now), timestamp));
  }
}

const UDP_GOODBYE_DELAY_MS = 250;
/** After the first goodbye and after the second. */
const GOODBYE_REPEATS_MS: readonly number[] = [1000, 2000];
/** The last frame of a slow film need not be shown to its end before the goodbye. */
const LONGEST_FRAME_MS = 1000;
/** How often a stream that waits looks whether a report is due. */
const WAITING_INTERVAL_MS = 500;
const FAULT_INTERVAL_MS = 1000;
