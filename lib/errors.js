'use strict';
// The table of error codes and their classes; the only file in JavaScript that makes errors. docs/errors.md explains
// each code.

const { getSystemErrorMap, types } = require('node:util');

/**
 * Every code this package throws, with the class of its errors. src/error.rs, docs/errors.md and index.d.ts agree with
 * it by a test.
 */
const TABLE = Object.freeze({
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_ACCESS_DENIED: Error,
  ERR_DLOPEN_FAILED: Error,
  ERR_FFI_ADDON_NOT_FOUND: Error,
  ERR_FFI_BUFFER_OVERFLOW: RangeError,
  ERR_FFI_BUFFER_UNDERFLOW: RangeError,
  ERR_FFI_CALLBACK_CLOSED: Error,
  ERR_FFI_CALL_FAILED: Error,
  ERR_FFI_CALLBACK_STACK: Error,
  ERR_FFI_COMPILE_FAILED: Error,
  ERR_FFI_COMPILER_NOT_FOUND: Error,
  ERR_FFI_DECLARATION_INVALID: Error,
  ERR_FFI_EXTERNAL_REFUSED: Error,
  ERR_FFI_INTERNAL: Error,
  ERR_FFI_INVALID_POINTER: RangeError,
  ERR_FFI_LIBRARY_BUSY: Error,
  ERR_FFI_LIBRARY_CLOSED: Error,
  ERR_FFI_LIBRARY_INVALID: Error,
  ERR_FFI_LIBRARY_NOT_FOUND: Error,
  ERR_FFI_MEMORY_EXHAUSTED: RangeError,
  ERR_FFI_NO_EXECUTABLE_MEMORY: Error,
  ERR_FFI_RUNTIME_UNSUPPORTED: Error,
  ERR_FFI_SYMBOL_NOT_FOUND: Error,
  ERR_FFI_THREAD_CLOSED: Error,
});

/** What the end of an error's message says of an option of declarations: see withoutOption(). */
const OPTION = Symbol('option');

/**
 * Makes (does not throw) the error of a code. `properties` become own properties of the error.
 * @param {keyof typeof TABLE} code
 * @param {string} message
 * @param {object} [properties]
 * @param {string} [option] goes behind the message: which option of the declaration would help
 */
function makeError(code, message, properties, option = '') {
  const error = new TABLE[code](message + option);
  error.code = code;
  if (option !== '') Object.defineProperty(error, OPTION, { value: option });
  return properties === undefined ? error : Object.assign(error, properties);
}

/** The same error without its advice about an option, for places and dialects where nothing is declared with options. */
function withoutOption(error) {
  const option = typeof error === 'object' && error !== null ? error[OPTION] : undefined;
  if (option === undefined || !error.message.endsWith(option)) return error;
  const { message, stack } = error;
  error.message = message.slice(0, -option.length);
  if (typeof stack === 'string') error.stack = stack.replace(message, () => error.message);
  return error;
}

const MOST_CHARACTERS = 64;
const shorten = (text) => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text);

/** A short description of any value. Runs no code of the value, and does not throw. */
function describe(value) {
  switch (typeof value) {
    case 'string':
      return `the string '${shorten(value).replace(/[\0-\x1f\\']/g, escape)}'`;
    case 'bigint':
      return `${describeBigInt(value)}n`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'symbol':
      return `the symbol ${shorten(value.description === undefined ? 'Symbol()' : `Symbol(${value.description})`)}`;
    case 'boolean':
      return `the boolean ${value}`;
    case 'function':
      return 'a function';
    case 'undefined':
      return 'undefined';
    default:
      return value === null ? 'null' : describeObject(value);
  }
}

const escape = (character) =>
  character === "'" || character === '\\'
    ? `\\${character}`
    : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

const describeBigInt = (value) =>
  BigInt.asIntN(128, value) === value ? String(value) : 'a BigInt beyond 128 bits, such as 2^128';

const getter = (prototype, key) => Object.getOwnPropertyDescriptor(prototype, key).get;
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype);
const arrayName = getter(TypedArray, Symbol.toStringTag);
const arrayLength = getter(TypedArray, 'byteLength');
const viewLength = getter(DataView.prototype, 'byteLength');
const KINDS = [
  'AnyArrayBuffer',
  'Date',
  'Map',
  'Promise',
  'Proxy',
  'RegExp',
  'Set',
  'WeakMap',
  'WeakSet',
  'NativeError',
];

