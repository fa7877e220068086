/**
 * From what a tap hears to the blocks of a capture file that Wireshark and tshark open.
 *
 * Floor 2, pure: blocks go to a function handed in. Sibling: wire_tap.ts (shapes). The RTSP messages and interleaved
 * packets of a connection become a TCP stream made up for the file, with handshake, numbers, acknowledgments and
 * checksums, between the real addresses and ports; the octets are the real ones, but for credentials, which are
 * overwritten in place. Empty lines between messages are not in it. UDP packets are as they were, with new IP headers.
 * How the system cut the stream into segments is not known up here: each message and each interleaved packet is one.
 *
 * @module
 */

import { encodeTcpPacket, encodeUdpPacket, type IpEndpoint } from "../ip.ts";
import { parseIpAddress } from "../ip_address.ts";
import { encodePcapngHead, encodePcapngPacket, encodePcapngStatistics } from "../pcapng.ts";
import { formatInterleaved, maskSecrets } from "../rtsp.ts";
import type { WireConnection, WireDirection, WireFlow, WireMessage, WireTap } from "./wire_tap.ts";

/** What a {@linkcode CaptureEncoder} needs. */
export interface CaptureEncoderOptions {
  /** Takes the next blocks of the file, whole and owned; media may be dropped, the rest should not. */
  readonly write: (blocks: Uint8Array<ArrayBuffer>, isMedia: boolean) => void;
  /** Unix milliseconds at a time of the monotonic clock. */
  readonly unixMsAt: (now: number) => number;
  /** Name of the program, for the head of the file. */
  readonly application: string;
}

/**
 * Writes a capture. Give it to whoever calls taps.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { CaptureEncoder } from "./capture.ts";
 * let size = 0;
 * const capture = new CaptureEncoder({
 *   write: (blocks) => size += blocks.length,
 *   unixMsAt: (now) => now,
 *   application: "test",
 * });
 * const end = { hostname: "127.0.0.1", port: 5004 };
 * const flow = { session: 1, connection: 1, channel: undefined, local: end, remote: end };
 * capture.packet({ ...flow, kind: "rtp", payload: "jpeg" }, "in", new Uint8Array(12), 0);
 * assertEquals(size % 4, 0);
 * assertEquals(capture.packets, 1);
 * ```
 */
export class CaptureEncoder implements WireTap {
  readonly #options: CaptureEncoderOptions;
  readonly #streams = new Map<number, TcpStream>();
  #packets = 0;
  #unwritable = 0;

  /** Writes the head of the file at once. */
  constructor(options: CaptureEncoderOptions) {
    this.#options = options;
    options.write(
      encodePcapngHead({
        application: options.application,
        interfaceName: "rtsp",
        comment:
          "RTSP messages and interleaved packets stand in TCP segments made up for this file; credentials are overwritten with *",
      }),
      false,
    );
  }

  /** IP packets written, the made up ones included. */
  get packets(): number {
    return this.#packets;
  }

  /** Packets left out because an end has no IP address. */
  get unwritable(): number {
    return this.#unwritable;
  }

  /** See {@linkcode WireTap.connectionOpened}: writes the handshake. */
  connectionOpened(connection: WireConnection, now: number): void {
    const { id, local, remote, isOpener } = connection;
    const stream: TcpStream = {
      local,
      remote,
      sent: id * 10_000,
      received: id * 10_000 + 5000,
      unacknowledged: 0,
    };
    this.#streams.set(id, stream);
    const first = isOpener ? "out" : "in";
    this.#segment(stream, first, NOTHING, now, { syn: true, ack: false });
    this.#segment(stream, opposite(first), NOTHING, now, { syn: true });
    this.#segment(stream, first, NOTHING, now, {});
  }

  /** See {@linkcode WireTap.connectionClosed}: writes the farewell of both ends. */
  connectionClosed(id: number, now: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    this.#segment(stream, "out", NOTHING, now, { fin: true });
    this.#segment(stream, "in", NOTHING, now, { fin: true });
    this.#segment(stream, "out", NOTHING, now, {});
  }

  /** See {@linkcode WireTap.message}. */
  message(message: WireMessage, now: number): void {
    const stream = this.#streams.get(message.connection);
    if (stream === undefined) return;
    this.#transmit(stream, message.direction, maskSecrets(message.bytes).bytes, now, false);
  }

