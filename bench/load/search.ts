/**
 * Looks for the largest number of readers that a server plays to in time.
 *
 * @module
 */
import { type Bench, measure, type Measurement, type MeasurePlan } from "./measure.ts";

/** In time means: lost packets and late frames stay below these shares, and every reader plays. */
export function isInTime({ readers, playing, lossRatio, lateRatio }: Measurement): boolean {
  return playing === readers && lossRatio < 0.001 && lateRatio < 0.01;
}

/**
 * Doubles or halves from the plan's number until it has one that works and one that does not, then halves the gap to a
 * tenth. A number that fails is tried once more: another program may have been in the way.
 *
 * @returns every measurement, and the largest number that worked (0: not even one reader).
 */
export async function largestInTime(
  bench: Bench,
  plan: MeasurePlan,
  told: (measurement: Measurement) => void = () => {},
): Promise<number> {
  const works = async (readers: number) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const measurement = await measure(bench, { ...plan, readers, windowS: 3 });
      told(measurement);
      if (isInTime(measurement)) return true;
    }
    return false;
  };
  let good = 0;
  let bad = Infinity;
  for (let next = plan.readers; bad === Infinity || good === 0;) {
    if (await works(next)) good = next;
    else bad = next;
    if (next <= 1 || good >= MOST_READERS) break;
    next = good === next ? Math.min(MOST_READERS, next * 2) : Math.floor(next / 2);
    if (next >= bad || next <= good) break;
  }
  while (bad !== Infinity && bad - good > Math.max(1, good / 10)) {
    const middle = Math.floor((good + bad) / 2);
    if (await works(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** The load generator's ports end there. */
const MOST_READERS = 4_000;
