'use strict';
// The makers of types for pointers, texts and scalars: pointer, alias, opaque, enumeration, disposable, proto, out,
// inout.

const { byName } = require('../types/registry.js');
const { makeError, wrongType } = require('../errors.js');
const { textOf } = require('./primitives.js');
const { Reader, typeOfText } = require('./text.js');
const {
  TypeObject,
  addName,
  anonymousName,
  checkName,
  findName,
  isType,
  layoutOf,
  register,
  shownOf,
} = require('./type.js');

const { size: POINTER_SIZE, align: POINTER_ALIGN } = byName.get('ptr');

/** A type with the direction in which a parameter goes. */
class Direction {
  constructor(type, direction) {
    this.type = type;
    this.direction = direction;
  }
}

const pointers = new WeakMap();

/** The type of pointers to a type, which is one object. Pointers to characters are texts. */
function pointerTo(type) {
  const text = textOf(type);
  if (text !== undefined) return text;
  if (!pointers.has(type)) pointers.set(type, makePointer(`${type.name}${/\*$/.test(type.name) ? '*' : ' *'}`, type));
  return pointers.get(type);
}

function makePointer(name, to) {
  const layout = layoutOf(to);
  if (layout.kind !== 'prototype') {
    return new TypeObject(shownOf(name, 'Pointer', POINTER_SIZE, POINTER_ALIGN, { ref: to }), { kind: 'pointer', to });
  }
  return new TypeObject(shownOf(name, 'Callback', POINTER_SIZE, POINTER_ALIGN, { proto: to.proto }), {
    kind: 'callback',
    prototype: to,
  });
}

/** The type that a program names: a text, a type object, or one of those with a direction. */
function typeOf(spec, where = 'type') {
  if (isType(spec)) return spec;
  if (typeof spec === 'string') return typeOfText(reader, spec);
  if (spec instanceof Direction) return spec.type;
  throw wrongType(where, 'a type: a string, or what koffi.struct() and others return', spec);
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

/** The JavaScript form of arrays, by both of koffi's spellings. */
const HINTS = new Map(
  ['Array', 'Typed', 'Buffer', 'String'].flatMap((hint) => [
    [hint, hint],
    [hint.toLowerCase(), hint],
  ]),
);
const CHARACTERS = new Set(['char', 'char16_t', 'char32_t', 'wchar_t']);

/** koffi's highest setting of max_type_size. */
const MOST_BYTES = 2 ** 29;

function checkSize(size, name) {
  if (size > MOST_BYTES) throw makeError('ERR_OUT_OF_RANGE', `${name} has ${size} bytes, more than ${MOST_BYTES}`);
}

function arrayOf(type, length, hint, countedBy) {
  const layout = layoutOf(type);
  if (type.size === 0)
    throw makeError('ERR_INVALID_ARG_VALUE', `Cannot make an array of ${type.name}, which has no size`);
  if (!Number.isInteger(length) || length < 1)
    throw makeError('ERR_INVALID_ARG_VALUE', 'Array length must be positive and non-zero');
  checkSize(type.size * length, `${type.name}[${length}]`);
  if (hint !== undefined && hint !== null && !HINTS.has(hint)) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `Array conversion hint must be 'Typed', 'Array', 'Buffer' or 'String', not '${String(hint)}'`,
    );
  }
  const isText = CHARACTERS.has(type.name) && findName(type.name) === type;
  const chosen = HINTS.get(hint) ?? (isText ? 'String' : layout.list === undefined ? 'Array' : 'Typed');
  if (chosen === 'Typed' && layout.list === undefined) {
    throw makeError('ERR_INVALID_ARG_VALUE', `Array hint 'Typed' cannot be used with ${type.name}`);
  }
  const shown = shownOf(`${type.name}[${length}]`, 'Array', type.size * length, type.alignment, {
    length,
    hint: chosen,
    ref: type,
  });
  return new TypeObject(shown, { kind: 'array', of: type, length, hint: chosen, countedBy });
}

/** koffi.array(type, length, hint) or koffi.array(type, countedBy, maxLength, hint). */
function array(type, ...rest) {
  const of = typeOf(type, 'array: type');
  if (typeof rest[0] === 'string') return arrayOf(of, rest[1], rest[2], rest[0]);
  if (typeof rest[0] !== 'number')
    throw wrongType('array: length', 'a number, or the name of the member that counts', rest[0]);
  return arrayOf(of, rest[0], rest[1]);
}

