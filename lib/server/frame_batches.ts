/**
 * Frames cut into packets, once for all readers: every reader stamps the same batch and sends it before the next does.
 *
 * Floor 4 (assembly). It joins disk, payload formats and the fitting of frames that are too large for lab clients. Memory
 * is bounded by octets.
 *
 * @module
 */

import { WireError } from "../errors.ts";
import { PAYLOAD_TYPE_JPEG } from "../rtp.ts";
import type { PacketBatch } from "../rtp.ts";
import { describeJpegPayload, packetizeJpeg } from "../rtp_jpeg.ts";
import { LAB_MAX_DATAGRAM_JPEG, packetizeLab } from "../rtp_lab.ts";
import { ByteCache } from "./byte_cache.ts";
import type { ServerListener } from "./events.ts";
import type { SharedMovie } from "./media_library.ts";

/** What the packets hold: RFC 2435, or one whole JPEG. */
export type PayloadFormat = "jpeg" | "lab";

/** A frame that cannot be sent, and why. */
export interface UnsendableFrame {
  /** The reason, for the log. */
  readonly reason: string;
  /** It may work the next time: the system refused, not the bytes. */
  readonly isTransient: boolean;
}

/** Options of {@linkcode FrameBatches}. */
export interface FrameBatchesOptions {
  /** Octets of packets to keep. @default {128 MiB} */
  readonly maxBytes?: number;
  /** Makes a frame fit a lab client's buffer; without it large frames go out as they are. */
  readonly fit?: (jpeg: Uint8Array, maxBytes: number) => Promise<Uint8Array>;
  /** Told when a movie's frames are made to fit. */
  readonly emit: ServerListener;
}

/** Packets of frames, made when first asked for. */
export class FrameBatches {
  readonly #options: FrameBatchesOptions;
  readonly #batches: ByteCache<PacketBatch | UnsendableFrame>;
  /** Fitted frames are costly: they have a budget of their own, so that no other movie drives them out. */
  readonly #fitted = new ByteCache<PacketBatch>(MAX_FITTED_BYTES);
  readonly #underWay = new Map<number, Promise<void>>();
  readonly #announced = new Set<number>();

  /** Starts with nothing kept. */
  constructor(options: FrameBatchesOptions) {
    this.#options = options;
    this.#batches = new ByteCache(options.maxBytes ?? DEFAULT_MAX_BYTES);
  }

  /** The packets of a frame, if they are at hand: shared, to be stamped and sent at once. */
  peek(
    movie: SharedMovie,
    format: PayloadFormat,
    frameIndex: number,
  ): PacketBatch | UnsendableFrame | undefined {
    const key = keyOf(movie.id, format, frameIndex);
    const batch = this.#batches.get(key) ??
      (format === "lab" ? this.#fitted.get(key) : undefined);
    if (batch !== undefined && isUnsendable(batch) && batch.isTransient) this.#batches.delete(key);
    return batch;
  }

  /** Gets the packets of a frame ready for {@linkcode FrameBatches.peek}. Never rejects. */
  load(movie: SharedMovie, format: PayloadFormat, frameIndex: number): Promise<void> {
    const key = keyOf(movie.id, format, frameIndex);
    let loading = this.#underWay.get(key);
    if (loading === undefined) {
      loading = this.#make(movie, format, frameIndex, key).finally(() => {
        this.#underWay.delete(key);
      });
      this.#underWay.set(key, loading);
    }
    return loading;
  }

  /** Gets a frame ready that will be needed soon. */
  prefetch(movie: SharedMovie, format: PayloadFormat, frameIndex: number): void {
    const key = keyOf(movie.id, format, frameIndex);
    if (this.#batches.has(key) || this.#fitted.has(key) || this.#underWay.has(key)) return;
    this.load(movie, format, frameIndex);
  }

  /** How many frames ahead to get ready: more where frames must be encoded anew. */
  prefetchDepth(movie: SharedMovie, format: PayloadFormat): number {
    return format === "lab" && this.#needsFit(movie) ? FITTING_DEPTH : 1;
  }

  /** Forgets a movie that was closed. */
  forget(movieId: number): void {
    for (const cache of [this.#batches, this.#fitted]) {
      cache.deleteRange(keyOf(movieId, "jpeg", 0), keyOf(movieId + 1, "jpeg", 0));
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
      const jpeg = await movie.file.readFrame(frameIndex);
      if (format === "lab" && jpeg.length > LAB_MAX_DATAGRAM_JPEG && this.#options.fit) {
        return await this.#keepFitted(movie, jpeg, key);
      }
      const batch = format === "lab" ? packetizeLab(jpeg) : packetizeJpeg(
        describeJpegPayload(jpeg),
        { payloadType: PAYLOAD_TYPE_JPEG },
      );
      this.#batches.set(key, batch, batch.bytes.length);
    } catch (error) {
      const reason = `Cannot send frame ${frameIndex + 1} of "${movie.path}": ${
        error instanceof Error ? error.message : error
      }`;
      const isTransient = !(error instanceof WireError);
      this.#batches.set(key, { reason, isTransient }, UNSENDABLE_BYTES);
    }
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
    this.#fitted.set(key, batch, batch.bytes.length);
  }

  #needsFit(movie: SharedMovie): boolean {
    return this.#options.fit !== undefined &&
      movie.file.index.largestFrameBytes > LAB_MAX_DATAGRAM_JPEG;
  }
}

/** Whether a frame cannot be sent. */
export function isUnsendable(
  batch: PacketBatch | UnsendableFrame,
): batch is UnsendableFrame {
  return "reason" in batch;
}

/** 32 bits of frame, one of format, the rest for the movie: below 2^53 for a million openings. */
function keyOf(movieId: number, format: PayloadFormat, frameIndex: number): number {
  return (movieId * 2 + (format === "lab" ? 1 : 0)) * 2 ** 32 + frameIndex;
}

const DEFAULT_MAX_BYTES = 128 << 20;
const MAX_FITTED_BYTES = 256 << 20;
const UNSENDABLE_BYTES = 256;
const FITTING_DEPTH = 8;
