/**
 * The faults found while a file of frames is indexed.
 *
 * Floor 1: keeps the first ones and counts all of them.
 *
 * @module
 */
import { FrameFileError } from "../errors.ts";
import type { FrameDamage } from "./frame_index.ts";

const LISTED = 100;
const ALWAYS_TOLERATED = 1000;

/** A list of faults of bounded length. */
export class DamageLog {
  /** The first 100 faults. */
  readonly list: FrameDamage[] = [];
  #count = 0;

  /** Number of faults. */
  get count(): number {
    return this.#count;
  }

  /**
   * Notes a fault; `goodFrames` were found so far.
   *
   * @throws {FrameFileError} `too-damaged` when there are far more faults than frames: such a file is no movie, and
   * looking further would cost much and find little.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { DamageLog } from "./frame_damage.ts";
   *
   * const damage = new DamageLog();
   * damage.add(7, "3 octets between frames", 1);
   * assertEquals(damage.list, [{ offset: 7, reason: "3 octets between frames" }]);
   * ```
   */
  add(offset: number, reason: string, goodFrames: number): void {
    this.#count++;
    if (this.list.length < LISTED) this.list.push({ offset, reason });
    if (this.#count <= ALWAYS_TOLERATED + 4 * goodFrames) return;
    throw new FrameFileError(
      `Cannot read file as frames: ${this.#count} faults and ${goodFrames} good frames up to octet ${offset}`,
      { code: "too-damaged", offset, rfc: "Motion-JPEG" },
    );
  }
}
