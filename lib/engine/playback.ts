/**
 * One reader's position in a file: which frame is due when, across PLAY, PAUSE, seeks, speeds, the end and the loop.
 *
 * Floor 2 (engine): no clock, no I/O; `now` is an argument in milliseconds on a monotonic clock. RFC 2326 s10.5 (PLAY),
 * s10.6 (PAUSE), s12.29 (Range), s12.34 (Scale), s12.35 (Speed). It does not read frames and does not know how they are
 * sent.
 *
 * While it plays, a frame's media ticks and the moment it is due lie on one line, so that RTP and wall-clock time agree
 * (RFC 3550 s6.4.1); a pause, a seek or another scale begins a new line without a gap in the ticks (RFC 2326 App. B).
 * Up to scale 1 every frame is shown, longer; above it frames are left out and the rate stays what it was: so no scale
 * needs more of the network than the film itself.
 *
 * @module
 */

import { constantTimeline, type Timeline } from "../frames/timeline.ts";
import { frameRange } from "./frame_range.ts";
import { FrameWalk } from "./frame_walk.ts";

/** What a {@linkcode Playback} plays: a timeline, or a number of frames at a constant rate. */
export interface PlaybackOptions {
  /** When each frame is shown. */
  readonly timeline?: Timeline;
  /** Frames in the file, at least 1, where there is no timeline. */
  readonly frameCount?: number;
  /** Frames a second, above 0, where there is no timeline. */
  readonly frameRateHz?: number;
  /** Starts over at the end instead of ending. @default {false} */
  readonly isLooping?: boolean;
  /** The timeline grows: at its end more frames are waited for, also where it would start over. @default {false} */
  readonly isGrowing?: boolean;
  /** RTP clock rate in Hz. @default {90000} */
  readonly clockRateHz?: number;
  /** A frame that is later than this is dropped, to catch up, in ms. @default {1000} */
  readonly lateLimitMs?: number;
}

/** The part of the file to play, in seconds of normal play time; what is absent goes on from where it stands. */
export interface PlaybackRequest {
  /** First moment to play; `"now"` means the present position, of a film that grows its newest frame. */
  readonly start?: number | "now";
  /** The moment to stop before; the same as `start`: the one frame shown then. Below `start` with a negative scale. */
  readonly end?: number;
  /** Seconds of film a second of presentation shows; below 0 backwards. Cut to 1/32 to 32. @default {1} */
  readonly scale?: number;
  /** Seconds of presentation sent in a second; cut to 1/32 to 32. @default {1} */
  readonly speed?: number;
}

/** What is going to be played. */
export interface PlayingRange {
  /** Normal play time of the first frame, in seconds; backwards that of its end. */
  readonly startSeconds: number;
  /** Normal play time of the end, in seconds; `undefined` when it loops, or grows, for ever. */
  readonly endSeconds: number | undefined;
  /** Media ticks of the first frame. */
  readonly mediaTicks: number;
  /** The scale that is really used. */
  readonly scale: number;
  /** The speed that is really used. */
  readonly speed: number;
  /** One frame only was asked for. */
  readonly isStep: boolean;
}

/** A frame to send now. */
export interface DueFrame {
  /** Its place in the file, from 0. */
  readonly frameIndex: number;
  /** When it was due, in ms on the caller's clock. */
  readonly dueMs: number;
  /** Its time in clock-rate units: right behind the frame before it, across pauses and seeks too. */
  readonly mediaTicks: number;
  /** Nothing follows: the file, or the asked range, ends with it. */
  readonly isLast: boolean;
}

/** Counters of a {@linkcode Playback}. */
export interface PlaybackStatistics {
  /** Frames handed out. */
  readonly taken: number;
  /** Frames left out because they were too late. */
  readonly dropped: number;
  /** Largest lateness of a frame handed out, in ms. */
  readonly worstLatenessMs: number;
}

/** Scales and speeds beyond this, or below its inverse, are cut to it. */
export const SCALE_LIMIT = 32;

/**
 * A reader's position in a file of frames.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Playback } from "./playback.ts";
 * const playback = new Playback({ frameCount: 100, frameRateHz: 20 });
 * playback.play({ start: 1, scale: -2 }, 1000);
 * assertEquals(playback.take(1000)?.frameIndex, 19);
 * assertEquals([playback.nextDue(), playback.peek(1050)], [1050, 17]);
 * ```
 */
