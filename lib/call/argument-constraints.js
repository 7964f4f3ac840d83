'use strict';
// Arguments that are declared as objects: { type, name, minBytes, lengthOf, countOf, flow }. Each becomes a type
// descriptor whose write() checks the constraints before C is entered, in every mode.

const { Buffer } = require('node:buffer');
const { makeError, wrongValue, outOfRange, describe, locationOf } = require('../errors.js');
const access = require('../memory/access.js');
const { byteLengthOf, elementSizeOf, isView } = require('../memory/array-buffer.js');
const { lazy } = require('../lazy.js');
const { integerOf, parseOptions } = require('../validate.js');
const { lowAddress } = require('../types/pointers.js');
const { typeOf, spelled, parameter } = require('../types/registry.js');

/** Few functions have pointers that lists are passed for. */
const plainTarget = lazy(() => require('../types/plain-target.js'));

const KEYS = { type: 'any', name: 'string', minBytes: 'any', lengthOf: 'number', countOf: 'number', flow: 'any' };

/**
 * The descriptor of an argument that is not declared by a type, and what the call has to know of it.
 * @returns {import('../types/registry.js').Parameter}
 */
function argumentOf(declared, index, where) {
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) {
    return parameter(typeOf(declared, where), index);
  }
  const { type, name, minBytes, lengthOf: bytesOfIndex, countOf, flow } = parseOptions(declared, KEYS, where);
  const lengthOf = bytesOfIndex ?? countOf;
  const descriptor = typeOf(type, `${where}.type`);
  const label = spelled(name === undefined ? index : `argument ${index} (${name})`, type, descriptor);
  if ([minBytes, bytesOfIndex, countOf].filter((each) => each !== undefined).length > 1) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${where} must have one of minBytes, lengthOf and countOf`);
  }
  if (lengthOf !== undefined) {
    if (flow !== undefined) checkFlow(flow, descriptor, where);
    return /** @type {any} */ ({
      __proto__: null,
      ...parameter(checkLengthType(descriptor, lengthOf, where, countOf === undefined ? 'lengthOf' : 'countOf'), label),
      lengthOf,
      counts: countOf !== undefined,
      checkLength: countOf === undefined ? checkLength : checkCount,
    });
  }
  const known = parameter(minBytes === undefined ? descriptor : atLeast(descriptor, minBytes, where), label);
  return flow === undefined ? known : { ...known, flow: checkFlow(flow, descriptor, where) };
}

const FLOWS = ['in', 'out', 'inout'];

/** The direction in which the bytes of memory are copied that the process of an isolated library does not share. */
function checkFlow(flow, descriptor, where) {
  if (!FLOWS.includes(flow)) throw wrongValue(`${where}.flow`, "'in', 'out' or 'inout'", flow);
  if (descriptor.isPointerLike && descriptor.outParam === undefined) return flow;
  throw makeError('ERR_INVALID_ARG_VALUE', `${where}: flow is only valid for pointer types, not ${descriptor.name}`);
}

/** A pointer to at least `minBytes` bytes. A number or null has no length to check. */
function atLeast(descriptor, minBytes, where) {
  if (!descriptor.isPointerLike)
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where}: minBytes is only valid for pointer types, not ${descriptor.name}`,
    );
  const least = integerOf(minBytes, `${where}.minBytes`, 'a number of bytes');
  return atLeastBytes(descriptor, least);
}

function atLeastBytes(descriptor, minBytes) {
  return {
    __proto__: null,
    ...descriptor,
    key: `${'coercing' in descriptor ? descriptor.id : `${descriptor.id}w`}>=${minBytes}`,
    ...(descriptor.coercing && { coercing: atLeastBytes(descriptor.coercing, minBytes) }),
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
  'i64_number',
  'u64_number',
  'long',
  'unsigned long',
]);

function checkLengthType(descriptor, lengthOf, where, key) {
  if (!INTEGERS.has(descriptor.name))
    throw wrongValue(`${where}.type`, 'an integer type, as the length of an argument', descriptor.name);
  if (!Number.isInteger(lengthOf) || lengthOf < 0) {
    throw outOfRange(`${where}.${key}`, 'the index of an argument', lengthOf);
  }
  return descriptor;
}

/**
 * The bytes that a view, a buffer, a list or a string gives to C; Infinity if that is unknown, or if the type refuses
 * the value.
 */
function bytesOf(value, descriptor) {
  if (typeof value === 'string') return descriptor.name === 'cstring' ? Buffer.byteLength(value) + 1 : Infinity;
  if (!isView(value)) return Infinity;
  return (descriptor.copiesBack ? plainTarget().valueBytesOf(value) : undefined) ?? byteLengthOf(value);
}

/** Checks that each `lengthOf` names a pointer argument. */
function checkLengths(args, descriptors, name) {
  for (let index = 0; index < args.length; index += 1) {
    const { lengthOf } = args[index];
    if (lengthOf !== undefined && (lengthOf === index || !descriptors[lengthOf]?.isPointerLike)) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${name}: args[${index}].${args[index].counts ? 'countOf' : 'lengthOf'} must be the index of a pointer argument, received ${lengthOf}`,
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

/**
 * The same for a number of elements: values of the type that the pointer points to, units of a text, else elements of
 * the typed array.
 */
function checkCount(count, of, descriptor, name, label, index) {
  const size = descriptor.elementSize?.() ?? descriptor.unit ?? elementSizeOf(of);
  const bytes =
    typeof of === 'string' && descriptor.unit !== undefined ? (of.length + 1) * size : bytesOf(of, descriptor);
  const most = Math.floor(bytes / size);
  if (most === Infinity || (count >= 0 && count <= most)) return;
  throw outOfRange(
    locationOf(name, label),
    `${count < 0 ? 'at least 0 and ' : ''}at most ${most}, the elements of argument ${index}`,
    count,
  );
}

module.exports = { argumentOf, checkLengths };
