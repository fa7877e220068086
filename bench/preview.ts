/**
 * What watching costs a receiver: CPU of a client that gets 2,000 RTP packets a second over the loopback, without a
 * protocol view, with one that nobody looks at, and with one whose events a browser (here: a subscriber) reads.
 *
 * Run `deno run --allow-all --unstable-net bench/preview.ts [SECONDS]`. The server is a process of its own; CPU is user
 * and system time of the receiving process, all its threads. One stream plays all the time, and the cases take turns
 * second by second, in an order that changes, so that a machine that does other work too treats all alike.
 *
 * @module
 */
import process from "node:process";
import { RtspClient } from "../lib/client/client.ts";
import type { WireTap } from "../lib/engine/wire_tap.ts";
import { ProtocolView } from "../lib/ui/protocol_view.ts";

const SECONDS = Number(Deno.args[0] ?? 60);
const SLICE_MS = 1000;
/** 9 packets a frame of the sample. */
const FRAMES_PER_SECOND = 223;
const CASES = ["no view", "view", "view and reader"] as const;
type Case = typeof CASES[number];

const { port, stop } = await startServer();
const view = new ProtocolView({
  side: "client",
  application: "bench",
  counters: () => client.stream ? [{ session: client.sessionNumber, ...client.stream }] : [],
});
let isWatching = true;
const { tap } = view;
const switched: WireTap = {
  ...bound(tap),
  packet: (flow, direction, bytes, now) => {
    if (isWatching) tap.packet!(flow, direction, bytes, now);
  },
  frame: (frame, now) => {
    if (isWatching) tap.frame!(frame, now);
  },
};
const client = new RtspClient({ url: `rtsp://127.0.0.1:${port}/video.mjpeg`, tap: switched });
await client.setup();
await client.play();
const sums = new Map(CASES.map((name) => [name, { cpuUs: 0, packets: 0 }]));
await slice("view and reader", 9000); // compiles everything, and fills the memory for packets
for (let second = 0; second < SECONDS; second++) {
  const name = CASES[(second + Math.floor(second / CASES.length)) % CASES.length];
  const { cpuUs, packets } = await slice(name, SLICE_MS);
  const sum = sums.get(name)!;
  sum.cpuUs += cpuUs;
  sum.packets += packets;
}
await client.close();
view.close();
stop();

const costOf = (name: Case) => sums.get(name)!.cpuUs / sums.get(name)!.packets;
for (const name of CASES) {
  const more = (costOf(name) / costOf("no view") - 1) * 100;
  const rate = sums.get(name)!.packets * CASES.length / SECONDS;
  console.log(
    `${name.padEnd(16)} ${rate.toFixed(0)} packets/s, ${
      costOf(name).toFixed(2)
    } us of CPU a packet${name === "no view" ? "" : `: ${more.toFixed(1)} % more`}`,
  );
}

async function slice(name: Case, ms: number): Promise<{ cpuUs: number; packets: number }> {
  isWatching = name !== "no view";
  const events = name === "view and reader" ? view.open()!.getReader() : undefined;
  const reading = events && readAll(events);
  await sleep(50); // the first batch is not what is measured
  const packetsBefore = client.statistics().packets;
  const before = process.cpuUsage();
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  const packets = client.statistics().packets - packetsBefore;
  await events?.cancel();
  await reading;
  return { cpuUs: user + system, packets };
}

/** As a socket would: takes what is there, and throws it away. */
async function readAll(events: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await events.read()).done);
}

function bound(tap: WireTap): WireTap {
  return {
    connectionOpened: (connection, now) => tap.connectionOpened?.(connection, now),
    connectionClosed: (id, now) => tap.connectionClosed?.(id, now),
    message: (message, now) => tap.message?.(message, now),
    session: (session, now) => tap.session?.(session, now),
    transition: (transition, now) => tap.transition?.(transition, now),
    sessionEnded: (id, reason, now) => tap.sessionEnded?.(id, reason, now),
  };
}

async function startServer(): Promise<{ port: number; stop: () => void }> {
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--unstable-net", "--quiet", "server.ts", "0", "--json", "--loop"],
      ...["--fps", String(FRAMES_PER_SECOND), "--host", "127.0.0.1"],
    ],
    cwd: new URL("..", import.meta.url).pathname,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = server.stdout.getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The server has ended: ${text}`);
    text += new TextDecoder().decode(value);
    const port = /"port":(\d+)/.exec(text)?.[1];
    if (port === undefined) continue;
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return { port: Number(port), stop: () => server.kill() };
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
