'use strict';
// alloc, free, address, view, decode, encode: memory of C by its address, and views.

const { dlopen } = require('../library/dlopen.js');
const { makeError, wrongType } = require('../errors.js');
const access = require('../memory/access.js');
const { toArrayBuffer } = require('../pointer/external.js');
const { ptr } = require('../pointer/ptr.js');
const { textBehind } = require('../pointer/read-text.js');
const { read } = require('../pointer/read-write.js');
const { functionAt } = require('./callback.js');
const { decode: decodeAt, exactNumber, fromAddress, textOfBytes, textAt, untilNul } = require('./decode.js');
const { bytesOf, isView } = require('../memory/array-buffer.js');
const { shortened } = require('../memory/big-words.js');
const { copyOf, store } = require('../memory/copy.js');
const { CallMemory, encode: encodeAt, viewOf } = require('./encode.js');
const { arrayOf, standard, typeOf } = require('./make.js');
const { refuse } = require('./pass.js');
const { builtin, layoutOf, namesVersion } = require('./type.js');

/** C's own allocator: C may free the memory of koffi.alloc(), and koffi.free() frees C's memory. */
let allocator;
const c = () =>
  (allocator ??= dlopen(process.platform === 'win32' ? 'ucrtbase.dll' : null, {
    calloc: { args: ['size_t', 'size_t'], returns: 'ptr' },
    free: { args: ['ptr'] },
  }).symbols);

const isAddress = (value) => typeof value === 'bigint' || typeof value === 'number';

/** The values that encode() has stored at addresses, until others are stored there. */
const stored = new Map();

/** koffi.alloc(type, length). */
function alloc(spec, length) {
  const type = typeOf(spec, 'alloc: type');
  if (typeof length !== 'number' && typeof length !== 'bigint') throw wrongType('alloc: length', 'a number', length);
  if (!Number.isInteger(Number(length)) || length < 1)
    throw makeError('ERR_OUT_OF_RANGE', 'alloc: length must be an integer greater than 0');
  if (type.size === 0) throw makeError('ERR_INVALID_ARG_TYPE', `Cannot allocate memory for type ${type.name}`);
  const address = c().calloc(length, type.size);
  if (address === null)
    throw makeError('ERR_FFI_MEMORY_EXHAUSTED', `alloc: ${Number(length) * type.size} bytes could not be allocated`);
  return BigInt(address);
}

/** koffi.free(pointer). */
function free(value) {
  if (value === null || value === undefined) return;
  if (!isAddress(value)) throw wrongType('free: pointer', 'a pointer', value);
  if (stored.size > 0) stored.delete(BigInt(value));
  c().free(value);
}
standard.free = free;

/** koffi.address(value). */
function address(value) {
  if (value === null || value === undefined) return 0n;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return BigInt(value);
  if (isView(value)) return BigInt(ptr(value));
  throw wrongType('address: value', 'a pointer or a view', value);
}

/** koffi.view(pointer, length). */
function view(value, length) {
  if (!isAddress(value)) throw wrongType('view: pointer', 'a pointer', value);
  return toArrayBuffer(value, 0, length);
}

// ---- decode ---------------------------------------------------------------------------------------------------------

/** The bytes of a view from an offset on, of which there must be so many. */
function bytesIn(view, offset, size, type, where) {
  if (!(offset >= 0)) throw makeError('ERR_OUT_OF_RANGE', 'Offset must be >= 0');
  const bytes = bytesOf(view, `${where}: buffer`).subarray(offset);
  if (bytes.length < size) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `Expected buffer with size superior or equal to type ${type.name} (${offset + size} bytes)`,
    );
  }
  return bytes;
}

function checkSource(value, where) {
  if (value === null || value === undefined || value === 0n || value === 0) {
    throw makeError('ERR_FFI_INVALID_POINTER', `${where}: the pointer is NULL`);
  }
  if (!isAddress(value) && !isView(value)) throw wrongType(`${where}: pointer`, 'a pointer or a view', value);
  return value;
}

