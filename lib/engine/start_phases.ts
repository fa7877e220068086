/**
 * When streams that play at one rate begin, so that their frames fall due together in a few groups.
 *
 * Floor 2 (engine): no clock; `now` is an argument in milliseconds on a monotonic clock. Waking up costs a server more
 * than sending a frame does: readers that are due together share that cost, and as the whole schedule of a reader is
 * shifted, none of its frames is late for it. Groups fill evenly, so that no frame interval has one burst for all. It
 * does not know what is sent.
 *
 * @module
 */

/** A place in a group, to be given back. */
export interface StartPhase {
  /** When the schedule begins: at most one interval before the moment asked for, so that the first frame is due at once. */
  readonly startMs: number;
  /** How many streams each group of this rate has; the place counts in `group`. */
  readonly counts: Uint32Array;
  /** Index of the group. */
  readonly group: number;
}

/**
 * Places for streams of all rates.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { StartPhases } from "./start_phases.ts";
 * const phases = new StartPhases();
 * assertEquals(phases.take(1002, 40).startMs, 1000);
 * assertEquals(phases.take(1007, 40).startMs, 1000); // with the first
 * assertEquals(phases.take(1027, 40).startMs, 1024);
 * ```
 */
export class StartPhases {
  readonly #countsOfRate = new Map<number, Uint32Array>();

  /**
   * Takes a place among the few of a young group that began less than half an interval ago, else in the newest group that
   * is not fuller than others.
   *
   * @param intervalMs Milliseconds between two frames, above 0.
   */
  take(now: number, intervalMs: number): StartPhase {
    const groupCount = Math.max(1, Math.round(intervalMs / GROUP_INTERVAL_MS));
    const stepMs = intervalMs / groupCount;
    let counts = this.#countsOfRate.get(intervalMs);
    if (counts === undefined) {
      if (this.#countsOfRate.size >= MAX_RATES) this.#countsOfRate.clear();
      this.#countsOfRate.set(intervalMs, counts = new Uint32Array(groupCount));
    }
    const newest = Math.floor(now / stepMs);
    const young = youngGroup(counts, newest);
    if (young !== undefined) return placeIn(counts, young, stepMs);
    const limit = counts.reduce((sum, count) => sum + count, 0) / groupCount * SLACK +
      SLACK_STREAMS;
    let slot = newest;
    while (slot > newest - groupCount + 1 && counts[modulo(slot, groupCount)] >= limit) slot--;
    return placeIn(counts, slot, stepMs);
  }

  /** Gives a place back. */
  release({ counts, group }: StartPhase): void {
    counts[group]--;
  }
}

/** The newest of them that has room. */
function youngGroup(counts: Uint32Array, newest: number): number | undefined {
  for (let slot = newest; slot > newest - (counts.length >> 1); slot--) {
    const count = counts[modulo(slot, counts.length)];
    if (count > 0 && count < FEW_STREAMS) return slot;
  }
  return undefined;
}

function placeIn(counts: Uint32Array, slot: number, stepMs: number): StartPhase {
  const group = modulo(slot, counts.length);
  counts[group]++;
  return { startMs: slot * stepMs, counts, group };
}

function modulo(value: number, divisor: number): number {
  return (value % divisor + divisor) % divisor;
}

/** Groups are about so far apart. */
const GROUP_INTERVAL_MS = 4;
/** So many are sent to within a millisecond: fewer need no group of their own. */
const FEW_STREAMS = 16;
/** A group may be so much fuller than the mean, */
const SLACK = 1.25;
/** and have so many streams besides. */
const SLACK_STREAMS = 4;
/** Rates that are remembered: speeds of single readers need no groups. */
const MAX_RATES = 64;
