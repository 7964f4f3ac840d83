'use strict';
// Memory at addresses: get*, set*, toString, toBuffer, toArrayBuffer, export*, getRawPointer.

const { Buffer } = require('node:buffer');
const { isArrayBuffer } = require('node:util').types;
const binding = require('../native/binding.js');
const { makeError } = require('../errors.js');
const access = require('../memory/access.js');
const { byteLengthOf, bytesOf, isDetachedView, isView } = require('../memory/array-buffer.js');
const { fill, store } = require('../memory/copy.js');
const { numberOfBig } = require('../memory/big-words.js');
const { read, write } = require('../pointer/read-write.js');
const { RULES } = require('./types.js');
const { addressOf, checkLength, checkSpan, sizeOf } = require('./validate.js');
const { outOfRange, wrongArgument, wrongType, wrongValue } = require('./words.js');

const nullPointer = (message) => makeError('ERR_FFI_INVALID_POINTER', message);

// ---- get*, set* -----------------------------------------------------------------------------------------------------

/** The address of a value: a number where it is exact, for which the main entry has a fast call. */
function placeOf(pointer, byteOffset, size) {
  if (
    typeof pointer === 'bigint' &&
    (byteOffset === undefined || (Number.isSafeInteger(byteOffset) && byteOffset >= 0))
  ) {
    const place = numberOfBig(pointer) + (byteOffset ?? 0);
    // Beyond 2^53 it is not exact, and below the offset it may be at NULL.
    if (place <= Number.MAX_SAFE_INTEGER && place - (byteOffset ?? 0) > 0) return place;
  }
  return checkedPlace(pointer, byteOffset, size);
}

function checkedPlace(pointer, byteOffset, size) {
  const address = addressOf(pointer, 'pointer');
  if (address === 0n) throw nullPointer('Cannot dereference a null pointer');
  const offset = byteOffset === undefined ? 0 : sizeOf(byteOffset, 'offset');
  const place = numberOfBig(address) + offset;
  if (place <= Number.MAX_SAFE_INTEGER) return place;
  checkSpan(address + BigInt(offset), 1, 'The pointer and offset exceed the platform address range');
  checkSpan(address + BigInt(offset), size, 'The accessed range exceeds the platform address range');
  return address + BigInt(offset);
}

function getter(type, size) {
  const get = read[type];
  return (pointer, byteOffset) => {
    return get(placeOf(pointer, byteOffset, size));
  };
}

/** Node's message for a value that a type does not take. */
const refusal = (type, expected, value) =>
  (type === 'i64' || type === 'u64') && typeof value !== 'bigint' && typeof value !== 'number'
    ? wrongValue('Value must be a bigint or a number')
    : wrongValue(`Value must be ${expected}`);

function withoutOffset(pointer) {
  if (addressOf(pointer, 'pointer') === 0n) return nullPointer('Cannot dereference a null pointer');
  return wrongValue('Expected an offset argument');
}

function setter(type, size) {
  const set = write[type];
  const { isValid, expected } = RULES[type];
  const convert = type === 'f32' ? Math.fround : undefined;
  return (pointer, byteOffset, value) => {
    if (byteOffset === undefined) throw withoutOffset(pointer);
    const place = placeOf(pointer, byteOffset, size);
    if (value === undefined) throw wrongValue('Expected a value argument');
    if (!isValid(value)) throw refusal(type, expected, value);
    set(place, 0, convert === undefined ? value : convert(value));
  };
}

const ACCESSORS = {
  Int8: ['i8', 1],
  Uint8: ['u8', 1],
  Int16: ['i16', 2],
  Uint16: ['u16', 2],
  Int32: ['i32', 4],
  Uint32: ['u32', 4],
  Int64: ['i64', 8],
  Uint64: ['u64', 8],
  Float32: ['f32', 4],
  Float64: ['f64', 8],
};
const named = (call, name) => Object.defineProperty(call, 'name', { value: name });
const accessors = Object.fromEntries(
  Object.entries(ACCESSORS).flatMap(([name, [type, size]]) => [
    [`get${name}`, named(getter(type, size), `get${name}`)],
    [`set${name}`, named(setter(type, size), `set${name}`)],
  ]),
);

// ---- texts and buffers ----------------------------------------------------------------------------------------------

/** The UTF-8 text at an address, up to its NUL; null at NULL. */
function toString(pointer) {
  const address = addressOf(pointer, 'first argument');
  return address === 0n ? null : access.textAt(address, 'toString');
}

const EXCEEDS = 'The pointer and length exceed the platform address range';

