/**
 * What the frames of a film are made of, and what RTP/JPEG and the streaming lab's clients need of them: a lint for
 * Motion-JPEG.
 *
 * Floor 1, built on `jpeg.ts` and `rtp_lab.ts`. It is given frame after frame and reads no file. Memory is bounded: it
 * keeps counts, and the first 100 faults.
 *
 * @module
 */
import { JpegFormatError } from "../errors.ts";
import {
  actionText,
  codingName,
  decodeCoefficients,
  hasWholeScan,
  type JpegImage,
  matchStandardQuality,
  parseJpeg,
  planRepair,
  prepareJpeg,
  type RepairAction,
  samplingName,
  ScanRecoder,
} from "../jpeg.ts";
import { LAB_MAX_DATAGRAM_JPEG, LAB_MAX_JPEG } from "../rtp_lab.ts";

/** How many frames have a property, by what it is. */
export type FrameCounts = Readonly<Record<string, number>>;

/** A frame, or a place between frames, that cannot be played. */
export interface FilmFault {
  /** Number of the frame, from 1; absent for a place between frames. */
  readonly frame?: number;
  /** Octets from the start of the file. */
  readonly offset: number;
  /** What is wrong, in words. */
  readonly reason: string;
}

/** What is in a film. */
export interface FilmReport {
  /** Frames examined. */
  readonly frames: number;
  /** Octets of all of them. */
  readonly bytes: number;
  /** The largest frame: its number, from 1, and its octets. */
  readonly largestFrame: { readonly frame: number; readonly bytes: number };
  /** Width and height, such as "320x240". */
  readonly sizes: FrameCounts;
  /** How colour is sampled, such as "4:2:0". */
  readonly sampling: FrameCounts;
  /** What the components are: "YCbCr", "grey", "RGB", ... */
  readonly colorSpaces: FrameCounts;
  /** "baseline", "progressive", ...; with the number of scans where there are several. */
  readonly coding: FrameCounts;
  /** Huffman tables: "standard", "custom", "missing" (the standard ones are meant) or "none used". */
  readonly huffmanTables: FrameCounts;
  /** Quantization tables: "quality 75", or how many there are. */
  readonly quantizationTables: FrameCounts;
  /** MCUs between restart markers, 0 for none. */
  readonly restartIntervals: FrameCounts;
  /** Application segments and comments. */
  readonly markers: FrameCounts;
  /** What RTP/JPEG needs done. */
  readonly rtpJpeg: {
    /** Frames that go as they are. */
    readonly asTheyAre: number;
    /** Frames that are made fit, without loss or with as little as possible. */
    readonly repaired: number;
    /** Frames that cannot be sent. */
    readonly unsendable: number;
    /** How often each thing is done. */
    readonly actions: Readonly<Partial<Record<RepairAction, number>>>;
  };
  /** What lab clients need done. */
  readonly lab: {
    /** Frames that fit the buffer of every lab client. */
    readonly asTheyAre: number;
    /** Frames that get the standard Huffman tables. */
    readonly withoutTables: number;
    /** Frames above {@linkcode LAB_MAX_DATAGRAM_JPEG} octets: they are encoded anew to fit. */
    readonly tooLarge: number;
    /** Frames above {@linkcode LAB_MAX_JPEG} octets: no datagram holds them as they are. */
    readonly aboveDatagram: number;
  };
  /** The first faults, at most 100. */
  readonly faults: readonly FilmFault[];
  /** Number of faults. */
  readonly faultCount: number;
}

/**
 * Examines frame after frame.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FilmExaminer } from "./film_report.ts";
 *
 * const examiner = new FilmExaminer();
 * examiner.add(Deno.readFileSync("media/video.mjpeg").subarray(5, 5 + 10_958), 5);
 * const report = examiner.report();
 * assertEquals([report.sizes, report.sampling], [{ "320x240": 1 }, { "4:2:0": 1 }]);
 * assertEquals([report.rtpJpeg.asTheyAre, report.faultCount], [1, 0]);
 * ```
 */
