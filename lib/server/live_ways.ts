/**
 * How the frames of a live source leave: to all UDP readers of a socket by few system calls, to all TCP readers from one
 * copy, and to lab clients one by one.
 *
 * Floor 4 (assembly). RFC 2326 s10.12. Which reader goes which way is `live_source.ts`; what the octets are, the relay's.
 *
 * @module
 */

import type { RelayFrame, RelayReader, RelayWay } from "../engine/relay.ts";
import type { RtpSender } from "../engine/sender.ts";
import type { DatagramSocket, SocketAddress } from "../net/socket.ts";
import type { PacketBatch } from "../rtp.ts";
import { interleaveBatch } from "../rtsp.ts";
import { FrameSlices } from "./frame_slices.ts";
import type { PacerTimer } from "./pacer_timer.ts";
import {
  type InterleavedTransport,
  isFarBehind,
  type StreamTransport,
  type UdpTransport,
} from "./transports.ts";

/** A reader of a live source. */
export interface LiveReader extends RelayReader {
  /** Where its packets go; the same while it reads. */
  readonly transport: StreamTransport;
  /** Its own numbers, where it cannot have those of the source. */
  readonly numbers: RtpSender | undefined;
  /** A frame was sent to it. */
  frameSent(batch: PacketBatch): void;
  /** A frame that counts as sent was given up: the reader, or the socket, takes no more. */
  frameGivenUp(batch: PacketBatch): void;
}

/** All readers that packets leave to by the same UDP socket. */
export class UdpWay implements RelayWay<LiveReader> {
  readonly #rtp: DatagramSocket;
  readonly #timer: PacerTimer;
  readonly #slices: FrameSlices;
  /** As the relay gave them, and where they are. */
  #relayed: readonly LiveReader[] = [];
  #relayedAddresses: readonly SocketAddress[] = [];
  /** Those who get the newest frame. */
  #readers: readonly LiveReader[] = [];
  #addresses: readonly SocketAddress[] = [];
  #batch: PacketBatch | undefined;
  readonly #refuse = (index: number) => this.#readers[index].frameGivenUp(this.#batch!);

  /** Sends from this socket. */
  constructor(
    rtp: DatagramSocket,
    options: { readonly timer: PacerTimer; readonly burstPackets: number },
  ) {
    this.#rtp = rtp;
    this.#timer = options.timer;
    const send = (first: number, count: number) => this.#sendSlice(first, count);
    this.#slices = new FrameSlices({ ...options, send });
  }

  /** See {@linkcode RelayWay.sendFrame}. */
  sendFrame({ batch, spreadMs }: RelayFrame, readers: readonly LiveReader[]): void {
    if (readers !== this.#relayed) {
      this.#relayed = readers;
      this.#relayedAddresses = readers.map(addressOf);
    }
    this.#batch = batch;
    this.#readers = readers;
    this.#addresses = this.#relayedAddresses;
    for (const reader of readers) reader.frameSent(batch);
    if (this.#addresses.some((address) => isFarBehind(this.#rtp, address, batch))) {
      this.#leaveOutSlow(batch);
    }
    const sent = this.#readers.length;
    this.#timer.overload.recordFrames(sent, readers.length - sent, this.#timer.now());
    this.#slices.start(batch.packetCount, spreadMs);
  }

  /** See {@linkcode RelayWay.finishFrame}. */
  finishFrame(): void {
    this.#slices.finish();
  }

  /** See {@linkcode RelayWay.dismiss}. */
  dismiss(reader: LiveReader): void {
    if (!this.#slices.isUnderWay || !this.#readers.includes(reader)) return;
    this.#rtp.send(this.#batch!, addressOf(reader), this.#slices.nextPacket);
    this.#readers = this.#readers.filter((other) => other !== reader);
    this.#addresses = this.#readers.map(addressOf);
  }

  /** They have a gap in the sequence numbers instead, which are the same for all. */
  #leaveOutSlow(batch: PacketBatch): void {
    this.#readers = this.#readers.filter((reader) => {
      const isBehind = isFarBehind(this.#rtp, addressOf(reader), batch);
      if (isBehind) reader.frameGivenUp(batch);
      return !isBehind;
    });
    this.#addresses = this.#readers.map(addressOf);
  }

  #sendSlice(first: number, count: number): boolean {
    const onRefused = first === 0 ? this.#refuse : undefined;
    this.#rtp.sendToMany(this.#batch!, this.#addresses, first, count, onRefused);
    return true;
  }
}

/** All readers that get packets within their RTSP connection: from one copy, in which only the channel may differ. */
export class InterleavedWay implements RelayWay<LiveReader> {
  /** See {@linkcode RelayWay.sendFrame}. */
  sendFrame({ batch }: RelayFrame, readers: readonly LiveReader[]): void {
    const interleaved = interleaveBatch(batch);
    for (const reader of readers) {
      reader.frameSent(interleaved);
      const overtaken = (reader.transport as InterleavedTransport).offerStamped(interleaved);
      if (overtaken !== undefined) reader.frameGivenUp(overtaken);
    }
  }

  /** Nothing is left: what waits is a copy. */
  finishFrame(): void {}

  /** See {@linkcode RelayWay.dismiss}: what was not begun is not sent. */
  dismiss(reader: LiveReader): void {
    reader.transport.discard();
  }
}

/** Readers with numbers of their own: lab clients count frames from 1, and believe that what is missing was lost. */
export class NumberedWay implements RelayWay<LiveReader> {
  /** See {@linkcode RelayWay.sendFrame}. */
  sendFrame({ batch, mediaTicks, spreadMs }: RelayFrame, readers: readonly LiveReader[]): void {
    for (const reader of readers) {
      const numbers = reader.numbers!;
      reader.frameSent(batch);
      const timestamp = numbers.timestampAt(mediaTicks);
      const givenUp = reader.transport.sendFrame(batch, numbers, timestamp, spreadMs);
      if (givenUp > 0) reader.frameGivenUp(batch);
    }
  }

  /** Nothing is left: each transport stamps what it sends. */
  finishFrame(): void {}

  /** See {@linkcode RelayWay.dismiss}. */
  dismiss(reader: LiveReader): void {
    reader.transport.discard();
  }
}

function addressOf({ transport }: LiveReader): SocketAddress {
  return (transport as UdpTransport).rtpAddress;
}
