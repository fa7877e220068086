import { assertEquals } from "@std/assert";
import { playToMany } from "../../bench/readers.ts";
import { RtspServer } from "../../lib/server/server.ts";
import { ROOT } from "../../tools/repository.ts";

// The full number, 200 clients for the whole film, is `deno run --allow-all bench/readers.ts`.
for (const udp of ["linux", "portable"] as const) {
  for (const [dialect, transport] of [["lab", "udp"], ["rtsp", "udp"], ["rtsp", "tcp"]] as const) {
    if (transport === "tcp" && udp === "portable") continue;
    const isLinux = Deno.build.os === "linux";
    const skipped = udp === "linux" && !isLinux ? " [skipped: needs Linux]" : "";
    const way = transport === "tcp" ? "tcp" : `udp, sent the ${udp} way`;
    Deno.test({
      name:
        `RtspServer gives each of 20 clients every frame in order: ${dialect} over ${way}${skipped}`,
      ignore: skipped !== "",
      fn: () => playsToAll({ udp, dialect, transport }),
    });
  }
}

async function playsToAll({ udp, dialect, transport }: {
  readonly udp: "linux" | "portable";
  readonly dialect: "lab" | "rtsp";
  readonly transport: "udp" | "tcp";
}): Promise<void> {
  await using server = await RtspServer.start({
    media: `${ROOT}media`,
    hostname: "127.0.0.1",
    port: 0,
    udp,
    maxLatenessMs: Infinity,
  });
  const readers = 20;
  const frames = 30;
  const { port } = server.address;
  const result = await playToMany({ port, readers, frames, dialect, transport });
  assertEquals({ ...result, firstFrameMs: [] }, {
    frames: readers * frames,
    wrong: 0,
    lost: 0,
    unfinished: 0,
    firstFrameMs: [],
  });
}
