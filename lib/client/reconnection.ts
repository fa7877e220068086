/**
 * Takes up a lost connection again, with growing pauses, until it works or somebody stops it.
 *
 * Floor 4 (client assembly). What an attempt is, the client says.
 *
 * @module
 */

import { Backoff, pause } from "./backoff.ts";

/** What a {@linkcode Reconnection} needs of its client. */
export interface ReconnectionOptions {
  /** First pause, in milliseconds. */
  readonly delayMs: number;
  /** Tries once; `signal` tells when nobody wants it any more. */
  attempt(signal: AbortSignal): Promise<void>;
  /** An attempt failed. */
  failed(error: Error): void;
  /** One line for a person. */
  note(text: string): void;
}

/** Attempts to connect again, one row of them at a time. */
export class Reconnection {
  readonly #options: ReconnectionOptions;
  #running: AbortController | undefined;

  /** Nothing is attempted yet. */
  constructor(options: ReconnectionOptions) {
    this.#options = options;
  }

  /** Begins a new row of attempts. */
  start(): void {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    void this.#run(running);
  }

  /** Ends the attempts; tells whether there were any. */
  stop(): boolean {
    const wasRunning = this.#running !== undefined;
    this.#running?.abort();
    this.#running = undefined;
    return wasRunning;
  }

  async #run(running: AbortController): Promise<void> {
    const { signal } = running;
    const backoff = new Backoff(this.#options.delayMs);
    for (;;) {
      const waitMs = backoff.next();
      this.#options.note(`Connecting again in ${(waitMs / 1000).toFixed(1)} s`);
      if (!await pause(waitMs, signal)) return;
      try {
        await this.#options.attempt(signal);
        if (this.#running === running) this.#running = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.failed(error as Error);
      }
    }
  }
}
