// @ts-check
/// <reference lib="dom" />
// One packet: its headers drawn as the RFC draws them, each field with value and meaning, and the octets in the same
// colours.
import { bytesOf, make, makeButton, makeFact } from "./dom.js";
import { counted, formatTime, integer } from "./number_format.js";
import { dissect } from "./packet_fields.js";

/** @typedef {import("./protocol.js").ProtocolPacket} ProtocolPacket */
/** @typedef {import("./protocol.js").ProtocolFrame} ProtocolFrame */
/** @typedef {import("./packet_fields.js").Section} Section */
/** @typedef {import("./packet_fields.js").Field} Field */

/** Colours there are; neighbours never share one. */
const COLOURS = 6;
/** Octets shown in hex at first. */
const FIRST_OCTETS = 128;
const POINT_HERE = "Point at a field, or at an octet.";

/** @param {HTMLElement} target @param {ProtocolPacket} packet @param {ProtocolFrame | undefined} frame */
export function showPacketDetail(target, packet, frame) {
  const bytes = bytesOf(packet.bytes);
  const sections = dissect(packet, bytes);
  const colours = coloursOf(sections);
  const title = packet.kind === "rtcp"
    ? "RTCP packet"
    : `RTP packet ${packet.sequenceNumber ?? ""}`;
  target.replaceChildren(
    make("h2", "", title),
    makeFacts(packet, frame),
    ...sections.filter(({ isText }) => !isText).map((section) => makeDrawing(section, colours)),
    make("p", "pointed", POINT_HERE),
    ...makeHex(bytes, packet, sections, colours),
    ...sections.map((section) => makeSection(section, colours)),
  );
  target.scrollTop = 0;
  linkByPointing(target);
}

/** @param {ProtocolPacket} packet @param {ProtocolFrame | undefined} frame */
function makeFacts(packet, frame) {
  const carrier = packet.transport === "udp" ? "UDP" : `TCP, channel ${packet.channel}`;
  const facts = make(
    "dl",
    "facts-list",
    makeFact("Time", formatTime(packet.time)),
    makeFact("From", packet.source),
    makeFact("To", packet.destination),
    makeFact("Carried by", carrier),
    makeFact("Octets", integer.format(packet.size)),
  );
  if (frame) {
    const place = frame.packets.findIndex(({ packet: id }) => id === packet.id) + 1;
    const name = frame.number === null
      ? "a frame that was given up"
      : `frame ${integer.format(frame.number)}`;
    facts.append(makeFact("Part of", `${name}: packet ${place} of ${frame.packetCount}`));
  }
  return facts;
}

/**
 * A colour for each field; fields that share an octet share it, so that the octets can have it too.
 * @param {readonly Section[]} sections @returns {Map<Field, number>}
 */
function coloursOf(sections) {
  const colours = new Map();
  let colour = -1;
  let octet = -1;
  for (const field of sections.flatMap(({ fields }) => fields)) {
    const first = field.offset >> 3;
    if (first > octet) colour = (colour + 1) % COLOURS;
    octet = Math.max(octet, (field.offset + field.bits - 1) >> 3);
    colours.set(field, colour);
  }
  return colours;
}

/** As the RFC draws it; the tables below say the same in words. @param {Section} section @param {Map<Field, number>} colours */
function makeDrawing({ title, fields }, colours) {
  const marks = ["0", "8", "16", "24", "31"].map((bit) => make("span", "", bit));
  const drawing = make(
    "div",
    "drawn",
    make("p", "drawn-title", title),
    make("div", "ruler", ...marks),
    makeRows(fields, colours),
  );
  drawing.setAttribute("aria-hidden", "true");
  return drawing;
}

/** @param {Section} section @param {Map<Field, number>} colours */
function makeSection({ title, rfc, fields, matrices = [] }, colours) {
  return make(
    "section",
    "fields",
    make("h3", "", title, " ", make("span", "rfc", rfc)),
    makeTable(fields, colours),
    ...matrices.map(makeMatrix),
  );
}

/** The rows of 32 bits. @param {readonly Field[]} fields @param {Map<Field, number>} colours */
function makeRows(fields, colours) {
  const rows = make("div", "bit-rows");
  for (const field of fields) {
    for (const [i, bits] of piecesOf(field).entries()) {
      const isFlag = field.bits <= 3;
      const cell = make(
        "span",
        `bits c${colours.get(field)}${isFlag ? " narrow" : ""}`,
        make("small", "", i === 0 ? field.name : "…"),
        make("b", "", i === 0 ? field.value : ""),
      );
      cell.style.setProperty("--bits", String(bits));
      mark(cell, field);
      rows.append(cell);
    }
  }
  return rows;
}

/**
 * How a field falls on the rows: its bits in each. However many rows it fills, they are drawn as one.
 * @param {Field} field
 */
function piecesOf({ offset, bits }) {
  const room = 32 - offset % 32;
  if (bits <= room) return [bits];
  const rest = bits - (room % 32);
  return [room % 32, rest >= 32 ? 32 : 0, rest % 32].filter((piece) => piece > 0);
}

