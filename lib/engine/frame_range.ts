/**
 * Which frames of a film a range of normal play time means (RFC 2326 s12.29), forwards and backwards.
 *
 * Floor 2 (engine): no clock, no I/O. Players write three decimals, so a moment means the frame that begins within half
 * of the last one. It moves nothing: `playback.ts` does.
 *
 * @module
 */

import type { Timeline } from "../frames/timeline.ts";

/** The film, and where it stands. */
export interface FilmPlace {
  /** When each frame is shown. */
  readonly timeline: Timeline;
  /** It starts over at its end. */
  readonly isLooping: boolean;
  /** More frames are waited for at its end. */
  readonly isGrowing: boolean;
  /** The frame that would be shown next. */
  readonly nextFrame: number;
  /** It was last played backwards. */
  readonly wasBackwards: boolean;
}

/** Frames to play. */
export interface FrameRange {
  /** The first one. */
  readonly first: number;
  /** The one to stop at, not played itself; -1 backwards to the beginning; Infinity: none yet; `undefined`: never. */
  readonly stop: number | undefined;
  /** It is the one frame that is shown at a moment. */
  readonly isStep: boolean;
}

/**
 * The frames from `start` to `end`, in seconds of normal play time; what is absent goes on from where the film stands,
 * and to its end. `"now"` means where it stands, of a film that grows its newest frame.
 *
 * @returns `undefined` where nothing of the film lies between.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { constantTimeline } from "../frames/timeline.ts";
 * import { frameRange } from "./frame_range.ts";
 *
 * const film = {
 *   ...{ timeline: constantTimeline(100, 20), isLooping: false, isGrowing: false },
 *   ...{ nextFrame: 40, wasBackwards: false },
 * };
 * assertEquals(frameRange({ end: 3 }, false, film), { first: 40, stop: 60, isStep: false });
 * assertEquals(frameRange({ start: 2 }, true, film), { first: 39, stop: -1, isStep: false });
 * assertEquals(frameRange({ start: 6 }, false, film), undefined);
 * ```
 */
export function frameRange(
  { start: asked, end }: { readonly start?: number | "now"; readonly end?: number },
  isBackwards: boolean,
  film: FilmPlace,
): FrameRange | undefined {
  const { timeline, isGrowing } = film;
  const { frameCount, durationSeconds } = timeline;
  const newest = timeline.secondsOf(frameCount - (isBackwards ? 0 : 1));
  const start = asked === "now" && isGrowing ? newest : asked;
  const isHere = start === undefined || start === "now";
  const isOutside = (seconds: number) => seconds < 0 || seconds > durationSeconds + SLACK_SECONDS;
  if (!isHere && isOutside(start)) return undefined;
  if (!isHere && start === end) {
    const first = timeline.frameAt(start);
    return { first, stop: first + (isBackwards ? -1 : 1), isStep: true };
  }
  const first = isHere ? frameHere(film, isBackwards) : frameFrom(timeline, start, isBackwards);
  const mayWait = isGrowing && !isBackwards;
  if (first < 0 || first >= frameCount + (mayWait ? 1 : 0)) return undefined;
  if (mayWait && (end === undefined || end > durationSeconds)) {
    const frames = (end ?? Infinity) * timeline.frameRateHz;
    return { first, stop: Math.ceil(frames - SLACK_SECONDS), isStep: false };
  }
  if (end === undefined) {
    const stop = film.isLooping ? undefined : isBackwards ? -1 : frameCount;
    return { first, stop, isStep: false };
  }
  const stop = isBackwards
    ? timeline.frameAt(Math.max(0, end)) - 1
    : frameFrom(timeline, end, true) + 1;
  const isEmpty = isBackwards ? stop >= first : stop <= first;
  return isEmpty ? undefined : { first, stop, isStep: false };
}

/** The frame to go on with, in either direction. */
function frameHere(film: FilmPlace, isBackwards: boolean): number {
  const { frameCount } = film.timeline;
  const turned = film.nextFrame + (film.wasBackwards ? 1 : 0) - (isBackwards ? 1 : 0);
  if (isBackwards) return turned < 0 || turned >= frameCount ? frameCount - 1 : turned;
  if (turned >= frameCount) return film.isGrowing ? frameCount : 0;
  return turned;
}

/** The first frame to show from a moment on: forwards the one shown then, backwards the one shown right before. */
function frameFrom(timeline: Timeline, seconds: number, isBackwards: boolean): number {
  const { frameCount, durationSeconds } = timeline;
  if (!isBackwards) {
    const slack = Math.min(SLACK_SECONDS, 0.1 / timeline.frameRateHz);
    return seconds >= durationSeconds - slack ? frameCount : timeline.frameAt(seconds);
  }
  if (seconds >= durationSeconds) return frameCount - 1;
  const frame = timeline.frameAt(seconds);
  return seconds - timeline.secondsOf(frame) > SLACK_SECONDS ? frame : frame - 1;
}

/** Half of the last decimal that players send. */
const SLACK_SECONDS = 0.0005;
