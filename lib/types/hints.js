'use strict';
// The hints of messages about a refused value: the value that was probably meant. Nothing here advises to turn
// a check off.

// A program may have replaced Number.isInteger.
const isWhole = (value) => typeof value === 'number' && value % 1 === 0;

/**
 * The same bits as an integer of the other sign: C's -1 is 4294967295 in a u32. Undefined where the bits do not fit.
 */
function sameBits(value, bits, isSigned) {
  const big = typeof value === 'bigint' ? value : isWhole(value) ? BigInt(value) : undefined;
  if (big === undefined || (isSigned ? big < 0n : big >= 0n)) return undefined;
  if (isSigned) return BigInt.asUintN(bits, big) === big ? BigInt.asIntN(bits, big) : undefined;
  return BigInt.asIntN(bits, big) === big ? BigInt.asUintN(bits, big) : undefined;
}

const literal = (big) =>
  big <= BigInt(Number.MAX_SAFE_INTEGER) && big >= BigInt(Number.MIN_SAFE_INTEGER) ? String(big) : `${big}n`;

const isNumeric = (text) => text.trim() !== '' && Number.isFinite(Number(text));

/** For an integer of `bits` bits that was refused. */
function integerHint(value, bits, isSigned) {
  if (typeof value === 'boolean') return `; did you mean ${Number(value)}?`;
  if (typeof value === 'string') return isNumeric(value) ? `; did you mean ${value.trim()}?` : '';
  if (typeof value === 'number' && value % 1 !== 0 && value - value === 0) return '; round it first';
  const bitsOfOther = sameBits(value, bits, isSigned);
  return bitsOfOther === undefined ? '' : `; the same bits are ${literal(bitsOfOther)}`;
}

/** For a number that was refused. */
function numberHint(value) {
  if (typeof value === 'bigint') return '; pass Number(value)';
  return typeof value === 'string' && isNumeric(value) ? `; did you mean ${value.trim()}?` : '';
}

/** For a boolean that was refused. */
const boolHint = (value) => (value === 0 || value === 1 ? `; did you mean ${value === 1}?` : '');

/** For an address that was refused. */
function addressHint(value) {
  if (value === undefined) return '; NULL is null';
  return typeof value === 'number' || typeof value === 'bigint' ? integerHint(value, 64, false) : '';
}

module.exports = { integerHint, numberHint, boolHint, addressHint };
