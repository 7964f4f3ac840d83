'use strict';
// THE type table. A row: { id, name, size, align, wanted, read(view, at), write(view, at, value, name, position), ... }.
// `read` and `write` are the only conversions of the project; calls, callbacks, structs, read.* and write.* use them.
//   write   checks the value and stores it; returns what has to stay alive for the length of the call, or undefined.
//           A returned view or string is not stored yet: its address is taken by whoever keeps it alive.
//   resolve (where present) is what may run the user's code, such as a `.ptr` getter; it comes before any write.
//   writeAnyText (where present): `write`, except that a string with a NUL in it passes.
//   returnedByEntry (where present): the native entry returns the value itself; `read` serves callbacks and memory.
//   wrapped (where present) is the row for `wrap: true`: bun's conversions. Rows made from others do not take it over.
// `name` and `position` say where the value came from: see errors.js, place().
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const { isAnyArrayBuffer } = require('node:util').types;
const { wrongType, wrongValue, outOfRange, makeError, describe, place } = require('./errors');
const { noteInline, byElement, byHalves } = require('./inline');
const access = require('./memory/access');
const { bufferOf, byteLengthOf, fixedSize, pinnable } = require('./memory/array-buffer');
const binding = require('./native/binding');
const {
  wrapHint, addressHint, wrapInteger, wrapWide, wrapFloat, wrapBool, wrapPointer, wrapText,
} = require('./wrapped');

const LITTLE = true;
/** What a live view of native memory gives of itself: a view or an address. */
const storageOf = Symbol('storage');
/** Marks the instances of JSCallback, so that a closed one is told from an object without a pointer. */
const callbackBrand = Symbol('JSCallback');
const TWO_32 = 2 ** 32;

// ---- integers up to 32 bits -----------------------------------------------------------------------------------------

/** An integer that did not pass the fast test of a row: a BigInt in range passes, anything else throws. */
function smallInteger(value, row, name, position) {
  const wanted = `an integer from ${row.min} to ${row.max} (${row.name})`;
  if (typeof value === 'bigint' && value >= row.min && value <= row.max) return Number(value);
  const fault = typeof value === 'number' || typeof value === 'bigint' ? outOfRange : wrongType;
  throw fault(place(name, position), wanted, value, wrapHint(value));
}

const char = {
  id: 0, name: 'char', min: -128, max: 127,
  read: (view, at) => view.getInt8(at),
  write(view, at, value, name, position) {
    view.setInt8(at, typeof value === 'number' && value << 24 >> 24 === value ? value : smallInteger(value, char, name, position));
  },
};
const i8 = {
  id: 1, name: 'i8', min: -128, max: 127,
  read: (view, at) => view.getInt8(at),
  write(view, at, value, name, position) {
    view.setInt8(at, typeof value === 'number' && value << 24 >> 24 === value ? value : smallInteger(value, i8, name, position));
  },
};
const u8 = {
  id: 2, name: 'u8', min: 0, max: 255,
  read: (view, at) => view.getUint8(at),
  write(view, at, value, name, position) {
    view.setUint8(at, typeof value === 'number' && (value & 0xff) === value ? value : smallInteger(value, u8, name, position));
  },
};
const i16 = {
  id: 3, name: 'i16', min: -32768, max: 32767,
  read: (view, at) => view.getInt16(at, LITTLE),
  write(view, at, value, name, position) {
    view.setInt16(at, typeof value === 'number' && value << 16 >> 16 === value ? value : smallInteger(value, i16, name, position), LITTLE);
  },
};
const u16 = {
  id: 4, name: 'u16', min: 0, max: 65535,
  read: (view, at) => view.getUint16(at, LITTLE),
  write(view, at, value, name, position) {
    view.setUint16(at, typeof value === 'number' && (value & 0xffff) === value ? value : smallInteger(value, u16, name, position), LITTLE);
  },
};
const i32 = {
  id: 5, name: 'i32', min: -2147483648, max: 2147483647,
  read: (view, at) => view.getInt32(at, LITTLE),
  write(view, at, value, name, position) {
    view.setInt32(at, typeof value === 'number' && (value | 0) === value ? value : smallInteger(value, i32, name, position), LITTLE);
  },
};
const u32 = {
  id: 6, name: 'u32', min: 0, max: 4294967295,
  read: (view, at) => view.getUint32(at, LITTLE),
  write(view, at, value, name, position) {
    view.setUint32(at, typeof value === 'number' && value >>> 0 === value ? value : smallInteger(value, u32, name, position), LITTLE);
  },
};

