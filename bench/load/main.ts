/**
 * The load benchmark: our server, gst-rtsp-server, live555, the lab's server and the floors of this machine, in one run.
 *
 *     deno task bench:load [--quick | --full] [--only SCENARIO] [--repeat N] [--readers N] [--window SECONDS] [--nice N]
 *                          [--json FILE]
 *     deno task bench:load --soak MINUTES [--readers N]
 *
 * `--quick`, the default, makes the main table in about seven minutes; `--full` adds medians of three, the sweeps, memory
 * and the largest numbers of readers in time, in about 40 minutes. All traffic stays on 127.0.0.1. Needs Linux, `cc` and
 * `ffmpeg`; gst-rtsp-server and live555 are left out where their headers are missing.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Film, filmOfBytes, type FilmPlan, makeFilm, VGA } from "./films.ts";
import { machine } from "./machine.ts";
import { type Bench, measure, type Measurement, memoryPerReader } from "./measure.ts";
import { buildNative } from "./native.ts";
import {
  formatAims,
  formatLargest,
  formatMeasurements,
  judge,
  type Limits,
  lineOf,
  type Results,
  type Sweeps,
} from "./report.ts";
import {
  findServers,
  mainScenarios,
  type Scenario,
  type Search,
  searchesFor,
  type Servers,
  sweptServers,
} from "./scenarios.ts";
import { isDisturbed, isInTime, type Largest, largestInTime } from "./search.ts";
import { soak } from "./soak.ts";
import type { ServerKind } from "./servers.ts";

async function main(): Promise<void> {
  const flags = flagsOf(Deno.args);
  const folder = flags.films ?? await Deno.makeTempDir({ prefix: "rtsp-load-" });
  try {
    const programs = await buildNative(folder);
    const run = new LoadRun({
      bench: { generator: programs.generator, nice: Number(flags.nice ?? 0) },
      servers: await findServers(programs),
      folder,
      repeat: Number(flags.repeat ?? (flags.full ? 3 : 1)),
      only: flags.only?.split(","),
      readers: flags.readers === undefined ? undefined : Number(flags.readers),
      windowS: flags.window === undefined ? undefined : Number(flags.window),
    });
    const result = flags.soak === undefined
      ? await run.compare(flags.full ?? false)
      : await run.soak(Number(flags.soak));
    const json = JSON.stringify({ machine: await machine(), ...result }, null, 2);
    if (flags.json === undefined) console.log(`\n${json}`);
    else await Deno.writeTextFile(flags.json, `${json}\n`);
  } finally {
    if (flags.films === undefined) await Deno.remove(folder, { recursive: true });
  }
}

interface Flags {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly only?: string;
  readonly repeat?: string;
  readonly readers?: string;
  readonly window?: string;
  readonly nice?: string;
  readonly json?: string;
  readonly soak?: string;
  readonly films?: string;
}

function flagsOf(args: readonly string[]): Flags {
  return parseArgs([...args], {
    string: ["only", "repeat", "readers", "window", "nice", "json", "soak", "films"],
    boolean: ["quick", "full"],
  }) as Flags;
}

interface LoadRunOptions {
  readonly bench: Bench;
  readonly servers: Servers;
  readonly folder: string;
  readonly repeat: number;
  readonly only: readonly string[] | undefined;
  readonly readers: number | undefined;
  readonly windowS: number | undefined;
}

/** One run, with what it has found so far. */
class LoadRun {
  readonly #options: LoadRunOptions;
  readonly #results: Record<string, Record<string, Measurement>> = {};
  readonly #largest: Record<string, Record<string, Largest>> = {};
  readonly #memory: Record<string, number> = {};
  readonly #sweeps: Record<string, Sweeps> = {};

  constructor(options: LoadRunOptions) {
    this.#options = options;
  }

