'use strict';
// JSCallback: C function pointers that call a JavaScript function until they are closed.

const binding = require('../native/binding.js');
const { handlerOf } = require('./handler.js');
const { Closure, ClosurePool, KINDS, titleOf } = require('./closure.js');
const { contextOfCallback } = require('../native/async-context.js');
const { atCaller, hex, makeError, makeWarning, Trace, typeNameOf, wrongType } = require('../errors.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { FinalizationRegistry } = require('../native/weak.js');
const { readArgs, parseTypes, internSignature } = require('../call/signature.js');
const { parseOptions } = require('../validate.js');
const { callbackBrand } = require('../types/pointers.js');
const { descriptorOf, isDeclared } = require('../types/registry.js');
const { describeSignature } = require('../types/show.js');

/** Parses a declaration that is C text; set by index.js, because the parser knows callbacks. */
let parseText;
const acceptText = (parse) => {
  parseText = parse;
};

const KEYS = { args: 'any', returns: 'any', threadsafe: 'boolean', wrap: 'boolean' };
const NAME = 'JSCallback';
const WHERE = `${NAME}: declaration`;

/** Callbacks that were collected without close(): C may keep their pointers, so their memory is kept too. */
let dropped = 0;
const MANY = 1000;
const registry = new FinalizationRegistry(() => {
  dropped += 1;
  if (dropped === MANY) {
    process.emitWarning(
      makeWarning(
        `${MANY} JSCallbacks were dropped without close(): each keeps its function and a ` +
          'native closure until the process ends. Call close(), or declare `using`.',
      ),
    );
  }
});

/**
 * Callbacks that are not in the registry yet: many are closed before the turn is over, and to register costs as much as
 * the rest. They are held until then, so that none is lost.
 */
let young = [];
const MOST_YOUNG = 64;
let willRegister = false;

function registerYoung() {
  const all = young;
  young = [];
  all.forEach(register);
}

function endTurn() {
  willRegister = false;
  made = 0;
  registerYoung();
}

function addYoung(callback) {
  if (!willRegister) {
    willRegister = true;
    nextTurn.then(endTurn);
  } else if (young.length === MOST_YOUNG) {
    registerYoung();
  }
  made += 1;
  return young.push(callback) - 1;
}
const nextTurn = Promise.resolve();
/** Puts a young one into the registry. */
let register;

/**
 * The number of callbacks that were made in this turn. Recording the stack takes several times as long as the rest, so
 * of those that are made without a pause only so many have one.
 */
let made = 0;
const MOST_LOCATED = 256;

/** Limits the frames of stacks. It has no effect if a program has frozen Error. */
function limitStacks(most) {
  try {
    Error.stackTraceLimit = most;
  } catch {
    // It is only what the frames cost.
  }
}

/** The line of the user's code that made a callback of a class that the user derived. */
function captureSite(constructor) {
  const createdAt = {};
  Error.captureStackTrace(createdAt, constructor);
  return createdAt;
}

/** The frame of the user's code. Of an Error the first one is that of the constructor. */
function frameOf(createdAt) {
  const lines = String(createdAt.stack).split('\n');
  return (lines[createdAt instanceof Error ? 2 : 1] ?? lines.at(-1)).trim();
}

/** A function pointer. */
class Pointer extends Closure {
  /** The asynchronous context of the function. */
  context;
  /** The text of the warning for a call after close(). */
  origin;

  warn(origin) {
    if (origin.warned) return;
    origin.warned = true;
    const { name, createdAt } = origin;
    const where =
      createdAt === undefined
        ? `without a pause after ${MOST_LOCATED} others, and only of those the place is noted`
        : frameOf(createdAt);
    process.emitWarning(
      makeWarning(
        `a ${name} was called by native code after its close(), and returned zero; it ` + `was created ${where}`,
        { code: 'ERR_FFI_CALLBACK_CLOSED' },
      ),
    );
  }
}

/** Function pointers of one signature. */
class Pointers {
  #signature;
  #closed = new ClosurePool();

  constructor(signature) {
    this.#signature = signature;
  }

  open(callback, name, threadsafe) {
    const pointer = this.#closed.take() ?? new Pointer(this.#signature.native);
    pointer.context = contextOfCallback();
    // `createdAt`: the stack of the callback's creation, made into text only when needed. It is set by close().
    const origin = { name, createdAt: undefined, warned: false };
    pointer.origin = origin;
    pointer.open(
      handlerOf(this.#signature, callback, NAME, pointer.context),
      knownTitle(name),
      threadsafe ? KINDS.threadsafe : KINDS.usual,
      origin,
    );
    return pointer;
  }

  /** The types, as `(ptr, ptr) => int`. */
  describe() {
    const { parameters, result, resultPosition } = this.#signature;
    return describeSignature(parameters, typeNameOf(result, resultPosition));
  }

  close(pointer, createdAt) {
    pointer.origin.createdAt = createdAt;
    pointer.context = undefined;
    pointer.close();
    this.#closed.add(pointer);
  }
}
const pointersOf = new WeakMap();

/** A declaration that is C text, or an array that ends in it. */
function textOrOptions(value) {
  const isText = typeof value === 'string' || (Array.isArray(value) && typeof value.at(-1) === 'string');
  return isText
    ? { threadsafe: undefined, wrap: undefined, ...parseText(value, WHERE, true) }
    : parseOptions(value, KEYS, WHERE);
}

/** The arguments of fn(). */
function declarationOfType(type) {
  const { declaration, isFunction } = descriptorOf(type);
  if (declaration !== undefined) return declaration;
  const expected = isFunction ? 'a type that C can call JavaScript with' : 'the type of a function, as fn() returns';
  throw wrongType(WHERE, `${expected}, not ${descriptorOf(type).name}`, type);
}

/**
 * Reads a declaration, each key once and by name, which is faster than parseOptions; that function then refuses what is
 * wrong.
 */
function declarationOf(value) {
  const options = { args: undefined, returns: undefined, threadsafe: undefined, wrap: undefined };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return textOrOptions(value);
  for (const key of Object.keys(value)) {
    switch (key) {
      case 'args':
        options.args = value.args;
        break;
      case 'returns':
        options.returns = value.returns;
        break;
      case 'threadsafe':
        options.threadsafe = value.threadsafe;
        break;
      case 'wrap':
        options.wrap = value.wrap;
        break;
      default:
        return isDeclared(value) ? declarationOfType(value) : parseOptions(value, KEYS, WHERE);
    }
  }
  const { threadsafe, wrap } = options;
  const isRight =
    (threadsafe === undefined || typeof threadsafe === 'boolean') && (wrap === undefined || typeof wrap === 'boolean');
  return isRight ? options : parseOptions(value, KEYS, WHERE);
}

/** The last function's name, and what messages call its callback: a text that is made once is compared at once. */
let lastName = '';
let lastCalled = NAME;
/** The last name of a callback and its title. */
let titled;
let title;

function calledBy(name) {
  if (typeof name !== 'string' || name === '') return NAME;
  if (name !== lastName) [lastName, lastCalled] = [name, `${NAME} ${name}`];
  return lastCalled;
}

function knownTitle(name) {
  if (name !== titled) [titled, title] = [name, titleOf(name)];
  return title;
}

/**
 * The last declarations that say everything by names, each with its pointers: there are few, and they are made again.
 */
const recent = [];
const MOST_RECENT = 16;
let oldest = 0;

function isSame(known, list, returns, wrap) {
  if (known.returns !== returns || known.wrap !== wrap || known.list.length !== list.length) return false;
  for (let i = 0; i < list.length; i += 1) if (known.list[i] !== list[i]) return false;
  return true;
}

/** The pointers of a declaration's types. */
function prepare({ args, returns, wrap }) {
  const list = readArgs(args);
  if (list !== undefined) {
    for (let i = 0; i < recent.length; i += 1) if (isSame(recent[i], list, returns, wrap)) return recent[i].pointers;
  }
  const pointers = makePointers({ __proto__: null, args: list ?? args, returns, wrap });
  const isNamed = list !== undefined && [...list, returns ?? ''].every((type) => typeof type === 'string');
  if (isNamed) {
    recent[oldest] = { list, returns, wrap, pointers };
    oldest = (oldest + 1) % MOST_RECENT;
  }
  return pointers;
}

function makePointers(declaration) {
  const types = parseTypes(declaration, NAME, true);
  const invalid = types.args.findIndex((descriptor) => descriptor.argumentOnly);
  if (invalid >= 0) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${NAME}: args[${invalid}] must not be ${types.args[invalid].name}: C has no such type`,
    );
  }
  const signature = internSignature(types, NAME);
  const pointers = pointersOf.get(signature) ?? new Pointers(signature);
  pointersOf.set(signature, pointers);
  return pointers;
}

/** A C function pointer that calls a JavaScript function. It is held until it is closed. */
class JSCallback extends Uncloneable {
  #pointers;
  #pointer;
  #ptr;
  #threadsafe;
  /** The stack of its creation. It refers to this object, so nothing else holds it before close(). */
  #createdAt;
  #isRef = false;
  /** Its index among the young ones; -1 once it is registered. */
  #age;

  constructor(callback, declaration) {
    super();
    // The last frame is that of the user's code. Before all else: what is alive here V8 decodes to find the frames.
    if (made < MOST_LOCATED) {
      const isPlain = new.target === JSCallback;
      const { stackTraceLimit } = Error;
      limitStacks(isPlain ? 2 : 1);
      this.#createdAt = isPlain ? new Trace() : captureSite(new.target);
      limitStacks(stackTraceLimit);
    }
    let options;
    let pointers;
    try {
      if (typeof callback !== 'function') throw wrongType(`${NAME}: callback`, 'a function', callback);
      options = declarationOf(declaration);
      pointers = prepare(options);
    } catch (error) {
      throw atCaller(error, JSCallback); // node-do-not-add-exception-line
    }
    const { name } = callback;
    const called = calledBy(name);
    this.#threadsafe = options.threadsafe === true;
    this.#pointers = pointers;
    this.#pointer = pointers.open(callback, called, this.#threadsafe);
    this.#ptr = this.#pointer.address;
    this.#age = addYoung(this);
  }

  static {
    register = (callback) => {
      callback.#age = -1;
      registry.register(callback, undefined, callback);
    };
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
      this.#noteRef(true);
      binding.refQueue();
    }
    return this;
  }

  /** Takes ref() back; returns this. */
  unref() {
    if (this.#isRef) {
      this.#noteRef(false);
      binding.unrefQueue();
    }
    return this;
  }

  #noteRef(isRef) {
    this.#isRef = isRef;
    const { context } = this.#pointer;
    if (context !== undefined) context.isRef = isRef;
  }

  /** Releases the function. A later call by C returns zero, and the first one prints a warning. */
  close() {
    if (this.#ptr === null) return;
    this.unref();
    this.#forget();
    this.#ptr = null;
    this.#pointers.close(this.#pointer, this.#createdAt);
  }

  #forget() {
    if (this.#age < 0) {
      registry.unregister(this);
      return;
    }
    const last = young.pop();
    if (last === this) return;
    young[this.#age] = last;
    last.#age = this.#age;
  }

  [Symbol.dispose]() {
    this.close();
  }

  [Symbol.toPrimitive]() {
    return this.#ptr;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `JSCallback ${this.#pointers.describe()} <${this.#ptr === null ? 'closed' : hex(this.#ptr)}>`;
  }

  /** Its types and its address, which is null once it is closed. */
  toJSON() {
    return { signature: this.#pointers.describe(), ptr: this.#ptr === null ? null : Number(this.#ptr) };
  }
}

refusingClones(JSCallback);

module.exports = { JSCallback, acceptText };
