/**
 * From datagrams to frames: wires the RTP receiver to the depacketizer of the payload format in use.
 *
 * Floor 4 (client assembly): connects `engine/receiver.ts` with `rtp_jpeg.ts` or `rtp_lab.ts` and rings their timer.
 * It opens no socket; where datagrams come from and reports go to is the transport's business.
 *
 * @module
 */

import { type ReceiverEvent, RtpReceiver } from "../engine/receiver.ts";
import { isRtcp } from "../rtcp.ts";
import { PAYLOAD_TYPE_JPEG } from "../rtp.ts";
import { withHuffmanTables } from "../jpeg.ts";
import { type DepacketizedFrame, JpegDepacketizer } from "../rtp_jpeg.ts";
import { LabDepacketizer } from "../rtp_lab.ts";
import { Alarm } from "./alarm.ts";
import type { FrameNumbering } from "./frame_numbering.ts";
import type { ReceivedFrame, ReceiverCounters } from "./statistics.ts";

/** What a {@linkcode MediaReceiver} receives. */
export interface MediaFormat {
  /** `jpeg` is RFC 2435, `lab` one whole picture (or its pieces) as it is. */
  readonly kind: "jpeg" | "lab";
  /** RTP payload type, any in the lab dialect. */
  readonly payloadType?: number;
  /** Units of the RTP timestamp in a second. @default {90000} */
  readonly clockRateHz?: number;
  /** Width from the session description, for pictures too large for the payload header. */
  readonly width?: number;
  /** Height from the session description. */
  readonly height?: number;
}

/** Who gets what a {@linkcode MediaReceiver} makes. */
export interface MediaListener {
  /** A whole frame. */
  onFrame(frame: ReceivedFrame): void;
  /** RTCP BYE: the stream is over. */
  onGoodbye(): void;
}

/** Options of a {@linkcode MediaReceiver}. */
export interface MediaReceiverOptions {
  /** What is received. */
  readonly format: MediaFormat;
  /** Who gets it. */
  readonly listener: MediaListener;
  /** Milliseconds the jitter buffer waits for a missing packet. */
  readonly latencyMs: number;
  /** Numbers the frames, over all connections of a client. */
  readonly numbering: FrameNumbering;
  /** Told of each frame and its packets, before the listener. */
  readonly onMade?: (frame: MadeFrame) => void;
}

/** A frame, and what it was made of. */
export interface MadeFrame {
  /** As the payload format has it: the packets. */
  readonly made: DepacketizedFrame;
  /** As it is delivered. */
  readonly received: ReceivedFrame;
}

/** Receives one stream. */
export class MediaReceiver implements Disposable {
  readonly #options: MediaReceiverOptions;
  readonly #receiver: RtpReceiver;
  readonly #depacketizer: JpegDepacketizer | LabDepacketizer;
  readonly #alarm: Alarm;
  #sendRtcp: ((bytes: Uint8Array) => void) | undefined;
  #takeArrived: (() => void) | undefined;
  #dropped = 0;
  #sequenceNumber = 0; // extended, of the newest packet
  #isClosed = false;

