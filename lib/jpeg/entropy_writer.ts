/**
 * Writes the bits of one restart interval after the other as entropy-coded octets (ITU-T T.81 F.1.2.3).
 *
 * Floor 1. It knows neither blocks nor tables: `baseline_scan.ts` and `scan_recoder.ts` do.
 *
 * @module
 */

import { copyStuffed } from "./stuffing.ts";

/**
 * Collects the bits of a scan: room is made for a block or an MCU, its bits are put, an interval is ended. It keeps its
 * working memory from scan to scan.
 *
 * @example
 * ```ts
 * import { EntropyWriter } from "./entropy_writer.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new EntropyWriter();
 * writer.reserve(4);
 * writer.put(0xff, 8);
 * writer.put(0, 3);
 * writer.endInterval(0);
 * writer.endInterval();
 * assertEquals(writer.scan(), Uint8Array.of(0xff, 0x00, 0x1f, 0xff, 0xd0));
 * ```
 */
export class EntropyWriter {
  /** The interval under way, not yet stuffed. */
  #interval = new Uint8Array(SLACK);
  #view = new DataView(this.#interval.buffer);
  #intervalSize = 0;
  /** Bits that do not fill 32 yet, from the top, and how many more they take. */
  #accumulator = 0;
  #free = 32;
  /** The scan as far as it is finished. */
  #scan = new Uint8Array(0);
  #scanSize = 0;

  /** Begins another scan; what was written of the one before is forgotten. */
  begin(): void {
    this.#scanSize = 0;
    this.#beginInterval();
  }

  /** Makes room for `size` octets, so that {@linkcode put} need not look. */
  reserve(size: number): void {
    if (this.#intervalSize + size + SLACK <= this.#interval.length) return;
    const grown = new Uint8Array((this.#interval.length + size) * 2);
    grown.set(this.#interval.subarray(0, this.#intervalSize));
    this.#interval = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Appends the `size` (1 to 31) low bits of `bits`, the others of which are 0. */
  put(bits: number, size: number): void {
    const free = this.#free - size;
    if (free > 0) {
      this.#accumulator |= bits << free;
      this.#free = free;
      return;
    }
    this.#view.setInt32(this.#intervalSize, this.#accumulator | bits >>> -free);
    this.#intervalSize += 4;
    // In two steps, because none shifts by 32.
    this.#accumulator = bits << 1 << (31 + free);
    this.#free = free + 32;
  }

  /** Pads the interval with ones and stuffs it into the scan; RSTn stands behind it where `restart` is 0 to 7. */
  endInterval(restart?: number): void {
    const padding = this.#free & 7;
    if (padding > 0) this.put((1 << padding) - 1, padding);
    this.#view.setInt32(this.#intervalSize, this.#accumulator);
    const size = this.#intervalSize + (32 - this.#free >>> 3);
    if (this.#scanSize + size * 2 + 2 > this.#scan.length) {
      const grown = new Uint8Array((this.#scanSize + size) * 2 + 2);
      grown.set(this.#scan.subarray(0, this.#scanSize));
      this.#scan = grown;
    }
    const scan = this.#scan;
    let end = copyStuffed(this.#interval.subarray(0, size), scan, this.#scanSize);
    if (restart !== undefined) {
      scan[end++] = 0xff;
      scan[end++] = 0xd0 | restart;
    }
    this.#scanSize = end;
    this.#beginInterval();
  }

  /** The intervals that were ended, stuffed and with their RSTn markers; owned by the caller. */
  scan(): Uint8Array<ArrayBuffer> {
    return this.#scan.slice(0, this.#scanSize);
  }

  #beginInterval(): void {
    this.#intervalSize = 0;
    this.#accumulator = 0;
    this.#free = 32;
  }
}

/** What the accumulator and the padding may take beyond the room that was asked for. */
const SLACK = 8;
