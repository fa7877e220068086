/**
 * The payload of the lab's RTP packets: one whole JPEG each, with no header of its own, both ways.
 *
 * Kurose-Ross, "Computer Networking", programming assignment on video streaming; and what its many descendants made of
 * it: pictures cut into pieces in five ways, because a datagram carries 65,507 octets at most.
 *
 * Floor 1, built on `rtp.ts`: its memory is the frame under way. It puts nothing in order and counts no lost packets.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { JpegFormatError } from "./errors.ts";
import { readJpegSize } from "./jpeg.ts";
import { JpegBoundaryScanner } from "./jpeg/boundary.ts";
import { ScanRecoder } from "./jpeg/scan_recoder.ts";
import { hasWholeScan } from "./jpeg/integrity.ts";
import { type PacketBatch, PAYLOAD_TYPE_JPEG, RTP_HEADER_SIZE, type RtpPacket } from "./rtp.ts";
import type { DepacketizedFrame, DepacketizerStatistics } from "./rtp_jpeg/depacketizer.ts";
import { sequenceNumberDistance } from "./serial.ts";

/** Octets of the largest JPEG that the 20,480-octet buffer of most lab clients takes; more is cut without notice. */
export const LAB_MAX_DATAGRAM_JPEG = 20_468;
/** Octets of the largest JPEG that fits one UDP datagram behind an RTP header. */
export const LAB_MAX_JPEG = 65_495;

/**
 * One packet that carries `jpeg` as it is, with the marker bit set; sequence number, timestamp and SSRC are 0 and wait to
 * be stamped.
 *
 * @throws {JpegFormatError} `too-large-for-lab` above {@linkcode LAB_MAX_JPEG} octets, `no-start-of-image` when it is no JPEG.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { packetizeLab } from "./rtp_lab.ts";
 *
 * const batch = packetizeLab(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]));
 * assertEquals([batch.packetCount, batch.payloadSize, batch.bytes.length], [1, 4, 16]);
 * assertEquals(batch.bytes[1], 0x80 | 26);
 * ```
 */
export function packetizeLab(jpeg: Uint8Array): PacketBatch {
  if (!startsWithSoi(jpeg, 0)) {
    throw unsendable("no-start-of-image", `${jpeg.length} octets that do not start with FF D8`);
  }
  if (jpeg.length > LAB_MAX_JPEG) {
    throw unsendable(
      "too-large-for-lab",
      `${jpeg.length} octets, one datagram carries ${LAB_MAX_JPEG}; RTP/JPEG has no such limit`,
    );
  }
  const bytes = new Uint8Array(RTP_HEADER_SIZE + jpeg.length);
  bytes[0] = 0x80;
  bytes[1] = 0x80 | PAYLOAD_TYPE_JPEG;
  bytes.set(jpeg, RTP_HEADER_SIZE);
  return { bytes, packetSize: bytes.length, packetCount: 1, payloadSize: jpeg.length };
}

/**
 * Takes packets of any lab server and hands out pictures:
 *
 * - a packet with a whole picture, whatever its marker says;
 * - pictures in pieces that share a sequence number or count on, ended by the marker or by EOI;
 * - the same with a private header of 4 octets (index, count) or 6 (index, count, size) before each piece;
 * - pictures whose later pieces are datagrams without an RTP header, by {@linkcode LabDepacketizer.pushRaw}.
 *
 * Pieces are kept in order of arrival. A gap in the numbers or a new picture drops what is open. Where all pieces of a
 * picture share one number, a missing one shows only in the picture: its Huffman codes are then read to the end, which finds nearly all holes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeRtp } from "./rtp.ts";
 * import { LabDepacketizer, packetizeLab } from "./rtp_lab.ts";
 *
 * const jpeg = Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958);
 * const frame = new LabDepacketizer().push(decodeRtp(packetizeLab(jpeg).bytes));
 * assertEquals(frame?.jpeg, jpeg);
 * assertEquals([frame?.width, frame?.height, frame?.packetCount], [320, 240, 1]);
 * ```
 */
