/**
 * `rtsp-client`: plays a film from a standard RTSP server or one of the streaming lab, and shows it in a browser.
 *
 * The program: flags to options, options to the assembly, the assembly's result to an exit code. `--help` tells the rest.
 *
 * @module
 */

import config from "./deno.json" with { type: "json" };
import { type CommandLine, parseCommandLine } from "./lib/client/command_line.ts";
import { CLIENT_HELP } from "./lib/client/command_line_help.ts";
import type { Credentials } from "./lib/client/options.ts";
import { runClient } from "./lib/client/program.ts";
import { UsageError } from "./lib/command_line.ts";

/** Runs the program with these words; resolves to the exit code: 0 done, 1 failed, 2 wrong command line. */
export async function main(words: readonly string[]): Promise<number> {
  let line: CommandLine;
  try {
    line = parseCommandLine(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`rtsp-client: ${error.message}; see rtsp-client --help`);
    return 2;
  }
  if (line.kind === "help") print(CLIENT_HELP.trimEnd());
  if (line.kind === "version") print(`rtsp-client ${config.version}`);
  if (line.kind !== "run") return 0;
  using signals = new StopSignals();
  return await runClient(line.options, {
    application: `rtsp-client ${config.version}`,
    credentials: credentialsOfEnvironment(),
    print,
    stop: signals.stop,
    stopNow: signals.stopNow,
  });
}

/** Signals that end the program: the first in order, one that comes half a second later or more at once. */
class StopSignals implements Disposable {
  readonly #stop = new AbortController();
  readonly #stopNow = new AbortController();
  readonly #listener = () => this.#take();
  #firstMs: number | undefined;

  constructor() {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, this.#listener);
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get stopNow(): AbortSignal {
    return this.#stopNow.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, this.#listener);
  }

  /** One Ctrl-C may arrive up to three times when a task runner passes it on. */
  #take(): void {
    this.#firstMs ??= performance.now();
    this.#stop.abort();
    if (performance.now() - this.#firstMs >= REPEAT_MS) this.#stopNow.abort();
  }
}

function credentialsOfEnvironment(): Credentials | undefined {
  try {
    const username = Deno.env.get("RTSP_USER");
    const password = Deno.env.get("RTSP_PASSWORD");
    if (username === undefined || username === "") return undefined;
    return { username, password: password ?? "" };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined; // not allowed to look
    throw error;
  }
}

function print(line: string): void {
  console.log(line);
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];
const REPEAT_MS = 500;

// At the end, where all of the above is defined.
if (import.meta.main) Deno.exit(await main(Deno.args));
