'use strict';
// bind(): what users call = encode, enter, decode.

const binding = require('./binding');
const { typesOf, shapeOf } = require('./marshal');

const guarded = process.env.PINNED_FFI_GUARD === '1';

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {object} declaration checked by the caller: { args, returns, wrap, guard }
 * @param {object} library the native library that must be open
 */
function bind(name, address, declaration, library) {
  const shape = shapeOf(typesOf(declaration, name), name);
  const call = shape.caller(binding.bind(name, address, shape.native, library, declaration.guard ?? guarded), name);
  return Object.defineProperties(call, {
    name: { value: name, configurable: true },
    ptr: { value: address, enumerable: true },
    native: { value: call },
  });
}

module.exports = { bind };
