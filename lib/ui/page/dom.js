// @ts-check
/// <reference lib="dom" />
// Making and changing elements. Text is only ever set as text: nothing here, or anywhere in the page, parses HTML.

/**
 * The element with an id; the page has it, or the page is wrong.
 * @param {string} id
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element "${id}"`);
  return found;
}

/** @param {string | Element} target an element, or its id @param {string} text */
export function setText(target, text) {
  const node = typeof target === "string" ? element(target) : target;
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {...(Node | string)} children strings become text
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/**
 * A new button.
 * @param {string} className @param {() => void} onClick @param {...(Node | string)} children
 */
export function makeButton(className, onClick, ...children) {
  const button = make("button", className, ...children);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

/**
 * A term and what it is, for a `<dl>`.
 * @param {string} term @param {string | Node} definition
 */
export function makeFact(term, definition) {
  return make("div", "", make("dt", "", term), make("dd", "", definition));
}

/**
 * A new SVG element.
 * @param {string} tag @param {Readonly<Record<string, string | number>>} attributes @param {...(Node | string)} children
 */
export function makeSvg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} base64 */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * Lets arrow keys, Home and End move between the buttons of a list; Tab enters and leaves it.
 * @param {HTMLElement} list @param {string} [selector] what is moved between
 */
export function moveByArrows(list, selector = "button") {
  list.addEventListener("keydown", (event) => {
    const buttons = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    if (at < 0 || to === undefined || !buttons[to]) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[to].focus();
  });
  list.addEventListener("focusin", (event) => {
    for (const button of list.querySelectorAll(`${selector}[tabindex="0"]`)) {
      if (button !== event.target) button.setAttribute("tabindex", "-1");
    }
    if (event.target instanceof Element && event.target.matches(selector)) {
      event.target.setAttribute("tabindex", "0");
    }
  });
}

/**
 * Keeps one button of such a list reachable by Tab. Call after the list has changed.
 * @param {HTMLElement} list @param {string} [selector]
 */
export function keepReachable(list, selector = "button") {
  if (list.querySelector(`${selector}[tabindex="0"]`)) return;
  list.querySelector(`${selector}:last-child`)?.setAttribute("tabindex", "0");
  if (!list.querySelector(`${selector}[tabindex="0"]`)) {
    list.querySelector(selector)?.setAttribute("tabindex", "0");
  }
}
