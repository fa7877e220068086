/**
 * What a result depends on: the machine and the versions, without names of hosts.
 *
 * @module
 */
import { output } from "./native.ts";

/** Where a benchmark ran. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly kernel: string;
  readonly deno: string;
  /** Programs that wanted a core, on average over the last minute, at the end of the run. */
  readonly load: number;
  readonly gst: string | undefined;
  readonly live555: string | undefined;
  readonly date: string;
}

/** Asks the system. */
export async function machine(): Promise<Machine> {
  const model = /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
  return {
    cores: navigator.hardwareConcurrency,
    processor: model ?? "unknown",
    kernel: /^[\d.]+/.exec(Deno.osRelease())?.[0] ?? "unknown",
    deno: Deno.version.deno,
    load: Deno.loadavg()[0],
    gst: await versionOf("gstreamer-rtsp-server-1.0"),
    live555: await versionOf("live555"),
    date: new Date().toISOString().slice(0, 10),
  };
}

async function versionOf(library: string): Promise<string | undefined> {
  return (await output("pkg-config", ["--modversion", library]))?.trim();
}
