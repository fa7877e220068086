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

  /** PLAY was answered. */
  played(range: PlayRange, answer: PlayAnswer): void {
    const begun = answer.startSeconds ?? range.startSeconds;
    if (begun !== undefined || this.#seconds !== undefined) this.#seconds = begun ?? this.#seconds;
    if (begun !== undefined) this.#ticks = 0;
    this.#timestamp = undefined;
    this.#scale = answer.scale ?? 1;
    if (range.scale !== undefined && range.scale !== 1) {
      this.#refusesScale = answer.scale === undefined || answer.scale === 1;
    }
  }

  /** A frame came. With a scale, timestamps still run as the clock does (RFC 2326 s12.34). */
  frame({ timestamp }: ReceivedFrame): void {
    if (this.#timestamp !== undefined) {
      this.#ticks += timestampDistance(this.#timestamp, timestamp) * this.#scale;
    }
    this.#timestamp = timestamp;
  }

  /** Another film. */
  reset(): void {
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
    };
  }
}

/** What players offer; which of them a server takes shows when one is asked for. */
const SCALES: readonly number[] = [-1, 0.25, 0.5, 1, 2, 4];
