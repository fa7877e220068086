/**
 * How a stream's packets leave: UDP to the client's ports, or interleaved in its RTSP connection.
 *
 * Floor 4 (assembly). RFC 2326 s10.12, s12.39. Both stamp the shared batch and send it at once, or give the frame up;
 * neither knows what is in it.
 *
 * @module
 */

import type { RtpSender } from "../engine/sender.ts";
import type { DatagramSocket, SocketAddress } from "../net/socket.ts";
import { type PacketBatch, type RtpStamp, stampBatch } from "../rtp.ts";
import { formatInterleaved, setInterleavedChannel } from "../rtsp.ts";
import type { ConnectionWriter, WriteSource } from "./connection_writer.ts";
import type { PacketCarrier } from "./frame_batches.ts";
import { FrameSlices } from "./frame_slices.ts";
import { DEFAULT_BURST_PACKETS } from "./options.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import type { SessionPackets } from "./wire.ts";

/** Where the frames of one stream go. */
export interface StreamTransport {
  /** What carries the packets. */
  readonly kind: PacketCarrier;
  /**
   * Stamps and sends a frame.
   *
   * @param spreadMs The packets of a large frame may be spread over this time.
   * @returns how many frames were given up: the one before (it was still waiting), or this one (those before it still were).
   */
  sendFrame(batch: PacketBatch, sender: RtpSender, timestamp: number, spreadMs: number): number;
  /** Sends a compound RTCP packet; the bytes stay unchanged. */
  sendReport(bytes: Uint8Array): void;
  /** Gives up what still waits to be sent; the transport can be used again. */
  discard(): void;
}

/** UDP from the server's pair of ports. */
export class UdpTransport implements StreamTransport {
  /** See {@linkcode StreamTransport.kind}. */
  readonly kind = "UDP";
  /** Where RTP leaves. */
  readonly rtp: DatagramSocket;
  readonly #rtcp: DatagramSocket;
  /** Where RTP goes. */
  readonly rtpAddress: SocketAddress;
  /** Where RTCP goes; `undefined` in the lab's dialect, which has none. */
  readonly rtcpAddress: SocketAddress | undefined;
  readonly #timer: PacerTimer;
  readonly #slices: FrameSlices;
  /** A frame whose later packets wait, and what they are stamped with. */
  #sliced: { readonly batch: PacketBatch; readonly stamp: RtpStamp } | undefined;

  /** Sends from these sockets to these addresses. */
  constructor(options: {
    readonly rtp: DatagramSocket;
    readonly rtcp: DatagramSocket;
    readonly rtpAddress: SocketAddress;
    readonly rtcpAddress: SocketAddress | undefined;
    readonly timer: PacerTimer;
    /** Packets of a frame that leave at once, at least 1. */
    readonly burstPackets?: number;
  }) {
    this.rtp = options.rtp;
    this.#rtcp = options.rtcp;
    this.rtpAddress = options.rtpAddress;
    this.rtcpAddress = options.rtcpAddress;
    const { timer, burstPackets = DEFAULT_BURST_PACKETS } = options;
    this.#timer = timer;
    const send = (first: number, count: number) => this.#sendSlice(first, count);
    this.#slices = new FrameSlices({ timer, burstPackets, send });
  }

  /** See {@linkcode StreamTransport.sendFrame}. */
  sendFrame(batch: PacketBatch, sender: RtpSender, timestamp: number, spreadMs: number): number {
    const isBehind = isFarBehind(this.rtp, this.rtpAddress, batch);
    this.#slices.finish();
    // Left out whole, and before it takes sequence numbers.
    const isSent = !isBehind && this.#begin(batch, sender, timestamp, spreadMs);
    const sent = isSent ? 1 : 0;
    this.#timer.overload.recordFrames(sent, 1 - sent, this.#timer.now());
    return 1 - sent;
  }

