/**
 * Results as tables for people: measurements, ratios, and which aims are met.
 *
 * @module
 */
import type { Measurement } from "./measure.ts";
import { isInTime, type Largest } from "./search.ts";

/** Results of a run, by scenario and role. */
export type Results = Readonly<Record<string, Readonly<Record<string, Measurement>>>>;

/** Largest numbers of readers in time, by scenario and role; memory of a reader in octets, by server. */
export interface Limits {
  readonly largest: Readonly<Record<string, Readonly<Record<string, Largest>>>>;
  readonly memory: Readonly<Record<string, number>>;
}

/** Measurements of our server with one thing changed from one to the next. */
export interface Sweeps {
  readonly byReaders?: readonly Measurement[];
  readonly byBytes?: readonly Measurement[];
}

/** An aim and what was reached. */
export interface AimResult {
  readonly aim: string;
  /** What was reached, in words; `undefined` when this run did not measure it. */
  readonly reached: string | undefined;
  readonly isMet: boolean | undefined;
}

/** Columns of text, the first one to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ")
  ).join("\n");
}

/** The table of one scenario. */
export function formatMeasurements(measurements: readonly Measurement[]): string {
  return formatTable([
    [
      ...["server", "readers", "CPU us/frame", "CPU %", "CPU s/Gbit", "late %", "p50 ms", "p99 ms"],
      ...["loss %", "first p50", "first p99", "generator %", "others %"],
    ],
    ...measurements.map((m) => [
      m.server,
      m.playing === m.readers ? String(m.readers) : `${m.playing} of ${m.readers}`,
      m.cpuUsPerFrame.toFixed(1),
      m.cpuPercent.toFixed(0),
      m.cpuSecondsPerGbit.toFixed(3),
      (m.lateRatio * 100).toFixed(2),
      m.latenessP50Ms.toFixed(2),
      m.latenessP99Ms.toFixed(1),
      (m.lossRatio * 100).toFixed(3),
      m.firstPacketP50Ms.toFixed(1),
      m.firstPacketP99Ms.toFixed(1),
      m.generatorPercent.toFixed(0),
      m.othersPercent.toFixed(0),
    ]),
  ]);
}

/** One measurement in a line, while a search is under way. */
export function lineOf(m: Measurement): string {
  const percents = [
    `late ${(m.lateRatio * 100).toFixed(2)} %`,
    `loss ${(m.lossRatio * 100).toFixed(3)} %`,
    `CPU ${m.cpuPercent.toFixed(0)} %`,
    `generator ${m.generatorPercent.toFixed(0)} %`,
    `others ${m.othersPercent.toFixed(0)} %`,
  ];
  const playing = m.playing === m.readers ? "" : `${m.playing} of `;
  return `${m.server}: ${playing}${m.readers} readers, ${percents.join(", ")}`;
}

/** Judges what was measured against the aims. */
export function judge(results: Results, limits: Limits, sweeps: Sweeps): AimResult[] {
  return [
    atMost(results, "CPU a frame, UDP, 640x480", "udp", "ours", [["gso", 1.4], ["gst", 1 / 6]]),
    atMost(results, "CPU a frame, UDP, 1280x720", "hd", "ours", [["gso", 1.4], ["gst", 1 / 7]]),
    atMost(results, "CPU a frame, shared live", "shared", "ours", [["gso", 1.5], ["gst", 1 / 2]]),
    atMost(results, "CPU a frame, TCP interleaved", "tcp", "ours", [["floor", 2], ["gst", 1 / 4]]),
    atMost(results, "CPU a frame, portable", "udp", "portable", [["sendto", 1.6], ["gst", 1]]),
    atLeast(limits, "readers in time, UDP, all cores", "udp", "gst", 4),
    atLeast(limits, "readers in time, UDP, all cores", "udp", "live555", 6),
    atLeast(limits, "readers in time, lab dialect", "lab", "lab", 8),
    below("late frames at half the largest number", results.half?.ours?.lateRatio, 0.001, percent),
    below("lateness p99 at half the largest number", results.half?.ours?.latenessP99Ms, 5, ms),
    steady("cost of a frame as readers become more", sweeps.byReaders, () => 1),
    steady("cost of an octet as frames become larger", sweeps.byBytes, (m) => m.bytes / m.frames),
    below("memory of a reader", limits.memory.ours, 48_000, kilobytes),
    below("PLAY to first packet, p99", results.udp?.ours?.firstPacketP99Ms, 5, ms),
  ];
}

