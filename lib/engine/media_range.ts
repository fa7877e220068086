/**
 * The three kinds of Range, and the film's own seconds: normal play time, time codes, absolute time.
 *
 * Floor 2 (engine), pure. RFC 2326 s3.5 to s3.7, s12.29. Time codes count from the film's beginning; absolute times need
 * a film that knows when it was taken.
 *
 * @module
 */

import { formatRange, parseRange, type RtspRange } from "../rtsp_headers.ts";
import type { PlayingRange } from "./playback.ts";

/** A part of a film, in seconds from its beginning. */
export interface FilmRange {
  /** First moment; absent where it is open. */
  readonly start?: number | "now";
  /** Last moment; absent where it is open. */
  readonly end?: number;
}

/** What a film knows of its times. */
export interface FilmTimes {
  /** Unix milliseconds of its first frame, where that is known. */
  readonly startUnixMs?: number;
}

/**
 * The part of the film that a Range header names; `undefined` where the film has no times of that kind.
 *
 * @throws {RtspFormatError} `range`, when it is none of the three kinds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { filmRangeOf } from "./media_range.ts";
 *
 * assertEquals(filmRangeOf("smpte-25=0:01:00:05-", {}), { start: 60.2, end: undefined });
 * assertEquals(filmRangeOf("clock=20260101T000001Z-", {}), undefined);
 * assertEquals(
 *   filmRangeOf("clock=20260101T000001Z-", { startUnixMs: Date.UTC(2026, 0, 1) }),
 *   { start: 1, end: undefined },
 * );
 * ```
 */
export function filmRangeOf(value: string, film: FilmTimes): FilmRange | undefined {
  const range = parseRange(value);
  switch (range.unit) {
    case "npt":
      return { start: range.start, end: range.end };
    case "clock": {
      const { startUnixMs } = film;
      if (startUnixMs === undefined) return undefined;
      const secondsOf = (unixMs: number) => (unixMs - startUnixMs) / 1000;
      const end = range.end === undefined ? undefined : secondsOf(range.end);
      return { start: secondsOf(range.start), end };
    }
    case "smpte": {
      const end = range.end === undefined ? undefined : secondsOfTimeCode(range, range.end);
      return { start: secondsOfTimeCode(range, range.start), end };
    }
  }
}

/** The Range header that says what is really played, in the kind of times that was asked in. */
export function formatPlayedRange(
  played: PlayingRange,
  asked: string | undefined,
  film: FilmTimes,
): string {
  const { startSeconds: start, endSeconds: end } = played;
  const range = asked === undefined ? undefined : parseRange(asked);
  if (range?.unit === "clock" && film.startUnixMs !== undefined) {
    const { startUnixMs } = film;
    const unixMsOf = (seconds: number) => startUnixMs + Math.round(seconds * 1000);
    return formatRange({
      unit: "clock",
      start: unixMsOf(start),
      end: end === undefined ? undefined : unixMsOf(end),
    });
  }
  if (range?.unit === "smpte") {
    const { scheme } = range;
    return formatRange({
      unit: "smpte",
      scheme,
      start: timeCodeOf(scheme, start),
      end: end === undefined ? undefined : timeCodeOf(scheme, end),
    });
  }
  return formatRange({ unit: "npt", start, end });
}

type SmpteRange = Extract<RtspRange, { unit: "smpte" }>;
type Scheme = SmpteRange["scheme"];
type TimeCode = SmpteRange["start"];

/** Drop-frame time code leaves out numbers 0 and 1 of each minute but every tenth (SMPTE 12M). */
function secondsOfTimeCode({ scheme }: SmpteRange, code: TimeCode): number {
  const minutes = code.hours * 60 + code.minutes;
  const seconds = minutes * 60 + code.seconds;
  const part = code.frames + code.subframes / 100;
  if (scheme === "smpte-25") return seconds + part / 25;
  return (seconds * 30 + part - 2 * (minutes - Math.floor(minutes / 10))) * 1.001 / 30;
}

function timeCodeOf(scheme: Scheme, seconds: number): TimeCode {
  const rate = scheme === "smpte-25" ? 25 : 30;
  const hundredths = Math.round(seconds * 100 * (scheme === "smpte-25" ? 25 : 30 / 1.001));
  const counted = Math.floor(hundredths / 100);
  const frame = scheme === "smpte-25" ? counted : withDroppedNumbers(counted);
  const whole = Math.floor(frame / rate);
  return {
    hours: Math.floor(whole / 3600),
    minutes: Math.floor(whole / 60) % 60,
    seconds: whole % 60,
    frames: frame % rate,
    subframes: hundredths % 100,
  };
}

function withDroppedNumbers(frame: number): number {
  const tens = Math.floor(frame / FRAMES_OF_TEN_MINUTES);
  const rest = frame % FRAMES_OF_TEN_MINUTES;
  const dropped = rest < 1800 ? 0 : 2 * (1 + Math.floor((rest - 1800) / 1798));
  return frame + 18 * tens + dropped;
}

const FRAMES_OF_TEN_MINUTES = 17_982;
