'use strict';
// The type descriptors of text: cstring, utf16, wstring.

const { wrongValue, locationOf, typeNameOf } = require('../errors.js');
const access = require('../memory/access.js');
const { coerceText } = require('./coerce.js');
const { readAddress, resolvePointer, writeMemory } = require('./pointers.js');
const { sizes, wchar } = require('./scalars.js');
const { utf32 } = require('./text-units.js');

const textWithNul = (value, descriptor, name, position) =>
  wrongValue(
    locationOf(name, position),
    `a string without NUL characters (${typeNameOf(descriptor, position)})`,
    value,
    '; to pass the bytes after the NUL as well, pass a Buffer',
  );

const cstring = {
  id: 14,
  name: 'cstring',
  isPointerLike: true,
  returnedByEntry: true,
  isText: true,
  read: (view, at) => access.textAt(readAddress(view, at), 'cstring'),
  resolve: resolvePointer,
  write(view, at, value, name, position) {
    if (typeof value === 'string' && value.includes('\0')) throw textWithNul(value, cstring, name, position);
    return writeAnyText(view, at, value, name, position);
  },
};

/** Its `write` for where the native side looks for NULs. */
function writeAnyText(view, at, value, name, position) {
  return typeof value === 'string' ? value : writeMemory(view, at, value, cstring, name, position);
}
// Not enumerable, as `coercing`.
Object.defineProperty(cstring, 'writeAnyText', { value: writeAnyText });

coerceText(cstring);

/** Text of 2 or 4 bytes a unit: a string goes in as a copy that lives for the call. */
function wideText(id, name, unit) {
  const descriptor = {
    id,
    name,
    key: name,
    isPointerLike: true,
    readsMemory: true,
    returnedByEntry: true,
    isText: true,
    unit,
    read(view, at) {
      const address = readAddress(view, at);
      return address === null ? null : access.wideTextAt(address, unit, name);
    },
    resolve: resolvePointer,
    write(view, at, value, owner, position) {
      if (typeof value === 'string' && value.includes('\0')) throw textWithNul(value, descriptor, owner, position);
      return descriptor.writeAnyText(view, at, value, owner, position);
    },
  };
  Object.defineProperty(descriptor, 'writeAnyText', {
    value: (view, at, value, owner, position) =>
      typeof value === 'string' ? value : writeMemory(view, at, value, descriptor, owner, position),
  });
  return coerceText(descriptor);
}

module.exports = { utf32, cstring, utf16: wideText(25, 'utf16', 2), wstring: wideText(26, 'wstring', sizes[wchar.id]) };
