/**
 * When each frame of a movie is shown: at a constant rate, or at times of its own.
 *
 * Floor 1: seconds from the first frame, in memory; knows no clock and no RTP timestamps.
 *
 * @module
 */

/** The times of a movie's frames, in seconds from its beginning. */
export interface Timeline {
  /** Number of frames, at least 1. */
  readonly frameCount: number;
  /** Frames a second; the mean where the rate varies. */
  readonly frameRateHz: number;
  /** Every frame is shown as long as any other. */
  readonly isConstant: boolean;
  /** Seconds at which the last frame ends. */
  readonly durationSeconds: number;
  /** Seconds at which frame `i` (0-based) begins; that of frame `frameCount` is the end. */
  secondsOf(i: number): number;
  /**
   * The frame (0-based) that is shown at that moment; a moment before the first or behind the last gives the nearest.
   * Three decimals are what players send: 1.033 s at 30 Hz means frame 31, not the 30.99th.
   */
  frameAt(seconds: number): number;
}

/**
 * Frames at a constant rate in Hz.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { constantTimeline } from "./timeline.ts";
 *
 * const timeline = constantTimeline(100, 30);
 * assertEquals([timeline.frameAt(1.033), timeline.frameAt(1.03), timeline.frameAt(99)], [31, 30, 99]);
 * ```
 */
export function constantTimeline(frameCount: number, frameRateHz: number): Timeline {
  if (!(frameCount >= 1) || !(frameRateHz > 0)) {
    throw new RangeError(
      `Cannot play ${frameCount} frames at ${frameRateHz} Hz: both must be above 0`,
    );
  }
  const slack = Math.min(0.1, DECIMALS_SECONDS * frameRateHz + 1e-6);
  return {
    frameCount,
    frameRateHz,
    isConstant: true,
    durationSeconds: frameCount / frameRateHz,
    secondsOf: (i) => i / frameRateHz,
    frameAt: (seconds) => clamp(Math.floor(seconds * frameRateHz + slack), frameCount),
  };
}

/**
 * Frames at a constant rate in Hz, whose number grows: `frameCount` and `durationSeconds` are those of the moment.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { growingTimeline } from "./timeline.ts";
 *
 * let frames = 1;
 * const timeline = growingTimeline(() => frames, 20);
 * frames = 40;
 * assertEquals([timeline.frameCount, timeline.durationSeconds, timeline.frameAt(99)], [40, 2, 39]);
 * ```
 */
export function growingTimeline(frameCount: () => number, frameRateHz: number): Timeline {
  const { frameAt, ...timeline } = constantTimeline(Number.MAX_SAFE_INTEGER, frameRateHz);
  return {
    ...timeline,
    get frameCount() {
      return frameCount();
    },
    get durationSeconds() {
      return frameCount() / frameRateHz;
    },
    frameAt: (seconds) => clamp(frameAt(seconds), frameCount()),
  };
}

/**
 * Frames at times of their own; a constant timeline where they differ from one by no more than they were rounded.
 *
 * @param starts Seconds at which each frame begins, never falling; taken over.
 * @param options `endSeconds`: when the last frame ends. `roundedToSeconds`: the unit the times were counted in.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { timelineOf } from "./timeline.ts";
 *
 * const odd = timelineOf(new Float64Array([0, 0.1, 0.5]), { endSeconds: 0.6, roundedToSeconds: 0.001 });
 * assertEquals([odd.isConstant, odd.frameRateHz, odd.frameAt(0.45), odd.durationSeconds], [false, 5, 1, 0.6]);
 * const even = timelineOf(new Float64Array([0, 0.033, 0.067]), { endSeconds: 0.1, roundedToSeconds: 0.001 });
 * assertEquals([even.isConstant, even.frameRateHz], [true, 30]);
 * ```
 */
export function timelineOf(
  starts: Float64Array,
  options: { readonly endSeconds: number; readonly roundedToSeconds: number },
): Timeline {
  const frameCount = starts.length;
  const first = starts[0];
  for (let i = 0; i < frameCount; i++) {
    starts[i] = Math.max(starts[i] - first, i === 0 ? 0 : starts[i - 1]);
  }
  const last = starts[frameCount - 1];
  const mean = frameCount > 1 && last > 0 ? last / (frameCount - 1) : options.endSeconds - first;
  const durationSeconds = Math.max(
    options.endSeconds - first,
    last + Math.min(options.roundedToSeconds, 0.001),
  );
  const rate = usualRate(mean > 0 ? 1 / mean : 25, options.roundedToSeconds / last);
  // Half a frame may be missing: ffmpeg writes AVI in half frames, and no empty one behind the last.
  const endsInTime = Math.abs(durationSeconds * rate - frameCount) < 0.55;
  if (endsInTime && isEven(starts, rate, options.roundedToSeconds)) {
    return constantTimeline(frameCount, rate);
  }
  return {
    frameCount,
    frameRateHz: frameCount / durationSeconds,
    isConstant: false,
    durationSeconds,
    secondsOf: (i) => i >= frameCount ? durationSeconds : starts[Math.max(0, i)],
    frameAt: (seconds) => lastStartedAt(starts, seconds),
  };
}

/** Half of the last decimal of `npt=1.033`. */
const DECIMALS_SECONDS = 0.0005;

/** Times are even when none is further from its place than two roundings. */
function isEven(starts: Float64Array, rateHz: number, roundedTo: number): boolean {
  const tolerance = 1.01 * roundedTo + 1e-9;
  for (let i = 0; i < starts.length; i++) {
    if (Math.abs(starts[i] - i / rateHz) > tolerance) return false;
  }
  return true;
}

/** The rate that people meant where the measured one differs from it by rounding only. */
function usualRate(rateHz: number, relativeError: number): number {
  const tolerance = Math.max(1e-6, Number.isFinite(relativeError) ? 1.5 * relativeError : 0);
  for (const base of [1, 1000 / 1001]) {
    const rounded = Math.round(rateHz / base) * base;
    if (rounded > 0 && Math.abs(rounded - rateHz) <= tolerance * rateHz) return rounded;
  }
  return rateHz;
}

function lastStartedAt(starts: Float64Array, seconds: number): number {
  let low = 0, high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle] <= seconds + DECIMALS_SECONDS + 1e-9) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function clamp(frame: number, frameCount: number): number {
  return Math.max(0, Math.min(frameCount - 1, frame));
}
