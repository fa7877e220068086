/**
 * Frames cut into packets, once for all readers: every reader stamps the same batch and sends it before the next does.
 *
 * Floor 4 (assembly). It joins disk, payload formats, the repair of frames that RTP/JPEG cannot carry and the fitting of
 * frames that are too large for lab clients. Memory is bounded by octets.
 *
 * @module
 */

import { ByteCache } from "../byte_cache.ts";
import { WireError } from "../errors.ts";
import { type RepairAction, withHuffmanTables } from "../jpeg.ts";
import { PAYLOAD_TYPE_JPEG } from "../rtp.ts";
import type { PacketBatch } from "../rtp.ts";
import { interleaveBatch } from "../rtsp.ts";
import { describeJpegPayload, packetizeJpeg } from "../rtp_jpeg.ts";
import { LAB_MAX_DATAGRAM_JPEG, packetizeLab } from "../rtp_lab.ts";
import type { ServerListener } from "./events.ts";
import type { FramePreparation } from "./frame_preparation.ts";
import type { SharedMovie } from "./media_library.ts";
import { DEFAULT_CACHE_BYTES } from "./options.ts";

/** What the packets hold: RFC 2435, or one whole JPEG. */
export type PayloadFormat = "jpeg" | "lab";

/** What carries the packets: over TCP each has a `$` header before it. */
export type PacketCarrier = "UDP" | "TCP";

/** The packets of a frame. */
export interface FrameBatch extends PacketBatch {
  /** What was done to the frame so that RTP/JPEG can carry it; nothing where it is absent. */
  readonly repairs?: readonly RepairAction[];
}

/** A frame that cannot be sent, and why. */
export interface UnsendableFrame {
  /** The reason, for the log. */
  readonly reason: string;
  /** It may work the next time: the system refused, not the bytes. */
  readonly isTransient: boolean;
}

/** Options of {@linkcode FrameBatches}. */
export interface FrameBatchesOptions {
  /** Octets of costly packets to keep, and half as many of others. @default {256 MiB} */
  readonly cacheBytes?: number;
  /** Makes frames ready for RTP/JPEG. */
  readonly preparation: FramePreparation;
  /** Makes a frame fit a lab client's buffer; without it large frames go out as they are. */
  readonly fit?: (jpeg: Uint8Array, maxBytes: number) => Promise<Uint8Array>;
  /** Told when a movie's frames are made to fit. */
  readonly emit: ServerListener;
}

/** Packets of frames, made when first asked for. */
export class FrameBatches {
  readonly #options: FrameBatchesOptions;
  #cacheBytes: number;
  readonly #batches: ByteCache<FrameBatch | UnsendableFrame>;
  /** Repaired and fitted frames have a budget of their own, so that no movie without need of it drives them out. */
  readonly #costly: ByteCache<FrameBatch>;
  readonly #underWay = new Map<number, Promise<void>>();
  readonly #announced = new Set<number>();

  /** Starts with nothing kept. */
  constructor(options: FrameBatchesOptions) {
    this.#options = options;
    this.#cacheBytes = Math.max(options.cacheBytes ?? DEFAULT_CACHE_BYTES, LEAST_CACHE_BYTES);
    this.#batches = new ByteCache(this.#cacheBytes / 4);
    this.#costly = new ByteCache(this.#cacheBytes);
  }

  /** The packets of a frame, if they are at hand: shared, to be stamped and sent at once. */
  peek(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
    carrier: PacketCarrier,
  ): FrameBatch | UnsendableFrame | undefined {
    const key = keyOf(movie.id, format, carrier, frameIndex);
    const batch = this.#batches.get(key) ?? this.#costly.get(key);
    if (batch !== undefined && isUnsendable(batch) && batch.isTransient) this.#batches.delete(key);
    return batch;
  }

