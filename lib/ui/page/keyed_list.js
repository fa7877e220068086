// @ts-check
/// <reference lib="dom" />
// A list on the screen that follows a list of entries: rows come and go, those that stay are not touched.

/**
 * @template {{ readonly id: number }} T
 */
export class KeyedList {
  #list;
  #makeRow;
  /** @type {Map<number, { entry: T, row: HTMLElement }>} */
  #rows = new Map();

  /** @param {HTMLElement} list @param {(entry: T) => HTMLElement} makeRow */
  constructor(list, makeRow) {
    this.#list = list;
    this.#makeRow = makeRow;
  }

  /**
   * Shows these entries, in this order. An entry that is the same object as before keeps its row.
   * @param {readonly T[]} entries @returns whether anything has changed
   */
  show(entries) {
    let hasChanged = false;
    const wanted = new Set(entries.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
      hasChanged = true;
    }
    /** @type {ChildNode | null} */
    let place = this.#list.firstChild;
    for (const entry of entries) {
      const known = this.#rows.get(entry.id);
      if (known?.entry === entry && known.row === place) {
        place = place.nextSibling;
        continue;
      }
      hasChanged = true;
      const row = known?.entry === entry ? known.row : this.#makeRow(entry);
      if (known && known.row !== row) {
        if (place === known.row) place = place.nextSibling;
        replaceWithFocus(known.row, row);
      }
      this.#list.insertBefore(row, place);
      this.#rows.set(entry.id, { entry, row });
    }
    return hasChanged;
  }

  /** @param {number} id */
  rowOf(id) {
    return this.#rows.get(id)?.row;
  }
}

/** @param {HTMLElement} old @param {HTMLElement} row */
function replaceWithFocus(old, row) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(row);
  if (hadFocus) /** @type {HTMLElement | null} */ (row.querySelector("button"))?.focus();
}
