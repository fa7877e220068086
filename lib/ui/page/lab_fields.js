// @ts-check
// The lab's payload: one whole JPEG file. Its segments are listed, T.81 Annex B.
import { payloadSection } from "./field_reader.js";

/** @typedef {import("./packet_fields.js").Section} Section */
/** @typedef {import("./packet_fields.js").Field} Field */

/** @type {Readonly<Record<number, string>>} */
const SEGMENTS = {
  0xc0: "SOF0: baseline frame",
  0xc1: "SOF1: extended frame",
  0xc2: "SOF2: progressive frame",
  0xc4: "DHT: Huffman tables",
  0xd8: "SOI: start of image",
  0xd9: "EOI: end of image",
  0xda: "SOS: start of scan",
  0xdb: "DQT: quantization tables",
  0xdd: "DRI: restart interval",
  0xe0: "APP0: JFIF",
  0xe1: "APP1: Exif",
  0xfe: "COM: comment",
};

const RFC = "ITU-T T.81 Annex B";

/**
 * @param {Uint8Array} bytes @param {number} start @param {number} size of the whole packet
 * @returns {Section[]}
 */
export function labSections(bytes, start, size) {
  if (bytes[start] !== 0xff || bytes[start + 1] !== 0xd8) {
    return [
      payloadSection("Payload", "Kurose-Ross lab", start, size, "Not the beginning of a JPEG."),
    ];
  }
  /** @type {Field[]} */
  const fields = [];
  let at = start;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    const length = marker === 0xd8 || marker === 0xd9 ? 2 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
    fields.push(segment(bytes, at, marker, Math.min(length, size - at)));
    at += length;
    if (marker === 0xda || marker === 0xd9) break;
  }
  const head = {
    title: "JPEG headers",
    rfc: RFC,
    start,
    end: Math.min(at, size),
    fields,
    isText: true,
  };
  if (at >= size) return [head];
  const isHeadWhole = at <= bytes.length;
  const meaning = isHeadWhole ? "The picture itself, Huffman coded, up to the end of image." : "";
  return [head, payloadSection("JPEG scan data", RFC, at, size, meaning)];
}

/** @param {Uint8Array} bytes @param {number} at @param {number} marker @param {number} length */
function segment(bytes, at, marker, length) {
  const hex = `FF ${marker.toString(16).toUpperCase().padStart(2, "0")}`;
  const name = SEGMENTS[marker] ?? `Segment ${hex}`;
  const isFrame = marker >= 0xc0 && marker <= 0xc2 && at + 9 <= bytes.length;
  const meaning = isFrame
    ? `${bytes[at + 7] * 256 + bytes[at + 8]} × ${bytes[at + 5] * 256 + bytes[at + 6]} pixels.`
    : "";
  return {
    name,
    title: name,
    offset: at * 8,
    bits: length * 8,
    value: `${hex}, ${length.toLocaleString("en")} octets`,
    meaning,
  };
}
