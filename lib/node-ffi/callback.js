'use strict';
// Callbacks of a library: JavaScript functions as C function pointers, by their addresses.

const { isPromise } = require('node:util').types;
const { JSCallback } = require('../callback/js-callback.js');
const { callbackResultType, resultType } = require('./types.js');
const { wrongValue } = require('./words.js');

/** The result that C gets from a callback whose function was collected. */
const ZEROS = { __proto__: null, void: undefined, ptr: null, i64: 0n, u64: 0n };
const zeroOf = (type) => (type in ZEROS ? ZEROS[type] : 0);

/** A registered callback: its function is held, or may be collected after unref(). */
class Callback {
  #held;
  #weak;
  #pointer;

  /** The signature is one of the table's types. */
  constructor(callback, { returns, args }) {
    this.#held = callback;
    this.#weak = new WeakRef(callback);
    const zero = zeroOf(returns);
    const call = (...values) => {
      const target = this.#held ?? this.#weak.deref();
      if (target === undefined) return zero;
      const result = Reflect.apply(target, undefined, values);
      if (isPromise(result)) throw wrongValue('Callbacks cannot return promises');
      return result;
    };
    this.#pointer = new JSCallback(Object.defineProperty(call, 'name', { value: callback.name }), {
      args: args.map(resultType),
      returns: callbackResultType(returns),
    });
  }

  get address() {
    return BigInt(this.#pointer.ptr);
  }

  /** Holds the function; false if it was collected. */
  ref() {
    this.#held = this.#weak.deref();
    return this.#held !== undefined;
  }

  /** Lets the function be collected; false if it was. */
  unref() {
    if (this.#weak.deref() === undefined) return false;
    this.#held = undefined;
    return true;
  }

  close() {
    this.#pointer.close();
  }
}

module.exports = { Callback };
