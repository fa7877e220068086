/**
 * The load benchmark: our server, gst-rtsp-server, the lab's server and the floors of this machine, in one run.
 *
 *     deno task bench:load [--quick | --full] [--only SCENARIO] [--repeat N] [--readers N] [--window SECONDS] [--nice N]
 *                          [--json FILE]
 *     deno task bench:load --soak MINUTES [--readers N]
 *
 * `--quick`, the default, makes the main table in about three minutes; `--full` adds medians of three, the sweeps, memory
 * and the largest numbers of readers in time, in about half an hour. All traffic stays on 127.0.0.1. Needs Linux, `cc` and
 * `ffmpeg`; gst-rtsp-server is left out where its headers are missing.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Film, filmOfBytes, type FilmPlan, LAB, makeFilm, VGA } from "./films.ts";
import { machine } from "./machine.ts";
import { type Bench, measure, type Measurement, memoryPerReader } from "./measure.ts";
import { buildNative } from "./native.ts";
import { formatAims, formatMeasurements, judge, type Limits, type Results } from "./report.ts";
import { findServers, mainScenarios, type Scenario, type Servers } from "./scenarios.ts";
import { largestInTime } from "./search.ts";
import { soak } from "./soak.ts";
import type { Dialect, ServerKind } from "./servers.ts";

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
  readonly #largest: Record<string, Record<string, number>> = {};
  readonly #memory: Record<string, number> = {};
  readonly #sweeps: Record<string, Measurement[]> = {};

  constructor(options: LoadRunOptions) {
    this.#options = options;
  }

  async compare(isFull: boolean) {
    for (const scenario of mainScenarios(this.#options.servers)) {
      if (this.#wants(scenario.name)) await this.#measureScenario(scenario);
    }
    if (isFull || this.#options.only !== undefined) await this.#measureLimits();
    const results: Results = this.#results;
    const limits: Limits = { largest: this.#largest, memory: this.#memory };
    const aims = judge(results, limits);
    console.log(`\n${formatAims(aims)}`);
    return { results, ...limits, sweeps: this.#sweeps, aims };
  }

  async soak(minutes: number) {
    const { bench, servers, readers = 100 } = this.#options;
    const film = await this.#film(VGA);
    const plan = { kind: servers.oursOnAllCores, dialect: "udp", film, readers } as const;
    const result = await soak(bench, plan, minutes);
    console.log(JSON.stringify(result.summary, null, 2));
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
      settleS,
    };
    const runs: Record<string, Measurement[]> = {};
    for (let round = 0; round < repeat; round++) {
      for (const [role, kind] of Object.entries(servers)) {
        (runs[role] ??= []).push(await measure(bench, { kind, ...plan }));
      }
    }
    this.#results[name] = Object.fromEntries(
      Object.entries(runs).map(([role, all]) => [role, medianOf(all)]),
    );
    console.log(`\n${title}\n${formatMeasurements(Object.values(this.#results[name]))}`);
  }

  async #measureLimits(): Promise<void> {
    const { servers } = this.#options;
    if (this.#wants("memory")) await this.#measureMemory();
    if (this.#wants("largest")) {
      await this.#search("udp", VGA, {
        gso: [servers.gso, 500],
        sendto: [servers.sendto, 400],
        ours: [servers.oursOnAllCores, 400],
        portable: [servers.portable, 200],
        gst: [servers.gst, 100],
      });
      await this.#search("tcp", VGA, {
        floor: [servers.tcp, 500],
        ours: [servers.oursOnAllCores, 200],
        gst: [servers.gst, 100],
      });
      await this.#search("lab", LAB, {
        ours: [servers.oursOnAllCores, 1000],
        lab: [servers.lab, 400],
      });
      await this.#measureAtHalf();
    }
    if (this.#wants("sweeps")) await this.#sweep();
  }

  async #measureMemory(): Promise<void> {
    const { bench, servers } = this.#options;
    const film = await this.#film(filmOfBytes(10_000));
    const kinds = { ours: [servers.ours, 250], gst: [servers.gst, 50] } as const;
    for (const [role, [kind, readers]] of Object.entries(kinds)) {
      if (kind === undefined) continue;
      const { bytes } = await memoryPerReader(bench, { kind, dialect: "udp", film, readers });
      this.#memory[role] = bytes;
      console.log(`\n${kind.name}: ${(bytes / 1000).toFixed(0)} kB of memory for each reader`);
    }
  }

  async #search(
    dialect: Dialect,
    filmPlan: FilmPlan,
    kinds: Readonly<Record<string, readonly [kind: ServerKind | undefined, start: number]>>,
  ): Promise<void> {
    const film = await this.#film(filmPlan);
    const found: Record<string, number> = this.#largest[dialect] = {};
    for (const [role, [kind, readers]] of Object.entries(kinds)) {
      if (kind === undefined) continue;
      const plan = { kind: { ...kind, isParallel: true }, dialect, film, readers };
      found[role] = await largestInTime(this.#options.bench, plan, (m) => {
        console.error(
          `  ${m.server}: ${m.readers} readers, late ${(m.lateRatio * 100).toFixed(2)} %, loss ${
            (m.lossRatio * 100).toFixed(3)
          } %, CPU ${m.cpuPercent.toFixed(0)} %, generator ${m.generatorPercent.toFixed(0)} %`,
        );
      });
      console.log(`${dialect}: ${kind.name} plays to ${found[role]} readers in time`);
    }
  }

  async #measureAtHalf(): Promise<void> {
    const { bench, servers } = this.#options;
    const readers = Math.floor((this.#largest.udp.ours ?? 0) / 2);
    if (readers === 0) return;
    const film = await this.#film(VGA);
    const plan = { kind: servers.oursOnAllCores, dialect: "udp", film, readers } as const;
    this.#results.half = { ours: await measure(bench, plan) };
    console.log(`\nHalf of that\n${formatMeasurements(Object.values(this.#results.half))}`);
  }

  /** Does the cost grow in proportion, without a cliff? */
  async #sweep(): Promise<void> {
    const { bench, servers } = this.#options;
    const kinds = [servers.ours, servers.gso];
    const vga = await this.#film(VGA);
    for (const kind of kinds) {
      const byReaders: Measurement[] = this.#sweeps[`${kind.name}, by readers`] = [];
      for (const readers of [1, 3, 10, 30, 100, 300, 1000]) {
        byReaders.push(await measure(bench, { kind, dialect: "udp", film: vga, readers }));
      }
      const bySize: Measurement[] = this.#sweeps[`${kind.name}, by octets of a frame`] = [];
      for (const bytes of [10_000, 30_000, 100_000, 250_000, 500_000]) {
        const film = await this.#film(filmOfBytes(bytes));
        bySize.push(await measure(bench, { kind, dialect: "udp", film, readers: 10 }));
      }
    }
    for (const [name, measurements] of Object.entries(this.#sweeps)) {
      console.log(`\n${name}\n${formatMeasurements(measurements)}`);
    }
  }
}

/** By then every frame of the film has been played once, and just-in-time compilers have done their work. */
const STEADY_S = 16;

/** The run whose CPU per frame is the median. */
function medianOf(runs: readonly Measurement[]): Measurement {
  const sorted = runs.toSorted((a, b) => a.cpuUsPerFrame - b.cpuUsPerFrame);
  return sorted[(sorted.length - 1) >> 1];
}

if (import.meta.main) await main();
