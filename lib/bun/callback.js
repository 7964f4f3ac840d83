'use strict';
// JSCallback with the behaviour of bun:ffi.

const main = require('../callback/js-callback.js');
const { atCaller } = require('../errors.js');
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
    try {
      super(callback, checked(callback, declaration));
    } catch (error) {
      throw atCaller(error, JSCallback); // node-do-not-add-exception-line
    }
  }

  [Symbol.toPrimitive]() {
    return this.ptr ?? 0;
  }
}

module.exports = { JSCallback };
