'use strict';
// The offsets of pointers in values of a type, and the types of their targets.

/** In larger arrays, and of types with more, only the first ones are known. */
const MOST = 1024;

const known = new WeakMap();

/**
 * The pointers in a value of a type.
 * @param {any} descriptor that of the type: lib/types/registry.js
 * @returns {{ offset: number, target: object | undefined }[]}
 */
function pointersOf(descriptor) {
  let found = known.get(descriptor);
  if (found === undefined) known.set(descriptor, (found = find(descriptor)));
  return found;
}

const within = (parts, start) => parts.map(({ offset, target }) => ({ offset: start + offset, target }));

function find(descriptor) {
  if (descriptor.fields !== undefined) {
    return descriptor.fields
      .flatMap(({ descriptor: type, offset, bits }) => (bits === undefined ? within(pointersOf(type), offset) : []))
      .slice(0, MOST);
  }
  if (descriptor.isArray) {
    const parts = descriptor.element === undefined ? [] : pointersOf(descriptor.element);
    if (parts.length === 0) return [];
    const count = Math.min(Math.floor(descriptor.size / descriptor.element.size), MOST);
    return Array.from({ length: count }, (_, i) => within(parts, i * descriptor.element.size)).flat();
  }
  if (!descriptor.isPointerLike && !isFunction(descriptor)) return [];
  return [{ offset: 0, target: descriptor.pointee?.() }];
}

const FUNCTION = 17;
const isFunction = (descriptor) => descriptor.id === FUNCTION;

module.exports = { pointersOf };
