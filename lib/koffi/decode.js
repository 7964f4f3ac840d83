'use strict';
// Bytes -> values as koffi has them. Union is here because a union is decoded member by member, when a member is read.

const { Buffer } = require('node:buffer');
const { TextDecoder } = require('node:util');
const { makeError, wrongType } = require('../errors.js');
const access = require('../memory/access.js');
const { bigOfNumber } = require('../memory/big-words.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { readAddress } = require('../types/pointers.js');
const { textAt: shortTextAt } = require('../pointer/read-text.js');
const { typeOf } = require('./make.js');
const { makeReaders } = require('./members.js');
const { layoutOf } = require('./type.js');

/** The counters of koffi.stats(). */
const counts = { disposed: 0, callbacks: 0 };

const MOST = 2n ** 53n;

/** A 64-bit integer as koffi has it: 2^53 and -2^53 are numbers, too. */
const exactNumber = (value) =>
  typeof value === 'bigint' && (value === MOST || value === -MOST) ? Number(value) : value;

/** The same for a value that goes into C. */
const wideNumber = (value) => (value === 2 ** 53 || value === -(2 ** 53) ? BigInt(value) : value);

/** An address as koffi has it: a BigInt, or null. */
const bigAddress = (address) => (typeof address === 'number' ? bigOfNumber(address) : address);

const NAME = 'koffi';
const decoders = {
  1: new TextDecoder('utf-8', { ignoreBOM: true }),
  2: new TextDecoder('utf-16le', { ignoreBOM: true }),
};

/** The text of some bytes. */
function textOfBytes(bytes, unit) {
  if (unit !== 4) return decoders[unit].decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const point = view.getUint32(at, true);
    text += String.fromCodePoint(point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0xfffd : point);
  }
  return text;
}

/** The bytes before the first NUL character. */
function untilNul(bytes, unit) {
  for (let at = 0; at + unit <= bytes.length; at += unit) {
    let isNul = true;
    for (let i = 0; i < unit; i += 1) if (bytes[at + i] !== 0) isNul = false;
    if (isNul) return bytes.subarray(0, at);
  }
  return bytes;
}

const bytesAt = (view, at, length) => new Uint8Array(view.buffer, view.byteOffset + at, length);

/** The text at an address; null for NULL. */
function textAt(address, unit) {
  if (address === null) return null;
  return unit === 1 ? shortTextAt(address, readText) : access.wideTextAt(address, unit, NAME);
}
const readText = (address) => access.textAt(address, NAME);

/** The value of a pointer or a text, from its address; the function of a disposable type is called with that. */
function fromAddress(layout, address) {
  const value = layout.kind === 'text' ? textAt(address, layout.unit) : bigAddress(address);
  if (layout.dispose !== undefined && address !== null) {
    layout.dispose(bigAddress(address));
    counts.disposed += 1;
  }
  return value;
}

/** The most bytes of a short value. */
const MOST_SHORT = 64;

/** A short text of ASCII, which is the common case; undefined for any other. */
function shortText(of, view, at, length) {
  if (of.size !== 1 || length > MOST_SHORT) return undefined;
  let text = '';
  for (let i = 0; i < length; i += 1) {
    const unit = view.getUint8(at + i);
    if (unit === 0) return text;
    if (unit >= 0x80) return undefined;
    text += String.fromCharCode(unit);
  }
  return text;
}

/** A short typed array: the engine keeps it in its heap, which is faster than a separate buffer. */
function shortList(of, view, at, length) {
  const { list: List, row } = layoutOf(of);
  const values = new List(length);
  for (let i = 0; i < length; i += 1) values[i] = row.read(view, at + i * of.size);
  return values;
}

/** Elements side by side, as the hint says. */
function decodeArray({ of, hint }, view, at, length) {
  const { list } = layoutOf(of);
  if (hint === 'Array') return Array.from({ length }, (_, i) => decode(of, view, at + i * of.size));
  if (hint === 'String') {
    return (
      shortText(of, view, at, length) ?? textOfBytes(untilNul(bytesAt(view, at, length * of.size), of.size), of.size)
    );
  }
  if (hint === 'Typed' && length * of.size <= MOST_SHORT && of.size < 8) return shortList(of, view, at, length);
  const start = view.byteOffset + at;
  const copied = view.buffer.slice(start, start + length * of.size);
  return hint === 'Buffer' ? Buffer.from(copied) : new list(copied);
}

/** The functions of lib/koffi/members.js for each struct; null where there are none. */
const readers = new WeakMap();

function readersOf(layout) {
  let made = readers.get(layout);
  if (made === undefined) readers.set(layout, (made = makeReaders(layout, { decode, exactNumber })));
  return made;
}

