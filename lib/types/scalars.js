'use strict';
// The type descriptors of numbers, booleans and void.

const { wrongType, outOfRange, locationOf, typeNameOf } = require('../errors.js');
const binding = require('../native/binding.js');
const { coerceInteger, coerceWide, coerceFloat, coerceBool } = require('./coerce.js');
const { integerHint, numberHint, boolHint } = require('./hints.js');

const LITTLE = true;
const TWO_32 = 2 ** 32;
/** The bytes of each type here, by its id. */
const sizes = binding.sizes();

// ---- integers up to 32 bits -----------------------------------------------------------------------------------------

/** An integer that did not pass the fast test of a descriptor: a BigInt in range passes, anything else throws. */
function smallInteger(value, descriptor, name, position) {
  const expected = `an integer from ${descriptor.min} to ${descriptor.max} (${typeNameOf(descriptor, position)})`;
  if (typeof value === 'bigint' && value >= descriptor.min && value <= descriptor.max) return Number(value);
  const fault = typeof value === 'number' || typeof value === 'bigint' ? outOfRange : wrongType;
  const bits = Math.log2(descriptor.max - descriptor.min + 1);
  throw fault(locationOf(name, position), expected, value, integerHint(value, bits, descriptor.min < 0));
}

/** A descriptor of a signed byte. */
function signedByte(id, name) {
  const descriptor = {
    id,
    name,
    min: -128,
    max: 127,
    read: (view, at) => view.getInt8(at),
    write(view, at, value, owner, position) {
      const fits = typeof value === 'number' && (value << 24) >> 24 === value;
      view.setInt8(at, fits ? value : smallInteger(value, descriptor, owner, position));
    },
  };
  return descriptor;
}

const char = signedByte(0, 'char');
const i8 = signedByte(1, 'i8');
const u8 = {
  id: 2,
  name: 'u8',
  min: 0,
  max: 255,
  read: (view, at) => view.getUint8(at),
  write(view, at, value, name, position) {
    view.setUint8(
      at,
      typeof value === 'number' && (value & 0xff) === value ? value : smallInteger(value, u8, name, position),
    );
  },
};
const i16 = {
  id: 3,
  name: 'i16',
  min: -32768,
  max: 32767,
  read: (view, at) => view.getInt16(at, LITTLE),
  write(view, at, value, name, position) {
    view.setInt16(
      at,
      typeof value === 'number' && (value << 16) >> 16 === value ? value : smallInteger(value, i16, name, position),
      LITTLE,
    );
  },
};
const u16 = {
  id: 4,
  name: 'u16',
  min: 0,
  max: 65535,
  read: (view, at) => view.getUint16(at, LITTLE),
  write(view, at, value, name, position) {
    view.setUint16(
      at,
      typeof value === 'number' && (value & 0xffff) === value ? value : smallInteger(value, u16, name, position),
      LITTLE,
    );
  },
};
const i32 = {
  id: 5,
  name: 'i32',
  min: -2147483648,
  max: 2147483647,
  read: (view, at) => view.getInt32(at, LITTLE),
  write(view, at, value, name, position) {
    view.setInt32(
      at,
      typeof value === 'number' && (value | 0) === value ? value : smallInteger(value, i32, name, position),
      LITTLE,
    );
  },
};
const u32 = {
  id: 6,
  name: 'u32',
  min: 0,
  max: 4294967295,
  read: (view, at) => view.getUint32(at, LITTLE),
  write(view, at, value, name, position) {
    view.setUint32(
      at,
      typeof value === 'number' && value >>> 0 === value ? value : smallInteger(value, u32, name, position),
      LITTLE,
    );
  },
};

for (const descriptor of [char, i8, u8, i16, u16, i32, u32]) coerceInteger(descriptor);

// ---- 64-bit integers ------------------------------------------------------------------------------------------------

const I64_RANGE = 'an integer from -2^63 to 2^63-1';
const U64_RANGE = 'an integer from 0 to 2^64-1';

/** Throws for a value that is neither a BigInt in range nor a safe integer in range. */
function refuseWide(value, range, descriptor, name, position) {
  const expected = `${range} (${typeNameOf(descriptor, position)})`;
  const hint = integerHint(value, 64, range === I64_RANGE);
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw wrongType(locationOf(name, position), expected, value, hint);
  const isInexact = Number.isInteger(value) && !Number.isSafeInteger(value);
  const inexact = '; a number beyond 2^53 is not exact: pass a BigInt';
  throw outOfRange(locationOf(name, position), expected, value, isInexact ? inexact : hint);
}

/** Stores a safe integer of at least 0 as 64 bits, in halves, of which the setters take what fits. */
function setNatural(view, at, value) {
  view.setUint32(at, value, LITTLE);
  view.setUint32(at + 4, value / TWO_32, LITTLE);
}

/** The same for any safe integer, in two's complement. */
function setSafeInteger(view, at, value) {
  if (value >= 0) setNatural(view, at, value);
  else {
    view.setInt32(at, value, LITTLE);
    view.setInt32(at + 4, Math.floor(value / TWO_32), LITTLE);
  }
}

