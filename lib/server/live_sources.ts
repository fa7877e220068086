/**
 * The live films of a server: each is there for as long as sessions are set up for it. Of several threads the main one
 * plays them, and the others borrow them.
 *
 * Floor 4 (assembly). What a film is doing is `live_source.ts`.
 *
 * @module
 */

import { Playback } from "../engine/playback.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import { LiveBorrower } from "./live_borrower.ts";
import type { HeldFilm } from "./live_film.ts";
import { LiveLender } from "./live_lender.ts";
import { LiveSource } from "./live_source.ts";
import type { SharedMovie } from "./media_library.ts";
import { DEFAULT_BURST_PACKETS } from "./options.ts";
import type { ServerParts } from "./parts.ts";
import { SharedUse } from "./shared_use.ts";
import { newSender } from "./stream_sender.ts";
import type { LentFilm, LiveLetter } from "./thread_messages.ts";

/** Which live film. */
export interface FilmChoice {
  /** The film. */
  readonly movie: SharedMovie;
  /** What the packets hold. */
  readonly format: PayloadFormat;
  /** Each reader has numbers of its own: then no thread needs another one for it. */
  readonly isNumbered: boolean;
  /** Canonical name of the source, where there is none yet. */
  readonly cname: string;
}

type SourceParts = Pick<
  ServerParts,
  "options" | "timer" | "phases" | "batches" | "library" | "thread" | "emit"
>;

/** All live films. */
export class LiveSources {
  readonly #parts: SourceParts;
  readonly #held = new SharedUse<LiveSource>();
  readonly #lender: LiveLender;
  readonly #borrower: LiveBorrower | undefined;

  /** No film is used yet. */
  constructor(parts: SourceParts) {
    this.#parts = parts;
    const { timer, thread, options } = parts;
    const post = (letter: LiveLetter, to: number) => thread?.others.post(letter, to);
    this.#lender = new LiveLender({ timer, post });
    this.#borrower = thread === undefined || thread.index === 0 ? undefined : new LiveBorrower({
      timer,
      burstPackets: options.burstPackets ?? DEFAULT_BURST_PACKETS,
      post: (letter) => post(letter, 0),
    });
  }

  /**
   * The film, to be used until it is released.
   *
   * @throws {MediaError} when the thread that plays it cannot open it.
   */
  async hold(choice: FilmChoice): Promise<HeldFilm> {
    const { movie, format, isNumbered, cname } = choice;
    if (this.#borrower === undefined || isNumbered) return this.#holdHere(choice);
    return await this.#borrower.hold(movie, format, cname);
  }

  /** Takes what another thread says of films. */
  receive(letter: LiveLetter, from: number): void {
    switch (letter.kind) {
      case "live-borrow":
        this.#lend(letter, from);
        return;
      case "live-watch":
        return this.#lender.setWatched(letter.loan, letter.isWatched);
      case "live-return":
        return this.#lender.takeBack(letter.loan);
      default:
        return this.#borrower?.receive(letter);
    }
  }

  async #lend(
    { request, path, format, cname }: Extract<LiveLetter, { kind: "live-borrow" }>,
    to: number,
  ): Promise<void> {
    let answer: LentFilm | string;
    try {
      const movie = await this.#parts.library.open(path, format === "lab");
      const { film, release } = this.#holdHere({ movie, format, isNumbered: false, cname });
      movie.release();
      answer = this.#lender.lend(film, to, release);
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error);
    }
    this.#parts.thread?.others.post({ kind: "live-lent", request, answer }, to);
  }

  #holdHere(choice: FilmChoice): HeldFilm & { readonly film: LiveSource } {
    const { movie, format, isNumbered } = choice;
    const { thing: film, release } = this.#held.hold(
      `${movie.id} ${format} ${isNumbered}`,
      () => this.#sourceOf(choice),
      (source) => source.close(),
    );
    return { film, release };
  }

  #sourceOf({ movie, format, cname }: FilmChoice): LiveSource {
    const { batches, timer, phases, options, emit } = this.#parts;
    const isGrowing = movie.growth !== undefined && !movie.growth.isEnded;
    return new LiveSource({
      movie: movie.share(),
      format,
      playback: new Playback({ timeline: movie.timeline, isLooping: true, isGrowing }),
      sender: newSender({ random: options.random, cname, isLab: false }),
      batches,
      timer,
      phases,
      burstPackets: options.burstPackets ?? DEFAULT_BURST_PACKETS,
      onFault: (message) => emit({ type: "warning", message }),
    });
  }
}
