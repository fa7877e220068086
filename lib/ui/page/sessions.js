// @ts-check
/// <reference lib="dom" />
// The sessions: on a server a table of them, and on both sides the choice of the one to look at.
import { element, make, makeButton } from "./dom.js";
import { KeyedList } from "./keyed_list.js";
import { formatMs, formatRate, formatTime, integer, oneDecimal } from "./number_format.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolSession} ProtocolSession */

/** @param {ProtocolStore} store @param {{ showDialogue: () => void }} links */
export function openSessions(store, links) {
  const choice = /** @type {HTMLSelectElement} */ (element("session"));
  let offered = "";
  const rows = new KeyedList(
    element("session-rows"),
    (/** @type {ProtocolSession} */ session) =>
      makeRow(session, () => {
        store.choose(session.id);
        links.showDialogue();
      }),
  );
  choice.addEventListener(
    "change",
    () => store.choose(choice.value === "" ? null : Number(choice.value)),
  );
  store.onNews(offerSessions);

  function offerSessions() {
    const sessions = [...store.sessions.values()];
    const names = sessions.map(({ id, remote }) => `${id}: ${remote}`);
    element("session-choice").hidden = sessions.length < 2;
    if (names.join() !== offered) {
      offered = names.join();
      const options = sessions.map(({ id }, i) => {
        const option = make("option", "", names[i]);
        option.value = String(id);
        return option;
      });
      const all = make("option", "", "all");
      all.value = "";
      choice.replaceChildren(all, ...options);
    }
    choice.value = String(store.chosenSession ?? "");
    followInExports(store.chosenSession);
  }

  function render() {
    if (store.side !== "server") return;
    rows.show([...store.sessions.values()]);
    element("no-sessions").hidden = store.sessions.size > 0;
  }
  return { render };
}

/** Exports are of the chosen session. @param {number | null} session */
function followInExports(session) {
  for (const link of element("export").querySelectorAll("a")) {
    const [path] = (link.getAttribute("href") ?? "").split("?");
    link.setAttribute("href", session === null ? path : `${path}?session=${session}`);
  }
}

/** @param {ProtocolSession} session @param {() => void} choose */
function makeRow(session, choose) {
  const { id, state, remote, url, transport, dialect, sample, beganTime, endedTime, endReason } =
    session;
  const isOver = endedTime !== null;
  const known = (
    /** @type {number | null | undefined} */ value,
    /** @type {(n: number) => string} */ show,
  ) => value === null || value === undefined ? "–" : show(value);
  const cells = [
    make(
      "td",
      "",
      isOver ? `ended${endReason ? `: ${endReason}` : ""}` : make("span", `pill ${state}`, state),
    ),
    make("td", "", remote),
    make("td", "film", url),
    make("td", "", `${transport?.toUpperCase() ?? "–"}${dialect === "lab" ? ", lab" : ""}`),
    make("td", "", formatTime(beganTime).slice(0, 8)),
    make("td", "", known(sample?.bitRate, formatRate)),
    make("td", "", known(sample?.frameRate, (rate) => `${oneDecimal.format(rate)} /s`)),
    make("td", "", known(sample?.totalLost, integer.format)),
    make("td", "", known(sample?.jitterMs, formatMs)),
    make("td", "", known(sample?.roundTripMs, formatMs)),
  ];
  const head = make("th", "", makeButton("link", choose, `Session ${id}`));
  head.scope = "row";
  return make("tr", isOver ? "over" : "", head, ...cells);
}
