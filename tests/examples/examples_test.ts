import { assertEquals, assertMatch } from "@std/assert";
import { RtspServer } from "@deno-rtsp/deno-rtsp";
import { saveFrames } from "../../examples/save_frames.ts";
import { ROOT } from "../../tools/repository.ts";
import { run, RunningProgram, textOf } from "../support/process.ts";

Deno.test("examples/save_frames.ts saves the frames it was asked for", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await using server = await RtspServer.start({
      media: `${ROOT}media`,
      hostname: "127.0.0.1",
      port: 0,
      frameRateHz: 100,
    });
    assertEquals(await saveFrames(server.url("video.mjpeg"), `${folder}/frames`, 10), 10);
    const names = [...Deno.readDirSync(`${folder}/frames`)].map((entry) => entry.name).sort();
    assertEquals(names.length, 10);
    assertEquals(names[0], "frame-000001.jpg");
    const head = Deno.readFileSync(`${folder}/frames/${names[9]}`).subarray(0, 3);
    assertEquals(head, new Uint8Array([0xff, 0xd8, 0xff]));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("examples/save_frames.ts says how it is used", async () => {
  const result = await run(Deno.execPath(), {
    args: ["run", "--no-prompt", `${ROOT}examples/save_frames.ts`],
  });
  assertEquals([result.code, result.stderr], [2, "Usage: save_frames.ts URL FOLDER [COUNT]\n"]);
});

Deno.test("examples/serve_folder.ts serves a folder until SIGINT, with the permissions its README names", async () => {
  await using server = new RunningProgram(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      `${ROOT}examples/serve_folder.ts`,
      `${ROOT}media`,
      "0",
    ],
  });
  const [, url] = await server.outputMatching(/at (rtsp:\S+)/);
  const folder = Deno.makeTempDirSync();
  try {
    const args = [
      "run",
      "--no-prompt",
      "--allow-net",
      "--allow-write",
      `${ROOT}examples/save_frames.ts`,
    ];
    const client = await run(Deno.execPath(), {
      args: [...args, `${url}video.mjpeg`, folder, "3"],
    });
    assertEquals([client.code, textOf(client)], [0, "3 frames\n"], client.stderr);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  server.signal("SIGINT");
  assertMatch(String(await server.code), /^0$/);
});
