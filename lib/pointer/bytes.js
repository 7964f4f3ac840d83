'use strict';
// read.bytes() and write.bytes(): copies of memory. A Buffer over native memory (external.js) costs some twenty times
// as much as a copy of a few bytes, because the engine keeps a record of each.

const {
  Buffer,
  constants: { MAX_LENGTH },
} = require('node:buffer');
const { atCaller, makeError, wrongType } = require('../errors.js');
const { bytesOf, isView, storageOf } = require('../memory/array-buffer.js');
const { copyOf, store } = require('../memory/copy.js');
const { integerOf } = require('../validate.js');
const { PAUSE, loader } = require('./loader.js');

const READ = 'read.bytes';
const WRITE = 'write.bytes';
const { allocUnsafe } = Buffer;
const { isSafeInteger } = Number;

const { fill, views } = loader ?? {};
/** The longest copy by a fast call: Node has memory for so many bytes ready in its pool. */
const MOST_FAST = 2048;
/** How many calls do not try the fast call. */
let pause = fill === undefined ? Infinity : 0;

/** Whether an address with an offset is one that a fast call takes. */
const isAddressed = (address, byteOffset) =>
  typeof address === 'number' &&
  typeof byteOffset === 'number' &&
  isSafeInteger(address) &&
  isSafeInteger(address + byteOffset) &&
  address + byteOffset >= 4096;

/**
 * A copy of `byteLength` bytes at an address, or in a view or buffer.
 * @param {any} source
 * @param {any} byteOffset
 * @param {any} byteLength
 */
function readBytes(source, byteOffset, byteLength) {
  if (pause !== 0) pause -= 1;
  else if (isAddressed(source, byteOffset) && isSafeInteger(byteLength) && byteLength > 0 && byteLength <= MOST_FAST) {
    const bytes = allocUnsafe(byteLength);
    const filled = fill(bytes, byteLength, source + byteOffset, views);
    if (filled === 1) return bytes;
    if (filled === undefined) pause = PAUSE;
  }
  return readSlowly(source, byteOffset, byteLength);
}

// Not inlined: errors, and rare memory.
function readSlowly(source, byteOffset, byteLength) {
  try {
    return bytesAt(source, byteOffset ?? 0, byteLength);
  } catch (error) {
    throw atCaller(error, readBytes); // node-do-not-add-exception-line
  }
}

function bytesAt(source, byteOffset, byteLength) {
  const length = integerOf(byteLength, `${READ}: byteLength`, `an integer from 0 to ${MAX_LENGTH}`, 0, MAX_LENGTH);
  const storage = typeof source === 'object' ? (source?.[storageOf] ?? source) : source;
  if (isView(storage)) return bytesIn(storage, byteOffset, length);
  // C gives an empty list as NULL and 0.
  return copyOf(storage, byteOffset, length, READ);
}

function bytesIn(view, byteOffset, length) {
  const all = bytesOf(view, `${READ}: ptr`);
  const offset = integerOf(byteOffset, `${READ}: byteOffset`, `an integer from 0 to ${all.length}`, 0, all.length);
  if (all.length - offset < length) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `${READ}: ptr needs at least ${length} bytes from byteOffset on, received ${all.length} and a byteOffset of ${offset}`,
    );
  }
  return Buffer.from(all.subarray(offset, offset + length));
}

/**
 * Copies the bytes of a view or buffer to an address.
 * @param {any} address
 * @param {any} byteOffset
 * @param {any} bytes
 */
function writeBytes(address, byteOffset, bytes) {
  try {
    if (!isView(bytes)) {
      throw wrongType(`${WRITE}: bytes`, 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer', bytes);
    }
    store(bytesOf(bytes, `${WRITE}: bytes`), address, byteOffset, WRITE);
  } catch (error) {
    throw atCaller(error, writeBytes); // node-do-not-add-exception-line
  }
}

module.exports = { readBytes, writeBytes };
