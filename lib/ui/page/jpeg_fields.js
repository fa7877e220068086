// @ts-check
// The headers between the RTP header and the picture: RFC 2435.
import { FieldReader, payloadSection } from "./field_reader.js";

/** @typedef {import("./packet_fields.js").Section} Section */

/**
 * @param {Uint8Array} bytes @param {number} start first octet behind the RTP header
 * @param {number} size of the whole packet
 * @returns {Section[]}
 */
export function jpegSections(bytes, start, size) {
  const read = new FieldReader(bytes, start);
  const { offset, type, q } = mainHeader(read);
  const sections = [read.section("RTP/JPEG header", "RFC 2435 s3.1")];
  if (type >= 64 && type <= 127) sections.push(restartHeader(read));
  if (q >= 128 && offset === 0) sections.push(...tables(read));
  sections.push(payloadSection(
    "JPEG scan data",
    "RFC 2435 s3.1.9",
    read.octet,
    size,
    "The picture itself, Huffman coded (T.81). The receiver puts the headers of a JPEG file before it.",
  ));
  return sections;
}

/** @param {FieldReader} read */
function mainHeader(read) {
  read.field(
    "type-specific",
    "Type-specific",
    8,
    (value) =>
      value === 0
        ? "The picture is progressively scanned: whole frames."
        : "Fields of interlaced video (s3.1.1).",
  );
  const offset = read.field(
    "fragment offset",
    "Fragment offset",
    24,
    (value) =>
      value === 0
        ? "The frame begins in this packet."
        : "Octets of the frame's scan data that came in the packets before.",
  );
  const type = read.field("type", "Type", 8, typeMeaning);
  const q = read.field("Q", "Q", 8, qMeaning);
  const inPixels = (/** @type {number} */ value) =>
    value === 0
      ? "Over 2,040 pixels: the description must say it."
      : `${value * 8} pixels, in units of 8.`;
  read.field("width", "Width", 8, inPixels);
  read.field("height", "Height", 8, inPixels);
  return { offset, type, q };
}

/** @param {number} type */
function typeMeaning(type) {
  const kind = { 0: "4:2:2 colour", 1: "4:2:0 colour" }[type & 63];
  const restart = type >= 64 && type <= 127 ? ", with restart markers" : "";
  return kind ? `Baseline JPEG, ${kind}${restart}.` : "Not defined by RFC 2435.";
}

/** @param {number} q */
function qMeaning(q) {
  if (q >= 1 && q <= 99) return `The standard tables at quality ${q}: no tables travel.`;
  if (q >= 128) {
    return q === 255
      ? "The tables travel in the first packet of every frame."
      : "The tables travel in a frame's first packet, and stay the same for this Q.";
  }
  return "Reserved by RFC 2435.";
}

/** @param {FieldReader} read */
function restartHeader(read) {
  read.field(
    "restart interval",
    "Restart interval",
    16,
    (n) =>
      `A restart marker after every ${n} blocks (MCUs): a lost packet spoils no more than that.`,
  );
  read.flag("F", "First", [
    "The chunk did not begin in this packet.",
    "The chunk begins in this packet.",
  ]);
  read.flag("L", "Last", [
    "The chunk goes on in the next packet.",
    "The chunk ends in this packet.",
  ]);
  read.field(
    "restart count",
    "Restart count",
    14,
    (n) =>
      n === 0x3fff
        ? "Not told: packets are not cut at restart markers."
        : "Position of the chunk in the frame.",
  );
  return read.section("Restart marker header", "RFC 2435 s3.1.7");
}

/** @param {FieldReader} read */
function tables(read) {
  read.field("MBZ", "Must be zero", 8, (v) => v === 0 ? "As it must be." : "Should be zero.");
  const precision = read.field(
    "precision",
    "Precision",
    8,
    () => "One bit a table: 0 for numbers of 8 bits, 1 for 16 bits.",
  );
  const length = read.field(
    "length",
    "Length",
    16,
    (n) =>
      n === 0
        ? "No tables here: use those that came before for this Q."
        : `${n} octets of tables follow.`,
  );
  const sections = [read.section("Quantization table header", "RFC 2435 s3.1.8")];
  if (length === 0) return sections;
  const octets = read.octets(
    "quantization tables",
    "Quantization tables",
    length,
    "By what each frequency was divided, in zigzag order: large numbers save octets and cost sharpness.",
  );
  sections.push(read.section("Quantization tables", "T.81 B.2.4.1", {
    isText: true,
    matrices: matricesOf(octets, precision),
  }));
  return sections;
}

/** @param {Uint8Array} octets @param {number} precision */
function matricesOf(octets, precision) {
  const matrices = [];
  let at = 0;
  for (let table = 0; table < 4; table++) {
    const width = (precision >> table) & 1 ? 2 : 1;
    if (at + 64 * width > octets.length) break;
    const values = new Array(64);
    for (let i = 0; i < 64; i++) {
      const place = at + i * width;
      values[ZIGZAG[i]] = width === 2 ? octets[place] * 256 + octets[place + 1] : octets[place];
    }
    matrices.push({ title: ["Luminance", "Chrominance"][table] ?? `Table ${table}`, values });
    at += 64 * width;
  }
  return matrices;
}

/** Where the i-th number of the zigzag stands in the square, row by row (T.81 figure A.6). */
export const ZIGZAG = [
  0,
  1,
  8,
  16,
  9,
  2,
  3,
  10,
  17,
  24,
  32,
  25,
  18,
  11,
  4,
  5,
  12,
  19,
  26,
  33,
  40,
  48,
  41,
  34,
  27,
  20,
  13,
  6,
  7,
  14,
  21,
  28,
  35,
  42,
  49,
  56,
  57,
  50,
  43,
  36,
  29,
  22,
  15,
  23,
  30,
  37,
  44,
  51,
  58,
  59,
  52,
  45,
  38,
  31,
  39,
  46,
  53,
  60,
  61,
  54,
  47,
  55,
  62,
  63,
];