for (const row of [char, i8, u8, i16, u16, i32, u32]) wrapInteger(row);

// ---- 64-bit integers ------------------------------------------------------------------------------------------------

const I64_RANGE = 'an integer from -2^63 to 2^63-1';
const U64_RANGE = 'an integer from 0 to 2^64-1';

/** Throws for what is neither a BigInt in range nor a safe integer in range. */
function refuseWide(value, range, row, name, position) {
  const wanted = `${range} (${row.name})`;
  if (typeof value !== 'bigint' && typeof value !== 'number') throw wrongType(place(name, position), wanted, value);
  const isInexact = Number.isInteger(value) && !Number.isSafeInteger(value);
  const hint = isInexact ? '; a number beyond 2^53 is not exact: pass a BigInt, or declare `wrap: true`' : wrapHint(value);
  throw outOfRange(place(name, position), wanted, value, hint);
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

/** A row of a 64-bit integer. */
function wide(id, name, signed, fast) {
  const fits = signed ? BigInt.asIntN : BigInt.asUintN;
  const range = signed ? I64_RANGE : U64_RANGE;
  const get = signed
    ? (view, at) => view.getBigInt64(at, LITTLE)
    : (view, at) => view.getBigUint64(at, LITTLE);
  const set = signed
    ? (view, at, value) => view.setBigInt64(at, value, LITTLE)
    : (view, at, value) => view.setBigUint64(at, value, LITTLE);
  const row = {
    id, name,
    read: fast ? (view, at) => numberWhereExact(view, at, signed) : get,
    write(view, at, value, owner, position) {
      if (typeof value === 'bigint' && fits(64, value) === value) set(view, at, value);
      else if (Number.isSafeInteger(value) && (signed || value >= 0)) setSafeInteger(view, at, value);
      else refuseWide(value, range, row, owner, position);
    },
  };
  return wrapWide(row, setSafeInteger);
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
  id: 9, name: 'f64',
  read: (view, at) => view.getFloat64(at, LITTLE),
  write(view, at, value, name, position) {
    if (typeof value !== 'number') throw wrongType(place(name, position), 'a number (f64)', value, wrapHint(value));
    view.setFloat64(at, value, LITTLE);
  },
};
wrapFloat(f64, DataView.prototype.setFloat64);

const f32 = {
  id: 10, name: 'f32',
  read: (view, at) => view.getFloat32(at, LITTLE),
  write(view, at, value, name, position) {
    if (typeof value !== 'number') throw wrongType(place(name, position), 'a number (f32)', value, wrapHint(value));
    const rounded = Math.fround(value);
    if ((rounded === Infinity || rounded === -Infinity) && rounded !== value) {
      throw outOfRange(place(name, position), 'a number in the range of f32', value, '; declare `wrap: true` to pass Infinity');
    }
    view.setFloat32(at, rounded, LITTLE);
  },
};
wrapFloat(f32, DataView.prototype.setFloat32);

const bool = {
  id: 11, name: 'bool',
  read: (view, at) => view.getUint8(at) !== 0,
  write(view, at, value, name, position) {
    if (typeof value !== 'boolean') {
      throw wrongType(place(name, position), 'a boolean (bool)', value, '; declare `wrap: true` to pass any value by its truth');
    }
    view.setUint8(at, value ? 1 : 0);
  },
};
wrapBool(bool);

const voidRow = {
  id: 13, name: 'void',
  read: () => undefined,
  write(view, at, value, name, position) {
    if (value !== undefined) throw wrongType(place(name, position), 'undefined (void)', value);
  },
};
// A callback without a result may end in any expression.
voidRow.writeResult = () => undefined;

// ---- pointers -------------------------------------------------------------------------------------------------------

/** What a message adds of a number where text is wanted. */
const textHint = (value) => `; did you mean '${value}'?`;

function writeAddress(view, at, value, row, name, position) {
  if (typeof value === 'bigint') {
    if (BigInt.asUintN(64, value) !== value) {
      throw outOfRange(place(name, position), `an address from 0 to 2^64-1 (${row.name})`, value, wrapHint(value));
    }
    view.setBigUint64(at, value, LITTLE);
    return;
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || Math.floor(value) !== value) {
    const wanted = `an address: an integer from 0 to 2^53-1, or a BigInt (${row.name})`;
    const isFraction = row.isText && !Number.isInteger(value);
    throw outOfRange(place(name, position), wanted, value, isFraction ? textHint(value) : addressHint(value));
  }
  setNatural(view, at, value);
}

/** NULL is null; an address above 2^53-1 is a BigInt (bun's rule since 1.4). */
function readAddress(view, at) {
  const high = view.getUint32(at + 4, LITTLE);
  if (high >= 0x200000) return view.getBigUint64(at, LITTLE);
  const address = high * TWO_32 + view.getUint32(at, LITTLE);
  return address === 0 ? null : address;
}

const POINTER_KINDS = 'a pointer (number, BigInt or null), a view or buffer, a JSCallback or an object with a `ptr`';

/**
 * What an object or function stands for: its `ptr`, which is none if every object has it from Object.prototype. Views and
 * buffers stand for themselves. May run the user's code.
 */
function resolvePointer(value, name, position) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  if (ArrayBuffer.isView(value)) return value;
  // Asked first: whether something is a buffer is a call of Node's.
  const isCallback = value[callbackBrand] === true;
  if (!isCallback) {
    if (isAnyArrayBuffer(value)) return value;
    const storage = value[storageOf];
    if (storage !== undefined) return storage;
  }
  const address = value.ptr;
  if ((typeof address === 'number' || typeof address === 'bigint') && address !== Object.prototype.ptr) return address;
  if (address === null && isCallback) {
    throw makeError('ERR_FFI_CALLBACK_CLOSED', `${place(name, position)} must be an open JSCallback, received a closed one`);
  }
  if (typeof value === 'function') {
    throw wrongType(place(name, position), 'a pointer: wrap a JavaScript function in `new JSCallback(fn, { args, returns })`', value);
  }
  return value;
}