export class FilmExaminer {
  readonly #recoder = new ScanRecoder();
  readonly #counts: Record<CountName, Record<string, number>> = {
    sizes: {},
    sampling: {},
    colorSpaces: {},
    coding: {},
    huffmanTables: {},
    quantizationTables: {},
    restartIntervals: {},
    markers: {},
  };
  readonly #actions: Partial<Record<RepairAction, number>> = {};
  readonly #faults: FilmFault[] = [];
  #faultCount = 0;
  #frames = 0;
  #bytes = 0;
  #largest = { frame: 0, bytes: 0 };
  #rtp = { asTheyAre: 0, repaired: 0, unsendable: 0 };
  #lab = { asTheyAre: 0, withoutTables: 0, tooLarge: 0, aboveDatagram: 0 };

  /** Examines the next frame, which stands at `offset` in its file; borrowed. */
  add(jpeg: Uint8Array, offset: number): void {
    this.#frames++;
    this.#bytes += jpeg.length;
    if (jpeg.length > this.#largest.bytes) {
      this.#largest = { frame: this.#frames, bytes: jpeg.length };
    }
    try {
      const image = parseJpeg(jpeg);
      this.#describe(jpeg, image);
      this.#judgeForLab(jpeg, image);
      this.#judgeForRtp(jpeg, image);
    } catch (error) {
      if (!(error instanceof JpegFormatError)) throw error;
      this.#rtp.unsendable++;
      this.addFault({
        frame: this.#frames,
        offset: offset + error.offset,
        reason: error.message,
      });
    }
  }

  /** Notes a fault that was found by others: something between the frames. */
  addFault(fault: FilmFault): void {
    this.#faultCount++;
    if (this.#faults.length < LISTED_FAULTS) this.#faults.push(fault);
  }

  /** What was found so far. */
  report(): FilmReport {
    return {
      frames: this.#frames,
      bytes: this.#bytes,
      largestFrame: this.#largest,
      ...structuredCounts(this.#counts),
      rtpJpeg: { ...this.#rtp, actions: { ...this.#actions } },
      lab: { ...this.#lab },
      faults: [...this.#faults],
      faultCount: this.#faultCount,
    };
  }

  #count(name: CountName, value: string): void {
    const counts = this.#counts[name];
    counts[value] = (counts[value] ?? 0) + 1;
  }

  #describe(jpeg: Uint8Array, image: JpegImage): void {
    const { width, height, scans, frameType, precision } = image;
    this.#count("sizes", `${width}x${height}`);
    this.#count("sampling", samplingName(image.components));
    this.#count("colorSpaces", image.colorSpace);
    const bits = precision === 8 ? "" : `, ${precision} bits`;
    const scanText = scans.length > 1 && frameType !== 0xc2 ? `, ${scans.length} scans` : "";
    this.#count("coding", codingName(frameType) + bits + scanText);
    this.#count("huffmanTables", frameType >= 0xc8 ? "none used" : image.huffmanTables);
    this.#count("quantizationTables", stepsText(image));
    this.#count("restartIntervals", String(image.restartInterval));
    for (const marker of new Set(markersOf(jpeg))) this.#count("markers", marker);
  }

  #judgeForLab(jpeg: Uint8Array, image: JpegImage): void {
    if (image.huffmanTables === "missing" && image.frameType <= 0xc1) this.#lab.withoutTables++;
    if (jpeg.length > LAB_MAX_JPEG) this.#lab.aboveDatagram++;
    if (jpeg.length > LAB_MAX_DATAGRAM_JPEG) this.#lab.tooLarge++;
    else this.#lab.asTheyAre++;
  }

  #judgeForRtp(jpeg: Uint8Array, image: JpegImage): void {
    const { actions, obstacle, needsCoefficients } = planRepair(image);
    if (obstacle?.isConvertible === false) {
      const reason = `RTP/JPEG cannot carry it: ${obstacle.reason}`;
      throw new JpegFormatError(reason, { code: obstacle.code, offset: 0, rfc: "RFC 2435 s4.1" });
    }
    if (needsCoefficients) decodeCoefficients(jpeg, { height: image.height });
    else if (!hasWholeScan(jpeg, this.#recoder)) {
      const reason = "Its data make no sense, or end before its last block";
      throw new JpegFormatError(reason, {
        ...{ code: "damaged", offset: image.scanStart, rfc: "T.81 Annex F" },
      });
    }
    // What has to be converted is converted here, once: only then is it known what is done.
    const done = obstacle === undefined ? actions : prepareJpeg(jpeg).actions;
    if (done.length === 0) this.#rtp.asTheyAre++;
    else this.#rtp.repaired++;
    for (const action of done) this.#actions[action] = (this.#actions[action] ?? 0) + 1;
  }
}

/** Whether everything in a film can be played. */
export function isWhollyPlayable(report: FilmReport): boolean {
  return report.frames > 0 && report.faultCount === 0 && report.rtpJpeg.unsendable === 0;
}

/** A report as lines for people. */
export function reportLines(report: FilmReport): string[] {
  const { frames, rtpJpeg, lab, largestFrame } = report;
  const told = (counts: FrameCounts, word: (value: string) => string = (value) => value) => {
    const values = Object.entries(counts);
    if (values.length === 1 && values[0][1] === frames) return word(values[0][0]);
    return values.map(([value, count]) => `${word(value)} in ${count}`).join(", ") || "none";
  };
  const actions = Object.entries(rtpJpeg.actions) as [RepairAction, number][];
  const rtpParts = [
    ...(rtpJpeg.asTheyAre > 0 ? [`${rtpJpeg.asTheyAre} frames as they are`] : []),
    ...actions.map(([action, count]) => `${count} ${actionText(action)}`),
    ...(rtpJpeg.unsendable > 0 ? [`${rtpJpeg.unsendable} cannot be sent`] : []),
  ];
  const labParts = [
    ...(lab.asTheyAre > 0 ? [`${lab.asTheyAre} frames as they are`] : []),
    ...(lab.withoutTables > 0 ? [`${lab.withoutTables} given Huffman tables`] : []),
    ...(lab.tooLarge > 0
      ? [`${lab.tooLarge} above ${LAB_MAX_DATAGRAM_JPEG} bytes, encoded anew to fit`]
      : []),
  ];
  const rows: [name: string, text: string][] = [
    ["size", told(report.sizes)],
    ["colour", `${told(report.colorSpaces)}, ${told(report.sampling)}`],
    ["coding", told(report.coding)],
    ["Huffman tables", told(report.huffmanTables)],
    ["quantization", told(report.quantizationTables)],
    ["restart interval", told(report.restartIntervals, (mcus) => mcus === "0" ? "none" : mcus)],
    ["other segments", told(report.markers)],
    ["largest frame", `number ${largestFrame.frame}, ${largestFrame.bytes} bytes`],
    ["RTP/JPEG", rtpParts.join(", ")],
    ["lab clients", labParts.join(", ")],
    ["damage", report.faultCount === 0 ? "none" : placesText(report.faultCount)],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(16)}  ${text}`);
  for (const { frame, offset, reason } of report.faults.slice(0, SHOWN_FAULTS)) {
    const where = frame === undefined ? `octet ${offset}` : `frame ${frame}, octet ${offset}`;
    lines.push(`    ${where}: ${reason}`);
  }
  const hidden = report.faultCount - SHOWN_FAULTS;
  if (hidden > 0) lines.push(`    and ${hidden} more`);
  return lines;
}

function placesText(count: number): string {
  return count === 1 ? "in one place" : `in ${count} places`;
}

type CountName =
  | "sizes"
  | "sampling"
  | "colorSpaces"
  | "coding"
  | "huffmanTables"
  | "quantizationTables"
  | "restartIntervals"
  | "markers";

function structuredCounts(counts: Record<CountName, Record<string, number>>) {
  const copy = { ...counts };
  for (const name of Object.keys(copy) as CountName[]) copy[name] = { ...counts[name] };
  return copy;
}

function stepsText(image: JpegImage): string {
  const tables = image.components.map(({ quantizationTable }) =>
    image.quantizationTables[quantizationTable]
  );
  const [luma, chroma] = tables;
  const distinct = new Set(tables.map((table) => table?.join())).size;
  const quality = luma && chroma && distinct <= 2 ? matchStandardQuality(luma, chroma) : undefined;
  if (quality !== undefined) return `quality ${quality}`;
  const isLarge = tables.some((table) => table?.some((step: number) => step > 255));
  return `${distinct} ${distinct === 1 ? "table" : "tables"} of its own${
    isLarge ? ", steps above 255" : ""
  }`;
}

/** APPn with the names they give themselves, and COM, up to the first scan. */
function markersOf(jpeg: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 2; at + 4 <= jpeg.length;) {
    if (jpeg[at] !== 0xff || jpeg[at + 1] === 0xff) {
      at++;
      continue;
    }
    const marker = jpeg[at + 1];
    if (marker === 0xda || marker === 0xd9) break;
    if (marker === 0xfe) names.push("COM");
    if (marker >= 0xe0 && marker <= 0xef) {
      const name = /^[\w ]{3,12}/.exec(String.fromCharCode(...jpeg.subarray(at + 4, at + 16)))?.[0];
      names.push(`APP${marker - 0xe0}${name === undefined ? "" : ` ${name}`}`);
    }
    const isAlone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += 2 + (isAlone ? 0 : Math.max(2, jpeg[at + 2] << 8 | jpeg[at + 3]));
  }
  return names;
}

const LISTED_FAULTS = 100;
const SHOWN_FAULTS = 10;
