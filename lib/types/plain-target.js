'use strict';
// Plain objects and arrays that are passed for pointer(T): they are written into fenced memory for the call, and what C
// has changed there is copied back.

const { wrongType, locationOf } = require('../errors.js');
const { inPart } = require('../exact-numbers.js');
const { alloc } = require('../memory/alloc.js');
const { hasScopedCallback, release } = require('../memory/retained.js');
const { Uncloneable } = require('../memory/uncloneable.js');
const { retain } = require('./aggregate.js');

/** The memory of values, and where they came from. */
class Copy {
  /** @type {any} */
  value;
  /** @type {any} */
  target;
  isList = false;
  count = 0;
  /** @type {any} */
  retained;

  constructor(size, align) {
    this.memory = alloc(size, { align });
    this.data = new DataView(this.memory.buffer, this.memory.byteOffset, size);
    /** Its bytes before the call. */
    this.before = new Uint8Array(size);
  }
}

/** By the memory that is passed. */
const copies = new WeakMap();
/** By the target: memory that the next call may use. */
const spares = new WeakMap();
/** The most bytes that are kept for it. */
const MOST_KEPT = 4096;

/** Zeroed memory for a target. */
function copyFor(target, size) {
  const spare = spares.get(target);
  if (spare?.copy?.memory.length === size) {
    const { copy } = spare;
    spare.copy = undefined;
    copy.memory.fill(0);
    return copy;
  }
  const copy = new Copy(size, Math.max(target.align, 1));
  copies.set(copy.memory, copy);
  return copy;
}

/** Lets the next call use memory that nobody can have the address of. */
function keepFor(target, copy) {
  copy.value = copy.retained = undefined;
  if (copy.memory.length > MOST_KEPT) return;
  const spare = spares.get(target);
  if (spare === undefined) spares.set(target, { copy });
  else spare.copy = copy;
}

/** Object.prototype of every realm (`vm`, test runners) has no prototype itself. */
const isPlainObject = (value) => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** Whether an object has a field of a struct or union, as instances of the program's own classes have. */
const hasField = (value, { fields }) => !(value instanceof Uncloneable) && fields.some(({ key }) => key in value);

/** Whether a value is one that memory is made of: an array, or an object for a struct or union. */
const isPlain = (value, target) =>
  Array.isArray(value) || (target.fields !== undefined && (isPlainObject(value) || hasField(value, target)));

/**
 * Whether an object is the value of a struct or union with a field `ptr`, and not one that stands for the address that
 * its `ptr` is.
 */
const hasOwnPtr = (value, target) =>
  typeof value === 'object' &&
  value !== null &&
  target.fields?.some(({ key }) => key === 'ptr') === true &&
  Object.hasOwn(value, 'ptr') &&
  isPlainObject(value);

/** The values may point only to memory that lives as long as they do; the pointer of a plain function does not. */
function keep(retained, name, position, value) {
  if (!hasScopedCallback(retained)) return;
  release(retained);
  throw wrongType(locationOf(name, position), 'without plain functions in it: pass a JSCallback', value);
}

/**
 * The memory of a plain object or an array. May run the user's code.
 * @param {import('./registry.js').TypeDescriptor} target the pointer's target
 * @param {string} [type] how the declaration spells it
 */
function memoryOf(value, target, name, position, type) {
  if (target.isFlexible) {
    const expected = `a view, as ${target.name}.alloc() returns: the size of a ${target.name} varies`;
    throw wrongType(locationOf(name, position), expected, value);
  }
  const isList = Array.isArray(value);
  const count = isList ? value.length : 1;
  // C finds the end of many lists of pointers by a NULL.
  const room = target.isPointerLike || target.opaque !== undefined ? count + 1 : Math.max(count, 1);
  const copy = copyFor(target, room * target.size);
  const { memory, data } = copy;
  let retained;
  for (let i = 0; i < count; i += 1) {
    const part = isList ? { outer: position, part: i, type } : position;
    const each = isList ? value[i] : value;
    const resolved = target.resolve ? target.resolve(each, name, part) : each;
    const at = i * target.size;
    retained = retain(retained, target, data, at, target.write(data, at, resolved, name, part), name, part);
  }
  keep(retained, name, position, value);
  copy.before.set(memory);
  Object.assign(copy, { value, target, isList, count, retained });
  return memory;
}

/** The bytes of the values in memory that was made of them, without a NULL at the end; undefined for other memory. */
function valueBytesOf(memory) {
  const copy = copies.get(memory);
  return copy && copy.count * copy.target.size;
}

/**
 * Copies what C has changed in memory back to where its values came from; other values are not looked at. `isOver` says
 * that nobody has the address of the memory any more.
 */
function copyBack(memory, isOver) {
  const copy = memory === null ? undefined : copies.get(memory);
  if (copy === undefined) return;
  const { value, target, isList, count, data, before } = copy;
  const isChanged = (at, size) => {
    for (let i = at; i < at + size; i += 1) if (data.getUint8(i) !== before[i]) return true;
    return false;
  };
  const set = (key, descriptor, at) => {
    // A frozen object keeps its values.
    if (isChanged(at, descriptor.size)) Reflect.set(value, key, readPart(descriptor, data, at, key));
  };
  if (isList) for (let i = 0; i < count; i += 1) set(i, target, i * target.size);
  else if (target.isUnion) copyUnion(value, target, data, isChanged);
  else target.fields.forEach(({ key, offset, descriptor }) => set(key, descriptor, offset));
  if (isOver) keepFor(target, copy);
}

function readPart(descriptor, data, at, part) {
  try {
    return descriptor.read(data, at);
  } catch (error) {
    throw inPart(error, part);
  }
}

/** Of a union, the field that was passed is copied back. */
function copyUnion(value, target, data, isChanged) {
  const field = target.fields.find(({ key }) => Object.hasOwn(value, key));
  if (field !== undefined && isChanged(0, field.descriptor.size))
    Reflect.set(value, field.key, readPart(field.descriptor, data, 0, field.key));
}

module.exports = { isPlain, hasOwnPtr, memoryOf, valueBytesOf, copyBack };
