/**
 * The numbers that the stream of a new session, or a live film, begins with.
 *
 * Floor 4 (assembly). RFC 3550 s5.1.
 *
 * @module
 */

import { RtpSender } from "../engine/sender.ts";
import type { SocketAddress } from "../net/socket.ts";
import { PAYLOAD_TYPE_JPEG } from "../rtp.ts";

/** The lab counts frames from 1; a standard session starts where nobody can guess. */
export function newSender({ random = Math.random, cname, isLab }: {
  /** Numbers from 0 (included) to 1 (excluded): SSRC, sequence number, timestamp. */
  readonly random?: () => number;
  /** Canonical name, see {@linkcode cnameAt}. */
  readonly cname: string;
  /** For a client of the lab. */
  readonly isLab: boolean;
}): RtpSender {
  const ssrc = Math.floor(random() * 2 ** 32);
  return new RtpSender({
    ssrc,
    sequenceNumber: isLab ? 1 : Math.floor(random() * 2 ** 16),
    timestamp: isLab ? 0 : Math.floor(random() * 2 ** 32),
    clockRateHz: 90_000,
    payloadType: PAYLOAD_TYPE_JPEG,
    cname,
    random: Math.random,
  });
}

/** The canonical name of what is sent from an address. */
export function cnameAt({ hostname }: SocketAddress): string {
  return `deno-rtsp@${hostname}`;
}