  /** A receiver that has seen nothing yet. */
  constructor(options: MediaReceiverOptions) {
    this.#options = options;
    const { format, latencyMs } = options;
    const isLab = format.kind === "lab";
    this.#receiver = new RtpReceiver({
      clockRateHz: format.clockRateHz ?? 90_000,
      latencyMs,
      payloadTypes: isLab ? "any" : [format.payloadType ?? PAYLOAD_TYPE_JPEG],
      ssrc: Math.floor(Math.random() * 2 ** 32),
      cname: `deno-rtsp-${Math.random().toString(36).slice(2, 10)}`,
      random: Math.random,
      lab: isLab,
    });
    this.#depacketizer = isLab
      ? new LabDepacketizer()
      : new JpegDepacketizer({ width: format.width, height: format.height });
    options.numbering.restart({ followsSequence: isLab });
    this.#alarm = new Alarm(() => {
      // What came in time, while this thread was busy, is not late.
      this.#takeArrived?.();
      const now = performance.now();
      this.#receiver.handleTimeout(now);
      this.#drain(now);
    });
  }

  /** Names the way for RTCP packets to the sender. */
  set sendRtcp(send: ((bytes: Uint8Array) => void) | undefined) {
    this.#sendRtcp = send;
  }

  /** Names what hands over at once the packets that have come already. */
  set takeArrived(takeArrived: (() => void) | undefined) {
    this.#takeArrived = takeArrived;
  }

  /** Frames of which something came, but not all. */
  get framesDropped(): number {
    return this.#depacketizer.stats().dropped;
  }

  /** When the last packet came, `undefined` before the first. */
  get lastArrivalMs(): number | undefined {
    this.#takeArrived?.();
    return this.#receiver.stats().lastArrivalMs;
  }

  /** What has been counted so far. */
  counters(): ReceiverCounters & { readonly bufferedPackets: number } {
    return this.#receiver.stats();
  }

  /** Takes a datagram (or interleaved packet) of the RTP port; borrowed. */
  receiveRtp(bytes: Uint8Array, now: number): void {
    if (this.#isClosed) return;
    const isStandard = this.#options.format.kind === "jpeg";
    if (isStandard && isRtcp(bytes)) return this.receiveRtcp(bytes, now); // RFC 5761
    this.#receiver.receive(bytes, now);
    this.#drain(now);
  }

  /** Takes a datagram (or interleaved packet) of the RTCP port; borrowed. */
  receiveRtcp(bytes: Uint8Array, now: number): void {
    if (this.#isClosed) return;
    this.#receiver.receiveRtcp(bytes, now, Date.now());
    this.#drain(now);
  }

  /** Tells what the server announced for the first packet after PLAY (RTP-Info). */
  expect(sequenceNumber?: number, timestamp?: number): void {
    this.#receiver.expect(sequenceNumber, timestamp);
  }

  /** After PAUSE or a seek: the gap that follows is no loss. */
  reset(): void {
    this.#receiver.reset();
    this.#depacketizer.reset();
  }

  /** Tells the sender that nobody receives any more (RFC 3550 s6.6); nothing in the lab dialect. */
  goodbye(): void {
    if (this.#isClosed || this.#options.format.kind === "lab") return;
    this.#sendRtcp?.(this.#receiver.goodbye(performance.now()));
  }

  /** Stops the timer; what comes later is ignored. The counters stay. */
  close(): void {
    this.#isClosed = true;
    this.#alarm.close();
  }

  /** The same as {@linkcode MediaReceiver.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #drain(now: number): void {
    for (let event = this.#receiver.poll(); event; event = this.#receiver.poll()) {
      if (this.#isClosed) return;
      this.#take(event, now);
    }
    this.#alarm.set(this.#receiver.nextTimeout());
  }

  #take(event: ReceiverEvent, now: number): void {
    switch (event.type) {
      case "packet": {
        this.#sequenceNumber = event.extendedSequenceNumber;
        const frame = this.#depacketizer.push(event.packet, event.lostBefore);
        if (frame) this.#deliver(frame, event.arrivalMs);
        return;
      }
      case "raw": {
        if (!(this.#depacketizer instanceof LabDepacketizer)) return;
        if (!this.#depacketizer.expectsRaw) return;
        const frame = this.#depacketizer.pushRaw(event.bytes);
        if (frame) this.#deliver(frame, now);
        return;
      }
      case "goodbye":
        return this.#options.listener.onGoodbye();
      case "rtcp":
        return this.#sendRtcp?.(event.bytes);
      case "sender-report":
        return;
    }
  }

  #deliver(frame: DepacketizedFrame, arrivalMs: number): void {
    const { numbering, listener, onMade } = this.#options;
    const { dropped } = this.#depacketizer.stats();
    numbering.skip(dropped - this.#dropped);
    this.#dropped = dropped;
    const { timestamp, width, height } = frame;
    const received = {
      // Lab servers send frames as they are: one of an AVI file has no Huffman tables, and nobody shows it so.
      jpeg: this.#options.format.kind === "lab" ? withHuffmanTables(frame.jpeg) : frame.jpeg,
      number: numbering.next(this.#sequenceNumber, frame.packetCount),
      timestamp,
      wallClockMs: this.#receiver.wallClock(timestamp),
      width: width || undefined,
      height: height || undefined,
      arrivalMs,
    };
    onMade?.({ made: frame, received });
    listener.onFrame(received);
  }
}
