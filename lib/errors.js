'use strict';
// The table of error codes and their classes; the only file in JavaScript that makes errors. docs/errors.md explains
// each code.

/**
 * Loads a module of Node. This is the first one that the package requires: in an ES module that a bundler has made
 * there may be no require(). The call of require() is not inside of `try`, where some bundlers would leave it as it is.
 */
function first(load) {
  try {
    return load();
  } catch (cause) {
    const line = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
    throw new Error(
      `pinned-ffi: this bundle is an ES module without require(); begin it with the line: ${line} (docs/bundlers.md)`,
      { cause },
    );
  }
}
const { getSystemErrorMap, types } = first(() => require('node:util'));
const { Buffer } = require('node:buffer');

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
  ERR_FFI_ISOLATE_PROTOCOL: Error,
  ERR_FFI_ISOLATE_UNAVAILABLE: Error,
  ERR_FFI_LEAF_CALLED_BACK: Error,
  ERR_FFI_LIBRARY_BUSY: Error,
  ERR_FFI_LIBRARY_CLOSED: Error,
  ERR_FFI_LIBRARY_DIED: Error,
  ERR_FFI_LIBRARY_INVALID: Error,
  ERR_FFI_LIBRARY_NOT_FOUND: Error,
  ERR_FFI_LIBRARY_UNSTABLE: Error,
  ERR_FFI_MEMORY_EXHAUSTED: RangeError,
  ERR_FFI_NOT_SHARED: TypeError,
  ERR_FFI_NO_EXECUTABLE_MEMORY: Error,
  ERR_FFI_RUNTIME_UNSUPPORTED: Error,
  ERR_FFI_STALE_POINTER: RangeError,
  ERR_FFI_SYMBOL_NOT_FOUND: Error,
  ERR_FFI_THREAD_CLOSED: Error,
  ERR_FFI_TIMEOUT: Error,
});

/**
 * Makes (does not throw) the error of a code. `properties` become own properties of the error.
 * @param {keyof typeof TABLE} code
 * @param {string} message
 * @param {object} [properties]
 */
function makeError(code, message, properties) {
  /** @type {Error & { code?: string }} */
  const error = new TABLE[code](message);
  error.code = code;
  ownErrors.add(error);
  return properties === undefined ? error : Object.assign(error, properties);
}

/** Puts a name before the message of an error of native code. */
function named(error, name) {
  error.message = `${name}: ${error.message}`;
  ownErrors.add(error);
  return error;
}

/** The errors whose stacks still begin in the package. */
const ownErrors = new WeakSet();
/** The errors of native code whose stacks begin at the user's line already. */
const located = new WeakSet();

