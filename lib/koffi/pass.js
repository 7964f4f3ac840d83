'use strict';
// The conversion of koffi's values for calls of the main entry: the type that the main entry gets, and the code that
// converts values before and after.

const { DeclaredType } = require('../types/native-type.js');
const { fn } = require('../callback/function-pointer.js');
const { locationOf, makeError, wrongType } = require('../errors.js');
const { isView } = require('../memory/array-buffer.js');
const { numberOfBig } = require('../memory/big-words.js');
const { memoryPointer } = require('../types/pointers.js');
const { typeOf } = require('../types/registry.js');
const { decode, exactNumber, fromAddress, wideNumber } = require('./decode.js');
const { CallMemory, Cast, encode, readsMemory, refer } = require('./encode.js');
const { isPlain, makeCopier, noteRecord } = require('./members.js');
const { passedType } = require('./record.js');
const { viewOf } = require('./scratch.js');
const { layoutOf } = require('./type.js');

/** Returned by a converter for a value that needs separate memory. */
const NEEDS_MEMORY = Symbol('needs memory');

/** The bytes of a struct or a union by value, and what they keep alive. */
class Prepared {
  /** `isOwner` says whether the bytes alone keep what they refer to; otherwise the caller's `callMemory` does. */
  constructor(type, value, callMemory, { name, position, isOwner }) {
    this.bytes = callMemory.allocate(type.size, position);
    this.parts = isOwner ? callMemory.parts : [];
    encode(type, viewOf(this.bytes), 0, value, callMemory, name, position);
  }
}

/** Whether values of a type may refer to memory. */
function refers(type) {
  const layout = layoutOf(type);
  if (layout.kind === 'array') return refers(layout.of);
  return layout.members === undefined ? layout.kind !== 'scalar' : layout.members.some((member) => refers(member.type));
}

/** Bytes that are set at once. */
const WORD = 4;

/** Sets bytes to zero. */
function zero(view, at, size) {
  let i = 0;
  for (; i + WORD <= size; i += WORD) view.setInt32(at + i, 0);
  for (; i < size; i += 1) view.setInt8(at + i, 0);
}

/** The functions that read an object for a plain struct once: its getters run before anything is written. */
const copiers = new WeakMap();

function copyOf(type, layout, value, name, position) {
  if (typeof value !== 'object' || value === null || isView(value))
    throw wrongType(locationOf(name, position), `an object (${type.name})`, value);
  if (!copiers.has(layout)) copiers.set(layout, makeCopier(layout));
  const copier = copiers.get(layout);
  return copier === null ? { ...value } : copier(value);
}

/** The row of a struct of scalars: written where it is passed, without separate memory. */
function plainRow(type, layout) {
  const read = (view, at) => decode(type, view, at);
  noteRecord(read, layout);
  return {
    ...typeOf(passedType(type), type.name),
    key: `koffi record ${(keys += 1)}`,
    resolve: (value, name, position) => copyOf(type, layout, value, name, position),
    write(view, at, value, name, position) {
      zero(view, at, type.size);
      encode(type, view, at, value, undefined, name, position);
    },
    read,
  };
}

let keys = 0;
const records = new WeakMap();

/** The type of a struct or a union by value: the main entry's, with koffi's conversions. */
function recordType(type, layout) {
  if (records.has(layout)) return records.get(layout);
  const row = isPlain(layout)
    ? plainRow(type, layout)
    : {
        ...typeOf(passedType(type), type.name),
        key: `koffi record ${(keys += 1)}`,
        resolve: (value, name, position) =>
          value instanceof Prepared
            ? value
            : new Prepared(type, value, new CallMemory(refuse), { name, position, isOwner: true }),
        write(view, at, { bytes, parts }) {
          new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
          return parts.length === 0 ? undefined : parts;
        },
        read: (view, at) => decode(type, view, at),
      };
  records.set(layout, Object.freeze(new DeclaredType(row)));
  return records.get(layout);
}

// ---- callbacks ------------------------------------------------------------------------------------------------------

const declarations = new WeakMap();

/** The declaration of a function that C calls, for the main entry. */
function callbackDeclaration(prototype) {
  if (!declarations.has(prototype)) {
    const { parameters, returns, isVariadic } = layoutOf(prototype).signature;
    if (isVariadic)
      throw makeError('ERR_INVALID_ARG_TYPE', `${prototype.name}: JavaScript cannot be called with variable arguments`);
    declarations.set(prototype, {
      args: parameters.map(({ type }) => resultOf(type).type),
      returns: returnedBy(returns),
    });
  }
  return declarations.get(prototype);
}

const returnedBy = (type) => (layoutOf(type).kind === 'callback' ? 'ptr' : argumentOf(type).type);

const asItIs = (value) => value;

/** For each prototype, the function that makes the functions that C calls. */
const adapters = new WeakMap();

function adapterFor(prototype) {
  if (!adapters.has(prototype)) adapters.set(prototype, adapterOf(prototype));
  return adapters.get(prototype);
}

/** The JavaScript function that C calls in place of the program's: its values are koffi's. */
const callbackOf = (prototype, callback) => adapterFor(prototype)(callback);

