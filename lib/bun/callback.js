'use strict';
// JSCallback with the behaviour of bun:ffi.

const main = require('../callback/js-callback.js');
const { isObject, callbackOf } = require('./declaration.js');
const { wrongArgument } = require('./messages.js');

function checked(callback, declaration) {
  if (!isObject(declaration)) throw wrongArgument('Expected object');
  if (typeof callback !== 'function') throw wrongArgument('Expected callback function');
  return callbackOf(declaration);
}

/** A C function pointer that calls a JavaScript function. */
class JSCallback extends main.JSCallback {
  constructor(callback, declaration) {
    super(callback, checked(callback, declaration));
  }

  [Symbol.toPrimitive]() {
    return this.ptr ?? 0;
  }
}

module.exports = { JSCallback };
