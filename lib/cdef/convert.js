'use strict';
// C types -> types of declarations, by the rules of docs/cdef.md, which `bind` has as well.

const { withPaddings } = require('./bitfields.js');
const { faultAt, Unsupported } = require('./fault.js');
const { withoutCountedTexts } = require('./plain-parameters.js');
const { TEXTS, pointerToScalar } = require('./plain-words.js');
const { isVoid, describeType } = require('./types.js');
const { lazy } = require('../lazy.js');
const { descriptorOf } = require('../types/registry.js');

// Loaded when a text has such types.
const structs = lazy(() => require('../types/struct.js'));
const enumerations = lazy(() => require('../types/enum.js'));
const functions = lazy(() => require('../callback/function-pointer.js'));
const opaques = lazy(() => require('../types/handle.js'));
const pointers = lazy(() => require('../types/typed-pointer.js'));
const parameters = lazy(() => require('../types/out-param.js'));

/** A struct that is needed by value while its own fields are being converted. */
class Incomplete extends Unsupported {}

/** The types made from records, enumerations and opaque structs: each is the same type wherever it is named. */
const converted = new WeakMap();
/** Records whose fields are being converted: a pointer to one of them waits for it. */
const inProgress = new Set();

/** Types within types, by typedefs of typedefs: deeper ones would exhaust the stack, and no program has them. */
const MOST_DEPTH = 100;
/** Pointers to pointers: a deeper one is an address. */
const MOST_POINTERS = 8;
let depth = 0;
/** Types that one type is made of, counted as often as they are in it. */
const MOST_PARTS = 100_000;
let parts = 0;

/** The type of a value. Throws Unsupported where it has no counterpart. */
function typeOfValue(type) {
  parts = depth === 0 ? 0 : parts + 1;
  if (parts === MOST_PARTS) throw new Unsupported(`a type of more than ${MOST_PARTS} parts`);
  if (depth === MOST_DEPTH) throw new Unsupported(`types are nested more than ${MOST_DEPTH} deep`);
  depth += 1;
  try {
    return typeWithin(type);
  } finally {
    depth -= 1;
  }
}

function typeWithin(type) {
  switch (type.kind) {
    case 'scalar':
      return type.name;
    case 'pointer':
      return typeOfPointer(type.to);
    case 'array':
      if (type.length === null) throw new Unsupported(`${describeType(type)} has no length`);
      return structs().array(typeOfValue(type.of), type.length);
    case 'unsupported':
      throw faultAt(type.text, type.at, type.reason);
    case 'record':
      return typeOfRecord(type);
    case 'enum':
      return typeOfEnum(type.enumeration);
    default:
      throw new Unsupported('a function is no value; declare a pointer to it');
  }
}

function typeOfPointer(to) {
  if (isDeep(to)) return 'ptr';
  if (to.kind === 'function') return typeOfFunction(to);
  if (to.kind === 'scalar') {
    return pointerToScalar(to.name, to.spelling, to.isConst === true);
  }
  if (to.kind === 'record' && to.record.fields === null) return to.record.isDeclared ? typeOfOpaque(to.record) : 'ptr';
  if (to.kind === 'record' && to.record.fields.length === 0) return 'ptr';
  if (to.kind === 'record' && inProgress.has(to.record)) return pointers().pointer(() => converted.get(to.record));
  if (to.kind === 'unsupported' || isWithoutLength(to) || (to.kind === 'enum' && !isDefined(to.enumeration)))
    return 'ptr';
  try {
    return pointers().pointer(typeOfValue(to));
  } catch (error) {
    // A struct that holds, by value, the one that points to it: it is complete once that one is.
    if (!(error instanceof Incomplete) || to.kind !== 'record') throw error;
    return pointers().pointer(() => typeOfRecord(to));
  }
}

/** Whether a type is an array of which, or of whose elements, the length is not known. */
function isWithoutLength(type) {
  for (let inner = type; inner.kind === 'array'; inner = inner.of) if (!inner.length) return true;
  return false;
}

/** Whether the size of an enum is known. */
const isDefined = ({ members, integer }) => members !== null || integer !== undefined;

/** Whether a type is a pointer to a pointer, and so on, more often than is worth to tell. */
function isDeep(type) {
  let inner = type;
  for (let i = 0; inner.kind === 'pointer'; i += 1, inner = inner.to) if (i === MOST_POINTERS) return true;
  return false;
}

