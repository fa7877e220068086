/**
 * What a receiver loses, and how late its frames reach a browser: 1280x720, 100 kB a frame, 60 frames a second in bursts,
 * while PNG files are written, a browser reads the preview, and the program is busy for 50 or 100 ms at a time.
 *
 *     deno run --allow-all bench/receive.ts [--seconds 5] [--repeat 1] [--films FOLDER] [--json FILE]
 *
 * The senders are our server, told to send each frame at once, and gst-rtsp-server. The client is a process of its own
 * (`receive/client.ts`); this one only starts them and reads the preview as a browser would. All traffic is on 127.0.0.1.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { ROOT } from "../tools/repository.ts";
import { makeFilm } from "./load/films.ts";
import { buildNative, output } from "./load/native.ts";
import { gstServer, ourServer, type ServerKind, startServer } from "./load/servers.ts";
import { machine } from "./load/machine.ts";
import { readPreview } from "./receive/reader.ts";

/** What the client is told. */
export interface ReceiveTask {
  /** What to play. */
  readonly url: string;
  /** How to receive it. */
  readonly udp: "portable" | "linux";
  /** How long. */
  readonly seconds: number;
  /** Whether its socket has the buffer that most systems give, 208 kB, instead of as much as this one allows. */
  readonly hasDefaultBuffer: boolean;
  /** Milliseconds for which it is busy with something else, again and again; 0: never. */
  readonly busyMs: number;
  /** Whether it shows the preview. */
  readonly isShowing: boolean;
  /** Whether it writes PNG files. */
  readonly writesPng: boolean;
}

/** What the client found. */
export interface ReceiveOutcome {
  /** RTP packets. */
  readonly packets: number;
  /** Those that never came. */
  readonly lost: number;
  /** Those of them that the system dropped because the socket's buffer was full. */
  readonly droppedBySystem: number;
  /** Whole frames. */
  readonly frames: number;
  /** Frames with a hole. */
  readonly framesDropped: number;
  /** CPU of the whole process, microseconds a packet. */
  readonly cpuUs: number;
  /** PNG files written. */
  readonly pngs: number;
  /** Interarrival jitter in ms. */
  readonly jitterMs: number;
  /** Frame numbers, and when their last packet came, on the system's monotonic clock. */
  readonly arrivals: readonly (readonly [number: number, ms: number])[];
}

/** A line of the table. */
interface Row extends Omit<ReceiveOutcome, "arrivals"> {
  readonly sender: string;
  readonly receiver: string;
  readonly load: string;
  readonly latencyMs?: { readonly p50: number; readonly p99: number; readonly max: number };
}

const FILM = {
  name: "hd60",
  size: "1280x720",
  frameRateHz: 60,
  frameBytes: 100_000,
  seconds: 5,
};
const LOADS = [
  { load: "none", busyMs: 0, isShowing: false, writesPng: false },
  { load: "preview", busyMs: 0, isShowing: true, writesPng: false },
  { load: "PNG, preview", busyMs: 0, isShowing: true, writesPng: true },
  { load: "PNG, preview, busy 50 ms", busyMs: 50, isShowing: true, writesPng: true },
  { load: "PNG, preview, busy 100 ms", busyMs: 100, isShowing: true, writesPng: true },
];

const RECEIVERS = [
  { receiver: "portable", udp: "portable", hasDefaultBuffer: false },
  { receiver: "portable, 208 kB", udp: "portable", hasDefaultBuffer: true },
  { receiver: "thread", udp: "linux", hasDefaultBuffer: false },
  { receiver: "thread, 208 kB", udp: "linux", hasDefaultBuffer: true },
] as const;

