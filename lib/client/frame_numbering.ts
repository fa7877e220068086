/**
 * Gives every frame its number, from 1, always rising, counting frames that are known to be lost.
 *
 * Floor 4 (client assembly), pure. In the lab dialect the RTP sequence number is the frame's number as long as every
 * frame is one packet (most servers); once a frame came in pieces, frames are counted instead.
 *
 * @module
 */

/** Numbers the frames of one client over all its connections. */
export class FrameNumbering {
  #last = 0;
  #offset: number | undefined; // added to an extended sequence number
  #isCounting: boolean;

  /** `followsSequence` is true in the lab dialect. */
  constructor(options: { readonly followsSequence: boolean }) {
    this.#isCounting = !options.followsSequence;
  }

  /** The number given last, 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** A new stream begins: its sequence numbers have nothing to do with those before. */
  restart(options: { readonly followsSequence: boolean }): void {
    this.#offset = undefined;
    this.#isCounting = !options.followsSequence;
  }

  /** Counts frames of which something came, but not all; only where frames are counted. */
  skip(count: number): void {
    if (this.#isCounting) this.#last += count;
  }

  /** Number of the next whole frame, which came in `packetCount` packets, the last with that extended sequence number. */
  next(extendedSequenceNumber: number, packetCount: number): number {
    if (!this.#isCounting && packetCount === 1) {
      this.#offset ??= this.#firstOffset(extendedSequenceNumber);
      if (extendedSequenceNumber + this.#offset <= this.#last) {
        this.#offset = this.#last + 1 - extendedSequenceNumber; // the server began again at 1
      }
      return this.#last = extendedSequenceNumber + this.#offset;
    }
    this.#isCounting = true;
    return ++this.#last;
  }

  /** Numbers from 0 and from 1 are both in use; a film that starts far from either is counted from its first frame. */
  #firstOffset(first: number): number {
    const number = first % 0x10000; // the receiver may start its count of cycles anywhere
    if (this.#last > 0) return this.#last + 1 - first;
    if (number === 0) return 1 - first;
    return number <= MAX_FIRST_NUMBER ? number - first : 1 - first;
  }
}

/** A first number up to this is the frame's true number, the frames before it are lost. */
const MAX_FIRST_NUMBER = 1000;