/** A descriptor of a 64-bit integer. */
function wide(id, name, signed, fast) {
  const fits = signed ? BigInt.asIntN : BigInt.asUintN;
  const range = signed ? I64_RANGE : U64_RANGE;
  const get = signed ? (view, at) => view.getBigInt64(at, LITTLE) : (view, at) => view.getBigUint64(at, LITTLE);
  const set = signed
    ? (view, at, value) => view.setBigInt64(at, value, LITTLE)
    : (view, at, value) => view.setBigUint64(at, value, LITTLE);
  const descriptor = {
    id,
    name,
    read: fast ? (view, at) => numberWhereExact(view, at, signed) : get,
    write(view, at, value, owner, position) {
      if (typeof value === 'bigint' && fits(64, value) === value) set(view, at, value);
      else if (Number.isSafeInteger(value) && (signed || value >= 0)) setSafeInteger(view, at, value);
      else refuseWide(value, range, descriptor, owner, position);
    },
  };
  return coerceWide(descriptor, setSafeInteger);
}

/** A number where the value fits 2^53-1, else a BigInt. */
function numberWhereExact(view, at, signed) {
  const high = signed ? view.getInt32(at + 4, LITTLE) : view.getUint32(at + 4, LITTLE);
  const number = high * TWO_32 + view.getUint32(at, LITTLE);
  if (number <= Number.MAX_SAFE_INTEGER && number >= Number.MIN_SAFE_INTEGER) return number;
  return signed ? view.getBigInt64(at, LITTLE) : view.getBigUint64(at, LITTLE);
}

// ---- floating point, bool, void -------------------------------------------------------------------------------------

const f64 = {
  id: 9,
  name: 'f64',
  read: (view, at) => view.getFloat64(at, LITTLE),
  write(view, at, value, name, position) {
    if (typeof value !== 'number')
      throw wrongType(locationOf(name, position), `a number (${typeNameOf(f64, position)})`, value, numberHint(value));
    view.setFloat64(at, value, LITTLE);
  },
};
coerceFloat(f64, DataView.prototype.setFloat64);

const f32 = {
  id: 10,
  name: 'f32',
  read: (view, at) => view.getFloat32(at, LITTLE),
  write(view, at, value, name, position) {
    if (typeof value !== 'number')
      throw wrongType(locationOf(name, position), `a number (${typeNameOf(f32, position)})`, value, numberHint(value));
    const rounded = Math.fround(value);
    if ((rounded === Infinity || rounded === -Infinity) && rounded !== value) {
      throw outOfRange(locationOf(name, position), `a number in the range of ${typeNameOf(f32, position)}`, value);
    }
    view.setFloat32(at, rounded, LITTLE);
  },
};
coerceFloat(f32, DataView.prototype.setFloat32);

const bool = {
  id: 11,
  name: 'bool',
  read: (view, at) => view.getUint8(at) !== 0,
  write(view, at, value, name, position) {
    if (typeof value !== 'boolean') {
      throw wrongType(locationOf(name, position), 'a boolean (bool)', value, boolHint(value));
    }
    view.setUint8(at, value ? 1 : 0);
  },
};
coerceBool(bool);

const voidType = {
  id: 13,
  name: 'void',
  read: () => undefined,
  write(view, at, value, name, position) {
    if (value !== undefined) throw wrongType(locationOf(name, position), 'undefined (void)', value);
  },
};
// A callback without a result may end in any expression.
voidType.writeResult = () => undefined;

// ---- integers whose width the platform decides ----------------------------------------------------------------------

/** `long`: 64 bits on LP64, 32 on Windows; a BigInt on both, so that a program means the same everywhere. */
function long(id, name, signed) {
  if (sizes[id] === 8) return wide(id, name, signed, false);
  const narrow = signed ? i32 : u32;
  const descriptor = {
    ...narrow,
    id,
    name,
    read: (view, at) => BigInt(narrow.read(view, at)),
    write: (view, at, value, owner, position) => narrow.write(view, at, value, owner, position),
  };
  return coerceInteger(descriptor);
}

/** A number under another name, which its errors say. */
function renamed(base, name) {
  return {
    ...base,
    name,
    key: name,
    write(view, at, value, owner, position) {
      try {
        base.write(view, at, value, owner, position);
      } catch {
        const type = typeNameOf({ name }, position);
        base.write(view, at, value, owner, { outer: position, part: undefined, type });
      }
    },
  };
}

const wideChar = sizes[24] === 2 ? u16 : binding.wcharIsSigned() ? i32 : u32;
const wchar = coerceInteger({ ...wideChar, id: 24, name: 'wchar_t' });

module.exports = {
  sizes,
  char,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  f64,
  f32,
  bool,
  voidType,
  wchar,
  i64: wide(7, 'i64', true, false),
  u64: wide(8, 'u64', false, false),
  i64Fast: wide(15, 'i64_fast', true, true),
  u64Fast: wide(16, 'u64_fast', false, true),
  long: long(22, 'long', true),
  unsignedLong: long(23, 'unsigned long', false),
  setNatural,
  renamed,
};
