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
import { clockOffsetMs } from "../../lib/net/receive_work.ts";
import { createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";
import type { ReceiveOutcome, ReceiveTask } from "../receive.ts";

const task: ReceiveTask = JSON.parse(Deno.env.get("RECEIVE_TASK")!);
const WARM_UP_MS = 1_500;
const BUSY_PERIOD_MS = 400;

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
client.on((event) => {
  if (event.type === "note") console.error(event.text);
});
const images = new ImageWorker();
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
await client.play();
await sleep(WARM_UP_MS);
isMeasuring = true;
const busy = task.busyMs > 0 ? setInterval(() => compute(task.busyMs), BUSY_PERIOD_MS) : undefined;
const before = client.statistics();
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
