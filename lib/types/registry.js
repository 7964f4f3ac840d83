'use strict';
// The table of types. A type descriptor: { id, name, size, align, read(view, at), write(view, at, value, name,
// position), ... }. `read` and `write` are the only conversions of the project; calls, callbacks, structs, read.* and
// write.* use them.
//   write   checks the value and stores it; returns what has to stay alive for the length of the call, or undefined.
//           A returned view or string is not stored yet: its address is taken by the code that keeps it alive.
//   resolve (where present) may run the user's code, such as a `.ptr` getter; it comes before any write.
//   writeAnyText (where present): `write`, except that a string with a NUL in it passes.
//   returnedByEntry (where present): the native entry returns the value itself; `read` serves callbacks and memory.
//   writesAtOnce (where present): `write` throws before it stores, and stores at once, though the descriptor was made
//   from another. fastClass (where present): the name of the fast call's argument class: call/fast-call.js.
//   coercing (where present) is the descriptor for `wrap: true`: bun's conversions. Descriptors made from others do not
//   take it over. `name` and `position` say where the value came from: see errors.js, locationOf().

/**
 * A type, as the package knows it. The opening comment says what the functions do.
 * @typedef {object} TypeDescriptor
 * @property {number} id of the native side
 * @property {string} name
 * @property {number} size in bytes
 * @property {number} align in bytes
 * @property {(view: DataView, at: number) => any} read
 * @property {(view: DataView, at: number, value: any, name?: string, position?: any) => any} write
 * @property {(value: any, name?: string, position?: any) => any} [resolve]
 * @property {Function} [writeAnyText]
 * @property {string} [key] tells it from others of the same id
 * @property {Map<string, object>} [signatures] those with it, where only one library has it
 * @property {boolean} [isPointerLike]
 * @property {boolean} [isText]
 * @property {boolean} [retains]
 * @property {boolean} [returnedByEntry]
 * @property {boolean} [isArray]
 * @property {boolean} [isFlexible] of a struct whose size depends on its value
 * @property {'out' | 'inout'} [outParam]
 * @property {TypeDescriptor} [target] of an out-parameter: the type of its value
 * @property {any} [targetType] how that was declared
 * @property {any} [opaque] of a handle
 * @property {boolean} [isOwned] a text that the call frees
 * @property {string} [argumentOnly] why it is no result
 * @property {string} [refused] why it may not be declared
 * @property {TypeDescriptor} [coercing] the same with bun's conversions
 * @property {TypeDescriptor} [coerces] of one with bun's conversions: the one that it was made from
 */

const { noteInline, byElement, byHalves } = require('../codegen/read-values.js');
const { makeError, describe, wrongType, wrongValue } = require('../errors.js');
const { LateMap } = require('../late-map.js');
const { lazy } = require('../lazy.js');
const {
  sizes,
  char,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  f64,
  f32,
  bool,
  voidType,
  i64Fast,
  u64Fast,
  long,
  unsignedLong,
  wchar,
} = require('./scalars.js');

/** Programs that pass only numbers do not load it. */
const lateTypes = lazy(() => require('./late-types.js'));

const compiledOnly = (id, name) => ({ id, name, refused: 'exists only in C code that bun compiles itself' });

/** The types that every program may need at once. `late-types.js` has the others. */
const firstTypes = [
  char,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  f64,
  f32,
  bool,
  voidType,
  i64Fast,
  u64Fast,
  compiledOnly(18, 'napi_env'),
  compiledOnly(19, 'napi_value'),
  long,
  unsignedLong,
  wchar,
];
/** A descriptor that lacks a key must not find one on Object.prototype: descriptors decide how C is called. */
const alone = (descriptor) => Object.setPrototypeOf(descriptor, null);

const INLINES = {
  char: byElement('i8s'),
  i8: byElement('i8s'),
  u8: byElement('u8s'),
  i16: byElement('i16s'),
  u16: byElement('u16s'),
  i32: byElement('words'),
  u32: byElement('u32s'),
  i64: byElement('i64s'),
  u64: byElement('u64s'),
  f32: byElement('f32s'),
  f64: byElement('f64s'),
  bool: byElement('u8s', ' !== 0'),
  i64_fast: byHalves('toSigned'),
  u64_fast: byHalves('toUnsigned'),
  void: { raws: () => [], value: () => 'undefined' },
  ...(sizes[22] === 8 && { long: byElement('i64s'), 'unsigned long': byElement('u64s') }),
};

/**
 * By their tags, which are the ids of the native side. A hole is one of the late types.
 * @type {TypeDescriptor[]}
 */
const descriptors = [];
for (const descriptor of firstTypes) {
  descriptors[descriptor.id] = descriptor;
  if (Object.hasOwn(INLINES, descriptor.name)) noteInline(descriptor.read, INLINES[descriptor.name]);
  descriptor.size = descriptor.align = sizes[descriptor.id];
  alone(descriptor);
}

const aliases = {
  i8: ['int8_t', 'signed char'],
  u8: ['uint8_t', 'unsigned char'],
  i16: ['int16_t', 'short'],
  u16: ['uint16_t', 'unsigned short', 'char16_t'],
  i32: ['int32_t', 'int', 'c_int'],
  u32: ['uint32_t', 'unsigned int', 'c_uint', 'char32_t'],
  i64: ['int64_t', 'isize', 'ssize_t', 'intptr_t', 'ptrdiff_t', 'long long'],
  u64: ['uint64_t', 'usize', 'size_t', 'uintptr_t', 'unsigned long long'],
  f64: ['double'],
  f32: ['float'],
  ptr: ['pointer', 'void*', 'char*'],
  function: ['callback', 'fn'],
  buffer_length: ['buffer_bytelength'],
};