export class LabDepacketizer {
  readonly #maxFrameBytes: number;
  readonly #scanner = new JpegBoundaryScanner();
  #open: OpenPicture | undefined;
  #recoder: ScanRecoder | undefined;
  /** Pieces without a beginning are counted as one frame until a picture begins. */
  #isLost = false;
  #frames = 0;
  #dropped = 0;
  #malformed = 0;
  #lastFault: string | undefined;

  /** `maxFrameBytes` bounds a picture in pieces, 4 MiB when nothing is said. */
  constructor(options: { readonly maxFrameBytes?: number } = {}) {
    this.#maxFrameBytes = options.maxFrameBytes ?? 4 << 20;
  }

  /**
   * True while the picture under way may go on in datagrams without an RTP header: its first packet filled the 4,096
   * octets after which such servers cut.
   */
  get expectsRaw(): boolean {
    return this.#open?.mayContinueRaw ?? false;
  }

  /**
   * Takes the next packet in order; `lostBefore` is the number of packets missing just before it. Returns a picture when
   * this packet completes one. The payload is copied, and nothing is thrown for foreign octets.
   */
  push(packet: RtpPacket, lostBefore = 0): DepacketizedFrame | undefined {
    const { payload, sequenceNumber } = packet;
    if (this.#open !== undefined && lostBefore > 0) {
      this.#drop(`${lostBefore} packets are missing in the middle`);
    }
    const headerSize = openingHeaderSize(payload);
    if (headerSize !== undefined) this.#begin(packet, headerSize);
    else if (this.#open === undefined) {
      this.#losePiece("A piece came without the beginning of its picture");
    } else this.#checkNext(this.#open, payload, sequenceNumber);
    const open = this.#open;
    if (open === undefined) return undefined;
    open.sequenceNumber = sequenceNumber;
    open.mayContinueRaw = headerSize === 0 && !packet.marker && payload.length === RAW_CUT_PAYLOAD;
    return this.#append(open, payload.subarray(open.headerSize), packet.marker);
  }

  /** Takes a datagram without an RTP header: more of the picture under way, when there is one that {@linkcode expectsRaw}. */
  pushRaw(datagram: Uint8Array): DepacketizedFrame | undefined {
    const open = this.#open;
    if (open === undefined || !open.mayContinueRaw) {
      this.#malformed++;
      this.#lastFault = `A datagram of ${datagram.length} octets belongs to no picture`;
      return undefined;
    }
    return this.#append(open, datagram, false);
  }

  /** Forgets the frame under way, uncounted: for after PAUSE or a new source. */
  reset(): void {
    this.#open = undefined;
    this.#isLost = false;
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

  #begin(packet: RtpPacket, headerSize: number): void {
    if (this.#open !== undefined) this.#drop("the next picture began before its end");
    this.#isLost = false;
    this.#scanner.reset();
    this.#open = {
      ...{ pieces: [], size: 0, headerSize, hasOwnNumbers: false, mayContinueRaw: false },
      ...{ sequenceNumber: packet.sequenceNumber, firstSequenceNumber: packet.sequenceNumber },
      timestamp: packet.timestamp,
    };
  }

