'use strict';
// The objects that struct(), pointer() and others return: each stands for a type descriptor in declarations.

const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { declare, descriptorOf } = require('./registry.js');
const { describeType } = require('./show.js');

class DeclaredType extends Uncloneable {
  constructor(descriptor) {
    super();
    Object.defineProperties(this, {
      name: { value: descriptor.name, enumerable: true },
      size: { value: descriptor.size, enumerable: true },
      align: { value: descriptor.align, enumerable: true },
    });
    declare(this, descriptor);
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options) {
    const descriptor = descriptorOf(this);
    if (descriptor === undefined) return 'DeclaredType {}';
    return depth < 0 ? options.stylize(`[${descriptor.name}]`, 'special') : describeType(descriptor);
  }
}
refusingClones(DeclaredType);

const shared = new Map();

/**
 * Equal declarations share their descriptors, and so everything that is prepared for these: declaring the same
 * in a loop takes no more memory than once. `parts` are texts and numbers. Nothing is removed, as none of the
 * signatures that are interned by the keys of descriptors: a descriptor that is made again would have another key.
 */
function sharedBy(parts, make) {
  const key = parts.map((part) => (typeof part === 'string' ? JSON.stringify(part) : String(part))).join();
  if (!shared.has(key)) shared.set(key, make());
  return shared.get(key);
}

/** The key of a descriptor for `sharedBy`. */
const keyOf = (descriptor) => descriptor.key ?? descriptor.id;

module.exports = { DeclaredType, sharedBy, keyOf };
