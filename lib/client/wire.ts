/**
 * What a client tells those who watch its wire: numbers for connections and sessions, and one place to call the tap.
 *
 * Floor 4 (client assembly): between the client's rooms and a `WireTap`. Without a tap every call ends at once. It
 * gathers nothing.
 *
 * @module
 */

import type { WireDirection, WireFlow, WireMessage, WireTap } from "../engine/wire_tap.ts";
import type { SocketAddress } from "../net/socket.ts";
import { isRtcp } from "../rtcp.ts";
import type { MadeFrame } from "./media_receiver.ts";
import type { ClientDialect, ClientState, ClientTransport } from "./statistics.ts";

/** A request that is about to be sent. */
export interface WaitingRequest {
  /** Its method. */
  readonly method: string;
  /** Its target, without credentials. */
  readonly uri: string;
}

/**
 * Called before each request but keepalives; the request is sent when the promise resolves, or at once for `undefined`.
 * `signal` is aborted when the connection is gone or the client is closed: the promise must resolve then.
 */
export type BeforeRequest = (
  request: WaitingRequest,
  signal: AbortSignal,
) => Promise<void> | undefined;

/** The wire of one client, over all its connections. */
export class ClientWire {
  /** Who listens, if anybody does. */
  readonly tap: WireTap | undefined;
  /** What requests wait for, if for anything. */
  readonly beforeRequest: BeforeRequest | undefined;
  #connections = 0;
  #session = 0;
  #isOpen = false;

  /** A wire on which nothing has happened. */
  constructor(options: { readonly tap?: WireTap; readonly beforeRequest?: BeforeRequest }) {
    this.tap = options.tap;
    this.beforeRequest = options.beforeRequest;
  }

  /** Number of the session that is being set up, or was set up last; 0 before the first. */
  get session(): number {
    return this.#session;
  }

  /** A connection was made; returns its number. */
  connected(
    ends: { readonly localAddress: SocketAddress; readonly remoteAddress: SocketAddress },
  ): number {
    const id = ++this.#connections;
    const { localAddress: local, remoteAddress: remote } = ends;
    this.tap?.connectionOpened?.({ id, local, remote, isOpener: true }, performance.now());
    return id;
  }

  /** A connection is gone. */
  disconnected(connection: number): void {
    this.tap?.connectionClosed?.(connection, performance.now());
  }

  /** A message was sent or came. */
  message(message: Omit<WireMessage, "session">): void {
    const session = this.#session || undefined;
    this.tap?.message?.({ ...message, session }, performance.now());
  }

  /** A new session is going to be set up. */
  beginSession(): void {
    this.endSession("");
    this.#session++;
    this.#isOpen = true;
  }

  /** The session stands. */
  sessionAgreed(session: {
    readonly connection: number;
    readonly url: string;
    readonly remote: SocketAddress;
    readonly dialect: ClientDialect;
    readonly transport: ClientTransport;
  }): void {
    this.tap?.session?.({ id: this.#session, ...session }, performance.now());
  }

  /** The session is over; harmless when repeated. */
  endSession(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.tap?.sessionEnded?.(this.#session, reason, performance.now());
  }

  /** The state has changed. */
  transition(from: ClientState, to: ClientState, cause: string): void {
    if (this.#session === 0) return;
    this.tap?.transition?.({ session: this.#session, from, to, cause }, performance.now());
  }

  /** A frame was delivered. */
  frame({ made, received }: MadeFrame): void {
    const { firstSequenceNumber, packetCount } = made;
    const { timestamp, number, width, height, wallClockMs, jpeg } = received;
    this.tap?.frame?.({
      session: this.#session,
      timestamp,
      firstSequenceNumber,
      packetCount,
      size: jpeg.length,
      width,
      height,
      number,
      wallClockMs,
    }, performance.now());
  }

  /** The packets of the session that is being set up; `undefined` where nobody watches packets. */
  packets(flow: PacketsOptions): WirePackets | undefined {
    return this.tap?.packet ? new WirePackets(this.tap, this.#session, flow) : undefined;
  }
}

/** What all packets of a session have in common. */
export interface PacketsOptions {
  /** What RTP packets hold. */
  readonly payload: "jpeg" | "lab";
  /** Number of the connection by which the session was set up. */
  readonly connection: number;
  /** This end's address. */
  readonly hostname: string;
}

/** Where a packet travelled. */
export interface PacketWay {
  /** What the port or channel is for. */
  readonly kind: "rtp" | "rtcp";
  /** Channel, `undefined` over UDP. */
  readonly channel?: number;
  /** This end's port. */
  readonly localPort: number;
  /** The other end. */
  readonly remote: SocketAddress;
}

/** Tells a tap of the packets of one session. */
export class WirePackets {
  readonly #tap: WireTap;
  readonly #session: number;
  readonly #options: PacketsOptions;
  /** The newest flow of each kind: it is the same object as long as the way is the same. */
  readonly #flows: { rtp?: WireFlow; rtcp?: WireFlow } = {};

  /** Tells `tap`. */
  constructor(tap: WireTap, session: number, options: PacketsOptions) {
    this.#tap = tap;
    this.#session = session;
    this.#options = options;
  }

  /** A packet was sent or came; borrowed. */
  tell(way: PacketWay, direction: WireDirection, bytes: Uint8Array, now: number): void {
    const isMixed = way.kind === "rtp" && this.#options.payload === "jpeg" && isRtcp(bytes);
    const kind = isMixed ? "rtcp" : way.kind; // RFC 5761
    this.#tap.packet!(this.#flowOf(kind, way), direction, bytes, now);
  }

  #flowOf(kind: "rtp" | "rtcp", { channel, localPort, remote }: PacketWay): WireFlow {
    const known = this.#flows[kind];
    if (
      known !== undefined && known.channel === channel && known.local.port === localPort &&
      known.remote.port === remote.port && known.remote.hostname === remote.hostname
    ) return known;
    const { payload, connection, hostname } = this.#options;
    return this.#flows[kind] = {
      session: this.#session,
      kind,
      payload,
      connection,
      channel,
      local: { hostname, port: localPort },
      remote: { ...remote },
    };
  }
}
