/**
 * Putting a server together: its sockets, its movies, its timer, and what its connections share.
 *
 * Floor 4 (assembly). It connects, and does nothing after that; what happens then is `server.ts`.
 *
 * @module
 */

import { StartPhases } from "../engine/start_phases.ts";
import { ImageWorker } from "../image/image.ts";
import type { StreamListener } from "../net/socket.ts";
import { listenTcp } from "../net/tcp.ts";
import { Authentication } from "./authentication.ts";
import { AddressLimit } from "./connection_limits.ts";
import type { ServerEvent, ServerListener } from "./events.ts";
import { FrameBatches } from "./frame_batches.ts";
import { FramePreparation } from "./frame_preparation.ts";
import { LiveSources } from "./live_sources.ts";
import { MediaLibrary } from "./media_library.ts";
import {
  DEFAULT_MAX_LATENESS_MS,
  DEFAULT_PORT,
  limitsOf,
  type RtspServerOptions,
} from "./options.ts";
import { PacerTimer } from "./pacer_timer.ts";
import type { ServerParts } from "./parts.ts";
import { RtpPorts } from "./rtp_ports.ts";
import type { ServerThread } from "./server_thread.ts";
import { SessionTable, type StreamSession } from "./stream_session.ts";
import type { UdpPath } from "./udp_choice.ts";

/** A server that has not begun to accept. */
export interface BuiltServer {
  /** What its connections share. */
  readonly parts: ServerParts;
  /** Where it listens. */
  readonly listener: StreamListener;
  /** Decodes and repairs pictures. */
  readonly images: ImageWorker;
  /** Told what happens. */
  readonly listeners: Set<ServerListener>;
  /** To be set: told of sessions that have ended. */
  readonly onSessionEnded: { call: (session: StreamSession, reason: string) => void };
}

/**
 * Opens the sockets of a server and connects its parts.
 *
 * @throws {TransportError} when a port cannot be had.
 */
export function buildServer(
  options: RtspServerOptions,
  udpPath: UdpPath,
  thread: ServerThread | undefined,
): BuiltServer {
  const listeners = new Set<ServerListener>(
    options.listener === undefined ? [] : [options.listener],
  );
  const emit = (event: ServerEvent) => {
    for (const listener of listeners) listener(event);
  };
  const { hostname = "0.0.0.0", port = DEFAULT_PORT } = options;
  // The main thread has the port for itself at first, so that no two servers share it without knowing.
  const isPortShared = thread !== undefined && thread.index > 0;
  const portable = listenTcp({ hostname, port, isPortShared });
  const listener = udpPath.prepareListener?.(portable) ?? portable;
  let ports: RtpPorts;
  try {
    ports = new RtpPorts({
      hostname: listener.address.hostname,
      ports: options.rtpPorts,
      prepare: udpPath.prepare,
    });
  } catch (error) {
    listener.close();
    throw error;
  }
  const images = new ImageWorker();
  const fit = (jpeg: Uint8Array, maxBytes: number) => images.fit(jpeg, maxBytes);
  const preparation = new FramePreparation(images, {
    level: options.repair,
    restart: options.restartMarkers,
    maxWidth: options.maxSize?.width,
    maxHeight: options.maxSize?.height,
  });
  const batches = new FrameBatches({
    preparation,
    cacheBytes: options.cacheBytes,
    emit,
    fit: (options.fit ?? true) ? fit : undefined,
  });
  const onSessionEnded: BuiltServer["onSessionEnded"] = { call: () => {} };
  const timer = new PacerTimer(
    options.ownsThread ? udpPath.openShortWait?.() : undefined,
    options.maxLatenessMs ?? DEFAULT_MAX_LATENESS_MS,
  );
  const phases = new StartPhases();
  const library = new MediaLibrary({
    folder: options.media,
    sample: options.sample,
    frameRateHz: options.frameRateHz,
    boundary: options.boundary,
    followTimer: options.follow ? timer : undefined,
    preparation,
    emit,
    onClosed: (movieId) => batches.forget(movieId),
  });
  const shared = { options, timer, phases, library, batches, thread, emit };
  const parts: ServerParts = {
    ...shared,
    live: options.live ? new LiveSources(shared) : undefined,
    ports,
    sessions: new SessionTable((session, reason) => onSessionEnded.call(session, reason), thread),
    sessionLimit: thread?.sessionLimit ?? new AddressLimit(limitsOf(options)),
    authentication: authenticationOf(options, emit, thread),
  };
  return { parts, listener, images, listeners, onSessionEnded };
}

function authenticationOf(
  options: RtspServerOptions,
  emit: ServerListener,
  thread: ServerThread | undefined,
) {
  const { users, offersSha256, offersBasic } = options;
  if (users === undefined || users.size === 0) return undefined;
  const onFailure = (address: string) =>
    thread?.others.post({ kind: "failed-login", address }, "all");
  return new Authentication({ users, offersSha256, offersBasic, emit, onFailure });
}