function writePointer(view, at, value, row, name, position) {
  if (value === null) return void view.setBigUint64(at, 0n, LITTLE);
  if (typeof value === 'object') {
    if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return pinnable(value);
  }
  if (typeof value === 'string') {
    throw wrongType(place(name, position), `${POINTER_KINDS} (${row.name}); to pass text declare \`cstring\` or encode it as a Buffer`, value);
  }
  throw wrongType(place(name, position), `${POINTER_KINDS} (${row.name})`, value, addressHint(value));
}

const textWithNul = (value, row, name, position) => wrongValue(place(name, position),
  `a string without NUL characters (${row.name})`, value, '; declare `wrap: true` to end it there');

const ptr = {
  id: 12, name: 'ptr', pins: true,
  read: readAddress,
  resolve: resolvePointer,
  write: (view, at, value, name, position) => writeAny(view, at, value, ptr, name, position),
};

/** Writes what may be passed for a pointer; `row` is the one that messages name. */
function writeAny(view, at, value, row, name, position) {
  if (typeof value === 'number' || typeof value === 'bigint') return writeAddress(view, at, value, row, name, position);
  return writePointer(view, at, value, row, name, position);
}

/** What a number of the first page was meant as: no system has memory there that C could read or write. */
const lowAddress = (value, row, name, position) => makeError('ERR_FFI_INVALID_POINTER',
  `${place(name, position)} must be an address of memory (${row.name}), received ${describe(value)}, which is in the first page`
  + (row.isText ? textHint(value) : ''));

/** The same for a row whose memory C reads or writes. A `ptr` may be a small number: an offset, an id, `SIG_IGN`. */
function writeMemory(view, at, value, row, name, position) {
  if (access.isInFirstPage(value)) throw lowAddress(value, row, name, position);
  return writeAny(view, at, value, row, name, position);
}

const cstring = {
  id: 14, name: 'cstring', pins: true, returnedByEntry: true, isText: true,
  read: (view, at) => access.textAt(readAddress(view, at), 'cstring'),
  resolve: resolvePointer,
  write(view, at, value, name, position) {
    if (typeof value === 'string' && value.includes('\0')) throw textWithNul(value, cstring, name, position);
    return writeAnyText(view, at, value, name, position);
  },
};

/** Its `write` for where the native side looks for NULs. */
function writeAnyText(view, at, value, name, position) {
  return typeof value === 'string' ? value : writeMemory(view, at, value, cstring, name, position);
}
// Not enumerable, as `wrapped`.
Object.defineProperty(cstring, 'writeAnyText', { value: writeAnyText });

