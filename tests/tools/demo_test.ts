import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROOT } from "../../tools/repository.ts";
import { run, RunningProgram, textOf } from "../support/process.ts";

Deno.test("deno task demo plays the sample from its own server, with the permissions that it names", async () => {
  const result = await run(Deno.execPath(), {
    args: ["task", "--quiet", "demo", "--frames", "10", "--no-preview", "--json"],
    cwd: ROOT,
    env: { DENO_NO_PROMPT: "1" },
  });
  assertEquals(result.code, 0, result.stderr);
  const summary = JSON.parse(textOf(result));
  assertEquals([summary.frames, summary.lost, summary.errors], [10, 0, []]);
});

Deno.test("deno task demo prints the preview's address and ends both programs on SIGINT", async () => {
  await using demo = new RunningProgram(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: ROOT,
    env: { DENO_NO_PROMPT: "1", NO_COLOR: "1" },
  });
  const [, rtspPort] = await demo.errorMatching(
    /serving rtsp:\/\/127\.0\.0\.1:(\d+)\/video\.mjpeg/,
  );
  const [, address] = await demo.errorMatching(/Preview: (http:\/\/\S+)/);
  await demo.errorMatching(/State: PLAYING/);
  const state = await (await fetch(`${address}state`)).json();
  assertEquals(state.state, "PLAYING");
  demo.signal("SIGINT");
  assertMatch(String(await demo.code), /^(0|130)$/);
  for (const port of [rtspPort, new URL(address).port]) assert(await isFree(Number(port)), port);
});

async function isFree(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}