/** An ArrayBuffer over memory, or of a copy of it. `what` names the result in messages. */
function bufferAt(pointer, length, copy, what) {
  const address = addressOf(pointer, 'first argument');
  const size = sizeOf(length, 'length');
  if (copy !== undefined && typeof copy !== 'boolean') throw wrongType('The copy argument must be a boolean');
  if (address === 0n && size > 0) throw nullPointer(`Cannot create ${what} from a null pointer`);
  checkSpan(address, size, EXCEEDS);
  if (size === 0) return new ArrayBuffer(0);
  return copy === false ? memoryAt(address, size) : copyAt(address, size);
}

const memoryAt = (address, size) => access.wrap(access.checkedAddress(address, 0, 'toBuffer'), size, 0, 0, 'toBuffer');

/** Not in Node's pool: programs for node:ffi use the whole buffer under the copy. */
function copyAt(address, size) {
  const storage = new ArrayBuffer(size);
  fill(new Uint8Array(storage), address, 0, 'toBuffer');
  return storage;
}

/** Memory as an ArrayBuffer: a copy, unless `copy` is false. */
function toArrayBuffer(pointer, length, copy) {
  return bufferAt(pointer, length, copy, 'an ArrayBuffer');
}

/** The same as a Buffer. */
function toBuffer(pointer, length, copy) {
  return Buffer.from(bufferAt(pointer, length, copy, 'a buffer'));
}

// ---- copies to memory -----------------------------------------------------------------------------------------------

/** Copies bytes to an address, where there must be `length` bytes. */
function exportBytes(source, data, length) {
  const size = byteLengthOf(source);
  if (size === 0 && isDetachedView(source)) throw wrongValue('ArrayBuffer is detached');
  const address = addressOf(data, 'pointer');
  if (address === 0n && size > 0) throw nullPointer('Cannot create a buffer from a null pointer');
  checkSpan(address, length, EXCEEDS);
  if (size === 0) return;
  store(bytesOf(source, 'export'), address, 0, 'export');
}

function exporter(name, kind, is) {
  return (source, data, length) => {
    if (!is(source)) throw wrongArgument(name, `an instance of ${kind}`, source);
    checkLength(length);
    const size = byteLengthOf(source);
    if (length < size) throw outOfRange('len', `>= ${size}`, length);
    exportBytes(source, data, length);
  };
}

const exportBuffer = named(
  exporter('buffer', 'Buffer', (value) => ArrayBuffer.isView(value) && Buffer.isBuffer(value)),
  'exportBuffer',
);
const exportArrayBuffer = named(exporter('arrayBuffer', 'ArrayBuffer', isArrayBuffer), 'exportArrayBuffer');
const exportArrayBufferView = named(
  exporter('arrayBufferView', 'ArrayBufferView', ArrayBuffer.isView),
  'exportArrayBufferView',
);

const WIDE = /^(?:ucs-?2|utf-?16le)$/i;

/** Copies a text and its NUL to an address. */
function exportString(text, data, length, encoding = 'utf8') {
  if (typeof text !== 'string') throw wrongArgument('string', 'of type string', text);
  if (typeof encoding !== 'string') throw wrongArgument('encoding', 'of type string', encoding);
  checkLength(length);
  const bytes = Buffer.from(text, /** @type {BufferEncoding} */ (encoding));
  const whole = Buffer.alloc(bytes.length + (WIDE.test(encoding) ? 2 : 1));
  bytes.copy(whole);
  if (length < whole.length) throw outOfRange('len', `>= ${whole.length}`, length);
  exportBytes(whole, data, length);
}

// ---- addresses ------------------------------------------------------------------------------------------------------

const KINDS = 'The first argument must be a Buffer, ArrayBuffer, SharedArrayBuffer, or ArrayBufferView';

/** The address of the bytes of a view or a buffer, which stay there as long as it lives. */
function getRawPointer(source) {
  if (!isView(source)) throw wrongType(KINDS);
  if (byteLengthOf(source) > 0) return BigInt(access.addressOf(source, 0, 'getRawPointer'));
  if (!isDetachedView(source)) return 0n;
  throw wrongValue(
    isArrayBuffer(source) ? 'ArrayBuffer is detached' : 'ArrayBufferView is backed by a detached ArrayBuffer',
  );
}

/** The address of this thread's event loop, a `uv_loop_t *`. */
function getCurrentEventLoop() {
  return BigInt(binding.eventLoop());
}

module.exports = {
  ...accessors,
  toString,
  toBuffer,
  toArrayBuffer,
  exportString,
  exportBuffer,
  exportArrayBuffer,
  exportArrayBufferView,
  getRawPointer,
  getCurrentEventLoop,
};
