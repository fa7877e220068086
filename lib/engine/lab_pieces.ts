/**
 * Tells the pieces of a frame that share one sequence number from packets that the network doubled. Lab servers that cut
 * large frames into several packets often number the frame, not the packet.
 *
 * Floor 2: imports nothing of ours. A fingerprint looks at a sample of the octets: two pieces of JPEG data that differ
 * nowhere in it do not occur, and if they did one piece would count as a duplicate.
 *
 * @module
 */

/** Packets that are remembered, a power of 2. */
const REMEMBERED = 256;
/** Octets that are sampled from each packet. */
const SAMPLES = 64;

/**
 * Remembers the newest packets of a stream by number and content.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LabPieces } from "./lab_pieces.ts";
 *
 * const pieces = new LabPieces();
 * assertEquals(pieces.isRepeated(7, new Uint8Array([1])), false);
 * assertEquals(pieces.isRepeated(7, new Uint8Array([2])), false);
 * assertEquals(pieces.isRepeated(7, new Uint8Array([1])), true);
 * ```
 */
export class LabPieces {
  readonly #numbers = new Float64Array(REMEMBERED).fill(NaN);
  readonly #fingerprints = new Uint32Array(REMEMBERED);
  #count = 0;

  /** Forgets everything: the numbers begin again. */
  clear(): void {
    this.#numbers.fill(NaN);
  }

  /** Remembers a packet, and says whether the same came before: same number, same octets. */
  isRepeated(extended: number, datagram: Uint8Array): boolean {
    const fingerprint = fingerprintOf(datagram);
    for (let i = 0; i < REMEMBERED; i++) {
      if (this.#numbers[i] === extended && this.#fingerprints[i] === fingerprint) return true;
    }
    this.#numbers[this.#count & (REMEMBERED - 1)] = extended;
    this.#fingerprints[this.#count & (REMEMBERED - 1)] = fingerprint;
    this.#count++;
    return false;
  }
}

/** FNV-1a over the length and a sample of octets spread evenly, first and last included. */
function fingerprintOf(datagram: Uint8Array): number {
  let hash = Math.imul(0x811c_9dc5 ^ datagram.length, 0x0100_0193);
  const step = Math.max(1, (datagram.length - 1) / SAMPLES);
  for (let at = 0; at < datagram.length; at += step) {
    hash = Math.imul(hash ^ datagram[at | 0], 0x0100_0193);
  }
  return hash >>> 0;
}
