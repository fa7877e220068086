/**
 * Many minutes of one load: does memory grow, does a descriptor stay open, does anything get lost, does the pace drift?
 *
 * Resident memory of a program with a collector goes up and down like a saw: what counts is the line under its lowest
 * points, and beside it what V8's full collections have left over.
 *
 * @module
 */
import type { Collection } from "./collections.ts";
import { type Bench, load, type Measurement, type MeasurePlan } from "./measure.ts";
import { openFilesOf, threadsOf, usageOf } from "./process.ts";
import { type AimResult, formatAims } from "./report.ts";
import { type RunningServer, startServer } from "./servers.ts";

/** What came of it. */
export interface SoakSummary {
  readonly minutes: number;
  readonly readers: number;
  /** Threads of the server under load. */
  readonly threads: number;
  /** Resident octets: the least and the most of the time that counts. */
  readonly rssBytes: readonly [least: number, most: number];
  /**
   * Growth of resident memory after the first third of the time (ten minutes at most), in octets an hour for each
   * 100 readers: through the lowest points of each quarter of the rest.
   */
  readonly memorySlope: number;
  /** Every heap was collected in each of these quarters: else the lowest points are nothing to go by. */
  readonly hasLowestPoints: boolean;
  /**
   * The same of what full collections have left of the heaps; `undefined` where a heap had fewer than
   * three of them in that time.
   */
  readonly heapSlope: number | undefined;
  /** Full collections in that time. */
  readonly collections: number;
  /** Open files a few seconds after the last reader that were not open before the first, films aside. */
  readonly leftOpen: readonly string[];
  readonly lostPackets: number;
  /** Of these, the generator's fault. */
  readonly overflows: number;
  readonly lateRatio: number;
  readonly latenessP99Ms: number;
  readonly driftMs: number;
  readonly worstDriftMs: number;
  /** The longest time in which the generator did not look at its sockets. */
  readonly longestPauseMs: number;
  /** CPU of other programs, in percent of a core. */
  readonly othersPercent: number;
}

/** A moment in seconds since the start, and octets. */
type Sample = readonly [second: number, bytes: number];

/** Runs one: of a server that plays without end. */
export async function soak(bench: Bench, plan: MeasurePlan, minutes: number): Promise<{
  summary: SoakSummary;
  aims: AimResult[];
  measurement: Measurement;
  samples: Sample[];
  collections: Collection[];
}> {
  const samples: Sample[] = [];
  const collections: Collection[] = [];
  const server = await startServer(
    plan.kind,
    plan.film,
    { nice: bench.nice },
    (collection) => collections.push(collection),
  );
  const began = performance.now();
  const second = () => (performance.now() - began) / 1000;
  let [threads, from] = [0, 0];
  let measurement: Measurement;
  let leftOpen: string[];
  try {
    // The server keeps films open for the next reader: they are open before it is counted.
    const few = Math.min(plan.readers, FIRST_READERS);
    await load(bench, { ...plan, readers: few, windowS: 1, settleS: 1 }, server);
    await settled(server);
    const filesBefore = openFilesOf(server.pid);
    from = second() + Math.min(minutes * 60 / 3, LONGEST_WARM_UP_S);
    measurement = await load(bench, { ...plan, windowS: minutes * 60 }, server, () => {
      samples.push([second(), usageOf(server.pid).rssBytes]);
      threads = Math.max(threads, threadsOf(server.pid));
    });
    await settled(server);
    leftOpen = newOnes(filesBefore, openFilesOf(server.pid))
      .filter((path) => !path.startsWith(plan.film.folder));
  } finally {
    // What it has to tell of collections may have to wait until it ends.
    await server.stop();
  }
  const counted = samples.filter(([at]) => at >= from);
  const growth = growthOf(counted, collections, plan.readers / 100);
  const summary: SoakSummary = { minutes, threads, ...growth, leftOpen, ...pick(measurement) };
  const aims = judgeSoak(summary);
  console.log(`\n${formatAims(aims)}`);
  return { summary, aims, measurement, samples, collections };
}

/** What of a measurement belongs into the summary. */
function pick(measurement: Measurement) {
  const { readers, lostPackets, overflows, lateRatio, latenessP99Ms, driftMs } = measurement;
  const { worstDriftMs, longestPauseMs, othersPercent } = measurement;
  return {
    ...{ readers, lostPackets, overflows, lateRatio, latenessP99Ms, driftMs },
    ...{ worstDriftMs, longestPauseMs, othersPercent },
  };
}

