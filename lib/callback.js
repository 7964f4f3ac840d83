'use strict';
// JSCallback = decode, user function, encode: call.js in a mirror.

const binding = require('./binding');
const { makeError, makeWarning, wrongType } = require('./errors');
const { typesOf, shapeOf } = require('./marshal');
const { optionsOf } = require('./options');
const { callbackBrand } = require('./types');

const KEYS = { args: 'any', returns: 'any', threadsafe: 'boolean', wrap: 'boolean' };
const NAME = 'JSCallback';

/** Callbacks that were collected without close(): C may keep their pointers, so their memory is kept too. */
let dropped = 0;
const MANY = 1000;
const registry = new FinalizationRegistry(() => {
  dropped += 1;
  if (dropped === MANY) {
    process.emitWarning(makeWarning(`${MANY} JSCallbacks were dropped without close(): each keeps its function and a `
      + 'native closure until the process ends. Call close(), or declare `using`.'));
  }
});

/** Where the user's code made a callback: captured now, put into words only when needed. */
function placeOfCreation(constructor) {
  const place = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(place, constructor);
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

/** What C reaches when it calls a closed callback: warns once, and C gets zero. */
function tombstone(name, place) {
  let warned = false;
  return () => {
    if (warned) return;
    warned = true;
    const where = String(place.stack).split('\n').at(-1).trim();
    process.emitWarning(makeWarning(`a ${name} was called by native code after its close(), and returned zero; it was `
      + `created ${where}`, { code: 'ERR_FFI_CALLBACK_CLOSED' }));
  };
}

/** A C function pointer that calls a JavaScript function. It is held until it is closed. */
class JSCallback {
  #closure;
  #ptr;
  #threadsafe;
  #name;
  #place;
  #isRef = false;

  constructor(callback, declaration) {
    if (typeof callback !== 'function') throw wrongType(`${NAME}: callback`, 'a function', callback);
    const options = optionsOf(declaration, KEYS, `${NAME}: declaration`);
    const types = typesOf(options, NAME);
    const given = types.args.findIndex((row) => row.argumentOnly);
    if (given >= 0) {
      throw makeError('ERR_INVALID_ARG_VALUE',
        `${NAME}: args[${given}] must not be ${types.args[given].name}: C has no such type`);
    }
    const shape = shapeOf(types, NAME);
    const keeper = { kept: undefined };
    this.#threadsafe = options.threadsafe === true;
    this.#name = typeof callback.name === 'string' && callback.name !== '' ? `${NAME} ${callback.name}` : NAME;
    this.#place = placeOfCreation(new.target);
    const handler = shape.handler(callback, NAME, keeper);
    this.#closure = new binding.Closure(shape.native, handler, this.#name, this.#threadsafe);
    this.#ptr = this.#closure.code;
    registry.register(this, undefined, this);
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

  /** Keeps the process alive while native threads may still call; returns this. */
  ref() {
    if (!this.#isRef && this.#ptr !== null) {
      this.#isRef = true;
      binding.refQueue();
    }
    return this;
  }

  /** Takes ref() back; returns this. */
  unref() {
    if (this.#isRef) {
      this.#isRef = false;
      binding.unrefQueue();
    }
    return this;
  }

  /** Lets the function go. A call that C still makes returns zero, and is warned of once. */
  close() {
    if (this.#ptr === null) return;
    this.unref();
    registry.unregister(this);
    this.#ptr = null;
    this.#closure.close(tombstone(this.#name, this.#place));
  }

  [Symbol.dispose]() {
    this.close();
  }

  [Symbol.toPrimitive]() {
    return this.#ptr;
  }
}

module.exports = { JSCallback };
