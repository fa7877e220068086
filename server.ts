/**
 * `rtsp-server`: reads the command line, starts a server, tells what happens, and ends it when asked to.
 *
 * @module
 */

import config from "./deno.json" with { type: "json" };
import { UsageError } from "./lib/command_line.ts";
import { TransportError } from "./lib/errors.ts";
import {
  parseServerArguments,
  parseUsersFile,
  type ServerCommand,
  serverHelp,
} from "./lib/server/command_line.ts";
import type { ServerEvent, ServerListener } from "./lib/server/events.ts";
import { inspect } from "./lib/server/inspect.ts";
import { EventLog, isToldAsJson, jsonLine } from "./lib/server/log.ts";
import type { RtspServerOptions } from "./lib/server/options.ts";
import { rehearse } from "./lib/server/rehearsal.ts";
import { RtspServer } from "./lib/server/server.ts";
import { RtspServerPool } from "./lib/server/server_pool.ts";
import { ServerWatching } from "./lib/server/watching.ts";

/** Runs the program; resolves to its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args[0] === "inspect") return await inspect(args.slice(1), print);
    const command = parseServerArguments(args);
    if (command.action === "help") return print(serverHelp());
    if (command.action === "version") return print(`rtsp-server ${config.version}\n`);
    return await serve(command);
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message}. Try "rtsp-server --help".`);
      return EXIT_USAGE;
    }
    if (error instanceof TransportError) {
      complain(`${error.message}.${adviceFor(error)}`);
      return EXIT_FAILURE;
    }
    throw error;
  }
}

async function serve(command: ServerCommand): Promise<number> {
  const users = new Map(command.users);
  if (command.usersFile !== undefined) {
    for (const [name, password] of await readUsers(command.usersFile)) users.set(name, password);
  }
  const stopped = signalReceived();
  const listener = listenerFor(command);
  const watching = await ServerWatching.open({
    application: `rtsp-server ${config.version}`,
    preview: command.preview,
    capturePath: command.capture,
    warn: (message) => listener({ type: "warning", message }),
  });
  const options = {
    media: command.media ?? await defaultFolder(),
    sample: new URL("./media/video.mjpeg", import.meta.url),
    hostname: command.host,
    port: command.port,
    frameRateHz: command.frameRateHz,
    boundary: command.boundary,
    follow: command.follow,
    loop: command.loop,
    live: command.live,
    rtpPorts: command.rtpPorts,
    udp: command.udp,
    burstPackets: command.burstPackets,
    ownsThread: true,
    users,
    maxConnections: command.maxConnections,
    maxConnectionsPerAddress: command.maxConnectionsPerAddress,
    fit: command.fit,
    repair: command.repair,
    restartMarkers: command.restartMarkers,
    maxSize: command.maxSize,
    cacheBytes: command.cacheBytes,
    sessionTimeoutSeconds: command.sessionTimeoutSeconds,
    listener,
  };
  if (watching.tap !== undefined) return await serveWatched(options, watching, stopped);
  const server = await RtspServerPool.start({ ...options, workers: command.workers });
  rehearse(options);
  const failure = await Promise.race([stopped, server.failed]);
  await server.close();
  if (failure === undefined) return 0;
  complain(failure.message);
  return EXIT_FAILURE;
}

/** What is watched is all of one thread's: nothing has to come together from several. */
async function serveWatched(
  options: RtspServerOptions & { readonly listener: ServerListener },
  watching: ServerWatching,
  stopped: Promise<void>,
): Promise<number> {
  const { listener } = options;
  const server = await RtspServer.start({ ...options, tap: watching.tap });
  rehearse(options);
  const address = watching.show(server);
  if (address !== undefined) listener({ type: "notice", message: `Preview: ${address}` });
  await stopped;
  await server.close();
  await watching.close();
  const summary = watching.summary();
  if (summary !== undefined) listener({ type: "notice", message: summary });
  return 0;
}

function listenerFor(command: ServerCommand): (event: ServerEvent) => void {
  const log = new EventLog({
    level: command.logLevel,
    hasColors: Deno.stderr.isTerminal() && !Deno.noColor,
    write: (line) => writeLine(Deno.stderr, line),
    now: () => new Date(),
  });
  return (event) => {
    log.tell(event);
    if (command.json && isToldAsJson(event, command.logLevel)) {
      writeLine(Deno.stdout, jsonLine(event, new Date()));
    }
  };
}

async function defaultFolder(): Promise<string> {
  try {
    if ((await Deno.stat("media")).isDirectory) return "media";
  } catch {
    // There is none: the working folder it is.
  }
  return ".";
}

async function readUsers(path: string): Promise<(readonly [string, string])[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new TransportError(`Cannot read users from "${path}": ${reason}`, {
      operation: "read",
      cause,
    });
  }
  return parseUsersFile(text, path);
}

/** Settles with the first signal that asks to stop. One Ctrl-C may come several times; a later one ends at once. */
function signalReceived(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const stop = () => {
      const now = performance.now();
      firstMs ??= now;
      if (now - firstMs > SIGNAL_REPEAT_MS) Deno.exit(EXIT_INTERRUPTED);
      resolve();
    };
    Deno.addSignalListener("SIGINT", stop);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  });
}

function adviceFor(error: TransportError): string {
  if (error.operation === "listen") {
    const isAboutPort = error.errno === "EADDRINUSE" || error.errno === "EACCES";
    if (isAboutPort) return " Name another port, for example: rtsp-server 8555";
    return " Leave out --host, or name an address of this machine, as 127.0.0.1";
  }
  if (error.operation === "stat") return " Name the folder of your movies: rtsp-server --media DIR";
  return "";
}

function print(text: string): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return 0;
}

function complain(text: string): void {
  writeLine(Deno.stderr, `rtsp-server: ${text}`);
}

function writeLine(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  try {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let offset = 0; offset < bytes.length;) offset += stream.writeSync(bytes.subarray(offset));
  } catch {
    // Nobody reads any more: that is no reason to stop serving.
  }
}

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const SIGNAL_REPEAT_MS = 500;

// Last, so that the constants above are there when it runs.
if (import.meta.main) Deno.exit(await main(Deno.args));
