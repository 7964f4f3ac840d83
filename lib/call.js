'use strict';
// bind(): what users call = encode, enter, decode; and its asynchronous forms.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const binding = require('./binding');
const { makeFailure, wrongValue } = require('./errors');
const { routeOf } = require('./lane');
const { late } = require('./late');
const { typesOf, shapeOf, MOST_ARGUMENTS } = require('./marshal');
const settings = require('./settings');
const trace = settings.trace ? require('./trace') : undefined;
const { byName } = require('./types');

// Most programs have neither asynchronous calls nor such declarations.
const pending = late(() => require('./pending'));
const around = late(() => require('./around'));

// Bits of the native bind(): src/call/bound_function.rs, Options.
const GUARD = 1;
const ERRNO = 2;
const THREADS = 4;
const FREES = 8;

const FAILURES = {
  __proto__: null,
  negative: (result) => result < 0,
  null: (result) => result === null,
  nonzero: (result) => result !== 0 && result !== 0n,
};

/** What tells that a call failed, from a declaration's `fails`. */
function failureOf(fails, name) {
  if (typeof fails === 'function') return fails;
  const known = typeof fails === 'string' ? FAILURES[fails] : undefined;
  if (known === undefined) throw wrongValue(`${name}: fails`, "a function, 'negative', 'null' or 'nonzero'", fails);
  return known;
}

/** Returns a result, or throws what it and errno say of the failure. */
const checkerOf = (failed, name) => failed && ((result) => {
  if (failed(result)) throw makeFailure(binding.lastErrno(), name, result);
  return result;
});

// ---- what functions of equal declarations have in common ------------------------------------------------------------

const makeKind = (function (declaration, name) {
  const types = typesOf(declaration, name);
  const { varargs, nonblocking, guard = settings.guard, errno, fails, threads } = declaration;
  const failed = fails === undefined ? undefined : failureOf(fails, name);
  const options = (guard ? GUARD : 0) | (errno || failed ? ERRNO : 0) | (threads ? THREADS : 0);
  let passes = false;
  let isPlain = !varargs && !types.result.opaque;
  for (let i = 0; i < types.args.length; i += 1) {
    const row = types.args[i];
    if (row.passes) passes = true;
    if (row.passes || row.opaque) isPlain = false;
  }
  const shape = isPlain ? shapeOf(types, name) : undefined;
  const isDirect = isPlain && !nonblocking && trace === undefined;
  return { types, failed, options, varargs, nonblocking, passes, shape, isDirect };
});

/** The kinds of declarations that say all by names: Maps in Maps, by what they say, with the kind under `KIND`. */
const kinds = new Map();
const KIND = Symbol('kind');
/** What a symbol has of its own. */
const OF_SYMBOL = new Set(['name', 'ptr', 'optional']);

/** The kind of a declaration, whose `args` are read once. */
const kindOf = (function (declaration, name) {
  let place = kinds;
  for (const key in declaration) {
    if (OF_SYMBOL.has(key)) continue;
    const value = declaration[key];
    place = place?.get(key);
    if (key !== 'args') place = place?.get(value);
    else {
      const length = Array.isArray(value) ? Math.trunc(value.length) : NaN;
      // What is wrong with such a list is said by what makes kinds.
      if (!(length >= 0 && length <= MOST_ARGUMENTS)) return makeKind(declaration, name);
      const list = declaration.args = new Array(length);
      place = place?.get(length);
      for (let i = 0; i < length; i += 1) {
        const type = list[i] = value[i];
        place = place?.get(type);
      }
    }
  }
  return place?.get(KIND) ?? addKind(declaration, name);
});

/** What follows in `kinds` for a name, which is made; undefined for what is no name. */
const step = (function (place, key) {
  if (place === undefined || typeof key === 'object' || typeof key === 'function') return undefined;
  if (!place.has(key)) place.set(key, new Map());
  return place.get(key);
});

const addKind = (function (declaration, name) {
  const kind = makeKind(declaration, name);
  let place = kinds;
  for (const key in declaration) {
    if (OF_SYMBOL.has(key)) continue;
    const value = declaration[key];
    place = step(place, key);
    place = key === 'args' ? value.reduce(step, step(place, value.length)) : step(place, value);
  }
  place?.set(KIND, kind);
  return kind;
});

// ---- a bound function -----------------------------------------------------------------------------------------------

/**
 * The number of the function with the types of a shape (a variadic one has several), and what has to be alive. A function that
 * frees a handle has a separate shape.
 */