/** The text at a pointer: up to its NUL, or of a length in characters. */
function textFrom(value, offset, unit, length, where) {
  const limit = length === undefined || length === null || Number(length) < 0 ? undefined : Number(length) * unit;
  if (isView(value)) {
    const bytes = bytesOf(value, `${where}: buffer`).subarray(offset);
    return textOfBytes(untilNul(limit === undefined ? bytes : bytes.subarray(0, limit), unit), unit);
  }
  if (limit === undefined) return textAt(access.checkedAddress(value, offset, where), unit);
  return limit === 0 ? '' : textOfBytes(untilNul(copyOf(value, offset, limit, where), unit), unit);
}

/** The readers of scalars and pointers by the names that programs decode by, while the names mean the same. */
let readersByName = new Map();
let readersVersion = 0;
/** The last name and its reader: often it is the next one as well, and its text the same object. */
let lastName;
let lastReader;

/** The function that reads a plain scalar at an address and an offset. */
function scalarReader({ list, passed, row }) {
  const direct = read[passed];
  const isWide = row.size === 8 && list !== Float64Array;
  return isWide ? (address, offset) => exactNumber(direct(address, offset)) : direct;
}

function makeReader(layout) {
  if (isPlainScalar(layout)) return scalarReader(layout);
  if (!isReference(layout)) return undefined;
  const readAny = (address) => fromAddress(layout, read.ptr(address));
  const isText = layout.kind === 'text' && layout.unit === 1 && layout.dispose === undefined;
  return isText ? (address) => textBehind(address, readAny) : readAny;
}

function readerOf(name) {
  if (readersVersion !== namesVersion()) {
    readersByName = new Map();
    readersVersion = namesVersion();
  } else if (name === lastName) return lastReader;
  let reader = readersByName.get(name);
  if (reader === undefined) {
    reader = makeReader(layoutOf(typeOf(name, 'decode: type')));
    if (reader !== undefined && readersByName.size < 1000) readersByName.set(name, reader);
  }
  [lastName, lastReader] = [name, reader];
  return reader;
}

/** koffi.decode(value, offset, type, length), of which the second and the last may be missing. */
function decode(value, first, second, third) {
  if (typeof value === 'bigint' && typeof first === 'string' && second === undefined) {
    const reader = readerOf(first);
    if (reader !== undefined && value !== 0n) return reader(numberOf(value));
  }
  const [offset, spec, length] = isAddress(first) ? [Number(first), second, third] : [0, first, second];
  const type = typeOf(spec, 'decode: type');
  const layout = layoutOf(type);
  checkSource(value, 'decode');
  if (layout.kind === 'prototype') return functionAt(access.checkedAddress(value, offset, 'decode'), type);
  if (type.size === 0) throw makeError('ERR_INVALID_ARG_TYPE', `Cannot decode value of type ${type.name}`);
  if (length === undefined || length === null) return decodeOne(value, offset, type);
  if (typeof length !== 'number' && typeof length !== 'bigint') throw wrongType('decode: length', 'a number', length);
  // The length of a text is that of the text: `char *` and a length read the pointer, then so many characters.
  if (layout.kind === 'text') {
    const target = decodeOne(value, offset, builtin.get('uintptr_t'));
    return BigInt(target) === 0n ? null : textFrom(BigInt(target), 0, layout.unit, length, 'decode');
  }
  const isText = layoutOf(arrayOf(type, 1)).hint === 'String';
  if (isText) return textFrom(value, offset, type.size, length, 'decode');
  if (Number(length) < 0) return untilZero(value, offset, type);
  if (Number(length) > 0) return decodeOne(value, offset, arrayOf(type, Number(length)));
  const { list } = layout;
  return list === undefined ? [] : new list(0);
}

/** Integers up to the first zero, which is where a length below 0 ends. */
function untilZero(value, offset, type) {
  if (layoutOf(type).list === undefined || !/^U?Int(8|16|32)$/.test(type.primitive)) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `decode: a length below 0 is for integers of up to 32 bits, and ${type.name} is none`,
    );
  }
  let count = 0;
  const room = isView(value) ? Math.floor((bytesOf(value, 'decode: buffer').length - offset) / type.size) : Infinity;
  while (count < room && decodeOne(value, offset + count * type.size, type) !== 0) count += 1;
  return count === 0 ? new (layoutOf(type).list)(0) : decodeOne(value, offset, arrayOf(type, count));
}

/** A scalar of the type table, with its own reader. */
const isPlainScalar = ({ kind, row }) => kind === 'scalar' && row.key === undefined;
/** The values that are addresses in memory. */
const isReference = ({ kind }) => kind === 'text' || kind === 'pointer' || kind === 'callback';

