/**
 * The live films of a server: each is there for as long as sessions are set up for it.
 *
 * Floor 4 (assembly). What one is doing is `live_source.ts`.
 *
 * @module
 */

import { Playback } from "../engine/playback.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import { LiveSource } from "./live_source.ts";
import type { SharedMovie } from "./media_library.ts";
import { DEFAULT_BURST_PACKETS } from "./options.ts";
import type { ServerParts } from "./parts.ts";

/** A film that is used, to be given back. */
export interface HeldSource {
  /** The film. */
  readonly source: LiveSource;
  /** Gives it back; harmless when repeated. */
  release(): void;
}

/** Which live film. */
export interface SourceChoice {
  /** The film. */
  readonly movie: SharedMovie;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** Each reader has numbers of its own. */
  readonly isNumbered: boolean;
}

/** All live films. */
export class LiveSources {
  readonly #held = new Map<string, { readonly source: LiveSource; holders: number }>();

  /** The film; where nobody uses it yet, one that sends with the numbers that `makeSender` makes. */
  hold(parts: ServerParts, choice: SourceChoice, makeSender: () => RtpSender): HeldSource {
    const { movie, format, isNumbered } = choice;
    const key = `${movie.id} ${format} ${isNumbered}`;
    let held = this.#held.get(key);
    if (held === undefined) {
      held = { source: sourceOf(parts, movie.share(), format, makeSender()), holders: 0 };
      this.#held.set(key, held);
    }
    const { source } = held;
    held.holders++;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      if (--held.holders > 0) return;
      this.#held.delete(key);
      source.end();
    };
    return { source, release };
  }
}

function sourceOf(
  { batches, timer, phases, options, emit }: ServerParts,
  movie: SharedMovie,
  format: PayloadFormat,
  sender: RtpSender,
): LiveSource {
  const isGrowing = movie.growth !== undefined && !movie.growth.isEnded;
  return new LiveSource({
    movie,
    format,
    playback: new Playback({ timeline: movie.timeline, isLooping: true, isGrowing }),
    sender,
    batches,
    timer,
    phases,
    burstPackets: options.burstPackets ?? DEFAULT_BURST_PACKETS,
    onFault: (message) => emit({ type: "warning", message }),
  });
}
