// @ts-check
/// <reference lib="dom" />
// Tabs as the WAI-ARIA Authoring Practices have them: arrow keys move and choose, Tab goes on into the panel. The
// address of the page ends with the tab's name, so that a tab can be bookmarked.
import { element } from "./dom.js";

/**
 * @param {readonly string[]} names of the tabs: `tab-NAME` and `panel-NAME` are their elements
 * @param {(name: string) => void} onChosen
 */
export function createTabs(names, onChosen) {
  const tabs = names.map((name) => element(`tab-${name}`));
  let chosen = "";

  /** @param {string} name */
  function choose(name) {
    if (name === chosen || !names.includes(name)) return;
    chosen = name;
    for (const [i, tab] of tabs.entries()) {
      const isChosen = names[i] === name;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      element(`panel-${names[i]}`).hidden = !isChosen;
      if (isChosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    element("main").dataset.view = name;
    history.replaceState(null, "", name === names[0] ? "/" : `#${name}`);
    onChosen(name);
  }

  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(names[i]));
    tab.addEventListener("keydown", (event) => {
      const last = tabs.length - 1;
      const to = {
        ArrowRight: i === last ? 0 : i + 1,
        ArrowLeft: i === 0 ? last : i - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      choose(names[to]);
      tabs[to].focus();
    });
  }
  addEventListener("hashchange", () => choose(location.hash.slice(1)));
  const wanted = location.hash.slice(1);
  choose(names.includes(wanted) ? wanted : names[0]);
  return { choose, chosen: () => chosen };
}
