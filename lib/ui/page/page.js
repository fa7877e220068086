// @ts-check
/// <reference lib="dom" />
// The page of the preview: puts its parts together. Everything that comes from the network is set as text, never as
// HTML.
import "./address.js";
import { element, setText } from "./dom.js";
import { openCharts } from "./charts.js";
import { openDialogue } from "./dialogue.js";
import { openFrames } from "./frames.js";
import { openPackets } from "./packets.js";
import { command, currentState, follow, showFrame, showGone, showMessage } from "./player.js";
import { ProtocolStore } from "./protocol.js";
import { toggleFullScreen, toggleNaturalSize } from "./screen.js";
import { openSessions } from "./sessions.js";
import { listenToKeys } from "./shortcuts.js";
import { openStates } from "./states.js";
import { sendWaiting, showStep, toggleStepMode } from "./step.js";
import { createTabs } from "./tabs.js";
import { seekBy, stepFrame } from "./timeline.js";
import { playVideo } from "./video.js";

const store = new ProtocolStore();
/**
 * What a tab shows; `hold` stops and restarts a list that moves.
 * @typedef {{ render: () => void, hold?: () => void }} Panel
 */
const dialogue = openDialogue(store);
const packets = openPackets(store);
/** @type {Readonly<Record<string, Panel>>} */
const panels = {
  watch: openSessions(store, { showDialogue: () => tabs.choose("dialogue") }),
  states: openStates(store, { showMessage: (id) => showIn("dialogue", () => dialogue.choose(id)) }),
  dialogue,
  packets,
  frames: openFrames(store, { showPacket: (id) => showIn("packets", () => packets.choose(id)) }),
  charts: openCharts(store),
};

const tabs = createTabs(["watch", "states", "dialogue", "packets", "frames", "charts"], () => {
  connectProtocol();
  queueMicrotask(renderChosen); // not before everything here exists
});

/** @param {string} tab @param {() => void} act */
function showIn(tab, act) {
  tabs.choose(tab);
  act();
}

// ---- the protocol: told only while somebody looks at it; drawn at most five times a second

const RENDER_INTERVAL_MS = 200;
let renderedAt = 0;
let isRenderQueued = false;

function renderChosen() {
  renderedAt = performance.now();
  panels[tabs.chosen()].render();
}

store.onNews(() => {
  if (document.body.dataset.side === "server") showStep(store.step);
  if (isRenderQueued) return;
  isRenderQueued = true;
  setTimeout(() => {
    isRenderQueued = false;
    renderChosen();
  }, Math.max(0, renderedAt + RENDER_INTERVAL_MS - performance.now()));
});

function connectProtocol() {
  const isWatched = document.body.dataset.side === "server" ||
    element("main").dataset.view !== "watch";
  if (isWatched && !document.hidden) store.connect();
  else store.disconnect();
}

// ---- keys

listenToKeys([
  { keys: ["s"], shown: "S", does: "Setup", act: () => command("setup") },
  { keys: ["p"], shown: "P", does: "Play", act: () => command("play") },
  { keys: [" "], shown: "Space", does: "Pause, or play on", act: pauseOrPlay },
  { keys: ["t"], shown: "T", does: "Teardown", act: () => command("teardown") },
  { keys: ["ArrowLeft"], shown: "← →", does: "Five seconds back, on", act: () => seekBy(-5) },
  { keys: ["ArrowRight"], shown: "", does: "", act: () => seekBy(5) },
  {
    keys: [","],
    shown: ", .",
    does: "One frame back, on, where the server allows it",
    act: () => stepFrame(-1),
  },
  { keys: ["."], shown: "", does: "", act: () => stepFrame(1) },
  { keys: ["f"], shown: "F", does: "Full screen", act: toggleFullScreen },
  { keys: ["z"], shown: "Z", does: "Fit the picture, or show it 1:1", act: toggleNaturalSize },
  ...["watch", "states", "dialogue", "packets", "frames", "charts"].map((name, i) => ({
    keys: [String(i + 1)],
    shown: i === 0 ? "1 to 6" : "",
    does: "The tabs",
    act: () => tabs.choose(name),
  })),
  {
    keys: ["h"],
    shown: "H",
    does: "Hold the list of packets or frames",
    act: () => panels[tabs.chosen()].hold?.(),
  },
  { keys: ["e"], shown: "E", does: "Step mode: requests wait", act: toggleStepMode },
  { keys: ["n"], shown: "N", does: "Send the request that waits", act: sendWaiting },
]);

function pauseOrPlay() {
  command(currentState()?.state === "READY" ? "play" : "pause");
}

// ---- the streams; a hidden page gives them back, because a browser opens only six connections to one host

/** @type {AbortController | undefined} */
let connection;

function connect() {
  connectProtocol();
  if (connection || document.body.dataset.side !== "client") return;
  connection = new AbortController();
  const events = new EventSource("/events");
  connection.signal.addEventListener("abort", () => events.close());
  events.addEventListener("open", () => showMessage(""));
  events.addEventListener("state", (event) => {
    follow(JSON.parse(/** @type {MessageEvent} */ (event).data));
  });
  events.addEventListener("error", showGone);
  const canvas = /** @type {HTMLCanvasElement} */ (element("picture"));
  playVideo(canvas, connection.signal, showFrame);
}

function disconnect() {
  connection?.abort();
  connection = undefined;
  store.disconnect();
}

/** Which program this is the page of decides what is shown. */
async function findSide() {
  let side = "client";
  try {
    const state = await (await fetch("/state")).json();
    if (state.side === "server") side = "server";
  } catch {
    // the events will say so
  }
  document.body.dataset.side = side;
  if (side === "server") {
    setText("program", "rtsp-server");
    setText("tab-watch", "Sessions");
    document.title = "rtsp-server";
  }
  connect();
}

document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());
findSide();
