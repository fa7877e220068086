/**
 * Many clients at one server: does each get every frame, unaltered and in order, and what does it cost the server?
 *
 *     deno run --allow-all bench/readers.ts [--readers 200] [--frames 500] [--dialect lab|rtsp] [--transport udp|tcp]
 *                                           [--server ./rtsp-server]
 *
 * The server is a process of its own, from the sources or built; all clients live in this one. On a machine of two
 * cores each has one, so what is measured ends where the clients' core is full.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { equals } from "@std/bytes";
import { RtspClient } from "../lib/client/client.ts";
import { openMovie } from "../lib/disk.ts";
import { ROOT, runFlagsOf } from "../tools/repository.ts";

/** What to run. */
export interface ReadersOptions {
  /** Where the server listens. */
  readonly port: number;
  /** Number of clients. */
  readonly readers: number;
  /** Frames that each waits for, at most the film's. */
  readonly frames: number;
  /** Language spoken. @default {"lab"} */
  readonly dialect?: "lab" | "rtsp";
  /** How the film comes. @default {"udp"} */
  readonly transport?: "udp" | "tcp";
}

/** What became of all clients together. */
export interface ReadersResult {
  /** Frames that came, in all. */
  readonly frames: number;
  /** Frames that were not the film's next one, octet for octet (for RTP/JPEG: of the compressed picture). */
  readonly wrong: number;
  /** Packets lost, in all. */
  readonly lost: number;
  /** Clients that did not get all their frames in time. */
  readonly unfinished: number;
  /** Milliseconds from PLAY to the first frame, of each client, sorted. */
  readonly firstFrameMs: readonly number[];
}

const FILM = new URL("../media/video.mjpeg", import.meta.url);
/** Between the starts of two clients, so that their frames do not all fall due together. */
const STAGGER_MS = 7;

/** Plays the sample with many clients at once. */
export async function playToMany(options: ReadersOptions): Promise<ReadersResult> {
  const film = await readFilm();
  const clients = Array.from({ length: options.readers }, () => clientOf(options));
  try {
    const outcomes = await Promise.all(clients.map(async (client, i) => {
      await pause(i * STAGGER_MS);
      return watch(client, film, options.frames);
    }));
    const statistics = clients.map((client) => client.statistics());
    return {
      frames: outcomes.reduce((sum, outcome) => sum + outcome.frames, 0),
      wrong: outcomes.reduce((sum, outcome) => sum + outcome.wrong, 0),
      lost: statistics.reduce((sum, { lost }) => sum + lost, 0),
      unfinished: outcomes.filter((outcome) => outcome.frames < options.frames).length,
      firstFrameMs: statistics.map((s) => s.firstFrameMs ?? Infinity).sort((a, b) => a - b),
    };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

function clientOf({ port, dialect = "lab", transport = "udp" }: ReadersOptions): RtspClient {
  const host = "127.0.0.1";
  const url = dialect === "lab"
    ? { host, port, file: "video.mjpeg" }
    : `rtsp://${host}:${port}/video.mjpeg`;
  return new RtspClient({ url, dialect, transport });
}

/** Plays until so many frames came, or twice the time that they should take has gone by. */
async function watch(client: RtspClient, film: readonly Uint8Array[], wanted: number) {
  let frames = 0;
  let wrong = 0;
  const finished = Promise.withResolvers<void>();
  const stopFrames = client.onFrame(({ jpeg }) => {
    if (frames >= wanted) return;
    const picture = film[frames % film.length];
    if (!equals(jpeg.subarray(-picture.length), picture)) wrong++;
    if (++frames === wanted) finished.resolve();
  });
  const stopEvents = client.on((event) => {
    if (event.type === "end") finished.resolve();
  });
  const timer = setTimeout(finished.resolve, 5_000 + 2 * wanted * FRAME_MS);
  try {
    await client.setup();
    await client.play();
    await finished.promise;
  } finally {
    clearTimeout(timer);
    stopFrames();
    stopEvents();
  }
  return { frames, wrong };
}

/** The compressed picture of each frame, from its "start of scan" on: what both payload formats carry unaltered. */
async function readFilm(): Promise<Uint8Array[]> {
  await using movie = await openMovie(FILM);
  const film: Uint8Array[] = [];
  for (let i = 0; i < movie.frameCount; i++) {
    const jpeg = await movie.readFrame(i);
    film.push(jpeg.slice(jpeg.findIndex((octet, at) => octet === 0xff && jpeg[at + 1] === 0xda)));
  }
  return film;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const FRAME_MS = 50;

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, {
    string: ["readers", "frames", "dialect", "transport", "server"],
    default: { readers: "200", frames: "500", dialect: "lab", transport: "udp" },
  });
  const port = freePort();
  const readers = Number(flags.readers);
  const frames = Number(flags.frames);
  const server = startServer(flags.server as string | undefined, port, readers);
  try {
    await pause(1_500);
    const before = usageOf(server.pid);
    const started = performance.now();
    const result = await playToMany({
      port,
      readers,
      frames,
      dialect: flags.dialect as "lab" | "rtsp",
      transport: flags.transport as "udp" | "tcp",
    });
    const seconds = (performance.now() - started) / 1_000;
    const after = usageOf(server.pid);
    const cpuS = after.cpuS - before.cpuS;
    const percentile = (share: number) => result.firstFrameMs[Math.floor(share * (readers - 1))];
    console.log(
      `${readers} readers, ${flags.dialect} over ${flags.transport}, ${seconds.toFixed(1)} s`,
    );
    console.log(
      `frames ${result.frames} of ${
        readers * frames
      }, wrong ${result.wrong}, lost packets ${result.lost}, unfinished readers ${result.unfinished}`,
    );
    console.log(`first frame after ${percentile(0.5)} ms (median), ${percentile(0.99)} ms (99 %)`);
    console.log(
      `server: ${(cpuS / result.frames * 1e6).toFixed(0)} us of CPU per frame, ${
        (cpuS / seconds * 100).toFixed(0)
      } % of a core, ${((after.rssKb - before.rssKb) / readers).toFixed(0)} kB per reader`,
    );
    return result.frames === readers * frames && result.wrong === 0 ? 0 : 1;
  } finally {
    server.kill("SIGINT");
    await server.status;
  }
}

function startServer(path: string | undefined, port: number, readers: number): Deno.ChildProcess {
  const fromSources = ["run", "--quiet", ...runFlagsOf("start"), `${ROOT}server.ts`];
  const limits = [
    "--max-connections-per-address",
    String(readers + 10),
    "--max-connections",
    String(readers + 10),
  ];
  return new Deno.Command(path ?? Deno.execPath(), {
    args: [...(path ? [] : fromSources), String(port), "--log-level", "error", ...limits],
    cwd: ROOT,
    stdin: "null",
  }).spawn();
}

/** CPU seconds (user and system) and resident kilobytes of a process, as Linux tells them. */
function usageOf(pid: number): { cpuS: number; rssKb: number } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuS: ticks / 100, rssKb: Number(fields[21]) * 4 };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
