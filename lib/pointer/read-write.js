'use strict';
// read.* and write.*: one function for each name of a type. Where there are fast calls, readers are generated source,
// which calls C straight from optimised code. Whatever does not pass its test, every error among it, is left to
// memory/access.js.

const { compile } = require('../codegen/compile.js');
const { placeInexact } = require('../exact-numbers.js');
const { storeFast } = require('../fast-properties.js');
const { constants, inlineOf, runtime, DECLARED } = require('../codegen/read-values.js');
const access = require('../memory/access.js');
const { atCaller, wrongValue } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { byName, isDeclared, spelled, typeOf } = require('../types/registry.js');
const { readBytes, writeBytes } = require('./bytes.js');
const { PAUSE, loader } = require('./loader.js');
const { textBehind } = require('./read-text.js');

// Loaded for values in views and buffers.
const liveView = lazy(() => require('../types/live-view.js'));
// Loaded for types that are C text.
const cdef = lazy(() => require('../cdef/index.js'));

const cstring = byName.get('cstring');
/** The names with generated source. Aliases and rarer types use a plain function. */
const QUICK = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64', 'bool', 'ptr', 'intptr'];

/** The functions of `descriptors`, a Map by name. */
function readers(descriptors) {
  const made = { __proto__: null };
  descriptors.forEach((descriptor, name) => {
    made[name] = plain(name, descriptor);
  });
  if (loader === null) return made;
  generate(made, descriptors, loader);
  descriptors.forEach((descriptor, name) => {
    if (descriptor === cstring) made[name] = textReader(name);
  });
  return made;
}

/** Gives a function a name, for stacks and the REPL. */
const named = (name, call) => Object.defineProperty(call, 'name', { value: name });

function textReader(name) {
  const reader = `read.${name}`;
  const readAny = (address) => slow(cstring, address, 0, reader, self);
  const self = named(reader, (address, byteOffset = 0) =>
    byteOffset === 0 ? textBehind(address, readAny) : slow(cstring, address, byteOffset, reader, self),
  );
  return self;
}

function plain(name, descriptor) {
  const reader = `read.${name}`;
  const self = named(reader, (address, byteOffset = 0) => slow(descriptor, address, byteOffset, reader, self));
  return self;
}

/** Reads by the address; errors begin where `self` was called. */
function slow(descriptor, address, byteOffset, name, self) {
  try {
    return typeof address === 'object' && address !== null
      ? readView(descriptor, address, byteOffset, name)
      : access.read(descriptor, address, byteOffset, name);
  } catch (error) {
    throw atCaller(placeInexact(error, name), self); // node-do-not-add-exception-line
  }
}

/** Reads out of a view or a buffer. */
const readView = (descriptor, source, byteOffset, name) =>
  liveView().valueAt(descriptor, source, byteOffset ?? 0, name);

/** Whether a fast call takes an address. */
const TEST = `typeof address === 'number' && address >= 4096 && isSafeInteger(address)`;

/**
 * Each has separate source, so that V8 sees a constant target. None where code generation is disallowed. V8 inlines a
 * function into its caller while the bytecode of both is short, so the reader has only what a fast call needs.
 */
function generate(readers, descriptors, { load, argBuffer }) {
  const readSource = ({ raws, value }) => {
    const all = raws(0);
    return `${constants(all, 'raw')}return ${value(all.map((_, i) => `raw${i}`))};`;
  };
  const source = (name, i) => `
let pause${i} = 0;
const other${i} = (address, byteOffset) => {
  if (pause${i} !== 0) pause${i} -= 1;
  else if (byteOffset === 0 && ${TEST}) pause${i} = ${PAUSE};
  return slow(descriptors.get('${name}'), address, byteOffset, 'read.${name}', readers.${name});
};
readers.${name} = named('read.${name}', (address, byteOffset = 0) => {
  if (byteOffset === 0 && pause${i} === 0 && ${TEST} && load(address, ${descriptors.get(name).size}, argBuffer) === 1) {
    ${readSource(inlineOf(descriptors.get(name)))}
  }
  return other${i}(address, byteOffset);
});`;
  compile(
    'read',
    'readers, descriptors, load, argBuffer, runtime, slow, isSafeInteger, named',
    `'use strict';${DECLARED}${QUICK.map(source).join('')}`,
    [readers, descriptors, load, argBuffer, runtime, slow, Number.isSafeInteger, named],
    () => undefined,
  );
}

/** @type {any} */
const write = { __proto__: null };
const readable = new Map();
function add(descriptor, name) {
  if (name === 'void' || descriptor.refused || descriptor.argumentOnly) return;
  const writer = `write.${name}`;
  readable.set(name, descriptor);
  const position = spelled('value', name, descriptor);
  const self = named(writer, (address, byteOffset, value) => {
    try {
      access.write(descriptor, address, byteOffset, value, writer, position);
    } catch (error) {
      throw atCaller(error, self); // node-do-not-add-exception-line
    }
  });
  write[name] = self;
}
byName.forEach(add);
add(byName.get('i64_fast'), 'intptr');

/**
 * Reads a value of any type: read(address, type, byteOffset). Its properties read the types of the table.
 * @param {number | bigint | object} address an address, or a view or buffer
 * @param {unknown} type a type of a declaration, or C text such as 'struct tm'
 */
function readAs(address, type, byteOffset = 0) {
  try {
    return readOf(address, type, byteOffset);
  } catch (error) {
    throw atCaller(placeInexact(error, 'read'), readAs); // node-do-not-add-exception-line
  }
}

function readOf(address, type, byteOffset) {
  const known =
    isDeclared(type) || byName.has(type) || typeof type === 'number' ? type : cdef().parseType(type, 'read: type');
  if (typeof known.read === 'function') return known.read(address, byteOffset);
  const descriptor = typeOf(known, 'read: type');
  if (descriptor.argumentOnly !== undefined || descriptor.name === 'void') {
    throw wrongValue('read: type', 'a type that has values in memory', descriptor.name);
  }
  return typeof address === 'object' && address !== null
    ? readView(descriptor, address, byteOffset, 'read')
    : access.read(descriptor, address, byteOffset, 'read');
}
named('read', readAs);
const read = Object.assign(Object.setPrototypeOf(readAs, null), readers(readable), { bytes: readBytes });
write.bytes = writeBytes;

module.exports = { read: storeFast(Object.freeze(read)), write: storeFast(Object.freeze(write)) };
