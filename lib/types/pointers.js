'use strict';
// The type descriptors of pointers (ptr, function, buffer, buffer_length); checks, reads and writes addresses.

const { isAnyArrayBuffer } = require('node:util').types;
const { wrongType, wrongValue, outOfRange, makeError, describe, locationOf, typeNameOf } = require('../errors.js');
const access = require('../memory/access.js');
const { bufferOf, byteLengthOf, fixedSize, pinnable, storageOf } = require('../memory/array-buffer.js');
const { coercePointer } = require('./coerce.js');
const { addressHint } = require('./hints.js');
const { setNatural } = require('./scalars.js');

const LITTLE = true;
const TWO_32 = 2 ** 32;
/** Marks the instances of JSCallback, to distinguish a closed one from an object without a pointer. */
const callbackBrand = Symbol('JSCallback');

/** The hint for a number where a text is wanted. */
const textHint = (value) => `; did you mean '${value}'?`;

function writeAddress(view, at, value, descriptor, name, position) {
  if (typeof value === 'bigint') {
    if (BigInt.asUintN(64, value) !== value) {
      throw outOfRange(
        locationOf(name, position),
        `an address from 0 to 2^64-1 (${typeNameOf(descriptor, position)})`,
        value,
        addressHint(value),
      );
    }
    view.setBigUint64(at, value, LITTLE);
    return;
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER) || Math.floor(value) !== value) {
    const expected = `an address: an integer from 0 to 2^53-1, or a BigInt (${typeNameOf(descriptor, position)})`;
    const isFraction = descriptor.isText && !Number.isInteger(value);
    throw outOfRange(locationOf(name, position), expected, value, isFraction ? textHint(value) : addressHint(value));
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

/** The values that a pointer type takes, for messages. */
const kindsOf = (descriptor, position) =>
  `${descriptor.isText ? 'a string, ' : descriptor.copiesBack ? valuesOf(descriptor) : ''}${POINTER_KINDS} (${typeNameOf(descriptor, position)})`;

/** The plain values that a pointer(T) takes. */
const valuesOf = (descriptor) =>
  descriptor.pointee().fields === undefined ? 'an array of values, ' : 'an object, an array of objects, ';

const isAddress = ({ isPointerLike, opaque }) => isPointerLike === true || opaque !== undefined;

/** The hint for an object that stands for no memory. A type, or {}, is what others pass for a result. */
const targetHint = (value, descriptor) =>
  descriptor.copiesBack && typeof value === 'object' && descriptor.pointee().fields === undefined
    ? `; for a value that C writes pass ${isAddress(descriptor.pointee()) ? '[null]' : '[0]'}, or declare an out-parameter: out(T), in C text _Out_`
    : addressHint(value);

/**
 * The pointer that an object or function stands for: its `ptr`, unless every object has one from Object.prototype.
 * Views and buffers stand for themselves. May run the user's code.
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
  if (
    (typeof address === 'number' || typeof address === 'bigint') &&
    address !== /** @type {any} */ (Object.prototype).ptr
  )
    return address;
  if (address === null && isCallback) {
    throw makeError(
      'ERR_FFI_CALLBACK_CLOSED',
      `${locationOf(name, position)} must be an open JSCallback, received a closed one`,
    );
  }
  if (typeof value === 'function') {
    throw wrongType(
      locationOf(name, position),
      'a pointer: for the call alone declare `fn({ args, returns })`, for longer pass ' +
        '`new JSCallback(fn, { args, returns })`',
      value,
    );
  }
  return value;
}

function writePointer(view, at, value, descriptor, name, position) {
  if (value === null) return void view.setBigUint64(at, 0n, LITTLE);
  if (typeof value === 'object') {
    if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return pinnable(value);
  }
  if (typeof value === 'string') {
    throw wrongType(
      locationOf(name, position),
      `${kindsOf(descriptor, position)}; to pass text declare \`cstring\` or encode it as a Buffer`,
      value,
    );
  }
  throw wrongType(locationOf(name, position), kindsOf(descriptor, position), value, targetHint(value, descriptor));
}

