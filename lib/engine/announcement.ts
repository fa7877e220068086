/**
 * What RTP-Info says of the first packet after PLAY, and which packets agree with it.
 * {@link https://www.rfc-editor.org/rfc/rfc2326#section-12.33 RFC 2326 s12.33}.
 *
 * Floor 2: imports serial. Does not believe an announcement for long: its owner forgets it with the first packet that
 * begins or goes on with a run.
 *
 * @module
 */
import { sequenceNumberDistance, timestampDistance } from "../serial.ts";

/** How far the first packet may be from the announced one. */
export const START_WINDOW = 100;
/** How much older than announced a packet from before a seek may be; what is older still is no part of it. */
const MAX_STALE_MS = 10_000;

/**
 * The first packet to come, as far as it was announced.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Announcement } from "./announcement.ts";
 *
 * const announcement = new Announcement(90_000);
 * announcement.set(65535, undefined);
 * assertEquals(announcement.isMetBy(1), true); // 65535 and 0 were lost
 * assertEquals(announcement.isBefore(65534, 0), true); // sent before the seek
 * ```
 */
export class Announcement {
  readonly #clockRateHz: number;
  #sequenceNumber: number | undefined;
  #timestamp: number | undefined;

  /** Nothing is announced. */
  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** The announced sequence number. */
  get sequenceNumber(): number | undefined {
    return this.#sequenceNumber;
  }

  /** Replaces what was announced. */
  set(sequenceNumber: number | undefined, timestamp: number | undefined): void {
    this.#sequenceNumber = sequenceNumber;
    this.#timestamp = timestamp;
  }

  /** Nothing is announced any more. */
  clear(): void {
    this.set(undefined, undefined);
  }

  /** Whether this may be the first packet to come, with what is missing before it lost. */
  isMetBy(sequenceNumber: number): boolean {
    if (this.#sequenceNumber === undefined) return false;
    const distance = sequenceNumberDistance(this.#sequenceNumber, sequenceNumber);
    return distance >= 0 && distance < START_WINDOW;
  }

  /** Whether a packet was sent before the announced one: by number if that is known, else by timestamp. */
  isBefore(sequenceNumber: number, timestamp: number): boolean {
    if (this.#sequenceNumber !== undefined) {
      const distance = sequenceNumberDistance(this.#sequenceNumber, sequenceNumber);
      return distance < 0 && distance > -START_WINDOW;
    }
    if (this.#timestamp === undefined) return false;
    const ticks = timestampDistance(this.#timestamp, timestamp);
    return ticks < 0 && ticks * 1000 > -MAX_STALE_MS * this.#clockRateHz;
  }
}
