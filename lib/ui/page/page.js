// @ts-check
/// <reference lib="dom" />
// The page of the preview. Everything that comes from the network is set as text, never as HTML.
import { createChart } from "./sparkline.js";
import { playVideo } from "./video.js";

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
 */

const VERBS = ["setup", "play", "pause", "teardown"];
/** The command that is the natural next one in a state. */
const NEXT = { INIT: "setup", READY: "play", PLAYING: "pause" };
const KEYS = new Map([["s", "setup"], ["p", "play"], ["t", "teardown"]]);

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element "${id}"`);
  return found;
}

/** @param {string} id @param {string} text */
function setText(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

const canvas = /** @type {HTMLCanvasElement} */ (element("picture"));
const stage = element("stage");
const buttons = new Map(
  VERBS.map((verb) => [verb, /** @type {HTMLButtonElement} */ (element(verb))]),
);

/** @type {State | undefined} */
let current;
let isBusy = false;
/** @type {string | undefined} */
let shownError;

// ---- numbers

const integer = new Intl.NumberFormat("en");
const oneDecimal = new Intl.NumberFormat("en", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const twoDecimals = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** @param {number} bitsPerSecond */
function formatRate(bitsPerSecond) {
  return bitsPerSecond >= 1e6
    ? `${twoDecimals.format(bitsPerSecond / 1e6)} Mbit/s`
    : `${integer.format(Math.round(bitsPerSecond / 1e3))} kbit/s`;
}

/** @param {number} bytes */
function formatBytes(bytes) {
  return bytes >= 1e9
    ? `${twoDecimals.format(bytes / 1e9)} GB`
    : bytes >= 1e6
    ? `${oneDecimal.format(bytes / 1e6)} MB`
    : `${integer.format(Math.round(bytes / 1e3))} kB`;
}

/** @param {number} seconds */
function formatDuration(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  if (whole >= 3600) parts.unshift(Math.floor(whole / 3600));
  return parts.map((part, i) => i === 0 ? String(part) : String(part).padStart(2, "0")).join(":");
}

// ---- what is shown

/** @param {State} state */
function show(state) {
  const hasChanged = state.state !== current?.state;
  current = state;
  document.title = `${state.state} – rtsp-client`;
  setText("url", state.url);
  element("url").title = state.url;
  setText("dialect", state.dialect === null ? "–" : state.dialect === "lab" ? "lab" : "RTSP 1.0");
  setText("transport", state.transport === null ? "–" : state.transport.toUpperCase());
  if (hasChanged) showState(state);
  showNewestError(state);
  showButtons();
  showPicture(state);
  showStatistics(state);
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
    button.disabled = isBusy || !current?.allowed.includes(verb);
    button.classList.toggle("next", current !== undefined && NEXT[current.state] === verb);
  }
}

/** @param {State} state */
function showPicture(state) {
  const { frame, width, height } = state;
  element("snapshots").classList.toggle("absent", frame === null);
  setText(
    "placeholder",
    state.state === "INIT"
      ? "Press Setup, then Play"
      : state.state === "READY"
      ? "Press Play"
      : "Waiting for the first frame",
  );
  setText("picture-size", width && height ? `${width} × ${height}` : "\u00a0");
}

/** The first picture takes the place of the words. @param {number} frameNumber */
function showFrame(frameNumber) {
  canvas.hidden = false;
  element("placeholder").hidden = true;
  setText("frame-number", integer.format(frameNumber));
}

/** @param {State} state */
function showStatistics(state) {
  setText("packets", integer.format(state.packets));
  setText("lost", integer.format(state.lost));
  setText("loss-rate", `${twoDecimals.format(state.lossRatio * 100)} %`);
  setText("jitter", `${oneDecimal.format(state.jitterMs)} ms`);
  setText("reordered", integer.format(state.reordered));
  setText("duplicates", integer.format(state.duplicates));
  setText("bytes", formatBytes(state.bytes));
  setText(
    "first-frame",
    state.firstFrameMs === null ? "–" : `${integer.format(Math.round(state.firstFrameMs))} ms`,
  );
  setText("frames", integer.format(state.frames));
  setText("duration", formatDuration(state.durationSeconds));
  setText("data-rate", formatRate(state.bitRate));
  setText("frame-rate", `${oneDecimal.format(state.frameRate)} /s`);
  for (const id of ["lost", "loss-rate"]) element(id).classList.toggle("bad", state.lost > 0);
}

/** @param {string} text @param {boolean} isBad */
function showMessage(text, isBad = false) {
  setText("message", text || "\u00a0");
  element("message").classList.toggle("bad", isBad);
}

// ---- commands

/** @param {string} verb */
async function command(verb) {
  if (isBusy || !current?.allowed.includes(verb)) return;
  const hadFocus = document.activeElement === buttons.get(verb);
  isBusy = true;
  showButtons();
  showMessage("");
  try {
    const response = await fetch(`/${verb}`, { method: "POST" });
    const answer = await response.json();
    if (response.ok) show(answer);
    else showMessage(answer.error, true);
  } catch {
    showMessage("rtsp-client does not answer", true);
  } finally {
    isBusy = false;
    showButtons();
    if (hadFocus) keepFocus(verb);
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

async function toggleFullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await stage.requestFullscreen();
}

element("full-screen").addEventListener("click", () => toggleFullScreen().catch(() => {}));
stage.addEventListener("dblclick", () => toggleFullScreen().catch(() => {}));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const verb = KEYS.get(key);
  if (verb) command(verb);
  else if (key === "f") toggleFullScreen().catch(() => {});
  else if (key === " ") {
    if (event.target instanceof HTMLButtonElement) return; // the button's own key
    event.preventDefault(); // the page would scroll
    command(current?.state === "READY" ? "play" : "pause");
  }
});

// ---- charts: only what comes while PLAYING is a rate

const dataRateChart = createChart(element("data-rate-chart"));
const frameRateChart = createChart(element("frame-rate-chart"));
setInterval(() => {
  if (!current) return;
  const isPlaying = current.state === "PLAYING";
  dataRateChart(isPlaying ? current.bitRate : 0);
  frameRateChart(isPlaying ? current.frameRate : 0);
}, 1000);

// ---- the two streams; a hidden page gives them back, because a browser opens only six connections to one host

/** @type {AbortController | undefined} */
let connection;

function connect() {
  if (connection) return;
  connection = new AbortController();
  const events = new EventSource("/events");
  connection.signal.addEventListener("abort", () => events.close());
  events.addEventListener("open", () => showMessage(""));
  events.addEventListener("state", (event) => {
    if (!isBusy) show(JSON.parse(/** @type {MessageEvent} */ (event).data));
  });
  events.addEventListener("error", () => {
    for (const button of buttons.values()) button.disabled = true;
    showMessage("No connection to rtsp-client, trying again", true);
  });
  playVideo(canvas, connection.signal, showFrame);
}

function disconnect() {
  connection?.abort();
  connection = undefined;
}

document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());
connect();
