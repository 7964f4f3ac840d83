'use strict';
// What has to stay alive while native code uses the values that were written: views, strings, lent function pointers.

/** A function pointer that was made for the length of a call. */
class Lent {
  #release;

  constructor(release) {
    this.#release = release;
  }

  release() {
    this.#release();
  }
}

/** Whether a function pointer is among what is kept: it ends with the call. */
const isLent = (kept) => kept instanceof Lent || (Array.isArray(kept) && kept.some(isLent));

/** Ends what was lent for a call. */
function release(kept) {
  if (kept instanceof Lent) kept.release();
  else if (Array.isArray(kept)) kept.forEach(release);
}

module.exports = { Lent, isLent, release };
