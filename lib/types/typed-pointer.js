'use strict';
// pointer(): pointers whose target type is known.

const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { makeError, describe, locationOf } = require('../errors.js');
const { byteLengthOf, isView } = require('../memory/array-buffer.js');
const { writeMemory } = require('./pointers.js');
const { byName, typeOf } = require('./registry.js');

const base = byName.get('ptr');
let keys = 0;

/** The descriptor that a pointer points to: now, or when it is first needed, where the type is given by a function. */
function targetOf(type, where) {
  if (typeof type !== 'function') {
    const descriptor = typeOf(type, where);
    return () => descriptor;
  }
  let descriptor;
  return () => (descriptor ??= typeOf(type(), where));
}

/** A pointer to a value of a type. A view that is passed has to hold one: its bytes are counted before C is entered. */
function pointer(type) {
  const target = targetOf(type, 'pointer: type');
  if (typeof type === 'function') return Object.freeze(new DeclaredType(pointerDescriptor(target, 'pointer')));
  const name = `pointer(${typeof type === 'string' ? type : target().name})`;
  const descriptor = sharedBy([name, keyOf(target())], () => pointerDescriptor(target, name));
  return Object.freeze(new DeclaredType(descriptor));
}

function pointerDescriptor(target, name) {
  const descriptor = {
    ...base,
    name,
    key: `pointer ${(keys += 1)}`,
    elementSize: () => target().size,
    write(view, at, value, owner, position) {
      if (isView(value) && byteLengthOf(value) < target().size) {
        throw makeError(
          'ERR_OUT_OF_RANGE',
          `${locationOf(owner, position)} needs at least ${target().size} bytes ` +
            `(${target().name}), received ${describe(value)}`,
        );
      }
      return writeMemory(view, at, value, descriptor, owner, position);
    },
  };
  return descriptor;
}

module.exports = { pointer };
