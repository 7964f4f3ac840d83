'use strict';
// Addresses: taking those of views; reading, writing and wrapping memory at others.

const { MAX_LENGTH } = require('node:buffer').constants;
const { isAnyArrayBuffer } = require('node:util').types;
const { makeError, locationOf, wrongType, wrongValue, outOfRange } = require('../errors.js');
const binding = require('../native/binding.js');
const config = require('../native/config.js');
const { integerOf } = require('../validate.js');
const { argBuffer, words, begin, EPOCH, VALUES } = require('./arg-buffer.js');
const { shortened } = require('./big-words.js');
const { bufferOf, byteLengthOf, fixedSize, isView, noteNewPool } = require('./array-buffer.js');
const { hasHosts, staleError, checkStored } = require('./hosts.js');
const { pointersOf } = require('./pointer-fields.js');
const { areCopiedViews, hasScopedCallback, release } = require('./retained.js');

/** Buffers over native memory that the package has made. */
const native = new WeakSet();
const addressOfView = (view) =>
  (native.has(isAnyArrayBuffer(view) ? view : bufferOf(view)) ? binding.nativeAddressOf : binding.addressOf)(view);

/** The address of a view's first byte, with an offset in bytes that may reach its end. */
function addressOf(view, byteOffset, name, take = addressOfView) {
  noteNewPool();
  if (byteOffset === 0 && ArrayBuffer.isView(view) && locate(view) === WORKED) {
    return (words[1] >>> 0) * 4294967296 + (words[0] >>> 0);
  }
  if (!isView(view))
    throw wrongType(`${name}: view`, 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer', view);
  const address = take(fixedSize(view, name, 'view'));
  if (address === undefined) throw wrongValue(`${name}: view`, 'attached to its storage', view);
  if (address === null) throw wrongValue(`${name}: view`, 'of more than 0 bytes: an empty view has no address', view);
  const length = byteLengthOf(view);
  return shift(address, integerOf(byteOffset, `${name}: byteOffset`, `an integer from 0 to ${length}`, 0, length));
}

/** An address plus an offset in bytes; a number where it fits 2^53-1, else a BigInt. */
function shift(address, byteOffset) {
  if (byteOffset === 0) return address;
  if (typeof address === 'number' && address + byteOffset <= Number.MAX_SAFE_INTEGER) return address + byteOffset;
  const sum = BigInt(address) + BigInt(byteOffset);
  return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : sum;
}

const LOWEST = 4096;

/** Whether a value is a number of the first page, other than NULL. */
const isInFirstPage = (value) => (typeof value === 'bigint' || Number.isInteger(value)) && value > 0 && value < LOWEST;

/** An address that may be read or written: checks its kind, adds the offset, and refuses NULL and the first page. */
function checkedAddress(value, byteOffset, name) {
  const address = typeof value === 'bigint' ? shortened(value) : value;
  if (typeof address === 'number' && byteOffset === 0 && address >= LOWEST && Number.isSafeInteger(address))
    return address;
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw wrongType(`${name}: ptr`, 'an address (number or BigInt)', address);
  }
  const offset = integerOf(byteOffset, `${name}: byteOffset`, 'a safe integer', Number.MIN_SAFE_INTEGER);
  if (typeof address === 'number' && !Number.isSafeInteger(address)) {
    throw outOfRange(`${name}: ptr`, 'an address: an integer from 0 to 2^53-1, or a BigInt', address);
  }
  const target = shift(address, offset);
  if (target < 0 || (typeof target === 'bigint' && BigInt.asUintN(64, target) !== target)) {
    throw outOfRange(`${name}: ptr`, 'an address from 0 to 2^64-1', target);
  }
  if (target < LOWEST) throw invalidPointer(name, target);
  return target;
}

/** Memory is not mapped: the guard has found that, or it would be of another process. */
const unmapped = (name, address, length, access) =>
  staleError(name, address) ??
  makeError(
    'ERR_FFI_INVALID_POINTER',
    `${name}: ptr must be the address of ${length === undefined ? '' : `${length} `}${access} ` +
      `${length === undefined ? 'text' : length === 1 ? 'byte' : 'bytes'}, ` +
      `received 0x${address.toString(16)}`,
  );

function invalidPointer(name, address) {
  const what = address === 0 || address === 0n ? 'NULL' : `0x${address.toString(16)}, which is in the first page`;
  return makeError('ERR_FFI_INVALID_POINTER', `${name}: ptr must be a valid address, received ${what}`);
}

// The engine calls these as they are; their arguments and results lie in the argument buffer:
// src/node/call/intrinsics.rs.
const [load, locate, store, text] = binding.quick();
const WORKED = undefined;

/** Reads a value of a type's descriptor at an address. */
function read(descriptor, address, byteOffset, name) {
  const source = checkedAddress(address, byteOffset, name);
  const isBig = typeof source === 'bigint';
  // The elements take what fits.
  const low = isBig ? Number(BigInt.asUintN(32, source)) : source;
  const high = isBig ? Number(source >> 32n) : source / 4294967296;
  const { size } = descriptor;
  for (;;) {
    const epoch = begin();
    words[0] = low;
    words[1] = high;
    words[2] = size;
    words[3] = 0;
    if (load() !== WORKED) throw unmapped(name, source, descriptor.size, 'readable');
    const value = descriptor.read(argBuffer, VALUES);
    if (words[EPOCH] === epoch) return value;
  }
}