/** Enters descriptors under their names. */
function enter(map, list) {
  // Not by a loop: V8 compiles the code of a file once more for a long one.
  list.forEach((descriptor) => {
    map.set(descriptor.name, descriptor);
    const others = aliases[descriptor.name];
    if (others !== undefined) for (let i = 0; i < others.length; i += 1) map.set(others[i], descriptor);
  });
  return map;
}

/** Enters all types, in the order of their tags. */
function enterAll(map) {
  const { tagged, untagged } = lateTypes();
  for (const descriptor of tagged) descriptors[descriptor.id] = alone(descriptor);
  map.clear();
  enter(enter(map, descriptors), untagged.map(alone));
}

/**
 * The types by their names.
 * @type {Map<string, TypeDescriptor> & { whole(): Map<string, TypeDescriptor> }}
 */
const byName = /** @type {any} */ (enter(new LateMap([], enterAll), descriptors));

/** The descriptor of a tag. */
const byTag = (tag) =>
  descriptors[tag] ?? (tag >= 0 && tag < descriptors.length ? byName.whole() && descriptors[tag] : undefined);

/** bun's FFIType: names, aliases and numeric tags. Tags from 18 on, and `size_t`, have no separate key there. */
function makeFFIType() {
  const table = { __proto__: null };
  const untagged = new Set(lateTypes().untagged);
  for (let tag = 0; tag < 18; tag += 1) table[tag] = tag;
  byName.forEach((descriptor, name) => {
    if (!untagged.has(descriptor)) table[name] = descriptor.id;
  });
  return Object.freeze(table);
}
const ffiType = lazy(makeFFIType);

/** The descriptors of the types that were made by struct(), pointer(), ... */
const descriptorsOfTypes = new WeakMap();

/** Makes declarations accept `type`, an object that stands for a descriptor. */
const declare = (type, descriptor) => descriptorsOfTypes.set(type, alone(descriptor));

const isDeclared = (type) => descriptorsOfTypes.has(type);

/**
 * The descriptor of a declared type: a name, an alias, a numeric tag or what struct(), pointer(), ... have made; or
 * undefined.
 */
const descriptorOf = function (declared) {
  if (typeof declared === 'string') return byName.get(declared);
  return typeof declared === 'number' ? byTag(declared) : descriptorsOfTypes.get(declared);
};

/** The same, where there must be one that calls can have. */
function typeOf(declared, where) {
  const descriptor = descriptorOf(declared);
  if (descriptor === undefined || descriptor.refused !== undefined) throw noType(declared, descriptor, where);
  return descriptor;
}

// Loaded for a message.
const names = lazy(() => require('./other-names.js'));

function noType(declared, descriptor, where) {
  if (descriptor !== undefined)
    return wrongValue(where, `a type of FFIType (${descriptor.name} ${descriptor.refused})`, declared);
  if (typeof declared === 'string' && declared.length <= LONGEST_NAME)
    return makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where}: unknown type ${quoted(declared)}${names().hintFor(declared, where, byName)}`,
    );
  const fault = typeof declared === 'string' || typeof declared === 'number' ? wrongValue : wrongType;
  return fault(where, 'a type of FFIType', declared);
}
const LONGEST_NAME = 64;
const quoted = (text) => describe(text).replace('the string ', '');

/** A type by the name that a dialect has for it, which messages show. */
class NamedType {
  constructor(name, descriptor) {
    this.name = name;
    declare(this, descriptor);
  }
}

const spellings = new Map();

/** A position whose messages name the type as the declaration spells it, where that is another name. */
const spelled = function (position, declared, descriptor) {
  const type = declared instanceof NamedType ? declared.name : declared;
  if (typeof type !== 'string' || type === descriptor.name) return position;
  const key = `${type} ${position}`;
  let known = spellings.get(key);
  if (known === undefined)
    spellings.set(key, (known = Object.freeze({ __proto__: null, outer: position, part: undefined, type })));
  return known;
};

/**
 * A parameter of a signature.
 * @typedef {object} Parameter
 * @property {TypeDescriptor} descriptor
 * @property {any} label its index, or what messages call it
 * @property {number} [lengthOf] the index of the argument whose bytes it counts
 * @property {Function} [checkLength] throws where it counts more than there are
 * @property {'in' | 'out' | 'inout'} [flow] which way the bytes of a copy go, for an isolated library
 */

/**
 * A parameter of a signature. It goes into generated source, so nothing of it may come from Object.prototype.
 * @returns {Parameter}
 */
const parameter = function (descriptor, label) {
  return /** @type {any} */ ({ __proto__: null, descriptor, label, lengthOf: undefined });
};

/**
 * Whether a value of a type is a number that is no address.
 * @param {any} descriptor
 */
const hasNoAddress = ({ isPointerLike, size, fields, element, opaque }) =>
  !isPointerLike && size <= 8 && fields === undefined && element === undefined && opaque === undefined;

module.exports = {
  hasNoAddress,
  byName,
  byTag,
  get FFIType() {
    return ffiType();
  },
  descriptorOf,
  typeOf,
  NamedType,
  spelled,
  parameter,
  declare,
  isDeclared,
};
