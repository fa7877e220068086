// @ts-check
/// <reference lib="dom" />
// One message: its exact octets, line by line with the ends of the lines visible, and what each line means.
import { bytesOf, make, makeButton, makeFact } from "./dom.js";
import { formatMs, formatTime, integer } from "./number_format.js";
import {
  explainHeader,
  explainMethod,
  explainParameters,
  explainSdpLine,
  explainStatus,
} from "./rtsp_words.js";

/** @typedef {import("./protocol.js").ProtocolMessage} ProtocolMessage */
/** @typedef {import("./rtsp_words.js").Explanation} Explanation */

/**
 * @param {HTMLElement} target
 * @param {ProtocolMessage} message
 * @param {{ partner?: ProtocolMessage, choose: (id: number) => void }} links
 */
export function showMessageDetail(target, message, links) {
  const bytes = bytesOf(message.bytes);
  target.replaceChildren(
    make("h2", "", titleOf(message)),
    makeFacts(message, links),
    ...makeOddities(message),
    makeWire(message, bytes),
    make(
      "p",
      "note",
      "CR (octet 13) and LF (octet 10) are shown where they are on the wire.",
      message.isMasked ? " What would let somebody in is overwritten with *." : "",
      bytes.length < message.size
        ? ` The first ${integer.format(bytes.length)} of ${integer.format(message.size)} octets.`
        : "",
    ),
  );
  target.scrollTop = 0;
}

/** @param {ProtocolMessage} message */
function titleOf({ kind, method, statusCode, reasonPhrase }) {
  if (kind === "request") return `${method ?? "?"} request`;
  if (kind === "response") {
    return `${statusCode ?? "?"} ${reasonPhrase ?? ""}${method ? `, the answer to ${method}` : ""}`;
  }
  return "Not a message";
}

/** @param {ProtocolMessage} message @param {{ partner?: ProtocolMessage, choose: (id: number) => void }} links */
function makeFacts(message, { partner, choose }) {
  const facts = make(
    "dl",
    "facts-list",
    makeFact("Time", formatTime(message.time)),
    makeFact("Direction", message.direction === "out" ? "sent" : "received"),
    makeFact("Octets", integer.format(message.size)),
    makeFact("CSeq", message.cseq ?? "none"),
    makeFact("Session", message.sessionId ?? "none"),
    makeFact("Written in", message.dialect === "lab" ? "the lab's form" : "RTSP 1.0"),
  );
  if (message.roundTripMs !== null) {
    facts.append(makeFact("Round trip", formatMs(message.roundTripMs)));
  }
  if (partner) {
    const word = partner.kind === "response" ? "Answer" : "Request";
    const label = partner.kind === "response"
      ? `${partner.statusCode} ${partner.reasonPhrase}`
      : `${partner.method}`;
    facts.append(makeFact(word, makeButton("link", () => choose(partner.id), label)));
  }
  return facts;
}

/** @param {ProtocolMessage} message */
function makeOddities({ oddities }) {
  if (oddities.length === 0) return [];
  return [make(
    "ul",
    "oddities",
    ...oddities.map(({ severity, text, rfc }) =>
      make("li", severity, make("b", "", `${severity}: `), text, " ", make("span", "rfc", rfc))
    ),
  )];
}

/** @param {ProtocolMessage} message @param {Uint8Array} bytes */
function makeWire(message, bytes) {
  const head = bytes.subarray(0, message.bodyOffset);
  const body = bytes.subarray(message.bodyOffset);
  const lines = linesOf(head).map((line, i) =>
    makeLine(line, explainHeadLine(message, line.text, i))
  );
  if (body.length === 0) return make("ol", "wire", ...lines);
  const isText = isReadable(body);
  const bodyLines = isText
    ? linesOf(body).map((line) => makeLine(line, asList(explainSdpLine(line.text)), "body"))
    : [make("li", "body", make("code", "", hexOf(body.subarray(0, 512))))];
  return make("ol", "wire", ...lines, ...bodyLines);
}

/**
 * @typedef {{ text: string, end: "\r\n" | "\n" | "" }} Line
 * @param {Uint8Array} bytes
 * @returns {Line[]}
 */
function linesOf(bytes) {
  /** @type {Line[]} */
  const lines = [];
  let start = 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(10, start);
    const stop = feed < 0 ? bytes.length : feed;
    const hasReturn = feed > start && bytes[feed - 1] === 13;
    const end = feed < 0 ? "" : hasReturn ? "\r\n" : "\n";
    lines.push({ text: textOf(bytes.subarray(start, hasReturn ? stop - 1 : stop)), end });
    start = feed < 0 ? bytes.length : feed + 1;
  }
  return lines;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}

/** @param {Line} line @param {readonly Explanation[]} explanations @param {string} [className] */
function makeLine({ text, end }, explanations, className) {
  const lineEnd = make(
    "span",
    "line-end",
    ...{ "\r\n": ["CR", "LF"], "\n": ["LF"], "": [] }[end].map((name) => make("span", "", name)),
  );
  return make(
    "li",
    className,
    make("code", "", ...visible(text), lineEnd),
    make(
      "div",
      "means",
      ...explanations.map(([meaning, rfc]) =>
        make("p", "", meaning, " ", make("span", "rfc", rfc))
      ),
      ...makeParameters(text),
    ),
  );
}

/** What the parameters of a header mean. @param {string} line */
function makeParameters(line) {
  const colon = line.indexOf(":");
  const parameters = colon < 0
    ? []
    : explainParameters(line.slice(0, colon), line.slice(colon + 1));
  if (parameters.length === 0) return [];
  return [make(
    "dl",
    "",
    ...parameters.map(([name, [meaning, rfc]]) =>
      make("div", "", make("dt", "", name), make("dd", "", meaning, " ", make("span", "rfc", rfc)))
    ),
  )];
}

/**
 * Text with its control characters visible.
 * @param {string} text @returns {(string | Node)[]}
 */
function visible(text) {
  // deno-lint-ignore no-control-regex -- these are what is looked for
  return text.split(/([\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069])/).map(
    (part, i) => {
      if (i % 2 === 0) return part;
      const code = part.charCodeAt(0);
      const name = code < 32
        ? String.fromCharCode(0x2400 + code)
        : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      return make("span", "odd", name);
    },
  );
}

/** @param {ProtocolMessage} message @param {string} text @param {number} index @returns {readonly Explanation[]} */
function explainHeadLine(message, text, index) {
  if (index === 0) return explainFirstLine(message);
  if (text === "") return [["The empty line ends the head.", "RFC 2326 s4"]];
  const colon = text.indexOf(":");
  if (colon < 0) return [];
  const name = text.slice(0, colon);
  return asList(explainHeader(name) ?? ["Not a header of RFC 2326.", "RFC 2326 s12"]);
}

/** @param {ProtocolMessage} message @returns {readonly Explanation[]} */
function explainFirstLine({ kind, method, statusCode }) {
  if (kind === "request") {
    return asList(explainMethod(method ?? "") ?? ["Not a method of RFC 2326.", "RFC 2326 s10"]);
  }
  return statusCode === null ? [] : asList(explainStatus(statusCode));
}

/** @param {Explanation | undefined} explanation @returns {readonly Explanation[]} */
function asList(explanation) {
  return explanation ? [explanation] : [];
}

/** @param {Uint8Array} bytes */
function isReadable(bytes) {
  return bytes.every((octet) => octet >= 32 || octet === 9 || octet === 10 || octet === 13);
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join(" ");
}
