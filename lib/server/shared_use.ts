/**
 * Things that several use at once: each is made for the first of them and ended when the last one lets go.
 *
 * Floor 4 (assembly). It knows nothing of the things.
 *
 * @module
 */

/** Somebody's part in it. */
export interface HeldThing<Thing> {
  /** The thing, the same for all. */
  readonly thing: Thing;
  /** Lets go of it; harmless when repeated. */
  readonly release: () => void;
}

/** What is in use, by keys. */
export class SharedUse<Thing> {
  readonly #used = new Map<string, { readonly thing: Thing; holders: number }>();

  /**
   * Uses the thing of a key.
   *
   * @param make Makes it where nobody uses it yet.
   * @param end Called once nobody uses it any more.
   */
  hold(key: string, make: () => Thing, end: (thing: Thing) => void): HeldThing<Thing> {
    let used = this.#used.get(key);
    if (used === undefined) {
      used = { thing: make(), holders: 0 };
      this.#used.set(key, used);
    }
    const held = used;
    const { thing } = held;
    held.holders++;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      if (--held.holders > 0) return;
      this.#used.delete(key);
      end(thing);
    };
    return { thing, release };
  }
}
