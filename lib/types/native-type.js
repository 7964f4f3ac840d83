'use strict';
// What struct(), pointer(), ... give: an object that stands for a row of the type table in declarations.

const { declare } = require('./registry.js');

class DeclaredType {
  constructor(row) {
    Object.defineProperties(this, {
      name: { value: row.name, enumerable: true },
      size: { value: row.size, enumerable: true },
      align: { value: row.align, enumerable: true },
    });
    declare(this, row);
  }
}

const shared = new Map();

/**
 * What equal declarations share: their rows, and with them all that is prepared for those. So declaring the same in a
 * loop takes no more memory than once. `parts` are texts and numbers.
 */
function sharedBy(parts, make) {
  const key = parts.map((part) => (typeof part === 'string' ? JSON.stringify(part) : String(part))).join();
  if (!shared.has(key)) shared.set(key, make());
  return shared.get(key);
}

/** What tells a row from others, for `sharedBy`. */
const keyOf = (row) => row.key ?? row.id;

module.exports = { DeclaredType, sharedBy, keyOf };
