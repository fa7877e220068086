/**
 * Server and client on the bundled sample, in one command and one terminal: `deno task demo`.
 *
 * The server lives in this process on a free port of 127.0.0.1; the client is the real program with this terminal's
 * keys and screen, and says where its preview is. When the client ends, so does the server. Arguments are the client's.
 *
 * @module
 */
import { RtspServer } from "../lib/server/server.ts";
import { permissionsOf, ROOT } from "./repository.ts";

if (import.meta.main) Deno.exit(await demo(Deno.args));

/** Runs the demonstration until the client ends; resolves to the client's exit code. */
export async function demo(clientArgs: readonly string[]): Promise<number> {
  await using server = await RtspServer.start({
    hostname: "127.0.0.1",
    port: 0,
    media: `${ROOT}media`,
    loop: true,
  });
  const url = server.url("video.mjpeg");
  console.error(`demo: serving ${url} in a loop; Ctrl-C or q ends both programs`);
  const client = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      ...permissionsOf("client"),
      `${ROOT}client.ts`,
      url,
      ...clientArgs,
    ],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  using _signals = passOn(["SIGINT", "SIGTERM", "SIGHUP"], client);
  const { code } = await client.status;
  return code;
}

/** The client says goodbye to the server, so it is told to end and the server waits for it. */
function passOn(signals: readonly Deno.Signal[], client: Deno.ChildProcess): Disposable {
  const isWindows = Deno.build.os === "windows";
  const listeners = signals.filter((signal) => !isWindows || signal === "SIGINT").map((signal) => {
    const listener = () => {
      try {
        client.kill(isWindows ? "SIGTERM" : signal);
      } catch (error) {
        // It has ended between the signal and now.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return { [Symbol.dispose]: () => listeners.forEach((remove) => remove()) };
}
