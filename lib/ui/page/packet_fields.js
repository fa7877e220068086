// @ts-check
// Reads RTP, RTP/JPEG and RTCP for a person: every field with its place, value, meaning and section. It judges nothing
// and never throws: what is cut off or odd is shown as far as it goes.
import { rtcpSections } from "./rtcp_fields.js";
import { jpegSections } from "./jpeg_fields.js";
import { labSections } from "./lab_fields.js";
import { FieldReader, hex16, hex32, payloadSection } from "./field_reader.js";

/**
 * One field of a packet.
 * @typedef {object} Field
 * @property {string} name as in the RFC's drawing, short
 * @property {string} title the whole name
 * @property {number} offset bits from the packet's first
 * @property {number} bits
 * @property {string} value
 * @property {string} meaning
 */

/**
 * Fields that belong together and are drawn together.
 * @typedef {object} Section
 * @property {string} title
 * @property {string} rfc
 * @property {number} start octets from the packet's first
 * @property {number} end
 * @property {readonly Field[]} fields
 * @property {boolean} [isText] whether the fields are listed but not drawn as rows of 32 bits
 * @property {readonly { title: string, values: readonly number[] }[]} [matrices] 64 numbers each, row by row
 */

/**
 * @param {{ kind: "rtp" | "rtcp", payload: "jpeg" | "lab" | null, size: number }} packet
 * @param {Uint8Array} bytes the packet, or its beginning
 * @returns {Section[]}
 */
export function dissect(packet, bytes) {
  if (packet.kind === "rtcp") return rtcpSections(bytes);
  const header = rtpHeader(packet, bytes);
  const start = header.section.end;
  if (start >= bytes.length) return [header.section];
  const payload = bytes.subarray(0, bytes.length - header.padding);
  const rest = packet.payload === "jpeg"
    ? jpegSections(payload, start, packet.size - header.padding)
    : packet.payload === "lab"
    ? labSections(payload, start, packet.size - header.padding)
    : [payloadSection("Payload", "RFC 3550 s5.1", start, packet.size - header.padding)];
  if (header.padding > 0) {
    const end = packet.size;
    rest.push(payloadSection("Padding", "RFC 3550 s5.1", end - header.padding, end));
  }
  return [header.section, ...rest];
}

/** @param {{ payload: "jpeg" | "lab" | null, size: number }} packet @param {Uint8Array} bytes */
function rtpHeader(packet, bytes) {
  const read = new FieldReader(bytes, 0);
  const version = read.field(
    "V",
    "Version",
    2,
    (v) =>
      v === 2
        ? "The version of RTP in use everywhere."
        : "Not RTP as RFC 3550 has it: that is version 2.",
  );
  const hasPadding = read.flag("P", "Padding", [
    "Nothing was added at the end.",
    "Octets were added at the end; the last one says how many.",
  ]);
  const hasExtension = read.flag("X", "Extension", [
    "No header extension.",
    "A header extension follows.",
  ]);
  const sources = read.field(
    "CC",
    "CSRC count",
    4,
    (n) =>
      n === 0
        ? "No contributing sources: nobody has mixed this stream."
        : `${n} contributing sources follow.`,
  );
  read.flag("M", "Marker", markerMeanings(packet.payload));
  read.field("PT", "Payload type", 7, payloadTypeMeaning);
  read.field(
    "sequence number",
    "Sequence number",
    16,
    () =>
      "Rises by one with each packet, and starts over after 65,535. A gap is a packet that is missing.",
  );
  read.field(
    "timestamp",
    "Timestamp",
    32,
    () =>
      packet.payload === "lab"
        ? "When the frame is due. The lab's programs put in what they like, often seconds."
        : "When the frame is due, in ticks of the stream's clock (90,000 a second for video). All packets of a frame share it.",
  );
  read.field(
    "SSRC",
    "Synchronization source",
    32,
    () => "Who sends: a number chosen at random, the same for the whole stream.",
    hex32,
  );
  for (let i = 0; i < sources; i++) {
    read.field(
      "CSRC",
      `Contributing source ${i + 1}`,
      32,
      () => "One of the mixed sources.",
      hex32,
    );
  }
  if (hasExtension) {
    read.field(
      "defined by profile",
      "Extension profile",
      16,
      () => "What the extension is, by private agreement.",
      hex16,
    );
    const words = read.field(
      "length",
      "Extension length",
      16,
      (n) => `${n} words of 32 bits follow.`,
    );
    read.octets("header extension", "Header extension", words * 4, "By private agreement.");
  }
  const padding = hasPadding && version === 2 && bytes.length === packet.size
    ? bytes[bytes.length - 1]
    : 0;
  const section = read.section("RTP header", "RFC 3550 s5.1");
  return { section, padding: padding <= packet.size - section.end ? padding : 0 };
}

/** @param {"jpeg" | "lab" | null} payload @returns {[string, string]} */
function markerMeanings(payload) {
  if (payload === "jpeg") {
    return ["More packets of this frame follow.", "The last packet of a frame (RFC 2435 s3)."];
  }
  if (payload === "lab") {
    return [
      "The lab's server leaves it off; each packet is a whole frame.",
      "The frame ends here, as every lab packet's does.",
    ];
  }
  return ["Nothing special.", "A border between frames; the profile says which."];
}

/** @param {number} type */
function payloadTypeMeaning(type) {
  if (type === 26) return "JPEG (RFC 3551 s6).";
  if (type >= 96) return "Dynamic: the description's a=rtpmap says what it is.";
  if (type >= 72 && type <= 76) return "Looks like RTCP; kept free for that (RFC 5761 s4).";
  return "A static payload type (RFC 3551 s6).";
}
