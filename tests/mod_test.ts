import { assertEquals } from "@std/assert";
import { roomOf } from "../tools/lint_plugin.ts";
import { filesUnder, openedRooms, ROOT } from "../tools/repository.ts";

/** Parts of a room that its door (`lib/jpeg.ts`, `lib/rtsp.ts`, `lib/engine/receiver.ts`, …) uses but does not show. */
const INTERNAL = [
  /^lib\/(auth|jpeg|rtp_jpeg|rtsp)\//,
  /^lib\/rtcp_\w+\.ts$/,
  /^lib\/(byte_cache|latin1|ntp_time)\.ts$/,
  /^lib\/frames\/(frame_damage|container_fault|multipart_parts)\.ts$/,
];

const mod = Deno.readTextFileSync(`${ROOT}mod.ts`);

Deno.test("mod.ts exports every name of the rooms that it opens", async () => {
  const doors = openedRooms().filter((path) => roomOf(path)!.floor < 4);
  const [opened, ...rooms] = await namesIn(["mod.ts", ...doors]);
  const missing = rooms.flatMap((names, i) =>
    [...names].filter((name) => !opened.has(name)).map((name) => `${name} of ${doors[i]}`)
  );
  assertEquals(missing, []);
});

Deno.test("mod.ts opens every format, but for the inner parts of one", () => {
  const closed = filesUnder("lib", ".ts").filter((path) =>
    (roomOf(path)?.floor ?? 3) <= 1 && !path.endsWith(".d.ts") && !mod.includes(`"./${path}"`) &&
    !INTERNAL.some((pattern) => pattern.test(path))
  );
  assertEquals(closed, []);
});

/** The names that each module exports, in the order of the modules. */
async function namesIn(paths: readonly string[]): Promise<Set<string>[]> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...paths],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const { nodes } = JSON.parse(new TextDecoder().decode(result.stdout));
  return paths.map((path) => {
    const symbols: { name: string; declarations: { declarationKind: string }[] }[] =
      nodes[`file://${ROOT}${path}`]?.symbols ?? [];
    return new Set(
      symbols.filter((symbol) => symbol.declarations.some((d) => d.declarationKind === "export"))
        .map((symbol) => symbol.name),
    );
  });
}