// ---- pointers -------------------------------------------------------------------------------------------------------

const isSpec = (value) => isType(value) || value instanceof Direction;

/** koffi.pointer(type), (type, count), (name, type), (name, type, count) and (name, type, countedBy). */
function pointer(...args) {
  const isNamed = args.length > 1 && (typeof args[1] === 'string' || isSpec(args[1]));
  const [name, spec, count = 1] = isNamed ? args : [undefined, ...args];
  const shown = isNamed ? checkName(name, 'pointer') : undefined;
  const depth = typeof count === 'string' || count === null ? 1 : count;
  if (!Number.isInteger(depth) || depth < 1 || depth > 4)
    throw makeError('ERR_INVALID_ARG_VALUE', 'pointer: count must be an integer from 1 to 4');
  let to = typeOf(spec, 'pointer: type');
  for (let i = 1; i < depth; i += 1) to = pointerTo(to);
  return shown === undefined ? pointerTo(to) : register(makePointer(shown, to));
}

/** koffi.opaque(name). */
function opaque(name) {
  return register(new TypeObject(shownOf(checkName(name, 'opaque'), 'Void', 0, 0), { kind: 'void', isOpaque: true }));
}

/** koffi.alias(name, type). */
function alias(name, spec) {
  if (typeof name !== 'string' || name === '') throw wrongType('alias: name', 'a string', name);
  return addName(name, typeOf(spec, 'alias: type'));
}

// ---- enumerations ---------------------------------------------------------------------------------------------------

const fits = (values, low, high) => values.every((value) => value >= low && value <= high);

/** The integer type of an enumeration, as koffi and the compilers choose it. */
function storageOf(values) {
  if (process.platform === 'win32') {
    if (fits(values, -(2n ** 31n), 2n ** 31n - 1n)) return 'int';
    throw makeError(
      'ERR_OUT_OF_RANGE',
      'enumeration: on Windows all values must fit 32 bits; name the type of the values',
    );
  }
  if (fits(values, 0n, 2n ** 64n - 1n)) return fits(values, 0n, 2n ** 32n - 1n) ? 'unsigned int' : 'uint64_t';
  if (fits(values, -(2n ** 31n), 2n ** 31n - 1n)) return 'int';
  if (fits(values, -(2n ** 63n), 2n ** 63n - 1n)) return 'int64_t';
  throw makeError('ERR_OUT_OF_RANGE', 'enumeration: no integer type of 64 bits holds all values');
}

/** koffi.enumeration(name, values, type). */
function enumeration(...args) {
  const [name, values, storage] = typeof args[0] === 'object' && args[0] !== null ? [undefined, ...args] : args;
  if (typeof values !== 'object' || values === null)
    throw wrongType('enumeration: values', 'an object of numbers by name', values);
  const entries = Object.entries(values);
  for (const [key, value] of entries) {
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value))
      throw wrongType(`enumeration: ${key}`, 'an integer', value);
  }
  const base = typeOf(storage ?? storageOf(entries.map(([, value]) => BigInt(value))), 'enumeration: type');
  const layout = layoutOf(base);
  if (layout.kind !== 'scalar') throw wrongType('enumeration: type', 'an integer type', storage);
  const shown = shownOf(checkName(name, 'enumeration'), base.primitive, base.size, base.alignment, {
    values: { ...values },
  });
  return register(new TypeObject(shown, layout));
}

// ---- disposable types -----------------------------------------------------------------------------------------------

/** The default disposer: set by memory.js, which calls C. */
const standard = { free: undefined };

function makeDisposable(name, type, dispose) {
  const layout = layoutOf(type);
  if (layout.kind !== 'text' && layout.kind !== 'pointer') {
    throw makeError('ERR_INVALID_ARG_TYPE', `Unexpected ${type.name} type, expected pointer or string type`);
  }
  const { ...shown } = type;
  return new TypeObject(
    { ...shown, name, disposable: true },
    { ...layout, passed: 'ptr', dispose: dispose ?? ((address) => standard.free(address)) },
  );
}

