'use strict';
// BigInts of one word and numbers, converted by the halves of the word: Number() and BigInt() take several times as
// long. Nothing is called between the write and the read (memory/arg-buffer.js has the reason).

const bigs = new BigUint64Array(1);
const halves = new Uint32Array(bigs.buffer);
const TWO_32 = 2 ** 32;
const MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** The number of a BigInt from 0 to 2^53-1; NaN for every other BigInt. */
function numberOfBig(value) {
  if (value < 0n || value > MOST) return NaN;
  bigs[0] = value;
  return halves[1] * TWO_32 + halves[0];
}

/** The BigInt of an integer from 0 to 2^53-1. */
function bigOfNumber(value) {
  halves[0] = value;
  halves[1] = value / TWO_32;
  return bigs[0];
}

/** A BigInt as a number where it is from 0 to 2^53-1, and as it is elsewhere. */
function shortened(value) {
  const number = numberOfBig(value);
  return number >= 0 ? number : value;
}

module.exports = { numberOfBig, bigOfNumber, shortened };
