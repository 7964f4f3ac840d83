'use strict';
// struct(), union(), array() and the types that they return; sizeof(), alignof(), offsetof().

const binding = require('../native/binding.js');
const { structDescriptor, unionDescriptor, arrayDescriptor, textDescriptor } = require('./aggregate.js');
const { bitfieldDescriptor } = require('./bitfield.js');
const { ENCODINGS } = require('./text-units.js');
const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { atCaller, makeError, named, spellingOf, wrongType, wrongValue, outOfRange } = require('../errors.js');
const { argBuffer, VALUES } = require('../memory/arg-buffer.js');
const { placeInexact } = require('../exact-numbers.js');
const access = require('../memory/access.js');
const { alloc, engineStorage } = require('../memory/alloc.js');
const { parseOptions, entriesOf, integerOf } = require('../validate.js');
const { typeOf, spelled, isDeclared } = require('./registry.js');
const { viewAt, valueAt, setValue, setValueAt } = require('./live-view.js');
const { addElementViews } = require('./array-view.js');
const { addFieldViews } = require('./struct-view.js');

/** The most bytes of values that the argument buffer has room for. */
const ARG_BUFFER_BYTES = argBuffer.byteLength - VALUES;
const MOST_ALIGN = 4096;
const NO_BITS = 2 ** 32 - 1;

/** A declared type whose values lie in memory. */
class Aggregate extends DeclaredType {
  #descriptor;
  /** The names of the functions in messages. */
  #names;

  constructor(descriptor) {
    super(descriptor);
    this.#descriptor = descriptor;
    const { name } = descriptor;
    this.#names = { read: `${name}.read`, write: `${name}.write`, view: `${name}.view`, alloc: `${name}.alloc` };
  }

  /** A copy of the value at an address, or in a view. */
  read(source, byteOffset = 0) {
    try {
      return this.#read(source, byteOffset);
    } catch (error) {
      throw atCaller(placeInexact(error, this.#names.read), this.read); // node-do-not-add-exception-line
    }
  }

  #read(source, byteOffset) {
    const descriptor = this.#descriptor;
    const name = this.#names.read;
    const isAddress = typeof source === 'number' || typeof source === 'bigint';
    if (isAddress && descriptor.size > 0 && descriptor.size <= ARG_BUFFER_BYTES)
      return access.read(descriptor, source, byteOffset, name);
    return valueAt(descriptor, source, byteOffset, name);
  }

  /** Writes a value to an address, or into a view. */
  write(target, value, byteOffset = 0) {
    try {
      this.#write(target, value, byteOffset);
    } catch (error) {
      throw atCaller(error, this.write); // node-do-not-add-exception-line
    }
  }

  #write(target, value, byteOffset) {
    const descriptor = this.#descriptor;
    const name = this.#names.write;
    const isAddress = typeof target === 'number' || typeof target === 'bigint';
    if (isAddress && descriptor.size > 0 && descriptor.size <= ARG_BUFFER_BYTES)
      return access.write(descriptor, target, byteOffset, value, name);
    return setValueAt(descriptor, target, byteOffset, value, name);
  }

