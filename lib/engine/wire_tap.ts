/**
 * What can be watched on the wire, as calls: the one shape by which captures, protocol views and tests listen.
 *
 * Floor 2, types and one combinator. Whoever sends and receives calls a tap, and knows nothing of what it does with what
 * it hears; without a tap nothing is gathered. Octets of packets are borrowed until the call returns, those of messages
 * are owned and shared read-only, and hold credentials as they were on the wire: who shows or keeps them overwrites
 * those first (`maskSecrets()` in `rtsp.ts`). `now` is in milliseconds on the monotonic clock. A tap must be quick and
 * must not throw.
 *
 * @module
 */

import type { SocketAddress } from "../net/socket.ts";
import type { RtspRequest, RtspResponse } from "../rtsp.ts";

/** From where the program stands: `out` is sent, `in` comes. */
export type WireDirection = "in" | "out";

/** A TCP connection that carries RTSP. */
export interface WireConnection {
  /** Number of the connection, from 1. */
  readonly id: number;
  /** This end. */
  readonly local: SocketAddress;
  /** The other end. */
  readonly remote: SocketAddress;
  /** Whether this end opened it. */
  readonly isOpener: boolean;
}

/** One message of a dialogue. */
export interface WireMessage {
  /** Number of the connection. */
  readonly connection: number;
  /** Which way it went. */
  readonly direction: WireDirection;
  /** The octets on the wire; of what could not be read, the beginning. */
  readonly bytes: Uint8Array;
  /** What was read or written; `undefined` for what could not be read. */
  readonly message: RtspRequest | RtspResponse | undefined;
  /** In a response: the request it answers, if one is known. */
  readonly request?: RtspRequest;
  /** The session it belongs to, where that is known. */
  readonly session?: number;
  /** Whether nobody asked for it: keepalives, second attempts with credentials. @default {false} */
  readonly isAutomatic?: boolean;
}

/** The way of one kind of packets of one session. */
export interface WireFlow {
  /** Number of the session. */
  readonly session: number;
  /** What goes this way. */
  readonly kind: "rtp" | "rtcp";
  /** What RTP packets hold. */
  readonly payload: "jpeg" | "lab";
  /** Number of the connection that carries the packets, or by which they were asked for. */
  readonly connection: number;
  /** Channel in that connection (RFC 2326 s10.12); `undefined` over UDP. */
  readonly channel: number | undefined;
  /** This end. */
  readonly local: SocketAddress;
  /** The other end. */
  readonly remote: SocketAddress;
}

/** One frame: delivered by a receiver, or sent. */
export interface WireFrame {
  /** Number of the session. */
  readonly session: number;
  /** RTP timestamp. */
  readonly timestamp: number;
  /** Sequence number of its first packet, 0 to 65,535. */
  readonly firstSequenceNumber: number;
  /** Its packets. */
  readonly packetCount: number;
  /** Octets of the picture. */
  readonly size: number;
  /** Width in pixels, where it is known. */
  readonly width?: number;
  /** Height in pixels, where it is known. */
  readonly height?: number;
  /** Number under which a receiver delivers it. */
  readonly number?: number;
  /** When the sender's clock captured it, in Unix ms. */
  readonly wallClockMs?: number;
}

/** What a session is, as far as it is known. */
export interface WireSession {
  /** Number of the session, from 1. */
  readonly id: number;
  /** Number of the connection it was set up by. */
  readonly connection: number;
  /** What is played, without credentials. */
  readonly url: string;
  /** The peer's RTSP address. */
  readonly remote: SocketAddress;
  /** The wire language. */
  readonly dialect: "rtsp" | "lab";
  /** What carries its packets. */
  readonly transport: "udp" | "tcp";
}

/** State of a session (RFC 2326 App. A). */
export type WireState = "INIT" | "READY" | "PLAYING" | "RECORDING";

/** A change of a session's state. */
export interface WireTransition {
  /** Number of the session. */
  readonly session: number;
  /** State before. */
  readonly from: WireState;
  /** State after. */
  readonly to: WireState;
  /** Method of the request that caused it, or a few words where none did. */
  readonly cause: string;
}

/** Listens to the wire. Each method may be missing. */
export interface WireTap {
  /** A connection was opened. */
  connectionOpened?(connection: WireConnection, now: number): void;
  /** A connection is gone. */
  connectionClosed?(id: number, now: number): void;
  /** A message was sent or has come. */
  message?(message: WireMessage, now: number): void;
  /** A packet was sent or has come. Borrowed. */
  packet?(flow: WireFlow, direction: WireDirection, bytes: Uint8Array, now: number): void;
  /** A frame was delivered or sent, after all its packets. */
  frame?(frame: WireFrame, now: number): void;
  /** A session was set up, or is carried otherwise from now on. */
  session?(session: WireSession, now: number): void;
  /** A session's state has changed. */
  transition?(transition: WireTransition, now: number): void;
  /** A session is over. */
  sessionEnded?(id: number, reason: string, now: number): void;
}

/**
 * One tap that tells several, in their order; `undefined` for none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { joinTaps } from "./wire_tap.ts";
 * const closed: number[] = [];
 * const tap = { connectionClosed: (id: number) => void closed.push(id) };
 * joinTaps([tap, {}, tap])?.connectionClosed?.(7, 0);
 * assertEquals(closed, [7, 7]);
 * assertEquals(joinTaps([]), undefined);
 * ```
 */
export function joinTaps(taps: readonly WireTap[]): WireTap | undefined {
  if (taps.length <= 1) return taps[0];
  return {
    connectionOpened: (connection, now) => {
      for (const tap of taps) tap.connectionOpened?.(connection, now);
    },
    connectionClosed: (id, now) => {
      for (const tap of taps) tap.connectionClosed?.(id, now);
    },
    message: (message, now) => {
      for (const tap of taps) tap.message?.(message, now);
    },
    packet: (flow, direction, bytes, now) => {
      for (const tap of taps) tap.packet?.(flow, direction, bytes, now);
    },
    frame: (frame, now) => {
      for (const tap of taps) tap.frame?.(frame, now);
    },
    session: (session, now) => {
      for (const tap of taps) tap.session?.(session, now);
    },
    transition: (transition, now) => {
      for (const tap of taps) tap.transition?.(transition, now);
    },
    sessionEnded: (id, reason, now) => {
      for (const tap of taps) tap.sessionEnded?.(id, reason, now);
    },
  };
}