const targetOf = (function (behind, shape, frees) {
  for (let known = behind.last; known !== undefined; known = known.before) if (known.shape === shape) return known;
  const library = behind.lifetime.native;
  const number = binding.bind(behind.name, behind.address, shape.native, library, behind.kind.options | (frees ? FREES : 0));
  return behind.last = { shape, number, library, before: behind.last };
});

/** The function of a shape that calls at once. Whether one that frees has failed is checked by who ends the handle. */
const callerOf = (function (behind, shape, frees = false) {
  const { name, kind } = behind;
  const target = targetOf(behind, shape, frees);
  if (kind.failed !== undefined && !frees) return shape.checkedCaller(target, name, checkerOf(kind.failed, name));
  const route = behind.mayBeFast && kind.options === 0 ? routeOf(shape) : null;
  return route !== null && binding.runsNoScript(behind.address) ? route(target, name) : shape.caller(target, name);
});

/** The function of a shape that has a thread call: libuv's for null. */
function launcherOf(behind, shape, thread, frees) {
  const { name, kind, lifetime } = behind;
  const { launcher } = pending();
  const launch = launcher(targetOf(behind, shape, frees), name, shape, frees ? undefined : checkerOf(kind.failed, name), lifetime, thread);
  return shape.launcher(trace === undefined ? launch : trace.recordedJob(launch, name, shape, lifetime), name);
}

/** The function of a shape: it calls at once, or has a thread call where one is given. */
function functionOf(behind, shape, thread, frees = false) {
  if (thread !== undefined) return launcherOf(behind, shape, thread, frees);
  const call = callerOf(behind, shape, frees);
  return trace === undefined ? call : trace.recorded(call, behind.name, shape, behind.lifetime);
}

/** The same with all that a declaration may ask for around it. */
function make(behind, thread) {
  const { name, kind: { types, varargs, shape, failed } } = behind;
  if (shape !== undefined) return functionOf(behind, shape, thread);
  const makeFor = (all, frees) => functionOf(behind, shapeOf(all, name), thread, frees);
  return around().around(types, varargs, [name, behind.inC], makeFor, checkerOf(failed, name));
}

/** The function that has a thread call. */
function asyncOn(behind, thread) {
  const call = make(behind, thread);
  return behind.kind.varargs || behind.kind.passes ? rejecting(call) : call;
}

/** Has a function the name. Those of `callerOf` have it from the start: to change it makes all properties slow. */
const named = (call, name) => (call.name === name ? call : Object.defineProperty(call, 'name', { value: name }));

/** The function of a declaration that asks for more than a call. */
const made = (behind) => named(behind.kind.nonblocking ? asyncOn(behind, null) : make(behind, undefined), behind.name);

const bound = Symbol('bound');

/** What bound functions have beside what functions have. */
const boundPrototype = Object.create(Function.prototype, {
  ptr: { get() { return this[bound]?.address; } },
  native: { get() { return this; } },
  async: {
    get() {
      const behind = this[bound];
      return (behind.asynchronous ??= named(asyncOn(behind, null), behind.name));
    },
  },
});
/** A property of their own; one object serves for all. */
const own = { value: undefined };

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {object} declaration a copy, checked by the caller: { args, returns, varargs, wrap, loose, name, guard, errno, fails,
 *   threads, nonblocking }
 * @param {import('./lifetime').Lifetime} lifetime of the library that must be open
 * @param {boolean} mayBeFast whether the V8 lane may serve it: it runs no JavaScript but by a JSCallback
 */
const bind = (function (name, address, declaration, lifetime, mayBeFast = true) {
  const kind = kindOf(declaration, name);
  // What is behind the function; `inC` is what C calls it.
  const behind = {
    name, inC: declaration.name ?? name, address, kind, lifetime, mayBeFast, last: undefined, asynchronous: undefined,
  };
  const call = kind.isDirect ? callerOf(behind, kind.shape) : made(behind);
  own.value = behind;
  return Object.defineProperty(Object.setPrototypeOf(call, boundPrototype), bound, own);
});

/** The function that calls what a bound one calls, on a thread of the user's own. */
const onThread = (call, thread) => named(asyncOn(call[bound], thread), call.name);

/** An asynchronous function that rejects where its outer layers would throw. */
function rejecting(call) {
  const caller = async (...values) => call(...values);
  return Object.defineProperty(caller, 'length', { value: call.length });
}

module.exports = { bind, onThread };
