'use strict';
// THE ROOM, JS door: the frame, addresses of views, reads and writes through addresses, buffers over native memory.

const { isAnyArrayBuffer, isSharedArrayBuffer, isDataView } = require('node:util').types;
const binding = require('./binding');
const { makeError, place, wrongType, wrongValue, outOfRange } = require('./errors');

const FRAME_BYTES = 65536;
/** The memory in which calls and callbacks exchange values; layout in src/memory/frame.rs. */
const frame = new DataView(new ArrayBuffer(FRAME_BYTES));
binding.attach(frame.buffer);

/** A getter of a prototype as a function: what a user shadows on the object itself is never run. */
const getter = (prototype, key) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, key);
  return (object) => Reflect.apply(get, object, []);
};
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype);
const arrayBuffer = getter(TypedArray, 'buffer');
const arrayLength = getter(TypedArray, 'byteLength');
const viewBuffer = getter(DataView.prototype, 'buffer');
const viewLength = getter(DataView.prototype, 'byteLength');
const resizable = getter(ArrayBuffer.prototype, 'resizable');
const growable = getter(SharedArrayBuffer.prototype, 'growable');
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength');
const sharedLength = getter(SharedArrayBuffer.prototype, 'byteLength');

/** The ArrayBuffer or SharedArrayBuffer under a view; a buffer itself. */
const bufferOf = (value) =>
  (isAnyArrayBuffer(value) ? value : isDataView(value) ? viewBuffer(value) : arrayBuffer(value));

/** The bytes of a view or buffer; throws where a DataView's buffer is detached. */
function byteLengthOf(value) {
  if (isAnyArrayBuffer(value)) return isSharedArrayBuffer(value) ? sharedLength(value) : bufferLength(value);
  return isDataView(value) ? viewLength(value) : arrayLength(value);
}

/** Returns a view or buffer whose storage may be given to native code; refuses resizable and growable ones. */
function pinnable(value, name, position) {
  const buffer = bufferOf(value);
  if (isSharedArrayBuffer(buffer) ? growable(buffer) : resizable(buffer)) {
    throw wrongValue(place(name, position), 'of a fixed size: storage that can be resized cannot be pinned', value);
  }
  return value;
}

const isView = (value) => ArrayBuffer.isView(value) || isAnyArrayBuffer(value);

/** The address of a view's first byte, with an offset in bytes that may reach its end. */
function addressOf(view, byteOffset, name) {
  if (!isView(view)) throw wrongType(`${name}: view`, 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer', view);
  const address = binding.addressOf(pinnable(view, name, 'view'));
  if (address === undefined) throw wrongValue(`${name}: view`, 'attached to its storage', view);
  if (address === null) throw wrongValue(`${name}: view`, 'of more than 0 bytes: an empty view has no address', view);
  const length = byteLengthOf(view);
  if (typeof byteOffset !== 'number') throw wrongType(`${name}: byteOffset`, 'a number', byteOffset);
  if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset > length) {
    throw outOfRange(`${name}: byteOffset`, `an integer from 0 to ${length}`, byteOffset);
  }
  return shift(address, byteOffset);
}

/** An address plus an offset in bytes; a number where it fits 2^53-1, else a BigInt. */
function shift(address, byteOffset) {
  if (byteOffset === 0) return address;
  if (typeof address === 'number' && address + byteOffset <= Number.MAX_SAFE_INTEGER) return address + byteOffset;
  const sum = BigInt(address) + BigInt(byteOffset);
  return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : sum;
}

const LOWEST = 4096;

/** An address that may be read or written: checks its kind, adds the offset, and refuses NULL and the first page. */
function checkedAddress(address, byteOffset, name) {
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw wrongType(`${name}: ptr`, 'an address (number or BigInt)', address);
  }
  if (typeof byteOffset !== 'number') throw wrongType(`${name}: byteOffset`, 'a number', byteOffset);
  if (!Number.isSafeInteger(byteOffset)) throw outOfRange(`${name}: byteOffset`, 'a safe integer', byteOffset);
  if (typeof address === 'number' && !Number.isSafeInteger(address)) {
    throw outOfRange(`${name}: ptr`, 'an address: an integer from 0 to 2^53-1, or a BigInt', address);
  }
  const target = shift(address, byteOffset);
  if (target < 0 || (typeof target === 'bigint' && BigInt.asUintN(64, target) !== target)) {
    throw outOfRange(`${name}: ptr`, 'an address from 0 to 2^64-1', target);
  }
  if (target < LOWEST) throw invalidPointer(name, target);
  return target;
}

function invalidPointer(name, address) {
  const what = address === 0 || address === 0n ? 'NULL' : `0x${address.toString(16)}, which is in the first page`;
  return makeError('ERR_FFI_INVALID_POINTER', `${name}: ptr must be a valid address, received ${what}`);
}

/** Reads a value of a type's row at an address. */
function read(row, address, byteOffset, name) {
  binding.load(checkedAddress(address, byteOffset, name), row.size);
  return row.read(frame, 0);
}

/** Writes a value of a type's row at an address. */
function write(row, address, byteOffset, value, name) {
  const target = checkedAddress(address, byteOffset, name);
  const resolved = row.resolve ? row.resolve(value, name, 'value') : value;
  if (row.write(frame, 0, resolved, name, 'value') !== undefined) {
    throw wrongType(`${name}: value`, 'an address: a view would not be kept alive; pass ptr(view) and keep the view', value);
  }
  binding.store(target, row.size);
}

/** The string at an address: null for NULL, an error for another address in the first page. */
function textAt(address, name) {
  if (address === null) return null;
  return binding.text(checkedAddress(address, 0, name), undefined);
}

/** The string of `byteLength` bytes, or up to the NUL, at an address. */
const textOf = (address, byteLength) => binding.text(address, byteLength);

module.exports = {
  frame, sizes: binding.sizes(), wcharIsSigned: binding.wcharIsSigned(),
  addressOf, checkedAddress, byteLengthOf, pinnable, isView, read, write, textAt, textOf,
  textLength: binding.textLength, wrap: binding.wrap, storageAddress: binding.addressOf,
};
