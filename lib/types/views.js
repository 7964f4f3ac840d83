'use strict';
// Live views: accessors over native memory, without a copy. A generated class for each struct, one class for all
// arrays.

const { locationOf, wrongType, outOfRange, makeError } = require('../errors.js');
const { CopiedView, areCopiedViews, hasScopedCallback, release } = require('../memory/retained.js');
const { retain } = require('./aggregate.js');
const { compile } = require('../codegen/compile.js');
const access = require('../memory/access.js');
const { bufferOf, byteLengthOf, fixedSize, isView, offsetOf } = require('../memory/array-buffer.js');
const { storageOf } = require('./pointers.js');

const DATA = Symbol('data');
const AT = Symbol('at');
/** The address of the data's first byte, where the memory is not a buffer's. */
const ADDRESS = Symbol('address');
const DESCRIPTOR = Symbol('descriptor');

/** What fields point to, by the buffer that holds the fields, and the place and size of what was set. */
const retainedByBuffer = new WeakMap();

/** What all live views have: the data, the place in it, and the address where the memory is not a buffer's. */
class LiveView {
  constructor(data, at, address) {
    this[DATA] = data;
    this[AT] = at;
    this[ADDRESS] = address;
  }

  /** What stands for the view as a pointer. */
  get [storageOf]() {
    const data = this[DATA];
    if (this[ADDRESS] !== undefined) return access.shift(this[ADDRESS], this[AT]);
    return new Uint8Array(data.buffer, data.byteOffset + this[AT], this[DESCRIPTOR].size);
  }
}

/** A copy of a live view's bytes, if `value` is one of this descriptor's. */
const bytesOf = (descriptor) => (value) => {
  if (!(value instanceof LiveView) || value[DESCRIPTOR] !== descriptor) return undefined;
  const data = value[DATA];
  const bytes = new Uint8Array(data.buffer, data.byteOffset + value[AT], descriptor.size).slice();
  if (descriptor.retains) bytes.source = new CopiedView(value);
  return bytes;
};

/** Writes a value where a live view has it. What the value points to lives as long as the buffer of the view. */
function assign(descriptor, view, offset, value, name, position) {
  const resolved = descriptor.resolve ? descriptor.resolve(value, name, position) : value;
  const [data, at] = [view[DATA], view[AT] + offset];
  if (!descriptor.isPointerLike && !descriptor.retains)
    return void descriptor.write(data, at, resolved, name, position);
  // Nothing of it is written before it is known that it will be kept.
  const whole = new DataView(new ArrayBuffer(descriptor.size));
  const retained = retain(
    undefined,
    descriptor,
    whole,
    0,
    descriptor.write(whole, 0, resolved, name, position),
    name,
    position,
  );
  if (retained !== undefined) retainInView(view, at, descriptor.size, retained, value, name, position);
  const bytes = new Uint8Array(whole.buffer);
  new Uint8Array(data.buffer, data.byteOffset + at, descriptor.size).set(bytes);
}

function retainInView(view, at, size, retained, value, name, position) {
  if (hasScopedCallback(retained)) {
    release(retained);
    throw wrongType(locationOf(name, position), 'a JSCallback: a plain function lives for a call only', value);
  }
  if (view[ADDRESS] !== undefined) {
    if (areCopiedViews(retained)) return;
    throw wrongType(
      locationOf(name, position),
      'an address: nobody would keep a view or a string; pass ptr(view) and keep the view',
      value,
    );
  }
  const { buffer, byteOffset } = view[DATA];
  if (!retainedByBuffer.has(buffer)) retainedByBuffer.set(buffer, new Map());
  retainedByBuffer.get(buffer).set(`${byteOffset + at} ${size}`, retained);
}

// ---- structs and unions ---------------------------------------------------------------------------------------------

const isPlain = (descriptor) => !descriptor.resolve && !descriptor.isPointerLike && !descriptor.retains;

function accessorsSource(fields) {
  const text = JSON.stringify;
  const one = ({ key, offset, descriptor }, i) => {
    const [here, part] = [`this[DATA], this[AT] + ${offset}`, `value, runtime.name, part${i}`];
    const get = descriptor.live ? `live${i}(${here}, this[ADDRESS])` : `read${i}(${here})`;
    const set = isPlain(descriptor)
      ? `write${i}(${here}, ${part})`
      : `runtime.assign(descriptor${i}, this, ${offset}, ${part})`;
    return `get ${text(key)}() { return ${get}; }, set ${text(key)}(value) { ${set}; },`;
  };
  const descriptors = ({ key }, i) =>
    `const part${i} = { part: ${text(key)} }, descriptor${i} = fields[${i}].descriptor, { read: read${i}, write: write${i}, live: live${i} } = descriptor${i};`;
  return `'use strict';
const { DATA, AT, ADDRESS } = runtime;
${fields.map(descriptors).join('\n')}
return {
  ${fields.map(one).join('\n  ')}
};`;
}

function plainAccessors(fields, runtime) {
  const accessors = {};
  for (const { key, offset, descriptor } of fields) {
    const part = { part: key };
    Object.defineProperty(accessors, key, {
      get() {
        const at = this[AT] + offset;
        return descriptor.live ? descriptor.live(this[DATA], at, this[ADDRESS]) : descriptor.read(this[DATA], at);
      },
      set(value) {
        assign(descriptor, this, offset, value, runtime.name, part);
      },
      enumerable: true,
      configurable: true,
    });
  }
  return accessors;
}

