/**
 * Compiles floors 0 to 2 as if there were no host: ECMAScript, `@std/bytes` and `lib/pure.d.ts`, nothing else. A
 * clock, a timer, a socket or the console in a room without windows becomes "Cannot find name".
 *
 * Which files those are is said by `tools/lint_plugin.ts`; imports that climb a floor are its business, too.
 *
 * @module
 */
import { roomOf } from "./lint_plugin.ts";
import { filesUnder, ROOT } from "./repository.ts";

if (import.meta.main) {
  const files = pureFiles();
  const check = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--config", "tools/pure.json", ...files],
    cwd: ROOT,
    stdin: "null",
  }).output();
  await Deno.stderr.write(check.stderr);
  if (check.success) {
    console.log(`Purity: ${files.length} files of floors 0 to 2 compile without a host`);
  }
  Deno.exit(check.success ? 0 : 1);
}

/** Paths of the files that stand on floors 0 to 2, relative to the repository, sorted. */
export function pureFiles(): string[] {
  return filesUnder("lib", ".ts").filter((path) => {
    const room = roomOf(path);
    return room !== undefined && room.floor <= 2 && !path.endsWith(".d.ts");
  });
}
