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
export interface AddressCounter {
  /** Things counted now. */
  readonly total: number;
  /**
   * Counts one more from this address.
   *
   * @returns `undefined`, or in words which limit forbids it (then nothing was counted).
   */
  take(address: string): string | undefined;
  /** Counts one less from this address. */
  release(address: string): void;
}

/** The counter of a server with one thread. */
export class AddressLimit implements AddressCounter {
  readonly #options: AddressLimitOptions;
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** Starts at nothing. */
  constructor(options: AddressLimitOptions) {
    this.#options = options;
  }

  /** See {@linkcode AddressCounter.total}. */
  get total(): number {
    return this.#total;
  }

  /** See {@linkcode AddressCounter.take}. */
  take(address: string): string | undefined {
    const count = this.#counts.get(address) ?? 0;
    const refusal = refusalOf(address, count, this.#total, this.#options);
    if (refusal !== undefined) return refusal;
    this.#counts.set(address, count + 1);
    this.#total++;
    return undefined;
  }

  /** See {@linkcode AddressCounter.release}. */
  release(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count <= 0) return;
    this.#total--;
    if (count === 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}

/** Which limit forbids one more, in words. */
export function refusalOf(
  address: string,
  count: number,
  total: number,
  limits: AddressLimitOptions,
): string | undefined {
  if (total >= limits.total) return `${limits.total} in all are open already`;
  if (count >= limits.perAddress) return `${limits.perAddress} from ${address} are open already`;
  return undefined;
}
