'use strict';
// Node's type names, and the descriptors of its arguments: the conversions are those of the type table, which types are
// taken is what Node takes.

const { isArrayBuffer } = require('node:util').types;
const { RESULT } = require('../errors.js');
const { byteLengthOf, isDetachedView } = require('../memory/array-buffer.js');
const { DeclaredType } = require('../types/native-type.js');
const access = require('../memory/access.js');
const { lowAddress } = require('../types/pointers.js');
const { byName } = require('../types/registry.js');
const { wrongValue } = require('./words.js');

const UNSIGNED_CHAR = ['arm', 'arm64', 'ppc64', 'riscv64', 's390x'];
/** C's `char` on this platform. */
const char = process.platform === 'linux' && UNSIGNED_CHAR.includes(process.arch) ? 'u8' : 'i8';

/**
 * The names of node:ffi, and the type of the table that each stands for: `memory` is a `ptr` to what C reads or writes.
 */
const NAMES = {
  __proto__: null,
  void: 'void',
  char,
  i8: 'i8',
  int8: 'i8',
  u8: 'u8',
  uint8: 'u8',
  bool: 'u8',
  i16: 'i16',
  int16: 'i16',
  u16: 'u16',
  uint16: 'u16',
  i32: 'i32',
  int32: 'i32',
  u32: 'u32',
  uint32: 'u32',
  i64: 'i64',
  int64: 'i64',
  u64: 'u64',
  uint64: 'u64',
  f32: 'f32',
  float: 'f32',
  float32: 'f32',
  f64: 'f64',
  double: 'f64',
  float64: 'f64',
  pointer: 'ptr',
  ptr: 'ptr',
  string: 'memory',
  str: 'memory',
  buffer: 'memory',
  arraybuffer: 'memory',
  function: 'ptr',
};

/** Node's constants for the names. */
const types = Object.freeze({
  __proto__: null,
  VOID: 'void',
  POINTER: 'pointer',
  BUFFER: 'buffer',
  ARRAY_BUFFER: 'arraybuffer',
  FUNCTION: 'function',
  BOOL: 'bool',
  CHAR: 'char',
  STRING: 'string',
  FLOAT: 'float',
  DOUBLE: 'double',
  INT_8: 'int8',
  UINT_8: 'uint8',
  INT_16: 'int16',
  UINT_16: 'uint16',
  INT_32: 'int32',
  UINT_32: 'uint32',
  INT_64: 'int64',
  UINT_64: 'uint64',
  FLOAT_32: 'float32',
  FLOAT_64: 'float64',
});

// ---- what Node takes ------------------------------------------------------------------------------------------------

const isIn = (least, most) => (value) => Number.isInteger(value) && value >= least && value <= most;
const isWide = (fits, least) => (value) =>
  typeof value === 'bigint' ? fits(64, value) === value : Number.isSafeInteger(value) && value >= least;
const isNumber = (value) => typeof value === 'number';

/** Whether Node takes a value for a type, and what it says the value must be. */
const RULES = {
  __proto__: null,
  i8: { isValid: isIn(-128, 127), expected: 'an int8' },
  u8: { isValid: isIn(0, 255), expected: 'a uint8' },
  i16: { isValid: isIn(-32768, 32767), expected: 'an int16' },
  u16: { isValid: isIn(0, 65535), expected: 'a uint16' },
  i32: { isValid: isIn(-(2 ** 31), 2 ** 31 - 1), expected: 'an int32' },
  u32: { isValid: isIn(0, 2 ** 32 - 1), expected: 'a uint32' },
  i64: { isValid: isWide(BigInt.asIntN, -Infinity), expected: 'an int64' },
  u64: { isValid: isWide(BigInt.asUintN, 0), expected: 'a uint64' },
  f32: { isValid: isNumber, expected: 'a float' },
  f64: { isValid: isNumber, expected: 'a double' },
};

const INVALID_RESULT = 'Callback returned invalid value for declared FFI type';

/** Node's error for a value at a position: that of an argument, or of what a callback has returned. */
const refusal = (position, expected) =>
  wrongValue(position === RESULT ? INVALID_RESULT : `Argument ${position} must be ${expected}`);

/** A number: the descriptor of the table writes a value that Node takes. */
function numberOf(name) {
  const base = byName.get(name);
  // Node rounds to Infinity; the table's own descriptor refuses such a number.
  const { write } = name === 'f32' ? base.coercing : base;
  const { isValid, expected } = RULES[name];
  return {
    ...base,
    key: `node:ffi ${name}`,
    fastClass: name,
    writesAtOnce: true,
    write(view, at, value, owner, position) {
      if (!isValid(value)) throw refusal(position, expected);
      return write(view, at, value, owner, position);
    },
  };
}