  #checkNext(open: OpenPicture, payload: Uint8Array, sequenceNumber: number): void {
    if (open.headerSize > 0) {
      const index = payload[0] << 8 | payload[1];
      if (payload.length < open.headerSize || index !== open.pieces.length) {
        this.#drop(`piece ${open.pieces.length} was expected, ${index} came`);
      }
      return;
    }
    const step = sequenceNumberDistance(open.sequenceNumber, sequenceNumber);
    if (step === 1) open.hasOwnNumbers = true;
    else if (step !== 0) this.#drop(`packet ${sequenceNumber} came after ${open.sequenceNumber}`);
  }

  #append(open: OpenPicture, piece: Uint8Array, marker: boolean): DepacketizedFrame | undefined {
    open.size += piece.length;
    if (open.size > this.#maxFrameBytes) {
      this.#drop(`it is larger than ${this.#maxFrameBytes} octets`);
      return undefined;
    }
    const isFirst = open.pieces.push(piece.slice()) === 1;
    this.#scanner.push(piece);
    const { state } = this.#scanner;
    // A picture with odd segments is still one when it has both ends.
    if (state === "complete" || (state === "broken" && endsWithEoi(piece) && (isFirst || marker))) {
      return this.#finish(open, []);
    }
    if (!marker) return undefined;
    if (state === "open" && this.#scanner.hasScan && (isFirst || open.hasOwnNumbers)) {
      return this.#finish(open, [EOI]);
    }
    this.#drop("its last packet came and its EOI did not");
    return undefined;
  }

  #finish(open: OpenPicture, end: readonly Uint8Array[]): DepacketizedFrame | undefined {
    const parts = [...open.pieces, ...end];
    const jpeg = parts.length === 1 ? parts[0] : concat(parts);
    const mayHaveHole = open.pieces.length > 1 && !open.hasOwnNumbers && open.headerSize === 0;
    if (mayHaveHole && !hasWholeScan(jpeg, this.#recoder ??= new ScanRecoder())) {
      this.#drop("a piece is missing in the middle");
      return undefined;
    }
    this.#open = undefined;
    this.#frames++;
    const { width, height } = readJpegSize(jpeg) ?? { width: 0, height: 0 };
    const { timestamp, firstSequenceNumber } = open;
    return { jpeg, timestamp, width, height, packetCount: open.pieces.length, firstSequenceNumber };
  }

  #drop(reason: string): void {
    this.#open = undefined;
    this.#isLost = true;
    this.#dropped++;
    this.#lastFault = `Dropped frame: ${reason}`;
  }

  #losePiece(reason: string): void {
    this.#malformed++;
    this.#lastFault = reason;
    if (this.#isLost) return;
    this.#isLost = true;
    this.#dropped++;
  }
}

interface OpenPicture {
  /** Owned. */
  readonly pieces: Uint8Array[];
  size: number;
  /** Octets of a private header before each piece. */
  readonly headerSize: number;
  /** Of the last packet. */
  sequenceNumber: number;
  /** Whether its pieces were seen to count on, so that a missing one would show. */
  hasOwnNumbers: boolean;
  mayContinueRaw: boolean;
  readonly firstSequenceNumber: number;
  readonly timestamp: number;
}

const EOI = Uint8Array.of(0xff, 0xd9);
/** 4,096 octets less the RTP header. */
const RAW_CUT_PAYLOAD = 4084;

/** Octets before the SOI of a payload that begins a picture: 0, or a private header of 4 or 6 that says it is piece 0. */
function openingHeaderSize(payload: Uint8Array): number | undefined {
  if (startsWithSoi(payload, 0)) return 0;
  const saysFirst = payload[0] === 0 && payload[1] === 0 && (payload[2] > 0 || payload[3] > 0);
  if (!saysFirst) return undefined;
  return [4, 6].find((size) => startsWithSoi(payload, size));
}

function startsWithSoi(data: Uint8Array, at: number): boolean {
  return data[at] === 0xff && data[at + 1] === 0xd8;
}

function endsWithEoi(data: Uint8Array): boolean {
  return data[data.length - 2] === 0xff && data[data.length - 1] === 0xd9;
}

function unsendable(code: "no-start-of-image" | "too-large-for-lab", why: string): JpegFormatError {
  return new JpegFormatError(`Cannot send JPEG to a lab client: ${why}`, {
    ...{ code, offset: 0, rfc: "Kurose-Ross lab" },
  });
}
