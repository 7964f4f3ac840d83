'use strict';
// CString: a copy of C text as a JavaScript string.

const memory = require('./memory');
const { lengthOf } = require('./pointer');

const NAME = 'CString';

/**
 * The text at an address, up to its NUL or of `byteLength` bytes. Works with and without `new`, and gives a primitive
 * string either way (bun since 1.4).
 */
function CString(address, byteOffset = 0, byteLength) {
  const text = textOf(address, byteOffset ?? 0, byteLength);
  return new.target === undefined ? text : Object(text);
}

function textOf(address, byteOffset, byteLength) {
  if (address === null || address === 0 || address === 0n) return '';
  const start = memory.checkedAddress(address, byteOffset, NAME);
  return memory.textOf(start, byteLength === undefined || byteLength === null ? undefined : lengthOf(start, byteLength, NAME));
}

module.exports = { CString };
