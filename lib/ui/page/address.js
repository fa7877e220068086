// @ts-check
/// <reference lib="dom" />
// The address bar: another film, or another file of the same server.
import { element } from "./dom.js";
import { onState, post } from "./player.js";

const form = /** @type {HTMLFormElement} */ (element("open"));
const input = /** @type {HTMLInputElement} */ (element("address"));
let shown = "";

onState(({ url }) => {
  if (url === shown) return;
  shown = url;
  if (document.activeElement !== input) input.value = url;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const url = input.value.trim();
  if (!url) return;
  if (await post("/open", { url })) input.blur();
});
input.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  input.value = shown;
  input.blur();
});
