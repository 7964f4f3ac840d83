'use strict';
// Callbacks of a library: JavaScript functions as C function pointers, by their addresses.

const { isPromise } = require('node:util').types;
const { WeakRef } = require('../native/weak.js');
const { JSCallback } = require('../callback/js-callback.js');
const { callbackResultType, resultType } = require('./types.js');
const { wrongValue } = require('./words.js');

/** The result that C gets from a callback whose function was collected. */
const ZEROS = { __proto__: null, void: undefined, ptr: null, i64: 0n, u64: 0n };
const zeroOf = (type) => (type in ZEROS ? ZEROS[type] : 0);

/** The result of a callback. A Promise is refused: it would come too late. */
function atOnce(result) {
  if (typeof result === 'object' && isPromise(result)) throw wrongValue('Callbacks cannot return promises');
  return result;
}

/**
 * The function that C calls in place of the program's, which it gets each time from `held` or, after unref(), from
 * `weak`. Without lists of values, which cost more than the rest.
 */
function caller(target, count, zero) {
  const get = () => target.held ?? target.weak.deref() ?? (() => zero);
  if (count === 0) return () => atOnce(get()());
  if (count === 1) return (a) => atOnce(get()(a));
  if (count === 2) return (a, b) => atOnce(get()(a, b));
  if (count === 3) return (a, b, c) => atOnce(get()(a, b, c));
  return (...values) => atOnce(get()(...values));
}

/** A registered callback: its function is held, or may be collected after unref(). */
class Callback {
  #target;
  #pointer;

  /** The signature is one of the table's types. */
  constructor(callback, { returns, args }) {
    this.#target = { held: callback, weak: new WeakRef(callback) };
    const call = caller(this.#target, args.length, zeroOf(returns));
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
    this.#target.held = this.#target.weak.deref();
    return this.#target.held !== undefined;
  }

  /** Allows the function to be collected. Returns false if it was. */
  unref() {
    if (this.#target.weak.deref() === undefined) return false;
    this.#target.held = undefined;
    return true;
  }

  close() {
    this.#pointer.close();
  }
}

module.exports = { Callback };
