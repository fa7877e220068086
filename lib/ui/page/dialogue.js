// @ts-check
/// <reference lib="dom" />
// The Dialogue tab: every request and response as an arrow between the two who talk, oldest first.
import { element, keepReachable, make, makeButton, moveByArrows, setText } from "./dom.js";
import { KeyedList } from "./keyed_list.js";
import { showMessageDetail } from "./message_detail.js";
import { counted, formatMs, formatTime } from "./number_format.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolMessage} ProtocolMessage */

/** Arrows on the screen at a time; older ones are in the export. */
const MAX_ROWS = 300;

/** @param {ProtocolStore} store */
export function openDialogue(store) {
  const ladder = element("ladder");
  /** @type {number | undefined} */
  let chosenId;
  /** @type {ProtocolMessage | undefined} */
  let shown;
  const list = new KeyedList(
    ladder,
    (/** @type {ProtocolMessage} */ message) => makeRow(message, store, () => choose(message.id)),
  );
  moveByArrows(ladder);

  function render() {
    const messages = [...store.messages.values()].filter((entry) => store.isChosen(entry));
    const wasAtEnd = ladder.scrollTop + ladder.clientHeight >= ladder.scrollHeight - 8;
    const hasChanged = list.show(messages.slice(-MAX_ROWS));
    element("no-messages").hidden = messages.length > 0;
    showEnds(store);
    if (chosenId !== undefined) markChosen(chosenId);
    if (hasChanged) keepReachable(ladder);
    if (hasChanged && wasAtEnd) ladder.scrollTop = ladder.scrollHeight;
    const newest = chosenId === undefined ? undefined : store.messages.get(chosenId);
    if (newest && newest !== shown) showDetail(newest);
  }

  /** @param {number} id */
  function choose(id) {
    chosenId = id;
    render();
    markChosen(id);
    list.rowOf(id)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} id */
  function markChosen(id) {
    const button = list.rowOf(id)?.querySelector("button");
    for (const marked of ladder.querySelectorAll("[aria-current]")) {
      if (marked !== button) marked.removeAttribute("aria-current");
    }
    button?.setAttribute("aria-current", "true");
  }

  /** @param {ProtocolMessage} message */
  function showDetail(message) {
    shown = message;
    const all = [...store.messages.values()];
    const partner = message.kind === "response"
      ? all.find(({ id }) => id === message.requestId)
      : all.find(({ requestId }) => requestId === message.id);
    showMessageDetail(element("message-detail"), message, { partner, choose });
  }
  return { render, choose };
}

/** @param {ProtocolStore} store */
function showEnds(store) {
  const connection = [...store.connections.values()].at(-1);
  const isClient = store.side === "client";
  const client = isClient ? connection?.local : connection?.remote;
  const server = isClient ? connection?.remote : connection?.local;
  setText("left-end", `Client ${client ?? ""}`);
  setText("right-end", `Server ${server ?? ""}`);
}

/** @param {ProtocolMessage} message @param {ProtocolStore} store @param {() => void} choose */
function makeRow(message, store, choose) {
  const { direction, kind, statusCode, oddities, roundTripMs, cseq } = message;
  const isToServer = (store.side === "client") === (direction === "out");
  const isRefusal = (statusCode ?? 0) >= 400;
  const facts = make(
    "span",
    "facts-line",
    ...(cseq === null ? [] : [make("span", "", `CSeq ${cseq}`)]),
    ...(message.sessionId === null ? [] : [make("span", "id", `Session ${message.sessionId}`)]),
    ...(roundTripMs === null ? [] : [make("span", "", `after ${formatMs(roundTripMs)}`)]),
    ...(message.isAutomatic ? [make("span", "", "by itself")] : []),
    ...makeFlags(oddities),
  );
  const way = isToServer ? "to server" : "to client";
  const button = makeButton(
    `rung ${isToServer ? "to-server" : "to-client"} ${kind}${isRefusal ? " refusal" : ""}`,
    choose,
    make("span", "time", formatTime(message.time)),
    make(
      "span",
      "lane",
      make("span", "label", ...labelOf(message)),
      make("span", "arrow-line"),
      make("span", "spoken", `, ${way}, `),
      facts,
    ),
  );
  button.tabIndex = -1;
  return make("li", "", button);
}

/** One flag for each severity. @param {ProtocolMessage["oddities"]} oddities */
function makeFlags(oddities) {
  return ["error", "warning", "note"].flatMap((severity) => {
    const count = oddities.filter((oddity) => oddity.severity === severity).length;
    return count === 0
      ? []
      : [make("span", `flag ${severity}`, count > 1 ? counted(count, severity) : severity)];
  });
}

/** @param {ProtocolMessage} message */
function labelOf({ kind, method, uri, statusCode, reasonPhrase, size }) {
  if (kind === "unreadable") return [make("b", "", "Unreadable"), ` ${size} octets`];
  if (kind === "request") return [make("b", "", method ?? "?"), ` ${uri ?? ""}`];
  return [make("b", "", String(statusCode ?? "?")), ` ${reasonPhrase ?? ""}`];
}