const ptr = {
  id: 12,
  name: 'ptr',
  isPointerLike: true,
  read: readAddress,
  resolve: resolvePointer,
  write: (view, at, value, name, position) => writeAny(view, at, value, ptr, name, position),
};

/** Writes what may be passed for a pointer; `descriptor` is the one that messages name. */
function writeAny(view, at, value, descriptor, name, position) {
  if (typeof value === 'number' || typeof value === 'bigint')
    return writeAddress(view, at, value, descriptor, name, position);
  return writePointer(view, at, value, descriptor, name, position);
}

/** The value that was probably meant by a number of the first page, where no system has memory for C. */
const lowAddress = (value, descriptor, name, position) =>
  makeError(
    'ERR_FFI_INVALID_POINTER',
    `${locationOf(name, position)} must be ${descriptor === buffer ? 'a typed array or DataView' : 'an address of memory'} ` +
      `(${typeNameOf(descriptor, position)}), received ${describe(value)}, which is in the first page` +
      (descriptor.isText ? textHint(value) : ''),
  );

/**
 * The same for a descriptor whose memory C reads or writes. A `ptr` may be a small number: an offset, an id, `SIG_IGN`.
 */
function writeMemory(view, at, value, descriptor, name, position) {
  if (access.isInFirstPage(value)) throw lowAddress(value, descriptor, name, position);
  return writeAny(view, at, value, descriptor, name, position);
}

let keys = 0;

/** The descriptor of a dialect's pointer to memory that C reads or writes, without what `pointer(T)` knows of T. */
function memoryPointer(name) {
  const descriptor = {
    ...ptr,
    name,
    key: `memory ${(keys += 1)}`,
    fastClass: 'memory',
    write: (view, at, value, owner, position) => writeMemory(view, at, value, descriptor, owner, position),
  };
  return descriptor;
}

const functionType = {
  id: 17,
  name: 'function',
  takesFunctions: true,
  read: readAddress,
  resolve: resolvePointer,
  write(view, at, value, name, position) {
    if (value === null) return void view.setBigUint64(at, 0n, LITTLE);
    if (typeof value === 'number' || typeof value === 'bigint')
      return writeAddress(view, at, value, functionType, name, position);
    throw wrongType(
      locationOf(name, position),
      'a JSCallback, a bound function, a function pointer or null (function)',
      value,
      addressHint(value),
    );
  },
};

coercePointer(ptr);
coercePointer(functionType);

const buffer = {
  id: 20,
  name: 'buffer',
  isPointerLike: true,
  argumentOnly: 'the length of the buffer would be unknown; return `ptr`',
  read: readAddress,
  write(view, at, value, name, position) {
    if (ArrayBuffer.isView(value)) return pinnable(value);
    if (access.isInFirstPage(value)) throw lowAddress(value, buffer, name, position);
    throw wrongType(locationOf(name, position), 'a typed array or DataView (buffer)', value);
  },
};

const bufferLength = {
  id: 21,
  name: 'buffer_length',
  argumentOnly: 'it is the length of an argument',
  read: (view, at) => view.getBigUint64(at, LITTLE),
  write(view, at, value, name, position) {
    if (!ArrayBuffer.isView(value))
      throw wrongType(locationOf(name, position), 'a typed array or DataView (buffer_length)', value);
    const fixed = fixedSize(value, name, position);
    // A DataView does not tell the length of a detached buffer: it throws.
    const isEmpty = byteLengthOf(bufferOf(fixed)) === 0;
    if (isEmpty && access.storageAddress(fixed) === undefined) {
      throw wrongValue(locationOf(name, position), 'attached to its storage (buffer_length)', value);
    }
    const length = isEmpty ? 0 : byteLengthOf(fixed);
    writeAddress(view, at, length, bufferLength, name, position);
  },
};

module.exports = {
  ptr,
  functionType,
  buffer,
  bufferLength,
  readAddress,
  resolvePointer,
  lowAddress,
  memoryPointer,
  writeMemory,
  callbackBrand,
  storageOf,
};