/** Writes a value of a type's descriptor at an address. `position` is its name in messages. */
function write(descriptor, address, byteOffset, value, name, position = 'value') {
  const target = checkedAddress(address, byteOffset, name);
  const isBig = typeof target === 'bigint';
  const low = isBig ? Number(BigInt.asUintN(32, target)) : target;
  const high = isBig ? Number(target >> 32n) : target / 4294967296;
  const { size } = descriptor;
  const resolved = descriptor.resolve ? descriptor.resolve(value, name, position) : value;
  for (;;) {
    const epoch = begin();
    const retained = descriptor.write(argBuffer, VALUES, resolved, name, position);
    if (retained !== undefined && !areCopiedViews(retained)) {
      if (hasScopedCallback(retained)) release(retained);
      throw wrongType(
        locationOf(name, position),
        'an address: a view would not be kept alive; pass ptr(view) and keep the view',
        value,
      );
    }
    if (hasHosts()) checkStored(target, pointersOf(descriptor), argBuffer, VALUES, name, position);
    if (words[EPOCH] !== epoch) continue;
    words[0] = low;
    words[1] = high;
    words[2] = size;
    words[3] = 0;
    if (store() === WORKED) return;
    throw unmapped(name, target, size, 'writable');
  }
}

/** The string at an address: null for NULL, an error for another address in the first page. */
const textAt = (address, name) => (address === null ? null : wideTextAt(address, 1, name));

/** The string up to a NUL of 1, 2 or 4 bytes a unit at an address. */
const wideTextAt = (address, unit, name) => textFrom(checkedAddress(address, 0, name), unit, undefined, name);

/** The string of `byteLength` bytes of UTF-8, or up to the NUL, at an address that was checked. */
const textOf = (address, byteLength, name) => textFrom(address, 1, byteLength, name);

/** Puts an address into the first two words of the argument buffer. */
function putAddress(address) {
  const isBig = typeof address === 'bigint';
  words[0] = isBig ? Number(BigInt.asUintN(32, address)) : address;
  words[1] = isBig ? Number(address >> 32n) : address / 4294967296;
}

function textFrom(start, unit, byteLength, name) {
  // Without begin(): a text may be read between the values of a callback, which stay where they are.
  putAddress(start);
  words[2] = unit;
  words[3] = byteLength === undefined ? 0 : byteLength + 1;
  const found = text();
  if (found === null) throw unmapped(name, start, byteLength, 'readable');
  return found;
}

/** Where the bytes of an address are in this process, for an isolated library as well; null where they are not. */
const placeHere = (address, size) => (hasHosts() ? binding.addressHere(address, size) : address);

/** Whether memory is mapped. Known on Linux only. */
function isReadable(address, size) {
  const here = placeHere(address, size);
  return here !== null && binding.isReadable(here, size);
}

const PAGE = 4096;
/** The most bytes of a text that are shown. */
const MOST_SHOWN = 1024;
const KNOWS_MEMORY = process.platform === 'linux';

/** A copy of the bytes at any address, to print: as many as are there for certain; undefined where there are none. */
function shownBytes(address) {
  if (!KNOWS_MEMORY || address < LOWEST) return undefined;
  let size = 0;
  while (size < MOST_SHOWN) {
    const from = BigInt(address) + BigInt(size);
    const more = Math.min(PAGE - Number(from % BigInt(PAGE)), MOST_SHOWN - size);
    if (BigInt.asUintN(64, from) !== from || !isReadable(address, size + more)) break;
    size += more;
  }
  return size === 0 ? undefined : new Uint8Array(binding.wrap(placeHere(address, size), size, 0, 0)).slice();
}

/** Stores the address of a view at a place in a DataView. The caller keeps the view alive. */
function storeAddress(target, at, value, name, position) {
  const address = binding.keptAddressOf(value);
  if (address === undefined) throw wrongValue(locationOf(name, position), 'attached to its storage', value);
  if (address === null)
    throw wrongValue(locationOf(name, position), 'of more than 0 bytes: an empty view has no address', value);
  target.setBigUint64(at, BigInt(address), true);
}

/** The bytes before the NUL at an address that was checked. */
function textLength(address, name) {
  const length = binding.textLength(address);
  if (length === null) throw unmapped(name, address, undefined, 'readable');
  return length;
}

if (config.guard) binding.guardAddresses();

const [major, minor] = process.versions.node.split('.').map(Number);
/** V8 of 26.0.0 to 26.7.0 ends the process where a buffer over native memory has 32 GiB; that of 26.12.1 does not. */
const MOST_WRAPPED = major === 26 && minor < 12 ? Math.min(MAX_LENGTH, 2 ** 35 - 1) : MAX_LENGTH;

/** An ArrayBuffer over native memory at an address that was checked. */
function wrap(address, length, deallocator, context, name) {
  // Node would run the deallocator of a buffer that it refuses for its length.
  if (length > MOST_WRAPPED) {
    throw outOfRange(`${name}: byteLength`, `an integer of at most ${MOST_WRAPPED}`, length);
  }
  const here = binding.addressHere(address, length);
  if (here === null) {
    const stale = staleError(name, address);
    if (stale !== undefined) throw stale;
    throw makeError(
      'ERR_FFI_NOT_SHARED',
      `${name}: ptr must be an address of this process or of shared memory, received 0x${address.toString(16)} of the ` +
        'process of an isolated library; copy it with read(), or CString',
    );
  }
  if (config.guard && !binding.isReadable(here, length)) throw unmapped(name, address, length, 'readable');
  const buffer = binding.wrap(here, length, deallocator, context);
  native.add(buffer);
  return buffer;
}

module.exports = {
  addressOf,
  checkedAddress,
  putAddress,
  unmapped,
  isInFirstPage,
  read,
  write,
  textAt,
  textOf,
  textLength,
  wideTextAt,
  storeAddress,
  shift,
  isReadable,
  shownBytes,
  MOST_SHOWN,
  wrap,
  storageAddress: binding.addressOf,
};