function typeOfOpaque(record) {
  if (!converted.has(record)) converted.set(record, opaques().opaque(record.name));
  return converted.get(record);
}

function typeOfRecord(type) {
  const { record } = type;
  if (record.fields === null) throw new Unsupported(reasonOf(type));
  const known = converted.get(record);
  if (known !== undefined) return known;
  if (inProgress.has(record)) throw new Incomplete(`${describeType(type)} has itself as a member`);
  inProgress.add(record);
  try {
    const recordType = makeRecordType(record);
    converted.set(record, recordType);
    return recordType;
  } finally {
    inProgress.delete(record);
  }
}

/** Why a struct without fields is no type. */
const reasonOf = (type) =>
  /va_list$/.test(type.record.name)
    ? `${type.record.name} has no counterpart; declare the function that takes '...' in its place, printf of vprintf`
    : `${describeType(type)} is not defined, so that its size is not known`;

function makeRecordType(record) {
  const fields = {};
  let [paddings, members] = [0, 0];
  const hasPacked = hasPackedField(record);
  for (const field of withPaddings(record, measure)) {
    const { name, type, bits } = field;
    if (bits !== undefined) {
      fields[name ?? `_padding${(paddings += 1)}`] = { type: unitOf(type), bits };
    } else {
      const align = alignOf(field, record, hasPacked);
      const key = name ?? `anonymous${(members += 1) === 1 ? '' : members}`;
      fields[key] = align === undefined ? typeOfValue(type) : { type: typeOfValue(type), align };
    }
  }
  const name = record.name ?? record.keyword;
  const options = {
    name,
    ...(record.align !== undefined && { align: record.align }),
    packed: record.packed || hasPacked || packOf(record),
  };
  return structs()[record.keyword](fields, options);
}

/**
 * Whether a field is packed alone. Then the record is packed, and its other fields have the alignments of their types.
 */
const hasPackedField = ({ packed, fields }) => !packed && fields.some(({ isPacked }) => isPacked);

/** The widest alignment of the fields, by `#pragma pack`; false where that moves none. It moves every bitfield. */
const packOf = ({ pack, fields }) =>
  pack !== undefined && fields.some(({ type, bits }) => bits !== undefined || measure.align(type) > pack)
    ? pack
    : false;

/**
 * The alignment of a field; undefined where it is that of its type, or none because the record is packed. That of
 * `#pragma pack` is the widest.
 */
function alignOf({ type, align, isPacked }, { packed, pack = Infinity }, hasPacked) {
  const requested = align === undefined ? undefined : Math.min(align, pack);
  if (packed || isPacked || (align === undefined && !hasPacked)) return requested;
  const natural = Math.min(measure.align(type), pack);
  return hasPacked ? Math.max(requested ?? 1, natural) : requested > natural ? requested : undefined;
}

/** The integer type of a bitfield. That of an enum is unsigned, unless it has a negative constant. */
function unitOf(type) {
  if (type.kind !== 'enum') return type.name;
  const { integer, members } = type.enumeration;
  const name = integer?.name ?? widthOf(type.enumeration);
  return name === 'i32' && !members.some(({ value }) => value < 0) ? 'u32' : name;
}

function typeOfEnum(known) {
  const { members, integer } = known;
  if (!isDefined(known))
    throw faultAt(known.text, known.at, `enum ${known.tag} is not defined; copy its definition, or declare an int`);
  if (members === null) return integer.name;
  if (!converted.has(known)) {
    const values = Object.fromEntries(members.map(({ name, value }) => [name, value]));
    const name = known.name ?? 'enum';
    converted.set(known, enumerations().enumeration(values, { name, type: integer?.name ?? widthOf(known) }));
  }
  return converted.get(known);
}

/** The integer type of an enum, as the compilers choose it: an int if it can be, the smallest if it is packed. */
function widthOf({ members, bytes, isPacked }) {
  const values = members.map(({ value }) => value);
  const [least, most] = [values.reduce((a, b) => (b < a ? b : a)), values.reduce((a, b) => (b > a ? b : a))];
  const isSigned = least < 0;
  const fits = (bits) => (isSigned ? least >= -(2 ** (bits - 1)) && most < 2 ** (bits - 1) : most < 2 ** bits);
  if (!isPacked && bytes === undefined && least >= -(2 ** 31) && most < 2 ** 31) return 'i32';
  const bits = bytes === undefined ? [8, 16, 32].find((each) => (isPacked || each === 32) && fits(each)) : bytes * 8;
  return `${isSigned ? 'i' : 'u'}${bits ?? 64}`;
}

