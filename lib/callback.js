'use strict';
// JSCallback = decode, user function, encode: call.js in a mirror.

const binding = require('./binding');
const { makeError, makeWarning, wrongType } = require('./errors');
const { lane } = require('./lane');
const { typesOf, shapeOf, MOST_ARGUMENTS } = require('./marshal');
const { optionsOf } = require('./options');
const { callbackBrand } = require('./types');

const KEYS = { args: 'any', returns: 'any', threadsafe: 'boolean', wrap: 'boolean' };
const NAME = 'JSCallback';

// C then reaches JavaScript by V8's own functions, which were tried where that lane was.
if (lane().name === 'v8') binding.attachEntry(Number(process.versions.modules));

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

/** A pointer stays a tombstone until so many others of its shape were closed after it. */
const GRAVES = 1024;

/** Function pointers of one shape. Making C code is slow: closed ones are used again, the oldest first. */
class Pointers {
  #shape;
  #closed = [];
  #oldest = 0;

  constructor(shape) {
    this.#shape = shape;
  }

  open(callback, name, threadsafe) {
    const handler = this.#shape.handler(callback, NAME, { kept: undefined });
    if (this.#closed.length - this.#oldest <= GRAVES) {
      const native = new binding.Closure(this.#shape.native, handler, name, threadsafe);
      return { native, address: native.code, name };
    }
    const pointer = this.#closed[this.#oldest];
    this.#closed[this.#oldest++] = undefined;
    if (this.#oldest > GRAVES) {
      this.#closed.splice(0, this.#oldest);
      this.#oldest = 0;
    }
    pointer.native.open(handler, pointer.name === name ? undefined : name, threadsafe);
    pointer.name = name;
    return pointer;
  }

  close(pointer, tombstone) {
    pointer.native.close(tombstone);
    this.#closed.push(pointer);
  }
}
const pointersOf = new WeakMap();
/** The same by the names of the types, which is quicker. */
const pointersByName = new Map();

/** The names of a declaration's types as one text; undefined where some are no names. */
function namesOf(args, { returns = '', wrap }) {
  const isName = (type) => typeof type === 'string';
  if (args === undefined || !isName(returns) || !args.every(isName)) return undefined;
  return `${wrap} ${returns} ${args}`;
}

/** The types of the arguments, each read once; undefined where there is no such list. */
function listOf(args = []) {
  const length = Array.isArray(args) ? args.length : NaN;
  if (!(length <= MOST_ARGUMENTS)) return undefined;
  const list = [];
  for (let i = 0; i < length; i += 1) list.push(args[i]);
  return list;
}

/** The pointers of a declaration's types. `options` are a copy of it. */
function prepare(options) {
  const list = listOf(options.args);
  if (list !== undefined) options.args = list;
  const names = namesOf(list, options);
  const known = pointersByName.get(names);
  if (known !== undefined) return known;
  const types = typesOf(options, NAME);
  const given = types.args.findIndex((row) => row.argumentOnly);
  if (given >= 0) {
    throw makeError('ERR_INVALID_ARG_VALUE',
      `${NAME}: args[${given}] must not be ${types.args[given].name}: C has no such type`);
  }
  const shape = shapeOf(types, NAME);
  const pointers = pointersOf.get(shape) ?? new Pointers(shape);
  pointersOf.set(shape, pointers);
  if (names !== undefined) pointersByName.set(names, pointers);
  return pointers;
}

/** A C function pointer that calls a JavaScript function. It is held until it is closed. */
class JSCallback {
  #pointers;
  #pointer;
  #ptr;
  #threadsafe;
  #place;
  #isRef = false;

  constructor(callback, declaration) {
    if (typeof callback !== 'function') throw wrongType(`${NAME}: callback`, 'a function', callback);
    const options = optionsOf(declaration, KEYS, `${NAME}: declaration`);
    const pointers = prepare(options);
    const { name } = callback;
    this.#threadsafe = options.threadsafe === true;
    this.#place = placeOfCreation(new.target);
    this.#pointers = pointers;
    const called = typeof name === 'string' && name !== '' ? `${NAME} ${name}` : NAME;
    this.#pointer = pointers.open(callback, called, this.#threadsafe);
    this.#ptr = this.#pointer.address;
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
    this.#pointers.close(this.#pointer, tombstone(this.#pointer.name, this.#place));
  }

  [Symbol.dispose]() {
    this.close();
  }

  [Symbol.toPrimitive]() {
    return this.#ptr;
  }
}

module.exports = { JSCallback };
