'use strict';
// Copies of bytes: from an address to a view, and from a view to an address.

const { Buffer } = require('node:buffer');
const { makeError } = require('../errors.js');
const binding = require('../native/binding.js');
const { begin } = require('./arg-buffer.js');
const { bufferOf } = require('./array-buffer.js');
const { checkedAddress, putAddress, unmapped } = require('./access.js');

// Native code takes the address out of the argument buffer.
const [fillView, storeView] = binding.copiersOfBytes();
const WORKED = undefined;

function copy(byNative, view, address) {
  begin();
  putAddress(address);
  return byNative(view) === WORKED;
}

/** Copies between a view and an address. An empty view has nothing to copy. */
function copyAll(byNative, view, address, byteOffset, name, access) {
  const { length } = view;
  if (length === 0) return;
  const start = checkedAddress(address, byteOffset, name);
  if (copy(byNative, view, start)) return;
  // A small view lies in the engine's heap until its buffer is asked for.
  bufferOf(view);
  if (!copy(byNative, view, start)) throw unmapped(name, start, length, access);
}

/** Fills a Uint8Array with the bytes at an address. `name` is what messages call the function. */
const fill = (view, address, byteOffset, name) => copyAll(fillView, view, address, byteOffset, name, 'readable');

/** Copies a Uint8Array to an address. */
const store = (view, address, byteOffset, name) => copyAll(storeView, view, address, byteOffset, name, 'writable');

function allocate(size, name) {
  try {
    return Buffer.allocUnsafe(size);
  } catch (cause) {
    throw makeError('ERR_FFI_MEMORY_EXHAUSTED', `${name}: ${size} bytes could not be allocated`, { cause });
  }
}

/** A Buffer with a copy of the bytes at an address. */
function copyOf(address, byteOffset, size, name) {
  const bytes = allocate(size, name);
  fill(bytes, address, byteOffset, name);
  return bytes;
}

module.exports = { fill, store, copyOf };