/** The members of a struct, as a new object. */
function decodeRecord(layout, view, at) {
  const made = readersOf(layout);
  return made === null ? decodeEach(layout, view, at, {}) : made.make(view, at);
}

/** The members of a struct, put into `target`. */
function decodeMembers(layout, view, at, target) {
  const made = readersOf(layout);
  return made === null ? decodeEach(layout, view, at, target) : made.fill(view, at, target);
}

function decodeEach(layout, view, at, target) {
  for (const { name, type, offset } of layout.members) {
    if (name === '_') continue;
    const inner = layoutOf(type);
    const value =
      inner.countedBy === undefined
        ? decode(type, view, at + offset)
        : decodeArray(inner, view, at + offset, Math.max(0, Math.min(Number(target[inner.countedBy]), inner.length)));
    target[name] = value;
  }
  return target;
}

/** The value of a type at a place in a DataView. */
function decode(type, view, at) {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'scalar':
      return exactNumber(layout.row.read(view, at));
    case 'text':
    case 'pointer':
    case 'callback':
      return fromAddress(layout, readAddress(view, at));
    case 'array':
      return decodeArray(layout, view, at, layout.length);
    case 'record':
      return decodeRecord(layout, view, at);
    case 'union':
      return Union.of(type, bytesAt(view, at, type.size).slice());
    default:
      throw makeError('ERR_INVALID_ARG_TYPE', `Cannot decode value of type ${type.name}`);
  }
}

// ---- unions ---------------------------------------------------------------------------------------------------------

const classes = new WeakMap();

/** A union: the member that was set, or the bytes that C has left, from which each member can be read. */
class Union extends Uncloneable {
  #type;
  #bytes;
  #active;
  #value;

  constructor(spec) {
    const type = spec instanceof TypeAndBytes ? spec.type : typeOf(spec, 'Union: type');
    const layout = layoutOf(type);
    if (layout.kind !== 'union') throw wrongType('Union: type', 'a union type', spec);
    const bytes = spec instanceof TypeAndBytes ? spec.bytes : undefined;
    // The class has the members as properties.
    if (new.target === Union) return Reflect.construct(Union, [new TypeAndBytes(type, bytes)], classOf(type, layout));
    super();
    this.#type = type;
    this.#bytes = bytes;
  }

  static of(type, bytes) {
    return new Union(new TypeAndBytes(type, bytes));
  }

  /** The member that was set, for code that writes a union to memory: { type, bytes, active, value }. */
  static stateOf(union) {
    return { type: union.#type, bytes: union.#bytes, active: union.#active, value: union.#value };
  }

  /** C has written the union. */
  static fill(union, bytes) {
    union.#bytes = bytes;
    union.#active = undefined;
    union.#value = undefined;
  }

  static get(union, { name, type }) {
    if (union.#active === name) return union.#value;
    if (union.#active !== undefined) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${union.#type.name}: the member ${union.#active} is set, so ${name} has no value`,
      );
    }
    if (union.#bytes === undefined) return undefined;
    return decode(type, new DataView(union.#bytes.buffer), 0);
  }

  static set(union, name, value) {
    union.#active = name;
    union.#value = value;
  }

  /** The member that was set, or all members of a union that C has written. */
  #shown() {
    if (this.#active !== undefined) return { [this.#active]: this.#value };
    if (this.#bytes === undefined) return {};
    return Object.fromEntries(layoutOf(this.#type).members.map((member) => [member.name, Union.get(this, member)]));
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    return `${this.#type.name} ${inspect(this.#shown(), options)}`;
  }

  toJSON() {
    return this.#shown();
  }
}
refusingClones(Union);
Object.defineProperty(Union.prototype, Symbol.toStringTag, { value: 'Union' });

/** The argument of the constructor for a union that C has given. */
class TypeAndBytes {
  constructor(type, bytes) {
    this.type = type;
    this.bytes = bytes;
  }
}

/** The class with the members of a union as properties. */
function classOf(type, layout) {
  if (!classes.has(layout)) {
    const named = { [type.name]: class extends Union {} }[type.name];
    for (const member of layout.members) {
      Object.defineProperty(named.prototype, member.name, {
        get() {
          return Union.get(this, member);
        },
        set(value) {
          Union.set(this, member.name, value);
        },
        enumerable: true,
        configurable: true,
      });
    }
    classes.set(layout, named);
  }
  return classes.get(layout);
}

module.exports = {
  Union,
  counts,
  exactNumber,
  wideNumber,
  decode,
  decodeMembers,
  fromAddress,
  textAt,
  textOfBytes,
  untilNul,
};
