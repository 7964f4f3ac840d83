'use strict';
// bun's types: the descriptors of `wrap: true`, with bun's error messages.

const { DeclaredType } = require('../types/native-type.js');
const { byName, byTag, isDeclared } = require('../types/registry.js');
const { wrongArgument, wrongDeclaration } = require('./messages.js');

const COMPILED_ONLY =
  'napi_env / napi_value are only supported in bun:ffi cc() (compiled C source), not in ' +
  'dlopen/linkSymbols/CFunction/JSCallback';

/** bun's message for a value that a type does not take. */
function refusal(descriptor, value) {
  if (descriptor.argumentOnly) return `bun:ffi '${descriptor.name}' argument must be a TypedArray or DataView`;
  if (descriptor.name === 'function' && (value === null || value === undefined)) {
    return 'bun:ffi: expected a callback (a JSCallback or an FFI function) but got undefined/null';
  }
  if (typeof value === 'string' && (descriptor.name === 'ptr' || descriptor.name === 'function')) {
    return 'To convert a string to a pointer, encode it as a buffer';
  }
  return `bun:ffi cannot convert argument to '${descriptor.name}'`;
}

/** Whether bun has a message for an error. A `buffer` is no number for bun, whatever the number. */
const isRefusal = (error, { argumentOnly }) =>
  error?.code === 'ERR_INVALID_ARG_TYPE' || (error?.code === 'ERR_FFI_INVALID_POINTER' && argumentOnly !== undefined);

/** A descriptor in bun's dialect. What only this package refuses, such as a detached view, keeps its own message. */
function dialect(descriptor) {
  const base = descriptor.coercing ?? descriptor;
  const inWords = (convert) =>
    convert &&
    ((...args) => {
      try {
        return convert(...args);
      } catch (error) {
        if (!isRefusal(error, descriptor)) throw error;
        throw wrongArgument(refusal(descriptor, args.at(-3)), error);
      }
    });
  return {
    ...base,
    key: `bun ${descriptor.name}`,
    resolve: descriptor.resolve ? inWords(base.resolve) : base.resolve,
    write: inWords(descriptor.name === 'function' ? notNull(base) : base.write),
  };
}

/** bun has NULL for a function pointer only as the number 0. */
const notNull =
  ({ write, name: type }) =>
  (view, at, value, name, position) => {
    if (value === null || value === undefined) throw wrongArgument(`${name}: a ${type} must not be ${value}`);
    return write(view, at, value, name, position);
  };

const typesByDescriptor = new Map();

/** The type of a descriptor in bun's dialect. */
function typeOfRow(descriptor) {
  if (!typesByDescriptor.has(descriptor))
    typesByDescriptor.set(descriptor, Object.freeze(new DeclaredType(dialect(descriptor))));
  return typesByDescriptor.get(descriptor);
}

/** The descriptor that a declaration names; `unknown` is bun's word for a name that it does not know. */
function descriptorOf(declared, unknown) {
  if (typeof declared === 'string' || unknown === 'return type') {
    const descriptor = typeof declared === 'number' ? byTag(declared) : byName.get(declared);
    if (descriptor !== undefined) return descriptor;
    if (typeof declared !== 'number') throw wrongDeclaration(`Unknown ${unknown} ${String(declared)}`);
  }
  if (!Number.isInteger(declared)) throw wrongDeclaration('param must be a string (type name) or number');
  if (byTag(declared) === undefined) throw wrongDeclaration('invalid ABI type');
  return byTag(declared);
}

/** The type of an argument in bun's declaration. The types that the main entry makes are kept. */
function argumentType(declared, unsupported) {
  if (isDeclared(declared)) return declared;
  const descriptor = descriptorOf(declared, 'type');
  if (descriptor.refused) throw wrongArgument(COMPILED_ONLY);
  if (descriptor.name === 'void') throw wrongArgument(`bun:ffi: ${unsupported}`);
  return typeOfRow(descriptor);
}

/** The same of an argument that C passes to a callback: it gives the address of a buffer, of no known length. */
function callbackArgumentType(declared) {
  const descriptor = isDeclared(declared) ? undefined : descriptorOf(declared, 'type');
  if (descriptor?.name === 'buffer_length') {
    throw wrongArgument(
      'buffer_length is only supported for bun:ffi dlopen/linkSymbols/CFunction arguments (the ' +
        "engine reads the view's byteLength at call time), not in cc(), viewSource, or JSCallback",
    );
  }
  return argumentType(descriptor?.name === 'buffer' ? 'ptr' : declared, 'unsupported callback signature');
}

/** The same of a result; none is void. */
function resultType(declared) {
  if (declared === undefined || declared === null) return 'void';
  if (isDeclared(declared)) return declared;
  const descriptor = descriptorOf(declared, 'return type');
  if (descriptor.refused) throw wrongArgument(COMPILED_ONLY);
  if (descriptor.name === 'buffer') {
    throw wrongDeclaration('Cannot return a buffer to JavaScript (since byteLength and byteOffset are unknown)');
  }
  if (descriptor.name === 'buffer_length') {
    throw wrongDeclaration('buffer_length is an argument-only type; it cannot be a return type');
  }
  return descriptor.name === 'void' ? 'void' : typeOfRow(descriptor);
}

module.exports = { argumentType, callbackArgumentType, resultType };
