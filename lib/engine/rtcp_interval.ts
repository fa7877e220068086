/**
 * When the next RTCP packet is due. {@link https://www.rfc-editor.org/rfc/rfc3550#section-6.2 RFC 3550 s6.2},
 * {@link https://www.rfc-editor.org/rfc/rfc3550#appendix-A.7 A.7}.
 *
 * Floor 2: imports nothing. Does not count members: an RTSP session over unicast has two, so that the share of the
 * bandwidth (5 %, reached at 6 kbit/s of media with reports of 100 octets) never exceeds the minimum interval, and the
 * minimum rules alone.
 *
 * @module
 */

/** Minimum interval between two reports of one member, RFC 3550 s6.2. */
const RTCP_MINIMUM_INTERVAL_MS = 5000;

/** Makes up for the timer reconsideration converging too low: e - 3/2, RFC 3550 s6.3.1. */
const COMPENSATION = Math.E - 1.5;

/**
 * Milliseconds until the next report: the minimum (halved before the first report), spread to 0.5 to 1.5 times
 * itself by `random`, which returns 0 (included) to 1 (excluded).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rtcpIntervalMs } from "./rtcp_interval.ts";
 *
 * assertEquals(Math.round(rtcpIntervalMs({ isInitial: false, random: () => 0.5 })), 4104);
 * ```
 */
export function rtcpIntervalMs(
  options: { readonly isInitial: boolean; readonly random: () => number },
): number {
  const minimum = options.isInitial ? RTCP_MINIMUM_INTERVAL_MS / 2 : RTCP_MINIMUM_INTERVAL_MS;
  return minimum * (options.random() + 0.5) / COMPENSATION;
}