function decodeOne(value, offset, type) {
  const layout = layoutOf(type);
  if (isAddress(value)) {
    if (isPlainScalar(layout)) return scalarReader(layout)(numberOf(value), offset);
    if (isReference(layout)) return fromAddress(layout, read.ptr(numberOf(value), offset));
  }
  const bytes = isView(value)
    ? bytesIn(value, offset, type.size, type, 'decode').slice(0, type.size)
    : copyOf(value, offset, type.size, 'decode');
  return decodeAt(type, viewOf(bytes), 0);
}

/** An address as a number, where it is one exactly. */
const numberOf = (address) => (typeof address === 'bigint' ? shortened(address) : address);

/** decode.int(pointer), decode.string(pointer, length) and the others. */
for (const name of [
  'char',
  'short',
  'int',
  'long',
  'longlong',
  'uchar',
  'ushort',
  'uint',
  'ulong',
  'ulonglong',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float',
  'double',
])
  addDecoder(name, name);
for (const bits of [16, 32, 64]) {
  for (const order of ['le', 'be']) {
    addDecoder(`int${bits}${order}`, `int${bits}_${order}`);
    addDecoder(`uint${bits}${order}`, `uint${bits}_${order}`);
  }
}
for (const order of ['le', 'be']) {
  addDecoder(`int8${order}`, 'int8');
  addDecoder(`uint8${order}`, 'uint8');
}
for (const name of ['string', 'string16', 'string32', 'wstring']) {
  const { unit } = layoutOf(builtin.get(name));
  decode[name] = (value, length) =>
    value === null || value === undefined || value === 0n
      ? null
      : textFrom(checkSource(value, `decode.${name}`), 0, unit, length, `decode.${name}`);
}

function addDecoder(key, name) {
  const type = builtin.get(name);
  const layout = layoutOf(type);
  const direct = isPlainScalar(layout) ? scalarReader(layout) : undefined;
  decode[key] =
    direct === undefined
      ? (value) => decodeOne(checkSource(value, `decode.${key}`), 0, type)
      : (value) =>
          typeof value === 'bigint' && value !== 0n
            ? direct(numberOf(value), 0)
            : decodeOne(checkSource(value, `decode.${key}`), 0, type);
}

// ---- encode ---------------------------------------------------------------------------------------------------------

/** koffi.encode(target, offset, type, value, length), of which the second and the last may be missing. */
function encode(target, ...rest) {
  const [offset, spec, value, length] = isAddress(rest[0]) ? [Number(rest[0]), ...rest.slice(1)] : [0, ...rest];
  const type = typeOf(spec, 'encode: type');
  checkSource(target, 'encode');
  if (type.size === 0) throw makeError('ERR_INVALID_ARG_TYPE', `Cannot encode value of type ${type.name}`);
  const whole = length === undefined || length === null ? type : arrayOf(type, wholeNumber(length));
  const bytes = new Uint8Array(whole.size);
  const callMemory = new CallMemory(refuse);
  encodeAt(whole, viewOf(bytes), 0, value, callMemory, 'encode', 'value');
  if (isView(target)) {
    bytesIn(target, offset, whole.size, whole, 'encode').set(bytes);
    keepFor(target, offset, callMemory);
    return;
  }
  store(bytes, target, offset, 'encode');
  keepAt(BigInt(target) + BigInt(offset), callMemory);
}

const wholeNumber = (length) => (typeof length === 'bigint' ? Number(length) : length);

/** Values stored in a view live as long as its buffer. */
const ofViews = new WeakMap();

function keepFor(target, offset, { parts }) {
  const owner = ArrayBuffer.isView(target) ? target.buffer : target;
  const place = (ArrayBuffer.isView(target) ? target.byteOffset : 0) + offset;
  if (parts.length > 0 && !ofViews.has(owner)) ofViews.set(owner, new Map());
  keepIn(ofViews.get(owner), place, parts);
}

const keepAt = (key, { parts }) => keepIn(stored, key, parts);

function keepIn(map, key, parts) {
  if (parts.length > 0) map.set(key, parts);
  else map?.delete(key);
}

module.exports = { alloc, free, address, view, decode, encode };
