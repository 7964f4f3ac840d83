'use strict';
// The common part of live views: accessors over native memory, without a copy. struct-view.js and array-view.js add
// the fields and the elements.

const { atCaller, wrongType, makeError, locationOf } = require('../errors.js');
const { CopiedView, areCopiedViews, hasScopedCallback, release } = require('../memory/retained.js');
const { retain } = require('./aggregate.js');
const access = require('../memory/access.js');
const { bufferOf, byteLengthOf, fixedSize, isView, offsetOf } = require('../memory/array-buffer.js');
const { copyOf } = require('../memory/copy.js');
const { hasHosts, isOfHost, checkStored } = require('../memory/hosts.js');
const { pointersOf } = require('../memory/pointer-fields.js');
const config = require('../native/config.js');
const { integerOf } = require('../validate.js');
const { callbackBrand, storageOf } = require('./pointers.js');
const { inspectView, jsonOf } = require('./show.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');

/** The DataView of a buffer's memory; undefined where the memory is at an address. */
const DATA = Symbol('data');
/** The offset of the value in the data or from the address. */
const AT = Symbol('at');
/** The address, where the memory is not a buffer's. */
const ADDRESS = Symbol('address');
const DESCRIPTOR = Symbol('descriptor');

/** The targets of pointer fields, by the buffer of the fields, with the offset and size of each value that was set. */
const retainedByBuffer = new WeakMap();

const custom = Symbol.for('nodejs.util.inspect.custom');

/**
 * The base of live views. The memory is an enumerable property, because deepEqual of assert and of test runners
 * compares that: the bytes of a buffer, or the address.
 */
class LiveView extends Uncloneable {
  // Fields, because assigning a new property would call the Proxy in the chain of prototypes.
  [DATA];
  [AT];
  [ADDRESS];
  /** The DataView of memory at an address; how often that was read or written without one. */
  #far;
  #uses = 0;

  constructor(data, at, address) {
    super();
    this[DATA] = data;
    this[AT] = at;
    this[ADDRESS] = address;
  }