/** @param {readonly Field[]} fields @param {Map<Field, number>} colours */
function makeTable(fields, colours) {
  const rows = fields.map((field) => {
    const row = make(
      "tr",
      "",
      make("th", "", make("span", `swatch c${colours.get(field)}`), field.title),
      make("td", "value", field.value),
      make(
        "td",
        "bit-count",
        field.bits % 8 === 0 && field.bits > 32
          ? counted(field.bits / 8, "octet")
          : counted(field.bits, "bit"),
      ),
      make("td", "", field.meaning),
    );
    row.querySelector("th")?.setAttribute("scope", "row");
    mark(row, field);
    return row;
  });
  const heads = ["Field", "Value", "Size", "Meaning"].map((text) => {
    const head = make("th", "", text);
    head.scope = "col";
    return head;
  });
  return make(
    "table",
    "field-table",
    make("thead", "", make("tr", "", ...heads)),
    make("tbody", "", ...rows),
  );
}

/** @param {{ title: string, values: readonly number[] }} matrix */
function makeMatrix({ title, values }) {
  const rows = Array.from(
    { length: 8 },
    (_, y) =>
      make(
        "tr",
        "",
        ...values.slice(8 * y, 8 * y + 8).map((value) => make("td", "", String(value))),
      ),
  );
  return make("table", "matrix", make("caption", "", title), make("tbody", "", ...rows));
}

/**
 * The octets in hexadecimal.
 * @param {Uint8Array} bytes @param {ProtocolPacket} packet
 * @param {readonly Section[]} sections @param {Map<Field, number>} colours
 */
function makeHex(bytes, packet, sections, colours) {
  const fields = sections.flatMap((section) => section.fields);
  const dump = make("div", "hex");
  dump.append(...hexRuns(bytes.subarray(0, FIRST_OCTETS), 0, fields, colours));
  const title = make("h3", "", "Octets");
  if (packet.size <= FIRST_OCTETS) return [title, dump];
  const more = makeButton("small", async () => {
    more.remove();
    const all = bytes.length === packet.size ? bytes : await fetchPacket(packet.id) ?? bytes;
    dump.append(...hexRuns(all.subarray(FIRST_OCTETS), FIRST_OCTETS, fields, colours));
  }, `Show all ${integer.format(packet.size)} octets`);
  return [title, dump, more];
}

/** @param {number} id */
async function fetchPacket(id) {
  try {
    const response = await fetch(`/protocol/packet?id=${id}`);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
  } catch {
    return undefined; // no longer kept, or rtsp-client is gone
  }
}

/**
 * One element for each run of octets of one field.
 * @param {Uint8Array} bytes @param {number} start @param {readonly Field[]} fields @param {Map<Field, number>} colours
 */
function hexRuns(bytes, start, fields, colours) {
  /** @type {HTMLElement[]} */
  const runs = [];
  /** @type {Field | undefined} */
  let shown;
  let text = "";
  const close = () => {
    if (!text) return;
    const run = make("span", shown ? `c${colours.get(shown)}` : "", text);
    if (shown) mark(run, shown);
    runs.push(run);
    text = "";
  };
  for (let i = 0; i < bytes.length; i++) {
    const bit = (start + i) * 8;
    const field = shown && bit >= shown.offset && bit < shown.offset + shown.bits
      ? shown
      : fields.find(({ offset, bits }) => bit + 8 > offset && bit < offset + bits);
    if (field !== shown) close();
    shown = field;
    text += `${bytes[i].toString(16).padStart(2, "0")} `;
  }
  close();
  return runs;
}

/** @param {HTMLElement} part @param {Field} field */
function mark(part, field) {
  part.dataset.first = String(field.offset >> 3);
  part.dataset.last = String((field.offset + field.bits - 1) >> 3);
  part.dataset.bit = String(field.offset);
  part.dataset.says = `${field.title}: ${field.value}. ${field.meaning}`;
}

/** Pointing at a field lights it everywhere: in the drawing, in the table, in the octets. @param {HTMLElement} target */
function linkByPointing(target) {
  target.onpointerover = (event) => {
    const part = event.target instanceof Element ? event.target.closest("[data-bit]") : null;
    const { first = "", last = "", bit = "" } = part instanceof HTMLElement ? part.dataset : {};
    const words = target.querySelector(".pointed");
    if (words) {
      words.textContent = part instanceof HTMLElement ? part.dataset.says ?? "" : POINT_HERE;
    }
    const isOctet = part?.parentElement?.classList.contains("hex") ?? false;
    for (
      const other of /** @type {NodeListOf<HTMLElement>} */ (target.querySelectorAll("[data-bit]"))
    ) {
      const isInHex = isOctet || other.parentElement?.classList.contains("hex");
      const isSame = part !== null &&
        (isInHex
          ? Number(other.dataset.first) <= Number(last) &&
            Number(other.dataset.last) >= Number(first)
          : other.dataset.bit === bit);
      other.classList.toggle("pointed-at", isSame);
    }
  };
}
