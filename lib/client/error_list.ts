/**
 * What went wrong, as sentences: the newest of them, none twice in a row.
 *
 * Floor 4 (client assembly), pure.
 *
 * @module
 */

import { MAX_ERRORS } from "./statistics.ts";

/** Keeps the newest {@linkcode MAX_ERRORS} sentences. */
export class ErrorList {
  readonly #sentences: string[] = [];

  /** Adds a sentence; tells whether it is another than the one before. */
  add(sentence: string): boolean {
    if (this.#sentences.at(-1) === sentence) return false;
    this.#sentences.push(sentence);
    if (this.#sentences.length > MAX_ERRORS) this.#sentences.shift();
    return true;
  }

  /** All that are kept, the oldest first; owned. */
  get sentences(): string[] {
    return [...this.#sentences];
  }
}
