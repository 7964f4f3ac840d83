'use strict';
// A Map of limited size for what can be made again.

/** The oldest entry makes room for the next one. */
class BoundedMap {
  #entries = new Map();
  #most;

  /** @param {number} most entries */
  constructor(most) {
    this.#most = most;
  }

  get(key) {
    return this.#entries.get(key);
  }

  set(key, value) {
    if (this.#entries.size === this.#most) this.#entries.delete(this.#entries.keys().next().value);
    this.#entries.set(key, value);
    return value;
  }
}

module.exports = { BoundedMap };
