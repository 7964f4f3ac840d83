'use strict';
// ptr, read, toBuffer and toArrayBuffer with the behaviour of bun:ffi: numbers lose their fractions, null is left out.

const { MAX_LENGTH } = require('node:buffer').constants;
const { atCaller, describe } = require('../errors.js');
const external = require('../pointer/external.js');
const pointer = require('../pointer/ptr.js');
const main = require('../pointer/read-write.js');
const { wrongArgument, inWords } = require('./messages.js');

const ZERO = 'ptr cannot be zero, that would segfault Bun :(';
const EMPTY = "ArrayBufferView must have a length > 0. A pointer to empty memory doesn't work";

const whole = (value) => (typeof value === 'number' ? Math.trunc(value) : value);

/** An offset in bytes; `infinite` is bun's message for one that is not finite. */
function offsetOf(byteOffset, infinite) {
  if (byteOffset === undefined || byteOffset === null) return 0;
  if (typeof byteOffset !== 'number') throw wrongArgument('Expected number for byteOffset');
  if (!Number.isFinite(byteOffset)) throw wrongArgument(infinite);
  return Math.trunc(byteOffset);
}

/** An address that is not NULL; `wrong` is bun's message for any other value. */
function addressOf(address, wrong) {
  if (typeof address !== 'bigint' && typeof address !== 'number') throw wrongArgument(wrong);
  if (Number.isNaN(address) || Number(whole(address)) === 0) throw wrongArgument(ZERO);
  if (address < 0 || address === Infinity) throw wrongArgument(wrong);
  return whole(address);
}

/** The address of a view's storage. */
function ptr(view, byteOffset) {
  const offset = Number.isNaN(byteOffset) ? 0 : offsetOf(byteOffset, 'byteOffset out of bounds');
  const phrases = {
    ERR_INVALID_ARG_TYPE: (cause) => wrongArgument(`Expected ArrayBufferView but received ${describe(view)}`, cause),
    ERR_OUT_OF_RANGE: (cause) => wrongArgument('byteOffset out of bounds', cause),
    ERR_INVALID_ARG_VALUE: (cause) => (view.byteLength > 0 ? cause : wrongArgument(EMPTY, cause)),
  };
  return inWords(phrases, () => pointer.ptr(view, offset));
}

function reader(read) {
  const self = (address, byteOffset) => {
    try {
      return read(addressOf(address, 'Expected a pointer'), offsetOf(byteOffset, 'byteOffset must be a finite number'));
    } catch (error) {
      throw atCaller(error, self); // node-do-not-add-exception-line
    }
  };
  return self;
}

const READABLE = ['u8', 'u16', 'u32', 'ptr', 'i8', 'i16', 'i32', 'i64', 'u64', 'intptr', 'f32', 'f64'];
const read = Object.fromEntries(READABLE.map((name) => [name, reader(main.read[name])]));
// A NULL that was read is the number 0.
read.ptr = reader((address, byteOffset) => main.read.ptr(address, byteOffset) ?? 0);

/** A length in bytes; undefined for the distance to the NUL. */
function lengthOf(byteLength) {
  if (byteLength === undefined || byteLength === null) return undefined;
  if (typeof byteLength !== 'number') throw wrongArgument('length must be a number.');
  if (!(byteLength >= 1)) throw wrongArgument('length must be > 0. This usually means a bug in your code.');
  if (byteLength > MAX_LENGTH) {
    throw wrongArgument('length exceeds max addressable memory. This usually means a bug in your code.');
  }
  return Math.trunc(byteLength);
}

const isPointer = (value) => typeof value === 'bigint' || typeof value === 'number';

/** With four arguments the fourth is the deallocator, with five it is the deallocator's context. */
function deallocatorOf(rest) {
  const [context, deallocator] = rest.length > 1 ? rest : [undefined, rest[0]];
  if (deallocator === undefined || deallocator === null) return [];
  if (!isPointer(deallocator) || Number(deallocator) === 0) {
    throw wrongArgument('Expected callback to be a C pointer (number or BigInt)');
  }
  if (context !== undefined && context !== null && !isPointer(context)) {
    throw wrongArgument('Expected user data to be a C pointer (number or BigInt)');
  }
  return [context, deallocator];
}

function wrapped(wrap, args) {
  if (args.length === 0) throw wrongArgument('Missing argument');
  const [address, byteOffset, byteLength, ...rest] = args;
  const start = addressOf(address, 'ptr must be a number.');
  const offset = offsetOf(byteOffset, 'ptr must be a finite number.');
  return wrap(start, offset, lengthOf(byteLength), ...deallocatorOf(rest));
}

/** Native memory as an ArrayBuffer, with an optional native deallocator. */
function toArrayBuffer(...args) {
  return wrapped(external.toArrayBuffer, args);
}

/** The same as a Buffer. */
function toBuffer(...args) {
  return wrapped(external.toBuffer, args);
}

module.exports = { ptr, read, toArrayBuffer, toBuffer, addressOf, offsetOf, lengthOf };
