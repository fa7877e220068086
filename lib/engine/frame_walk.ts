/**
 * The way from frame to frame at a scale (RFC 2326 s12.34): which is next, and when in seconds of presentation.
 *
 * Floor 2 (engine): no clock, no I/O. Up to scale 1 every frame is shown, longer; above it frames are left out and the
 * rate stays what it was. It knows neither pauses nor lateness: `playback.ts` does.
 *
 * @module
 */

import type { Timeline } from "../frames/timeline.ts";
import type { FrameRange } from "./frame_range.ts";

/** Where a {@linkcode FrameWalk} stands, to return to. */
export interface WalkPlace {
  /** The next frame. */
  readonly frame: number;
  /** When it is shown. */
  readonly seconds: number;
  /** Intervals since the base. */
  readonly stride: number;
  /** Presentation at the base. */
  readonly baseSeconds: number;
  /** Normal play time at the base. */
  readonly baseMediaSeconds: number;
}

/**
 * Walks over the frames of a film, to a frame to stop at, or round and round without one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { constantTimeline } from "../frames/timeline.ts";
 * import { FrameWalk } from "./frame_walk.ts";
 *
 * const walk = new FrameWalk(constantTimeline(100, 20));
 * walk.begin({ first: 19, stop: -1 }, -2);
 * walk.advance();
 * assertEquals([walk.nextFrame, walk.nextSeconds, walk.positionSeconds], [17, 0.05, 0.9]);
 * ```
 */
export class FrameWalk {
  readonly #timeline: Timeline;
  #scale = 1;
  /** The film's seconds at {@linkcode #baseSeconds} of presentation; both move on when the film starts over. */
  #baseMediaSeconds = 0;
  #baseSeconds = 0;
  /** Intervals since the base, where frames are left out. */
  #stride = 0;
  #nextFrame = 0;
  #nextSeconds = 0;
  #stop: FrameRange["stop"];

  /** Stands before the first frame. */
  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The next frame's place in the film, from 0; one beyond either end where none is left. */
  get nextFrame(): number {
    return this.#nextFrame;
  }

  /** Seconds of presentation from the beginning to the next frame. */
  get nextSeconds(): number {
    return this.#nextSeconds;
  }

  /** See {@linkcode FrameRange.stop}. */
  get stop(): FrameRange["stop"] {
    return this.#stop;
  }

  /** Seconds of film that a second of presentation shows; below 0 backwards. */
  get scale(): number {
    return this.#scale;
  }

  /** Normal play time where it stands, in seconds: the beginning of the next frame, backwards its end. */
  get positionSeconds(): number {
    return this.#timeline.secondsOf(this.#nextFrame + (this.#scale < 0 ? 1 : 0));
  }

  /** It stands at the frame to stop at, or beyond the last one. */
  get isAtEnd(): boolean {
    const { frameCount } = this.#timeline;
    return this.#scale < 0
      ? this.#nextFrame <= (this.#stop ?? -1)
      : this.#nextFrame >= (this.#stop ?? frameCount);
  }

  /** Begins at another frame, or at another scale. */
  begin({ first, stop }: Pick<FrameRange, "first" | "stop">, scale: number): void {
    this.#scale = scale;
    this.#nextFrame = first;
    this.#stop = stop;
    this.beginHere();
  }

  /** Counts presentation from the next frame on. */
  beginHere(): void {
    this.#rebase(0);
  }

  /** Goes on to the frame after the next one; from the end to the beginning where there is no frame to stop at. */
  advance(): void {
    if (Math.abs(this.#scale) > 1) this.#leap();
    else {
      this.#nextFrame += Math.sign(this.#scale);
      const shown = Math.abs(this.positionSeconds - this.#baseMediaSeconds);
      this.#nextSeconds = this.#baseSeconds + shown / Math.abs(this.#scale);
    }
    if (this.#stop !== undefined) return;
    const { frameCount } = this.#timeline;
    if (this.#nextFrame >= 0 && this.#nextFrame < frameCount) return;
    this.#nextFrame = this.#scale < 0 ? frameCount - 1 : 0;
    this.#rebase(this.#nextSeconds);
  }

  /** Where it stands. */
  place(): WalkPlace {
    return {
      frame: this.#nextFrame,
      seconds: this.#nextSeconds,
      stride: this.#stride,
      baseSeconds: this.#baseSeconds,
      baseMediaSeconds: this.#baseMediaSeconds,
    };
  }

  /** Returns to a place that it went on from. */
  goBackTo(place: WalkPlace): void {
    this.#nextFrame = place.frame;
    this.#nextSeconds = place.seconds;
    this.#stride = place.stride;
    this.#baseSeconds = place.baseSeconds;
    this.#baseMediaSeconds = place.baseMediaSeconds;
  }

  #rebase(seconds: number): void {
    this.#baseSeconds = seconds;
    this.#baseMediaSeconds = this.positionSeconds;
    this.#stride = 0;
    this.#nextSeconds = seconds;
  }

  /** Goes on by whole intervals until another frame is to be shown. */
  #leap(): void {
    const { frameRateHz, frameCount } = this.#timeline;
    const from = this.#nextFrame, isBackwards = this.#scale < 0;
    const edge = this.#timeline.secondsOf(from + (isBackwards ? 0 : 1));
    const perInterval = Math.abs(this.#scale) / frameRateHz;
    const toEdge = Math.abs(edge - this.#baseMediaSeconds) / perInterval;
    this.#stride = Math.max(this.#stride + 1, Math.floor(toEdge + 1e-6));
    for (;; this.#stride++) {
      const moved = this.#stride * perInterval;
      const seconds = this.#baseMediaSeconds + (isBackwards ? -moved : moved);
      this.#nextFrame = this.#frameShownAt(seconds, isBackwards);
      if (this.#nextFrame !== from) break;
    }
    this.#nextSeconds = this.#baseSeconds + this.#stride / frameRateHz;
    this.#nextFrame = Math.max(-1, Math.min(frameCount, this.#nextFrame));
    const stop = this.#stop;
    if (stop === undefined) return;
    this.#nextFrame = isBackwards
      ? Math.max(this.#nextFrame, stop)
      : Math.min(this.#nextFrame, stop);
  }

  /** The frame to show from a moment on, as `frame_range.ts` finds it, but exact, and one beyond either end of the film. */
  #frameShownAt(seconds: number, isBackwards: boolean): number {
    const { durationSeconds, frameCount } = this.#timeline;
    const slack = 1e-7;
    if (isBackwards) {
      if (seconds <= slack) return -1;
      const frame = this.#timeline.frameAt(seconds);
      return this.#timeline.secondsOf(frame) < seconds - slack ? frame : frame - 1;
    }
    if (seconds >= durationSeconds - slack) return frameCount;
    const frame = this.#timeline.frameAt(seconds);
    return this.#timeline.secondsOf(frame) > seconds + slack ? frame - 1 : frame;
  }
}
