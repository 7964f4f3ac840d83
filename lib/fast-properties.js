'use strict';

/** V8 looks at the prototypes of a receiver once it gathers types: after a few hundred bytes of bytecode. */
const READS = 50;

function Heir() {}

/**
 * Lets programs read the properties of an object as fast as those of a literal. V8 stores an object that was built from
 * many properties, or that has lost an accessor, as a dictionary: each `read.f64` would search it, which takes longer
 * than the read itself. Once V8 sees it as a prototype, it gives it a layout.
 * @template {object} T
 * @param {T} object an object that is complete; it stays as it is but for how V8 stores it
 * @returns {T} the same
 */
function storeFast(object) {
  Heir.prototype = object;
  const heir = new Heir();
  Heir.prototype = Object.prototype;
  for (let i = 0; i < READS; i++) heir.constructor;
  return object;
}

module.exports = { storeFast };
