/**
 * Lends the live films of this thread to the readers of others: each frame is put, stamped, where they can take it.
 *
 * Floor 4 (assembly). The other side is `live_borrower.ts`. One copy of a frame is for all threads.
 *
 * @module
 */

import { FrameRing } from "../engine/frame_ring.ts";
import type { RelayFrame } from "../engine/relay.ts";
import type { LiveOutlet, LiveSource } from "./live_source.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { LentFilm, LiveLetter } from "./thread_messages.ts";

/** Somebody who takes frames in another thread. */
interface Borrower {
  /** Number of the loan. */
  readonly loan: number;
  readonly thread: number;
}

/** What a {@linkcode LiveLender} needs. */
export interface LiveLenderOptions {
  /** The thread's timer. */
  readonly timer: PacerTimer;
  /** Takes a letter to another thread. */
  readonly post: (letter: LiveLetter, to: number) => void;
}

/** All films that are lent. */
export class LiveLender {
  readonly #options: LiveLenderOptions;
  readonly #loans = new Map<
    number,
    { readonly outlet: LoanedSource; readonly giveBack: () => void }
  >();
  #nextLoan = 1;

  /** Nothing is lent yet. */
  constructor(options: LiveLenderOptions) {
    this.#options = options;
  }

  /** Lends a film, which is given back by `release` at the end. */
  lend(source: LiveSource, thread: number, release: () => void): LentFilm {
    const loan = this.#nextLoan++;
    const outlet = source.outlet instanceof LoanedSource
      ? source.outlet
      : new LoanedSource(source, this.#options);
    source.outlet = outlet;
    const borrower = { loan, thread };
    outlet.borrowers.add(borrower);
    const giveBack = () => {
      outlet.borrowers.delete(borrower);
      source.unwatch(borrower);
      if (outlet.borrowers.size === 0) source.outlet = undefined;
      release();
    };
    this.#loans.set(loan, { outlet, giveBack });
    const { ssrc, numbers } = source.sender;
    const timestamp = source.sender.timestampAt(0);
    return { loan, ssrc, timestamp, numbers, memory: outlet.memory, written: outlet.written };
  }

  /** The borrower has readers, or none any more. */
  setWatched(loan: number, isWatched: boolean): void {
    this.#loans.get(loan)?.outlet.setWatched(loan, isWatched);
  }

  /** The borrower needs it no more. */
  takeBack(loan: number): void {
    this.#loans.get(loan)?.giveBack();
    this.#loans.delete(loan);
  }
}

/** One film that is lent, and to whom. */
class LoanedSource implements LiveOutlet {
  readonly borrowers = new Set<Borrower>();
  readonly #source: LiveSource;
  readonly #options: LiveLenderOptions;
  #ring: FrameRing;

  constructor(source: LiveSource, options: LiveLenderOptions) {
    this.#source = source;
    this.#options = options;
    // Headers and tables come on top of what is in the file.
    this.#ring = FrameRing.create(source.largestFrameBytes * 1.1 + SPARE_BYTES);
  }

  get memory(): SharedArrayBuffer {
    return this.#ring.memory;
  }

  get written(): number {
    return this.#ring.written;
  }

  setWatched(loan: number, isWatched: boolean): void {
    for (const borrower of this.borrowers) {
      if (borrower.loan !== loan) continue;
      if (isWatched) this.#source.watch(borrower);
      else this.#source.unwatch(borrower);
    }
  }

  sendFrame({ batch, mediaTicks, spreadMs }: RelayFrame, dueMs: number): void {
    const { timer } = this.#options;
    const facts = {
      numbers: this.#source.sender.numbers,
      mediaTicks,
      nextTicks: this.#source.current(timer.now()).mediaTicks,
      spreadMs,
      unixMs: timer.unixMsAt(dueMs),
      positionSeconds: this.#source.positionSeconds,
    };
    if (!this.#ring.write(batch, facts)) {
      this.#ring = FrameRing.create(batch.bytes.length * 1.25);
      this.#post((loan) => ({ kind: "live-moved", loan, memory: this.memory }));
      this.#ring.write(batch, facts);
    }
    this.#post((loan) => ({ kind: "live-frame", loan }));
  }

  end(): void {
    this.#post((loan) => ({ kind: "live-end", loan }));
  }

  #post(letterFor: (loan: number) => LiveLetter): void {
    for (const { loan, thread } of this.borrowers) this.#options.post(letterFor(loan), thread);
  }
}

const SPARE_BYTES = 8192;
