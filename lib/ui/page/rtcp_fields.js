// @ts-check
// RTCP: a compound packet is a row of packets, RFC 3550 s6.
import { FieldReader, hex32, payloadSection } from "./field_reader.js";

/** @typedef {import("./packet_fields.js").Section} Section */

/** @type {Readonly<Record<number, [name: string, rfc: string, meaning: string]>>} */
const TYPES = {
  200: [
    "Sender report",
    "RFC 3550 s6.4.1",
    "SR: what the sender has sent, and which time of day belongs to which timestamp.",
  ],
  201: ["Receiver report", "RFC 3550 s6.4.2", "RR: how well the stream arrives."],
  202: ["Source description", "RFC 3550 s6.5", "SDES: who the sources are."],
  203: ["Goodbye", "RFC 3550 s6.6", "BYE: the source leaves."],
  204: ["Application-defined", "RFC 3550 s6.7", "APP: by private agreement."],
};

/** @type {Readonly<Record<number, string>>} */
const SDES_ITEMS = {
  1: "CNAME: a name that stays when the SSRC changes",
  2: "NAME",
  3: "EMAIL",
  4: "PHONE",
  5: "LOC",
  6: "TOOL: the program",
  7: "NOTE",
  8: "PRIV",
};

/** @param {Uint8Array} bytes @returns {Section[]} */
export function rtcpSections(bytes) {
  const sections = [];
  const read = new FieldReader(bytes, 0);
  while (read.has(32) && sections.length < 64) {
    const end = Math.min(
      bytes.length,
      read.octet + 4 * (bytes[read.octet + 2] * 256 + bytes[read.octet + 3] + 1),
    );
    const type = bytes[read.octet + 1];
    const [name, rfc] = TYPES[type] ?? [`Type ${type}`, "RFC 3550 s6.1", ""];
    const count = header(read, type);
    body(read, type, count, end);
    sections.push(read.section(name, rfc));
  }
  if (read.octet < bytes.length) {
    sections.push(payloadSection("Octets left over", "RFC 3550 s6.1", read.octet, bytes.length));
  }
  return sections;
}

/** @param {FieldReader} read @param {number} type */
function header(read, type) {
  read.field("V", "Version", 2, (v) => v === 2 ? "The version in use everywhere." : "Must be 2.");
  read.flag("P", "Padding", ["Nothing was added at the end.", "Octets were added at the end."]);
  const [name, title] = type === 202 || type === 203
    ? ["SC", "Source count"]
    : type === 204
    ? ["subtype", "Subtype"]
    : ["RC", "Report count"];
  const count = read.field(
    name,
    title,
    5,
    (n) =>
      type === 204
        ? "By private agreement."
        : type === 202 || type === 203
        ? `${n} sources.`
        : `${n} report blocks.`,
  );
  read.field("PT", "Packet type", 8, (value) => TYPES[value]?.[2] ?? "Not defined by RFC 3550.");
  read.field("length", "Length", 16, (n) => `${(n + 1) * 4} octets: words of 32 bits, less one.`);
  return count;
}

/** @param {FieldReader} read @param {number} type @param {number} count @param {number} end */
function body(read, type, count, end) {
  if (type === 200 || type === 201) {
    read.field("SSRC", "Source of this report", 32, () => "Who reports.", hex32);
    if (type === 200) senderInfo(read);
    for (let i = 0; i < count && read.octet + 24 <= end; i++) reportBlock(read);
  } else if (type === 202) {
    for (let i = 0; i < count && read.octet + 4 <= end; i++) chunk(read, end);
  } else if (type === 203) {
    for (let i = 0; i < count && read.octet + 4 <= end; i++) {
      read.field("SSRC", "Source that leaves", 32, () => "It sends no more.", hex32);
    }
  } else if (type === 204) {
    read.field("SSRC", "Source", 32, () => "Who sends.", hex32);
  }
  if (read.octet < end) read.octets("rest", "Rest of this packet", end - read.octet, "");
}

/** @param {FieldReader} read */
function senderInfo(read) {
  read.field("NTP, seconds", "NTP timestamp, seconds", 32, (value) => timeOfDay(value));
  read.field(
    "NTP, fraction",
    "NTP timestamp, fraction",
    32,
    (value) => `${(value / 2 ** 32).toFixed(6)} seconds.`,
  );
  read.field(
    "RTP timestamp",
    "RTP timestamp",
    32,
    () => "The same moment in the stream's clock: so sound and picture find together.",
  );
  read.field("packets sent", "Sender's packet count", 32, () => "Since the source began.");
  read.field(
    "octets sent",
    "Sender's octet count",
    32,
    () => "Of payload, since the source began.",
  );
}

/** @param {number} seconds since 1900 */
function timeOfDay(seconds) {
  const date = new Date((seconds - 2_208_988_800) * 1000);
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC.`;
}

/** @param {FieldReader} read */
function reportBlock(read) {
  read.field("SSRC", "Source reported on", 32, () => "Whose packets this block is about.", hex32);
  read.field(
    "lost",
    "Fraction lost",
    8,
    (n) => `${(n / 2.56).toFixed(1)} % since the last report (${n}/256).`,
  );
  read.field(
    "cumulative lost",
    "Cumulative number of packets lost",
    24,
    () => "Since the beginning; duplicates count against it, so it may be negative.",
    (n) => String(n << 8 >> 8),
  );
  read.field(
    "highest sequence number",
    "Extended highest sequence number",
    32,
    (n) => `Number ${n & 0xffff} in round ${Math.floor(n / 65536)}.`,
  );
  read.field(
    "jitter",
    "Interarrival jitter",
    32,
    (n) => `${(n / 90).toFixed(1)} ms if the clock has 90,000 ticks a second.`,
  );
  read.field(
    "last SR",
    "Last SR timestamp",
    32,
    (n) =>
      n === 0
        ? "No sender report has come yet."
        : "The middle of the NTP timestamp of the last sender report.",
    hex32,
  );
  read.field(
    "delay since last SR",
    "Delay since last SR",
    32,
    (n) => `${(n / 65.536).toFixed(1)} ms: with it the sender works out the round trip.`,
  );
}

/** @param {FieldReader} read @param {number} end */
function chunk(read, end) {
  const start = read.octet;
  read.field("SSRC", "Source described", 32, () => "Who is described.", hex32);
  while (read.octet + 2 <= end) {
    if (read.peek() === 0) break; // the end of the chunk
    read.field(
      "item",
      "SDES item",
      8,
      (type) => `${SDES_ITEMS[type] ?? "Not defined by RFC 3550"}.`,
    );
    const length = read.field("length", "Length of the text", 8, () => "In octets.");
    const text = read.text(Math.min(length, end - read.octet));
    read.octets("text", "Text", Math.min(length, end - read.octet), "In UTF-8.", text);
  }
  const padding = 4 - (read.octet - start) % 4;
  if (read.octet < end) {
    read.octets(
      "end",
      "End of the chunk",
      Math.min(padding, end - read.octet),
      "Zeros up to the next word.",
    );
  }
}
