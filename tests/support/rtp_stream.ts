/**
 * Packets to feed a receiver with, and what came out of it.
 *
 * @module
 */
import {
  type ReceiverEvent,
  RtpReceiver,
  type RtpReceiverOptions,
} from "../../lib/engine/receiver.ts";
import { encodeRtp, type RtpPacket } from "../../lib/rtp.ts";

/** A receiver of JPEG at 90 kHz with 100 ms latency. */
export function receiverOf(options: Partial<RtpReceiverOptions> = {}): RtpReceiver {
  return new RtpReceiver({
    clockRateHz: 90_000,
    latencyMs: 100,
    payloadTypes: [26],
    ssrc: 1,
    cname: "viewer@example.org",
    random: () => 0.5,
    ...options,
  });
}

/** A receiver in lab mode. */
export function labReceiverOf(options: Partial<RtpReceiverOptions> = {}): RtpReceiver {
  return receiverOf({ lab: true, payloadTypes: "any", ...options });
}

/** A packet of 1 octet from source 9; its timestamp is 100 ticks a number unless given. */
export function datagramOf(sequenceNumber: number, fields: Partial<RtpPacket> = {}): Uint8Array {
  return encodeRtp({
    payloadType: 26,
    marker: false,
    sequenceNumber,
    timestamp: sequenceNumber * 100,
    ssrc: 9,
    csrcs: [],
    payload: new Uint8Array([sequenceNumber]),
    paddingSize: 0,
    ...fields,
  });
}

/** Everything that waits to be polled. */
export function eventsOf(receiver: RtpReceiver): ReceiverEvent[] {
  const events: ReceiverEvent[] = [];
  for (let event = receiver.poll(); event !== undefined; event = receiver.poll()) {
    events.push(event);
  }
  return events;
}

/** Sequence numbers of the packets that wait to be polled; other events are dropped. */
export function numbersOf(receiver: RtpReceiver): number[] {
  return eventsOf(receiver).flatMap((event) =>
    event.type === "packet" ? [event.packet.sequenceNumber] : []
  );
}

/** Lets time pass up to `now`, waking the receiver whenever it asks for it. */
export function passTime(receiver: RtpReceiver, now: number): void {
  for (let calls = 0;; calls++) {
    const next = receiver.nextTimeout();
    if (next === undefined || next > now) return;
    if (calls > 1000) throw new Error(`Timeout ${next} does not go away`);
    receiver.handleTimeout(next);
  }
}
