/**
 * What a server can be told.
 *
 * Floor 4 (assembly), types and defaults only.
 *
 * @module
 */

import type { WireTap } from "../engine/wire_tap.ts";
import type { RepairLevel, RestartChoice } from "../jpeg.ts";
import type { AddressLimitOptions } from "./connection_limits.ts";
import type { ServerListener } from "./events.ts";
import type { UdpChoice } from "./udp_choice.ts";

/** Options of {@linkcode RtspServer.start}. */
export interface RtspServerOptions {
  /** Folder with the movies; nothing outside it is ever shown. */
  readonly media: string | URL;
  /** A movie that is shown under its own file name when the folder has none of that name. */
  readonly sample?: URL;
  /** Address to listen on; `"::"` takes IPv6 and IPv4. @default {"0.0.0.0"} */
  readonly hostname?: string;
  /** TCP port, 0 for one the system chooses. @default {8554} */
  readonly port?: number;
  /** Frames a second for all movies. @default {20 for the lab's files, 25 for bare JPEGs} */
  readonly frameRateHz?: number;
  /** The line between the pictures of saved multipart streams, where their start does not show it. @default {detected} */
  readonly boundary?: string;
  /**
   * Follows files that grow while they are read: streams wait at their end for more frames instead of ending, also where
   * `loop` is set. Bare JPEGs, lab files and multipart streams. @default {false}
   */
  readonly follow?: boolean;
  /** Starts movies over at their end. @default {false} */
  readonly loop?: boolean;
  /**
   * Plays each movie as a camera would: one endless stream that all readers join where it stands, packetized once, with
   * one SSRC and one row of sequence numbers. Range, Scale and Speed have no effect. @default {false}
   */
  readonly live?: boolean;
  /** First and last UDP port to choose a pair from. @default {the system chooses} */
  readonly rtpPorts?: readonly [from: number, to: number];
  /** How UDP is sent. @default {"auto"} */
  readonly udp?: UdpChoice;
  /**
   * Packets of a frame that leave at once over UDP, a quarter more where nothing is left then; the others follow over
   * part of the frame interval, so that readers with a small receive buffer lose none. At least 1.
   * @default {64}
   */
  readonly burstPackets?: number;
  /**
   * How late frames may be in the mean of some seconds, in ms, before new sessions are refused (453); from a fifth of it
   * on, frames that are late by half an interval are left out. `Infinity`: neither happens.
   * @default {250}
   */
  readonly maxLatenessMs?: number;
  /** Names and passwords; with any, every request but OPTIONS needs one of them. @default {none} */
  readonly users?: ReadonlyMap<string, string>;
  /** Offers Digest with SHA-256 too (it is listed first, as players require). @default {true} */
  readonly offersSha256?: boolean;
  /** Offers Basic, which sends the password in clear, too. @default {true} */
  readonly offersBasic?: boolean;
  /** Connections, and sessions, in all. @default {4096} */
  readonly maxConnections?: number;
  /** Connections, and sessions, from one address. @default {256} */
  readonly maxConnectionsPerAddress?: number;
  /** Encodes frames anew that are larger than a lab client's buffer. @default {true} */
  readonly fit?: boolean;
  /**
   * How far frames may be changed that RTP/JPEG cannot carry as they are: not at all (they are refused), only without
   * loss, or as far as needed.
   * @default {"all"}
   */
  readonly repair?: RepairLevel;
  /** Which restart markers frames shall have; not where `repair` is "off". @default {"keep"} */
  readonly restartMarkers?: RestartChoice;
  /** Pixels that frames have at most: larger ones are scaled down where `repair` is "all". @default {as they are} */
  readonly maxSize?: { readonly width: number; readonly height: number };
  /** Octets of repaired and fitted frames kept in memory; a quarter as much of others; at least 4 MiB. @default {256 MiB} */
  readonly cacheBytes?: number;
  /** Seconds of silence after which a session ends; clients are told this, and get a little more. @default {60} */
  readonly sessionTimeoutSeconds?: number;
  /** How long a request may stay incomplete, in ms. @default {60000} */
  readonly requestTimeoutMs?: number;
  /** How long a connection without a session may be silent, in ms. @default {600000} */
  readonly idleTimeoutMs?: number;
  /** How long one write to a client may take before it is given up, in ms. @default {5000} */
  readonly writeTimeoutMs?: number;
  /**
   * Numbers from 0 (included) to 1 (excluded) for the SSRC, first sequence number and first timestamp of standard
   * sessions, in this order. Identifiers and nonces do not come from it. @default {Math.random}
   */
  readonly random?: () => number;
  /**
   * Nothing else of weight runs on this thread: the server may wait a few milliseconds for the next frame within one turn of
   * the event loop, which costs less than a timer. Only with the Linux fast path. @default {false}
   */
  readonly ownsThread?: boolean;
  /** Told what happens from the very beginning; others may join later by `on()`. */
  readonly listener?: ServerListener;
  /** Told of everything on the wire, its secrets included: see `WireTap`. @default {nobody} */
  readonly tap?: WireTap;
}

/** The port of the standard's test programs and of this one: no administrator rights are needed. */
export const DEFAULT_PORT = 8554;
/** See {@linkcode RtspServerOptions.maxConnections}. */
export const DEFAULT_MAX_CONNECTIONS = 4096;
/** See {@linkcode RtspServerOptions.maxConnectionsPerAddress}. */
export const DEFAULT_MAX_CONNECTIONS_PER_ADDRESS = 256;
/** The bounds that a server was told, of connections and of sessions alike. */
export function limitsOf(
  options: Pick<RtspServerOptions, "maxConnections" | "maxConnectionsPerAddress">,
): AddressLimitOptions {
  return {
    total: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    perAddress: options.maxConnectionsPerAddress ?? DEFAULT_MAX_CONNECTIONS_PER_ADDRESS,
  };
}
/** See {@linkcode RtspServerOptions.sessionTimeoutSeconds}. */
export const DEFAULT_SESSION_TIMEOUT_SECONDS = 60;
/** See {@linkcode RtspServerOptions.burstPackets}. Receive buffers of 208 kB were seen to hold 92 to 95 packets. */
export const DEFAULT_BURST_PACKETS = 64;
/** See {@linkcode RtspServerOptions.maxLatenessMs}. */
export const DEFAULT_MAX_LATENESS_MS = 250;
/** See {@linkcode RtspServerOptions.cacheBytes}. */
export const DEFAULT_CACHE_BYTES: number = 256 << 20;
/** Threads of one server: session identifiers have room for more, but no machine has a use for them. */
export const MAX_THREADS = 64;
/** Sessions that one connection can hold. */
export const MAX_SESSIONS_PER_CONNECTION = 64;
