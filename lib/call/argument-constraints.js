'use strict';
// Arguments that are declared as objects: { type, name, minBytes, lengthOf }. Each becomes a type descriptor whose
// write() checks the constraints before C is entered, in every mode.

const { makeError, wrongValue, outOfRange, describe, locationOf } = require('../errors.js');
const access = require('../memory/access.js');
const { byteLengthOf, isView } = require('../memory/array-buffer.js');
const { parseOptions } = require('../validate.js');
const { lowAddress } = require('../types/pointers.js');
const { typeOf, spelled, parameter } = require('../types/registry.js');

const KEYS = { type: 'any', name: 'string', minBytes: 'number', lengthOf: 'number' };

/**
 * The descriptor of an argument that is not declared by a type, and what the call has to know of it.
 * @returns {import('../types/registry.js').Parameter}
 */
function argumentOf(declared, index, where) {
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) {
    return parameter(typeOf(declared, where), index);
  }
  const { type, name, minBytes, lengthOf } = parseOptions(declared, KEYS, where);
  const descriptor = typeOf(type, `${where}.type`);
  const label = spelled(name === undefined ? index : `argument ${index} (${name})`, type, descriptor);
  if (minBytes !== undefined && lengthOf !== undefined) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${where} must have minBytes or lengthOf, not both`);
  }
  if (lengthOf !== undefined) {
    return /** @type {any} */ ({
      __proto__: null,
      ...parameter(checkLengthType(descriptor, lengthOf, where), label),
      lengthOf,
      checkLength,
    });
  }
  return parameter(minBytes === undefined ? descriptor : atLeast(descriptor, minBytes, where), label);
}

/** A pointer to at least `minBytes` bytes. A number or null has no length to check. */
function atLeast(descriptor, minBytes, where) {
  if (!descriptor.isPointerLike)
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where}: minBytes is only valid for pointer types, not ${descriptor.name}`,
    );
  if (!Number.isSafeInteger(minBytes) || minBytes < 0) {
    throw outOfRange(`${where}.minBytes`, 'a number of bytes', minBytes);
  }
  return {
    __proto__: null,
    ...descriptor,
    key: `${descriptor.coercing ? descriptor.id : `${descriptor.id}w`}>=${minBytes}`,
    ...(descriptor.coercing && { coercing: atLeast(descriptor.coercing, minBytes, where) }),
    write(view, at, value, name, position) {
      if (minBytes > 0 && access.isInFirstPage(value)) throw lowAddress(value, descriptor, name, position);
      if (bytesOf(value, descriptor) < minBytes) {
        throw makeError(
          'ERR_OUT_OF_RANGE',
          `${locationOf(name, position)} needs at least ${minBytes} bytes, received ${describe(value)}`,
        );
      }
      return descriptor.write(view, at, value, name, position);
    },
  };
}

const INTEGERS = new Set([
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'i64_fast',
  'u64_fast',
  'long',
  'unsigned long',
]);

function checkLengthType(descriptor, lengthOf, where) {
  if (!INTEGERS.has(descriptor.name))
    throw wrongValue(`${where}.type`, 'an integer type, as the length of an argument', descriptor.name);
  if (!Number.isInteger(lengthOf) || lengthOf < 0) {
    throw outOfRange(`${where}.lengthOf`, 'the index of an argument', lengthOf);
  }
  return descriptor;
}

/**
 * The bytes that a view, a buffer or a string gives to C; Infinity if that is unknown, or if the type refuses the value.
 */
function bytesOf(value, descriptor) {
  if (typeof value === 'string') return descriptor.name === 'cstring' ? Buffer.byteLength(value) + 1 : Infinity;
  return isView(value) ? byteLengthOf(value) : Infinity;
}

/** Checks what `lengthOf` promises of each other. */
function checkLengths(args, descriptors, name) {
  for (let index = 0; index < args.length; index += 1) {
    const { lengthOf } = args[index];
    if (lengthOf !== undefined && (lengthOf === index || !descriptors[lengthOf]?.isPointerLike)) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${name}: args[${index}].lengthOf must be the index of a pointer argument, received ${lengthOf}`,
      );
    }
  }
}

/** Refuses a length, as C would get it, that is negative or more than its buffer has. */
function checkLength(length, of, descriptor, name, label, index) {
  const bytes = bytesOf(of, descriptor);
  if (bytes === Infinity || (length >= 0 && length <= bytes)) return;
  throw outOfRange(
    locationOf(name, label),
    `${length < 0 ? 'at least 0 and ' : ''}at most ${bytes}, the bytes of argument ${index}`,
    length,
  );
}

module.exports = { argumentOf, checkLengths };