  /** See {@linkcode WireTap.packet}. */
  packet(flow: WireFlow, direction: WireDirection, bytes: Uint8Array, now: number): void {
    if (flow.channel !== undefined) {
      const stream = this.#streams.get(flow.connection);
      if (stream === undefined) return;
      this.#transmit(stream, direction, formatInterleaved(flow.channel, bytes), now, true);
      return;
    }
    if (!isWritable(flow.local) || !isWritable(flow.remote)) {
      this.#unwritable++;
      return;
    }
    this.#write(encodeUdpPacket(endsOf(flow, direction), bytes), direction, now, true);
  }

  /** Writes how many packets are in the file and how many are missing; the last block. */
  finish(now: number, options: { readonly dropped: number; readonly comment?: string }): void {
    const { write, unixMsAt } = this.#options;
    const { dropped, comment } = options;
    const unixMs = unixMsAt(now);
    const received = this.#packets;
    write(encodePcapngStatistics({ unixMs, received, dropped, comment }), false);
  }

  #transmit(
    stream: TcpStream,
    direction: WireDirection,
    bytes: Uint8Array,
    now: number,
    isMedia: boolean,
  ): void {
    for (let start = 0; start < bytes.length; start += MAX_SEGMENT_BYTES) {
      const part = bytes.subarray(start, start + MAX_SEGMENT_BYTES);
      const psh = start + MAX_SEGMENT_BYTES >= bytes.length;
      this.#segment(stream, direction, part, now, { psh, isMedia });
    }
    if (!isMedia || stream.unacknowledged < ACKNOWLEDGE_BYTES) return;
    this.#segment(stream, opposite(direction), NOTHING, now, {});
  }

  #segment(
    stream: TcpStream,
    direction: WireDirection,
    payload: Uint8Array,
    now: number,
    flags: {
      readonly syn?: boolean;
      readonly fin?: boolean;
      readonly psh?: boolean;
      readonly ack?: boolean;
      readonly isMedia?: boolean;
    },
  ): void {
    if (!isWritable(stream.local) || !isWritable(stream.remote)) {
      this.#unwritable++;
      return;
    }
    const isOut = direction === "out";
    const sequenceNumber = (isOut ? stream.sent : stream.received) % 2 ** 32;
    const acknowledgmentNumber = (isOut ? stream.received : stream.sent) % 2 ** 32;
    const { isMedia = false, ...bits } = flags;
    const fields = { sequenceNumber, acknowledgmentNumber, ...bits };
    const packet = encodeTcpPacket(endsOf(stream, direction), fields, payload);
    const used = payload.length + (flags.syn || flags.fin ? 1 : 0);
    if (isOut) stream.sent += used;
    else stream.received += used;
    stream.unacknowledged = payload.length === 0 ? 0 : stream.unacknowledged + payload.length;
    this.#write(packet, direction, now, isMedia);
  }

  #write(
    bytes: Uint8Array,
    direction: WireDirection,
    now: number,
    isMedia: boolean,
  ): void {
    this.#packets++;
    const unixMs = this.#options.unixMsAt(now);
    this.#options.write(encodePcapngPacket({ unixMs, bytes, direction }), isMedia);
  }
}

interface TcpStream {
  readonly local: IpEndpoint;
  readonly remote: IpEndpoint;
  /** Next sequence number of this end. */
  sent: number;
  /** Next sequence number of the other end. */
  received: number;
  /** Octets since the last empty segment. */
  unacknowledged: number;
}

const NOTHING = new Uint8Array(0);
/** Fits into an IP packet with room to spare, and is what loopback devices use. */
const MAX_SEGMENT_BYTES = 65_483;
/** Well below the window of 65,535 that each end claims to have. */
const ACKNOWLEDGE_BYTES = 16_384;

function endsOf(
  way: { readonly local: IpEndpoint; readonly remote: IpEndpoint },
  direction: WireDirection,
): { from: IpEndpoint; to: IpEndpoint } {
  return direction === "out"
    ? { from: way.local, to: way.remote }
    : { from: way.remote, to: way.local };
}

function opposite(direction: WireDirection): WireDirection {
  return direction === "out" ? "in" : "out";
}

function isWritable({ hostname }: IpEndpoint): boolean {
  return parseIpAddress(hostname) !== undefined;
}