const functionRow = {
  id: 17, name: 'function',
  read: readAddress,
  resolve: resolvePointer,
  write(view, at, value, name, position) {
    if (value === null) return void view.setBigUint64(at, 0n, LITTLE);
    if (typeof value === 'number' || typeof value === 'bigint') return writeAddress(view, at, value, functionRow, name, position);
    throw wrongType(place(name, position), 'a JSCallback, a bound function, a function pointer or null (function)', value,
      addressHint(value));
  },
};

wrapPointer(ptr);
wrapPointer(functionRow);
wrapText(cstring);

const buffer = {
  id: 20, name: 'buffer', pins: true, argumentOnly: 'the length of the buffer would be unknown; return `ptr`',
  read: readAddress,
  write(view, at, value, name, position) {
    if (ArrayBuffer.isView(value)) return pinnable(value);
    throw wrongType(place(name, position), 'a typed array or DataView (buffer)', value);
  },
};

const bufferLength = {
  id: 21, name: 'buffer_length', argumentOnly: 'it is the length of an argument',
  read: (view, at) => view.getBigUint64(at, LITTLE),
  write(view, at, value, name, position) {
    if (!ArrayBuffer.isView(value)) throw wrongType(place(name, position), 'a typed array or DataView (buffer_length)', value);
    const fixed = fixedSize(value, name, position);
    // A DataView does not tell the length of a detached buffer: it throws.
    const isEmpty = byteLengthOf(bufferOf(fixed)) === 0;
    if (isEmpty && access.storageAddress(fixed) === undefined) {
      throw wrongValue(place(name, position), 'attached to its storage (buffer_length)', value);
    }
    const length = isEmpty ? 0 : byteLengthOf(fixed);
    writeAddress(view, at, length, bufferLength, name, position);
  },
};

// ---- text of wider units ---------------------------------------------------------------------------------------------

/** Text of 2 or 4 bytes a unit: a string goes in as a copy that lives for the call. */
function wideText(name, unit) {
  const row = {
    id: ptr.id, name, key: name, pins: true, readsMemory: true, isText: true,
    read(view, at) {
      const address = readAddress(view, at);
      return address === null ? null : access.wideTextAt(address, unit, name);
    },
    resolve: resolvePointer,
    write(view, at, value, owner, position) {
      if (typeof value === 'string') {
        if (value.includes('\0')) throw textWithNul(value, row, owner, position);
        return unit === 2 ? Buffer.from(`${value}\0`, 'utf16le') : utf32(`${value}\0`);
      }
      return writeMemory(view, at, value, row, owner, position);
    },
  };
  return wrapText(row);
}

/** The code points of a string; a lone surrogate becomes U+FFFD. */
function utf32(text) {
  const points = Uint32Array.from(text, (character) => character.codePointAt(0));
  return points.map((point) => (point >= 0xd800 && point <= 0xdfff ? 0xfffd : point));
}

const compiledOnly = (id, name) => ({ id, name, refused: 'exists only in C code that bun compiles itself' });

// ---- the platform's own ---------------------------------------------------------------------------------------------

const sizes = binding.sizes();

/** `long`: 64 bits on LP64, 32 on Windows; a BigInt on both, so that a program means the same everywhere. */
function long(id, name, signed) {
  if (sizes[id] === 8) return wide(id, name, signed, false);
  const narrow = signed ? i32 : u32;
  const row = {
    ...narrow, id, name,
    read: (view, at) => BigInt(narrow.read(view, at)),
    write: (view, at, value, owner, position) => narrow.write(view, at, value, owner, position),
  };
  return wrapInteger(row);
}

const wideChar = sizes[24] === 2 ? u16 : binding.wcharIsSigned() ? i32 : u32;
const wchar = wrapInteger({ ...wideChar, id: 24, name: 'wchar_t' });

// ---- the table ------------------------------------------------------------------------------------------------------

const rows = [
  char, i8, u8, i16, u16, i32, u32, wide(7, 'i64', true, false), wide(8, 'u64', false, false), f64, f32, bool, ptr,
  voidRow, cstring, wide(15, 'i64_fast', true, true), wide(16, 'u64_fast', false, true), functionRow,
  compiledOnly(18, 'napi_env'), compiledOnly(19, 'napi_value'), buffer, bufferLength,
  long(22, 'long', true), long(23, 'unsigned long', false), wchar,
];
/** A row that lacks a key must not find one on Object.prototype: rows decide how C is called. */
const alone = (row) => Object.setPrototypeOf(row, null);