function adapterOf(prototype) {
  const { parameters, returns } = layoutOf(prototype).signature;
  const converters = parameters.map(({ type }) => resultOf(type).convert);
  const result = argumentOf(returns).convert;
  const giveBack = (value) => {
    const converted = result(value);
    if (converted !== NEEDS_MEMORY) return converted;
    return layoutOf(returns).members === undefined
      ? refer(returns, value, 'Input', new CallMemory(refuse), prototype.name, 'return value')
      : value;
  };
  const [c0 = asItIs, c1 = asItIs, c2 = asItIs] = converters;
  const back = result === undefined ? asItIs : giveBack;
  // Without lists of values, which cost more than the conversions.
  if (converters.length === 1) return (callback) => (a) => back(callback(c0(a)));
  if (converters.length === 2) return (callback) => (a, b) => back(callback(c0(a), c1(b)));
  if (converters.length === 3) return (callback) => (a, b, c) => back(callback(c0(a), c1(b), c2(c)));
  return (callback) =>
    (...values) => {
      for (let i = 0; i < converters.length; i += 1)
        if (converters[i] !== undefined) values[i] = converters[i](values[i]);
      return back(callback(...values));
    };
}

const refuse = (layout, callback, name) => {
  throw makeError(
    'ERR_INVALID_ARG_TYPE',
    `${name}: a plain function lives for a call; pass what koffi.register() returns`,
  );
};

const functionTypes = new WeakMap();

/** The main entry's type of pointers to functions of a prototype. */
function functionType(prototype) {
  if (!functionTypes.has(prototype)) functionTypes.set(prototype, fn(callbackDeclaration(prototype)));
  return functionTypes.get(prototype);
}

/** Makes a function pointer of a function for the length of a call. */
function lend({ prototype }, callback) {
  return { row: typeOf(functionType(prototype), prototype.name), value: callbackOf(prototype, callback) };
}

// ---- arguments and results ------------------------------------------------------------------------------------------

const nullIfMissing = (value) => (value === undefined ? null : value);
/** An address as koffi has it: a BigInt, or null. */
const orNull = (address) => address || null;
const floating = (value) => (typeof value === 'bigint' ? Number(value) : value);
const text = (value) => (typeof value === 'string' ? value : view(value));
/** Views are pointers as they are, unless they have to hold a struct. */
const view = (value) => (ArrayBuffer.isView(value) ? value : pointer(value));
/** Values that are pointers as they are. */
function pointer(value) {
  if (typeof value === 'bigint') {
    // As a number it goes the fast way.
    const number = numberOfBig(value);
    if (number >= 0) return number;
    return value < 0 && BigInt.asIntN(64, value) === value ? BigInt.asUintN(64, value) : value;
  }
  if (value === null) return null;
  // Constants such as (void *)-1 are written as numbers.
  if (typeof value === 'number')
    return value < 0 && Number.isSafeInteger(value) ? BigInt.asUintN(64, BigInt(value)) : value;
  return value === undefined ? null : NEEDS_MEMORY;
}

/** The conversion of a number before it is passed. */
const converterOf = ({ list }, { size }) =>
  list === Float32Array || list === Float64Array ? floating : size === 8 ? wideNumber : undefined;

const memoryTypes = new WeakMap();

/** The main entry's type of a pointer to memory that C reads or writes, by the name that koffi's type has. */
function memoryType(type) {
  const layout = layoutOf(type);
  if (!memoryTypes.has(layout)) memoryTypes.set(layout, Object.freeze(new DeclaredType(memoryPointer(type.name))));
  return memoryTypes.get(layout);
}

/**
 * The conversion of an argument of a type.
 * @returns {{ type: unknown, convert?: Function, prepare?: Function }} `type` is one of the main entry; `prepare` makes
 *   memory of a value that needs it
 */
function argumentOf(type) {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'scalar':
      return {
        type: layout.named,
        convert: converterOf(layout, type),
      };
    case 'text':
      return {
        type: layout.passed === 'ptr' ? memoryType(type) : layout.passed,
        convert: layout.passed === 'ptr' ? view : text,
      };
    case 'pointer':
      return {
        type: readsMemory(layout) ? memoryType(type) : 'ptr',
        convert: layoutOf(layout.to).kind === 'scalar' || layout.to.name === 'void' ? view : pointer,
      };
    case 'callback': {
      // Made at the first call, because a prototype may take pointers to functions of the same prototype.
      let adapt;
      const adapted = (callback) => (adapt ??= adapterFor(layout.prototype))(callback);
      return {
        type: functionType(layout.prototype),
        convert: (value) =>
          typeof value === 'function' ? adapted(value) : value instanceof Cast ? NEEDS_MEMORY : nullIfMissing(value),
      };
    }
    case 'record':
    case 'union':
      return {
        type: recordType(type, layout),
        convert: refers(type) ? () => NEEDS_MEMORY : undefined,
        prepare: (value, callMemory, name, position) =>
          new Prepared(type, value, callMemory, { name, position, isOwner: false }),
      };
    case 'void':
      if (!layout.isOpaque) return { type: 'void', convert: undefined };
    // falls through
    default:
      throw makeError('ERR_INVALID_ARG_TYPE', `Type ${type.name} cannot be used as a value (maybe try ${type.name} *)`);
  }
}

/** The conversion of a result of a type, or of a callback's argument. */
function resultOf(type) {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'text':
      return layout.passed === 'ptr'
        ? { type: 'ptr', convert: (address) => fromAddress(layout, address) }
        : { type: layout.passed, convert: undefined };
    case 'pointer':
      return {
        type: 'u64',
        convert: layout.dispose === undefined ? orNull : (address) => fromAddress(layout, orNull(address)),
      };
    case 'callback':
      return { type: 'u64', convert: orNull };
    case 'scalar':
      return {
        type: layout.named,
        convert: type.size === 8 && layout.list !== Float64Array ? exactNumber : undefined,
      };
    default:
      return { type: argumentOf(type).type, convert: undefined };
  }
}

module.exports = { NEEDS_MEMORY, argumentOf, resultOf, callbackDeclaration, callbackOf, lend, refuse };
