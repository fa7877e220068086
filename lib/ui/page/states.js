// @ts-check
/// <reference lib="dom" />
// The States tab: the diagram, what each request does in this state, and the changes so far.
import { element, make, makeButton, setText } from "./dom.js";
import { KeyedList } from "./keyed_list.js";
import { formatTime } from "./number_format.js";
import { currentState } from "./player.js";
import { explainMethod } from "./rtsp_words.js";
import { createStateDiagram } from "./state_diagram.js";

/** @typedef {import("./protocol.js").ProtocolStore} ProtocolStore */
/** @typedef {import("./protocol.js").ProtocolTransition} ProtocolTransition */

/** What a request does in each state (RFC 2326 A.2, as a server sees it). */
const EFFECTS = {
  INIT: { SETUP: "READY", PLAY: "455", PAUSE: "455", TEARDOWN: "INIT" },
  READY: { SETUP: "READY", PLAY: "PLAYING", PAUSE: "455", TEARDOWN: "INIT" },
  PLAYING: { SETUP: "PLAYING", PLAY: "PLAYING", PAUSE: "READY", TEARDOWN: "INIT" },
  RECORDING: { SETUP: "RECORDING", PLAY: "455", PAUSE: "READY", TEARDOWN: "INIT" },
};

/** @param {ProtocolStore} store @param {{ showMessage: (id: number) => void }} links */
export function openStates(store, links) {
  const diagram = createStateDiagram();
  element("diagram").replaceChildren(...diagram.drawings);
  const history = new KeyedList(
    element("transitions"),
    (/** @type {ProtocolTransition} */ transition) => makeEntry(transition, links),
  );
  let shownId = -1;
  let shownState = "";

  function render() {
    const session = store.focusedSession;
    const transitions = [...store.transitions.values()].filter((entry) => store.isChosen(entry));
    const last =
      transitions.findLast(({ session: id }) => session === undefined || id === session.id) ??
        transitions.at(-1);
    const state = store.side === "client"
      ? currentState()?.state ?? last?.to ?? "INIT"
      : session?.state ?? "INIT";
    diagram.show(state, last, last !== undefined && shownId >= 0 && last.id !== shownId);
    if (last) setText("last-transition", sentenceOf(last));
    shownId = last?.id ?? 0;
    if (state !== shownState) showPossible(state);
    shownState = state;
    history.show(transitions.slice(-50).toReversed());
    element("no-transitions").hidden = transitions.length > 0;
  }
  return { render };
}

/** @param {ProtocolTransition} transition */
function sentenceOf({ from, to, cause }) {
  return `The last change: ${from} → ${to} by ${cause}.`;
}

/** @param {keyof typeof EFFECTS} state */
function showPossible(state) {
  setText("possible-title", `What each request does in ${state}`);
  element("possible").replaceChildren(
    ...Object.entries(EFFECTS[state]).map(([method, effect]) => {
      const isRefused = effect === "455";
      const outcome = isRefused
        ? "refused with 455"
        : effect === state
        ? `stays ${state}`
        : `→ ${effect}`;
      const [meaning, rfc] = explainMethod(method) ?? ["", ""];
      return make(
        "div",
        isRefused ? "refused" : "",
        make("dt", "", make("code", "", method), " ", make("b", "", outcome)),
        make("dd", "", meaning, " ", make("span", "rfc", rfc)),
      );
    }),
  );
}

/** @param {ProtocolTransition} transition @param {{ showMessage: (id: number) => void }} links */
function makeEntry({ time, from, to, cause, message, session }, links) {
  const by = message === null
    ? make("span", "", cause)
    : makeButton("link", () => links.showMessage(message), cause);
  return make(
    "li",
    "",
    make("span", "time", formatTime(time)),
    make("span", "change", make("b", "", from), " → ", make("b", "", to)),
    make("span", "by", "by ", by, make("span", "quiet-text", `, session ${session}`)),
  );
}
