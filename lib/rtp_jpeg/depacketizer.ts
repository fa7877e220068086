/**
 * RTP payload format for JPEG, the receiving side: packets in order in, complete pictures out.
 * {@link https://www.rfc-editor.org/rfc/rfc2435 RFC 2435}.
 *
 * Floor 1, built on `rtp.ts`: its memory is the frame under way and the tables that a Q of 128 to 254 stands for. It puts
 * nothing in order and counts no lost packets: that is the receiver's. A frame with a hole is dropped, never patched.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { standardQuantizationTables } from "../jpeg/tables.ts";
import type { RtpPacket } from "../rtp.ts";
import {
  decodeJpegPayloadHeaders,
  encodeJfifHeaders,
  type JpegPayloadHeaders,
  type QuantizationTable,
} from "./headers.ts";

/** A complete picture that came in RTP packets. */
export interface DepacketizedFrame {
  /** From SOI to EOI; owned, its buffer may be larger. */
  readonly jpeg: Uint8Array;
  /** RTP timestamp of its packets. */
  readonly timestamp: number;
  /** Pixels; in RTP/JPEG rounded up to a multiple of 8 unless the session description says more exactly. */
  readonly width: number;
  /** Pixels, likewise. */
  readonly height: number;
  /** RTP packets it came in. */
  readonly packetCount: number;
  /** Sequence number of its first packet. */
  readonly firstSequenceNumber: number;
}

/** Counters of a depacketizer. */
export interface DepacketizerStatistics {
  /** Complete frames delivered. */
  readonly frames: number;
  /** Frames of which something arrived, but not all or not fitting together. */
  readonly dropped: number;
  /** Packets that break the payload format. */
  readonly malformed: number;
  /** Why the last packet or frame was refused. */
  readonly lastFault: string | undefined;
}

/** What a {@linkcode JpegDepacketizer} may be told. */
export interface JpegDepacketizerOptions {
  /** Pixels, from the session description: for pictures whose header says 0, or a rounded number. */
  readonly width?: number;
  /** Pixels, likewise. */
  readonly height?: number;
  /** Octets of the largest picture that is put together. @default {8388608} */
  readonly maxFrameBytes?: number;
}

/**
 * Joins the packets of each frame and puts the JPEG headers back. Reads Q 1 to 99, Q 128 to 254 with tables in band or
 * from an earlier frame, Q 255; tables of 8 and 16 bits, two or one; restart markers; scans with and without EOI.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { JpegDepacketizer } from "./depacketizer.ts";
 *
 * const packet = {
 *   payloadType: 26, marker: true, sequenceNumber: 9, timestamp: 3600, ssrc: 1, csrcs: [], paddingSize: 0,
 *   payload: new Uint8Array([0, 0, 0, 0, 1, 50, 40, 30, 1, 2, 3]),
 * };
 * const frame = new JpegDepacketizer().push(packet, 0);
 * assertEquals([frame?.width, frame?.height, frame?.timestamp], [320, 240, 3600]);
 * assertEquals([...frame?.jpeg.subarray(-5) ?? []], [1, 2, 3, 0xff, 0xd9]);
 * ```
 */
export class JpegDepacketizer {
  readonly #options: JpegDepacketizerOptions;
  readonly #maxFrameBytes: number;
  readonly #knownTables = new Map<number, readonly QuantizationTable[]>();
  #open: OpenFrame | undefined;
  /** Timestamp of the frame that was given up last, so that its other packets are not counted as more frames. */
  #givenUp: number | undefined;
  #expectedBytes = 16_384;
  #frames = 0;
  #dropped = 0;
  #malformed = 0;
  #lastFault: string | undefined;

  /** Starts with no frame under way and no table known. */
  constructor(options: JpegDepacketizerOptions = {}) {
    this.#options = options;
    this.#maxFrameBytes = options.maxFrameBytes ?? 8 << 20;
  }

