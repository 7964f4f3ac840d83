'use strict';
// JSCallback = decode, user function, encode: call.js in a mirror.

const binding = require('./binding');
const { makeError, wrongType } = require('./errors');
const { typesOf, shapeOf } = require('./marshal');
const { optionsOf } = require('./options');
const { callbackBrand } = require('./types');

const KEYS = { args: 'any', returns: 'any', threadsafe: 'boolean', wrap: 'boolean' };
const NAME = 'JSCallback';

/** A C function pointer that calls a JavaScript function. It is held until it is closed. */
class JSCallback {
  #closure;
  #ptr;
  #threadsafe;

  constructor(callback, declaration) {
    if (typeof callback !== 'function') throw wrongType(`${NAME}: callback`, 'a function', callback);
    const options = optionsOf(declaration, KEYS, `${NAME}: declaration`);
    const types = typesOf(options, NAME);
    const given = types.args.findIndex((row) => row.argumentOnly);
    if (given >= 0) {
      throw makeError('ERR_INVALID_ARG_VALUE', `${NAME}: args[${given}] must not be ${types.args[given].name}: C has no such type`);
    }
    const shape = shapeOf(types, NAME);
    const keeper = { kept: undefined };
    this.#closure = new binding.Closure(shape.native, shape.handler(callback, NAME, keeper));
    this.#ptr = this.#closure.code;
    this.#threadsafe = options.threadsafe === true;
  }

  /** The function pointer; null once closed. */
  get ptr() {
    return this.#ptr;
  }

  get threadsafe() {
    return this.#threadsafe;
  }

  get [callbackBrand]() {
    return true;
  }

  /** Lets the function go. A call that C still makes returns zero. */
  close() {
    this.#closure.close();
    this.#ptr = null;
  }

  [Symbol.dispose]() {
    this.close();
  }

  [Symbol.toPrimitive]() {
    return this.#ptr;
  }
}

module.exports = { JSCallback };
