'use strict';
// Values that stay alive while native code uses them: views, strings, scoped callbacks.

/** A function pointer that was made for the length of a call. */
class ScopedCallback {
  #release;

  constructor(release) {
    this.#release = release;
  }

  release() {
    this.#release();
  }
}

/** A live view whose bytes were copied: the view keeps the memory that its fields point to. */
class CopiedView {
  constructor(source) {
    this.source = source;
  }
}

/** Whether all retained values are copied views, whose fields hold addresses already. */
const areCopiedViews = (retained) =>
  retained instanceof CopiedView || (Array.isArray(retained) && retained.every(areCopiedViews));

/** Whether a scoped callback is among the retained values: it ends with the call. */
const hasScopedCallback = (retained) =>
  retained instanceof ScopedCallback || (Array.isArray(retained) && retained.some(hasScopedCallback));

/** Ends the scoped callbacks of a call. */
function release(retained) {
  if (retained instanceof ScopedCallback) retained.release();
  else if (Array.isArray(retained)) retained.forEach(release);
}

module.exports = { ScopedCallback, CopiedView, areCopiedViews, hasScopedCallback, release };
