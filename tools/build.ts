/**
 * Makes `./rtsp-server` and `./rtsp-client`: `deno compile` first, and where its runtime base cannot be downloaded,
 * self-extracting executables of the same names (see `pack.ts`).
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { format as formatBytes } from "@std/fmt/bytes";
import { pack, type Program } from "./pack.ts";
import { ROOT, runFlagsOf } from "./repository.ts";

const USAGE = `Usage: deno task build [options]

Makes the executables rtsp-server and rtsp-client. They need neither Deno nor a network.

Options:
  --strict        Fail where \`deno compile\` cannot download its runtime base, instead of packing
  --pack          Pack self-extracting executables without trying \`deno compile\`
  --outdir DIR    Folder for the executables (default: the repository)
  --help          Show this text`;

/** Both programs, with the flags that the tasks of `deno.json` give them. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "rtsp-server",
    entry: "server.ts",
    flags: runFlagsOf("start"),
    includes: ["lib/image/image_worker.ts", "lib/server/server_worker.ts", "media/video.mjpeg"],
  },
  {
    name: "rtsp-client",
    entry: "client.ts",
    flags: runFlagsOf("client"),
    includes: ["lib/image/image_worker.ts", "lib/net/receive_worker.ts"],
  },
];

/** What was last said, so that nothing is said twice. */
let lastReport = "";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    boolean: ["strict", "pack", "help"],
    string: ["outdir"],
    default: { outdir: ROOT.slice(0, -1) },
    unknown: (arg) => {
      console.error(`build: Unknown argument "${arg}": see deno task build --help`);
      Deno.exit(2);
    },
  });
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = String(flags.outdir);
  Deno.mkdirSync(folder, { recursive: true });
  if (!flags.pack) {
    const outcome = await compile(folder);
    if (outcome === "done") return 0;
    if (outcome === "failed") return 1;
    const fact = "deno compile cannot download its runtime base here";
    if (flags.strict) {
      console.error(`build: ${fact}, and --strict allows nothing else`);
      return 1;
    }
    console.error(`build: ${fact}: packing self-extracting executables instead`);
  }
  const made = await pack(PROGRAMS, { folder, report: reportProgress });
  for (const { path, size } of made) console.log(`${path}  ${formatBytes(size)}`);
  return 0;
}

/** `"no base"` where only the download of the runtime base failed, so that packing may take over. */
async function compile(folder: string): Promise<"done" | "failed" | "no base"> {
  for (const program of PROGRAMS) {
    reportProgress(`Compiling ${program.name}`);
    const path = `${folder}/${program.name}`;
    const result = await new Deno.Command(Deno.execPath(), {
      args: [
        "compile",
        "--quiet",
        "--no-prompt",
        "--exclude-unused-npm",
        ...program.flags,
        ...program.includes.flatMap((include) => ["--include", include]),
        "--output",
        path,
        program.entry,
      ],
      cwd: ROOT,
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(result.stderr);
    if (!result.success && /Setting up base binary|denort/.test(said)) return "no base";
    if (!result.success) {
      console.error(`build: Cannot compile ${program.entry}:\n${said}`);
      return "failed";
    }
    console.log(`${path}  ${formatBytes(Deno.statSync(path).size)}`);
  }
  return "done";
}

/** One line per step; on a terminal the share that is done moves along. */
function reportProgress(step: string, share?: number): void {
  const isTerminal = Deno.stderr.isTerminal();
  if (share === undefined || !isTerminal) {
    if (step !== lastReport) console.error(`build: ${step}`);
    lastReport = step;
    return;
  }
  const text = `build: ${step} ${Math.floor(share * 100)} %`;
  if (text === lastReport) return;
  lastReport = text;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r${text}${share === 1 ? "\n" : ""}`));
}
