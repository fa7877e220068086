// @ts-check
/// <reference lib="dom" />
// The Frames tab: each frame as a strip of the packets it was made of. It stands still while somebody points at it.
import { element, keepReachable, make, moveByArrows, setText } from "./dom.js";
import { KeyedList } from "./keyed_list.js";
import { counted, formatMs, formatTime, integer } from "./number_format.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolFrame} ProtocolFrame */
/** @typedef {import("../protocol_events.ts").ProtocolFramePacket} FramePacket */

const MAX_ROWS = 40;
/** More packets than these are drawn as runs of the same fate. */
const MAX_SQUARES = 64;

const FATES = {
  received: "came in its order",
  reordered: "came out of order, and in time",
  late: "came when its frame had been given up",
  lost: "never came",
  sent: "was sent",
};

/**
 * Packets side by side with one fate.
 * @typedef {{ packets: readonly FramePacket[], status: FramePacket["status"] }} Run
 */

/** @param {ProtocolStore} store @param {{ showPacket: (id: number) => void }} links */
export function openFrames(store, links) {
  const rows = element("frame-list");
  const holdButton = element("hold-frames");
  let isHeld = false;
  let isPointedAt = false;
  const list = new KeyedList(rows, (/** @type {ProtocolFrame} */ frame) => makeRow(frame, links));
  moveByArrows(rows);
  holdButton.addEventListener("click", hold);
  rows.addEventListener("pointerenter", () => isPointedAt = true);
  rows.addEventListener("pointerleave", () => isPointedAt = false);

  function render() {
    showLegend(store.side);
    if (isHeld || isPointedAt || rows.contains(document.activeElement)) return;
    const frames = [...store.frames.values()].filter((frame) => store.isChosen(frame));
    list.show(frames.slice(-MAX_ROWS).toReversed());
    keepReachable(rows);
    element("no-frames").hidden = frames.length > 0;
  }

  function hold() {
    isHeld = !isHeld;
    holdButton.setAttribute("aria-pressed", String(isHeld));
    render();
  }
  return { render, hold };
}

/** @param {"client" | "server"} side */
function showLegend(side) {
  const legend = element("frame-legend");
  if (legend.dataset.side === side) return;
  legend.dataset.side = side;
  legend.replaceChildren(
    ...(side === "server" ? ["sent"] : ["received", "reordered", "late", "lost"]).map((status) =>
      make("li", "", make("span", `square ${status}`), status)
    ),
  );
}

/** @param {ProtocolFrame} frame @param {{ showPacket: (id: number) => void }} links */
function makeRow(frame, links) {
  const runs = runsOf(frame);
  return make(
    "li",
    `frame ${frame.status}`,
    make("span", "time", formatTime(frame.time)),
    make("b", "", nameOf(frame)),
    make("span", "strip", ...runs.map((run) => makeSquare(run, frame, links))),
    make("span", "quiet-text", factsOf(frame)),
  );
}

/** @param {ProtocolFrame} frame */
function nameOf({ number, status }) {
  if (status === "sent") return "sent";
  return number === null ? "given up" : `frame ${integer.format(number)}`;
}

/** @param {ProtocolFrame} frame */
function factsOf({ packetCount, size, assemblyMs }) {
  return [
    counted(packetCount, "packet"),
    ...(size > 0 ? [`${integer.format(size)} octets`] : []),
    ...(assemblyMs === null ? [] : [`in ${formatMs(assemblyMs)}`]),
  ].join(", ");
}

/** @param {ProtocolFrame} frame @returns {Run[]} */
function runsOf({ packets }) {
  if (packets.length <= MAX_SQUARES) {
    return packets.map((packet) => ({ packets: [packet], status: packet.status }));
  }
  /** @type {{ packets: FramePacket[], status: FramePacket["status"] }[]} */
  const runs = [];
  for (const packet of packets) {
    const last = runs.at(-1);
    if (last?.status === packet.status) last.packets.push(packet);
    else runs.push({ packets: [packet], status: packet.status });
  }
  return runs;
}

/** @param {Run} run @param {ProtocolFrame} frame @param {{ showPacket: (id: number) => void }} links */
function makeSquare({ packets, status }, frame, links) {
  const sentence = sentenceOf(packets, status, frame);
  const button = make("button", `square ${status}`);
  button.type = "button";
  button.tabIndex = -1;
  button.setAttribute("aria-label", sentence);
  if (packets.length > 1) {
    button.classList.add("run");
    button.style.setProperty("--packets", String(packets.length));
    button.textContent = String(packets.length);
  }
  const point = () => setText("pointed", sentence);
  button.addEventListener("pointerenter", point);
  button.addEventListener("focus", point);
  const { packet } = packets[0];
  if (packet !== null) button.addEventListener("click", () => links.showPacket(packet));
  return button;
}

/** @param {readonly FramePacket[]} packets @param {FramePacket["status"]} status @param {ProtocolFrame} frame */
function sentenceOf(packets, status, frame) {
  const first = packets[0].sequenceNumber;
  const last = packets[packets.length - 1].sequenceNumber;
  const name = packets.length === 1 ? `Packet ${first}` : `Packets ${first} to ${last}`;
  const octets = packets.reduce((sum, { size }) => sum + size, 0);
  const size = octets > 0 ? `, ${integer.format(octets)} octets` : "";
  const part = frame.timestamp === null ? "" : ` Frame with timestamp ${frame.timestamp}.`;
  if (status !== "lost") return `${name} ${FATES[status]}${size}.${part}`;
  const came = frame.packets.filter((packet) => packet.status !== "lost").length;
  const cost = frame.status === "dropped"
    ? ` It cost the frame${
      frame.timestamp === null ? "" : ` with timestamp ${frame.timestamp}`
    }: ${came} of ${frame.packetCount} packets came.`
    : "";
  return `${name} never came.${cost}`;
}
