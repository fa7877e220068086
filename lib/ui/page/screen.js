// @ts-check
/// <reference lib="dom" />
// How the picture is shown: fitted into the page or pixel by pixel, in the page or on the whole screen.
import { element } from "./dom.js";

const stage = element("stage");
const button = element("natural-size");

/** The whole picture, or one pixel of it for each pixel of the screen. */
export function toggleNaturalSize() {
  const isNatural = stage.classList.toggle("natural");
  button.setAttribute("aria-pressed", String(isNatural));
  if (isNatural) { // what does not fit is scrolled, from its middle
    stage.scrollTo(
      (stage.scrollWidth - stage.clientWidth) / 2,
      (stage.scrollHeight - stage.clientHeight) / 2,
    );
  }
}

/** The browser may refuse; then nothing happens. */
export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await stage.requestFullscreen();
  } catch {
    // refused
  }
}

/** Pixels of the screen to one of the page: the canvas gets its size from the stylesheet through this. */
function followScreen() {
  stage.style.setProperty("--pixels", String(devicePixelRatio));
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", followScreen, {
    once: true,
  });
}

button.addEventListener("click", toggleNaturalSize);
element("full-screen").addEventListener("click", toggleFullScreen);
stage.addEventListener("dblclick", toggleFullScreen);
followScreen();
