'use strict';
// with(): asynchronous calls that a signal or a timeout ends for the caller. C is not stopped: nothing can do that
// safely.

const { atCaller, wrongType } = require('../errors.js');
const { integerOf, parseOptions } = require('../validate.js');

const KEYS = { signal: 'any', timeout: 'any' };
/** The longest time that setTimeout accepts. */
const MOST_MS = 2 ** 31 - 1;

/** The signals of the options: the user's, and one that the timeout aborts. */
function signalsOf(options, where) {
  const { signal, timeout } = parseOptions(options, KEYS, where);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrongType(`${where}.signal`, 'an AbortSignal', signal);
  const ms =
    timeout === undefined
      ? undefined
      : integerOf(timeout, `${where}.timeout`, `an integer from 0 to ${MOST_MS} (milliseconds)`, 0, MOST_MS);
  return { signal, ms };
}

/** A Promise that settles as `call` does, or rejects as soon as one of the signals is aborted. */
function untilAborted(call, signals) {
  return new Promise((resolve, reject) => {
    const abort = (event) => reject(event.target.reason);
    const end = () => signals.forEach((signal) => signal.removeEventListener('abort', abort));
    signals.forEach((signal) => signal.addEventListener('abort', abort, { once: true }));
    // Later results and failures are dropped.
    call.then(resolve, reject).finally(end);
  });
}

/**
 * The same function, whose Promise rejects early: with the signal's reason, or with a TimeoutError after so many
 * milliseconds.
 */
function abortable(call, options) {
  const { signal, ms } = signalsOf(options, `${call.name}: options`);
  const caller = async function (/* C function of pinned-ffi: a worker must open the library itself. */ ...values) {
    signal?.throwIfAborted();
    const signals = signal === undefined ? [] : [signal];
    const started = call(...values);
    if (ms !== undefined) signals.push(AbortSignal.timeout(ms));
    return untilAborted(started, signals);
  };
  return Object.defineProperties(caller, { name: { value: call.name }, length: { value: call.length } });
}

const custom = Symbol.for('nodejs.util.inspect.custom');
/** What asynchronous functions are printed as: their source would be that of the package. */
const asyncPrototype = Object.create(Function.prototype, {
  toString: {
    value() {
      return `function ${this.name}.async() { [native code] }`;
    },
  },
  [custom]: {
    value(depth, options) {
      return options.stylize(`[AsyncFunction: ${this.name}]`, 'special');
    },
  },
});

/** Gives an asynchronous function its `with`. */
function addAbort(call) {
  const withOptions = (options) => {
    try {
      return abortable(call, options);
    } catch (error) {
      throw atCaller(error, withOptions); // node-do-not-add-exception-line
    }
  };
  Object.setPrototypeOf(call, asyncPrototype);
  return Object.defineProperty(call, 'with', { value: withOptions, writable: true, configurable: true });
}

/** An asynchronous function that rejects where its outer layers would throw. */
function rejecting(call) {
  const caller = async function (/* C function of pinned-ffi: a worker must open the library itself. */ ...values) {
    return call(...values);
  };
  return Object.defineProperty(caller, 'length', { value: call.length });
}

module.exports = { addAbort, rejecting };
