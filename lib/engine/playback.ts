/**
 * One reader's position in a file: which frame is due when, across PLAY, PAUSE, seeks, the end and the loop.
 *
 * Floor 2 (engine): no clock, no I/O; `now` is an argument in milliseconds on a monotonic clock. RFC 2326 s10.5 (PLAY),
 * s10.6 (PAUSE), s12.29 (Range). It does not read frames and does not know how they are sent.
 *
 * While it plays, a frame's media ticks and the moment it is due lie on one line, so that RTP and wall-clock time agree
 * (RFC 3550 s6.4.1); a pause or a seek begins a new line without a gap in the ticks.
 *
 * @module
 */

/** What a {@linkcode Playback} plays. */
export interface PlaybackOptions {
  /** Frames in the file, at least 1. */
  readonly frameCount: number;
  /** Frames a second, above 0. */
  readonly frameRateHz: number;
  /** Starts over at the end instead of ending. @default {false} */
  readonly isLooping?: boolean;
  /** RTP clock rate in Hz. @default {90000} */
  readonly clockRateHz?: number;
  /** A frame that is later than this is dropped, to catch up, in ms. @default {1000} */
  readonly lateLimitMs?: number;
}

/** The part of the file to play, in seconds of normal play time; what is absent goes on from where it stands. */
export interface PlaybackRequest {
  /** First moment to play; `"now"` means the present position. */
  readonly start?: number | "now";
  /** The moment to stop before. */
  readonly end?: number;
}

/** What is going to be played. */
export interface PlayingRange {
  /** Normal play time of the first frame, in seconds. */
  readonly startSeconds: number;
  /** Normal play time of the end, in seconds; `undefined` when it loops for ever. */
  readonly endSeconds: number | undefined;
  /** Media ticks of the first frame. */
  readonly mediaTicks: number;
}

/** A frame to send now. */
export interface DueFrame {
  /** Its place in the file, from 0. */
  readonly frameIndex: number;
  /** When it was due, in ms on the caller's clock. */
  readonly dueMs: number;
  /** Its time in clock-rate units: those of the frame before it and one interval more, across pauses and seeks too. */
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

/**
 * A reader's position in a file of frames.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Playback } from "./playback.ts";
 * const playback = new Playback({ frameCount: 2, frameRateHz: 20 });
 * playback.play({}, 1000);
 * assertEquals(playback.take(1000)?.frameIndex, 0);
 * assertEquals(playback.nextDue(), 1050);
 * ```
 */
export class Playback {
  readonly #frameCount: number;
  readonly #frameRateHz: number;
  readonly #intervalMs: number;
  readonly #isLooping: boolean;
  readonly #clockRateHz: number;
  readonly #lateLimitMs: number;
  /** The frames of the running PLAY are due at `anchorMs` plus whole intervals. */
  #anchorMs = 0;
  #anchorTicks = 0;
  #framesSinceAnchor = 0;
  #nextFrame = 0;
  #endFrame: number | undefined;
  #isPlaying = false;
  #notBeforeMs = -Infinity;
  #taken = 0;
  #dropped = 0;
  #worstLatenessMs = 0;

  /** Starts at the first frame, not playing. */
  constructor(options: PlaybackOptions) {
    if (!(options.frameCount >= 1) || !(options.frameRateHz > 0)) {
      throw new RangeError(
        `Cannot play ${options.frameCount} frames at ${options.frameRateHz} Hz: both must be above 0`,
      );
    }
    this.#frameCount = options.frameCount;
    this.#frameRateHz = options.frameRateHz;
    this.#intervalMs = 1000 / options.frameRateHz;
    this.#isLooping = options.isLooping ?? false;
    this.#clockRateHz = options.clockRateHz ?? 90_000;
    this.#lateLimitMs = options.lateLimitMs ?? 1000;
  }

  /** Length of the file in seconds. */
  get durationSeconds(): number {
    return this.#frameCount / this.#frameRateHz;
  }

  /** Normal play time of the next frame, in seconds. */
  get positionSeconds(): number {
    return this.#nextFrame / this.#frameRateHz;
  }

  /** Between PLAY and PAUSE or the end. */
  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** The last frame of the file or of the asked range has been handed out. */
  get isAtEnd(): boolean {
    return this.#nextFrame >= (this.#endFrame ?? this.#frameCount);
  }

  /**
   * Plays from `now` on. Without a start it goes on where it stands, and from the beginning when it stands at the end;
   * without an end it plays to the end of the file.
   *
   * @returns what is going to be played, or `undefined` when the range is outside the file (457).
   */
  play(request: PlaybackRequest, now: number): PlayingRange | undefined {
    const startFrame = this.#startFrameOf(request.start);
    const endFrame = request.end === undefined ? undefined : this.#endFrameOf(request.end);
    if (startFrame === undefined || (endFrame !== undefined && endFrame <= startFrame)) {
      return undefined;
    }
    this.#anchor(now, this.#ticksOfNext());
    this.#nextFrame = startFrame;
    this.#endFrame = endFrame ?? (this.#isLooping ? undefined : this.#frameCount);
    this.#isPlaying = true;
    return {
      startSeconds: startFrame / this.#frameRateHz,
      endSeconds: this.#endFrame === undefined ? undefined : this.#endFrame / this.#frameRateHz,
      mediaTicks: this.#anchorTicks,
    };
  }

