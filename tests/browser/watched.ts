/** A real server, a real client, and the previews of both, in one process on ports that are free. */
import { RtspClient } from "../../lib/client/client.ts";
import type { RtspClientOptions } from "../../lib/client/options.ts";
import { ClientWatching } from "../../lib/client/watching.ts";
import { ImageWorker } from "../../lib/image/image.ts";
import { RtspServer } from "../../lib/server/server.ts";
import { ServerWatching } from "../../lib/server/watching.ts";
import { allowedHostsOf, createPreviewHandler, openPreview } from "../../lib/ui/preview.ts";

const MEDIA = new URL("../../media/", import.meta.url);

/** What differs from a standard client in front of the bundled film. */
export interface WatchedOptions {
  readonly dialect?: "rtsp" | "lab";
  readonly transport?: "udp" | "tcp";
  /** Port of the server. @default {any} */
  readonly rtspPort?: number;
  /** Port of a server that the test brings along; then none is started. */
  readonly foreignPort?: number;
  readonly loop?: boolean;
}

/** Starts everything; the stack ends it. */
export async function startWatched(options: WatchedOptions = {}) {
  const { dialect = "rtsp", transport, rtspPort = 0, foreignPort, loop = true } = options;
  const stack = new AsyncDisposableStack();
  const serverWatching = stack.use(
    await ServerWatching.open({
      application: "rtsp-server test",
      preview: { hostname: "127.0.0.1", port: 0 },
      capturePath: undefined,
      warn: () => {},
    }),
  );
  const server = stack.use(
    await RtspServer.start({
      hostname: "127.0.0.1",
      port: rtspPort,
      media: MEDIA,
      loop,
      tap: serverWatching.tap,
    }),
  );
  const serverAddress = serverWatching.show(server)!;
  const watching = await ClientWatching.open({
    application: "rtsp-client test",
    hasView: true,
    isStepping: false,
    capturePath: undefined,
  });
  const { tap, beforeRequest } = watching;
  const url = { host: "127.0.0.1", port: foreignPort ?? server.address.port, file: "video.mjpeg" };
  const client = stack.use(
    new RtspClient({ url, dialect, transport, tap, beforeRequest } as RtspClientOptions),
  );
  const images = stack.use(new ImageWorker());
  const handler = createPreviewHandler(watching.playerOf(client, { startsAtOnce: true }), {
    png: (jpeg) => images.toPng(jpeg),
    allowedHosts: allowedHostsOf("127.0.0.1"),
    protocol: watching.view,
  });
  const preview = stack.use(openPreview(handler, { port: 0 }));
  return { stack, server, client, watching, address: preview.address, serverAddress };
}