const INLINES = {
  char: byElement('i8s'), i8: byElement('i8s'), u8: byElement('u8s'), i16: byElement('i16s'), u16: byElement('u16s'),
  i32: byElement('words'), u32: byElement('u32s'), i64: byElement('i64s'), u64: byElement('u64s'), f32: byElement('f32s'),
  f64: byElement('f64s'), bool: byElement('u8s', ' !== 0'), i64_fast: byHalves('toSigned'), u64_fast: byHalves('toUnsigned'),
  // That of all rows which read addresses, whose function it is.
  ptr: byHalves('toAddress'), cstring: { ...byHalves('toAddress'), from: (address) => access.textAt(address, 'cstring') },
  void: { raws: () => [], value: () => 'undefined' },
  ...(sizes[22] === 8 && { long: byElement('i64s'), 'unsigned long': byElement('u64s') }),
};

for (const row of rows) {
  if (Object.hasOwn(INLINES, row.name)) noteInline(row.read, INLINES[row.name]);
  row.size = row.align = sizes[row.id];
  if (row.wrapped) alone(row.wrapped).size = row.wrapped.align = row.size;
  alone(row);
}

const aliases = {
  i8: ['int8_t', 'signed char'],
  u8: ['uint8_t', 'unsigned char'],
  i16: ['int16_t', 'short'],
  u16: ['uint16_t', 'unsigned short', 'char16_t'],
  i32: ['int32_t', 'int', 'c_int'],
  u32: ['uint32_t', 'unsigned int', 'c_uint', 'char32_t'],
  i64: ['int64_t', 'isize', 'ssize_t', 'intptr_t', 'ptrdiff_t', 'long long'],
  u64: ['uint64_t', 'usize', 'size_t', 'uintptr_t', 'unsigned long long'],
  f64: ['double'],
  f32: ['float'],
  ptr: ['pointer', 'void*', 'char*'],
  function: ['callback', 'fn'],
  buffer_length: ['buffer_bytelength'],
};

const byName = new Map();
for (const row of rows) {
  byName.set(row.name, row);
  for (const alias of aliases[row.name] ?? []) byName.set(alias, row);
}

/** bun's FFIType: names, aliases and numeric tags. Tags 18 and on, and `size_t`, have no key of their own there. */
const FFIType = { __proto__: null };
for (const row of rows.slice(0, 18)) FFIType[row.id] = row.id;
// No loop: a long one in the code of a file has V8 compile all of that once more.
byName.forEach((row, name) => { FFIType[name] = row.id; });
Object.freeze(FFIType);

// Pointers for C, so that they have the tag of one and none of their own.
for (const row of [wideText('utf16', 2), wideText('wstring', sizes[wchar.id])]) {
  row.size = row.align = ptr.size;
  alone(row.wrapped).size = row.wrapped.align = ptr.size;
  byName.set(row.name, alone(row));
}

/** The rows of the types that were made by struct(), pointer(), ... */
const rowsOfTypes = new WeakMap();

/** Has declarations take `type`, an object that stands for a row. */
const declare = (type, row) => rowsOfTypes.set(type, alone(row));

const isDeclared = (type) => rowsOfTypes.has(type);

/** The row of a declared type: a name, an alias, a numeric tag or what struct(), pointer(), ... have made; or undefined. */
const rowOf = (function (declared) {
  if (typeof declared === 'string') return byName.get(declared);
  return typeof declared === 'number' ? rows[declared] : rowsOfTypes.get(declared);
});

/** The same, where there must be one that calls can have. */
function typeOf(declared, where) {
  const row = rowOf(declared);
  if (row === undefined || row.refused !== undefined) throw noType(declared, row, where);
  return row;
}

function noType(declared, row, where) {
  if (row !== undefined) return wrongValue(where, `a type of FFIType (${row.name} ${row.refused})`, declared);
  const fault = typeof declared === 'string' || typeof declared === 'number' ? wrongValue : wrongType;
  return fault(where, 'a type of FFIType', declared);
}

/** What is known of an argument. Goes into generated source: nothing of it may come from Object.prototype. */
const parameter = (function (row, label) {
  return { __proto__: null, row, label, lengthOf: undefined };
});

module.exports = {
  rows, byName, aliases, FFIType, rowOf, typeOf, parameter, declare, isDeclared, readAddress, resolvePointer, lowAddress,
  writeMemory, callbackBrand, storageOf,
};