export class Playback {
  readonly #timeline: Timeline;
  readonly #isLooping: boolean;
  #isGrowing: boolean;
  readonly #clockRateHz: number;
  readonly #usualLateLimitMs: number;
  #lateLimitMs: number;
  /** The frames to play, in seconds of presentation from the anchor on. */
  readonly #walk: FrameWalk;
  #speed = 1;
  /** The running PLAY: its first frame was due at `anchorMs` and had `anchorTicks`. */
  #anchorMs = 0;
  #anchorTicks = 0;
  #isPlaying = false;
  #notBeforeMs = -Infinity;
  #taken = 0;
  #dropped = 0;
  #worstLatenessMs = 0;

  /** Starts at the first frame, not playing. */
  constructor(options: PlaybackOptions) {
    this.#timeline = options.timeline ??
      constantTimeline(options.frameCount ?? 0, options.frameRateHz ?? 0);
    this.#walk = new FrameWalk(this.#timeline);
    this.#isGrowing = options.isGrowing ?? false;
    this.#isLooping = (options.isLooping ?? false) && !this.#isGrowing;
    this.#clockRateHz = options.clockRateHz ?? 90_000;
    this.#usualLateLimitMs = options.lateLimitMs ?? 1000;
    this.#lateLimitMs = this.#usualLateLimitMs;
  }

  /** Length of the file in seconds. */
  get durationSeconds(): number {
    return this.#timeline.durationSeconds;
  }

  /** Normal play time where it stands, in seconds: the beginning of the next frame, backwards its end. */
  get positionSeconds(): number {
    return this.#walk.positionSeconds;
  }

  /** Between PLAY and PAUSE or the end. */
  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** The scale in use. */
  get scale(): number {
    return this.#walk.scale;
  }

  /** It plays, and every frame that there is has been handed out: more are waited for. */
  get isWaiting(): boolean {
    return this.#isPlaying && this.#isGrowing && this.#walk.nextFrame >= this.#timeline.frameCount;
  }

  /** The last frame of the file or of the asked range has been handed out. */
  get isAtEnd(): boolean {
    return this.#walk.isAtEnd;
  }

