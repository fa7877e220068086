/**
 * An RTSP server for a folder of Motion-JPEG movies: standard RTSP and the streaming lab's dialect on one port.
 *
 * Floor 4 (assembly). RFC 2326, 3550, 2435. It accepts connections within limits, ends what has fallen silent, and tells
 * what happens; each connection is `connection.ts`.
 *
 * @module
 */

import type { Paced } from "../engine/pacer.ts";
import { TransportError } from "../errors.ts";
import type { ImageWorker } from "../image/image.ts";
import { endpointText } from "../ip_address.ts";
import { sharePort } from "../net/port_sharing_linux.ts";
import type { ByteStream, SocketAddress, StreamListener } from "../net/socket.ts";
import { buildServer, type BuiltServer } from "./building.ts";
import { type ConnectionCounters, RtspConnection } from "./connection.ts";
import { type AddressCounter, AddressLimit } from "./connection_limits.ts";
import type { ServerListener, ServerSessionSnapshot, ServerStatistics } from "./events.ts";
import { repairText } from "./frame_preparation.ts";
import { GuestConnections } from "./guest_connections.ts";
import { DEFAULT_SESSION_TIMEOUT_SECONDS, limitsOf, type RtspServerOptions } from "./options.ts";
import type { ServerParts } from "./parts.ts";
import type { ServerThread, ThreadReceiver } from "./server_thread.ts";
import type { StreamSession } from "./stream_session.ts";
import { isAboutLive, isReply } from "./thread_messages.ts";
import { chooseUdpPath } from "./udp_choice.ts";

export type { RtspServerOptions } from "./options.ts";
export type {
  ServerEvent,
  ServerListener,
  ServerSessionSnapshot,
  ServerStatistics,
  StreamDescription,
} from "./events.ts";

/**
 * A running server.
 *
 * @example
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { RtspServer } from "./server.ts";
 * await using server = await RtspServer.start({ media: ".", hostname: "127.0.0.1", port: 0 });
 * assertMatch(server.url("video.mjpeg"), /^rtsp:\/\/127\.0\.0\.1:\d+\/video\.mjpeg$/);
 * ```
 */