  #begin(batch: PacketBatch, sender: RtpSender, timestamp: number, spreadMs: number): boolean {
    if (this.#slices.fitsAtOnce(batch.packetCount)) {
      sender.stamp(batch, timestamp);
      return this.rtp.send(batch, this.rtpAddress) !== false;
    }
    // Other readers stamp the shared batch in between: each slice is stamped right before it is sent.
    this.#sliced = { batch, stamp: sender.reserve(batch, timestamp) };
    return this.#slices.start(batch.packetCount, spreadMs);
  }

  /** See {@linkcode StreamTransport.sendReport}. */
  sendReport(bytes: Uint8Array): void {
    if (this.rtcpAddress !== undefined) this.#rtcp.sendTo(bytes, this.rtcpAddress);
  }

  /** Nothing waits but the rest of a frame that has begun: it is sent, for half a frame is worth nothing. */
  discard(): void {
    this.#slices.finish();
  }

  #sendSlice(first: number, count: number): boolean {
    const { batch, stamp } = this.#sliced!;
    stampBatch(batch, stamp, first, count);
    if (!this.#slices.isUnderWay) this.#sliced = undefined;
    return this.rtp.send(batch, this.rtpAddress, first, count) !== false;
  }
}

/**
 * More than a frame waits for this receiver, by the octets of the next one: that would come two frames late, and so would
 * all that follow.
 */
export function isFarBehind(socket: DatagramSocket, to: SocketAddress, next: PacketBatch): boolean {
  return socket.waitingBytes(to) > next.bytes.length;
}

/** `$` frames in the RTSP connection; one write a frame, and only the newest frame waits. */
export class InterleavedTransport implements StreamTransport, WriteSource {
  /** See {@linkcode StreamTransport.kind}. */
  readonly kind = "TCP";
  /** Channel of the RTP packets, 0 to 255. */
  readonly rtpChannel: number;
  /** Channel of the RTCP packets, 0 to 255. */
  readonly rtcpChannel: number;
  readonly #writer: ConnectionWriter;
  readonly #packets: SessionPackets | undefined;
  /** Without a sender it is stamped already. */
  #waiting: { batch: PacketBatch; sender?: RtpSender; timestamp: number } | undefined;
  #report: Uint8Array | undefined;

  /** Writes to this connection on these channels. */
  constructor(
    writer: ConnectionWriter,
    channels: readonly [rtp: number, rtcp: number],
    packets?: SessionPackets,
  ) {
    this.#writer = writer;
    this.#packets = packets;
    [this.rtpChannel, this.rtcpChannel] = channels;
  }

  /**
   * Puts the frame where the writer finds it. It is stamped only when the writer takes it, so that a frame given up
   * leaves no hole in the sequence numbers.
   */
  sendFrame(batch: PacketBatch, sender: RtpSender, timestamp: number): number {
    const overtaken = this.#waiting === undefined ? 0 : 1;
    this.#waiting = { batch, sender, timestamp };
    this.#writer.offer(this);
    return overtaken;
  }

  /**
   * Puts a frame that is stamped for all readers, and stays so, where the writer finds it.
   *
   * @returns the frame before it, where that was still waiting.
   */
  offerStamped(batch: PacketBatch): PacketBatch | undefined {
    const overtaken = this.#waiting?.batch;
    this.#waiting = { batch, timestamp: 0 };
    this.#writer.offer(this);
    return overtaken;
  }

  /** Called by the writer when the connection is free. */
  takeBytes(): Uint8Array | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    this.#waiting = undefined;
    const { batch, sender, timestamp } = waiting;
    setInterleavedChannel(batch, this.rtpChannel);
    sender?.stamp(batch, timestamp);
    this.#packets?.sent(batch);
    const report = this.#report;
    this.#report = undefined;
    // The writer takes messages before frames: this one is written right behind the frame that is returned.
    if (report !== undefined) this.#writeReport(report);
    return batch.bytes;
  }

  /** Sends a report, but not before the frame that waits: a goodbye must not overtake the last frame. */
  sendReport(bytes: Uint8Array): void {
    if (this.#waiting === undefined) this.#writeReport(bytes);
    else this.#report = bytes;
  }

  #writeReport(bytes: Uint8Array): void {
    this.#packets?.sentReport(bytes);
    this.#writer.write(formatInterleaved(this.rtcpChannel, bytes));
  }

  /** See {@linkcode StreamTransport.discard}. */
  discard(): void {
    this.#waiting = undefined;
    this.#report = undefined;
    this.#writer.withdraw(this);
  }
}
