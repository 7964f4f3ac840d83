'use strict';
// bind(): what users call = encode, enter, decode; and its asynchronous forms.

const binding = require('./binding');
const { makeSystemError, wrongValue } = require('./errors');
const { typesOf, shapeOf } = require('./marshal');
const { lockAll } = require('./memory');
const settings = require('./settings');

// Bits of the native bind(): src/js/function.rs, Options.
const GUARD = 1;
const ERRNO = 2;
const THREADS = 4;
const ASYNC = 8;

const FAILURES = {
  __proto__: null,
  negative: (result) => result < 0,
  null: (result) => result === null,
  nonzero: (result) => result !== 0 && result !== 0n,
};

/** What tells that a call failed, from a declaration's `fails`. */
function failureOf(fails, name) {
  if (fails === undefined || typeof fails === 'function') return fails;
  const known = typeof fails === 'string' ? FAILURES[fails] : undefined;
  if (known === undefined) throw wrongValue(`${name}: fails`, "a function, 'negative', 'null' or 'nonzero'", fails);
  return known;
}

/** Returns a result, or throws the system error that errno tells. */
const checkerOf = (failed, name) => failed && ((result) => {
  if (failed(result)) throw makeSystemError(binding.lastErrno(), name);
  return result;
});

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {object} declaration checked by the caller: { args, returns, wrap, guard, errno, fails, threads, nonblocking }
 * @param {import('./lifetime').Lifetime} lifetime of the library that must be open
 */
function bind(name, address, declaration, lifetime) {
  const shape = shapeOf(typesOf(declaration, name), name);
  const check = checkerOf(failureOf(declaration.fails, name), name);
  const options = ((declaration.guard ?? settings.guard) ? GUARD : 0)
    | (declaration.errno || check ? ERRNO : 0)
    | (declaration.threads ? THREADS : 0);
  const entry = (more) => binding.bind(name, address, shape.native, lifetime.native, options | more);
  const asyncOn = (thread) => shape.launcher(launcher(entry(ASYNC), shape.decode, check, lifetime, thread), name);
  const call = declaration.nonblocking ? asyncOn(null)
    : check ? shape.checkedCaller(entry(0), name, check) : shape.caller(entry(0), name);
  return describeBound(call, name, address, asyncOn);
}

const onThread = Symbol('onThread');

function describeBound(call, name, address, asyncOn) {
  let made;
  return Object.defineProperties(call, {
    name: { value: name, configurable: true },
    ptr: { value: address, enumerable: true },
    native: { value: call },
    async: { get: () => (made ??= Object.defineProperty(asyncOn(null), 'name', { value: name })) },
    [onThread]: { value: asyncOn },
  });
}

/** Starts a call on another thread: what is passed stays alive, and locked, until the Promise settles. */
function launcher(enter, decode, check, lifetime, thread) {
  return (pins) => new Promise((resolve, reject) => {
    const unlock = lockAll(pins);
    const end = () => {
      unlock();
      lifetime.end();
    };
    lifetime.begin();
    const done = (failed, value) => {
      end();
      if (failed) return reject(value);
      try {
        const result = decode(value);
        return resolve(check ? check(result) : result);
      } catch (error) {
        return reject(error);
      }
    };
    try {
      enter(done, thread, ...pins);
    } catch (error) {
      end();
      reject(error);
    }
  });
}

module.exports = { bind, onThread };
