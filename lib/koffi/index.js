'use strict';
// The exports of `pinned-ffi/koffi`: the package with koffi's interface.

const structs = require('./record.js');
const { as, call, register, unregister } = require('./callback.js');
const { Union } = require('./decode.js');
const { LibraryHandle, load } = require('./library.js');
const make = require('./make.js');
const { address, alloc, decode, encode, free, view } = require('./memory.js');
const { types } = require('./primitives.js');
const system = require('./system.js');
const { TypeObject, layoutOf } = require('./type.js');
const { makeError, wrongValue } = require('../errors.js');
const { allPermitted } = require('../native/permission.js');
require('../memory/fences.js');

/** koffi.type(type). */
const type = (spec) => make.typeOf(spec);
const sizeof = (spec) => measured(spec, 'sizeof').size;
const alignof = (spec) => measured(spec, 'alignof').alignment;

function measured(spec, where) {
  const found = make.typeOf(spec, `${where}: type`);
  if (found.size === 0 && layoutOf(found).isOpaque)
    throw makeError('ERR_INVALID_ARG_TYPE', `${where}: the size of ${found.name} is not known`);
  return found;
}

/** koffi.offsetof(type, member). */
function offsetof(spec, name) {
  const found = make.typeOf(spec, 'offsetof: type');
  const { members } = layoutOf(found);
  if (members === undefined)
    throw makeError(
      'ERR_INVALID_ARG_TYPE',
      `The offsetof() function can only be used with record types, not ${found.name}`,
    );
  const member = members.find((each) => each.name === name);
  if (member === undefined)
    throw wrongValue('offsetof: member', `one of ${members.map((each) => each.name).join(', ')}`, name);
  return member.offset;
}

/** The version of koffi whose interface this is. */
const version = '3.3.4';

const koffi = {
  LibraryHandle,
  TypeObject,
  Union,
  address,
  alias: make.alias,
  alignof,
  alloc,
  array: make.array,
  as,
  call,
  config: system.config,
  decode,
  disposable: make.disposable,
  encode,
  enumeration: make.enumeration,
  errno: system.errno,
  extension: system.extension,
  free,
  inout: make.inout,
  introspect: type,
  load,
  offsetof,
  opaque: make.opaque,
  os: system.os,
  out: make.out,
  pack: structs.pack,
  pointer: make.pointer,
  proto: make.proto,
  register,
  reset: system.reset,
  resolve: type,
  sizeof,
  stats: system.stats,
  struct: structs.struct,
  type,
  types,
  union: structs.union,
  unregister,
  version,
  view,
};
// Functions that reach native code or its memory need the permission; load() checks it itself, with the library's name.
Object.assign(
  koffi,
  allPermitted({ address, alloc, call, decode, encode, errno: system.errno, free, register, unregister, view }),
);
// `default` is for what a compiler makes of `import koffi`. An ES module cannot export `in` by that name.
Object.defineProperties(koffi, { default: { value: koffi }, in: { value: make.input } });

module.exports = koffi;
