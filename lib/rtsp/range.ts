/**
 * The Range header: normal play time, SMPTE time codes, absolute time.
 *
 * Floor 1.
 *
 * @see https://www.rfc-editor.org/rfc/rfc2326#section-3.5
 * @module
 */
import { RtspFormatError } from "../errors.ts";
import type { RtspFormatCode } from "./message.ts";

/** A range of normal play time (RFC 2326 s3.6). */
export interface NptRange {
  /** Kind of range. */
  readonly unit: "npt";
  /** First moment in seconds from the start, or `"now"`; absent where the range is open there. */
  readonly start?: number | "now";
  /** Last moment in seconds from the start; absent where the range is open there. */
  readonly end?: number;
  /** When the operation is to take effect, milliseconds of Unix time (RFC 2326 s12.29). */
  readonly effectiveUnixMs?: number;
}

/** A range of absolute time (RFC 2326 s3.7). */
export interface ClockRange {
  /** Kind of range. */
  readonly unit: "clock";
  /** First moment in milliseconds of Unix time. */
  readonly start: number;
  /** Last moment in milliseconds of Unix time; absent where the range is open there. */
  readonly end?: number;
  /** When the operation is to take effect, milliseconds of Unix time. */
  readonly effectiveUnixMs?: number;
}

/** A SMPTE time code (RFC 2326 s3.5). */
export interface SmpteTime {
  /** 0 to 99. */
  readonly hours: number;
  /** 0 to 59. */
  readonly minutes: number;
  /** 0 to 59. */
  readonly seconds: number;
  /** 0 to 99. */
  readonly frames: number;
  /** Hundredths of a frame, 0 to 99. */
  readonly subframes: number;
}

/** A range of SMPTE time codes (RFC 2326 s3.5). */
export interface SmpteRange {
  /** Kind of range. */
  readonly unit: "smpte";
  /** `"smpte"` (30 frames a second with drop by default), `"smpte-25"` or `"smpte-30-drop"`. */
  readonly scheme: "smpte" | "smpte-25" | "smpte-30-drop";
  /** First moment. */
  readonly start: SmpteTime;
  /** Last moment; absent where the range is open there. */
  readonly end?: SmpteTime;
  /** When the operation is to take effect, milliseconds of Unix time. */
  readonly effectiveUnixMs?: number;
}

/** The value of a Range header. */
export type RtspRange = NptRange | ClockRange | SmpteRange;

/**
 * Reads a Range header.
 *
 * Throws `RtspFormatError` (`code` `"range"`, `statusCode` 457) where it is none of the three kinds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseRange } from "./range.ts";
 * assertEquals(parseRange("npt=0.000-"), { unit: "npt", start: 0 });
 * assertEquals(parseRange("npt=now-"), { unit: "npt", start: "now" });
 * assertEquals(parseRange("npt=0:01:02.5-70"), { unit: "npt", start: 62.5, end: 70 });
 * ```
 */
export function parseRange(value: string): RtspRange {
  const [body, ...parameters] = value.length > LONGEST_RANGE ? [""] : value.split(";");
  const equals = body.indexOf("=");
  const unit = body.slice(0, Math.max(equals, 0)).trim().toLowerCase();
  const text = body.slice(equals + 1).trim();
  let range: RtspRange | undefined;
  if (unit === "npt") range = parseNptRange(text);
  else if (unit === "clock") range = parseClockRange(text);
  else if (unit === "smpte" || unit === "smpte-25" || unit === "smpte-30-drop") {
    range = parseSmpteRange(text, unit);
  }
  if (range === undefined) {
    throw new RtspFormatError<RtspFormatCode>(
      `Cannot read Range header "${value.slice(0, 80)}": wanted npt, clock or smpte times`,
      {
        code: "range",
        offset: Math.max(equals + 1, 0),
        rfc: "RFC 2326 s12.29",
        value,
        statusCode: 457,
      },
    );
  }
  for (const parameter of parameters) {
    const match = /^\s*time\s*=\s*(\S+)\s*$/i.exec(parameter);
    const effectiveUnixMs = match === null ? undefined : parseUtc(match[1]);
    if (effectiveUnixMs !== undefined) range = { ...range, effectiveUnixMs };
  }
  return range;
}

/** Writes a Range header; npt times have milliseconds. */
export function formatRange(range: RtspRange): string {
  const tail = range.effectiveUnixMs === undefined
    ? ""
    : `;time=${formatUtc(range.effectiveUnixMs)}`;
  switch (range.unit) {
    case "npt": {
      const start = range.start === undefined || range.start === "now"
        ? range.start ?? ""
        : formatSeconds(range.start);
      return `npt=${start}-${range.end === undefined ? "" : formatSeconds(range.end)}${tail}`;
    }
    case "clock":
      return `clock=${formatUtc(range.start)}-${
        range.end === undefined ? "" : formatUtc(range.end)
      }${tail}`;
    case "smpte":
      return `${range.scheme}=${formatSmpte(range.start)}-${
        range.end === undefined ? "" : formatSmpte(range.end)
      }${tail}`;
  }
}