/** Gives a struct's or union's descriptor its live views. */
function addFieldViews(descriptor, fields) {
  const runtime = { DATA, AT, ADDRESS, assign, name: descriptor.name };
  const accessors = compile('fields, runtime', accessorsSource(fields), [fields, runtime], () =>
    plainAccessors(fields, runtime),
  );
  const View = class extends LiveView {};
  Object.defineProperty(View, 'name', { value: descriptor.name });
  Object.defineProperties(View.prototype, {
    ...Object.getOwnPropertyDescriptors(accessors),
    [DESCRIPTOR]: { value: descriptor },
  });
  // As strict as a struct in C: a field that is not declared cannot be set, and the type stays what it is.
  descriptor.live = (data, at, address) => Object.preventExtensions(new View(data, at, address));
  descriptor.bytesOf = bytesOf(descriptor);
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

/** A live array: its elements are read when they are asked for; those that are aggregates are live themselves. */
class ArrayView extends LiveView {
  constructor(data, at, address, descriptor, element, length) {
    super(data, at, address);
    this[DESCRIPTOR] = descriptor;
    this.element = element;
    this.length = length;
    Object.freeze(this);
  }

  /** The element of an index; from the end where the index is negative. */
  at(index) {
    const i = this.#checked(index, 'at');
    const at = this[AT] + i * this.element.size;
    return this.element.live ? this.element.live(this[DATA], at, this[ADDRESS]) : this.element.read(this[DATA], at);
  }

  /** Writes the element of an index. */
  set(index, value) {
    const i = this.#checked(index, 'set');
    assign(this.element, this, i * this.element.size, value, this[DESCRIPTOR].name, { part: i });
  }

  *[Symbol.iterator]() {
    for (let i = 0; i < this.length; i += 1) yield this.at(i);
  }

  /** The values, copied. */
  toArray() {
    return this[DESCRIPTOR].read(this[DATA], this[AT]);
  }

  #checked(index, name) {
    const location = `${this[DESCRIPTOR].name}.${name}: index`;
    if (typeof index !== 'number') throw wrongType(location, 'a number', index);
    if (!Number.isInteger(index) || index < -this.length || index >= this.length) {
      throw outOfRange(location, `an integer from ${-this.length} to ${this.length - 1}`, index);
    }
    return index < 0 ? index + this.length : index;
  }
}

/**
 * The number that a key is, as typed arrays take it: they have no properties of such names, only elements. Undefined
 * for other keys.
 */
function numberOf(key) {
  if (typeof key !== 'string') return undefined;
  const number = Number(key);
  return String(number) === key ? number : undefined;
}

const isIndex = (number, { length }) => number >= 0 && number < length && Number.isInteger(number);

/** The elements as `view[i]`: the last prototype but one, so that the look-up of methods stays fast. */
const elements = {
  get(target, key, view) {
    const number = numberOf(key);
    if (number === undefined) return Reflect.get(target, key, view);
    return isIndex(number, view) ? view.at(number) : undefined;
  },
  set(target, key, value, view) {
    const number = numberOf(key);
    // What only inherits from a view has properties of its own.
    if (number === undefined || !Object.hasOwn(view, DATA)) return Reflect.set(target, key, value, view);
    // A typed array would drop the value; in C it would be a write past the end.
    if (!isIndex(number, view)) {
      throw outOfRange(
        `${view[DESCRIPTOR].name}: the index of an element`,
        `an integer from 0 to ${view.length - 1}`,
        number,
      );
    }
    view.set(number, value);
    return true;
  },
  // The methods of Array call it for the indices below the length. The trap does not get the view, so it cannot check
  // the length.
  has: (target, key) => (numberOf(key) >= 0 && Number.isInteger(Number(key))) || Reflect.has(target, key),
};
Object.setPrototypeOf(ArrayView.prototype, new Proxy(Object.create(LiveView.prototype), elements));

/** Gives an array's descriptor its live views. */
function addElementViews(descriptor, element, length) {
  descriptor.live = (data, at, address) => new ArrayView(data, at, address, descriptor, element, length);
  descriptor.bytesOf = bytesOf(descriptor);
}

// ---- where a view comes from ----------------------------------------------------------------------------------------

/** A live view over memory: of a view or buffer, or at an address. */
function viewAt(descriptor, source, byteOffset, name) {
  const storage = (typeof source === 'object' && source !== null ? source[storageOf] : undefined) ?? source;
  if (typeof storage === 'number' || typeof storage === 'bigint') {
    const address = access.checkedAddress(storage, byteOffset, name);
    return descriptor.live(new DataView(access.wrap(address, descriptor.size, 0, 0, name)), 0, address);
  }
  if (!isView(storage)) throw wrongType(`${name}: source`, 'an address, a view or a buffer', source);
  if (typeof byteOffset !== 'number') throw wrongType(`${name}: byteOffset`, 'a number', byteOffset);
  const buffer = bufferOf(fixedSize(storage, name, 'source'));
  const length = byteLengthOf(storage);
  if (!Number.isInteger(byteOffset) || byteOffset < 0 || length - byteOffset < descriptor.size) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `${name}: source needs at least ${descriptor.size} bytes from byteOffset on, ` +
        `received ${length} and a byteOffset of ${String(byteOffset)}`,
    );
  }
  const start = offsetOf(storage) + byteOffset;
  return descriptor.live(new DataView(buffer, start, descriptor.size), 0);
}

/** The value that a live view shows, copied; writes it whole. */
const valueOf = (view) => view[DESCRIPTOR].read(view[DATA], view[AT]);
const setValue = (view, value, name) => assign(view[DESCRIPTOR], view, 0, value, name, 'value');

module.exports = { addFieldViews, addElementViews, viewAt, valueOf, setValue };
