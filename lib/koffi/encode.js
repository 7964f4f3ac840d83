'use strict';
// Values as koffi takes them -> bytes, and what a pointer may be: an address, a view, or an object, an array or a text
// that is copied to memory for the length of a call.

const { Buffer } = require('node:buffer');
const { isAnyArrayBuffer } = require('node:util').types;
const { describe, makeError, locationOf: place, wrongType, wrongValue } = require('../errors.js');
const access = require('../memory/access.js');
const { byteLengthOf, bytesOf, isView } = require('../memory/array-buffer.js');
const { byName } = require('../types/registry.js');
const { lowAddress } = require('../types/pointers.js');
const { utf32 } = require('../types/strings.js');
const { Union, decode, decodeMembers, textOfBytes, untilNul, wideNumber } = require('./decode.js');
const { makeWriter } = require('./members.js');
const { arena, viewOf } = require('./scratch.js');
const { layoutOf } = require('./type.js');

const address = byName.get('ptr');

/** A value, and the type that it is passed as where the parameter is a `void *`. */
class Cast {
  constructor(value, type) {
    this.value = value;
    this.type = type;
  }
}

/** Values that must live as long as the memory that refers to them, and values to release after a call. */
class CallMemory {
  parts = [];
  #blocks;

  /**
   * @param {(type: object, callback: Function) => { row: object, value: unknown }} lend has C call a function
   * @param {InstanceType<typeof import('./scratch.js').Blocks>} [blocks] of a synchronous call, whose memory is used
   *   again
   */
  constructor(lend, blocks) {
    this.lend = lend;
    this.#blocks = blocks;
  }