  /**
   * Takes the next packet in sequence order; `lostBefore` is the number of packets missing just before it. Returns a
   * picture when this packet completes one. The payload is copied, and nothing is thrown for foreign octets.
   */
  push(packet: RtpPacket, lostBefore = 0): DepacketizedFrame | undefined {
    const { timestamp } = packet;
    if (this.#open !== undefined) {
      if (lostBefore > 0) this.#giveUp(`${lostBefore} packets are missing in the middle`);
      else if (this.#open.timestamp !== timestamp) this.#giveUp("its last packet is missing");
    }
    const headers = this.#decode(packet);
    if (headers === undefined) return undefined;
    if (headers.fragmentOffset === 0) this.#start(packet, headers);
    else this.#checkNext(timestamp, headers);
    const open = this.#open;
    if (open === undefined) return undefined;
    this.#append(open, packet.payload, headers.size);
    if (!packet.marker || this.#open === undefined) return undefined;
    return this.#finish(open);
  }

  /** Forgets the frame under way, uncounted: for after PAUSE, a seek or a new source. Known tables stay. */
  reset(): void {
    this.#open = undefined;
    this.#givenUp = undefined;
  }

  /** Counters so far. */
  stats(): DepacketizerStatistics {
    return Object.freeze({
      frames: this.#frames,
      dropped: this.#dropped,
      malformed: this.#malformed,
      lastFault: this.#lastFault,
    });
  }

  #decode(packet: RtpPacket): JpegPayloadHeaders | undefined {
    try {
      return decodeJpegPayloadHeaders(packet.payload);
    } catch (error) {
      if (!(error instanceof JpegFormatError)) throw error;
      this.#refuse(packet.timestamp, error.message);
      return undefined;
    }
  }

  #start(packet: RtpPacket, headers: JpegPayloadHeaders): void {
    if (this.#open !== undefined) this.#giveUp("it starts twice");
    const { timestamp } = packet;
    const tables = this.#tablesOf(headers);
    if (typeof tables === "string") return this.#refuse(timestamp, tables);
    const width = exactSide(headers.width, this.#options.width);
    const height = exactSide(headers.height, this.#options.height);
    if (width === 0 || height === 0) {
      return this.#refuse(
        timestamp,
        "Neither its header nor the session description tells its size",
      );
    }
    const jfif = encodeJfifHeaders({ ...headers, width, height, tables });
    const bytes = new Uint8Array(jfif.length + this.#expectedBytes);
    bytes.set(jfif);
    this.#givenUp = undefined;
    this.#open = {
      ...{ bytes, size: jfif.length, scanStart: jfif.length, headers, timestamp, width, height },
      ...{ packetCount: 0, firstSequenceNumber: packet.sequenceNumber },
    };
  }

  /** The tables for a frame, or why there are none. */
  #tablesOf(headers: JpegPayloadHeaders): readonly QuantizationTable[] | string {
    const { q, tables } = headers;
    if (tables === undefined) {
      const { luma, chroma } = standardQuantizationTables(q);
      return [{ is16Bit: false, steps: luma }, { is16Bit: false, steps: chroma }];
    }
    if (tables.length > 0) {
      // The octets are a view of the packet, and 255 means other tables with every frame.
      if (q !== 255) {
        const kept = tables.slice(0, 2).map((t) => ({ ...t, steps: t.steps.slice() }));
        this.#knownTables.set(q, kept);
      }
      return tables;
    }
    const known = q === 255 ? undefined : this.#knownTables.get(q);
    return known ?? `Its quantization tables (Q ${q}) were not sent`;
  }

  #checkNext(timestamp: number, headers: JpegPayloadHeaders): void {
    const open = this.#open;
    if (open === undefined) {
      if (this.#givenUp !== timestamp) this.#giveUp("its first packet is missing", timestamp);
      return;
    }
    const expected = open.size - open.scanStart, first = open.headers;
    if (headers.fragmentOffset !== expected) {
      this.#giveUp(`the next fragment offset is ${headers.fragmentOffset}, wanted ${expected}`);
    } else if (
      headers.type !== first.type || headers.q !== first.q ||
      headers.width !== first.width || headers.height !== first.height ||
      headers.restartInterval !== first.restartInterval
    ) {
      this.#giveUp("its packets do not agree on what it is");
    }
  }

  #append(open: OpenFrame, payload: Uint8Array, headerSize: number): void {
    const size = open.size + payload.length - headerSize;
    if (size + 2 > this.#maxFrameBytes) {
      return this.#giveUp(`it is larger than ${this.#maxFrameBytes} octets`);
    }
    // Two octets more than now, so that EOI always has its place.
    if (size + 2 > open.bytes.length) {
      const larger = new Uint8Array(Math.min(this.#maxFrameBytes, size * 2));
      larger.set(open.bytes.subarray(0, open.size));
      open.bytes = larger;
    }
    open.bytes.set(headerSize === 0 ? payload : payload.subarray(headerSize), open.size);
    open.size = size;
    open.packetCount++;
  }

  #finish(open: OpenFrame): DepacketizedFrame | undefined {
    this.#open = undefined;
    const { bytes, timestamp, width, height, packetCount, firstSequenceNumber } = open;
    let { size } = open;
    if (size === open.scanStart) {
      this.#refuse(timestamp, "Its scan is empty");
      return undefined;
    }
    this.#expectedBytes = Math.ceil((size - open.scanStart) * 1.125) + 256;
    if (bytes[size - 2] !== 0xff || bytes[size - 1] !== 0xd9) {
      bytes[size++] = 0xff;
      bytes[size++] = 0xd9;
    }
    this.#frames++;
    const jpeg = bytes.subarray(0, size);
    return { jpeg, timestamp, width, height, packetCount, firstSequenceNumber };
  }

  /** Counts a packet that cannot be used, and the frame it would have belonged to. */
  #refuse(timestamp: number, reason: string): void {
    this.#malformed++;
    if (this.#givenUp !== timestamp) this.#giveUp(reason, timestamp);
    else this.#lastFault = reason;
  }

  #giveUp(reason: string, timestamp: number | undefined = this.#open?.timestamp): void {
    this.#open = undefined;
    this.#givenUp = timestamp;
    this.#dropped++;
    this.#lastFault = `Dropped frame: ${reason}`;
  }
}

interface OpenFrame {
  bytes: Uint8Array;
  size: number;
  packetCount: number;
  readonly scanStart: number;
  readonly headers: JpegPayloadHeaders;
  readonly timestamp: number;
  readonly width: number;
  readonly height: number;
  readonly firstSequenceNumber: number;
}

/** The side in pixels: what the session description says where it fits the header, which counts in units of 8. */
function exactSide(inHeader: number, described: number | undefined): number {
  if (described === undefined || described < 1 || described > 0xffff) return inHeader;
  return inHeader === 0 || Math.ceil(described / 8) * 8 === inHeader ? described : inHeader;
}
