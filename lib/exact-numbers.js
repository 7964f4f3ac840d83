'use strict';
// 64-bit integers of C for types that are always numbers, i64_number and u64_number: one that a number does not hold
// exactly throws. The code that reads the number does not know its function or field: callers add the name to the
// error.

const { atCaller, makeError, locationOf } = require('./errors.js');

const TWO_32 = 2 ** 32;

/** The errors that have no name yet: the fields and elements that lead to the value, and what is wrong with it. */
const unplaced = new WeakMap();

function inexact(value, type) {
  const fault = `${value}n is beyond 2^53, where numbers are not exact (${type}_number); ${type} gives a BigInt`;
  const error = makeError('ERR_OUT_OF_RANGE', fault);
  unplaced.set(error, { path: '', fault });
  return error;
}

/** The error of an aggregate's field or element: others pass. */
function inPart(error, part) {
  const known = unplaced.get(error);
  if (known === undefined) return error;
  known.path = (typeof part === 'number' ? `[${part}]` : `.${part}`) + known.path;
  return error;
}

/** Names the value of such an error, as `locationOf` does; other errors pass. */
function placeInexact(error, name, position) {
  const known = unplaced.get(error);
  if (known === undefined) return error;
  unplaced.delete(error);
  const { path, fault } = known;
  const part = path === '' ? '' : `${path.startsWith('[') ? `element ${path}` : `field ${path.slice(1)}`}: `;
  error.message = `${locationOf(name, position)}: ${part}${fault}`;
  return error;
}

/** The error of an integer for a `position` of a function, whose stack begins above `above`. */
function thrownFor(value, type, name, position, above) {
  const error = inexact(value, type);
  if (name !== undefined) placeInexact(error, name, position);
  return above === undefined ? error : atCaller(error, above);
}

const bigOf = (high, low) => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** The number of the halves of a signed word. */
function toExactSigned(high, low, name, position, above) {
  const number = high * TWO_32 + (low >>> 0);
  if (Number.isSafeInteger(number)) return number;
  throw thrownFor(bigOf(high, low), 'i64', name, position, above);
}

function toExactUnsigned(high, low, name, position, above) {
  const number = (high >>> 0) * TWO_32 + (low >>> 0);
  if (Number.isSafeInteger(number)) return number;
  throw thrownFor(bigOf(high >>> 0, low), 'u64', name, position, above);
}

/** The number of a BigInt, of `i64` or `u64`. */
function exactOfBig(value, type) {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw inexact(value, type);
}

module.exports = { toExactSigned, toExactUnsigned, exactOfBig, inPart, placeInexact };