  /** Gets the packets of a frame ready for {@linkcode FrameBatches.peek}. Never rejects. */
  load(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
    carrier: PacketCarrier,
  ): Promise<void> {
    const key = keyOf(movie.id, format, carrier, frameIndex);
    let loading = this.#underWay.get(key);
    if (loading === undefined) {
      const made = carrier === "TCP"
        ? this.#interleave(movie, format, frameIndex, key)
        : this.#make(movie, format, frameIndex, key);
      loading = made.finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, loading);
    }
    return loading;
  }

  /**
   * Gets a frame ready that will be needed soon.
   *
   * @returns whether it is not ready yet.
   */
  prefetch(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
    carrier: PacketCarrier,
  ): boolean {
    const key = keyOf(movie.id, format, carrier, frameIndex);
    if (this.#batches.has(key) || this.#costly.has(key)) return false;
    if (!this.#underWay.has(key)) this.load(movie, format, frameIndex, carrier);
    return true;
  }

  /** How many frames ahead to get ready: more where frames must be encoded anew. */
  prefetchDepth(movie: SharedMovie, format: PayloadFormat): number {
    const isCostly = format === "lab" ? this.#needsFit(movie) : movie.repairs.length > 0;
    // What is got ready must still be there when it is due, for several readers at different places.
    const fitting = Math.floor(this.#cacheBytes / 4 / movie.file.index.largestFrameBytes);
    return isCostly ? Math.max(1, Math.min(COSTLY_DEPTH, fitting)) : 1;
  }

  /** Takes only its share of the memory where so many threads keep frames. */
  shareAmong(threads: number): void {
    const bytes = (this.#options.cacheBytes ?? DEFAULT_CACHE_BYTES) / threads;
    this.#cacheBytes = Math.max(bytes, LEAST_CACHE_BYTES);
    this.#batches.limitTo(this.#cacheBytes / 4);
    this.#costly.limitTo(this.#cacheBytes);
  }

  /** Forgets a movie that was closed. */
  forget(movieId: number): void {
    for (const cache of [this.#batches, this.#costly]) {
      cache.deleteRange(keyOf(movieId, "jpeg", "UDP", 0), keyOf(movieId + 1, "jpeg", "UDP", 0));
    }
    this.#announced.delete(movieId);
  }

  async #make(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
    key: number,
  ): Promise<void> {
    try {
      const frame = await movie.file.readFrame(frameIndex);
      if (format === "jpeg") return await this.#keepPrepared(frame, key);
      // Lab clients decode any JPEG, but for one without tables.
      const jpeg = withHuffmanTables(frame);
      if (jpeg.length > LAB_MAX_DATAGRAM_JPEG && this.#options.fit) {
        return await this.#keepFitted(movie, jpeg, key);
      }
      const batch = packetizeLab(jpeg);
      this.#batches.set(key, batch, batch.bytes.length);
    } catch (error) {
      const reason = `Cannot send frame ${frameIndex + 1} of "${movie.path}": ${
        error instanceof Error ? error.message : error
      }`;
      const isTransient = !(error instanceof WireError);
      this.#batches.set(key, { reason, isTransient }, UNSENDABLE_BYTES);
    }
  }

  /** From the packets for UDP, which are forgotten again where nobody else wants them. */
  async #interleave(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
    key: number,
  ): Promise<void> {
    const source = keyOf(movie.id, format, "UDP", frameIndex);
    const isWanted = this.#batches.has(source) || this.#underWay.has(source);
    if (!isWanted && !this.#costly.has(source)) await this.load(movie, format, frameIndex, "UDP");
    else await this.#underWay.get(source);
    const batch = this.#batches.get(source) ?? this.#costly.get(source);
    // It may have been driven out meanwhile: whoever wants it asks again.
    if (batch === undefined) return;
    if (isUnsendable(batch)) return this.#batches.set(key, batch, UNSENDABLE_BYTES);
    const interleaved = { ...interleaveBatch(batch), repairs: batch.repairs };
    this.#batches.set(key, interleaved, interleaved.bytes.length);
    if (!isWanted) this.#batches.delete(source);
  }

  async #keepPrepared(frame: Uint8Array, key: number): Promise<void> {
    const { jpeg, actions } = await this.#options.preparation.prepare(frame);
    const payload = describeJpegPayload(jpeg);
    const batch = packetizeJpeg(payload, { payloadType: PAYLOAD_TYPE_JPEG });
    if (actions.length === 0) this.#batches.set(key, batch, batch.bytes.length);
    else this.#costly.set(key, { ...batch, repairs: actions }, batch.bytes.length);
  }

  async #keepFitted(movie: SharedMovie, jpeg: Uint8Array, key: number): Promise<void> {
    if (!this.#announced.has(movie.id)) {
      this.#announced.add(movie.id);
      this.#options.emit({
        type: "notice",
        message:
          `"${movie.path}" has frames of up to ${movie.file.index.largestFrameBytes} bytes; lab clients take ${LAB_MAX_DATAGRAM_JPEG}, so these are encoded anew, once, to fit (--no-fit turns that off)`,
      });
    }
    const fitted = await this.#options.fit!(jpeg, LAB_MAX_DATAGRAM_JPEG);
    const batch = packetizeLab(fitted);
    this.#costly.set(key, batch, batch.bytes.length);
  }

  #needsFit(movie: SharedMovie): boolean {
    return this.#options.fit !== undefined &&
      movie.file.index.largestFrameBytes > LAB_MAX_DATAGRAM_JPEG;
  }
}

/** Whether a frame cannot be sent. */
export function isUnsendable(
  batch: FrameBatch | UnsendableFrame,
): batch is UnsendableFrame {
  return "reason" in batch;
}

/** 31 bits of frame, two of form, the rest for the movie: below 2^53 for a million openings. */
function keyOf(
  movieId: number,
  format: PayloadFormat,
  carrier: PacketCarrier,
  frameIndex: number,
): number {
  const form = (format === "lab" ? 1 : 0) + (carrier === "TCP" ? 2 : 0);
  return (movieId * 4 + form) * 2 ** 31 + frameIndex;
}

/** With less, frames would be forgotten between their making and their sending. */
const LEAST_CACHE_BYTES = 4 << 20;
const UNSENDABLE_BYTES = 256;
const COSTLY_DEPTH = 8;
