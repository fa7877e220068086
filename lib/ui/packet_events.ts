/**
 * One kept packet as the protocol view shows it.
 *
 * Floor 3 (wall), pure. RFC 3550 s5.1 for the few fields that a list shows; the page reads the rest from the octets.
 *
 * @module
 */
import type { KeptPacket } from "../engine/packet_ring.ts";
import { endpointText } from "../ip_address.ts";
import type { ProtocolPacket } from "./protocol_events.ts";

/** Octets of a packet that are told without being asked for: all headers of RTP and RTP/JPEG. */
const TOLD_BYTES = 256;
/** The same where a whole JPEG with its own headers follows. */
const TOLD_LAB_BYTES = 768;
/** The same for RTCP: nearly always all of it. */
const TOLD_RTCP_BYTES = 1500;

/** Tells of a packet; `time` is when it was sent or came, in Unix ms. */
export function packetEvent(kept: KeptPacket, time: number): ProtocolPacket {
  const { id, flow, direction, bytes } = kept;
  const [from, to] = direction === "out" ? [flow.local, flow.remote] : [flow.remote, flow.local];
  const isRtp = flow.kind === "rtp" && bytes.length >= 12 && bytes[0] >> 6 === 2;
  return {
    id,
    time,
    direction,
    kind: flow.kind,
    payload: flow.kind === "rtp" ? flow.payload : null,
    session: flow.session,
    transport: flow.channel === undefined ? "udp" : "tcp",
    channel: flow.channel ?? null,
    source: endpointText(from),
    destination: endpointText(to),
    bytes: bytes.subarray(0, toldBytesOf(flow)).toBase64(),
    size: bytes.length,
    sequenceNumber: isRtp ? (bytes[2] << 8) | bytes[3] : null,
    timestamp: isRtp
      ? ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0
      : null,
    marker: isRtp ? bytes[1] >= 0x80 : null,
  };
}

function toldBytesOf({ kind, payload }: KeptPacket["flow"]): number {
  if (kind === "rtcp") return TOLD_RTCP_BYTES;
  return payload === "lab" ? TOLD_LAB_BYTES : TOLD_BYTES;
}
