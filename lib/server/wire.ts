/**
 * What a server tells those who watch its wire, session by session.
 *
 * Floor 4 (assembly): between the server's rooms and a `WireTap`. It exists only where somebody watches, so a server
 * without a tap does nothing of this. It gathers nothing.
 *
 * @module
 */

import type { WireFlow, WireTap } from "../engine/wire_tap.ts";
import type { DatagramSocket, SocketAddress } from "../net/socket.ts";
import { packetAt, type PacketBatch } from "../rtp.ts";
import { addSequenceNumber } from "../serial.ts";
import type { PayloadFormat } from "./frame_batches.ts";

/** How the packets of a session travel. */
export interface SessionWay {
  /** Number of the session. */
  readonly session: number;
  /** What RTP packets hold. */
  readonly payload: PayloadFormat;
  /** Number of the connection it was set up by. */
  readonly connection: number;
  /** Channels in that connection; `undefined` over UDP. */
  readonly channels?: readonly [rtp: number, rtcp: number];
  /** This end's addresses, for RTP and for RTCP. */
  readonly local: readonly [rtp: SocketAddress, rtcp: SocketAddress];
  /** The client's addresses, for RTP and for RTCP. */
  readonly remote: readonly [rtp: SocketAddress, rtcp: SocketAddress];
}

/** Tells a tap of the packets of one session. */
export class SessionPackets {
  readonly #tap: WireTap;
  readonly #rtp: WireFlow;
  readonly #rtcp: WireFlow;

  /** Tells `tap`. */
  constructor(tap: WireTap, way: SessionWay) {
    const { session, payload, connection, channels, local, remote } = way;
    this.#tap = tap;
    const flowOf = (kind: "rtp" | "rtcp", i: 0 | 1): WireFlow => ({
      session,
      kind,
      payload,
      connection,
      channel: channels?.[i],
      local: local[i],
      remote: remote[i],
    });
    this.#rtp = flowOf("rtp", 0);
    this.#rtcp = flowOf("rtcp", 1);
  }

  /** Packets of a stamped batch were sent; with its last one, the frame was. */
  sent(batch: PacketBatch, first = 0, count: number = batch.packetCount - first): void {
    const tap = this.#tap;
    const now = performance.now();
    const end = Math.min(batch.packetCount, first + count);
    if (tap.packet) {
      for (let i = first; i < end; i++) tap.packet(this.#rtp, "out", packetAt(batch, i), now);
    }
    if (end < batch.packetCount || batch.packetCount === 0) return;
    // Another reader may have stamped the packets before these meanwhile.
    const packet = packetAt(batch, first);
    const view = new DataView(packet.buffer, packet.byteOffset);
    tap.frame?.({
      session: this.#rtp.session,
      timestamp: view.getUint32(4),
      firstSequenceNumber: addSequenceNumber(view.getUint16(2), -first),
      packetCount: batch.packetCount,
      size: batch.payloadSize,
    }, now);
  }

  /** A report was sent. */
  sentReport(bytes: Uint8Array): void {
    this.#tap.packet?.(this.#rtcp, "out", bytes, performance.now());
  }

  /** A report came. */
  receivedReport(bytes: Uint8Array): void {
    this.#tap.packet?.(this.#rtcp, "in", bytes, performance.now());
  }

  /** A socket that is the given one, and tells of the RTP packets that leave by it. */
  rtpSocket(socket: DatagramSocket): DatagramSocket {
    return tapped(socket, {
      send: (batch, to, first, count) => {
        const outcome = socket.send(batch, to, first, count);
        if (outcome !== false) this.sent(batch, first, count);
        return outcome;
      },
      sendToMany: (batch, receivers, first, count, onRefused) => {
        socket.sendToMany(batch, receivers, first, count, onRefused);
        this.sent(batch, first, count);
      },
    });
  }

  /** A socket that is the given one, and tells of the reports that leave by it. */
  rtcpSocket(socket: DatagramSocket): DatagramSocket {
    return tapped(socket, {
      sendTo: (bytes, to) => {
        const outcome = socket.sendTo(bytes, to);
        if (outcome !== false) this.sentReport(bytes);
        return outcome;
      },
    });
  }
}

/** Everything goes to the socket itself, but for what is replaced. */
function tapped(
  socket: DatagramSocket,
  replaced: Partial<Pick<DatagramSocket, "send" | "sendToMany" | "sendTo">>,
): DatagramSocket {
  return {
    address: socket.address,
    maxSegments: socket.maxSegments,
    maxBatchBytes: socket.maxBatchBytes,
    send: replaced.send ?? ((batch, to, first, count) => socket.send(batch, to, first, count)),
    sendToMany: replaced.sendToMany ??
      ((batch, receivers, first, count, onRefused) =>
        socket.sendToMany(batch, receivers, first, count, onRefused)),
    sendTo: replaced.sendTo ?? ((bytes, to) => socket.sendTo(bytes, to)),
    waitingBytes: (to) => socket.waitingBytes(to),
    receive: () => socket.receive(),
    statistics: () => socket.statistics(),
    close: () => socket.close(),
    [Symbol.dispose]: () => socket.close(),
  };
}
