'use strict';
// i64_number and u64_number: 64-bit integers of C that are numbers in JavaScript. What a number does not hold exactly
// throws.

const { toExactSigned, toExactUnsigned } = require('../exact-numbers.js');
const { i64, renamed, u64 } = require('./scalars.js');

const LITTLE = true;

/** A type whose values are those of `base`; `toNumber` makes them of their halves. */
function exact(base, name, toNumber) {
  return {
    ...renamed(base, name),
    writesAtOnce: true,
    mayThrow: true,
    /** The value as a BigInt, which never throws. */
    readBig: base.read,
    read: (view, at) => toNumber(view.getInt32(at + 4, LITTLE), view.getInt32(at, LITTLE)),
  };
}

module.exports = {
  i64Number: exact(i64, 'i64_number', toExactSigned),
  u64Number: exact(u64, 'u64_number', toExactUnsigned),
};