/** Slopes for each hundred readers. */
function growthOf(samples: readonly Sample[], all: readonly Collection[], hundreds: number) {
  const [from, until] = [samples[0][0], samples.at(-1)![0]];
  const collections = all.filter(({ second }) => second >= from && second <= until);
  const quarters = quartersOf(samples);
  const perHour = (slope: number) => Math.round(slope * 3600 / hundreds);
  const heapSlope = heapSlopeOf(collections);
  const octets = samples.map(([, bytes]) => bytes);
  return {
    rssBytes: [Math.min(...octets), Math.max(...octets)] as const,
    memorySlope: perHour(slopeOf(quarters.map(lowestOf))),
    hasLowestPoints: areCollected(quarters, all),
    heapSlope: heapSlope && perHour(heapSlope),
    collections: collections.length,
  };
}

/** Judges a soak against its aims. */
export function judgeSoak(summary: SoakSummary): AimResult[] {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
  const { memorySlope, hasLowestPoints, heapSlope, leftOpen, lostPackets, overflows, lateRatio } =
    summary;
  return [
    {
      aim: "memory, an hour and 100 readers: grows by less than 1 MB",
      reached: `${
        hasLowestPoints ? megabytes(memorySlope) : "too short to tell"
      }; after collections ${heapSlope === undefined ? "too few to tell" : megabytes(heapSlope)}`,
      isMet: hasLowestPoints || heapSlope !== undefined
        ? (!hasLowestPoints || memorySlope < MOST_GROWTH) && (heapSlope ?? 0) < MOST_GROWTH
        : undefined,
    },
    {
      aim: "descriptors left open: none",
      reached: leftOpen.length === 0 ? "none" : leftOpen.join(", "),
      isMet: leftOpen.length === 0,
    },
    {
      aim: "packets lost: none",
      reached: `${lostPackets}, of these ${overflows} by the generator`,
      isMet: lostPackets === 0,
    },
    {
      aim: "late frames: below 0.10 %",
      reached: `${(lateRatio * 100).toFixed(3)} %, p99 ${summary.latenessP99Ms.toFixed(1)} ms`,
      isMet: lateRatio < 0.001,
    },
    {
      aim: "drift of any reader: below 1 ms",
      reached: `${summary.driftMs.toFixed(2)} ms, at worst ${summary.worstDriftMs.toFixed(2)} ms`,
      isMet: Math.abs(summary.worstDriftMs) < 1,
    },
  ];
}

/** Waits until no more files are closed. */
async function settled(server: RunningServer): Promise<void> {
  for (let last = Infinity, quiet = 0; quiet < SETTLED_LOOKS;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_LOOK_MS));
    const count = openFilesOf(server.pid).length;
    quiet = count === last ? quiet + 1 : 0;
    last = count;
  }
}

/** What is in the second list more often than in the first. */
function newOnes(before: readonly string[], after: readonly string[]): string[] {
  const rest = [...before];
  return after.filter((name) => {
    const index = rest.indexOf(name);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}

function quartersOf(samples: readonly Sample[]): Sample[][] {
  const size = Math.max(1, Math.ceil(samples.length / 4));
  const quarters: Sample[][] = [];
  for (let i = 0; i < samples.length; i += size) quarters.push(samples.slice(i, i + size));
  return quarters;
}

function lowestOf(samples: readonly Sample[]): Sample {
  return samples.reduce((a, b) => b[1] < a[1] ? b : a);
}

/** Whether each heap that was ever collected was so in each quarter. Servers without such heaps have nothing to wait for. */
function areCollected(
  quarters: readonly (readonly Sample[])[],
  collections: readonly Collection[],
): boolean {
  const heaps = new Set(collections.map(({ heap }) => heap));
  return [...heaps].every((heap) =>
    quarters.every((quarter) =>
      collections.some((collection) =>
        collection.heap === heap && collection.second >= quarter[0][0] &&
        collection.second <= quarter.at(-1)![0]
      )
    )
  );
}

/** The slopes of all heaps together, in octets a second; `undefined` where one of them is not known. */
function heapSlopeOf(collections: readonly Collection[]): number | undefined {
  const heaps = Object.values(Object.groupBy(collections, ({ heap }) => heap));
  let sum = 0;
  for (const heap of heaps) {
    if (heap === undefined || heap.length < LEAST_COLLECTIONS) return undefined;
    sum += slopeOf(heap.map(({ second, bytes }) => [second, bytes]));
  }
  return heaps.length === 0 ? undefined : sum;
}

/** Least squares: octets a second. */
function slopeOf(samples: readonly Sample[]): number {
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

const FIRST_READERS = 40;
const LONGEST_WARM_UP_S = 600;
const LEAST_COLLECTIONS = 3;
const MOST_GROWTH = 1e6;
const SETTLED_LOOKS = 4;
const SETTLED_LOOK_MS = 500;
