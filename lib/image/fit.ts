/**
 * Makes a JPEG fit into a given number of octets by encoding it again: first coarser, then smaller.
 *
 * Floor 3, used by `image_worker.ts` only. Meant for the lab's dialect, whose clients read at most 20,480 octets of a
 * datagram. It does not keep the picture's sampling: see {@linkcode ImageCodec.encodeJpeg}.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { type Bitmap, type ImageCodec, shrinkBitmap } from "./codec.ts";

/**
 * A JPEG of the same picture, at most `maxBytes` long: the given bytes themselves if they fit already, otherwise the
 * best of {@linkcode QUALITIES} that fits, and if none does, the same with sides three quarters as long, and so on.
 * The result depends on the arguments alone. Costs one decoding and three encodings for each size tried.
 *
 * @throws {JpegFormatError} `"cannot-fit"` if even a picture of 8 pixels does not fit; otherwise as
 * {@linkcode ImageCodec.decode}.
 */
export function fitJpeg(codec: ImageCodec, jpeg: Uint8Array, maxBytes: number): Uint8Array {
  if (jpeg.length <= maxBytes) return jpeg;
  let bitmap = codec.decode(jpeg);
  while (true) {
    const fitting = bestQuality(codec, bitmap, maxBytes);
    if (fitting) return fitting;
    if (Math.min(bitmap.width, bitmap.height) <= SMALLEST_SIDE) break;
    bitmap = shrinkBitmap(bitmap, SHRINK_FACTOR);
  }
  throw new JpegFormatError(
    `Cannot make JPEG fit: ${jpeg.length} bytes, at most ${maxBytes} are allowed`,
    { code: "cannot-fit", offset: 0, rfc: "T.81" },
  );
}

/** Bisects {@linkcode QUALITIES}, since a coarser picture is practically always a smaller file. */
function bestQuality(codec: ImageCodec, bitmap: Bitmap, maxBytes: number): Uint8Array | undefined {
  let best: Uint8Array | undefined;
  let [low, high] = [0, QUALITIES.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = codec.encodeJpeg(bitmap, QUALITIES[middle]);
    if (candidate.length <= maxBytes) {
      best = candidate;
      high = middle;
    } else low = middle + 1;
  }
  return best;
}

/** Best first; seven, so that a bisection takes three steps. */
export const QUALITIES: readonly number[] = [90, 80, 70, 60, 50, 40, 30];

const SHRINK_FACTOR = 0.75;
const SMALLEST_SIDE = 8;
