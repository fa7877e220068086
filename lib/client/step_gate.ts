/**
 * Step mode: requests wait in a row, and each goes when somebody says so.
 *
 * Floor 4 (client assembly). Nothing times a request while it waits here. Keepalives and second attempts with
 * credentials belong to what was let through already, and do not wait.
 *
 * @module
 */

import type { WaitingRequest } from "./wire.ts";

/** A request in the row, and since when. */
export interface HeldRequest extends WaitingRequest {
  /** When it came, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
}

interface Held {
  readonly request: HeldRequest;
  readonly let: () => void;
}

/** Holds requests back. */
export class StepGate {
  readonly #row: Held[] = [];
  readonly #onChange: () => void;
  #isEnabled: boolean;

  /** `onChange` is called whenever what waits, or the mode, has changed. */
  constructor(options: { readonly isEnabled: boolean; readonly onChange?: () => void }) {
    this.#isEnabled = options.isEnabled;
    this.#onChange = options.onChange ?? (() => {});
  }

  /** Whether requests wait. */
  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** The request that goes next, if one waits. */
  get waiting(): HeldRequest | undefined {
    return this.#row[0]?.request;
  }

  /** Switches step mode; switching it off lets everything go. */
  setEnabled(isEnabled: boolean): void {
    if (this.#isEnabled === isEnabled) return;
    this.#isEnabled = isEnabled;
    if (!isEnabled) { for (const { let: go } of this.#row.splice(0)) go(); }
    this.#onChange();
  }

  /** Lets the next request go; false when none waits. */
  step(): boolean {
    const next = this.#row.shift();
    next?.let();
    if (next) this.#onChange();
    return next !== undefined;
  }

  /** Resolves when the request may go, or when `signal` says that it need not any more; `undefined`: it may go at once. */
  hold(request: WaitingRequest, signal: AbortSignal): Promise<void> | undefined {
    if (!this.#isEnabled || signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry: Held = { request: { ...request, sinceMs: performance.now() }, let: resolve };
    this.#row.push(entry);
    const forget = () => {
      const index = this.#row.indexOf(entry);
      if (index >= 0) this.#row.splice(index, 1);
      resolve();
      this.#onChange();
    };
    signal.addEventListener("abort", forget, { once: true });
    this.#onChange();
    return promise.finally(() => signal.removeEventListener("abort", forget));
  }
}