  /** The address of a text that a member points to; undefined if it needs separate memory. */
  addressOfText(text, name, position) {
    if (this.#blocks === undefined) return undefined;
    return arena.takeAscii(text) ?? arena.takeText(checkText(text, name, position));
  }

  /** Zeroed memory for the value of the parameter of an index, or for the target of a member. */
  allocate(size, index) {
    if (this.#blocks === undefined) return allocate(size);
    return (
      (typeof index === 'number'
        ? this.#blocks.take(index, size === 0 ? 1 : size)
        : arena.take(size === 0 ? 1 : size)) ?? allocate(size)
    );
  }
}

/** The values that must live as long as the views of a call. */
const attached = new WeakMap();

// ---- texts ----------------------------------------------------------------------------------------------------------

/** The bytes of a text, without a NUL. */
function bytesOfText(text, unit) {
  if (unit === 1) return Buffer.from(text);
  if (unit === 2) return Buffer.from(text, 'utf16le');
  return Buffer.from(utf32(text).buffer);
}

/** The memory of a text that ends in NUL. */
function memoryOfText(text, unit, callMemory, position) {
  const bytes = bytesOfText(text, unit);
  const whole = callMemory.allocate(bytes.length + unit, position);
  whole.set(bytes);
  return whole;
}

function checkText(text, name, position) {
  if (text.includes('\0')) throw wrongValue(place(name, position), 'a string without NUL characters', text);
  return text;
}

/** Characters of a text that are put one by one. */
const MOST_SHORT = 64;

/** Puts a text of ASCII; false for any other, of which something may have been put. */
function putAscii(view, at, text) {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    view.setUint8(at + i, unit);
  }
  return true;
}

/** Fills an array with a text, which is cut to leave room for a NUL, between characters. */
function encodeText(of, length, view, at, text) {
  const room = (length - 1) * of.size;
  if (of.size === 1 && text.length <= room && text.length <= MOST_SHORT && putAscii(view, at, text)) return;
  let bytes = bytesOfText(text, of.size);
  if (bytes.length > room) {
    let end = room;
    while (of.size === 1 && end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
    bytes = bytes.subarray(0, end);
  }
  new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
}

// ---- values ---------------------------------------------------------------------------------------------------------

/** Zeroed memory for C. An empty piece has an address, too. */
const allocate = (size) => new Uint8Array(size === 0 ? 1 : size);

/**
 * Writes a value of a type into zeroed memory.
 * @param {any} type
 * @param {DataView} view
 * @param {number} at
 * @param {unknown} value
 * @param {CallMemory} callMemory
 * @param {string} name of the function, and `position`, where the value came from: for messages
 */
function encode(type, view, at, value, callMemory, name, position) {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'scalar':
      return void layout.row.write(view, at, numberOf(layout, value), name, position);
    case 'text':
    case 'pointer':
    case 'callback':
      return store(type, view, at, value, callMemory, name, position);
    case 'array':
      return encodeArray(layout, type, view, at, value, callMemory, name, position);
    case 'record':
      return encodeRecord(layout, type, view, at, value, callMemory, name, position);
    case 'union':
      return encodeUnion(layout, type, view, at, value, callMemory, name, position);
    default:
      throw makeError('ERR_INVALID_ARG_TYPE', `${place(name, position)}: cannot encode a value of type ${type.name}`);
  }
}

/** A BigInt for a floating-point number is one in koffi, and 2^53 is exact for it. */
function numberOf({ list }, value) {
  if (typeof value === 'bigint') return list === Float64Array || list === Float32Array ? Number(value) : value;
  return list === BigInt64Array || list === BigUint64Array ? wideNumber(value) : value;
}

/** Where a member is, for messages. */
const positionOf = (outer, { name, type }) => ({ outer, part: name, type: type.name });

/** The function of lib/koffi/members.js for each struct; null where there is none. */
const writers = new WeakMap();

function writerOf(layout) {
  let made = writers.get(layout);
  if (made === undefined) writers.set(layout, (made = makeWriter(layout, { encode, wideNumber, again: faultOf })));
  return made;
}

function encodeRecord(layout, type, view, at, value, callMemory, name, position) {
  if (typeof value !== 'object' || value === null || isView(value))
    throw wrongType(place(name, position), `an object (${type.name})`, value);
  const write = writerOf(layout);
  if (write !== null) return write(view, at, value, callMemory, name, position);
  for (const member of layout.members) {
    const part = partOf(value, member.name);
    if (part !== undefined && member.name !== '_')
      encode(member.type, view, at + member.offset, part, callMemory, name, positionOf(position, member));
  }
}

/** A member of an object, without those that every object has from Object.prototype. */
function partOf(value, name) {
  const part = value[name];
  return part !== undefined && Object.prototype[name] !== undefined && !Object.hasOwn(value, name) ? undefined : part;
}

/** The error of the first scalar that does not fit its member, with the member's name; undefined where all do. */
function faultOf(members, values, view, at, name, position) {
  for (const [i, member] of members.entries()) {
    const layout = layoutOf(member.type);
    if (layout.kind !== 'scalar' || values[i] === undefined) continue;
    try {
      layout.row.write(view, at + member.offset, numberOf(layout, values[i]), name, positionOf(position, member));
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

function encodeUnion({ members }, type, view, at, value, callMemory, name, position) {
  if (typeof value !== 'object' || value === null || isView(value))
    throw wrongType(place(name, position), `a union value (${type.name})`, value);
  const isUnion = value instanceof Union;
  const state = isUnion ? Union.stateOf(value) : undefined;
  if (isUnion && state.type !== type) throw wrongType(place(name, position), `a union value (${type.name})`, value);
  if (isUnion && state.active === undefined) {
    if (state.bytes !== undefined) new Uint8Array(view.buffer, view.byteOffset + at, type.size).set(state.bytes);
    return;
  }
  const keys = isUnion ? [state.active] : Object.keys(value);
  const member = members.find((each) => each.name === keys[0]);
  if (keys.length !== 1 || member === undefined) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${place(name, position)} must be an object with one of the members ` +
        `${members.map((each) => each.name).join(', ')} (${type.name}), received ${keys.join(', ') || 'none'}`,
    );
  }
  const part = isUnion ? state.value : value[member.name];
  encode(member.type, view, at, part, callMemory, name, positionOf(position, member));
}

function encodeArray({ of, length, hint }, type, view, at, value, callMemory, name, position) {
  const list = `an array of at most ${length} (${type.name})`;
  if (typeof value === 'string') {
    if (hint !== 'String' && !TEXT_LIKE.has(of.primitive)) throw wrongType(place(name, position), list, value);
    return encodeText(of, length, view, at, value);
  }
  if (isView(value)) {
    const bytes = bytesOf(value, place(name, position));
    const isRaw =
      bytes.length === 0 || isAnyArrayBuffer(value) || value instanceof Uint8Array || value instanceof DataView;
    if (!isRaw && !(value instanceof (layoutOf(of).list ?? Uint8Array)))
      throw wrongType(place(name, position), list, value);
    if (bytes.length > type.size)
      throw wrongValue(place(name, position), `at most ${type.size} bytes (${type.name})`, value);
    return void new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
  }
  if (!Array.isArray(value)) throw wrongType(place(name, position), list, value);
  if (value.length > length) throw wrongValue(place(name, position), list, value);
  return encodeElements(of, view, at, value, callMemory, name, position);
}

/** Integers whose arrays take a text without the hint `String`. */
const TEXT_LIKE = new Set(['Int8', 'Int16']);

/** Elements side by side. As in koffi, one that is missing is refused, unless it is a pointer, which is NULL then. */
function encodeElements(of, view, at, values, callMemory, name, position) {
  for (let i = 0; i < values.length; i += 1)
    encode(of, view, at + i * of.size, values[i], callMemory, name, { outer: position, part: i, type: of.name });
}

const TWO_32 = 2 ** 32;

/** Writes an address of the package's own memory, which is a number. */
function putAddress(view, at, number) {
  view.setUint32(at, number, true);
  view.setUint32(at + 4, number / TWO_32, true);
}

/** Writes the address of the memory that a value refers to. */
function store(type, view, at, value, callMemory, name, position) {
  if (typeof value === 'function' && layoutOf(type).kind === 'callback') {
    const { row, value: lent } = callMemory.lend(layoutOf(type), value, name, position);
    callMemory.parts.push(row.write(view, at, lent, name, position));
    return;
  }
  const text =
    typeof value === 'string' && layoutOf(type).unit === 1
      ? callMemory.addressOfText(value, name, position)
      : undefined;
  if (text !== undefined) return void putAddress(view, at, text);
  const target = refer(type, value, 'InputOutput', callMemory, name, position);
  if (!isView(target)) return void address.write(view, at, target, name, position);
  const known = ArrayBuffer.isView(target) ? arena.addressOf(target) : undefined;
  if (known !== undefined) return void putAddress(view, at, known);
  callMemory.parts.push(target);
  access.storeAddress(view, at, target, name, position);
}

// ---- pointers -------------------------------------------------------------------------------------------------------

const UNITS = { Void: 1, Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4 };

/** Whether C reads or writes what a pointer points to. One to `void` or an opaque type may be an id or an offset. */
const readsMemory = ({ kind, to }) => kind === 'text' || (kind === 'pointer' && layoutOf(to).kind !== 'void');

/**
 * Converts a value for a pointer to null, an address, or a view. An object, an array or a text becomes a new view.
 * @returns {null | number | bigint | ArrayBufferView}
 */
function refer(type, value, direction, callMemory, name, position) {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (access.isInFirstPage(value) && readsMemory(layoutOf(type))) throw lowAddress(value, type, name, position);
    return value;
  }
  if (value instanceof Cast) return refer(value.type, value.value, direction, callMemory, name, position);
  const layout = layoutOf(type);
  if (isView(value)) return checkRoom(type, layout, value, name, position);
  if (layout.kind === 'text') return referToText(layout, type, value, callMemory, name, position);
  if (layout.kind === 'callback') return pointerOf(type, layout, value, callMemory, name, position);
  const { to } = layout;
  if (typeof value === 'string') {
    const unit = UNITS[to.primitive];
    if (unit === undefined) throw wrongType(place(name, position), `a pointer (${type.name})`, value);
    return memoryOfText(checkText(value, name, position), unit, callMemory, position);
  }
  if (typeof value !== 'object') throw wrongType(place(name, position), `a pointer (${type.name})`, value);
  return referToObject(type, to, value, direction, callMemory, name, position);
}

/** The address of a function that C may call for the length of the call. */
function pointerOf(type, layout, callback, callMemory, name, position) {
  if (typeof callback !== 'function')
    throw wrongType(place(name, position), `a function or a pointer (${type.name})`, callback);
  const { row, value } = callMemory.lend(layout, callback, name, position);
  const pointer = new DataView(new ArrayBuffer(type.size));
  callMemory.parts.push(row.write(pointer, 0, value, name, position));
  return pointer.getBigUint64(0, true);
}

/** A view where a struct is declared has to hold one. */
function checkRoom(type, layout, value, name, position) {
  const to = layout.kind === 'pointer' ? layout.to : undefined;
  if (to === undefined) return value;
  const { kind, members } = layoutOf(to);
  if ((kind !== 'record' && kind !== 'union') || layoutOf(members.at(-1).type).countedBy !== undefined) return value;
  if (byteLengthOf(value) >= to.size) return value;
  throw makeError(
    'ERR_OUT_OF_RANGE',
    `${place(name, position)} needs at least ${to.size} bytes (${type.name}), received ${describe(value)}`,
  );
}

/** Texts, and arrays of one text, whose length is the room that C has. */
function referToText({ unit }, type, value, callMemory, name, position) {
  if (typeof value === 'string') return memoryOfText(checkText(value, name, position), unit, callMemory, position);
  if (!Array.isArray(value) || value.length !== 1 || (typeof value[0] !== 'string' && value[0] !== null)) {
    throw wrongType(place(name, position), `a string (${type.name}), a pointer or a view`, value);
  }
  return value[0] === null ? null : memoryOfText(value[0], unit, callMemory, position);
}

function referToObject(type, to, value, direction, callMemory, name, position) {
  const { kind } = layoutOf(to);
  const isList = Array.isArray(value);
  if (isTextIn(to, value)) return memoryOfText(value[0], 1, callMemory, position);
  if (to.size === 0 || (!isList && kind !== 'record' && kind !== 'union')) {
    const hint = isList ? '; say of what by koffi.as(value, type)' : '';
    throw wrongType(place(name, position), `a pointer (${type.name})`, value, hint);
  }
  if (!isList && kind === 'union' && direction !== 'Input' && !(value instanceof Union)) {
    throw wrongType(place(name, position), `a union value: new koffi.Union('${to.name}')`, value);
  }
  const bytes = callMemory.allocate(isList ? value.length * to.size : to.size, position);
  if (direction === 'Output') return bytes;
  const view = viewOf(bytes);
  const before = callMemory.parts.length;
  if (isList) encodeElements(to, view, 0, value, callMemory, name, position);
  else encode(to, view, 0, value, callMemory, name, position);
  if (callMemory.parts.length > before) attached.set(bytes, callMemory.parts);
  return bytes;
}

/** Whether a value for a `void *` is an array of one text. */
const isTextIn = (to, value) =>
  to.size === 0 && Array.isArray(value) && value.length === 1 && typeof value[0] === 'string';

/** Puts what C has left in the memory of an argument into the object or array that was passed. */
function copyBack(type, value, bytes) {
  if (value instanceof Cast) return copyBack(value.type, value.value, bytes);
  if (typeof value !== 'object' || value === null || isView(value) || !isView(bytes)) return undefined;
  const layout = layoutOf(type);
  if (layout.kind === 'text' || isTextIn(layout.to, value)) {
    const { unit = 1 } = layout;
    value[0] = textOfBytes(untilNul(bytes, unit), unit);
    return undefined;
  }
  const view = viewOf(bytes);
  const { to } = layout;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) value[i] = decode(to, view, i * to.size);
    return undefined;
  }
  if (value instanceof Union) return void Union.fill(value, /** @type {any} */ (bytes).slice());
  return void decodeMembers(layoutOf(to), view, 0, value);
}

module.exports = {
  Cast,
  CallMemory,
  attached,
  copyBack,
  encode,
  isView,
  readsMemory,
  refer,
  viewOf,
};
