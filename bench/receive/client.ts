/**
 * The receiver of `bench/receive.ts`: a client of ours that writes PNG files, shows the preview, and is busy now and then.
 *
 * @module
 */
import process from "node:process";
import { RtspClient } from "../../lib/client/client.ts";
import { PngWriter } from "../../lib/client/keepers.ts";
import { ClientWatching } from "../../lib/client/watching.ts";
import { ImageWorker } from "../../lib/image/image.ts";
import { openLibc } from "../../lib/net/libc.ts";
import { raiseReceiveBuffer } from "../../lib/net/udp_linux.ts";
import { clockOffsetMs } from "../../lib/net/receive_work.ts";
import { createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import type { ReceiveOutcome, ReceiveTask } from "../receive.ts";

const task: ReceiveTask = JSON.parse(Deno.env.get("RECEIVE_TASK")!);
const WARM_UP_MS = 1_500;
const BUSY_PERIOD_MS = 400;
/** What most systems give a socket, and the most that they let it have, as they count: twice what is asked for. */
const DEFAULT_BUFFER_BYTES = 212_992;

const libc = openLibc()!;
const offsetMs = clockOffsetMs(libc);
const watching = await ClientWatching.open({
  application: "bench",
  hasView: task.isShowing,
  isStepping: false,
  capturePath: undefined,
});
const { url, udp } = task;
const client = new RtspClient({ url, udp, transport: "udp", tap: watching.tap });
let rtpPort = 0;
client.on((event) => {
  if (event.type === "note") console.error(event.text);
  if (event.type !== "request" || event.request.method !== "SETUP") return;
  const transport = event.request.headers.find(([name]) => name === "Transport")![1];
  rtpPort = Number(/client_port=(\d+)/.exec(transport)![1]);
});
const images = new ImageWorker({ isBackground: true });
const folder = await Deno.makeTempDir({ prefix: "deno-rtsp-receive-" });
const pngs = task.writesPng ? await PngWriter.open(folder, { every: 1, images }) : undefined;
const arrivals: [number, number][] = [];
let isMeasuring = false;
client.onFrame((frame) => {
  pngs?.keep(frame);
  if (isMeasuring) arrivals.push([frame.number, frame.arrivalMs - offsetMs]);
});
const preview = task.isShowing ? showPreview() : undefined;
if (preview) console.log(`PREVIEW ${preview.port}`);
await client.setup();
if (task.hasDefaultBuffer) {
  raiseReceiveBuffer({ hostname: "0.0.0.0", port: rtpPort }, DEFAULT_BUFFER_BYTES / 2);
}
await client.play();
await sleep(WARM_UP_MS);
isMeasuring = true;
const busy = task.busyMs > 0 ? setInterval(() => compute(task.busyMs), BUSY_PERIOD_MS) : undefined;
const before = client.statistics();
const droppedBefore = droppedBySystem();
const cpu = process.cpuUsage();
await sleep(task.seconds * 1_000);
const { user, system } = process.cpuUsage(cpu);
clearInterval(busy);
isMeasuring = false;
await sleep(300); // what waits in the ring or in the socket is no loss
const after = client.statistics();
const packets = after.packets - before.packets;
const outcome: ReceiveOutcome = {
  packets,
  lost: after.lost - before.lost,
  frames: after.frames - before.frames,
  droppedBySystem: droppedBySystem() - droppedBefore,
  framesDropped: after.framesDropped - before.framesDropped,
  cpuUs: (user + system) / packets,
  pngs: Array.from(Deno.readDirSync(folder)).length,
  jitterMs: after.jitterMs,
  arrivals,
};
await client.close();
console.log(JSON.stringify(outcome));
await Deno.remove(folder, { recursive: true });
Deno.exit(0); // pictures that wait are not waited for

function showPreview() {
  const player = watching.playerOf(client, { startsAtOnce: true });
  const handler = createPreviewHandler(player, {
    png: (jpeg) => images.toPng(jpeg),
    allowedHosts: ["127.0.0.1"],
    protocol: watching.view,
  });
  return openPreview(handler, { hostname: "127.0.0.1", port: 0 });
}

/** Holds the thread, as a library's user may. */
function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** What the system has dropped at our socket because its buffer was full. */
function droppedBySystem(): number {
  const port = rtpPort.toString(16).toUpperCase().padStart(4, "0");
  const line = Deno.readTextFileSync("/proc/net/udp").split("\n").find((text) =>
    text.includes(`:${port} `)
  );
  return Number(line?.trim().split(/\s+/).at(-1) ?? 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
