// @ts-check
/// <reference lib="dom" />
// The diagram of states as the lab draws it, as SVG: lying for wide screens, standing for narrow ones.
import { makeSvg } from "./dom.js";

/** Names of the states, in order. */
export const STATES = ["INIT", "READY", "PLAYING"];

/**
 * An arrow and where its label stands.
 * @typedef {{ from: string, to: string, label: string, path: string, at: readonly [number, number], anchor?: string }} Arrow
 */

/** @typedef {{ name: string, top: number, width: number, height: number, places: readonly (readonly [number, number])[], arrows: readonly Arrow[] }} Layout */

/** @type {Layout} */
const LYING = {
  name: "lying",
  top: 55,
  width: 760,
  height: 245,
  places: [[100, 150], [380, 150], [660, 150]],
  arrows: [
    { from: "INIT", to: "READY", label: "SETUP", path: "M150 116 Q240 72 326 114", at: [240, 80] },
    {
      from: "READY",
      to: "PLAYING",
      label: "PLAY",
      path: "M430 116 Q520 72 606 114",
      at: [520, 80],
    },
    {
      from: "PLAYING",
      to: "READY",
      label: "PAUSE",
      path: "M610 184 Q520 228 434 186",
      at: [520, 232],
    },
    {
      from: "READY",
      to: "INIT",
      label: "TEARDOWN",
      path: "M330 184 Q240 228 154 186",
      at: [240, 232],
    },
    {
      from: "PLAYING",
      to: "INIT",
      label: "TEARDOWN",
      path: "M660 196 C650 318 110 318 100 200",
      at: [380, 276],
    },
  ],
};

/** @type {Layout} */
const STANDING = {
  name: "standing",
  top: 0,
  width: 430,
  height: 460,
  places: [[205, 60], [205, 230], [205, 400]],
  arrows: [
    {
      from: "INIT",
      to: "READY",
      label: "SETUP",
      path: "M241 104 Q267 145 243 184",
      at: [263, 150],
      anchor: "start",
    },
    {
      from: "READY",
      to: "PLAYING",
      label: "PLAY",
      path: "M241 274 Q267 315 243 354",
      at: [263, 320],
      anchor: "start",
    },
    {
      from: "PLAYING",
      to: "READY",
      label: "PAUSE",
      path: "M169 356 Q143 315 167 276",
      at: [147, 320],
      anchor: "end",
    },
    {
      from: "READY",
      to: "INIT",
      label: "TEARDOWN",
      path: "M169 186 Q143 145 167 106",
      at: [147, 150],
      anchor: "end",
    },
    {
      from: "PLAYING",
      to: "INIT",
      label: "TEARDOWN",
      path: "M286 400 C400 380 400 80 289 62",
      at: [424, 236],
      anchor: "end",
    },
  ],
};

/** Both drawings, one of which the stylesheet hides; `show` lights a state and one arrow. */
export function createStateDiagram() {
  const drawings = [LYING, STANDING].map(draw);
  /**
   * @param {string} state @param {{ from: string, to: string } | undefined} last @param {boolean} isNew
   */
  const show = (state, last, isNew) => {
    for (const drawing of drawings) {
      for (const node of drawing.querySelectorAll("[data-state]")) {
        node.classList.toggle("lit", node.getAttribute("data-state") === state);
      }
      for (const arrow of drawing.querySelectorAll("[data-arrow]")) {
        const isLast = last !== undefined &&
          arrow.getAttribute("data-arrow") === `${last.from} ${last.to}`;
        arrow.classList.toggle("last", isLast);
        if (isNew) arrow.classList.toggle("fired", isLast);
      }
    }
  };
  return { drawings, show };
}

/** @param {Layout} layout */
function draw({ name, top, width, height, places, arrows }) {
  const head = makeSvg(
    "marker",
    {
      id: `head-${name}`,
      viewBox: "0 0 10 10",
      refX: 8,
      refY: 5,
      markerWidth: 7,
      markerHeight: 7,
      orient: "auto-start-reverse",
    },
    makeSvg("path", { d: "M0 0 10 5 0 10Z", class: "head" }),
  );
  return makeSvg(
    "svg",
    {
      class: name,
      viewBox: `0 ${top} ${width} ${height}`,
      role: "img",
      "aria-label":
        "INIT becomes READY by SETUP. READY becomes PLAYING by PLAY. PLAYING becomes READY by PAUSE. " +
        "READY and PLAYING become INIT by TEARDOWN.",
    },
    makeSvg("defs", {}, head),
    ...arrows.map((arrow) => drawArrow(arrow, name)),
    ...STATES.map((state, i) => drawState(state, places[i])),
  );
}

/** @param {Arrow} arrow @param {string} layout */
function drawArrow({ from, to, label, path, at: [x, y], anchor = "middle" }, layout) {
  return makeSvg(
    "g",
    { class: "arrow", "data-arrow": `${from} ${to}` },
    makeSvg("path", { d: path, class: "way", "marker-end": `url(#head-${layout})` }),
    makeSvg("path", { d: path, class: "flash", pathLength: 100 }),
    makeSvg("text", { x, y, "text-anchor": anchor, class: "request" }, label),
  );
}

/** @param {string} state @param {readonly [number, number]} place */
function drawState(state, [x, y]) {
  return makeSvg(
    "g",
    { class: "node", "data-state": state },
    makeSvg("ellipse", { cx: x, cy: y, rx: 80, ry: 46 }),
    makeSvg("text", { x, y: y + 7, "text-anchor": "middle" }, state),
  );
}
