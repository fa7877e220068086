/**
 * How many connections, or sessions, there may be: in all, and from one address.
 *
 * Floor 4 (assembly).
 *
 * @module
 */

/** Bounds of an {@linkcode AddressLimit}. */
export interface AddressLimitOptions {
  /** In all. */
  readonly total: number;
  /** From one address. */
  readonly perAddress: number;
}

/** Counts things by the address they come from. */
export class AddressLimit {
  readonly #options: AddressLimitOptions;
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** Starts at nothing. */
  constructor(options: AddressLimitOptions) {
    this.#options = options;
  }

  /** Things counted now. */
  get total(): number {
    return this.#total;
  }

  /**
   * Counts one more from this address.
   *
   * @returns `undefined`, or in words which limit forbids it (then nothing was counted).
   */
  take(address: string): string | undefined {
    const count = this.#counts.get(address) ?? 0;
    if (this.#total >= this.#options.total) return `${this.#options.total} in all are open already`;
    if (count >= this.#options.perAddress) {
      return `${this.#options.perAddress} from ${address} are open already`;
    }
    this.#counts.set(address, count + 1);
    this.#total++;
    return undefined;
  }

  /** Counts one less from this address. */
  release(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count <= 0) return;
    this.#total--;
    if (count === 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}
