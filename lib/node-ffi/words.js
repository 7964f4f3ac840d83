'use strict';
// Node's error messages. Where the main entry's error says more, it is their `cause`.

const { inspect } = require('node:util');
const { makeError } = require('../errors.js');

const causedBy = (cause) => (cause === undefined ? undefined : { cause });

/** Node's error about a value of a kind that it does not take. */
const wrongType = (message, cause) => makeError('ERR_INVALID_ARG_TYPE', message, causedBy(cause));

/** Node's error about any other value. */
const wrongValue = (message, cause) => makeError('ERR_INVALID_ARG_VALUE', message, causedBy(cause));

/** Node's message for a missing library or symbol. */
const failed = (message, cause) => makeError('ERR_FFI_CALL_FAILED', message, causedBy(cause));

const libraryClosed = (cause) => makeError('ERR_FFI_LIBRARY_CLOSED', 'Library is closed', causedBy(cause));

/** The description of a received value, as Node's validators give it. */
function received(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value !== 'object') {
    const text = inspect(value, { colors: false });
    return ` Received type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
  }
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return name ? ` Received an instance of ${name}` : ` Received ${inspect(value, { depth: -1, colors: false })}`;
}

/**
 * Node's error about an argument of a JavaScript function: `expected` is 'of type string' or 'an instance of Buffer'.
 */
const wrongArgument = (name, expected, value) =>
  wrongType(`The "${name}" argument must be ${expected}.${received(value)}`);

/** A number as Node's range errors write it: with underscores. */
const withUnderscores = (value) =>
  Number.isInteger(value) && Math.abs(value) > 2 ** 32 ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : String(value);

const outOfRange = (name, expected, value) =>
  makeError(
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${expected}. Received ${withUnderscores(value)}`,
  );

const CLOSED = 'ERR_FFI_LIBRARY_CLOSED';

/** The messages of calls of C functions, for lib/call/generic-call.js. */
const wording = {
  key: 'node:ffi',
  wrongCount: (name, expected, count) => wrongValue(`Invalid argument count: expected ${expected}, got ${count}`),
  /** An error of a call; what the program itself has thrown stays as it is. */
  translate: (error, name) =>
    error?.code === CLOSED && String(error.message).startsWith(`${name}: the library `) ? libraryClosed(error) : error,
};

module.exports = { wrongType, wrongValue, failed, libraryClosed, wrongArgument, outOfRange, wording, CLOSED };
