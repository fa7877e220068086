/** A client on both ways to receive UDP: by Deno's own sockets, and by a thread that does nothing else. */
import { assert, assertEquals } from "@std/assert";
import { RtspClient } from "../../lib/client/client.ts";
import type { RtspClientOptions } from "../../lib/client/options.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { ROOT, runFlagsOf } from "../../tools/repository.ts";
import { freeUdpRange } from "../support/ports.ts";
import { Served } from "../support/served.ts";

const isLinux = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
const FILM = "video.mjpeg";
const film = await Deno.readFile(new URL(`../../media/${FILM}`, import.meta.url));

/** One test for each way. */
function test(criterion: string, fn: (udp: "portable" | "linux") => Promise<void>): void {
  for (const udp of ["portable", "linux"] as const) {
    const isSkipped = udp === "linux" && !isLinux;
    const why = isSkipped ? " [skipped: needs Linux on x86-64 or ARM64]" : "";
    const name = `RtspClient, --udp ${udp}, ${criterion}${why}`;
    Deno.test({ name, ignore: isSkipped, fn: () => fn(udp) });
  }
}

async function play(served: Served, frameCount: number, options: Partial<RtspClientOptions>) {
  await using client = new RtspClient({ url: served.url(FILM), transport: "udp", ...options });
  const frames = client.frames({ queueLength: 1000 });
  await client.setup();
  await client.play();
  const sizes: number[] = [];
  for await (const { jpeg } of frames) if (sizes.push(jpeg.length) === frameCount) break;
  return { sizes, statistics: client.statistics() };
}

test("receives every packet of a standard server and of the lab's dialect", async (udp) => {
  await using served = await Served.start({ [FILM]: film }, { frameRateHz: 200 });
  for (const dialect of ["rtsp", "lab"] as const) {
    const { sizes, statistics } = await play(served, 200, { udp, dialect });
    const { lost, duplicates, reordered, framesDropped, malformed } = statistics;
    assertEquals(sizes.length, 200);
    assertEquals([lost, duplicates, reordered, framesDropped, malformed], [0, 0, 0, 0, 0]);
  }
});

test("counts foreign datagrams and bears a flood of them", async (udp) => {
  await using served = await Served.start({ [FILM]: film });
  await using client = new RtspClient({ url: served.url(FILM), transport: "udp", udp });
  let port = 0;
  client.on((event) => {
    if (event.type !== "request" || event.request.method !== "SETUP") return;
    const header = event.request.headers.find(([name]) => name === "Transport")!;
    port = Number(/client_port=(\d+)/.exec(header[1])![1]);
  });
  await client.setup();
  const frames = client.frames({ queueLength: 1000 });
  await client.play();
  using stranger = openUdp({ hostname: "127.0.0.2" });
  let count = 0;
  for await (const _ of frames) {
    for (const size of [0, 1, 1400, 65_507]) {
      await stranger.sendTo(new Uint8Array(size), { hostname: "127.0.0.1", port });
    }
    if (++count === 60) break;
  }
  const { lost, malformed } = client.statistics();
  assertEquals([lost, malformed], [0, 0]);
});

test("takes up the same port again at once", async (udp) => {
  await using served = await Served.start({ [FILM]: film });
  const [rtpPort] = freeUdpRange(1);
  await using client = new RtspClient({ url: served.url(FILM), transport: "udp", udp, rtpPort });
  for (let round = 0; round < 4; round++) {
    await client.setup();
    const frames = client.frames();
    await client.play();
    assertEquals((await frames.next()).done, false);
    await client.teardown();
  }
});

Deno.test({
  name: "RtspClient with a thread that receives loses nothing while its program is busy" +
    (isLinux ? "" : " [skipped: needs Linux on x86-64 or ARM64]"),
  ignore: !isLinux,
  async fn() {
    // The server is a program of its own: it must not wait for us.
    const server = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", ...runFlagsOf("start"), "server.ts", "0", "--json", "--loop"],
        ...["--host", "127.0.0.1", "--fps", "100"],
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    try {
      const port = await portOf(server.stdout);
      const url = `rtsp://127.0.0.1:${port}/${FILM}`;
      await using client = new RtspClient({ url, transport: "udp", udp: "linux" });
      await client.setup();
      await client.play();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const before = client.statistics();
      for (let round = 0; round < 8; round++) {
        for (const end = performance.now() + 100; performance.now() < end;);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const after = client.statistics();
      assertEquals([after.lost, after.late, after.framesDropped], [0, 0, 0]);
      assert(after.frames - before.frames >= 60, `${after.frames - before.frames} frames`);
    } finally {
      server.kill();
      await server.status;
    }
  },
});

async function portOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  for await (const bytes of stream) {
    text += new TextDecoder().decode(bytes);
    const port = /"port":(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`The server has ended: ${text}`);
}

Deno.test("RtspClient does without the thread where it has no permission, says why, and fails if told to use it", async () => {
  await using served = await Served.start({ [FILM]: film });
  const permissions = runFlagsOf("client").filter((flag) => flag !== "--allow-ffi");
  const run = (udp: string) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", ...permissions, "client.ts", served.url(FILM)],
        ...["--udp", udp, "--transport", "udp", "--no-preview", "--frames", "5"],
      ],
      cwd: ROOT,
      stdin: "null",
    }).output();
  const reason = Deno.build.os === "linux"
    ? "it needs the permission --allow-ffi"
    : `this system is ${Deno.build.os}`;
  const automatic = await run("auto");
  assertEquals(automatic.code, 0);
  const said = new TextDecoder().decode(automatic.stderr);
  assert(said.includes(`UDP is received without a thread of its own: ${reason}`), said);
  const forced = await run("linux");
  assertEquals(forced.code, 1);
  const refused = new TextDecoder().decode(forced.stderr);
  assert(refused.includes(`Cannot receive UDP in a thread of its own: ${reason}`), refused);
  assertEquals((await run("portable")).code, 0);
});
