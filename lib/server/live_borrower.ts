/**
 * Borrows live films from the main thread, each once for all readers of this thread.
 *
 * Floor 4 (assembly). The other side is `live_lender.ts`.
 *
 * @module
 */

import { RtpSender } from "../engine/sender.ts";
import { PAYLOAD_TYPE_JPEG } from "../rtp.ts";
import { BorrowedFilm } from "./borrowed_film.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import type { HeldFilm } from "./live_film.ts";
import { MediaError, type SharedMovie } from "./media_library.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import { SharedUse } from "./shared_use.ts";
import type { LentFilm, LiveLetter } from "./thread_messages.ts";

/** What a {@linkcode LiveBorrower} needs. */
export interface LiveBorrowerOptions {
  /** The thread's timer. */
  readonly timer: PacerTimer;
  /** Packets of a frame that leave at once, at least 1. */
  readonly burstPackets: number;
  /** Takes a letter to the main thread. */
  readonly post: (letter: LiveLetter) => void;
}

/** A film that was asked for. */
interface Loan {
  readonly number: Promise<number>;
  readonly film: Promise<BorrowedFilm>;
}

/** All films that are borrowed. */
export class LiveBorrower {
  readonly #options: LiveBorrowerOptions;
  readonly #loans = new SharedUse<Loan>();
  readonly #films = new Map<number, BorrowedFilm>();
  readonly #asked = new Map<number, (answer: LentFilm | string) => void>();
  #nextRequest = 1;

  /** Nothing is borrowed yet. */
  constructor(options: LiveBorrowerOptions) {
    this.#options = options;
  }

  /**
   * Borrows a film, or uses the borrowed one.
   *
   * @throws {MediaError} when the main thread has no such film.
   */
  async hold(movie: SharedMovie, format: PayloadFormat, cname: string): Promise<HeldFilm> {
    const { thing: loan, release } = this.#loans.hold(
      `${movie.id} ${format}`,
      () => this.#borrow(movie.path, format, cname),
      ({ number }) => number.then((number) => this.#giveBack(number), () => {}),
    );
    try {
      return { film: await loan.film, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Takes what the main thread says of films. */
  receive(letter: LiveLetter): void {
    switch (letter.kind) {
      case "live-lent":
        this.#asked.get(letter.request)?.(letter.answer);
        this.#asked.delete(letter.request);
        return;
      case "live-frame":
        return this.#films.get(letter.loan)?.takeFrames();
      case "live-moved":
        return this.#films.get(letter.loan)?.moveTo(letter.memory);
      case "live-end":
        return this.#films.get(letter.loan)?.end();
    }
  }

  #borrow(path: string, format: PayloadFormat, cname: string): Loan {
    const request = this.#nextRequest++;
    const { promise, resolve, reject } = Promise.withResolvers<readonly [number, BorrowedFilm]>();
    this.#asked.set(request, (answer) => {
      if (typeof answer === "string") return reject(new MediaError(answer));
      // At once: frames may follow in the next letter.
      const film = this.#filmOf(answer, cname);
      this.#films.set(answer.loan, film);
      resolve([answer.loan, film]);
    });
    this.#options.post({ kind: "live-borrow", request, path, format, cname });
    const number = promise.then(([loan]) => loan);
    // Nobody asks for the number of a loan that was refused.
    number.catch(() => {});
    return { number, film: promise.then(([, film]) => film) };
  }

  #filmOf(
    { loan, ssrc, timestamp, numbers, memory, written }: LentFilm,
    cname: string,
  ): BorrowedFilm {
    const { sequenceNumber } = numbers;
    const payloadType = PAYLOAD_TYPE_JPEG;
    const clockRateHz = 90_000;
    const random = Math.random;
    const sender = new RtpSender({
      ...{ ssrc, sequenceNumber, timestamp },
      ...{ clockRateHz, payloadType, cname, random },
    });
    sender.follow(numbers);
    const onWatched = (isWatched: boolean) =>
      this.#options.post({ kind: "live-watch", loan, isWatched });
    return new BorrowedFilm({ ...this.#options, sender, memory, written, onWatched });
  }

  #giveBack(loan: number): void {
    this.#films.delete(loan);
    this.#options.post({ kind: "live-return", loan });
  }
}
