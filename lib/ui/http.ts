/**
 * Puts the preview's handler on a port.
 *
 * Floor 3 (wall). RFC 9112, through `Deno.serve`. It encrypts nothing, and is meant for the loopback interface.
 *
 * @module
 */
import { TransportError } from "../errors.ts";
/** Answers requests; needs no port. `close()` ends its streams, after which it answers as before. */
export interface PreviewHandler {
  (request: Request): Promise<Response>;
  /** Ends all streams of video and events. */
  close(): void;
}

/** Where to listen. */
export interface OpenPreviewOptions {
  /** An address of this machine. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** The first port to try; 0 lets the system choose. @default {8080} */
  readonly port?: number;
  /** Ports to try, one after the other. @default {20} */
  readonly attempts?: number;
  /** What its address has to end with, where the handler asks for a token. */
  readonly token?: string;
}

/**
 * Where a preview shall listen, from `PORT` or `ADDR:PORT`; brackets around IPv6. `undefined` for anything else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parsePreviewAddress("[::1]:80"), { hostname: "::1", port: 80 });
 * assertEquals(parsePreviewAddress("80x"), undefined);
 * ```
 */
export function parsePreviewAddress(
  text: string,
): { readonly hostname: string; readonly port: number } | undefined {
  const match = /^(?:(\[[0-9a-f:]+\]|[^:[\]]+):)?(\d{1,5})$/i.exec(text);
  if (!match || Number(match[2]) > 65_535) return undefined;
  const hostname = match[1]?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1";
  return { hostname, port: Number(match[2]) };
}

/** A preview that listens. */
export interface OpenPreview extends AsyncDisposable {
  /** What to type into a browser on this machine, for example `http://127.0.0.1:8080/`. */
  readonly address: string;
  /** The port it got. */
  readonly port: number;
  /** Ends all streams and connections. */
  close(): Promise<void>;
}

/**
 * Listens on the first free port from `port` upwards.
 *
 * @throws {TransportError} if none is free, or the address is not this machine's, or the system forbids it.
 */
export function openPreview(
  handler: PreviewHandler,
  options: OpenPreviewOptions = {},
): OpenPreview {
  const { hostname = "127.0.0.1", port = 8080, attempts = 20 } = options;
  const last = port === 0 ? 0 : Math.min(65_535, port + attempts - 1);
  const abort = new AbortController();
  for (let candidate = port; candidate <= last; candidate++) {
    const server = tryToServe(handler, { hostname, port: candidate, signal: abort.signal });
    if (!server) continue;
    const close = async () => {
      handler.close();
      abort.abort();
      await server.finished;
    };
    return {
      address: `http://${browsableHost(hostname)}:${server.addr.port}/${
        options.token === undefined ? "" : `?token=${options.token}`
      }`,
      port: server.addr.port,
      close,
      [Symbol.asyncDispose]: close,
    };
  }
  throw new TransportError(
    `Cannot open preview on "${hostname}": ports ${port} to ${last} are taken, choose another one with --preview`,
    { operation: "listen", errno: "EADDRINUSE" },
  );
}

function tryToServe(
  handler: PreviewHandler,
  options: { readonly hostname: string; readonly port: number; readonly signal: AbortSignal },
): Deno.HttpServer<Deno.NetAddr> | undefined {
  try {
    return Deno.serve({ ...options, onListen: () => {} }, (request) => handler(request));
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    const { hostname, port } = options;
    throw new TransportError(
      `Cannot open preview on "${hostname}" port ${port}: ${
        error instanceof Error ? error.message : error
      }`,
      { operation: "listen", cause: error },
    );
  }
}

/** An address that means "all of them" cannot be typed into a browser. */
function browsableHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
