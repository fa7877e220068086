/**
 * Where in the film a client stands: what the server said to PLAY, and the timestamps of the frames since.
 *
 * RFC 2326 s12.29, s12.34, App. B. Floor 4 (client assembly), pure.
 *
 * @module
 */

import { timestampDistance } from "../serial.ts";
import type { Conversation, FilmPosition, PlayAnswer, PlayRange } from "./conversation.ts";
import type { ReceivedFrame } from "./statistics.ts";

/** Reckons the position of one client's film. */
export class FilmClock {
  #seconds: number | undefined;
  #ticks = 0;
  #timestamp: number | undefined;
  #scale = 1;
  #refusesScale = false;
  /** Ticks from one frame of the film to the next. */
  #interval: number | undefined;

  /** PLAY was answered. */
  played(range: PlayRange, answer: PlayAnswer): void {
    const begun = answer.startSeconds ?? range.startSeconds;
    if (begun !== undefined || this.#seconds !== undefined) this.#seconds = begun ?? this.#seconds;
    if (begun !== undefined) this.#ticks = 0;
    // The first frames may have come before the answer was read.
    this.#timestamp = answer.rtpTimestamp;
    this.#scale = answer.scale ?? 1;
    if (range.scale !== undefined && range.scale !== 1) {
      this.#refusesScale = answer.scale === undefined || answer.scale === 1;
    }
  }

  /** A frame came. With a scale, timestamps still run as the clock does (RFC 2326 s12.34). */
  frame({ timestamp }: ReceivedFrame): void {
    if (this.#timestamp !== undefined) {
      const told = timestampDistance(this.#timestamp, timestamp);
      // Some servers announce a timestamp that has nothing to do with what they send.
      const distance = Math.abs(told) > LARGEST_STEP_TICKS ? 0 : told;
      this.#ticks += distance * this.#scale;
      // Faster than the film, servers leave frames out.
      const size = Math.abs(this.#scale);
      if (size <= 1 && distance > 0) this.#interval = distance * size;
    }
    this.#timestamp = timestamp;
  }

  /** A moment within the next frame of the film, or the one before; `undefined` where nobody can tell. */
  momentBeside(direction: 1 | -1, conversation: Conversation | undefined): number | undefined {
    const { positionSeconds, endSeconds } = this.position(conversation, true);
    const { clockRateHz } = conversation ?? {};
    if (positionSeconds === null || clockRateHz === undefined) return undefined;
    const seconds = (this.#interval ?? clockRateHz / 25) / clockRateHz;
    const middle = positionSeconds + (direction === 1 ? 1.5 : -0.5) * seconds;
    return Math.max(0, Math.min(middle, endSeconds ?? middle));
  }

  /** Another film. */
  reset(): void {
    this.#interval = undefined;
    this.#seconds = undefined;
    this.#ticks = 0;
    this.#timestamp = undefined;
    this.#scale = 1;
    this.#refusesScale = false;
  }

  /** How long the film is and where it stands, as far as the conversation lets one say. */
  position(conversation: Conversation | undefined, isSetUp: boolean): FilmPosition {
    const { extent, clockRateHz } = conversation ?? {};
    const isSeekable = isSetUp && extent !== undefined;
    const reckoned = this.#seconds === undefined || clockRateHz === undefined
      ? null
      : this.#seconds + this.#ticks / clockRateHz;
    return {
      startSeconds: extent?.startSeconds ?? 0,
      endSeconds: extent?.endSeconds ?? null,
      positionSeconds: reckoned === null ? null : Math.max(0, Math.round(reckoned * 1000) / 1000),
      isSeekable,
      scale: this.#scale,
      scales: isSeekable && !this.#refusesScale ? SCALES : [],
      isSteppable: isSeekable && reckoned !== null,
    };
  }
}

/** Ten minutes at 90 kHz. */
const LARGEST_STEP_TICKS = 54_000_000;
/** What players offer; which of them a server takes shows when one is asked for. */
const SCALES: readonly number[] = [-1, 0.25, 0.5, 1, 2, 4];
