/**
 * How long something takes, told apart from how busy the machine is.
 *
 * @module
 */

/** The shortest of at most three runs in ms; the first that is within `limitMs` ends the measurement. */
export function shortestRunMs(limitMs: number, run: () => void): number {
  let shortest = Infinity;
  for (let attempt = 0; attempt < 3 && shortest > limitMs; attempt++) {
    const start = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
