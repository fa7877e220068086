/**
 * The samples of losslessly coded pictures (SOF3, Huffman): each is predicted from its neighbours.
 * {@link https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81 Annex H}.
 *
 * Floor 1. It only reads: `conversion.ts` makes of the samples what RTP/JPEG can carry.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import { buildHuffmanDecoder, EntropyReader, type HuffmanDecoder } from "./entropy_reader.ts";
import type { JpegImage, JpegScan } from "./image.ts";
import type { Plane } from "./planes.ts";

/**
 * One plane for each component, brought to the range of 8 bits.
 *
 * @throws {JpegFormatError} where the data are damaged, or a component is in no scan.
 */
export function decodeLossless(jpeg: Uint8Array, image: JpegImage): Plane[] {
  const planes = layOut(jpeg, image);
  for (const scan of image.scans) new LosslessScan(jpeg, image, scan).run(planes);
  return planes.map(({ width, height, stride, values }) => {
    const samples = new Float32Array(width * height), gain = 255 / (2 ** image.precision - 1);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) samples[y * width + x] = values[y * stride + x] * gain;
    }
    return { width, height, samples };
  });
}

/** Samples under way, padded to whole MCUs. */
interface Samples {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly values: Uint16Array;
}

function layOut(jpeg: Uint8Array, image: JpegImage): Samples[] {
  const { components, width, height } = image;
  const hMax = Math.max(...components.map(({ h }) => h));
  const vMax = Math.max(...components.map(({ v }) => v));
  const mcusPerLine = Math.ceil(width / hMax), mcuLines = Math.ceil(height / vMax);
  const sampleCount = components.reduce((sum, { h, v }) => sum + mcusPerLine * mcuLines * h * v, 0);
  // A sample takes a bit at least.
  if (sampleCount > 8 * jpeg.length) {
    throw damaged("data-too-short", `${jpeg.length} octets cannot hold ${sampleCount} samples`);
  }
  return components.map(({ h, v }) => ({
    width: Math.ceil(width * h / hMax),
    height: Math.ceil(height * v / vMax),
    stride: mcusPerLine * h,
    values: new Uint16Array(mcusPerLine * h * mcuLines * v),
  }));
}

interface LosslessPart {
  readonly samples: Samples;
  readonly decoder: HuffmanDecoder;
  readonly h: number;
  readonly v: number;
  /** The line whose samples are predicted from the left, since nothing above it counts. */
  firstLine: number;
}

class LosslessScan {
  readonly #jpeg: Uint8Array;
  readonly #image: JpegImage;
  readonly #scan: JpegScan;
  readonly #reader = new EntropyReader();
  readonly #predictor: number;
  readonly #shift: number;
  /** The prediction where there is no neighbour. */
  readonly #middle: number;

  constructor(jpeg: Uint8Array, image: JpegImage, scan: JpegScan) {
    this.#jpeg = jpeg;
    this.#image = image;
    this.#scan = scan;
    this.#predictor = scan.spectralStart;
    this.#shift = scan.approximation & 15;
    this.#middle = 1 << Math.max(0, image.precision - this.#shift - 1);
    if (this.#predictor >= 1 && this.#predictor <= 7) return;
    throw damaged("scan-invalid", `predictor ${this.#predictor}, wanted 1 to 7`);
  }

  run(planes: readonly Samples[]): void {
    const { components } = this.#scan, isAlone = components.length === 1;
    const parts = components.map(({ component, dc }): LosslessPart => {
      if (dc === undefined) throw damaged("huffman-table-missing", "a Huffman table is missing");
      const { h, v } = isAlone ? { h: 1, v: 1 } : this.#image.components[component];
      return { samples: planes[component], decoder: buildHuffmanDecoder(dc), h, v, firstLine: 0 };
    });
    const [first] = parts;
    const columns = isAlone ? first.samples.width : first.samples.stride / first.h;
    const lines = isAlone
      ? first.samples.height
      : first.samples.values.length / first.samples.stride / first.v;
    let next = this.#reader.load(this.#jpeg, this.#scan.start);
    let untilRestart = this.#scan.restartInterval;
    for (let y = 0; y < lines; y++) {
      for (let x = 0; x < columns; x++) {
        if (this.#scan.restartInterval > 0 && untilRestart-- === 0) {
          next = this.#restart(next);
          untilRestart = this.#scan.restartInterval - 1;
          for (const part of parts) part.firstLine = y * part.v;
        }
        for (const part of parts) this.#readMcu(part, x, y);
      }
    }
  }

  #restart(offset: number): number {
    let marker = offset + 1;
    while (this.#jpeg[marker] === 0xff) marker++;
    if ((this.#jpeg[marker] & 0xf8) === 0xd0) return this.#reader.load(this.#jpeg, marker + 1);
    throw damaged("scan-restart-missing", "a restart marker is missing", offset);
  }

  #readMcu(part: LosslessPart, mcuX: number, mcuY: number): void {
    const { values, stride } = part.samples;
    for (let dy = 0; dy < part.v; dy++) {
      const y = mcuY * part.v + dy;
      for (let dx = 0; dx < part.h; dx++) {
        const x = mcuX * part.h + dx, at = y * stride + x;
        const size = this.#reader.symbol(part.decoder);
        if (size > 16) throw damaged("scan-coefficients-overrun", `a difference of ${size} bits`);
        // T.81 H.1.2.2: a difference of 16 bits is 32768 and has no bits behind its code.
        const difference = size === 16 ? 32_768 : this.#reader.signed(size);
        const shifted = this.#predict(part, { x, y, at }) + difference << this.#shift;
        values[at] = shifted;
      }
    }
  }

  /** T.81 Table H.1. */
  #predict(
    { samples: { values, stride }, firstLine }: LosslessPart,
    { x, y, at }: { readonly x: number; readonly y: number; readonly at: number },
  ): number {
    const shift = this.#shift;
    if (y === firstLine) return x === 0 ? this.#middle : values[at - 1] >> shift;
    const above = values[at - stride] >> shift;
    if (x === 0) return above;
    const left = values[at - 1] >> shift, corner = values[at - stride - 1] >> shift;
    switch (this.#predictor) {
      case 1:
        return left;
      case 2:
        return above;
      case 3:
        return corner;
      case 4:
        return left + above - corner;
      case 5:
        return left + (above - corner >> 1);
      case 6:
        return above + (left - corner >> 1);
      default:
        return left + above >> 1;
    }
  }
}

function damaged(code: string, reason: string, offset = 0): JpegFormatError {
  return new JpegFormatError(`Cannot read lossless JPEG: ${reason}`, {
    code,
    offset,
    rfc: "T.81 Annex H",
  });
}