export class RtspServer implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #listener: StreamListener;
  readonly #images: ImageWorker;
  readonly #connectionLimit: AddressCounter;
  readonly #connections = new Map<number, RtspConnection>();
  readonly #guests: GuestConnections;
  readonly #listeners: Set<ServerListener>;
  readonly #running = new Set<Promise<void>>();
  readonly #counters: ConnectionCounters = { requests: 0, malformedMessages: 0, strayPackets: 0 };
  readonly #sweep: Paced = { pacing: undefined, onDue: (now) => this.#sweepSilent(now) };
  readonly #accepting: Promise<void>;
  #accepted = 0;
  #refused = 0;
  /** There was somebody to say goodbye to. */
  #hasParted = false;
  #parting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(built: BuiltServer) {
    this.#parts = built.parts;
    this.#listener = built.listener;
    this.#images = built.images;
    this.#listeners = built.listeners;
    built.onSessionEnded.call = (session, reason) => this.#sessionEnded(session, reason);
    const { options, thread } = built.parts;
    this.#connectionLimit = thread?.connectionLimit ?? new AddressLimit(limitsOf(options));
    this.#guests = new GuestConnections(built.parts);
    if (thread !== undefined) thread.receiver = this.#threadReceiver();
    this.#parts.timer.schedule(this.#sweep, this.#parts.timer.now() + SWEEP_INTERVAL_MS);
    this.#accepting = this.#accept();
  }

  /**
   * Starts to listen.
   *
   * @param thread The thread it runs in, where several serve the port: see `RtspServerPool`, which starts these.
   * @throws {TransportError} when the port or the folder cannot be had; the message says what to do.
   */
  static async start(options: RtspServerOptions, thread?: ServerThread): Promise<RtspServer> {
    await checkFolder(options.media);
    const udpPath = await chooseUdpPath(options.udp ?? "auto");
    const server = new RtspServer(buildServer(options, udpPath, thread));
    const { hostname: address, port } = server.address;
    server.#parts.emit({ type: "listening", address, port, url: server.url("") });
    if (udpPath.reason !== undefined) {
      const message = `UDP is sent packet by packet: ${udpPath.reason}`;
      server.#parts.emit({ type: "notice", message });
    }
    return server;
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#listener.address;
  }

  /** The URL of a movie, as a program on this machine may use it. */
  url(path: string): string {
    const { hostname, port } = this.address;
    const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    return `rtsp://${endpointText({ hostname: host, port })}/${encoded}`;
  }

  /** All living sessions. */
  sessions(): ServerSessionSnapshot[] {
    return [...this.#parts.sessions.all()].map((session) => session.snapshot());
  }

  /** What was counted so far. */
  statistics(): ServerStatistics {
    return {
      connections: this.#connections.size,
      connectionsAccepted: this.#accepted,
      connectionsRefused: this.#refused,
      sessions: this.#parts.sessions.size,
      sessionsBegun: this.#parts.sessions.begun,
      requests: this.#counters.requests,
      malformedMessages: this.#counters.malformedMessages,
      failedLogins: this.#parts.authentication?.failures ?? 0,
      strayDatagrams: this.#parts.ports.strayDatagrams + this.#counters.strayPackets +
        this.#guests.strayPackets,
    };
  }

  /**
   * Tells `listener` what happens from now on.
   *
   * @returns a function that ends it.
   */
  on(listener: ServerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in nobody else, and ends all streams with a goodbye; connections stay until {@linkcode RtspServer.close}. */
  part(): Promise<void> {
    this.#parting ??= this.#partFromAll();
    return this.#parting;
  }

  /** Ends all streams with a goodbye, closes everything, and leaves nothing behind. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  /** See {@linkcode RtspServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #partFromAll(): Promise<void> {
    const { sessions } = this.#parts;
    this.#listener.close();
    await this.#accepting;
    const living = [...sessions.all()];
    this.#hasParted = living.length > 0;
    for (const session of living) sessions.end(session, "the server was stopped", true);
    let timeout: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => timeout = setTimeout(resolve, PART_MS));
    await Promise.race([this.#guests.flushed(), patience]);
    clearTimeout(timeout);
  }

  async #closeAll(): Promise<void> {
    const { timer, ports, library } = this.#parts;
    await this.part();
    await Promise.all(
      [...this.#connections.values()].map((connection) =>
        connection.finish("the server was stopped")
      ),
    );
    await Promise.all(this.#running);
    timer.close();
    // The goodbyes leave in the next turns of the event loop.
    if (this.#hasParted) await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    await ports.close();
    this.#images.close();
    await library.close();
  }

  async #accept(): Promise<void> {
    for (;;) {
      try {
        await this.#parts.thread?.others.congestion();
        const stream = await this.#listener.accept();
        if (stream === undefined) return;
        this.#admit(stream);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        this.#parts.emit({ type: "warning", message: error.message });
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  #admit(stream: ByteStream): void {
    const { hostname } = stream.remoteAddress;
    const refusal = this.#connectionLimit.take(hostname);
    if (refusal !== undefined) {
      this.#refused++;
      const remote = endpointText(stream.remoteAddress);
      this.#parts.emit({ type: "connection-refused", remote, reason: refusal });
      this.#track(turnAway(stream));
      return;
    }
    this.#accepted++;
    const number = this.#parts.thread?.numbers.nextConnection() ?? this.#accepted;
    const connection = new RtspConnection(this.#parts, {
      number,
      stream,
      counters: this.#counters,
    });
    this.#connections.set(number, connection);
    this.#track(
      connection.run().finally(() => {
        this.#connections.delete(number);
        this.#connectionLimit.release(hostname);
      }),
    );
  }

  #track(task: Promise<void>): void {
    this.#running.add(task);
    task.finally(() => this.#running.delete(task));
  }

  /** Once a second: sessions nobody has been heard of, and clients that do not read. */
  #sweepSilent(now: number): void {
    const { timer, sessions, options } = this.#parts;
    timer.schedule(this.#sweep, now + SWEEP_INTERVAL_MS);
    const timeoutSeconds = options.sessionTimeoutSeconds ?? DEFAULT_SESSION_TIMEOUT_SECONDS;
    // A little more than clients are told: some ask for nothing until the last moment.
    sessions.expire(now, timeoutSeconds * 1000 + Math.min(5000, timeoutSeconds * 500));
    const writeTimeoutMs = options.writeTimeoutMs ?? WRITE_TIMEOUT_MS;
    for (const connection of this.#connections.values()) {
      if (connection.stalledMs(now) > writeTimeoutMs) {
        connection.close(`The client has read nothing for ${writeTimeoutMs / 1000} s`);
      }
    }
  }

  #threadReceiver(): ThreadReceiver {
    const { timer, batches, authentication, live } = this.#parts;
    return {
      receive: (letter, from) => {
        // Frames are sent at once; whatever else comes is answered by promises.
        if (letter.kind !== "live-frame") timer.stayResponsive();
        if (letter.kind === "failed-login") {
          authentication?.failedElsewhere(letter.address, timer.now());
        } else if (isAboutLive(letter)) live?.receive(letter, from);
        else if (isReply(letter)) {
          this.#connections.get(letter.connection)?.errands?.receive(letter, from);
        } else this.#guests.receive(letter, from);
      },
      sharePort: () => sharePort(this.#listener),
      shareAmong: (threads) => batches.shareAmong(threads),
      isStrained: () => timer.overload.isStrained(timer.now()),
    };
  }

  #sessionEnded(session: StreamSession, reason: string): void {
    this.#parts.sessionLimit.release(session.hostname);
    for (const connection of this.#connections.values()) {
      if (connection.sessions.has(session)) connection.forget(session);
    }
    this.#guests.forget(session);
    const snapshot = session.snapshot(), repairs = repairText(snapshot.repairs);
    if (repairs !== "") {
      const message = `"${snapshot.path}": ${snapshot.frames} frames; ${repairs}`;
      this.#parts.emit({ type: "notice", message });
    }
    this.#parts.emit({ type: "session-ended", ...snapshot, reason });
  }
}

async function checkFolder(media: string | URL): Promise<void> {
  try {
    const info = await Deno.stat(media);
    if (info.isDirectory) {
      if (typeof media === "string") await Deno.stat(`${media}/.`); // may it be entered?
      return;
    }
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : cause instanceof Deno.errors.PermissionDenied
      ? "its permissions do not let this user in"
      : String(cause);
    throw new TransportError(`Cannot serve "${media}": ${reason}`, { operation: "stat", cause });
  }
  throw new TransportError(`Cannot serve "${media}": it is no folder`, { operation: "stat" });
}

/** Says in RTSP why nothing will come of it, and closes. */
async function turnAway(stream: ByteStream): Promise<void> {
  const text = "RTSP/1.0 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\r\n";
  try {
    await stream.write(new TextEncoder().encode(text));
    await stream.closeWrite();
  } catch {
    // The peer has given up first.
  }
  stream.close();
}

const SWEEP_INTERVAL_MS = 1000;
const WRITE_TIMEOUT_MS = 5000;
const ACCEPT_RETRY_MS = 50;
const GOODBYE_MS = 20;
/** A thread that takes nothing any more keeps nobody waiting. */
const PART_MS = 500;
