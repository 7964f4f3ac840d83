'use strict';
// What struct(), pointer(), ... give: an object that stands for a row of the type table in declarations.

const { declare } = require('./types');

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

module.exports = { DeclaredType };
