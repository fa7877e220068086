/**
 * NTP timestamps as RTCP carries them.
 * {@link https://www.rfc-editor.org/rfc/rfc3550#section-4 RFC 3550 s4},
 * {@link https://www.rfc-editor.org/rfc/rfc5905#section-6 RFC 5905 s6}.
 *
 * Floor 1: imports nothing. Does not read a clock: the time is an argument.
 *
 * @module
 */

/** A 64-bit NTP timestamp. Both fields 0 mean that the sender knows no wall-clock time (RFC 3550 s6.4.1). */
export interface NtpTimestamp {
  /** Seconds since 1900-01-01T00:00Z, modulo 2^32. */
  readonly seconds: number;
  /** Fraction of a second in units of 2^-32 s. */
  readonly fraction: number;
}

/** Seconds from 1900-01-01 to 1970-01-01, RFC 868. */
const UNIX_EPOCH_SECONDS = 2_208_988_800;

/**
 * The NTP timestamp of a Unix time in milliseconds (fractions are kept).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ntpFromUnixMs } from "./ntp_time.ts";
 *
 * assertEquals(ntpFromUnixMs(500), { seconds: 2_208_988_800, fraction: 2 ** 31 });
 * ```
 */
export function ntpFromUnixMs(unixMs: number): NtpTimestamp {
  let seconds = Math.floor(unixMs / 1000);
  let fraction = Math.round((unixMs - seconds * 1000) / 1000 * 2 ** 32);
  if (fraction >= 2 ** 32) {
    seconds++;
    fraction = 0;
  }
  return { seconds: (seconds + UNIX_EPOCH_SECONDS) >>> 0, fraction };
}

/**
 * The Unix time in milliseconds of an NTP timestamp. Seconds below 2^31 belong to the era that begins in 2036
 * (RFC 4330 s3).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { unixMsFromNtp } from "./ntp_time.ts";
 *
 * assertEquals(unixMsFromNtp({ seconds: 2_208_988_801, fraction: 2 ** 30 }), 1250);
 * ```
 */
export function unixMsFromNtp(ntp: NtpTimestamp): number {
  const era = ntp.seconds < 2 ** 31 ? 2 ** 32 : 0;
  return (ntp.seconds + era - UNIX_EPOCH_SECONDS) * 1000 + ntp.fraction / 2 ** 32 * 1000;
}

/** The middle 32 bits of an NTP timestamp, in units of 1/65536 s: what LSR carries and round trips are computed in. */
export function compactNtp(ntp: NtpTimestamp): number {
  return ((ntp.seconds << 16) | (ntp.fraction >>> 16)) >>> 0;
}
