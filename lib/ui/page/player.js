// @ts-check
/// <reference lib="dom" />
// The player's half of the page: state, the four buttons, what went wrong, and commands in general.
import { element, setText } from "./dom.js";
import { integer } from "./number_format.js";
import { showStatistics } from "./statistics.js";

/**
 * What `GET /state` and the events carry, as far as this page reads it.
 * @typedef {object} State
 * @property {"INIT" | "READY" | "PLAYING"} state
 * @property {readonly string[]} allowed
 * @property {{ number: number } | null} frame
 * @property {string} url
 * @property {string | null} dialect
 * @property {string | null} transport
 * @property {number | null} width
 * @property {number | null} height
 * @property {number} packets
 * @property {number} lost
 * @property {number} lossRatio
 * @property {number} jitterMs
 * @property {number} reordered
 * @property {number} duplicates
 * @property {number} bytes
 * @property {number | null} firstFrameMs
 * @property {number} frames
 * @property {number} durationSeconds
 * @property {number} bitRate
 * @property {number} frameRate
 * @property {readonly string[]} errors
 * @property {import("./timeline.js").Film} [film]
 * @property {import("../protocol_events.ts").ProtocolStep} [step]
 */

const VERBS = ["setup", "play", "pause", "teardown"];
/** The command that is the natural next one in a state. */
const NEXT = { INIT: "setup", READY: "play", PLAYING: "pause" };

const buttons = new Map(
  VERBS.map((verb) => [verb, /** @type {HTMLButtonElement} */ (element(verb))]),
);

/** @type {State | undefined} */
let current;
let isBusy = false;
let isGone = false;
/** @type {string | undefined} */
let shownError;
/** @type {((state: State) => void)[]} */
const listeners = [];

/** The newest state. */
export function currentState() {
  return current;
}

/** @param {(state: State) => void} listener called with each state that is shown */
export function onState(listener) {
  listeners.push(listener);
}

/** @param {State} state */
export function show(state) {
  const hasChanged = state.state !== current?.state;
  current = state;
  isGone = false;
  document.title = `${state.state} – rtsp-client`;
  setText("dialect", state.dialect === null ? "–" : state.dialect === "lab" ? "lab" : "RTSP 1.0");
  setText("transport", state.transport === null ? "–" : state.transport.toUpperCase());
  if (hasChanged) showState(state);
  showNewestError(state);
  showButtons();
  showPicture(state);
  showStatistics(state);
  for (const listener of listeners) listener(state);
}

/** An event has come. While a command is on its way, its answer is what counts. @param {State} state */
export function follow(state) {
  if (!isBusy) show(state);
  else for (const listener of listeners) listener(state);
}

/** rtsp-client does not answer any more. */
export function showGone() {
  isGone = true;
  showButtons();
  showMessage("No connection to rtsp-client, trying again", true);
}

/** @param {State} state */
function showState(state) {
  for (const item of element("states").children) {
    if (/** @type {HTMLElement} */ (item).dataset.state === state.state) {
      item.setAttribute("aria-current", "step");
    } else item.removeAttribute("aria-current");
  }
  setText("state", state.state);
  if (state.state === "PLAYING") showMessage("");
}

/**
 * What went wrong without a button being pressed: the connection was lost, the film has no frames.
 * @param {State} state
 */
function showNewestError(state) {
  const newest = state.errors.at(-1);
  if (newest === shownError) return;
  shownError = newest;
  if (newest !== undefined) showMessage(newest, true);
}

function showButtons() {
  for (const [verb, button] of buttons) {
    button.disabled = isGone || isBusy || !current?.allowed.includes(verb);
    button.classList.toggle("next", current !== undefined && NEXT[current.state] === verb);
  }
}

/** @param {State} state */
function showPicture({ frame, state, width, height }) {
  element("snapshots").classList.toggle("absent", frame === null);
  setText(
    "placeholder",
    state === "INIT"
      ? "Press Setup, then Play"
      : state === "READY"
      ? "Press Play"
      : "Waiting for the first frame",
  );
  setText("picture-size", width && height ? `${width} × ${height}` : "\u00a0");
}

/** The first picture takes the place of the words. @param {number} frameNumber */
export function showFrame(frameNumber) {
  element("picture").hidden = false;
  element("placeholder").hidden = true;
  setText("frame-number", integer.format(frameNumber));
}

/** @param {string} text @param {boolean} isBad */
export function showMessage(text, isBad = false) {
  setText("message", text || "\u00a0");
  element("message").classList.toggle("bad", isBad);
}

/** @param {string} verb */
export async function command(verb) {
  if (isBusy || !current?.allowed.includes(verb)) return;
  const hadFocus = document.activeElement === buttons.get(verb);
  isBusy = true;
  showButtons();
  await post(`/${verb}`);
  isBusy = false;
  showButtons();
  if (hadFocus) keepFocus(verb);
}

/**
 * Sends a command and shows what came of it; says whether it was carried out.
 * @param {string} path
 * @param {unknown} [body]
 */
export async function post(path, body) {
  const withBody = {
    headers: { "content-type": "application/json", "x-preview": "1" },
    body: JSON.stringify(body),
  };
  showMessage("");
  try {
    const response = await fetch(path, { method: "POST", ...(body === undefined ? {} : withBody) });
    const answer = await response.json();
    if (response.ok) show(answer);
    else showMessage(String(answer.error), true);
    return response.ok;
  } catch {
    showMessage("rtsp-client does not answer", true);
    return false;
  }
}

/**
 * A disabled button loses the focus: give it to the one a keyboard user wants next.
 * @param {string} verb
 */
function keepFocus(verb) {
  const next = current && !buttons.get(verb)?.disabled ? verb : current && NEXT[current.state];
  if (next) buttons.get(next)?.focus();
}

for (const [verb, button] of buttons) button.addEventListener("click", () => command(verb));