/** Characters; far above what any range needs. */
const LONGEST_RANGE = 512;

function parseNptRange(text: string): NptRange | undefined {
  const match = /^([^\s-]*)\s*-\s*([^\s-]*)$/.exec(text);
  // A single moment without a dash is what some players send; it reads as open at the end.
  const [startText, endText] = match === null ? [text, ""] : [match[1], match[2]];
  if (match === null && text === "") return undefined;
  const range: { unit: "npt"; start?: number | "now"; end?: number } = { unit: "npt" };
  if (startText.toLowerCase() === "now") range.start = "now";
  else if (startText !== "") {
    const start = parseNptTime(startText);
    if (start === undefined) return undefined;
    range.start = start;
  }
  if (endText !== "") {
    const end = parseNptTime(endText);
    if (end === undefined) return undefined;
    range.end = end;
  }
  return range;
}

/** Seconds of `ss.fff` or `hh:mm:ss.fff` (RFC 2326 s3.6). */
function parseNptTime(text: string): number | undefined {
  if (/^\d{1,10}(?:\.\d*)?$/.test(text) || /^\.\d+$/.test(text)) return Number(text);
  const match = /^(\d{1,6}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)$/.exec(text);
  if (match === null || Number(match[2]) > 59 || Number(match[3]) >= 60) return undefined;
  return Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

function formatSeconds(seconds: number): string {
  if (!(seconds >= 0 && seconds < 1e10)) {
    throw new RangeError(`Cannot write npt time: ${seconds} seconds, wanted 0 to 9999999999`);
  }
  return seconds.toFixed(3);
}

function parseClockRange(text: string): ClockRange | undefined {
  const match = /^(\S+?)\s*-\s*(\S*)$/.exec(text);
  if (match === null) return undefined;
  const start = parseUtc(match[1]);
  const end = match[2] === "" ? undefined : parseUtc(match[2]);
  if (start === undefined || (match[2] !== "" && end === undefined)) return undefined;
  return end === undefined ? { unit: "clock", start } : { unit: "clock", start, end };
}

/** Unix milliseconds of `19961108T142300.25Z` (RFC 2326 s3.7). */
function parseUtc(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\.\d*)?Z$/i.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hours, minutes, seconds] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const fraction = match[7] === undefined || match[7] === "." ? 0 : Number(match[7]);
  const wholeSeconds = daysSince1970(year, month, day) * 86400 + hours * 3600 + minutes * 60 +
    seconds;
  return wholeSeconds * 1000 + Math.round(fraction * 1000);
}

function formatUtc(unixMs: number): string {
  const whole = Math.round(unixMs);
  const days = Math.floor(whole / 86_400_000);
  const [year, month, day] = dateOfDay(days);
  if (!(year >= 0 && year <= 9999)) {
    throw new RangeError(`Cannot write clock time: year ${year}, wanted 0 to 9999`);
  }
  const rest = whole - days * 86_400_000;
  const seconds = Math.floor(rest / 1000);
  const fraction = rest % 1000 === 0 ? "" : `.${String(rest % 1000).padStart(3, "0")}`;
  const date = `${String(year).padStart(4, "0")}${two(month)}${two(day)}`;
  const time = two(Math.floor(seconds / 3600)) + two(Math.floor(seconds / 60) % 60) +
    two(seconds % 60);
  return `${date}T${time}${fraction}Z`;
}

/** Days from 1970-01-01 in the Gregorian calendar: years start in March so that the leap day comes last. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of {@linkcode daysSince1970}. */
function dateOfDay(days: number): [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra -
    (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function parseSmpteRange(
  text: string,
  scheme: SmpteRange["scheme"],
): SmpteRange | undefined {
  const match = /^(\S+?)\s*-\s*(\S*)$/.exec(text);
  if (match === null) return undefined;
  const start = parseSmpteTime(match[1]);
  const end = match[2] === "" ? undefined : parseSmpteTime(match[2]);
  if (start === undefined || (match[2] !== "" && end === undefined)) return undefined;
  return end === undefined
    ? { unit: "smpte", scheme, start }
    : { unit: "smpte", scheme, start, end };
}

function parseSmpteTime(text: string): SmpteTime | undefined {
  const match = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,2}))?)?$/.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds, frames, subframes] = match.slice(1).map((part) =>
    Number(part ?? "0")
  );
  if (minutes > 59 || seconds > 59) return undefined;
  return { hours, minutes, seconds, frames, subframes };
}

function formatSmpte(time: SmpteTime): string {
  const whole = `${two(time.hours)}:${two(time.minutes)}:${two(time.seconds)}`;
  if (time.frames === 0 && time.subframes === 0) return whole;
  const frames = `${whole}:${two(time.frames)}`;
  return time.subframes === 0 ? frames : `${frames}.${two(time.subframes)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
