/**
 * Packs both programs into self-extracting executables: a POSIX shell header and one gzip'd tar that holds Deno, the
 * bundled programs, the sample and the files of imagescript that are needed. The same sources and the same Deno give
 * the same octets.
 *
 * For systems where `deno compile` cannot fetch its runtime base. Not for Windows.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createGzip } from "node:zlib";
import { Readable } from "node:stream";
import { concat } from "@std/bytes";
import config from "../deno.json" with { type: "json" };
import header from "./self_extracting.sh" with { type: "text" };
import { ROOT } from "./repository.ts";
import { type TarFile, tarPieces } from "./tar.ts";

/** A program to pack. */
export interface Program {
  /** Name of the executable. */
  readonly name: string;
  /** Its entry file, relative to the repository. */
  readonly entry: string;
  /** Its permissions and V8's settings, as flags of `deno run`. */
  readonly flags: readonly string[];
  /** Files it opens while it runs, relative to the repository; those that end in `.ts` are programs of workers. */
  readonly includes: readonly string[];
}

/** Flags that keep a packed program away from settings, caches and registries of the machine it runs on. */
const SEALING_FLAGS = [
  "--no-config",
  "--no-lock",
  "--cached-only",
  "--no-prompt",
  "--quiet",
  "--node-modules-dir=manual",
  "--unstable-net",
];
/** What the image worker needs of imagescript: no native addon, no fonts, no SVG. */
const IMAGESCRIPT_FILES = [
  "package.json",
  "LICENSE",
  "LICENSE.MIT",
  "png/node.js",
  "wasm/any/jpeg.wasm",
];

/**
 * Writes one executable per program into `folder`.
 *
 * @param options.report Gets one line per step, and the share that is done while packing.
 */
export async function pack(
  programs: readonly Program[],
  options: { folder: string; report: (step: string, share?: number) => void },
): Promise<{ path: string; size: number }[]> {
  options.report("Bundling");
  const includes = [...new Set(programs.flatMap((program) => program.includes))];
  const workers = includes.filter((path) => path.endsWith(".ts"));
  const others = includes.filter((path) => !path.endsWith(".ts"));
  const entries = [...programs.map((program) => program.entry), ...workers];
  const files = [...await bundle(entries), ...libraryFiles(), ...readFiles(others, "app/")];
  options.report("Reading Deno");
  const deno = { path: "deno", data: Deno.readFileSync(Deno.execPath()), isExecutable: true };
  const payload = await compress([deno, ...files], (share) => options.report("Packing", share));
  const id = createHash("sha256").update(payload).digest("hex").slice(0, 32);
  return programs.map((program) => {
    const path = `${options.folder}/${program.name}`;
    const head = new TextEncoder().encode(headerOf(program, id));
    // A new file under the old name: a running program keeps the one it was started from.
    const draft = `${path}.tmp-${Deno.pid}`;
    Deno.writeFileSync(draft, concat([head, payload]), { mode: 0o755 });
    Deno.chmodSync(draft, 0o755);
    Deno.renameSync(draft, path);
    return { path, size: head.length + payload.length };
  });
}

/** The shell header with its fields filled in; `skip` is the 1-based position of the first octet after it. */
export function headerOf(program: Program, id: string): string {
  const fields: Record<string, string> = {
    NAME: program.name,
    VERSION: config.version,
    ID: id,
    FLAGS: [...SEALING_FLAGS, ...program.flags].map(shellQuoted).join(" "),
    MAIN: program.entry.replace(/\.ts$/, ".js"),
    SKIP: "00000000",
  };
  const filled = header.replaceAll(/@([A-Z]+)@/g, (_, name) => fields[name]);
  const skip = String(new TextEncoder().encode(filled).length + 1);
  return filled.replaceAll(fields.SKIP, skip.padStart(fields.SKIP.length, "0"));
}

/** Words that need no quotes stay readable; the rest is put between single quotes. */
function shellQuoted(word: string): string {
  return /^[\w.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Programs and workers, each as one JavaScript file, side by side; imagescript is left outside. */
async function bundle(entries: readonly string[]): Promise<TarFile[]> {
  const folder = Deno.makeTempDirSync({ prefix: "deno-rtsp-build-" });
  try {
    const externals = ["--external", "imagescript", "--external", "imagescript/*"];
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", ...externals, "--outdir", folder, ...entries],
      cwd: ROOT,
      stdin: "null",
    }).output();
    if (!result.success) {
      throw new Error(`Cannot bundle the programs: ${new TextDecoder().decode(result.stderr)}`);
    }
    return entries.map((entry) => {
      const name = entry.replace(/\.ts$/, ".js");
      const data = Deno.readFileSync(`${folder}/${name}`);
      checkImports(name, new TextDecoder().decode(data));
      return { path: `app/${name.split("/").at(-1)}`, data };
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Every file of imagescript that a bundle names must be packed, or the program would fail on the first picture. */
function checkImports(name: string, code: string): void {
  for (const [, path] of code.matchAll(/["']imagescript\/([^"']+)["']/g)) {
    if (!IMAGESCRIPT_FILES.includes(path)) {
      throw new Error(`Cannot pack "${name}": "imagescript/${path}" is not in IMAGESCRIPT_FILES`);
    }
  }
}

function libraryFiles(): TarFile[] {
  const files = IMAGESCRIPT_FILES.map((path) => ({
    path: `app/node_modules/imagescript/${path}`,
    data: Deno.readFileSync(new URL(import.meta.resolve(`imagescript/${path}`))),
  }));
  return [...files, ...readFiles(["LICENSE", "THIRD_PARTY_LICENSES"], "app/")];
}

function readFiles(paths: readonly string[], prefix: string): TarFile[] {
  return paths.map((path) => ({ path: prefix + path, data: Deno.readFileSync(ROOT + path) }));
}

async function compress(
  files: readonly TarFile[],
  report: (share: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const total = files.reduce((sum, file) => sum + file.data.length, 0);
  let done = 0;
  const slices = function* () {
    for (const piece of tarPieces(files)) {
      for (let start = 0; start < piece.length; start += SLICE_SIZE) {
        const slice = piece.subarray(start, start + SLICE_SIZE);
        done += slice.length;
        report(Math.min(1, done / total));
        yield slice;
      }
    }
  };
  const pieces: Uint8Array[] = [];
  for await (const piece of Readable.from(slices()).pipe(createGzip({ level: 9 }))) {
    pieces.push(piece);
  }
  return concat(pieces);
}

/** Octets compressed between two reports of progress. */
const SLICE_SIZE = 1 << 20;