  /** The DataView of a view's memory, and where its value begins there: `{ data, at }`. */
  static memoryOf(view) {
    if (view[DATA] !== undefined) return { data: view[DATA], at: view[AT] };
    if (view.#far !== undefined) return { data: view.#far, at: 0 };
    const data = wrapped(view);
    // An address whose process has ended is refused at each use.
    if (!isOfHost(view[ADDRESS])) view.#far = data;
    return { data, at: 0 };
  }

  /** The DataView of memory at an address; undefined where it is used by its address this once more. */
  static farOf(view) {
    if (view.#far !== undefined) return view.#far;
    if ((view.#uses += 1) <= MOST_USES || isOfHost(view[ADDRESS])) return undefined;
    return (view.#far = wrapped(view));
  }

  /** The value that is passed as a pointer to the view. */
  get [storageOf]() {
    if (this[ADDRESS] !== undefined) return access.shift(this[ADDRESS], this[AT]);
    const data = this[DATA];
    const { name, size, isFlexible } = this[DESCRIPTOR];
    try {
      return new Uint8Array(data.buffer, data.byteOffset + this[AT], isFlexible ? data.byteLength - this[AT] : size);
    } catch {
      const reason = 'its ArrayBuffer was detached or has become smaller';
      throw makeError('ERR_INVALID_ARG_VALUE', `the memory of a view (${name}) is gone: ${reason}`);
    }
  }

  /** Asked of all that is passed for a pointer. */
  get [callbackBrand]() {
    return false;
  }

  [custom](depth, options, inspect) {
    return inspectView(this[DESCRIPTOR], () => mappedMemory(this), { depth, options, inspect });
  }

  /** The values as JSON has them: BigInts become numbers where these are exact, else text. */
  toJSON() {
    try {
      const memory = mappedMemory(this);
      if (memory === undefined) throw unmappedView(this, 'toJSON');
      return jsonOf(this[DESCRIPTOR], memory.data, memory.at);
    } catch (error) {
      throw atCaller(error, this.toJSON); // node-do-not-add-exception-line
    }
  }
}

/** The error of a method that shows a view whose memory is not mapped. */
function unmappedView(view, method) {
  const { name, size } = view[DESCRIPTOR];
  return access.unmapped(`${name}.${method}`, view[storageOf], size, 'readable');
}

/** The memory of a view, for printing; undefined if it is known not to be mapped. */
function mappedMemory(view) {
  if (view[ADDRESS] === undefined || isMapped(view)) return memoryOf(view);
  return isOfHost(view[ADDRESS]) ? copiedMemory(view) : undefined;
}

/** A copy of the memory of a view in the process of an isolated library, where that does not share it. */
function copiedMemory(view) {
  const { name, size, sizeAt } = view[DESCRIPTOR];
  const address = view[storageOf];
  const bytes = copyOf(address, 0, sizeAt === undefined ? size : sizeAt(address), name);
  return { data: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 };
}

/** Whether all memory of a view at an address is mapped. How much that is may stand in the memory itself. */
function isMapped(view) {
  const { size, sizeAt } = view[DESCRIPTOR];
  const address = view[storageOf];
  if (!access.isReadable(address, size)) return false;
  return sizeAt === undefined || access.isReadable(address, sizeAt(address));
}
const { memoryOf, farOf } = LiveView;

/**
 * Gives a class of views what LiveView has as own properties: between them is a Proxy, which would make these
 * slow to look up.
 */
function copyMembers(View) {
  for (const key of Reflect.ownKeys(LiveView.prototype)) {
    if (key === 'constructor' || Object.hasOwn(View.prototype, key)) continue;
    Object.defineProperty(View.prototype, key, Object.getOwnPropertyDescriptor(LiveView.prototype, key));
  }
}

// ---- memory at an address -------------------------------------------------------------------------------------------

/**
 * An ArrayBuffer over memory takes longer to make than a hundred reads by the address. So it is made only for views
 * that are used more often than this.
 */
const MOST_USES = 8;
/** Larger memory gets its ArrayBuffer at once: a program that reads one value reads more. */
const MOST_FAR = 65536;

/** The DataView of memory at an address. */
function wrapped(view) {
  const { sizeAt, name } = view[DESCRIPTOR];
  const start = access.shift(view[ADDRESS], view[AT]);
  const size = sizeAt === undefined ? view[DESCRIPTOR].size : sizeAt(start);
  return new DataView(access.wrap(start, size, 0, 0, name));
}

/** Reads a part of a view of memory at an address; the part may be a live view itself. */
function readFar(descriptor, view, offset) {
  if (descriptor.live) return descriptor.live(undefined, view[AT] + offset, view[ADDRESS]);
  const data = farOf(view);
  if (data !== undefined) return descriptor.read(data, offset);
  return access.read(descriptor, access.shift(view[ADDRESS], view[AT] + offset), 0, view[DESCRIPTOR].name);
}

// ---- values ---------------------------------------------------------------------------------------------------------

/** A copy of a live view's bytes, if `value` is one of this descriptor's. */
const bytesOf = (descriptor) => (value) => {
  if (!(value instanceof LiveView) || value[DESCRIPTOR] !== descriptor) return undefined;
  const { data, at } = memoryOf(value);
  /** @type {Uint8Array & { source?: object }} */
  const bytes = new Uint8Array(data.buffer, data.byteOffset + at, descriptor.size).slice();
  if (descriptor.retains) bytes.source = new CopiedView(value);
  return bytes;
};

const isPlain = (descriptor) => !descriptor.resolve && !descriptor.isPointerLike && !descriptor.retains;

/** Writes a value where a live view has it. What the value points to lives as long as the buffer of the view. */
function assign(descriptor, view, offset, value, name, position) {
  if (descriptor.isCounted)
    return assignElements(descriptor.live(view[DATA], view[AT] + offset, view[ADDRESS]), value, name, position);
  if (view[DATA] === undefined && isPlain(descriptor) && farOf(view) === undefined) {
    const address = access.shift(view[ADDRESS], view[AT] + offset);
    return access.write(descriptor, address, 0, value, name, position);
  }
  const resolved = descriptor.resolve ? descriptor.resolve(value, name, position) : value;
  const memory = memoryOf(view);
  const { data } = memory;
  const at = memory.at + offset;
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
  if (view[ADDRESS] !== undefined && hasHosts())
    checkStored(access.shift(view[ADDRESS], view[AT] + offset), pointersOf(descriptor), whole, 0, name, position);
  const bytes = new Uint8Array(whole.buffer);
  new Uint8Array(data.buffer, data.byteOffset + at, descriptor.size).set(bytes);
  return undefined;
}

/** Writes all elements of an array whose length is known only now. */
function assignElements(elements, value, name, position) {
  return assign(elements[DESCRIPTOR], elements, 0, value, name, position);
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
      'an address, because memory at an address cannot retain a view or a string; keep the view and pass ptr(view)',
      value,
    );
  }
  const { buffer, byteOffset } = view[DATA];
  if (!retainedByBuffer.has(buffer)) retainedByBuffer.set(buffer, new Map());
  retainedByBuffer.get(buffer).set(`${byteOffset + at} ${size}`, retained);
}

/** The value that a live view shows, copied. */
function valueOf(view) {
  const { data, at } = memoryOf(view);
  return view[DESCRIPTOR].read(data, at);
}

// ---- where a view comes from ----------------------------------------------------------------------------------------

/** Memory of which nothing is read: C returns an empty list as NULL. */
const nothing = new DataView(new ArrayBuffer(0));

/** A view of memory that only reads and writes the whole value. */
class WholeView extends LiveView {
  [DESCRIPTOR];

  constructor(descriptor, data, at, address) {
    super(data, at, address);
    this[DESCRIPTOR] = descriptor;
  }
}
refusingClones(WholeView);

/** The value of memory: of a view or buffer, or at an address. Copied. */
const valueAt = (descriptor, source, byteOffset, name) => valueOf(wholeView(descriptor, source, byteOffset, name));

/** Writes it. */
function setValueAt(descriptor, target, byteOffset, value, name) {
  assign(descriptor, wholeView(descriptor, target, byteOffset, name), 0, value, name, 'value');
}

/** Writes a value to the memory of a live view. */
const setValue = (view, value, name) => assign(view[DESCRIPTOR], view, 0, value, name, 'value');

const wholeView = (descriptor, source, byteOffset, name) =>
  placeOf(descriptor, source, byteOffset, name, (...place) => new WholeView(descriptor, ...place));

/** A live view over memory: of a view or buffer, or at an address. */
const viewAt = (descriptor, source, byteOffset, name) => placeOf(descriptor, source, byteOffset, name, descriptor.live);

/** Calls `make` with the memory: its DataView, an offset and an address. */
function placeOf(descriptor, source, byteOffset, name, make) {
  if (descriptor.size === 0 && (source === null || source === 0 || source === 0n)) return make(nothing, 0);
  const storage = (typeof source === 'object' && source !== null ? source[storageOf] : undefined) ?? source;
  if (typeof storage === 'number' || typeof storage === 'bigint') {
    const address = access.checkedAddress(storage, byteOffset, name);
    // The guard checks at once that the memory is mapped; `wrap` does so for its length.
    const view = make(undefined, 0, address);
    if (descriptor.size > MOST_FAR || config.guard) memoryOf(view);
    return view;
  }
  if (!isView(storage)) throw wrongType(`${name}: source`, 'an address, a view or a buffer', source);
  const offset = integerOf(byteOffset, `${name}: byteOffset`, 'an integer of at least 0');
  const buffer = bufferOf(fixedSize(storage, name, 'source'));
  const length = byteLengthOf(storage);
  if (length - offset < descriptor.size) {
    throw makeError(
      'ERR_OUT_OF_RANGE',
      `${name}: source needs at least ${descriptor.size} bytes from byteOffset on, ` +
        `received ${length} and a byteOffset of ${String(byteOffset)}`,
    );
  }
  const start = offsetOf(storage) + offset;
  return make(new DataView(buffer, start, descriptor.isFlexible ? length - offset : descriptor.size), 0);
}

module.exports = {
  LiveView,
  DATA,
  AT,
  ADDRESS,
  DESCRIPTOR,
  copyMembers,
  bytesOf,
  memoryOf,
  mappedMemory,
  unmappedView,
  readFar,
  isPlain,
  assign,
  viewAt,
  valueOf,
  valueAt,
  setValue,
  setValueAt,
};