/** The aims as a table. */
export function formatAims(aims: readonly AimResult[]): string {
  return formatTable([
    ["aim", "reached", "met"],
    ...aims.map(({ aim, reached, isMet }) => [
      aim,
      reached ?? "not measured in this run",
      isMet === undefined ? "-" : isMet ? "yes" : "NO",
    ]),
  ]);
}

function atMost(
  results: Results,
  title: string,
  scenario: string,
  role: string,
  bounds: readonly (readonly [role: string, ratio: number])[],
): AimResult {
  const of = results[scenario] ?? {};
  const text = bounds.map(([other, ratio]) => `${shown(ratio)} x ${of[other]?.server ?? other}`);
  const aim = `${title}: at most ${text.join(" and ")}`;
  const mine = of[role]?.cpuUsPerFrame;
  const ratios = bounds.map(([other]) =>
    mine === undefined ? NaN : mine / of[other]?.cpuUsPerFrame
  );
  if (ratios.some(Number.isNaN)) return { aim, reached: undefined, isMet: undefined };
  return {
    aim,
    reached: ratios.map((ratio) => `${ratio.toFixed(2)} x`).join(" and "),
    isMet: ratios.every((ratio, i) => ratio <= bounds[i][1]),
  };
}

function atLeast(
  { largest }: Limits,
  title: string,
  scenario: string,
  other: string,
  factor: number,
): AimResult {
  const aim = `${title}: at least ${factor} x ${other}`;
  const mine = largest[scenario]?.ours;
  const theirs = largest[scenario]?.[other];
  if (mine === undefined || theirs === undefined) {
    return { aim, reached: undefined, isMet: undefined };
  }
  // Nothing worked before time was up: that says nothing about the server.
  if (theirs.readers === 0 || mine.readers === 0 && mine.bound !== undefined) {
    return {
      aim,
      reached: `not found: ${formatLargest(mine)}; ${formatLargest(theirs)}`,
      isMet: undefined,
    };
  }
  const ratio = mine.readers / theirs.readers;
  const numbers = `${formatLargest(mine)} and ${formatLargest(theirs)}`;
  return { aim, reached: `${ratio.toFixed(1)} x (${numbers})`, isMet: ratio >= factor };
}

/** A number as far as it is known. */
export function formatLargest({ readers, bound, doubtful }: Largest): string {
  const reasons = [
    bound === "generator" ? "the generator is at its limit" : undefined,
    bound === "time" ? "the search ran out of time" : undefined,
    bound === "descriptors" ? "programs have no more descriptors" : undefined,
    doubtful.length > 0 ? `other programs were busy at ${doubtful.join(", ")}` : undefined,
  ].filter((reason) => reason !== undefined);
  const number = bound === undefined
    ? String(readers)
    : readers === 0
    ? "no number"
    : `at least ${readers}`;
  return reasons.length === 0 ? number : `${number} (${reasons.join("; ")})`;
}

/** Grows the cost of a frame in proportion to its octets, and not at all with readers? Fixed costs make it grow less. */
function steady(
  title: string,
  sweep: readonly Measurement[] | undefined,
  sizeOf: (measurement: Measurement) => number,
): AimResult {
  const aim = `${title}: no step above ${STEADY_STEP} x`;
  const steps = (sweep ?? []).filter(isInTime).map((m) => m.cpuUsPerFrame / sizeOf(m))
    .map((cost, i, costs) => i === 0 ? 0 : cost / costs[i - 1]).slice(1);
  if (steps.length === 0) return { aim, reached: undefined, isMet: undefined };
  const worst = Math.max(...steps);
  return { aim, reached: `${worst.toFixed(2)} x at worst`, isMet: worst <= STEADY_STEP };
}

function below(
  title: string,
  value: number | undefined,
  limit: number,
  format: (value: number) => string,
): AimResult {
  const aim = `${title}: below ${format(limit)}`;
  if (value === undefined) return { aim, reached: undefined, isMet: undefined };
  return { aim, reached: format(value), isMet: value <= limit };
}

function shown(ratio: number): string {
  return ratio < 1 ? `1/${Math.round(1 / ratio)}` : String(ratio);
}

/** Measurements of four seconds differ by less. */
const STEADY_STEP = 1.25;

const percent = (ratio: number) => `${(ratio * 100).toFixed(2)} %`;
const ms = (value: number) => `${value.toFixed(1)} ms`;
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
