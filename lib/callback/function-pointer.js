'use strict';
// fn(): function pointers with a signature. One that C returns is callable; a JavaScript function that is passed
// becomes a function pointer for the duration of the call.

const binding = require('../native/binding.js');
const { bind } = require('../call/bind.js');
const { handlerOf } = require('./handler.js');
const { Closure, ClosurePool, KINDS, titleOf } = require('./closure.js');
const { DeclaredType } = require('../types/native-type.js');
const { makeError, makeWarning, locationOf } = require('../errors.js');
const { ScopedCallback } = require('../memory/retained.js');
const { WeakRef } = require('../native/weak.js');
const { Lifetime } = require('../call/library-lifetime.js');
const { refusingFunction } = require('../call/returns-twice.js');
const { readArgs, parseTypes, internSignature } = require('../call/signature.js');
const { parseOptions } = require('../validate.js');
const { readAddress, resolvePointer } = require('../types/pointers.js');
const { byName } = require('../types/registry.js');
const { describeSignature } = require('../types/show.js');

const KEYS = { args: 'any', returns: 'any', wrap: 'boolean', loose: 'boolean', varargs: 'boolean' };
const base = byName.get('function');
let keys = 0;

/** A JavaScript function unchanged, unless it has an address; anything else as for `function`. */
function resolve(value, name, position) {
  if (typeof value !== 'function') return resolvePointer(value, name, position);
  const address = value.ptr;
  const isBound = typeof address === 'number' || typeof address === 'bigint';
  return isBound && address !== /** @type {any} */ (Object.prototype).ptr ? address : value;
}

/** The functions that C has called after the calls which they were passed to: each is warned of once. */
const warned = new Set();

/** The pointer of a plain function. */
class ScopedClosure extends Closure {
  /** The function that ends its call. */
  scoped;

  constructor(signature, closed) {
    super(signature);
    this.scoped = new ScopedCallback(() => {
      this.close();
      closed.add(this);
    });
  }

  warn(to) {
    if (warned.has(to)) return;
    warned.add(to);
    process.emitWarning(
      makeWarning(
        `${to} was given a plain function, which lives for the call; native code called it ` +
          'afterwards, and got zero. Pass a JSCallback',
        { code: 'ERR_FFI_CALLBACK_CLOSED' },
      ),
    );
  }
}

/** Lends plain functions to calls. */
function scopedCallbacksOf(signature) {
  const closed = new ClosurePool();
  // The last argument that a function was passed for, in words: often it is the next one as well.
  let lastName;
  let lastPosition;
  let location;
  let title;
  return (callback, name, position) => {
    if (name !== lastName || position !== lastPosition) {
      [lastName, lastPosition, location] = [name, position, locationOf(name, position)];
      // Its name is not read: a getter may run the program's code, and other arguments are written already.
      title = titleOf(`a function passed to ${location}`);
    }
    const handler = handlerOf(signature, callback, location);
    const closure = closed.take() ?? new ScopedClosure(signature.native, closed);
    closure.open(handler, title, KINDS.scoped, location);
    return closure;
  };
}

/** The type of pointers to functions of a signature. */
function fn(declaration) {
  const options = parseOptions(declaration, KEYS, 'fn: declaration');
  // Read once: functions that are read later have the types of now.
  options.args = readArgs(options.args) ?? options.args;
  const types = parseTypes(options, 'fn', true);
  const mayCall = !options.varargs && !types.args.some((descriptor) => descriptor.argumentOnly);
  const shown = describeSignature(types.parameters, types.resultName);
  if (!mayCall) return Object.freeze(new DeclaredType(descriptorOf(options, shown)));
  const signature = internSignature(types, 'fn');
  if (!descriptorsOfSignatures.has(signature))
    descriptorsOfSignatures.set(signature, descriptorOf(options, shown, scopedCallbacksOf(signature)));
  return Object.freeze(new DeclaredType(descriptorsOfSignatures.get(signature)));
}

/** Equal signatures share a descriptor, and with it the scoped callbacks. */
const descriptorsOfSignatures = new WeakMap();

/** `shown` is its signature as it is printed. */
function descriptorOf(options, shown, makeScopedCallback) {
  const bound = new Map();
  return {
    ...base,
    // A JSCallback takes this in place of a declaration.
    declaration: makeScopedCallback === undefined ? undefined : options,
    name: 'fn',
    key: `fn ${(keys += 1)}`,
    retains: true,
    isFunction: true,
    shown,
    resolve,
    read(view, at) {
      const address = readAddress(view, at);
      if (address === null) return null;
      const known = bound.get(address)?.deref();
      if (known !== undefined) return known;
      // The pointer has no owner that could be closed.
      const made =
        refusingFunction(address) ?? bind('fn', address, options, new Lifetime(binding.Library.linked('fn')));
      bound.set(address, new WeakRef(made));
      return made;
    },
    write(view, at, value, name, position) {
      if (typeof value !== 'function') return base.write(view, at, value, name, position);
      if (makeScopedCallback === undefined) {
        throw makeError(
          'ERR_INVALID_ARG_TYPE',
          `${locationOf(name, position)} must be a function pointer: C cannot call JavaScript with this signature`,
        );
      }
      const { address, scoped } = makeScopedCallback(value, name, position);
      base.write(view, at, address, name, position);
      return scoped;
    },
  };
}

module.exports = { fn };
