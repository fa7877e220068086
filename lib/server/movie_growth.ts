/**
 * A movie that grows: while somebody has it open, its file is looked at, and its streams are told.
 *
 * Floor 4 (assembly). It owns no timer: it is an entry of the server's. What was appended is the disk's business.
 *
 * @module
 */

import type { MovieFile } from "../disk.ts";
import type { Paced } from "../engine/pacer.ts";
import type { PacerTimer } from "./pacer_timer.ts";

/** A stream of a movie that grows. */
export interface GrowthReader {
  /** There are more frames than before. */
  onGrown(): void;
  /** There will be no more: the file is no longer the one that was opened. */
  onGrowthEnded(): void;
}

/** Options of a {@linkcode MovieGrowth}. */
export interface MovieGrowthOptions {
  /** The file. */
  readonly file: MovieFile;
  /** The server's timer. */
  readonly timer: PacerTimer;
  /** Told once why it ends, where there are streams that end with it. */
  readonly onEnd: (reason: string) => void;
}

/** Follows one movie between {@linkcode MovieGrowth.start} and {@linkcode MovieGrowth.stop}. */
export class MovieGrowth implements Paced {
  /** The pacer's place. */
  pacing: Paced["pacing"] = undefined;
  readonly #options: MovieGrowthOptions;
  readonly #readers = new Set<GrowthReader>();
  #isRunning = false;
  #isEnded = false;

  /** Does not look yet. */
  constructor(options: MovieGrowthOptions) {
    this.#options = options;
  }

  /** The file is no longer the one that was opened. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Tells a stream from now on. */
  add(reader: GrowthReader): void {
    this.#readers.add(reader);
  }

  /** Tells a stream no more. */
  delete(reader: GrowthReader): void {
    this.#readers.delete(reader);
  }

  /** Looks at the file from now on. */
  start(): void {
    if (this.#isRunning || this.#isEnded) return;
    this.#isRunning = true;
    this.#lookLater();
  }

  /** Nobody has the movie open any more. */
  stop(): void {
    this.#isRunning = false;
    this.#options.timer.cancel(this);
  }

  /** Called by the pacer. */
  onDue(): void {
    this.#options.timer.stayResponsive();
    this.look().then(() => {
      if (this.#isRunning) this.#lookLater();
    });
  }

  /** Looks at the file now. Never rejects: what goes wrong ends the growth. */
  async look(): Promise<void> {
    if (this.#isEnded) return;
    try {
      if (!(await this.#options.file.grow())) return;
      for (const reader of [...this.#readers]) reader.onGrown();
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.stop();
    if (this.#readers.size > 0) this.#options.onEnd(reason);
    for (const reader of [...this.#readers]) reader.onGrowthEnded();
  }

  #lookLater(): void {
    const { timer } = this.#options;
    timer.schedule(this, timer.now() + LOOK_INTERVAL_MS);
  }
}

const LOOK_INTERVAL_MS = 200;
