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

/** A live view whose bytes were copied: what its fields point to is kept by the view. */
class Copied {
  constructor(source) {
    this.source = source;
  }
}

/** Whether all that is kept are views that were copied, whose fields hold addresses already. */
const isCopied = (kept) => kept instanceof Copied || (Array.isArray(kept) && kept.every(isCopied));

/** Whether a function pointer is among what is kept: it ends with the call. */
const isLent = (kept) => kept instanceof Lent || (Array.isArray(kept) && kept.some(isLent));

/** Ends what was lent for a call. */
function release(kept) {
  if (kept instanceof Lent) kept.release();
  else if (Array.isArray(kept)) kept.forEach(release);
}

module.exports = { Lent, Copied, isCopied, isLent, release };