const text = byName.get('cstring');
const ptr = byName.get('ptr');
const POINTERS = 'a buffer, an ArrayBuffer, a string, or a bigint';

/** Stores an address or NULL; false for any other value. */
function writeAddress(view, at, value, position) {
  if (value === null || value === undefined) value = 0n;
  if (typeof value !== 'bigint') return false;
  if (BigInt.asUintN(64, value) !== value) throw refusal(position, 'a non-negative pointer bigint');
  view.setBigUint64(at, value, true);
  return true;
}

/** An empty view is NULL, as in Node; a detached one is refused. */
function writeEmpty(view, at, value, position) {
  if (isDetachedView(value)) throw detached(value, position);
  view.setBigUint64(at, 0n, true);
}

const detached = (value, position) =>
  wrongValue(
    `Argument ${position} is ${isArrayBuffer(value) ? 'a' : 'an ArrayBufferView backed by a'} detached ArrayBuffer`,
  );

/** A pointer: an address, a text that is copied for the length of the call, or a view, which is pinned for as long. */
const pointer = {
  ...text,
  key: 'node:ffi pointer',
  fastClass: 'address',
  resolve: undefined,
  write(view, at, value, name, position) {
    if (typeof value === 'string' && value.includes('\0'))
      throw wrongValue(`Argument ${position} must not contain null bytes`);
    return pointer.writeAnyText(view, at, value, name, position);
  },
};
// The native side looks for NULs in texts: generic-call.js.
Object.defineProperty(pointer, 'writeAnyText', {
  value(view, at, value, name, position) {
    if (typeof value === 'string') return value;
    if (writeAddress(view, at, value, position)) return undefined;
    if (!ArrayBuffer.isView(value) && !isArrayBuffer(value)) throw refusal(position, POINTERS);
    if (byteLengthOf(value) === 0) return writeEmpty(view, at, value, position);
    return ptr.write(view, at, value, name, position);
  },
});

/** The same, which C reads or writes: no number of the first page. */
const memory = {
  ...pointer,
  key: 'node:ffi memory',
  fastClass: 'memoryAddress',
  write(view, at, value, name, position) {
    refuseFirstPage(value, name, position);
    return pointer.write(view, at, value, name, position);
  },
};
Object.defineProperty(memory, 'writeAnyText', {
  value(view, at, value, name, position) {
    refuseFirstPage(value, name, position);
    return /** @type {any} */ (pointer).writeAnyText(view, at, value, name, position);
  },
});

function refuseFirstPage(value, name, position) {
  if (typeof value === 'bigint' && access.isInFirstPage(value))
    throw lowAddress(value, { name: 'pointer' }, name, position);
}

/** A pointer that a callback returns: an address. */
const returnedPointer = {
  ...byName.get('u64'),
  key: 'node:ffi returned pointer',
  writesAtOnce: true,
  write(view, at, value, name, position) {
    if (!writeAddress(view, at, value, position)) throw refusal(position, POINTERS);
  },
};

const returnedMemory = {
  ...returnedPointer,
  key: 'node:ffi returned memory',
  write(view, at, value, name, position) {
    refuseFirstPage(value, name, position);
    returnedPointer.write(view, at, value, name, position);
  },
};

const declare = (descriptor) => Object.freeze(new DeclaredType(descriptor));
/** @type {[string, any][]} */
const numbers = Object.keys(RULES).map((name) => [name, declare(numberOf(name))]);
/** @type {Map<string, any>} */
const argumentTypes = new Map([...numbers, ['ptr', declare(pointer)], ['memory', declare(memory)]]);
/** @type {Map<string, any>} */
const callbackResults = new Map([
  ...numbers,
  ['ptr', declare(returnedPointer)],
  ['memory', declare(returnedMemory)],
  ['void', 'void'],
]);

/** The type of the table that a name of node:ffi stands for; undefined for any other name. */
const tableName = (name) => NAMES[name];

/** Types of the main entry for those of the table's names. Addresses are BigInts to JavaScript. */
const argumentType = (name) => argumentTypes.get(name);
const resultType = (name) => (name === 'ptr' || name === 'memory' ? 'u64' : name);
const callbackResultType = (name) => callbackResults.get(name);

module.exports = { types, RULES, tableName, argumentType, resultType, callbackResultType };