  /** What is being played, seen from `now`: what a PLAY without a range answers while playing. */
  current(now: number): PlayingRange {
    return {
      startSeconds: this.positionSeconds,
      endSeconds: this.#endFrame === undefined ? undefined : this.#endFrame / this.#frameRateHz,
      mediaTicks: this.#isPlaying ? this.#ticksOfNext() : this.ticksAt(now),
    };
  }

  /** Stops; the next frame stays where it is. */
  pause(): void {
    this.#isPlaying = false;
  }

  /** When the next frame is due, in ms; `undefined` while nothing plays. */
  nextDue(): number | undefined {
    return this.#isPlaying ? Math.max(this.#dueOfNext(), this.#notBeforeMs) : undefined;
  }

  /**
   * The frame that is due at `now`, if one is, without taking it. Frames that are far too late are left out and counted.
   *
   * @returns its place in the file, from 0.
   */
  peek(now: number): number | undefined {
    if (!this.#isPlaying) return undefined;
    this.#catchUp(now);
    return Math.max(this.#dueOfNext(), this.#notBeforeMs) > now ? undefined : this.#nextFrame;
  }

  /** The place in the file, from 0, of the frame that follows `ahead` frames after the next one. */
  frameAhead(ahead: number): number {
    return (this.#nextFrame + ahead) % this.#frameCount;
  }

  /** Takes the frame that is due at `now`, if one is. */
  take(now: number): DueFrame | undefined {
    if (this.peek(now) === undefined) return undefined;
    const dueMs = this.#dueOfNext();
    const mediaTicks = this.#ticksOfNext();
    const frameIndex = this.#nextFrame;
    this.#worstLatenessMs = Math.max(this.#worstLatenessMs, now - dueMs);
    // Late frames follow each other at four times the rate at most, so that no receiver's buffer overflows.
    this.#notBeforeMs = now + this.#intervalMs / 4;
    this.#taken++;
    this.#advance(1);
    const isLast = this.#endFrame !== undefined && this.#nextFrame >= this.#endFrame;
    if (isLast) this.#isPlaying = false;
    return { frameIndex, dueMs, mediaTicks, isLast };
  }

  /** The media ticks that belong to `now`: the RTP time of a sender report, less its random start. */
  ticksAt(now: number): number {
    return this.#anchorTicks + Math.round(((now - this.#anchorMs) * this.#clockRateHz) / 1000);
  }

  /** Counters since the beginning. */
  stats(): PlaybackStatistics {
    return Object.freeze({
      taken: this.#taken,
      dropped: this.#dropped,
      worstLatenessMs: this.#worstLatenessMs,
    });
  }

  #startFrameOf(start: number | "now" | undefined): number | undefined {
    if (start === undefined || start === "now") return this.isAtEnd ? 0 : this.#nextFrame;
    // Three decimals are what players send: 1.033 s at 30 Hz means frame 31, not the 30.99th.
    const slack = Math.min(0.1, 0.0005 * this.#frameRateHz + 1e-6);
    const frame = Math.floor(start * this.#frameRateHz + slack);
    return frame >= 0 && frame < this.#frameCount ? frame : undefined;
  }

  #endFrameOf(end: number): number {
    const slack = Math.min(0.1, 0.0005 * this.#frameRateHz + 1e-6);
    return Math.min(this.#frameCount, Math.ceil(end * this.#frameRateHz - slack));
  }

  /**
   * Puts the next frame at `now`, its timestamp right behind that of the frame before: RFC 2326 App. B shows it so
   * for jumps, and GStreamer 1.22 ends the film early when a pause leaves a gap.
   */
  #anchor(now: number, ticks: number): void {
    this.#anchorMs = now;
    this.#anchorTicks = ticks;
    this.#framesSinceAnchor = 0;
    this.#notBeforeMs = -Infinity;
  }

  #dueOfNext(): number {
    return this.#anchorMs + this.#framesSinceAnchor * this.#intervalMs;
  }

  #ticksOfNext(): number {
    return this.#anchorTicks +
      Math.round((this.#framesSinceAnchor * this.#clockRateHz) / this.#frameRateHz);
  }

  #advance(frames: number): void {
    this.#framesSinceAnchor += frames;
    this.#nextFrame += frames;
    if (this.#endFrame === undefined) this.#nextFrame %= this.#frameCount;
  }

  #catchUp(now: number): void {
    const lateness = now - this.#dueOfNext();
    if (lateness <= this.#lateLimitMs) return;
    // The machine slept, or the program was stopped: go on from here rather than skip minutes of film.
    if (lateness > SLEEP_MS) return this.#anchor(now, this.ticksAt(now));
    const wanted = Math.floor(lateness / this.#intervalMs);
    const left = this.#endFrame === undefined ? wanted : this.#endFrame - 1 - this.#nextFrame;
    const dropped = Math.max(0, Math.min(wanted, left));
    this.#dropped += dropped;
    this.#advance(dropped);
  }
}

const SLEEP_MS = 10_000;
