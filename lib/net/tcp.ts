/**
 * TCP connections on `Deno.listen` and `Deno.connect`.
 *
 * Floor 3 (wall). RFC 9293. Small messages leave at once (TCP_NODELAY), writes are whole, and there is one writer at a
 * time: overlapping writes of Deno's own connection lose bytes. It knows nothing of RTSP.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { errnoOf, refusalReason } from "./refusal.ts";
import type { ByteStream, SocketAddress, StreamListener } from "./socket.ts";

/** How {@linkcode listenTcp} listens. */
export interface ListenOptions {
  /** The local address; `"::"` takes IPv4 and IPv6. @default {"0.0.0.0"} */
  readonly hostname?: string;
  /** The local port, 0 for one the system chooses. */
  readonly port: number;
  /** Lets several listeners share the port. @default {false} */
  readonly isPortShared?: boolean;
}

/** Where {@linkcode connectTcp} connects to. */
export interface ConnectOptions extends SocketAddress {
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
  /** How long the attempt may take, in ms. @default {10000} */
  readonly timeoutMs?: number;
}

/**
 * Listens for connections.
 *
 * @throws {TransportError} when the port is taken, not allowed, or the address is not ours. `errno` names the reason.
 */
export function listenTcp(options: ListenOptions): StreamListener {
  const { hostname = "0.0.0.0", port, isPortShared = false } = options;
  try {
    const listener = Deno.listen({ hostname, port, reusePort: isPortShared });
    return new TcpStreamListener(listener);
  } catch (cause) {
    throw new TransportError(`Cannot listen on ${hostname} port ${port}: ${refusalReason(cause)}`, {
      operation: "listen",
      errno: errnoOf(cause),
      cause,
    });
  }
}

/**
 * Connects to a server.
 *
 * @throws {TransportError} when nobody listens there, the name is unknown, or it takes too long.
 */
export async function connectTcp(options: ConnectOptions): Promise<ByteStream> {
  const { hostname, port, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined
    ? timeout
    : AbortSignal.any([options.signal, timeout]);
  try {
    return new TcpByteStream(await Deno.connect({ hostname, port, signal }));
  } catch (cause) {
    const reason = timeout.aborted
      ? `no answer within ${timeoutMs / 1000} s`
      : refusalReason(cause);
    throw new TransportError(`Cannot connect to ${hostname} port ${port}: ${reason}`, {
      operation: "connect",
      errno: timeout.aborted ? "ETIMEDOUT" : errnoOf(cause),
      cause,
    });
  }
}

class TcpStreamListener implements StreamListener {
  readonly address: SocketAddress;
  readonly #listener: Deno.TcpListener;
  #isClosed = false;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.address = endpoint(listener.addr);
  }

  async accept(): Promise<ByteStream | undefined> {
    try {
      return new TcpByteStream(await this.#listener.accept());
    } catch (cause) {
      if (this.#isClosed) return undefined;
      throw new TransportError(`Cannot accept a connection: ${refusalReason(cause)}`, {
        operation: "accept",
        errno: errnoOf(cause),
        cause,
      });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class TcpByteStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly #connection: Deno.TcpConn;
  #isClosed = false;
  #isWriting = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.localAddress = endpoint(connection.localAddr);
    this.remoteAddress = endpoint(connection.remoteAddr);
    try {
      connection.setNoDelay(true);
      connection.setKeepAlive(true);
    } catch {
      // The peer was gone before it was accepted: the first read will say so.
    }
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#isClosed) return null;
    try {
      return await this.#connection.read(buffer);
    } catch (cause) {
      if (this.#isClosed) return null;
      throw this.#broken("read from", cause);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isWriting) throw new TypeError("Cannot write: another write is still under way");
    this.#isWriting = true;
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += await this.#connection.write(offset === 0 ? bytes : bytes.subarray(offset));
      }
    } catch (cause) {
      throw this.#broken("write to", cause);
    } finally {
      this.#isWriting = false;
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#connection.closeWrite();
    } catch {
      // Already gone, which is what was wanted.
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#connection.close();
    } catch {
      // Closed by an error meanwhile.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #broken(action: string, cause: unknown): TransportError {
    const { hostname, port } = this.remoteAddress;
    const reason = this.#isClosed ? "the connection was closed here" : refusalReason(cause);
    return new TransportError(`Cannot ${action} ${hostname} port ${port}: ${reason}`, {
      operation: action.startsWith("read") ? "read" : "write",
      errno: errnoOf(cause),
      cause,
    });
  }
}

/** IPv4 addresses mapped into IPv6 (`::ffff:1.2.3.4`) come back as plain IPv4, so that both kinds compare equal. */
function endpoint(address: Deno.Addr): SocketAddress {
  const { hostname, port } = address as Deno.NetAddr;
  return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/i, ""), port };
}

const CONNECT_TIMEOUT_MS = 10_000;
