// @ts-check
/// <reference lib="dom" />
// The Packets tab: the newest packets, newest first. The list stands still while somebody looks into it.
import { element, keepReachable, make, makeButton, moveByArrows, setText } from "./dom.js";
import { KeyedList } from "./keyed_list.js";
import { formatTime, integer } from "./number_format.js";
import { showPacketDetail } from "./packet_detail.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolPacket} ProtocolPacket */

/** Rows on the screen. However many packets come, the page does the same work. */
const MAX_ROWS = 60;

/** @param {ProtocolStore} store */
export function openPackets(store) {
  const rows = element("packet-list");
  const kind = /** @type {HTMLSelectElement} */ (element("packet-kind"));
  const holdButton = element("hold-packets");
  let isHeld = false;
  /** @type {number | undefined} */
  let chosenId;
  const list = new KeyedList(
    rows,
    (/** @type {ProtocolPacket} */ packet) => makeRow(packet, () => choose(packet.id)),
  );
  moveByArrows(rows);
  kind.addEventListener("change", () => render(true));
  holdButton.addEventListener("click", hold);

  /** @param {boolean} [isForced] */
  function render(isForced = false) {
    showCounts(store);
    if (isHeld && !isForced) return;
    list.show(newestPackets(store, kind.value));
    keepReachable(rows);
    markChosen();
  }

  function hold() {
    isHeld = !isHeld;
    holdButton.setAttribute("aria-pressed", String(isHeld));
    render();
  }

  /** @param {number} id */
  function choose(id) {
    chosenId = id;
    if (!isHeld) hold();
    markChosen();
    const packet = store.rtp.get(id) ?? store.rtcp.get(id);
    if (packet) showPacketDetail(element("packet-detail"), packet, frameOf(store, packet));
    else {
      const gone = "This packet is not among those the page was told: they were too many.";
      element("packet-detail").replaceChildren(make("p", "note", gone));
    }
  }

  function markChosen() {
    for (const marked of rows.querySelectorAll("[aria-current]")) {
      marked.removeAttribute("aria-current");
    }
    if (chosenId !== undefined) {
      list.rowOf(chosenId)?.querySelector("button")?.setAttribute("aria-current", "true");
    }
  }
  return { render, choose, hold };
}

/** @param {ProtocolStore} store @param {string} kind */
function newestPackets(store, kind) {
  const packets = [
    ...(kind === "rtcp" ? [] : [...store.rtp.values()].slice(-MAX_ROWS)),
    ...(kind === "rtp" ? [] : [...store.rtcp.values()].slice(-MAX_ROWS)),
  ];
  return packets.filter((packet) => store.isChosen(packet)).sort((a, b) => b.id - a.id).slice(
    0,
    MAX_ROWS,
  );
}

/** @param {ProtocolStore} store */
function showCounts({ totals }) {
  setText(
    "packet-counts",
    totals.packets === 0 ? "No packet yet." : `${integer.format(totals.packets)} packets so far` +
      (totals.packetsSkipped > 0
        ? `; ${integer.format(totals.packetsSkipped)} of them were too many to list.`
        : "."),
  );
}

/** @param {ProtocolStore} store @param {ProtocolPacket} packet */
function frameOf(store, packet) {
  return [...store.frames.values()].findLast((frame) =>
    frame.packets.some((part) => part.packet === packet.id)
  );
}

/** @param {ProtocolPacket} packet @param {() => void} choose */
function makeRow(packet, choose) {
  const { kind, sequenceNumber, timestamp, marker, size } = packet;
  const button = makeButton(
    `packet-row ${kind}`,
    choose,
    make("span", "time", formatTime(packet.time)),
    make(
      "span",
      "",
      kind.toUpperCase(),
      make("span", "quiet-text", packet.direction === "in" ? " in" : " out"),
    ),
    make(
      "span",
      "",
      sequenceNumber === null ? "–" : String(sequenceNumber),
      marker ? make("b", "marker", "M") : "",
    ),
    make("span", "", timestamp === null ? "–" : String(timestamp)),
    make("span", "", integer.format(size)),
  );
  button.tabIndex = -1;
  return make("li", "", button);
}
