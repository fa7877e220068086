// @ts-check
/// <reference lib="dom" />
// Where in the film we are, and how to get elsewhere: seek, speed, single frames. What the server does not offer is not
// shown.
import { element, make, setText } from "./dom.js";
import { formatDuration } from "./number_format.js";
import { currentState, onState, post } from "./player.js";

/**
 * The film as the state tells it.
 * @typedef {object} Film
 * @property {number} startSeconds
 * @property {number | null} endSeconds null for live, or unknown
 * @property {number | null} positionSeconds
 * @property {boolean} isSeekable
 * @property {number} scale
 * @property {readonly number[]} [scales] the ones the server offers
 * @property {boolean} [isSteppable]
 */

const slider = /** @type {HTMLInputElement} */ (element("seek"));
const speed = /** @type {HTMLSelectElement} */ (element("speed"));
/** While the slider is held, or its request is on its way, the film's position does not move it. */
let isHeld = false;
let offeredScales = "";

/** @param {import("./player.js").State} state */
function showFilm({ film, state }) {
  const isLive = film !== undefined && film.endSeconds === null && state !== "INIT";
  const end = film?.endSeconds ?? null;
  element("live").hidden = !isLive;
  slider.hidden = isLive;
  slider.disabled = !film?.isSeekable || end === null;
  slider.min = String(film?.startSeconds ?? 0);
  slider.max = String(end ?? 1);
  setText("length", end === null ? "\u00a0" : formatDuration(end));
  if (!isHeld) {
    showPosition(film?.positionSeconds ?? (end === null ? null : film?.startSeconds ?? 0));
  }
  element("trick").hidden = !film || (!film.scales?.length && !film.isSteppable);
  for (const id of ["frame-back", "frame-on"]) element(id).hidden = !film?.isSteppable;
  showSpeeds(film);
}

/** @param {number | null} seconds */
function showPosition(seconds) {
  setText("position", seconds === null ? "\u00a0" : formatDuration(Math.max(0, seconds)));
  if (seconds === null) return;
  slider.value = String(seconds);
  slider.setAttribute(
    "aria-valuetext",
    `${formatDuration(seconds)} of ${element("length").textContent}`,
  );
}

/** @param {Film | undefined} film */
function showSpeeds(film) {
  const scales = film?.scales ?? [];
  /** @type {HTMLElement} */ (speed.parentElement).hidden = scales.length === 0;
  if (scales.join() !== offeredScales) {
    offeredScales = scales.join();
    speed.replaceChildren(...scales.map((scale) => {
      const option = make("option", "", scale < 0 ? `${-scale}× backwards` : `${scale}×`);
      option.value = String(scale);
      return option;
    }));
  }
  if (film && document.activeElement !== speed) speed.value = String(film.scale);
}

/** @param {number} seconds from where we are */
export function seekBy(seconds) {
  const film = currentState()?.film;
  if (!film?.isSeekable || film.endSeconds === null) return;
  seekTo(Number(slider.value) + seconds);
}

/** @param {number} seconds */
async function seekTo(seconds) {
  const npt = Math.min(Number(slider.max), Math.max(Number(slider.min), seconds));
  isHeld = true;
  showPosition(npt);
  await post("/seek", { npt });
  isHeld = false;
}

/** @param {1 | -1} direction */
export async function stepFrame(direction) {
  if (!currentState()?.film?.isSteppable) return;
  await post("/frame-step", { frames: direction });
}

slider.addEventListener("input", () => {
  isHeld = true;
  showPosition(Number(slider.value));
});
slider.addEventListener("change", () => seekTo(Number(slider.value)));
speed.addEventListener("change", () => {
  post("/seek", { npt: Number(slider.value), scale: Number(speed.value) });
});
element("frame-back").addEventListener("click", () => stepFrame(-1));
element("frame-on").addEventListener("click", () => stepFrame(1));
onState(showFilm);
