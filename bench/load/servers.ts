/**
 * The servers that are compared, each started the same way: a program that plays one film and tells its port.
 *
 * @module
 */
import { ROOT, runFlagsOf } from "../../tools/repository.ts";
import type { Film } from "./films.ts";
import { type Collection, readCollections, TRACING } from "./collections.ts";
import { LAB_SERVER, type NativePrograms, output } from "./native.ts";
import { placed, type Placement } from "./process.ts";

/** What readers and server speak. */
export type Dialect = "udp" | "tcp" | "lab";

/** A server that can be started. */
export interface ServerKind {
  /** Name in tables. */
  readonly name: string;
  /** It uses more than one core. */
  readonly isParallel: boolean;
  /** The command that plays a film on a port of 127.0.0.1; with port 0 it writes `PORT <number>`. */
  command(film: Film, port: number): string[];
  /** Just-in-time compilers go on working on it while it serves. */
  readonly warmsUp: boolean;
  /** It must be told a port. */
  readonly needsPort: boolean;
  /** Path of the film in requests. */
  path(dialect: Dialect): string;
}

/** A server under way. */
export interface RunningServer {
  /** Its process number. */
  readonly pid: number;
  /** Its TCP port. */
  readonly port: number;
  /** Ends it. */
  stop(): Promise<void>;
}

/** The C floor of a way to send. */
export function floorServer(programs: NativePrograms, mode: string): ServerKind {
  return {
    name: `floor ${mode}`,
    isParallel: false,
    warmsUp: false,
    needsPort: false,
    command: (film) => [programs.floor, mode, film.mjpeg, String(film.frameRateHz)],
    path: () => "film",
  };
}

/** gst-rtsp-server with a pipeline for each reader, or one for all. */
export function gstServer(program: string, sharing: "own" | "shared"): ServerKind {
  return {
    name: sharing === "own" ? "gst-rtsp-server" : "gst-rtsp-server shared",
    isParallel: true,
    warmsUp: false,
    needsPort: false,
    command: (film) => [program, film.mkv, sharing],
    path: () => "film",
  };
}

/** live555 with a source for each reader, or one for all. */
export function live555Server(program: string, sharing: "own" | "shared"): ServerKind {
  return {
    name: sharing === "own" ? "live555" : "live555 shared",
    isParallel: false,
    warmsUp: false,
    needsPort: false,
    command: (film) => [program, film.mjpeg, sharing, String(film.frameRateHz)],
    path: () => "film",
  };
}

/** A stand-in for the lab's server in Python. */
export function labServer(): ServerKind {
  return {
    name: "lab's Python server",
    isParallel: true,
    warmsUp: false,
    needsPort: false,
    command: (film) => ["python3", LAB_SERVER, film.folder],
    path: () => "film.Mjpeg",
  };
}

/** Our server from the sources, with options of its command line. */
export function ourServer(
  name: string,
  options: readonly string[],
  isParallel = false,
): ServerKind {
  const most = "10000";
  return {
    name,
    isParallel,
    warmsUp: true,
    needsPort: true,
    command: (film, port) => [
      ...[Deno.execPath(), "run", "--quiet", ...runFlagsOf("start"), `${ROOT}server.ts`],
      ...[String(port), "--host", "127.0.0.1", "--media", film.folder, "--log-level", "error"],
      ...["--fps", String(film.frameRateHz), "--loop", "--no-fit"],
      ...["--max-connections", most, "--max-connections-per-address", most, ...options],
    ],
    path: (dialect) => dialect === "lab" ? "film.Mjpeg" : "film.mjpeg",
  };
}

/** The options of our server's command line, as its help tells them: some came later than this benchmark. */
export async function optionsOfOurServer(): Promise<ReadonlySet<string>> {
  const args = ["run", "--quiet", ...runFlagsOf("start"), `${ROOT}server.ts`, "--help"];
  const help = await output(Deno.execPath(), args) ?? "";
  return new Set([...help.matchAll(/^ +--([a-z-]+)/gm)].map((match) => match[1]));
}

/**
 * Starts a server and waits until it listens, and a moment more: what a server does before anybody comes is done by then.
 *
 * @param onCollection Told of each full collection of garbage of one of our servers: see `collections.ts`.
 * @throws {Error} when it does not within ten seconds.
 */
export async function startServer(
  kind: ServerKind,
  film: Film,
  placement: Placement,
  onCollection?: (collection: Collection) => void,
): Promise<RunningServer> {
  const isTraced = kind.needsPort && onCollection !== undefined;
  const wanted = kind.needsPort ? freePort() : 0;
  const [program, ...args] = placed(kind.command(film, wanted), placement);
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: isTraced ? TRACING : {},
    stdin: "null",
    stdout: kind.needsPort && !isTraced ? "null" : "piped",
    stderr: "inherit",
  }).spawn();
  if (isTraced) readCollections(child.stdout, onCollection);
  const port = kind.needsPort ? wanted : await toldPort(child.stdout);
  await listening(port, kind.name);
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  return {
    pid: child.pid,
    port,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await child.status;
      clearTimeout(timer);
      if (!kind.needsPort) await child.stdout.cancel();
    },
  };
}

async function toldPort(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Cannot start a server: it ended before it listened");
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return Number(text.split(" ")[1]);
}

async function listening(port: number, name: string): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      if (performance.now() > limit) throw new Error(`Cannot start ${name}: it does not listen`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const START_LIMIT_MS = 10_000;
const QUIET_MS = 1_000;
const STOP_LIMIT_MS = 3_000;
