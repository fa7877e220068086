/**
 * The parts of one server that its connections share.
 *
 * Floor 4 (assembly), types only.
 *
 * @module
 */

import type { StartPhases } from "../engine/start_phases.ts";
import type { ByteStream } from "../net/socket.ts";
import type { Authentication } from "./authentication.ts";
import type { AddressCounter } from "./connection_limits.ts";
import type { ConnectionWriter } from "./connection_writer.ts";
import type { ServerListener } from "./events.ts";
import type { FrameBatches } from "./frame_batches.ts";
import type { LiveSources } from "./live_sources.ts";
import type { MediaLibrary } from "./media_library.ts";
import type { RtspServerOptions } from "./options.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { RtpPorts } from "./rtp_ports.ts";
import type { ServerThread } from "./server_thread.ts";
import type { SessionTable, StreamSession } from "./stream_session.ts";

/** What connections need of their server. */
export interface ServerParts {
  /** What the server was told. */
  readonly options: RtspServerOptions;
  /** One timer for all. */
  readonly timer: PacerTimer;
  /** When streams begin. */
  readonly phases: StartPhases;
  /** The movies. */
  readonly library: MediaLibrary;
  /** Their frames as packets. */
  readonly batches: FrameBatches;
  /** Films that all readers see the same moment of; `undefined` where each reader has its own. */
  readonly live: LiveSources | undefined;
  /** UDP. */
  readonly ports: RtpPorts;
  /** Living sessions. */
  readonly sessions: SessionTable;
  /** How many sessions there may be. */
  readonly sessionLimit: AddressCounter;
  /** Credentials, where they are asked for. */
  readonly authentication: Authentication | undefined;
  /** The thread it runs in, where others serve the same port. */
  readonly thread: ServerThread | undefined;
  /** Tells what happens. */
  readonly emit: ServerListener;
}

/** What answering a call needs of the connection it came by. */
export interface CallConnection {
  /** Number of the connection, from 1. */
  readonly number: number;
  /** The connection itself. */
  readonly stream: ByteStream;
  /** Its one writer. */
  readonly writer: ConnectionWriter;
  /** The session number told to lab clients. */
  readonly labSessionId: string;
  /** Sessions set up by it. */
  readonly sessions: Set<StreamSession>;
  /** Sessions by the channels they use on it. */
  readonly channels: Map<number, StreamSession>;
  /** Whether any session uses a channel on it, one of another thread included. */
  usesChannel(channel: number): boolean;
}
