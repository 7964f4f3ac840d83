'use strict';
// bind(): what users call = encode, enter, decode; and its asynchronous forms.

const binding = require('./binding');
const { parameter } = require('./contract');
const { makeSystemError, wrongValue } = require('./errors');
const { caller, routeOf } = require('./lane');
const { typesOf, shapeOf, wrongCount, MOST_ARGUMENTS } = require('./marshal');
const { ending, owning } = require('./opaque');
const { withOuts } = require('./outs');
const { launcher } = require('./pending');
const settings = require('./settings');
const { recorded, recordedJob } = require('./trace');
const { variadic } = require('./variadic');

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
 * @param {object} declaration checked by the caller: { args, returns, varargs, wrap, loose, name, guard, errno, fails, threads,
 *   nonblocking }
 * @param {import('./lifetime').Lifetime} lifetime of the library that must be open
 * @param {boolean} isSealed whether the caller runs `binding.sealLane()` before anybody can call the function
 */
function bind(name, address, declaration, lifetime, isSealed = false) {
  const types = typesOf(declaration, name);
  const check = checkerOf(failureOf(declaration.fails, name), name);
  const options = ((declaration.guard ?? settings.guard) ? GUARD : 0)
    | (declaration.errno || check ? ERRNO : 0)
    | (declaration.threads ? THREADS : 0);
  const entry = (shape, more) => binding.bind(name, address, shape.native, lifetime.native, options | more);
  const callerOf = (shape) => {
    if (check) return shape.checkedCaller(entry(shape, 0), name, check);
    // A variadic function is made for new types when it is called, with nobody to seal it.
    const mayBeFast = isSealed && options === 0 && !declaration.varargs;
    const route = mayBeFast ? routeOf(shape) : undefined;
    if (route === undefined) return shape.caller(entry(shape, 0), name);
    const [native, fast] =
      binding.bindFast(name, address, shape.native, lifetime.native, options, route.passing, route.result);
    const slow = shape.caller(native, name);
    return fast === undefined ? slow : caller(shape, route.route, fast, slow);
  };
  const enter = (shape) => recorded(callerOf(shape), name, shape, lifetime);
  const start = (thread) => (shape) => {
    const launch = launcher(entry(shape, ASYNC), shape, check, lifetime, thread);
    return shape.launcher(recordedJob(launch, name, shape, lifetime), name);
  };
  const made = (make) => {
    const call = (all) => ending(all.args, [name, declaration.name ?? name], make(shapeOf(all, name)));
    return withResults(types, declaration.varargs ? withExtras(types, call, name) : call(types), name);
  };
  const isPlain = !declaration.varargs && !types.args.some((row) => row.passes);
  const asyncOn = (thread) => (isPlain ? made(start(thread)) : rejecting(made(start(thread))));
  return describeBound(declaration.nonblocking ? asyncOn(null) : made(enter), name, address, asyncOn);
}

/** An asynchronous function that rejects where its outer layers would throw. */
function rejecting(call) {
  const caller = async (...values) => call(...values);
  return Object.defineProperty(caller, 'length', { value: call.length });
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

/** Prepares a variadic function for the types that follow the declared arguments. */
function withExtras(types, enter, name) {
  const fixed = types.args.length;
  return variadic(name, fixed, MOST_ARGUMENTS, (extras) => enter({
    args: [...types.args, ...extras],
    parameters: [...types.parameters, ...extras.map((row, i) => parameter(row, fixed + i))],
    result: types.result,
    fixed,
    loose: types.loose,
  }));
}

/** What comes back: the result alone, or with the values of out parameters; handles belong to their owners. */
function withResults(types, call, name) {
  const passed = types.args.filter((row) => row.passes);
  const given = passed.length === 0
    ? { rows: [types.result], of: (returned) => [returned] }
    : { rows: [types.result, ...passed.map((row) => row.target)], of: ({ returns, out }) => [returns, ...out] };
  return owning(given, passed.length === 0 ? call : withOuts(types, call, name, wrongCount));
}

module.exports = { bind, onThread };
