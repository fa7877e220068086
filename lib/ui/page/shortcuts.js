// @ts-check
/// <reference lib="dom" />
// Keys, and the list of them.
import { element, make } from "./dom.js";

/**
 * One key, or several for the same thing.
 * @typedef {{ keys: readonly string[], shown: string, does: string, act: () => void }} Shortcut
 */

/** @param {readonly Shortcut[]} shortcuts */
export function listenToKeys(shortcuts) {
  const dialog = /** @type {HTMLDialogElement} */ (element("keys"));
  const showList = () => dialog.open ? dialog.close() : dialog.showModal();
  const all = [...shortcuts, { keys: ["?"], shown: "?", does: "Show these keys", act: showList }];
  element("show-keys").addEventListener("click", showList);
  element("key-list").replaceChildren(
    ...all.filter(({ shown }) => shown).map(({ shown, does }) =>
      make(
        "div",
        "",
        make("dt", "", ...shown.split(" ").map((key) => make("kbd", "", key))),
        make("dd", "", does),
      )
    ),
  );
  const actions = new Map(all.flatMap(({ keys, act }) => keys.map((key) => [key, act])));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLSelectElement || isTextField(target)) return;
    if (dialog.open && event.key !== "?") return;
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && target instanceof HTMLInputElement) return; // the slider's own
    if (event.repeat && !isArrow) return;
    if (event.key === " " && isPressedBySpace(target)) return;
    const act = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!act) return;
    event.preventDefault(); // the page would scroll
    act();
  });
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  return target instanceof HTMLInputElement && target.type === "text";
}

/** @param {EventTarget | null} target */
function isPressedBySpace(target) {
  return target instanceof Element && target.matches("button, summary, a");
}
