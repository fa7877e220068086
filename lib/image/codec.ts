/**
 * Pictures in and out: JPEG to PNG, and JPEG to a smaller JPEG, both with imagescript's own codecs.
 *
 * imagescript's main module loads a native addon and so needs `--allow-ffi`. Its JPEG codec is also there as
 * WebAssembly, and its PNG encoder as plain JavaScript: these two are used here, so reading one file of the package
 * is all the permission it takes. The package's own loader of that WebAssembly is passed by, because it asks for an
 * environment variable, makes only the decoder reachable, and has no way to start over after a trap.
 *
 * Floor 3 (wall), but only `image_worker.ts` and tests may import it: a picture costs 5 to 200 ms, which the thread
 * that reads the sockets does not have. ITU-T T.81, PNG (RFC 2083).
 *
 * @module
 */
// @ts-types="./imagescript_png.d.ts"
import png from "imagescript/png/node.js";
import { JpegFormatError } from "../errors.ts";

/** Pixels above this (4096 x 4096) are refused before they are decoded: a 10 kB file may claim 16000 x 16000. */
export const MAX_PIXELS = 16_777_216;

/** A decoded picture: rows from the top, no padding. */
export interface Bitmap {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Octets a pixel: 1 grey, 3 RGB. */
  readonly channels: 1 | 3;
  /** `width * height * channels` octets, owned. */
  readonly pixels: Uint8Array;
}

interface JpegWasm {
  readonly memory: WebAssembly.Memory;
  walloc(size: number): number;
  wfree(pointer: number, size: number): void;
  wlen(): number;
  decode(pointer: number, size: number, width: number, height: number): number;
  decode_width(image: number): number;
  decode_height(image: number): number;
  decode_format(image: number): number;
  decode_buffer(image: number): number;
  decode_free(image: number): void;
  encode(pixels: number, width: number, height: number, quality: number): number;
}

/** One set of imagescript's codecs, reused for every picture. Not to be shared between threads. */
export class ImageCodec {
  readonly #module: WebAssembly.Module;
  #wasm: JpegWasm;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
    this.#wasm = instantiate(module);
  }

  /** Loads imagescript's WebAssembly from its package; needs `--allow-read` of it and nothing else. */
  static async load(): Promise<ImageCodec> {
    const url = new URL(import.meta.resolve("imagescript/wasm/any/jpeg.wasm"));
    return new ImageCodec(await WebAssembly.compile(await Deno.readFile(url)));
  }

  /**
   * Decodes a JPEG: baseline, extended or progressive; grey, YCbCr, RGB or CMYK.
   *
   * @throws {JpegFormatError} `"too-large"` above {@linkcode MAX_PIXELS}, `"no-frame-header"` where none is found,
   * `"undecodable"` for whatever else the decoder refuses.
   */
  decode(jpeg: Uint8Array): Bitmap {
    checkSize(jpeg);
    const wasm = this.#wasm;
    try {
      const input = wasm.walloc(jpeg.length);
      new Uint8Array(wasm.memory.buffer, input, jpeg.length).set(jpeg);
      const image = wasm.decode(input, jpeg.length, 0, 0); // frees its input
      if (image === 0) throw undecodable(jpeg, "the data is damaged or of an unknown kind");
      const width = wasm.decode_width(image);
      const height = wasm.decode_height(image);
      const format = wasm.decode_format(image);
      const start = wasm.decode_buffer(image);
      const pixels = new Uint8Array(wasm.memory.buffer, start, wasm.wlen()).slice();
      wasm.decode_free(image);
      if (format === 2) return { width, height, channels: 3, pixels: rgbFromCmyk(pixels) };
      return { width, height, channels: format === 0 ? 1 : 3, pixels };
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        this.#wasm = instantiate(this.#module); // after a trap its memory is not to be trusted
        throw undecodable(jpeg, "the decoder gave up", error);
      }
      throw error;
    } finally {
      this.#shrink();
    }
  }

  /** Encodes a baseline JPEG without subsampling (4:4:4), `quality` 1 to 100. RFC 2435 cannot carry that form. */
  encodeJpeg(bitmap: Bitmap, quality: number): Uint8Array<ArrayBuffer> {
    const wasm = this.#wasm;
    const rgba = rgbaOf(bitmap);
    const input = wasm.walloc(rgba.length);
    new Uint8Array(wasm.memory.buffer, input, rgba.length).set(rgba);
    const output = wasm.encode(input, bitmap.width, bitmap.height, quality); // frees its input
    const size = wasm.wlen();
    const jpeg = new Uint8Array(wasm.memory.buffer, output, size).slice();
    wasm.wfree(output, size);
    this.#shrink();
    return jpeg;
  }

  /** Encodes a PNG without loss, 8 bits a channel, no alpha. */
  encodePng(bitmap: Bitmap): Uint8Array<ArrayBuffer> {
    const { width, height, channels, pixels } = bitmap;
    return png.encode(pixels, { width, height, channels, level: PNG_LEVEL });
  }

  /** WebAssembly memory only ever grows; one huge picture shall not cost its memory for ever. */
  #shrink(): void {
    if (this.#wasm.memory.buffer.byteLength > MAX_KEPT_BYTES) {
      this.#wasm = instantiate(this.#module);
    }
  }
}