/** Where the package's files are; unknown in a bundle. */
const PACKAGE = typeof __dirname === 'string' ? __dirname : undefined;
/** Whether a stack begins in a file of the package, or in source that it has generated. */
function beginsHere({ stack }) {
  const frame = /\n {4}at .*/.exec(stack)?.[0];
  return frame !== undefined && ((PACKAGE !== undefined && frame.includes(PACKAGE)) || /[ (]pinned-ffi:/.test(frame));
}

/**
 * Whether an error that has just been thrown is one of the package's native code. Some of its codes are Node's, too.
 */
function isOfNative(error) {
  if (!types.isNativeError(error) || !Object.hasOwn(error, 'code')) return false;
  const { code } = error;
  if (typeof code !== 'string' || !code.startsWith('ERR_')) return false;
  return code.startsWith('ERR_FFI_') || beginsHere(error);
}

/** Whether an error is one of the package that no public function has passed on yet. */
function isOwn(error) {
  if (typeof error !== 'object' || error === null) return false;
  if (ownErrors.delete(error)) return true;
  if (located.has(error)) return beginsHere(error);
  return isOfNative(error);
}

/**
 * An error that leaves the package: its stack begins where the user has called `above`, so that Node prints that line.
 * An exception of a callback is not changed.
 */
function atCaller(error, above) {
  if (!isOwn(error)) return error;
  located.add(error);
  if (isOnStack(above)) Error.captureStackTrace?.(error, above);
  return error;
}

/**
 * Whether a function is on the stack, and not at its end. One frame is looked at, because the engine makes the text of
 * a stack when it is read, which takes ten times as long as to capture it.
 */
function isOnStack(above) {
  const probe = new Error();
  const limit = Error.stackTraceLimit;
  // The program may have made it constant.
  const isShort = typeof limit === 'number' && Reflect.set(Error, 'stackTraceLimit', 1);
  Error.captureStackTrace?.(probe, above);
  if (isShort) Reflect.set(Error, 'stackTraceLimit', limit);
  return /\n\s+at /.test(/** @type {any} */ (probe.stack));
}

/**
 * An error that rejects the Promise of a call: its stack has the functions that await it. To be called by `reaction`, a
 * reaction of a Promise: there the engine knows them.
 */
function atAwait(error, reaction) {
  if (!isOwn(error)) return error;
  located.add(error);
  Error.captureStackTrace?.(error, reaction);
  return error;
}

/**
 * The beginning, behind `name: `, of a message about an argument. No value that the message shows stands in front of
 * it.
 */
const ABOUT_ARGUMENT = /^[a-z0-9 ]*\bargument (\d+)(?!\d| \()/;

/**
 * Adds the name of a parameter to the message of an error about it: `argument 3` becomes `argument 3 (compare)`.
 * @param {any} error only one of the package is changed
 * @param {string} name what the message calls the function
 * @param {((name: string, index: number) => string | undefined) | undefined} parameterOf
 */
function nameParameter(error, name, parameterOf) {
  if (parameterOf === undefined || typeof error !== 'object' || error === null) return error;
  if (!ownErrors.has(error) && !isOfNative(error)) return error;
  const { message } = error;
  if (!message.startsWith(`${name}: `)) return error;
  const [about, index] = ABOUT_ARGUMENT.exec(message.slice(name.length + 2)) ?? [];
  const parameter = index === undefined ? undefined : parameterOf(name, Number(index));
  if (parameter === undefined) return error;
  const end = name.length + 2 + about.length;
  error.message = `${message.slice(0, end)} (${parameter})${message.slice(end)}`;
  return error;
}

/** A function of the package with the errors that leave it: see `atCaller`. `call` gets what `outer` is called with. */
function published(name, call) {
  const outer = {
    [name]: function (/* of pinned-ffi: a worker must load the package itself. */ ...values) {
      try {
        return call(...values);
      } catch (error) {
        throw atCaller(error, outer); // node-do-not-add-exception-line
      }
    },
  }[name];
  return outer;
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

/** An address as messages show it. */
const hex = (address) => (address === null || address === 0 ? 'NULL' : `0x${address.toString(16)}`);

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

/** A substitute for the map of system errors in earlier versions of Bun and Deno, which have none. */
function errorMap() {
  const { errno } = require('node:os').constants;
  return new Map(Object.entries(errno).map(([code, number]) => [-number, [code, `system error ${number}`]]));
}

/** The names and texts of system errors, which Node collects anew for everyone who asks. */
let systemErrors;

/** A system error as Node describes it: number, name, text. `errno` is GetLastError() on Windows. */
function systemErrorOf(errno) {
  const map = (systemErrors ??= getSystemErrorMap?.() ?? errorMap());
  const unknown = ['UNKNOWN', `unknown error ${errno}`];
  if (process.platform !== 'win32')
    return [-errno, ...(map.get(-errno) ?? require('./posix-errors.js').describeErrno(errno) ?? unknown)];
  const name = require('./win32-errors.js').nameOfCode(errno);
  const [number, known] = [...map].find(([, [code]]) => code === name) ?? [-errno, unknown];
  return [number, ...known];
}

/**
 * The error of a C function that failed, as its `result` says. Where it has set errno, it is Node's kind of error of a
 * system call: { code: 'ENOENT', errno: -2, syscall: 'open' }.
 */
function makeFailure(errno, syscall, result) {
  if (errno === 0)
    return makeError('ERR_FFI_CALL_FAILED', `${syscall} returned ${describe(result)}`, { syscall, result });
  const [number, code, text] = systemErrorOf(errno);
  const error = new Error(`${code}: ${text}, ${syscall}`);
  ownErrors.add(error);
  return Object.assign(error, { errno: number, code, syscall, result });
}

/** Whether a value is an error with a code of the table. */
const isFFIError = (value) =>
  types.isNativeError(value) && typeof value.code === 'string' && Object.hasOwn(TABLE, value.code);

/** An object with a stack: its creator, the caller and so on, as many frames as Error.stackTraceLimit says. */
const Trace = Error;

/** A process warning of late findings; `properties` as in makeError. */
const makeWarning = (message, properties) => Object.assign(new Error(message), { name: 'FFIWarning' }, properties);

/**
 * The origin of a value: an argument by its index, a named part (an argument, a result), a part of an aggregate
 * ({ outer, part }, a field's name or an element's index), or the name alone. `{ outer, type }` adds how the
 * declaration spells the type, for `typeNameOf`.
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
    if (outer.part !== undefined) path = (typeof outer.part === 'number' ? `[${outer.part}]` : `.${outer.part}`) + path;
  }
  if (path === '') return locationOf(name, outer);
  return `${locationOf(name, outer)}: ${path.startsWith('[') ? `element ${path}` : `field ${path.slice(1)}`}`;
}

/** The name of a type in messages: as the declaration spells it, where the position knows. */
const typeNameOf = (descriptor, position) => spellingOf(position) ?? descriptor.name;
const spellingOf = (position) =>
  typeof position === 'object' && Object.hasOwn(position, 'type') ? position.type : undefined;

/** The origin of a callback's result, for `locationOf`. */
const RESULT = 'return value';

/** The hint for a Promise: it cannot settle in time. */
const promiseHint = (where) =>
  where.endsWith(RESULT)
    ? '; here a callback must return its value at once, which an async function cannot'
    : '; await it first';

const wrongType = (where, expected, value, hint = '') =>
  makeError(
    'ERR_INVALID_ARG_TYPE',
    `${where} must be ${expected}, received ${describe(value)}${types.isPromise(value) ? promiseHint(where) : hint}`,
  );

const wrongValue = (where, expected, value, hint = '') =>
  makeError('ERR_INVALID_ARG_VALUE', `${where} must be ${expected}, received ${describe(value)}${hint}`);

const outOfRange = (where, expected, value, hint = '') =>
  makeError('ERR_OUT_OF_RANGE', `${where} must be ${expected}, received ${describe(value)}${hint}`);

module.exports = {
  TABLE,
  RESULT,
  makeError,
  named,
  atAwait,
  atCaller,
  nameParameter,
  published,
  makeFailure,
  makeWarning,
  isFFIError,
  Trace,
  describe,
  hex,
  locationOf,
  typeNameOf,
  spellingOf,
  wrongType,
  wrongValue,
  outOfRange,
};