  async compare(isFull: boolean) {
    for (const scenario of mainScenarios(this.#options.servers)) {
      if (this.#wants(scenario.name)) await this.#measureScenario(scenario);
    }
    if (isFull || this.#options.only !== undefined) await this.#measureLimits(isFull);
    const results: Results = this.#results;
    const limits: Limits = { largest: this.#largest, memory: this.#memory };
    const aims = judge(results, limits, this.#sweeps.ours ?? {});
    console.log(`\n${formatAims(aims)}`);
    return { results, ...limits, sweeps: this.#sweeps, aims };
  }

  async soak(minutes: number) {
    if (!(minutes >= 0.5)) throw new Error("Cannot soak: --soak wants minutes, at least 0.5");
    const { bench, servers, readers = 100 } = this.#options;
    const film = await this.#film(VGA);
    const plan = { kind: servers.oursOnAllCores, dialect: "udp", film, readers } as const;
    const result = await soak(bench, plan, minutes);
    return { soak: result };
  }

  #wants(name: string): boolean {
    return this.#options.only?.includes(name) ?? true;
  }

  #film(plan: FilmPlan): Promise<Film> {
    return makeFilm(plan, this.#options.folder);
  }

  async #measureScenario(
    { name, title, dialect, film, readers, servers, settleS = STEADY_S }: Scenario,
  ) {
    const { bench, repeat, windowS } = this.#options;
    const ready = await this.#film(film);
    const plan = {
      dialect,
      film: ready,
      readers: this.#options.readers ?? readers,
      windowS,
    };
    const runs: Record<string, Measurement[]> = {};
    for (let round = 0; round < repeat; round++) {
      for (const [role, kind] of Object.entries(servers)) {
        const settle = kind.warmsUp ? { settleS } : {};
        (runs[role] ??= []).push(await measure(bench, { kind, ...plan, ...settle }));
      }
    }
    this.#results[name] = Object.fromEntries(
      Object.entries(runs).map(([role, all]) => [role, medianOf(all)]),
    );
    console.log(`\n${title}\n${formatMeasurements(Object.values(this.#results[name]))}`);
  }

  async #measureLimits(isFull: boolean): Promise<void> {
    const { servers } = this.#options;
    if (this.#wants("memory")) await this.#measureMemory();
    if (this.#wants("largest")) {
      for (const search of searchesFor(servers, isFull)) await this.#search(search);
      await this.#measureAtHalf();
    }
    if (this.#wants("sweeps")) await this.#sweep();
  }

  async #measureMemory(): Promise<void> {
    const { bench, servers } = this.#options;
    const film = await this.#film(filmOfBytes(10_000));
    const kinds = {
      ours: [servers.ours, 250],
      gst: [servers.gst, 50],
      live555: [servers.live555, 50],
    } as const;
    for (const [role, [kind, readers]] of Object.entries(kinds)) {
      if (kind === undefined) continue;
      const bytes = await memoryPerReader(bench, { kind, dialect: "udp", film, readers });
      this.#memory[role] = bytes;
      console.log(`\n${kind.name}: ${(bytes / 1000).toFixed(0)} kB of memory for each reader`);
    }
  }

  async #search({ dialect, film, servers }: Search): Promise<void> {
    const found: Record<string, Largest> = this.#largest[dialect] = {};
    const onMeasured = (measurement: Measurement) => console.error(`  ${lineOf(measurement)}`);
    const ready = await this.#film(film);
    for (const [role, { kind, start }] of Object.entries(servers)) {
      const plan = { kind: { ...kind, isParallel: true }, dialect, film: ready, readers: start };
      const options = { limitS: SEARCH_LIMIT_S, onMeasured };
      found[role] = await largestInTime(this.#options.bench, plan, options);
      console.log(`${dialect}: ${kind.name} plays to ${formatLargest(found[role])} in time`);
    }
  }

  /** Once more where other programs were in the way. */
  async #measureAtHalf(): Promise<void> {
    const { bench, servers } = this.#options;
    const readers = Math.floor((this.#largest.udp?.ours?.readers ?? 0) / 2);
    if (readers === 0) return;
    const film = await this.#film(VGA);
    const plan = { kind: servers.oursOnAllCores, dialect: "udp", film, readers } as const;
    const measureOnce = () => measure(bench, { ...plan, settleS: STEADY_S });
    const first = await measureOnce();
    const half = isDisturbed(first) ? await measureOnce() : first;
    this.#results.half = { ours: half.lateRatio < first.lateRatio ? half : first };
    console.log(`\nHalf of that\n${formatMeasurements(Object.values(this.#results.half))}`);
  }

  /** Does the cost grow in proportion, without a cliff? */
  async #sweep(): Promise<void> {
    for (const [role, kind] of Object.entries(sweptServers(this.#options.servers))) {
      const byReaders: Measurement[] = [];
      const byBytes: Measurement[] = [];
      this.#sweeps[role] = { byReaders, byBytes };
      for (const readers of [1, 3, 10, 30, 100, 300, 1000]) {
        byReaders.push(await this.#measureShortly(kind, VGA, readers));
      }
      console.log(`\n${kind.name}, by readers\n${formatMeasurements(byReaders)}`);
      for (const bytes of [10_000, 30_000, 100_000, 250_000, 500_000]) {
        byBytes.push(await this.#measureShortly(kind, filmOfBytes(bytes), 10));
      }
      console.log(`\n${kind.name}, by octets of a frame\n${formatMeasurements(byBytes)}`);
    }
  }

  async #measureShortly(kind: ServerKind, plan: FilmPlan, readers: number): Promise<Measurement> {
    const film = await this.#film(plan);
    const { bench } = this.#options;
    const full = { kind, dialect: "udp", film, readers, startsPerS: 300 } as const;
    const measurement = await measure(bench, full);
    const isSpoilt = isDisturbed(measurement) && !isInTime(measurement);
    return isSpoilt ? await measure(bench, full) : measurement;
  }
}

/** One search takes so long at most, and one measurement more. */
const SEARCH_LIMIT_S = 75;

/** By then every frame of the film has been played once, and just-in-time compilers have done their work. */
const STEADY_S = 16;

/** The run whose CPU per frame is the median. */
function medianOf(runs: readonly Measurement[]): Measurement {
  const sorted = runs.toSorted((a, b) => a.cpuUsPerFrame - b.cpuUsPerFrame);
  return sorted[(sorted.length - 1) >> 1];
}

if (import.meta.main) await main();