/** Makes every side of a picture `factor` (0 to 1) as long, each new pixel the mean of those it covers. */
export function shrinkBitmap(bitmap: Bitmap, factor: number): Bitmap {
  const { channels } = bitmap;
  const width = Math.max(1, Math.floor(bitmap.width * factor));
  const height = Math.max(1, Math.floor(bitmap.height * factor));
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0, target = 0; y < height; y++) {
    const top = Math.floor(y * bitmap.height / height);
    const bottom = Math.max(top + 1, Math.floor((y + 1) * bitmap.height / height));
    for (let x = 0; x < width; x++) {
      const left = Math.floor(x * bitmap.width / width);
      const right = Math.max(left + 1, Math.floor((x + 1) * bitmap.width / width));
      const area = (right - left) * (bottom - top);
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum += bitmap.pixels[(row * bitmap.width + column) * channels + channel];
          }
        }
        pixels[target++] = Math.round(sum / area);
      }
    }
  }
  return { width, height, channels, pixels };
}

function instantiate(module: WebAssembly.Module): JpegWasm {
  return new WebAssembly.Instance(module).exports as unknown as JpegWasm;
}

function undecodable(jpeg: Uint8Array, reason: string, cause?: unknown): JpegFormatError {
  return new JpegFormatError(`Cannot decode JPEG of ${jpeg.length} bytes: ${reason}`, {
    code: "undecodable",
    offset: 0,
    rfc: "T.81",
    cause,
  });
}

/** Refuses what would take the decoder seconds and gigabytes. Reads no further than the frame header (T.81 B.2.2). */
function checkSize(jpeg: Uint8Array): void {
  let offset = 2;
  while (offset + 9 <= jpeg.length) {
    if (jpeg[offset] !== 0xff) break;
    const marker = jpeg[offset + 1];
    if (marker === 0xff) {
      offset++; // fill octets
      continue;
    }
    const isStandalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (isFrameHeader(marker)) {
      const height = jpeg[offset + 5] << 8 | jpeg[offset + 6];
      const width = jpeg[offset + 7] << 8 | jpeg[offset + 8];
      if (width * height <= MAX_PIXELS) return;
      throw new JpegFormatError(
        `Cannot decode JPEG of ${width} x ${height}: ${
          width * height
        } pixels, at most ${MAX_PIXELS} are allowed`,
        { code: "too-large", offset: offset + 5, rfc: "T.81 B.2.2" },
      );
    }
    offset += 2 + (isStandalone ? 0 : jpeg[offset + 2] << 8 | jpeg[offset + 3]);
  }
  throw new JpegFormatError(`Cannot decode JPEG of ${jpeg.length} bytes: no frame header`, {
    code: "no-frame-header",
    offset,
    rfc: "T.81 B.2.2",
  });
}

/** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function rgbaOf({ pixels, channels }: Bitmap): Uint8Array {
  const rgba = new Uint8Array(pixels.length / channels * 4);
  const [green, blue] = channels === 3 ? [1, 2] : [0, 0];
  for (let source = 0, target = 0; target < rgba.length; source += channels, target += 4) {
    rgba[target] = pixels[source];
    rgba[target + 1] = pixels[source + green];
    rgba[target + 2] = pixels[source + blue];
    rgba[target + 3] = 255;
  }
  return rgba;
}

/** The formula, and the rounding, of imagescript's own `Image.decode`. */
function rgbFromCmyk(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray(cmyk.length / 4 * 3);
  for (let source = 0, target = 0; source < cmyk.length; source += 4, target += 3) {
    const light = 1 - cmyk[source + 3] / 255;
    for (let i = 0; i < 3; i++) rgb[target + i] = 255 * (1 - cmyk[source + i] / 255) * light;
  }
  return new Uint8Array(rgb.buffer);
}

// Levels 2 to 6 make files of nearly one size; 2 is the fastest (VGA: 12 ms, level 1: 14 ms, level 6: 14 ms).
const PNG_LEVEL = 2;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