/** koffi.disposable(name, type, free). */
function disposable(...args) {
  const isNamed = typeof args[1] === 'string' || isSpec(args[1]);
  const [name, spec, dispose] = isNamed ? args : [undefined, ...args];
  if (dispose !== undefined && dispose !== null && typeof dispose !== 'function') {
    throw wrongType('disposable: free', 'a function', dispose);
  }
  return register(makeDisposable(checkName(name, 'disposable'), typeOf(spec, 'disposable: type'), dispose));
}

// ---- prototypes -----------------------------------------------------------------------------------------------------

/** The type of a function of a signature. */
function prototypeOf(signature, name = anonymousName()) {
  const shown = shownOf(name, 'Prototype', POINTER_SIZE, POINTER_ALIGN, {
    proto: {
      name,
      arguments: signature.parameters.map(({ type, direction }) => ({ type, direction })),
      result: signature.returns,
    },
  });
  return new TypeObject(shown, { kind: 'prototype', signature });
}

const isConvention = (value) => typeof value === 'string' && /^_{0,2}(cdecl|stdcall|fastcall|thiscall)$/.test(value);

/** A signature of koffi's array form. */
function signatureOf(returns, list, where) {
  if (!Array.isArray(list)) throw wrongType(`${where}: arguments`, 'an array of types', list);
  const isVariadic = list.at(-1) === '...';
  const parameters = (isVariadic ? list.slice(0, -1) : list).map((spec, i) =>
    parameterOf(spec, `${where}: arguments[${i}]`),
  );
  return { returns: typeOf(returns, `${where}: result`), parameters, isVariadic };
}

/** A parameter: a type, out() or inout() of one, or a text such as `_Out_ int *`. */
function parameterOf(spec, where) {
  if (spec instanceof Direction) return { type: spec.type, direction: spec.direction };
  const mark = typeof spec === 'string' ? /^\s*_(In|Out|Inout)_\s/.exec(spec) : null;
  if (mark === null) return { type: typeOf(spec, where), direction: 'Input' };
  const direction = { In: 'Input', Out: 'Output', Inout: 'InputOutput' }[mark[1]];
  return { type: typeOf(spec.slice(mark[0].length), where), direction };
}

/** A prototype of types alone: a type, then the parameters. */
const WITHOUT_NAME =
  /^\s*(?:(?:const|void|char|short|int|long|float|double|signed|unsigned|bool)\b[\s*]*)+\(|^\s*\w+[\s*]*\(/;

/** koffi.proto(text) and koffi.proto(convention, name, result, arguments), of which the first two may be missing. */
function proto(...args) {
  if (args.length === 1 && typeof args[0] === 'string') {
    if (WITHOUT_NAME.test(args[0])) return reader.type(args[0]);
    const { name, ...signature } = reader.prototype(args[0]);
    return register(prototypeOf(signature, checkName(name, 'proto')));
  }
  const parts = isConvention(args[0]) ? args.slice(1) : args;
  const [name, returns, list] = Array.isArray(parts[1]) ? [undefined, ...parts] : parts;
  return register(prototypeOf(signatureOf(returns, list, 'proto'), checkName(name, 'proto', /./)));
}

// ---- directions -----------------------------------------------------------------------------------------------------

const directed = (direction, where) => (spec) => {
  const type = typeOf(spec, `${where}: type`);
  if (!['pointer', 'text', 'callback'].includes(layoutOf(type).kind)) {
    throw makeError('ERR_INVALID_ARG_TYPE', `Unexpected ${type.name} type, expected pointer or string type`);
  }
  return new Direction(type, direction);
};
const out = directed('Output', 'out');
const inout = directed('InputOutput', 'inout');
const input = directed('Input', 'in');

const reader = new Reader({
  pointerTo,
  arrayOf,
  opaque: () => new TypeObject(shownOf(anonymousName(), 'Void', 0, 0), { kind: 'void', isOpaque: true }),
  disposable: (type) => makeDisposable(anonymousName(), type),
  prototype: (signature) => prototypeOf(signature),
});

module.exports = {
  standard,
  reader,
  typeOf,
  arrayOf,
  array,
  pointer,
  opaque,
  alias,
  enumeration,
  disposable,
  proto,
  out,
  inout,
  input,
  isConvention,
  signatureOf,
  parameterOf,
  checkSize,
};
