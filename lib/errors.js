'use strict';
// The table code -> class, and the only place of the JS side that makes errors. docs/errors.md explains each code.

const { inspect } = require('node:util');

/** Every code this package throws, with the class of its errors. src/error.rs, docs/errors.md and index.d.ts agree with it by a test. */
const TABLE = Object.freeze({
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_FFI_ADDON_NOT_FOUND: Error,
  ERR_FFI_BUFFER_OVERFLOW: RangeError,
  ERR_FFI_BUFFER_UNDERFLOW: RangeError,
  ERR_FFI_CALLBACK_CLOSED: Error,
  ERR_FFI_COMPILE_FAILED: Error,
  ERR_FFI_COMPILER_NOT_FOUND: Error,
  ERR_FFI_EXTERNAL_REFUSED: Error,
  ERR_FFI_INTERNAL: Error,
  ERR_FFI_INVALID_POINTER: RangeError,
  ERR_FFI_LIBRARY_BUSY: Error,
  ERR_FFI_LIBRARY_CLOSED: Error,
  ERR_FFI_LIBRARY_INVALID: Error,
  ERR_FFI_LIBRARY_NOT_FOUND: Error,
  ERR_FFI_MEMORY_EXHAUSTED: RangeError,
  ERR_FFI_SYMBOL_NOT_FOUND: Error,
});

/**
 * Makes (does not throw) the error of a code. `properties` become own properties of the error.
 * @param {keyof typeof TABLE} code
 * @param {string} message
 * @param {object} [properties]
 */
function makeError(code, message, properties) {
  const error = new TABLE[code](message);
  error.code = code;
  return properties === undefined ? error : Object.assign(error, properties);
}

const inspection = { depth: 0, breakLength: Infinity, maxStringLength: 64, maxArrayLength: 4, customInspect: false };

/** A short, safe description of any value: never runs code of the value, never throws. */
function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `the string ${inspect(value, inspection)}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'boolean' || typeof value === 'symbol') return `the ${typeof value} ${String(value)}`;
  if (ArrayBuffer.isView(value)) return `${viewName(value)} of ${value.byteLength} bytes`;
  return typeof value === 'function' ? 'a function' : `an object ${inspect(value, inspection)}`;
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

const article = (name) => `${/^[AEIOU]/.test(name) && !name.startsWith('Ui') ? 'an' : 'a'} ${name}`;

const viewName = (view) => (Buffer.isBuffer(view) ? 'a Buffer' : `${article(typedArrayName.call(view) ?? 'DataView')}`);

/** Where a value came from: an argument by its index, a named part (a field, a result), or the name alone. */
const place = (name, position) =>
  (typeof position === 'number' ? `${name}: argument ${position}` : position === undefined ? name : `${name}: ${position}`);

const wrongType = (where, wanted, value) =>
  makeError('ERR_INVALID_ARG_TYPE', `${where} must be ${wanted}, received ${describe(value)}`);

const wrongValue = (where, wanted, value) =>
  makeError('ERR_INVALID_ARG_VALUE', `${where} must be ${wanted}, received ${describe(value)}`);

const outOfRange = (where, wanted, value, hint = '') =>
  makeError('ERR_OUT_OF_RANGE', `${where} must be ${wanted}, received ${describe(value)}${hint}`);

module.exports = { TABLE, makeError, describe, place, wrongType, wrongValue, outOfRange };
