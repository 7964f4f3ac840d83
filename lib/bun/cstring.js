'use strict';
// CString as in bun:ffi. bun's `new CString()` gives a primitive string, which `new` cannot do in JavaScript: here it
// is a String object with the members that bun's own class had before 1.4.

const { Buffer } = require('node:buffer');
const { inspect } = require('node:util');
const { atCaller } = require('../errors.js');
const main = require('../pointer/cstring.js');
const { addressOf, offsetOf, lengthOf, toArrayBuffer } = require('./memory.js');

function readText(address, byteOffset, byteLength) {
  if (!address) return { parts: { ptr: 0, byteOffset: 0, byteLength: 0 }, text: '' };
  try {
    const parts = partsOf(address, byteOffset, byteLength);
    return { parts, text: main.CString(parts.ptr, parts.byteOffset, parts.byteLength) };
  } catch (error) {
    throw atCaller(error, CString); // node-do-not-add-exception-line
  }
}

/** The text at an address, up to its NUL or of `byteLength` bytes; of a falsy address, an empty one. */
function CString(address, byteOffset, byteLength) {
  const { parts, text } = readText(address, byteOffset, byteLength);
  if (new.target === undefined) return text;
  return Object.defineProperties(Reflect.construct(String, [text], new.target), {
    ptr: { value: parts.ptr },
    byteOffset: { value: parts.byteOffset },
    byteLength: { value: parts.byteLength ?? Buffer.byteLength(text) },
  });
}

const partsOf = (address, byteOffset, byteLength) => ({
  ptr: addressOf(address, 'ptr must be a number.'),
  byteOffset: offsetOf(byteOffset, 'ptr must be a finite number.'),
  byteLength: lengthOf(byteLength),
});

CString.prototype = Object.create(String.prototype, {
  constructor: { value: CString, writable: true, configurable: true },
  /** The memory of the text itself. */
  arrayBuffer: {
    get() {
      return toArrayBuffer(this.ptr, this.byteOffset, this.byteLength);
    },
  },
  // console.log shows it as the string that it is in bun.
  [inspect.custom]: {
    value(depth, options) {
      return depth === options.depth ? this.valueOf() : inspect(this.valueOf(), options);
    },
  },
});

module.exports = { CString };
