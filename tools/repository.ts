/**
 * Where the repository lies and what files it has, for the tools of this folder.
 *
 * @module
 */
import { fromFileUrl } from "@std/path/from-file-url";
import config from "../deno.json" with { type: "json" };

/** Absolute path of the repository, with a slash at its end. */
export const ROOT: string = fromFileUrl(new URL("../", import.meta.url));

/**
 * Paths of the files under a folder whose name ends in `suffix`, relative to the repository, sorted, with forward
 * slashes. Folders of installed packages and build results are left out.
 *
 * @throws {Deno.errors.NotFound} where the folder does not exist.
 */
export function filesUnder(folder: string, suffix: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(ROOT + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && entry.name !== "node_modules" && entry.name !== "coverage") {
      found.push(...filesUnder(path, suffix));
    } else if (entry.isFile && entry.name.endsWith(suffix)) found.push(path);
  }
  return found.sort();
}

/** The permissions of a program, as flags: what its task in `deno.json` grants is what its executable gets. */
export function permissionsOf(task: "start" | "client"): string[] {
  return runFlagsOf(task).filter((flag) => flag.startsWith("--allow-"));
}

/**
 * The flags of `deno run` that make a program what its users get: its permissions, and for the server a small young
 * generation of V8: left alone, that grows to be half of a reader's memory, and it saves no time (see bench/README.md).
 */
export function runFlagsOf(task: "start" | "client"): string[] {
  return config.tasks[task].command.split(" ").filter((word) =>
    /^--(?:allow-|v8-flags)/.test(word)
  );
}

/** The rooms that `mod.ts` opens to users: those from which it takes code, not types alone. */
export function openedRooms(): string[] {
  const mod = Deno.readTextFileSync(`${ROOT}mod.ts`);
  return [...mod.matchAll(/export \{([^}]*)\} from "\.\/(lib\/[^"]+)"/g)]
    .filter(([, names]) => /(^|,)\s*(?!type )\w/.test(names))
    .map((match) => match[2]);
}
