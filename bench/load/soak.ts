/**
 * Many minutes of one load: does memory grow, does a descriptor stay open, does anything get lost, does the pace drift?
 *
 * @module
 */
import { type Bench, load, type Measurement, type MeasurePlan } from "./measure.ts";
import { openFilesOf, usageOf } from "./process.ts";
import { startServer } from "./servers.ts";

/** What came of it. */
export interface SoakSummary {
  readonly minutes: number;
  readonly readers: number;
  /** Growth of resident memory after the first fifth of the time, in octets an hour for each 100 readers. */
  readonly memorySlope: number;
  /** Open files at the end less those before the first reader; a connection of ours is among neither. */
  readonly leftOpen: number;
  readonly lostPackets: number;
  readonly lateRatio: number;
  readonly driftMs: number;
  readonly worstDriftMs: number;
}

/** Runs one. */
export async function soak(
  bench: Bench,
  plan: MeasurePlan,
  minutes: number,
): Promise<{ summary: SoakSummary; measurement: Measurement; samples: [number, number][] }> {
  const server = await startServer(plan.kind, plan.film, { nice: bench.nice });
  try {
    const samples: [second: number, rssBytes: number][] = [];
    const began = performance.now();
    const filesBefore = openFilesOf(server.pid);
    const measurement = await load(bench, { ...plan, windowS: minutes * 60 }, server, () => {
      samples.push([(performance.now() - began) / 1000, usageOf(server.pid).rssBytes]);
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const settled = samples.slice(Math.floor(samples.length / 5));
    const summary = {
      minutes,
      readers: plan.readers,
      memorySlope: Math.round(slopeOf(settled) * 3600 / (plan.readers / 100)),
      leftOpen: openFilesOf(server.pid) - filesBefore,
      lostPackets: measurement.lostPackets,
      lateRatio: measurement.lateRatio,
      driftMs: measurement.driftMs,
      worstDriftMs: measurement.worstDriftMs,
    };
    return { summary, measurement, samples };
  } finally {
    await server.stop();
  }
}

/** Least squares: octets a second. */
function slopeOf(samples: readonly (readonly [x: number, y: number])[]): number {
  const meanX = samples.reduce((sum, [x]) => sum + x, 0) / samples.length;
  const meanY = samples.reduce((sum, [, y]) => sum + y, 0) / samples.length;
  let upper = 0;
  let lower = 0;
  for (const [x, y] of samples) {
    upper += (x - meanX) * (y - meanY);
    lower += (x - meanX) ** 2;
  }
  return lower === 0 ? 0 : upper / lower;
}
