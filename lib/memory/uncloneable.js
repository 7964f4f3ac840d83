'use strict';
// Objects that structuredClone and postMessage refuse. These copy the own properties of an object. The package's
// objects have accessors in their classes instead, so that a copy would be empty without an error.

const CREATE = Symbol('create');

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
}

/** Makes structuredClone refuse the instances of a class that is derived from Uncloneable. */
function refusingClones(Class) {
  const create = function* () {};
  create.prototype = Class.prototype;
  Object.defineProperty(Class, CREATE, { value: create });
  return Class;
}

module.exports = { Uncloneable, refusingClones };
