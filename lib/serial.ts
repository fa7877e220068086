/**
 * Arithmetic on numbers that wrap: RTP sequence numbers (2^16) and RTP timestamps (2^32).
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1 RFC 3550 A.1},
 * {@link https://www.rfc-editor.org/rfc/rfc1982 RFC 1982}.
 *
 * Floor 0: imports nothing. Does not remember anything: who needs the number of cycles keeps the extended number.
 *
 * @module
 */

/**
 * The signed shortest way between two sequence numbers, in packets: positive when `to` comes after `from`.
 *
 * Both are 0 to 65535; the result is -32768 to 32767, and exactly half the circle counts as behind (RFC 1982 s3.2
 * leaves it open).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sequenceNumberDistance } from "./serial.ts";
 *
 * assertEquals(sequenceNumberDistance(65535, 1), 2);
 * assertEquals(sequenceNumberDistance(1, 65535), -2);
 * ```
 */
export function sequenceNumberDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/**
 * The signed shortest way between two timestamps, in ticks of the clock rate: positive when `to` is later.
 *
 * Both are 0 to 2^32 - 1; the result is -2^31 to 2^31 - 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { timestampDistance } from "./serial.ts";
 *
 * assertEquals(timestampDistance(0xffff_ffff, 3599), 3600);
 * ```
 */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The sequence number `n` packets after `a` (before it when `n` is negative), 0 to 65535. */
export function addSequenceNumber(a: number, n: number): number {
  return (a + n) & 0xffff;
}

/** The timestamp `n` ticks after `a`, 0 to 2^32 - 1; `n` may be any safe integer, negative too. */
export function addTimestamp(a: number, n: number): number {
  return (a + n) >>> 0;
}

/**
 * The extended sequence number (RFC 3550 A.1: cycles in the bits above the lower 16) that lies nearest to `reference`
 * and ends in `sequenceNumber`. May be negative for a packet from before the first one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { extendSequenceNumber } from "./serial.ts";
 *
 * assertEquals(extendSequenceNumber(65535, 0), 65536);
 * assertEquals(extendSequenceNumber(65537, 65535), 65535);
 * ```
 */
export function extendSequenceNumber(reference: number, sequenceNumber: number): number {
  return reference + (((sequenceNumber - reference) << 16) >> 16);
}
