// @ts-check
/// <reference lib="dom" />
// The numbers beside the picture, with two small charts of the last minute.
import { element, setText } from "./dom.js";
import {
  formatBytes,
  formatDuration,
  formatRate,
  integer,
  oneDecimal,
  twoDecimals,
} from "./number_format.js";
import { createSparkline } from "./sparkline.js";

/** @typedef {import("./player.js").State} State */

/** @type {State | undefined} */
let newest;

/** @param {State} state */
export function showStatistics(state) {
  newest = state;
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

const addDataRate = createSparkline(element("data-rate-chart"));
const addFrameRate = createSparkline(element("frame-rate-chart"));
setInterval(() => {
  if (!newest) return;
  const isPlaying = newest.state === "PLAYING"; // only what comes while PLAYING is a rate
  addDataRate(isPlaying ? newest.bitRate : 0);
  addFrameRate(isPlaying ? newest.frameRate : 0);
}, 1000);