/** As most users are: the system's limit on receive buffers holds. */
const WITHOUT_PRIVILEGE = await output("setpriv", ["--version"])
  ? ["setpriv", "--bounding-set", "-net_admin"]
  : [];

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["seconds", "repeat", "films", "json", "only"],
    default: { seconds: "5", repeat: "1" },
  });
  const folder = flags.films as string ?? await Deno.makeTempDir({ prefix: "deno-rtsp-receive-" });
  const rows: Row[] = [];
  try {
    const film = await makeFilm(FILM, folder);
    const native = await buildNative(folder);
    const senders: ServerKind[] = [
      ourServer("ours, each frame at once", ["--burst", "1000", "--udp", "linux"]),
      ...(native.gst ? [gstServer(native.gst, "own")] : []),
    ];
    for (let round = 0; round < Number(flags.repeat); round++) {
      for (const kind of senders) {
        const server = await startServer(kind, film, {});
        try {
          const url = `rtsp://127.0.0.1:${server.port}/${kind.path("udp")}`;
          for (const { load, ...rest } of LOADS) {
            for (const { receiver, ...way } of RECEIVERS) {
              if (
                flags.only && !`${kind.name}; ${receiver}; ${load};`.includes(String(flags.only))
              ) {
                continue;
              }
              const task = { url, seconds: Number(flags.seconds), ...rest, ...way };
              rows.push({ sender: kind.name, receiver, load, ...await run(task) });
              console.error(JSON.stringify(rows.at(-1)));
            }
          }
        } finally {
          await server.stop();
        }
      }
    }
  } finally {
    if (flags.films === undefined) await Deno.remove(folder, { recursive: true });
  }
  const result = { machine: await machine(), rows };
  if (flags.json) {
    await Deno.writeTextFile(String(flags.json), JSON.stringify(result, undefined, 1));
  }
  printTable(rows);
}

/** Lets a client play, and reads its preview meanwhile. */
async function run(task: ReceiveTask): Promise<Omit<Row, "sender" | "receiver" | "load">> {
  const program = ["run", "--quiet", "--allow-all", "--unstable-net", "bench/receive/client.ts"];
  const [command, ...args] = [...WITHOUT_PRIVILEGE, Deno.execPath(), ...program];
  const child = new Deno.Command(command, {
    args,
    cwd: ROOT,
    env: { RECEIVE_TASK: JSON.stringify(task) },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let shown: Promise<ReadonlyMap<number, number>> | undefined;
  let outcome: ReceiveOutcome | undefined;
  for await (const line of linesOf(child.stdout)) {
    if (line.startsWith("PREVIEW ")) shown = readPreview(Number(line.slice(8)));
    else outcome = JSON.parse(line);
  }
  await child.status;
  if (outcome === undefined) throw new Error("Cannot measure: the client ended without a result");
  const { arrivals, ...rest } = outcome;
  const latencyMs = shown && latencyOf(arrivals, await shown);
  return { ...rest, latencyMs };
}

function latencyOf(arrivals: ReceiveOutcome["arrivals"], shown: ReadonlyMap<number, number>) {
  const latencies = arrivals.flatMap(([number, ms]) => {
    const shownMs = shown.get(number);
    return shownMs === undefined ? [] : [shownMs - ms];
  }).sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as TransformStream)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function printTable(rows: readonly Row[]): void {
  console.log(
    "| Sender | Load | Received by | Packets | Lost | Of these at the socket | CPU µs a packet | PNGs | Packet to browser p50 / p99, ms |",
  );
  console.log("|---|---|---|--:|--:|--:|--:|--:|--:|");
  for (const row of rows) {
    const { p50, p99 } = row.latencyMs ?? {};
    const latency = p50 === undefined ? "" : `${p50.toFixed(1)} / ${p99!.toFixed(1)}`;
    const share = (row.lost / (row.packets + row.lost) * 100).toFixed(2);
    const cells = [
      row.sender,
      row.load,
      row.receiver,
      row.packets,
      `${row.lost} (${share} %)`,
      row.droppedBySystem,
    ];
    console.log(`| ${[...cells, row.cpuUs.toFixed(1), row.pngs, latency].join(" | ")} |`);
  }
}
