'use strict';
// CString: copies C text into a JavaScript string.

const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const { atCaller, outOfRange } = require('../errors.js');
const access = require('../memory/access.js');
const { lengthOf } = require('./external.js');

const NAME = 'CString';

/**
 * The text at an address, up to its NUL or of `byteLength` bytes. Works with and without `new`, and gives a primitive
 * string either way (bun since 1.4).
 */
function CString(address, byteOffset = 0, byteLength) {
  try {
    const text = textOf(address, byteOffset ?? 0, byteLength);
    return new.target === undefined ? text : Object(text);
  } catch (error) {
    throw atCaller(error, CString); // node-do-not-add-exception-line
  }
}

function textOf(address, byteOffset, byteLength) {
  if (address === null || address === 0 || address === 0n) return '';
  const start = access.checkedAddress(address, byteOffset, NAME);
  if (byteLength === undefined || byteLength === null) return access.textOf(start, undefined, NAME);
  const length = lengthOf(start, byteLength, NAME);
  if (length > MAX_STRING_LENGTH) {
    throw outOfRange(`${NAME}: byteLength`, `an integer of at most ${MAX_STRING_LENGTH}`, length);
  }
  return access.textOf(start, length, NAME);
}

module.exports = { CString };
