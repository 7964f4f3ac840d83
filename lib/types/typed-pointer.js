'use strict';
// pointer(): pointers whose target type is known.

const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { makeError, describe, locationOf } = require('../errors.js');
const { byteLengthOf, isView } = require('../memory/array-buffer.js');
const { hasOwnPtr, isPlain, memoryOf } = require('./plain-target.js');
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
  const spelling = typeof type === 'string' ? type : undefined;
  const descriptor = sharedBy([name, keyOf(target())], () => pointerDescriptor(target, name, spelling));
  return Object.freeze(new DeclaredType(descriptor));
}

/** `type` is how the declaration spells the target, where that is a name. */
function pointerDescriptor(target, name, type) {
  const descriptor = {
    ...base,
    name,
    key: `pointer ${(keys += 1)}`,
    elementSize: () => target().size,
    pointee: target,
    copiesBack: true,
    // A value that is plain becomes memory before anything is written: getters of it may run the user's code.
    resolve(value, owner, position) {
      if (hasOwnPtr(value, target())) return memoryOf(value, target(), owner, position, type);
      const resolved = base.resolve(value, owner, position);
      if (typeof resolved !== 'object' || resolved === null || isView(resolved)) return resolved;
      const pointee = target();
      return isPlain(resolved, pointee) ? memoryOf(resolved, pointee, owner, position, type) : resolved;
    },
    write(view, at, value, owner, position) {
      if (isView(value) && byteLengthOf(value) < target().size) {
        throw makeError(
          'ERR_OUT_OF_RANGE',
          `${locationOf(owner, position)} needs at least ${target().size} bytes ` +
            `(${type ?? target().name}), received ${describe(value)}`,
        );
      }
      return writeMemory(view, at, value, descriptor, owner, position);
    },
  };
  return descriptor;
}

module.exports = { pointer };
