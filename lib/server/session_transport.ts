/**
 * The transport of a session: whether a client's offer can be served, and what serves it.
 *
 * Floor 4 (assembly). RFC 2326 s12.39, s10.12; the lab's single UDP port. Packets go to nobody but to the address that the
 * request came from.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { isLabProtocol, type TransportSpec } from "../rtsp_headers.ts";
import type { PayloadFormat } from "./frame_batches.ts";
import type { CallConnection, ServerParts } from "./parts.ts";
import type { StreamSession } from "./stream_session.ts";
import { InterleavedTransport, type StreamTransport, UdpTransport } from "./transports.ts";
import { SessionPackets, type SessionWay } from "./wire.ts";

/** A transport made for a client, and how to give back what it holds. */
export interface MadeTransport {
  /** Where packets go. */
  readonly transport: StreamTransport;
  /** The alternative that was taken, with the server's side filled in. */
  readonly reply: TransportSpec;
  /** Tells of its packets, where somebody watches. */
  readonly packets: SessionPackets | undefined;
  /** Binds it to its session. */
  attach(session: StreamSession): void;
  /** Gives back ports and channels. */
  release(session: StreamSession): void;
}

/** Whose packets a transport carries. */
export interface TransportOrder {
  /** For a client of the lab: one port, no RTCP. */
  readonly isLab: boolean;
  /** Told in the answer. */
  readonly ssrc: number;
  /** Number of the session. */
  readonly session: number;
  /** What they hold. */
  readonly format: PayloadFormat;
}

/** Whether an alternative of a Transport header can be served. */
export function isServable(
  parts: ServerParts,
  connection: CallConnection,
  spec: TransportSpec,
): boolean {
  if (spec.isMulticast || (spec.mode !== undefined && spec.mode !== "PLAY")) return false;
  if (spec.protocol === "RTP/AVP/TCP") return true;
  if (!UDP_PROTOCOLS.includes(spec.protocol) && !isLabProtocol(spec.protocol)) return false;
  if (spec.clientPort === undefined || spec.clientPort[0] === 0) return false;
  try {
    parts.ports.pairFor(connection.stream.remoteAddress.hostname);
    return true;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    parts.emit({ type: "warning", message: error.message });
    return false;
  }
}

/** Makes the transport that an alternative asks for, which {@linkcode isServable}. */
export function makeTransport(
  parts: ServerParts,
  connection: CallConnection,
  offer: TransportSpec,
  options: TransportOrder,
): MadeTransport {
  return offer.lowerTransport === "TCP"
    ? makeInterleaved(parts, connection, offer, options)
    : makeUdp(parts, connection, offer, options);
}

function packetsOf(
  { options }: ServerParts,
  connection: CallConnection,
  { session, format: payload }: TransportOrder,
  way: Pick<SessionWay, "channels" | "local" | "remote">,
): SessionPackets | undefined {
  const { tap } = options;
  if (!tap?.packet && !tap?.frame) return undefined;
  return new SessionPackets(tap, { session, payload, connection: connection.number, ...way });
}

function makeInterleaved(
  parts: ServerParts,
  connection: CallConnection,
  offer: TransportSpec,
  order: TransportOrder,
): MadeTransport {
  const { channels, stream } = connection;
  const { ssrc } = order;
  const isFree = ([rtp, rtcp]: readonly [number, number]) =>
    !connection.usesChannel(rtp) && !connection.usesChannel(rtcp);
  let pair = offer.interleaved ?? [0, 1];
  for (let channel = 0; !isFree(pair) && channel < 255; channel += 2) pair = [channel, channel + 1];
  const { localAddress: local, remoteAddress: remote } = stream;
  const way = { channels: pair, local: [local, local], remote: [remote, remote] } as const;
  const packets = packetsOf(parts, connection, order, way);
  return {
    transport: new InterleavedTransport(connection.writer, pair, packets),
    packets,
    reply: {
      protocol: offer.protocol,
      lowerTransport: "TCP",
      isMulticast: false,
      interleaved: pair,
      ssrc,
      extra: [],
    },
    attach: (session) => {
      for (const channel of pair) channels.set(channel, session);
    },
    release: (session) => {
      for (const channel of pair) {
        if (channels.get(channel) === session) channels.delete(channel);
      }
    },
  };
}

function makeUdp(
  parts: ServerParts,
  connection: CallConnection,
  offer: TransportSpec,
  order: TransportOrder,
): MadeTransport {
  const { isLab, ssrc } = order;
  const { remoteAddress, localAddress } = connection.stream;
  const { rtp, rtcp } = parts.ports.pairFor(remoteAddress.hostname);
  const [rtpPort, rtcpPort] = offer.clientPort!;
  // Whatever the request says, packets go to the address the request came from.
  const { hostname } = remoteAddress;
  const rtpAddress = { hostname, port: rtpPort };
  const rtcpAddress = { hostname, port: rtcpPort };
  const ours = (port: number) => ({ hostname: localAddress.hostname, port });
  const packets = packetsOf(parts, connection, order, {
    local: [ours(rtp.address.port), ours(rtcp.address.port)],
    remote: [rtpAddress, rtcpAddress],
  });
  return {
    packets,
    transport: new UdpTransport({
      rtp: packets?.rtpSocket(rtp) ?? rtp,
      rtcp: packets?.rtcpSocket(rtcp) ?? rtcp,
      rtpAddress,
      rtcpAddress: isLab ? undefined : rtcpAddress,
      timer: parts.timer,
      burstPackets: parts.options.burstPackets,
    }),
    reply: {
      protocol: offer.protocol,
      lowerTransport: "UDP",
      isMulticast: false,
      source: localAddress.hostname,
      clientPort: offer.clientPort,
      serverPort: [rtp.address.port, rtcp.address.port],
      ssrc,
      extra: [],
    },
    attach: (session) => {
      if (!isLab) parts.ports.register(rtcpAddress, session);
    },
    release: (session) => parts.ports.unregister(rtcpAddress, session),
  };
}

const UDP_PROTOCOLS: readonly string[] = ["RTP/AVP", "RTP/AVP/UDP"];
