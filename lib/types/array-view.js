'use strict';
// Live views of arrays: one class for all of them.

const { atCaller, makeError, wrongType, outOfRange } = require('../errors.js');
const { placeInexact } = require('../exact-numbers.js');
const { nearest } = require('../nearest.js');
const {
  LiveView,
  DATA,
  AT,
  ADDRESS,
  DESCRIPTOR,
  copyMembers,
  bytesOf,
  mappedMemory,
  readFar,
  assign,
  unmappedView,
  valueOf,
} = require('./live-view.js');
const { textOfArray } = require('./show.js');
const { refusingClones } = require('../memory/uncloneable.js');

/** A live array: an element is read when it is accessed; elements that are aggregates are live themselves. */
class ArrayView extends LiveView {
  [DESCRIPTOR];

  constructor(data, at, address, descriptor) {
    super(data, at, address);
    this[DESCRIPTOR] = descriptor;
  }

  /** The number of elements. */
  get length() {
    return this[DESCRIPTOR].length;
  }

  /** The element of an index; from the end where the index is negative. */
  at(index) {
    try {
      return elementOf(this, this.#checked(index, 'at'));
    } catch (error) {
      throw atCaller(error, ArrayView.prototype.at); // node-do-not-add-exception-line
    }
  }

  /** Writes the element of an index. */
  set(index, value) {
    try {
      setElement(this, this.#checked(index, 'set'), value);
    } catch (error) {
      throw atCaller(error, ArrayView.prototype.set); // node-do-not-add-exception-line
    }
  }

  *[Symbol.iterator]() {
    try {
      for (let i = 0; i < this.length; i += 1) yield elementOf(this, i);
    } catch (error) {
      throw atCaller(error, ArrayView.prototype[Symbol.iterator]); // node-do-not-add-exception-line
    }
  }

  /** The values, copied. */
  toArray() {
    try {
      return valuesOf(this);
    } catch (error) {
      throw atCaller(error, ArrayView.prototype.toArray); // node-do-not-add-exception-line
    }
  }

  /** The text of an array of characters; for another array, the string of a JavaScript array. */
  toString() {
    try {
      const memory = mappedMemory(this);
      if (memory === undefined) throw unmappedView(this, 'toString');
      return textOfArray(this[DESCRIPTOR], memory.data, memory.at) ?? valuesOf(this).join();
    } catch (error) {
      throw atCaller(error, ArrayView.prototype.toString); // node-do-not-add-exception-line
    }
  }

  #checked(index, name) {
    const { length } = this;
    const location = () => `${this[DESCRIPTOR].name}.${name}: index`;
    const i = typeof index === 'bigint' ? Number(index) : index;
    if (typeof i !== 'number') throw wrongType(location(), 'a number', index);
    if (!Number.isInteger(i) || i < -length || i >= length) {
      throw outOfRange(location(), `an integer from ${-length} to ${length - 1}`, index);
    }
    return i < 0 ? i + length : i;
  }
}

function elementOf(view, i) {
  const { element } = view[DESCRIPTOR];
  const data = view[DATA];
  try {
    if (data === undefined) return readFar(element, view, i * element.size);
    const at = view[AT] + i * element.size;
    return element.live ? element.live(data, at, view[ADDRESS]) : element.read(data, at);
  } catch (error) {
    throw placeInexact(error, view[DESCRIPTOR].name, `element [${i}]`);
  }
}

/** The values, copied: of numbers those of a typed array. */
function valuesOf(view) {
  const values = valueOf(view);
  return Array.isArray(values) ? values : Array.from(values);
}

function setElement(view, i, value) {
  const { element, elementType, name } = view[DESCRIPTOR];
  const position = { outer: `element [${i}]`, part: undefined, type: elementType };
  assign(element, view, i * element.size, value, name, position);
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

const unknown = (view, key) => {
  const meant = nearest(key, ['length', 'toArray']);
  return makeError(
    'ERR_INVALID_ARG_VALUE',
    `${view[DESCRIPTOR].name} has no property '${key}'${meant === undefined ? '' : `. Did you mean '${meant}'?`}`,
  );
};

/** Properties that resemble `length`, which programs misspell most. */
const isMisspelt = (key) => key !== 'length' && /^len?g?[ht]{1,2}$/i.test(key);

/** The elements as `view[i]`: the last prototype but one, so that the look-up of methods stays fast. */
const elements = {
  get(target, key, view) {
    const number = numberOf(key);
    if (number !== undefined) return isIndex(number, view) ? indexed(view, number) : undefined;
    if (typeof key === 'string' && isMisspelt(key)) throw atCaller(unknown(view, key), elements.get); // node-do-not-add-exception-line
    return Reflect.get(target, key, view);
  },
  set(target, key, value, view) {
    const number = numberOf(key);
    // An object that only inherits from a view gets properties as any object does.
    if (!Object.hasOwn(view, DATA)) return Reflect.set(target, key, value, view);
    if (number === undefined) {
      if (typeof key !== 'string' || key in target) return Reflect.set(target, key, value, view);
      throw atCaller(unknown(view, key), elements.set); // node-do-not-add-exception-line
    }
    // A typed array would drop the value; in C it would be a write past the end.
    if (!isIndex(number, view)) {
      const { name } = view[DESCRIPTOR];
      const error =
        view.length === 0
          ? makeError('ERR_OUT_OF_RANGE', `${name} has no elements, and so none at [${number}]`)
          : outOfRange(`${name}: the index of an element`, `an integer from 0 to ${view.length - 1}`, number);
      throw atCaller(error, elements.set); // node-do-not-add-exception-line
    }
    try {
      setElement(view, number, value);
    } catch (error) {
      throw atCaller(error, elements.set); // node-do-not-add-exception-line
    }
    return true;
  },
  // The methods of Array call it for the indices below the length. The trap does not get the view, so it cannot check
  // the length.
  has: (target, key) => (numberOf(key) >= 0 && Number.isInteger(Number(key))) || Reflect.has(target, key),
};

/** The element that `view[i]` is. */
function indexed(view, i) {
  try {
    return elementOf(view, i);
  } catch (error) {
    throw atCaller(error, elements.get); // node-do-not-add-exception-line
  }
}
copyMembers(ArrayView);
refusingClones(ArrayView);
/** The methods of arrays that read them, as typed arrays have them. Their results are ordinary arrays. */
const BORROWED = [
  ...['every', 'filter', 'find', 'findIndex', 'findLast', 'findLastIndex', 'forEach', 'includes', 'indexOf', 'join'],
  ...['lastIndexOf', 'map', 'reduce', 'reduceRight', 'slice', 'some'],
];
for (const name of BORROWED) {
  const method = Array.prototype[name];
  if (method !== undefined)
    Object.defineProperty(ArrayView.prototype, name, { value: method, writable: true, configurable: true });
}

// A value, which the engine finds for the message of structuredClone.
Object.defineProperty(ArrayView.prototype, Symbol.toStringTag, { value: 'ArrayView', configurable: true });
Object.setPrototypeOf(ArrayView.prototype, new Proxy(Object.create(LiveView.prototype), elements));

/** Gives an array's descriptor its live views. */
function addElementViews(descriptor) {
  descriptor.live = (data, at, address) => new ArrayView(data, at, address, descriptor);
  descriptor.bytesOf = bytesOf(descriptor);
}

module.exports = { addElementViews };
