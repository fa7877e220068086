/**
 * One measurement: a server, a film, so many readers; what the readers got and what the server used.
 *
 * @module
 */
import type { Film } from "./films.ts";
import { machineCpuMs, placed, type Usage, usageOf } from "./process.ts";
import { type Dialect, type RunningServer, type ServerKind, startServer } from "./servers.ts";

/** What the load generator counts in its window; times in ms. */
export interface Reception {
  readonly readers: number;
  /** Readers that got a whole frame. */
  readonly playing: number;
  readonly windowMs: number;
  readonly expectedFrames: number;
  /** Whole frames. */
  readonly frames: number;
  /** Frames with packets missing. */
  readonly tornFrames: number;
  readonly packets: number;
  readonly bytes: number;
  readonly lostPackets: number;
  /** Of these, packets for which a reader's receive buffer had no room: the generator was too slow. */
  readonly overflows: number;
  readonly reorderedPackets: number;
  /** Frames later than half a frame interval. */
  readonly lateFrames: number;
  readonly latenessP50Ms: number;
  readonly latenessP99Ms: number;
  readonly latenessMaxMs: number;
  /** From sending PLAY to the first packet. */
  readonly firstPacketP50Ms: number;
  readonly firstPacketP99Ms: number;
  /** How much later the last tenth of the window begins than the first, by its earliest frame; the median reader's. */
  readonly driftMs: number;
  readonly worstDriftMs: number;
  readonly generatorCpuMs: number;
  /** The longest time in which the generator did not look at its sockets. */
  readonly longestPauseMs: number;
}

/** A measurement. */
export interface Measurement extends Reception {
  readonly server: string;
  readonly dialect: Dialect;
  readonly film: string;
  /** CPU microseconds of the server for each frame that arrived. */
  readonly cpuUsPerFrame: number;
  /** CPU of the server in percent of one core. */
  readonly cpuPercent: number;
  /** CPU seconds of the server for each gigabit of packets that arrived. */
  readonly cpuSecondsPerGbit: number;
  /** CPU of the generator in percent of one core. */
  readonly generatorPercent: number;
  /** CPU of everything else on this machine, and of its host's other guests, in percent of one core. */
  readonly othersPercent: number;
  /** Share of packets lost. */
  readonly lossRatio: number;
  /** Share of the expected frames that came late, torn or not at all. */
  readonly lateRatio: number;
  /** The server's resident octets before the first reader and at the end. */
  readonly rssBytes: readonly [before: number, after: number];
}

/** How to measure. */
export interface MeasurePlan {
  readonly kind: ServerKind;
  readonly dialect: Dialect;
  readonly film: Film;
  readonly readers: number;
  /** Seconds to count. @default {4} */
  readonly windowS?: number;
  /** Seconds to wait before, from the moment the last reader plays. @default {4} */
  readonly settleS?: number;
  /** Readers that start in a second. @default {150} */
  readonly startsPerS?: number;
}

/** Where things run on this machine. */
export interface Bench {
  /** Path of the load generator. */
  readonly generator: string;
  /** Niceness of server and generator. */
  readonly nice: number;
}

/** Starts the server, measures, ends it. */
export async function measure(bench: Bench, plan: MeasurePlan): Promise<Measurement> {
  const server = await startServer(plan.kind, plan.film, {
    cores: plan.kind.isParallel ? undefined : serverCores(),
    nice: bench.nice,
  });
  try {
    return await load(bench, plan, server);
  } finally {
    await server.stop();
  }
}

/** Measures a server that runs already. */
export async function load(
  bench: Bench,
  plan: MeasurePlan,
  server: RunningServer,
  whileCounting: () => void = () => {},
): Promise<Measurement> {
  const before = usageOf(server.pid);
  let begin: Moment | undefined;
  let end: Moment | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  const reception = await generate(bench, plan, server.port, (mark) => {
    if (mark === "begin") {
      begin = momentOf(server.pid);
      timer = setInterval(whileCounting, SAMPLE_MS);
    } else {
      end = momentOf(server.pid);
      clearInterval(timer);
    }
  });
  if (begin === undefined || end === undefined) throw new Error("The load generator never counted");
  const cpuMs = end.cpuMs - begin.cpuMs;
  const othersMs = end.machineCpuMs - begin.machineCpuMs - cpuMs - reception.generatorCpuMs;
  const { frames, expectedFrames, lateFrames, packets, lostPackets, bytes, windowMs } = reception;
  return {
    ...reception,
    server: plan.kind.name,
    dialect: plan.dialect,
    film: plan.film.name,
    cpuUsPerFrame: cpuMs * 1e3 / frames,
    cpuPercent: cpuMs / windowMs * 100,
    cpuSecondsPerGbit: cpuMs / 1e3 / (bytes * 8 / 1e9),
    generatorPercent: reception.generatorCpuMs / windowMs * 100,
    othersPercent: Math.max(0, othersMs / windowMs * 100),
    lossRatio: lostPackets / Math.max(1, packets + lostPackets),
    lateRatio: (lateFrames + Math.max(0, expectedFrames - frames - reception.readers)) /
      expectedFrames,
    rssBytes: [before.rssBytes, end.rssBytes],
  };
}

/** What the server has used, and the machine. */
interface Moment extends Usage {
  readonly machineCpuMs: number;
}

function momentOf(pid: number): Moment {
  return { ...usageOf(pid), machineCpuMs: machineCpuMs() };
}

async function generate(
  bench: Bench,
  { kind, dialect, film, readers, windowS = 4, settleS = 4, startsPerS = 150 }: MeasurePlan,
  port: number,
  onMark: (mark: "begin" | "end") => void,
): Promise<Reception> {
  const spreadS = Math.max(1, readers / startsPerS);
  const numbers = [port, kind.path(dialect), readers, film.frameRateHz, windowS, spreadS, settleS];
  const [program, ...args] = placed(
    [bench.generator, dialect, ...numbers.map(String)],
    { cores: generatorCore(), nice: bench.nice },
  );
  const child = new Deno.Command(program, { args, stdout: "piped", stderr: "inherit" }).spawn();
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n")) {
      const line = text.slice(0, i);
      text = text.slice(i + 1);
      if (line === "begin" || line === "end") onMark(line);
      else if (line.startsWith("{")) return JSON.parse(line);
    }
  }
  throw new Error("The load generator ended without a result");
}

/**
 * Octets of memory for each further reader: of two loads on one server the larger against the smaller, so that caches and
 * compiled code, which all readers share, do not count.
 */
export async function memoryPerReader(bench: Bench, plan: MeasurePlan): Promise<number> {
  const server = await startServer(plan.kind, plan.film, { nice: bench.nice });
  try {
    const few = Math.round(plan.readers / 5);
    const small = await load(bench, { ...plan, readers: few, windowS: 3 }, server);
    const large = await load(bench, { ...plan, windowS: 3 }, server);
    return (large.rssBytes[1] - small.rssBytes[1]) / (plan.readers - few);
  } finally {
    await server.stop();
  }
}

/** The generator has the last core; servers that use one core have the others. */
function generatorCore(): string | undefined {
  const count = navigator.hardwareConcurrency;
  return count < 2 ? undefined : String(count - 1);
}

function serverCores(): string | undefined {
  const count = navigator.hardwareConcurrency;
  return count < 2 ? undefined : count === 2 ? "0" : `0-${count - 2}`;
}

const SAMPLE_MS = 5_000;