  /** Milliseconds between the frame that was taken last and the next one. */
  get intervalMs(): number {
    const shown = Math.min(1, Math.abs(this.#walk.scale));
    return 1000 / (this.#timeline.frameRateHz * shown * this.#speed);
  }

  /**
   * Plays from `now` on. Without a start it goes on where it stands, and from the beginning (backwards: from the end)
   * when nothing is left; without an end it plays to the end of the file.
   *
   * @returns what is going to be played, or `undefined` when the range is outside the file (457).
   */
  play(request: PlaybackRequest, now: number): PlayingRange | undefined {
    const scale = withinLimits(request.scale ?? 1);
    const range = frameRange(request, scale < 0, {
      timeline: this.#timeline,
      isLooping: this.#isLooping,
      isGrowing: this.#isGrowing,
      nextFrame: this.#walk.nextFrame,
      wasBackwards: this.#walk.scale < 0,
    });
    if (range === undefined) return undefined;
    this.#anchorTicks = this.#ticksOfNext();
    this.#anchorMs = now;
    this.#notBeforeMs = -Infinity;
    this.#speed = withinLimits(Math.abs(request.speed ?? 1));
    this.#walk.begin(range, scale);
    this.#isPlaying = true;
    return { ...this.#played(), mediaTicks: this.#anchorTicks, isStep: range.isStep };
  }

  /** What is being played, seen from `now`: what a PLAY without a range answers while playing. */
  current(now: number): PlayingRange {
    const mediaTicks = this.nextDue() === undefined ? this.ticksAt(now) : this.#ticksOfNext();
    return { ...this.#played(), mediaTicks, isStep: false };
  }

  /** Stops; the next frame stays where it is. */
  pause(): void {
    this.#isPlaying = false;
  }

  /** There are more frames to go on with, after {@linkcode Playback.isWaiting}; what was waited for is not late. */
  goOn(now: number): void {
    if (this.#isPlaying && now > this.#dueOfNext()) this.#beginLine(now);
  }

  /** There will be no more frames than there are. */
  endGrowth(): void {
    this.#isGrowing = false;
  }

  /** When the next frame is due, in ms; `undefined` while nothing plays or there is none yet. */
  nextDue(): number | undefined {
    return this.#isPlaying && !this.isWaiting
      ? Math.max(this.#dueOfNext(), this.#notBeforeMs)
      : undefined;
  }

  /** Leaves frames out already when they are half an interval late, or as late as usual. */
  setStrained(isStrained: boolean): void {
    this.#lateLimitMs = isStrained ? this.intervalMs / 2 : this.#usualLateLimitMs;
  }

  /**
   * The frame that is due at `now`, if one is, without taking it. Frames that are far too late are left out and counted.
   *
   * @returns its place in the file, from 0.
   */
  peek(now: number): number | undefined {
    if (!this.#isPlaying || this.isWaiting) return undefined;
    this.#catchUp(now);
    const dueMs = Math.max(this.#dueOfNext(), this.#notBeforeMs);
    return dueMs > now + ROUNDING_MS ? undefined : this.#walk.nextFrame;
  }

  /** The place in the file, from 0, of the frame that follows about `ahead` frames after the next one. */
  frameAhead(ahead: number): number {
    const { scale } = this.#walk;
    const step = Math.abs(scale) > 1 ? scale : Math.sign(scale);
    const { frameCount } = this.#timeline;
    const there = this.#walk.nextFrame + Math.trunc(step * ahead);
    if (this.#isGrowing && there >= frameCount) return frameCount - 1;
    const frame = there % frameCount;
    return frame < 0 ? frame + frameCount : frame;
  }

  /** Takes the frame that is due at `now`, if one is. */
  take(now: number): DueFrame | undefined {
    if (this.peek(now) === undefined) return undefined;
    const dueMs = this.#dueOfNext();
    const mediaTicks = this.#ticksOfNext();
    const frameIndex = this.#walk.nextFrame;
    this.#worstLatenessMs = Math.max(this.#worstLatenessMs, now - dueMs);
    this.#taken++;
    this.#walk.advance();
    // Late frames follow each other at four times the rate at most, so that no receiver's buffer overflows.
    this.#notBeforeMs = now + (this.#dueOfNext() - dueMs) / 4;
    const isLast = this.#walk.isAtEnd;
    if (isLast) this.#isPlaying = false;
    return { frameIndex, dueMs, mediaTicks, isLast };
  }

  /** The media ticks that belong to `now`: the RTP time of a sender report, less its random start. */
  ticksAt(now: number): number {
    const seconds = (now - this.#anchorMs) * this.#speed / 1000;
    return this.#anchorTicks + Math.round(seconds * this.#clockRateHz);
  }

  /** Counters since the beginning. */
  stats(): PlaybackStatistics {
    return Object.freeze({
      taken: this.#taken,
      dropped: this.#dropped,
      worstLatenessMs: this.#worstLatenessMs,
    });
  }

  #played() {
    const stop = this.#walk.stop;
    return {
      startSeconds: this.positionSeconds,
      endSeconds: stop === undefined || stop === Infinity
        ? undefined
        : this.#timeline.secondsOf(stop + (this.#walk.scale < 0 ? 1 : 0)),
      scale: this.#walk.scale,
      speed: this.#speed,
    };
  }

  #dueOfNext(): number {
    // Thousandths of a nanosecond are rounding errors, and would make a frame late for its own moment.
    const dueMs = this.#anchorMs + this.#walk.nextSeconds * 1000 / this.#speed;
    return Math.round(dueMs / ROUNDING_MS) * ROUNDING_MS;
  }

  #ticksOfNext(): number {
    return this.#anchorTicks + Math.round(this.#walk.nextSeconds * this.#clockRateHz);
  }

  #catchUp(now: number): void {
    const lateness = now - this.#dueOfNext();
    if (lateness <= this.#lateLimitMs) return;
    // The machine slept, or the program was stopped: go on from here rather than skip minutes of film.
    if (lateness > SLEEP_MS) return this.#beginLine(now);
    const walk = this.#walk;
    for (;;) {
      const here = walk.place();
      walk.advance();
      const isThere = !walk.isAtEnd && walk.nextFrame < this.#timeline.frameCount;
      if (isThere && this.#dueOfNext() <= now) this.#dropped++;
      else return walk.goBackTo(here);
    }
  }

  /** The next frame is due now, and as late in ticks as by the clock. */
  #beginLine(now: number): void {
    this.#anchorTicks = this.ticksAt(now);
    this.#anchorMs = now;
    this.#notBeforeMs = -Infinity;
    this.#walk.beginHere();
  }
}

const SLEEP_MS = 10_000;
/** Sums of floating-point numbers are right to this. */
const ROUNDING_MS = 2 ** -20;

function withinLimits(factor: number): number {
  const size = Math.min(SCALE_LIMIT, Math.max(1 / SCALE_LIMIT, Math.abs(factor)));
  return factor < 0 ? -size : size;
}
