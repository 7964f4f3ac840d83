'use strict';
// Objects that structuredClone and postMessage refuse. These copy the own properties of an object. The package's
// objects have accessors in their classes instead, so that a copy would be empty without an error.

const { inspect } = require('node:util');

const CREATE = Symbol('create');
const custom = Symbol.for('nodejs.util.inspect.custom');
const ONE_LINE = { breakLength: Infinity, compact: true, colors: false };

/** An object as util.inspect prints it, in one line; undefined where it does not say how. */
function lineOf(object) {
  if (typeof object[custom] !== 'function') return undefined;
  try {
    return inspect(object, ONE_LINE);
  } catch {
    // A prototype, which has none of what its instances have.
    return undefined;
  }
}

/**
 * The base of such a class, which must be passed to `refusingClones`. The engine clones ordinary objects, arrays, maps
 * and so on, and refuses objects of other kinds: promises, weak maps, generators. An instance is a generator that never
 * runs, because that is the cheapest of them, and adds no property that a program would see.
 */
class Uncloneable {
  constructor() {
    const { [CREATE]: create, prototype } = /** @type {any} */ (new.target);
    if (create.prototype === prototype) return create();
    // A class that is derived from one of the package's; it may be frozen.
    return Object.isExtensible(new.target)
      ? refusingClones(new.target)[CREATE]()
      : Object.setPrototypeOf(create(), prototype);
  }

  /**
   * `String(handle)` has it: [object H <0x1000>]. Comparisons such as assert.deepEqual do not see private fields, and
   * find objects with different tags different: without this, every two handles of a type would be equal. The engine's
   * messages skip it, because it is an accessor: they name the class, unless there is a toString().
   */
  get [Symbol.toStringTag]() {
    return lineOf(this);
  }
}

/** Makes structuredClone refuse the instances of a class that is derived from Uncloneable. */
function refusingClones(Class) {
  const create = function* () {};
  create.prototype = Class.prototype;
  Object.defineProperty(Class, CREATE, { value: create });
  return Class;
}

module.exports = { Uncloneable, refusingClones };