  /** Accessors over the memory at an address, or of a view, without a copy. */
  view(source, byteOffset = 0) {
    try {
      const descriptor = this.#descriptor;
      if (descriptor.live !== undefined) return viewAt(descriptor, source, byteOffset, this.#names.view);
      throw wrongValue(this.#names.view, 'called on a struct, a union or an array', descriptor.name);
    } catch (error) {
      throw atCaller(error, this.view); // node-do-not-add-exception-line
    }
  }

  /** Accessors over new fenced memory, zeroed or with a value. */
  alloc(value) {
    try {
      return this.#alloc(value);
    } catch (error) {
      throw atCaller(error, this.alloc); // node-do-not-add-exception-line
    }
  }

  #alloc(value) {
    const descriptor = this.#descriptor;
    const storage = engineStorage(descriptor.size, descriptor.align);
    if (storage !== undefined && descriptor.live !== undefined) {
      const view = descriptor.live(new DataView(storage), 0);
      if (value !== undefined) setValue(view, value, this.#names.alloc);
      return view;
    }
    const memory = alloc(descriptor.size, { align: descriptor.align });
    if (value !== undefined) setValueAt(descriptor, memory, 0, value, this.#names.alloc);
    return descriptor.live === undefined ? memory : viewAt(descriptor, memory, 0, descriptor.name);
  }
}

// ---- declarations ---------------------------------------------------------------------------------------------------

const hasMemory = (descriptor) => descriptor.name !== 'void' && !descriptor.argumentOnly && !descriptor.isFlexible;

/** A field is a type, or { type, bits } for a bitfield. */
function fieldOf([key, declared], where) {
  const location = `${where}: field ${key}`;
  if (key === '__proto__' || /^\d+$/.test(key)) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where}: field names must not be '__proto__' or numbers, which JavaScript puts before other keys; received '${key}'`,
    );
  }
  const isRecord = typeof declared === 'object' && declared !== null && !isDeclared(declared);
  const { type, bits, align } = isRecord
    ? parseOptions(declared, { type: 'any', bits: 'number', align: 'number' }, location)
    : { type: declared, bits: undefined, align: undefined };
  const descriptor = typeOf(type, location);
  if (!hasMemory(descriptor)) throw wrongValue(location, 'a type that has values in memory', descriptor.name);
  if (bits === undefined)
    return {
      key,
      descriptor,
      bits: undefined,
      align: fieldAlign(align, location),
      type: spellingOf(spelled(undefined, type, descriptor)),
    };
  if (align !== undefined) throw makeError('ERR_INVALID_ARG_VALUE', `${location} must have bits or align, not both`);
  const mayHaveBits =
    !descriptor.hasByteOrder &&
    (descriptor.min !== undefined || descriptor.name === 'bool' || /^[iu]64|long/.test(descriptor.name));
  if (!mayHaveBits || isDeclared(type))
    throw wrongValue(`${location}.type`, 'an integer type, as it has bits', descriptor.name);
  // C gives a bool one bit.
  const most = descriptor.name === 'bool' ? 1 : descriptor.size * 8;
  if (!Number.isInteger(bits) || bits < 1 || bits > most) {
    throw outOfRange(`${location}.bits`, most === 1 ? '1, as a bool has' : `an integer from 1 to ${most}`, bits);
  }
  return { key, descriptor, bits, align: undefined, type: undefined };
}

const fieldAlign = (align, where) => (align === undefined ? 0 : powerOfTwo(align, `${where}.align`));

function fieldsOf(declared, where) {
  const entries = entriesOf(declared, `${where}: fields`);
  if (entries.length === 0) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${where}: fields must be at least one: C has no empty struct`);
  }
  return entries.map((entry) => fieldOf(entry, where));
}

function powerOfTwo(value, where) {
  if (!Number.isInteger(value) || value < 1 || value > MOST_ALIGN || (value & (value - 1)) !== 0) {
    throw outOfRange(where, `a power of two from 1 to ${MOST_ALIGN}`, value);
  }
  return value;
}

/** Asks the native side; its errors get the name of the type. */
function laidOut(name, ask) {
  try {
    return ask();
  } catch (error) {
    throw named(error, name);
  }
}

/** Places of the fields by type object, for offsetof(). */
const offsets = new WeakMap();

/** The key of a declaration's fields in the cache. */
const keysOf = (parts) =>
  parts.flatMap(({ key, descriptor, bits, type, align }) => [key, keyOf(descriptor), bits, type, align]);

/** Prepares the descriptor of a struct or union, and where its fields lie. */
function prepared(descriptor, fields) {
  addFieldViews(descriptor, fields);
  return { descriptor, offsetsByField: new Map(fields.map(({ key, offset, bits }) => [key, { offset, bits }])) };
}

function made({ descriptor, offsetsByField }) {
  const type = new Aggregate(descriptor);
  offsets.set(type, offsetsByField);
  return Object.freeze(type);
}

/**
 * A C struct.
 * @param {object} fields types by name; { type, bits } is a bitfield, { type, align } has a separate alignment
 * @param {{ name?: string, packed?: boolean | number, align?: number, zero?: boolean }} [options] `zero`: fields that a
 *   value lacks are zero
 */
function struct(fields, options = {}) {
  const {
    name = 'struct',
    packed = false,
    align,
    zero = false,
  } = parseOptions(options, { name: 'string', packed: 'any', align: 'number', zero: 'boolean' }, 'struct: options');
  const parts = fieldsOf(fields, name);
  const pack = packOf(packed, name);
  const least = align === undefined ? 0 : powerOfTwo(align, `${name}: options.align`);
  return made(
    sharedBy(['struct', name, pack, least, zero, ...keysOf(parts)], () => {
      const layout = laidOut(name, () =>
        binding.structure(
          parts.map(({ descriptor }) => descriptor.id),
          parts.map(({ bits }) => bits ?? NO_BITS),
          parts.map(({ align }) => align ?? 0),
          pack,
          least,
        ),
      );
      const laidOutFields = parts.map(({ key, descriptor, bits, type }, i) => ({
        key,
        bits,
        type,
        offset: layout.offsets[i],
        descriptor: bits === undefined ? descriptor : bitfieldDescriptor(descriptor, layout.shifts[i], bits),
      }));
      if (layout.size === 0) throw makeError('ERR_INVALID_ARG_VALUE', `${name}: C has no empty struct`);
      return prepared(structDescriptor(layout, name, laidOutFields, zero), laidOutFields);
    }),
  );
}

