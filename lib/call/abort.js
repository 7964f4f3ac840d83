'use strict';
// with(): asynchronous calls that a signal or a timeout ends for the caller. C is not stopped: nothing can do that
// safely.

const { atCaller, wrongType } = require('../errors.js');
const { integerOf, parseOptions } = require('../validate.js');

const KEYS = { signal: 'any', timeout: 'any' };
/** The longest time that setTimeout accepts. */
const MOST_MS = 2 ** 31 - 1;

/** Whether a value is a signal: Node's, or one of another realm or library. */
const isSignal = (value) =>
  typeof value === 'object' &&
  value !== null &&
  typeof value.aborted === 'boolean' &&
  typeof value.addEventListener === 'function';

/** The reason of an aborted signal; signals of other libraries may have none. */
const reasonOf = (signal) =>
  'reason' in signal ? signal.reason : new DOMException('This operation was aborted', 'AbortError');

/** The signals of the options: the user's, and one that the timeout aborts. */
function signalsOf(options, where) {
  const { signal, timeout } = parseOptions(options, KEYS, where);
  if (signal !== undefined && !isSignal(signal)) throw wrongType(`${where}.signal`, 'an AbortSignal', signal);
  const ms =
    timeout === undefined
      ? undefined
      : integerOf(timeout, `${where}.timeout`, `an integer from 0 to ${MOST_MS} (milliseconds)`, 0, MOST_MS);
  return { signal, ms };
}

/** A Promise that settles as `call` does, or rejects as soon as one of the signals is aborted. */
function untilAborted(call, signals) {
  return new Promise((resolve, reject) => {
    const listeners = signals.map((signal) => () => reject(reasonOf(signal)));
    const end = () => signals.forEach((signal, i) => signal.removeEventListener('abort', listeners[i]));
    signals.forEach((signal, i) => signal.addEventListener('abort', listeners[i], { once: true }));
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
    if (signal?.aborted) throw reasonOf(signal);
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
