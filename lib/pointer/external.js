'use strict';
// toBuffer() and toArrayBuffer(): native memory as JavaScript buffers.

const { Buffer } = require('node:buffer');
const { atCaller, wrongType, outOfRange } = require('../errors.js');
const access = require('../memory/access.js');
const { integerOf } = require('../validate.js');
const { resolvePointer } = require('../types/pointers.js');

const isZero = (value) => value === 0 || value === 0n;
const isNull = (address) => address === null || isZero(address);

/** A length in bytes that the caller gave, or the distance to the NUL. */
function lengthOf(address, byteLength, name) {
  if (byteLength === undefined || byteLength === null) return access.textLength(address, name);
  return integerOf(byteLength, `${name}: byteLength`, 'an integer of at least 0');
}

function optionalAddress(value, name) {
  if (value === undefined || value === null) return 0;
  return access.checkedAddress(resolvePointer(value, name), 0, name);
}

function contextAddress(value, name) {
  if (value === undefined || value === null) return 0;
  const valid =
    typeof value === 'bigint' ? BigInt.asUintN(64, value) === value : Number.isSafeInteger(value) && value >= 0;
  if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(`${name}: context`, 'an address', value);
  if (!valid) throw outOfRange(`${name}: context`, 'an address', value);
  return value;
}

/** bun's order: with four arguments the fourth is the deallocator, with five it is the deallocator's context. */
function wrap(name, address, byteOffset, byteLength, contextOrDeallocator, deallocator, count) {
  // C gives an empty list as NULL and 0.
  if (isNull(address) && isZero(byteLength)) return new ArrayBuffer(0);
  const start = access.checkedAddress(address, byteOffset ?? 0, name);
  const free = optionalAddress(count > 4 ? deallocator : contextOrDeallocator, `${name}: deallocator`);
  const context = count > 4 ? contextAddress(contextOrDeallocator, name) : 0;
  const length = lengthOf(start, byteLength, name);
  return access.wrap(start, length, free, context, name);
}

function toArrayBuffer(address, byteOffset, byteLength, contextOrDeallocator, deallocator) {
  try {
    return wrap('toArrayBuffer', address, byteOffset, byteLength, contextOrDeallocator, deallocator, arguments.length);
  } catch (error) {
    throw atCaller(error, toArrayBuffer); // node-do-not-add-exception-line
  }
}

function toBuffer(address, byteOffset, byteLength, contextOrDeallocator, deallocator) {
  try {
    return Buffer.from(
      wrap('toBuffer', address, byteOffset, byteLength, contextOrDeallocator, deallocator, arguments.length),
    );
  } catch (error) {
    throw atCaller(error, toBuffer); // node-do-not-add-exception-line
  }
}

module.exports = { toArrayBuffer, toBuffer, lengthOf };
