'use strict';
// struct() and array() as the package exports them: with flexible arrays, the last field of a struct, whose length is
// the value of another field: struct({ count: 'u32', items: array('u16', 'count') }).

const { arrayDescriptor } = require('./aggregate.js');
const { addElementViews } = require('./array-view.js');
const { DeclaredType } = require('./native-type.js');
const { descriptorOf } = require('./registry.js');
const structs = require('./struct.js');
const { addFieldViews } = require('./struct-view.js');
const { ADDRESS, AT, DATA, assign, valueOf, viewAt } = require('./live-view.js');
const { atCaller, makeError, outOfRange, wrongType, wrongValue } = require('../errors.js');
const access = require('../memory/access.js');
const { alloc } = require('../memory/alloc.js');
const { WeakRef } = require('../native/weak.js');
const { entriesOf } = require('../validate.js');

/** The element and the counting field of each flexible array. */
const flexibleArrays = new WeakMap();

/** An array whose length a field of the same struct counts. It is a type for struct() only. */
class FlexibleArray {
  constructor(type, countedBy) {
    flexibleArrays.set(this, { type, countedBy });
    this.countedBy = countedBy;
    Object.freeze(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    const { type, countedBy } = flexibleArrays.get(this);
    return `array(${typeof type === 'string' ? type : type.name}, '${countedBy}')`;
  }
}

function array(type, count) {
  if (typeof count !== 'string') return structs.array(type, count);
  // Throws if the type is wrong.
  structs.array(type, 0);
  return new FlexibleArray(type, count);
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function struct(fields, options = {}) {
  if (!isRecord(fields)) return structs.struct(fields, options);
  const entries = entriesOf(fields, 'struct: fields');
  const at = entries.findIndex(([, type]) => flexibleArrays.has(type));
  if (at < 0) return structs.struct(Object.fromEntries(entries), options);
  const [key, type] = entries[at];
  const name = options?.name ?? 'struct';
  if (at !== entries.length - 1)
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: field ${key} must be the last one: its length varies`);
  const { type: element, countedBy } = flexibleArrays.get(type);
  const header = structs.struct(
    Object.fromEntries([...entries.slice(0, at), [key, structs.array(element, 0)]]),
    options,
  );
  const flexible = new FlexibleStruct(header, key, element, countedBy);
  structs.shareOffsets(flexible, header);
  return Object.freeze(flexible);
}

/**
 * Makes the function that gives the descriptor of the elements, by their number. Not those of array(), which are kept
 * for good: the number comes from memory. Views of equal length share one, because deepStrictEqual compares it.
 */
function elementsOf({ id, align, element, elementType }) {
  const known = new Map();
  return (length) => {
    const found = known.get(length)?.deref();
    if (found !== undefined) return found;
    const layout = { id, align, size: length * element.size };
    const descriptor = Object.setPrototypeOf(arrayDescriptor(layout, element, length, elementType), null);
    addElementViews(descriptor);
    known.set(length, new WeakRef(descriptor));
    return descriptor;
  };
}

const integers = /^(?:[iu](?:8|16|32|64)(?:_fast|be|le)?|char|long|unsigned long|wchar_t)$/;
let keys = 0;

/** A struct that ends in a flexible array. It is in memory only. */
class FlexibleStruct extends DeclaredType {
  #header;
  #key;
  #element;
  #countedBy;
  #descriptor;
  #counted;

  constructor(header, key, element, countedBy) {
    const known = descriptorOf(header);
    const count = known.fields.find((field) => field.key === countedBy);
    if (count === undefined || count.key === key || !integers.test(count.descriptor.name))
      throw wrongValue(`${known.name}: field ${key}`, 'counted by a field of an integer type', countedBy);
    const items = known.fields.at(-1);
    const { size } = descriptorOf(element);
    /** @returns {number} the count in the memory of a struct at `base` */
    const lengthAt = (data, base, address) => {
      const value =
        data === undefined
          ? access.read(count.descriptor, access.shift(address, base + count.offset), 0, known.name)
          : count.descriptor.read(data, base + count.offset);
      if (!(value >= 0 && value < 2 ** 32))
        throw outOfRange(`${known.name}: field ${countedBy}`, 'the number of elements', value);
      return Number(value);
    };
    /** The same. Throws if the memory has a known end and is too small for so many. */
    const checkedLengthAt = (data, at, address) => {
      const length = lengthAt(data, at - items.offset, address);
      if (data !== undefined && at + length * size > data.byteLength) {
        const room = Math.floor((data.byteLength - at) / size);
        throw outOfRange(
          `${known.name}: field ${countedBy}`,
          `at most ${room}, as there is memory for no more`,
          length,
        );
      }
      return length;
    };
    const elements = elementsOf(items.descriptor);
    const counted = {
      ...items.descriptor,
      name: items.descriptor.name.replace(/\[0\]$/, `[${countedBy}]`),
      isCounted: true,
      lengthAt: checkedLengthAt,
      live: (data, at, address) => elements(checkedLengthAt(data, at, address)).live(data, at, address),
    };
    const fields = known.fields.map((field) => (field === items ? { ...field, descriptor: counted } : field));
    const refuse = (name) => {
      throw makeError('ERR_INVALID_ARG_VALUE', `${name}: a ${known.name} has no fixed size: use its read() and view()`);
    };
    const descriptor = {
      ...known,
      key: `flexible ${(keys += 1)}`,
      fields,
      isFlexible: true,
      sizeAt: (address) => Math.max(known.size, items.offset + lengthAt(undefined, 0, address) * size),
      read: () => refuse(known.name),
      write: (view, at, value, name) => refuse(name),
    };
    addFieldViews(descriptor, fields);
    super(descriptor);
    this.#header = header;
    this.#key = key;
    this.#element = element;
    this.#countedBy = countedBy;
    this.#descriptor = descriptor;
    this.#counted = counted;
  }

  /** A copy of the value, with as many elements as the count says. */
  read(source, byteOffset = 0) {
    try {
      const view = this.#view(source, byteOffset, 'read');
      const items = this.#counted.live(view[DATA], view[AT] + this.#offset, view[ADDRESS]);
      return { ...this.#header.read(source, byteOffset), [this.#key]: valueOf(items) };
    } catch (error) {
      throw atCaller(error, this.read); // node-do-not-add-exception-line
    }
  }

  /** Writes a value, of which the count may be left out. */
  write(target, value, byteOffset = 0) {
    try {
      this.#write(target, value, byteOffset, 'write');
    } catch (error) {
      throw atCaller(error, this.write); // node-do-not-add-exception-line
    }
  }

  /** Accessors over the memory at an address, or of a view, without a copy. */
  view(source, byteOffset = 0) {
    try {
      return this.#view(source, byteOffset, 'view');
    } catch (error) {
      throw atCaller(error, this.view); // node-do-not-add-exception-line
    }
  }

  /** Accessors over new fenced memory for a value; without one, for no elements. */
  alloc(value) {
    try {
      const { size, align, name } = this.#descriptor;
      const length = value === undefined ? 0 : this.#lengthOf(value, `${name}.alloc`);
      const needed = this.#offset + length * descriptorOf(this.#element).size;
      const memory = alloc(Math.max(size, needed), { align });
      if (value !== undefined) this.#write(memory, value, 0, 'alloc');
      return this.#view(memory, 0, 'alloc');
    } catch (error) {
      throw atCaller(error, this.alloc); // node-do-not-add-exception-line
    }
  }

  /** The offset of the first element. */
  get #offset() {
    return this.#descriptor.fields.at(-1).offset;
  }

  #view(source, byteOffset, method) {
    return viewAt(this.#descriptor, source, byteOffset, `${this.#descriptor.name}.${method}`);
  }

  /** The number of elements of a value; its count must say the same. */
  #lengthOf(value, where) {
    if (!isRecord(value)) throw wrongType(`${where}: value`, `an object (${this.#descriptor.name})`, value);
    const items = value[this.#key];
    const length = typeof items === 'object' && items !== null ? items.length : undefined;
    if (typeof length !== 'number') throw wrongType(`${where}: value: field ${this.#key}`, 'an array', items);
    const count = value[this.#countedBy];
    if (count !== undefined && Number(count) !== length)
      throw wrongValue(
        `${where}: value: field ${this.#countedBy}`,
        `${length}, the length of ${this.#key}, or left out`,
        count,
      );
    return length;
  }

  #write(target, value, byteOffset, method) {
    const where = `${this.#descriptor.name}.${method}`;
    const length = this.#lengthOf(value, where);
    const items = Array.from(value[this.#key]);
    const view = this.#view(target, byteOffset, method);
    const needed = this.#offset + length * descriptorOf(this.#element).size;
    // Nothing is written before it is known that all of it fits.
    const room = view[DATA] === undefined ? Infinity : view[DATA].byteLength - view[AT];
    if (needed > room) throw outOfRange(`${where}: the bytes of target`, `at least ${needed}`, room);
    this.#header.write(target, { ...value, [this.#countedBy]: length, [this.#key]: [] }, byteOffset);
    if (length > 0) assign(this.#counted, view, this.#offset, items, where, `value: field ${this.#key}`);
  }
}

module.exports = { array, struct };