/**
 * The signature of a function that C calls. A text that a count follows may have no NUL at its end, so that it is not
 * read.
 */
function callbackOf(type) {
  const signature = signatureOf(type, { __proto__: null });
  signature.args = withoutCountedTexts(signature.args);
  return signature;
}

/** A pointer to a function. */
const typeOfFunction = (type) => functions().fn(callbackOf(type));

/** The `args`, `returns` and `varargs` of a function; `marks` are those of its result. */
function signatureOf({ parameters, returns, isVariadic }, marks) {
  const args = [];
  for (let i = 0; i < parameters.length; i += 1) args.push(typeOfParameter(parameters[i]));
  const signature = { args, returns: typeOfResult(returns, marks) };
  if (isVariadic) signature.varargs = true;
  return signature;
}

function typeOfResult(returns, marks) {
  if (marks.free !== undefined) return { type: textOf(returns, '_Free_'), free: marks.free.text };
  if (marks.text !== undefined) return textOf(returns, '_Text_');
  return typeOfValue(returns);
}

function typeOfParameter({ type, marks }) {
  const passing = marks.out === undefined ? marks.inout && parameters().inout : parameters().out;
  if (passing !== undefined) {
    const mark = marks.out === undefined ? '_Inout_' : '_Out_';
    if (type.kind !== 'pointer' || isVoid(type.to))
      throw new Unsupported(`${mark} is of a pointer to a value, not of ${describeType(type)}`);
    return passing(typeOfValue(type.to));
  }
  return marks.text === undefined ? typeOfValue(type) : textOf(type, '_Text_');
}

function textOf(type, mark) {
  const text =
    type.kind === 'pointer' && type.to.kind === 'scalar' ? (TEXTS[type.to.spelling] ?? TEXTS[type.to.name]) : undefined;
  if (text === undefined)
    throw new Unsupported(`${mark} is of a pointer to char, wchar_t or char16_t, not of ${describeType(type)}`);
  return text;
}

/** The name in the library of an asm label. On macOS a symbol of C begins with an underscore, which dlsym() adds. */
const symbolOf = (label) => (process.platform === 'darwin' ? label.replace(/^_/, '') : label);

/** The declaration of a function of a scope: { args, returns, varargs }. Its errors name the place in the text. */
function declarationOf(declared, name) {
  // The type of one that was read without the parser would have it parsed.
  if (declared.plain !== undefined) return declared.plain;
  try {
    const signature = signatureOf(declared.type, declared.marks);
    if (declared.label !== undefined) signature.name = symbolOf(declared.label);
    return signature;
  } catch (error) {
    throw error.line === undefined ? faultAt(declared.text, declared.at, `${name}: ${error.message}`) : error;
  }
}

const measure = {
  size: (type) => descriptorOf(typeOfValue(type)).size,
  align: (type) => descriptorOf(typeOfValue(type)).align,
  offset: (type, field) => structs().offsetof(typeOfValue(type), field),
};

/** The type of a typedef or a tag for use in declarations; undefined where nothing can be made of it. */
function typeOfName(type) {
  if (type.kind === 'function') return typeOfFunction(type);
  if (type.kind === 'record' && type.record.fields === null)
    return type.record.isDeclared ? typeOfOpaque(type.record) : undefined;
  if (type.kind === 'unsupported' || isWithoutLength(type)) return undefined;
  return type.kind === 'enum' && !isDefined(type.enumeration) ? undefined : typeOfValue(type);
}

/** Gives the structs and enumerations of a scope the types that plain-types.js made of the same text. */
function adopt(scope, types) {
  for (const [name, { type }] of types) {
    const [keyword, tag] = name.split(' ');
    const named = tag === undefined ? scope.typedefs.get(name) : scope.tags.get(tag);
    const known = named?.record ?? named?.enumeration ?? (named?.keyword === keyword ? named : undefined);
    if (type !== undefined && known !== undefined && !converted.has(known)) converted.set(known, type);
  }
}

module.exports = { adopt, typeOfValue, typeOfName, callbackOf, signatureOf, declarationOf, measure };