function describeObject(value) {
  if (types.isTypedArray(value)) {
    const name = arrayName.call(value);
    const isBuffer = name === 'Uint8Array' && Object.getPrototypeOf(value) === Buffer.prototype;
    return `a${name.startsWith('I') ? 'n' : ''} ${name} of ${arrayLength.call(value)} bytes`.replace(
      /^a Uint8Array/,
      isBuffer ? 'a Buffer' : 'a Uint8Array',
    );
  }
  if (types.isDataView(value)) return describeDataView(value);
  // Array.isArray looks through a proxy, and throws for a revoked one.
  if (!types.isProxy(value) && Array.isArray(value)) return `an array of ${value.length}`;
  const kind = KINDS.find((name) => types[`is${name}`](value));
  if (kind === undefined) return 'an object';
  if (kind === 'AnyArrayBuffer') return types.isSharedArrayBuffer(value) ? 'a SharedArrayBuffer' : 'an ArrayBuffer';
  return kind === 'NativeError' ? 'an Error' : `a ${kind}`;
}

function describeDataView(view) {
  try {
    return `a DataView of ${viewLength.call(view)} bytes`;
  } catch {
    return 'a DataView of a detached buffer';
  }
}

/** What stands for the map of system errors in earlier versions of Bun and Deno, which have none. */
function errorMap() {
  const { errno } = require('node:os').constants;
  return new Map(Object.entries(errno).map(([code, number]) => [-number, [code, `system error ${number}`]]));
}

/**
 * The error of a C function that failed, as its `result` says. Where it has set errno, it is Node's kind of error of a
 * system call: { code: 'ENOENT', errno: -2, syscall: 'open' }.
 */
function makeFailure(errno, syscall, result) {
  if (errno === 0)
    return makeError('ERR_FFI_CALL_FAILED', `${syscall} returned ${describe(result)}`, { syscall, result });
  const map = getSystemErrorMap?.() ?? errorMap();
  const [code, text] = map.get(-errno) ?? ['UNKNOWN', `unknown error ${errno}`];
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { errno: -errno, code, syscall, result });
}

/** What has a stack: of whoever makes it, the caller, and so on, as many as Error.stackTraceLimit says. */
const Trace = Error;

/** A process warning of late findings; `properties` as in makeError. */
const makeWarning = (message, properties) => Object.assign(new Error(message), { name: 'FFIWarning' }, properties);

/**
 * Where a value came from: an argument by its index, a named part (an argument, a result), a part of an aggregate
 * ({ outer, part }, a field's name or an element's index), or the name alone.
 */
function locationOf(name, position) {
  if (typeof position === 'number') return `${name}: argument ${position}`;
  if (position === undefined) return name;
  return typeof position === 'object' ? locationOfPart(name, position) : `${name}: ${position}`;
}

function locationOfPart(name, position) {
  let path = '';
  let outer = position;
  for (; typeof outer === 'object'; outer = outer.outer) {
    path = (typeof outer.part === 'number' ? `[${outer.part}]` : `.${outer.part}`) + path;
  }
  return `${locationOf(name, outer)}: ${path.startsWith('[') ? `element ${path}` : `field ${path.slice(1)}`}`;
}

/** Where a callback's result came from, for `locationOf`. */
const RESULT = 'return value';

/** What a message adds of a Promise: nothing makes a value of it in time. */
const promiseHint = (where) =>
  where.endsWith(RESULT)
    ? '; here a callback must return its value at once, which an async function cannot'
    : '; await it first';

/** What stands behind `expected, received ...` in the messages of a fault; `option` as in makeError. */
const fault =
  (code) =>
  (where, expected, value, hint = '', option = '') =>
    makeError(code, `${where} must be ${expected}, received ${describe(value)}${hint}`, undefined, option);

const wrongKind = fault('ERR_INVALID_ARG_TYPE');
const wrongType = (where, expected, value, hint, option) =>
  types.isPromise(value)
    ? wrongKind(where, expected, value, promiseHint(where))
    : wrongKind(where, expected, value, hint, option);
const wrongValue = fault('ERR_INVALID_ARG_VALUE');
const outOfRange = fault('ERR_OUT_OF_RANGE');

module.exports = {
  TABLE,
  RESULT,
  makeError,
  withoutOption,
  makeFailure,
  makeWarning,
  Trace,
  describe,
  locationOf,
  wrongType,
  wrongValue,
  outOfRange,
};
