'use strict';
// bind(): what users call = encode, enter, decode.

const binding = require('./binding');
const { rowsOf, shapeOf } = require('./marshal');

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {object} declaration checked by the caller: { args, returns, wrap }
 * @param {object | null} library the native library that must be open; null where the user answers for the address
 */
function bind(name, address, declaration, library) {
  const shape = shapeOf(rowsOf(declaration, name), name);
  const call = shape.caller(binding.bind(name, address, shape.native, library), name);
  return Object.defineProperties(call, {
    name: { value: name, configurable: true },
    ptr: { value: address, enumerable: true },
    native: { value: call },
  });
}

module.exports = { bind };
