'use strict';
// bun's types: the rows of `wrap: true`, which refuse a value in bun's words.

const { DeclaredType } = require('../types/native-type.js');
const { byName, isDeclared, rows } = require('../types/registry.js');
const { wrongArgument, wrongDeclaration } = require('./messages.js');

const COMPILED_ONLY = 'napi_env / napi_value are only supported in bun:ffi cc() (compiled C source), not in '
  + 'dlopen/linkSymbols/CFunction/JSCallback';

/** What bun says of a value that a type does not take. */
function refusal(row, value) {
  if (row.argumentOnly) return `bun:ffi '${row.name}' argument must be a TypedArray or DataView`;
  if (row.name === 'function' && (value === null || value === undefined)) {
    return 'bun:ffi: expected a callback (a JSCallback or an FFI function) but got undefined/null';
  }
  if (typeof value === 'string' && (row.name === 'ptr' || row.name === 'function')) {
    return 'To convert a string to a pointer, encode it as a buffer';
  }
  return `bun:ffi cannot convert argument to '${row.name}'`;
}

/** A row in bun's dialect. What only this package refuses, such as a detached view, keeps its own message. */
function dialect(row) {
  const base = row.wrapped ?? row;
  const inWords = (convert) => convert && ((...args) => {
    try {
      return convert(...args);
    } catch (error) {
      if (error?.code !== 'ERR_INVALID_ARG_TYPE') throw error;
      throw wrongArgument(refusal(row, args.at(-3)), error);
    }
  });
  return {
    ...base,
    key: `bun ${row.name}`,
    resolve: row.resolve ? inWords(base.resolve) : base.resolve,
    write: inWords(row.name === 'function' ? notNull(base) : base.write),
  };
}

/** bun has NULL for a function pointer only as the number 0. */
const notNull = ({ write, name: type }) => (view, at, value, name, position) => {
  if (value === null || value === undefined) throw wrongArgument(`${name}: a ${type} must not be ${value}`);
  return write(view, at, value, name, position);
};

const made = new Map();

/** The type of a row in bun's dialect. */
function typeOfRow(row) {
  if (!made.has(row)) made.set(row, Object.freeze(new DeclaredType(dialect(row))));
  return made.get(row);
}

/** The row that a declaration names; `unknown` is bun's word for a name that it does not know. */
function rowOf(declared, unknown) {
  if (typeof declared === 'string' || unknown === 'return type') {
    const row = typeof declared === 'number' ? rows[declared] : byName.get(declared);
    if (row !== undefined) return row;
    if (typeof declared !== 'number') throw wrongDeclaration(`Unknown ${unknown} ${String(declared)}`);
  }
  if (!Number.isInteger(declared)) throw wrongDeclaration('param must be a string (type name) or number');
  if (rows[declared] === undefined) throw wrongDeclaration('invalid ABI type');
  return rows[declared];
}

/** What bun's declaration of an argument stands for. The types that the main entry makes stay as they are. */
function argumentType(declared, unsupported) {
  if (isDeclared(declared)) return declared;
  const row = rowOf(declared, 'type');
  if (row.refused) throw wrongArgument(COMPILED_ONLY);
  if (row.name === 'void') throw wrongArgument(`bun:ffi: ${unsupported}`);
  return typeOfRow(row);
}

/** The same of an argument that C passes to a callback: it gives the address of a buffer, of no known length. */
function callbackArgumentType(declared) {
  const row = isDeclared(declared) ? undefined : rowOf(declared, 'type');
  if (row?.name === 'buffer_length') {
    throw wrongArgument('buffer_length is only supported for bun:ffi dlopen/linkSymbols/CFunction arguments (the '
      + "engine reads the view's byteLength at call time), not in cc(), viewSource, or JSCallback");
  }
  return argumentType(row?.name === 'buffer' ? 'ptr' : declared, 'unsupported callback signature');
}

/** The same of a result; none is void. */
function resultType(declared) {
  if (declared === undefined || declared === null) return 'void';
  if (isDeclared(declared)) return declared;
  const row = rowOf(declared, 'return type');
  if (row.refused) throw wrongArgument(COMPILED_ONLY);
  if (row.name === 'buffer') {
    throw wrongDeclaration('Cannot return a buffer to JavaScript (since byteLength and byteOffset are unknown)');
  }
  if (row.name === 'buffer_length') {
    throw wrongDeclaration('buffer_length is an argument-only type; it cannot be a return type');
  }
  return row.name === 'void' ? 'void' : typeOfRow(row);
}

module.exports = { argumentType, callbackArgumentType, resultType };