/** The widest alignment of the fields of a packed type; 0 of one that is not packed. */
function packOf(packed, name) {
  if (typeof packed === 'number') return powerOfTwo(packed, `${name}: options.packed`);
  if (typeof packed !== 'boolean') throw wrongType(`${name}: options.packed`, 'a boolean or a number of bytes', packed);
  return Number(packed);
}

/** The type of a packed field or a bitfield in a union: a struct of that field alone has its size and alignment. */
const loneIdOf = (id, bits, pack) => binding.structure([id], [bits ?? NO_BITS], [0], pack, 0).id;

/**
 * A C union.
 * @param {object} fields types by name
 * @param {{ name?: string, packed?: boolean | number, align?: number }} [options]
 */
function union(fields, options = {}) {
  const {
    name = 'union',
    packed = false,
    align,
  } = parseOptions(options, { name: 'string', packed: 'any', align: 'number' }, 'union: options');
  const parts = fieldsOf(fields, name);
  const pack = packOf(packed, name);
  const requested = align === undefined ? 0 : powerOfTwo(align, `${name}: options.align`);
  const least = Math.max(requested, ...parts.map((part) => part.align ?? 0));
  return made(
    sharedBy(['union', name, pack, least, ...keysOf(parts)], () => {
      const layout = laidOut(name, () =>
        binding.unionOf(
          parts.map(({ descriptor: { id }, bits }) =>
            pack === 0 && bits === undefined ? id : loneIdOf(id, bits, pack),
          ),
          least,
        ),
      );
      const laidOutFields = parts.map(({ key, descriptor, bits, type }) => ({
        key,
        bits,
        type,
        offset: 0,
        descriptor: bits === undefined ? descriptor : bitfieldDescriptor(descriptor, 0, bits),
      }));
      return prepared(unionDescriptor(layout, name, laidOutFields), laidOutFields);
    }),
  );
}

/** `length` values side by side. As an argument C knows it only inside of a struct: functions take pointer(type). */
function array(type, count) {
  const element = typeOf(type, 'array: type');
  if (!hasMemory(element)) throw wrongValue('array: type', 'a type that has values in memory', element.name);
  const spelling = spellingOf(spelled(undefined, type, element));
  const length = integerOf(count, 'array: length', 'an integer from 0 to 2^32-1', 0, 2 ** 32 - 1);
  return Object.freeze(
    new Aggregate(
      sharedBy(['array', keyOf(element), length, spelling], () => {
        const layout = laidOut('array', () => binding.arrayOf(element.id, length));
        const descriptor = arrayDescriptor(layout, element, length, spelling);
        addElementViews(descriptor);
        return descriptor;
      }),
    ),
  );
}

/**
 * A text in `length` units of memory: a string both ways, up to the first NUL.
 * @param {number | bigint} length the units: bytes, char16_t, char32_t or wchar_t
 * @param {'utf8' | 'utf16' | 'utf32' | 'wide'} [encoding] `wide` is that of wchar_t
 */
function text(length, encoding = 'utf8') {
  const units = integerOf(length, 'text: length', 'an integer from 1 to 2^32-1', 1, 2 ** 32 - 1);
  const known = typeof encoding === 'string' ? ENCODINGS[encoding] : undefined;
  if (known === undefined) throw wrongValue('text: encoding', `one of ${Object.keys(ENCODINGS).join(', ')}`, encoding);
  const unit = typeOf({ utf8: 'char', utf16: 'char16_t', utf32: 'char32_t' }[known], 'text');
  return Object.freeze(
    new Aggregate(
      sharedBy(['text', units, known], () => {
        const layout = laidOut('text', () => binding.arrayOf(unit.id, units));
        return textDescriptor(layout, units, known);
      }),
    ),
  );
}

// ---- measures -------------------------------------------------------------------------------------------------------

const sizeof = (type) => typeOf(type, 'sizeof: type').size;
const alignof = (type) => typeOf(type, 'alignof: type').align;

/** The offset of a field of a struct or union, in bytes. */
function offsetof(type, field) {
  const offsetsByField = typeof type === 'object' && type !== null ? offsets.get(type) : undefined;
  if (offsetsByField === undefined) throw wrongType('offsetof: type', 'a struct or a union', type);
  const known = offsetsByField.get(field);
  if (known === undefined)
    throw wrongValue('offsetof: field', `one of ${[...offsetsByField.keys()].join(', ')}`, field);
  if (known.bits !== undefined) throw wrongValue('offsetof: field', 'a field that is no bitfield', field);
  return known.offset;
}

/** Makes offsetof() accept a type that has the fields of a struct. */
const shareOffsets = (type, known) => offsets.set(type, offsets.get(known));

module.exports = { shareOffsets, struct, union, array, text, sizeof, alignof, offsetof };
