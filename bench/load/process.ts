/**
 * Processes as Linux tells of them: CPU time, memory, open files; and where they run.
 *
 * @module
 */

/** What a process has used. */
export interface Usage {
  /** User and system time of all threads in ms. */
  readonly cpuMs: number;
  /** Resident octets. */
  readonly rssBytes: number;
}

/** Reads `/proc` once. */
export function usageOf(pid: number): Usage {
  const fields = statOf(pid);
  return { cpuMs: cpuMsOf(pid, fields), rssBytes: Number(fields[21]) * PAGE_BYTES };
}

/** What the open file descriptors of a process lead to: paths, and `socket:[number]` and its like. */
export function openFilesOf(pid: number): string[] {
  const files: string[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      files.push(Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // Closed in the meantime.
    }
  }
  return files;
}

/** How many threads a process has. */
export function threadsOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].length;
}

/** CPU time in ms that all programs of this machine have used, and that its host has kept from it. */
export function machineCpuMs(): number {
  const [cpu] = Deno.readTextFileSync("/proc/stat").split("\n", 1);
  const [user, nice, system, _idle, _waiting, interrupts, softInterrupts, stolen] = cpu.trim()
    .split(/\s+/).slice(1).map(Number);
  return (user + nice + system + interrupts + softInterrupts + (stolen ?? 0)) * TICK_MS;
}

/** Each thread's own account counts nanoseconds; the sum in `stat` counts ticks of 10 ms. */
function cpuMsOf(pid: number, fields: readonly string[]): number {
  try {
    let nanoseconds = 0;
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(
        Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0],
      );
    }
    return nanoseconds / 1e6;
  } catch {
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }
}

/** The fields of `/proc/PID/stat` behind the name, which may hold blanks. */
function statOf(pid: number): string[] {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Where and how urgently a program runs. */
export interface Placement {
  /** Processor numbers as `taskset` wants them; `undefined` leaves it to the system. */
  readonly cores?: string;
  /** Niceness; below 0 needs privileges. @default {0} */
  readonly nice?: number;
}

/** A program with its arguments, put in its place. The process keeps its number, for each step becomes the next. */
export function placed(command: readonly string[], { cores, nice = 0 }: Placement): string[] {
  const pin = cores === undefined || !hasTaskset ? [] : ["taskset", "-c", cores];
  const urgency = nice === 0 ? [] : ["nice", "-n", String(nice)];
  return [...pin, ...urgency, ...command];
}

const hasTaskset = await isThere("taskset");

async function isThere(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .output();
    return true;
  } catch {
    return false;
  }
}

const PAGE_BYTES = 4096;
const TICK_MS = 10;
