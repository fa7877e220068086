/**
 * What a server tells those who watch it: logs, the JSON lines, programs that embed it.
 *
 * Floor 4 (assembly), types only. Nothing here is told per packet or per frame: those are counted in the snapshots.
 *
 * @module
 */

import type { RepairCounts } from "./frame_preparation.ts";

/** How a stream travels and what its packets hold. */
export interface StreamDescription {
  /** The dialect its client speaks. */
  readonly dialect: "rtsp" | "lab";
  /** What carries the packets. */
  readonly transport: "UDP" | "TCP";
  /** RFC 2435 packets, or the lab's whole JPEGs. */
  readonly payload: "jpeg" | "lab";
}

/** One session and its stream, frozen at a moment. */
export interface ServerSessionSnapshot extends StreamDescription {
  /** Number of the session, from 1 in the order of their beginning; the secret identifier is never told. */
  readonly session: number;
  /** Path of the movie below the media folder. */
  readonly path: string;
  /** Address of the client's RTSP connection, `host:port`. */
  readonly remote: string;
  /** State of the session. */
  readonly state: "INIT" | "READY" | "PLAYING" | "RECORDING";
  /** Seconds since the session began. */
  readonly durationSeconds: number;
  /** Normal play time of the next frame, in seconds. */
  readonly positionSeconds: number;
  /** Frames sent. */
  readonly frames: number;
  /** Frames left out: too late, refused by the socket, or overtaken by a newer one on a slow connection. */
  readonly framesDropped: number;
  /** Frames sent by what was done to them so that RTP/JPEG can carry them. */
  readonly repairs: RepairCounts;
  /** RTP packets sent. */
  readonly packets: number;
  /** Octets of RTP payload sent. */
  readonly bytes: number;
  /** Largest lateness of a frame against its deadline, in ms. */
  readonly worstLatenessMs: number;
  /** Receiver reports read; 0 means that the client has told nothing about its reception. */
  readonly receiverReports: number;
  /** Packets the client has missed, from its newest report; signed, as receivers count duplicates too. */
  readonly packetsLost: number;
  /** Loss between the two newest reports, 0 to 1. */
  readonly fractionLost: number;
  /** Jitter at the client in ms, from its newest report. */
  readonly jitterMs: number | undefined;
  /** Round trip from the newest report, in ms. */
  readonly roundTripMs: number | undefined;
}

/** Everything the server counts over its life. */
export interface ServerStatistics {
  /** Open connections. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly connectionsAccepted: number;
  /** Connections refused by a limit. */
  readonly connectionsRefused: number;
  /** Living sessions. */
  readonly sessions: number;
  /** Sessions begun so far. */
  readonly sessionsBegun: number;
  /** Requests read so far. */
  readonly requests: number;
  /** Messages that could not be read. */
  readonly malformedMessages: number;
  /** Requests refused for their credentials, the first request of each client without any not counted. */
  readonly failedLogins: number;
  /** Datagrams that belong to no session, or make no sense. */
  readonly strayDatagrams: number;
}

/** One thing that happened. */
export type ServerEvent =
  | {
    readonly type: "listening";
    readonly address: string;
    readonly port: number;
    readonly url: string;
  }
  | { readonly type: "connection-opened"; readonly connection: number; readonly remote: string }
  | {
    readonly type: "connection-closed";
    readonly connection: number;
    readonly remote: string;
    readonly reason: string;
  }
  | { readonly type: "connection-refused"; readonly remote: string; readonly reason: string }
  | {
    readonly type: "request";
    readonly connection: number;
    readonly remote: string;
    readonly method: string;
    readonly uri: string;
    readonly cseq: string | undefined;
    readonly dialect: "rtsp" | "lab";
  }
  | {
    readonly type: "response";
    readonly connection: number;
    readonly remote: string;
    readonly statusCode: number;
    readonly reasonPhrase: string;
    readonly method: string | undefined;
    readonly cseq: string | undefined;
  }
  | {
    readonly type: "malformed";
    readonly connection: number;
    readonly remote: string;
    readonly reason: string;
  }
  | {
    readonly type: "media-opened";
    readonly path: string;
    readonly frames: number;
    readonly width: number;
    readonly height: number;
    readonly frameRateHz: number;
  }
  | (StreamDescription & {
    readonly type: "session-begun";
    readonly session: number;
    readonly path: string;
    readonly remote: string;
  })
  | {
    readonly type: "session-playing";
    readonly session: number;
    readonly path: string;
    readonly remote: string;
    readonly fromSeconds: number;
  }
  | {
    readonly type: "session-paused";
    readonly session: number;
    readonly path: string;
    readonly remote: string;
    readonly atSeconds: number;
  }
  | {
    readonly type: "stream-ended";
    readonly session: number;
    readonly path: string;
    readonly remote: string;
  }
  | (ServerSessionSnapshot & { readonly type: "session-ended"; readonly reason: string })
  | { readonly type: "notice"; readonly message: string }
  | { readonly type: "warning"; readonly message: string };

/** Takes events as they happen; must be quick and must not throw. */
export type ServerListener = (event: ServerEvent) => void;
