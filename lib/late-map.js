'use strict';
// A Map whose later entries are made when they are first needed, because most programs need none of them.

/**
 * A Map that is completed when a key is none of its first ones, or when it is gone through.
 * @extends {Map<any, any>}
 */
class LateMap extends Map {
  #complete;
  #mayBeLate;

  /**
   * @param {Iterable<readonly [any, any]>} first the entries that it has from the start
   * @param {(map: Map<any, any>) => void} complete sets all entries
   * @param {(key: any) => boolean} [mayBeLate] whether a key may be one of the later ones. Default: any may.
   */
  constructor(first, complete, mayBeLate) {
    super(first);
    this.#complete = complete;
    this.#mayBeLate = mayBeLate;
  }

  /** The Map with all entries. */
  whole() {
    const complete = this.#complete;
    this.#complete = undefined;
    complete?.(this);
    return this;
  }

  get(key) {
    const known = super.get(key);
    if (known !== undefined || this.#complete === undefined || this.#mayBeLate?.(key) === false) return known;
    return this.whole().get(key);
  }

  has(key) {
    return this.get(key) !== undefined;
  }

  get size() {
    return this.#complete === undefined ? super.size : this.whole().size;
  }

  keys() {
    return this.#complete === undefined ? super.keys() : this.whole().keys();
  }

  values() {
    return this.#complete === undefined ? super.values() : this.whole().values();
  }

  entries() {
    return this.#complete === undefined ? super.entries() : this.whole().entries();
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(call) {
    if (this.#complete === undefined) super.forEach(call);
    else this.whole().forEach(call);
  }
}

module.exports = { LateMap };
