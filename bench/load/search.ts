/**
 * Looks for the largest number of readers that a server plays to in time.
 *
 * @module
 */
import { type Bench, measure, type Measurement, type MeasurePlan } from "./measure.ts";

/** What a search has found. */
export interface Largest {
  /** The largest number that worked; 0: not even one reader. */
  readonly readers: number;
  /** Why it may be more: the server was not what failed, or was not seen to fail. */
  readonly bound: "generator" | "time" | "descriptors" | undefined;
  /** Numbers that failed while other programs were busy, and whose failure counts all the same. */
  readonly doubtful: readonly number[];
}

/** How to search. */
export interface SearchOptions {
  /** No measurement begins later than this after the first, in seconds. */
  readonly limitS: number;
  /** Told of each measurement. */
  readonly onMeasured?: (measurement: Measurement) => void;
}

/** In time means: lost packets and late frames stay below these shares, and every reader plays. */
export function isInTime({ readers, playing, lossRatio, lateRatio }: Measurement): boolean {
  return playing === readers && lossRatio < 0.001 && lateRatio < 0.01;
}

/** Other programs took enough of the machine to spoil the measurement. */
export function isDisturbed({ othersPercent }: Measurement): boolean {
  return othersPercent > DISTURBING_PERCENT;
}

/**
 * Goes up or down from the plan's number by halves until it has one that works and one that does not, then halves the
 * gap to a tenth. A number that fails is tried again: once where it is near the limit, twice where other programs were in
 * the way.
 */
export async function largestInTime(
  bench: Bench,
  plan: MeasurePlan,
  { limitS, onMeasured = () => {} }: SearchOptions,
): Promise<Largest> {
  const limitMs = performance.now() + limitS * 1000;
  const isOver = () => performance.now() > limitMs;
  const doubtful: number[] = [];
  let bound: Largest["bound"];
  const works = async (readers: number) => {
    for (let attempt = 1;; attempt++) {
      const measurement = await measure(bench, { ...plan, ...STEP, readers });
      onMeasured(measurement);
      if (isInTime(measurement)) return true;
      const wasDisturbed = isDisturbed(measurement);
      const attempts = wasDisturbed ? 3 : isClearly(measurement) ? 1 : 2;
      if (attempt >= attempts || isOver()) {
        bound = isGeneratorsFault(measurement) ? "generator" : undefined;
        if (wasDisturbed) doubtful.push(readers);
        return false;
      }
    }
  };
  let good = 0;
  let bad = Infinity;
  for (let next = Math.min(plan.readers, MOST_READERS); !isOver();) {
    if (await works(next)) good = next;
    else bad = next;
    if (good >= MOST_READERS || bad <= 1 || bad - good <= Math.max(1, good / 10)) break;
    next = bad === Infinity
      ? Math.min(MOST_READERS, Math.ceil(good * GROWTH))
      : good === 0
      ? Math.floor(bad / GROWTH)
      : Math.floor((good + bad) / 2);
  }
  if (good >= MOST_READERS) bound = "descriptors";
  else if (bad === Infinity || bad - good > Math.max(1, good / 10)) bound ??= "time";
  return { readers: good, bound, doubtful };
}

/** What came was in time, but the generator did not take it all; or it had no time left to look. */
function isGeneratorsFault(measurement: Measurement): boolean {
  const { overflows, lostPackets, lateFrames, frames, generatorPercent } = measurement;
  const isAllItsLoss = overflows > lostPackets / 2 && overflows > 0 && lateFrames < frames / 100;
  return isAllItsLoss || generatorPercent > FULL_PERCENT;
}

/** So far from working that a little noise cannot be the reason. */
function isClearly({ readers, playing, lossRatio, lateRatio }: Measurement): boolean {
  return playing < readers || lossRatio > 0.02 || lateRatio > 0.2;
}

/** Just-in-time compilers have had a moment, and the numbers are large enough to tell. */
const STEP = { windowS: 3, settleS: 3, startsPerS: 300 };
const GROWTH = 1.5;
const DISTURBING_PERCENT = 20;
const FULL_PERCENT = 90;
/** Generator and servers have three descriptors for a reader at most, and 20,000 each on an ordinary system. */
const MOST_READERS = 6_000;
