'use strict';
// Addresses, sizes and lengths, as Node takes them.

const { makeError } = require('../errors.js');
const { outOfRange, wrongArgument, wrongType, wrongValue } = require('./words.js');

const END = 2n ** 64n;

/** An address, as Node takes it; `what` is its name in messages. */
function addressOf(value, what) {
  if (typeof value !== 'bigint') throw wrongType(`The ${what} must be a bigint`);
  if (BigInt.asUintN(64, value) !== value) throw wrongValue(`The ${what} must be a non-negative bigint`);
  return value;
}

/** A size in bytes, as Node takes it. */
function sizeOf(value, what) {
  if (typeof value !== 'number') throw wrongType(`The ${what} must be a number`);
  if (!Number.isInteger(value) || value < 0) throw wrongValue(`The ${what} must be a non-negative integer`);
  if (value > Number.MAX_SAFE_INTEGER) throw makeError('ERR_OUT_OF_RANGE', `The ${what} is too large`);
  return value;
}

/** Refuses memory that would go beyond the last address. */
function checkSpan(address, size, message) {
  if (size > 0 && address + BigInt(size) > END) throw wrongValue(message);
}

/** A length in bytes, as Node's validators take it. */
function checkLength(length) {
  if (typeof length !== 'number') throw wrongArgument('len', 'of type number', length);
  if (!Number.isInteger(length)) throw outOfRange('len', 'an integer', length);
  if (length < 0 || length > Number.MAX_SAFE_INTEGER)
    throw outOfRange('len', `>= 0 && <= ${Number.MAX_SAFE_INTEGER}`, length);
}

module.exports = { addressOf, sizeOf, checkSpan, checkLength };
