'use strict';
// Globals: accessors for the data symbols of a library.

const { libraryClosed } = require('../call/library-lifetime.js');
const { atCaller, hex, typeNameOf, wrongValue } = require('../errors.js');
const { placeInexact } = require('../exact-numbers.js');
const access = require('../memory/access.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { spelled, typeOf } = require('../types/registry.js');
const { viewAt } = require('../types/live-view.js');

/** The accessor of a data symbol; refuses when its library is closed. */
class Global extends Uncloneable {
  #name;
  #descriptor;
  /** What messages call the value, with the type as it was declared. */
  #position;
  #native;
  #path;
  /** @type {number | bigint} */
  ptr;

  constructor(name, address, type, native, path) {
    const descriptor = checkedType(type, name);
    super();
    this.#name = name;
    this.#descriptor = descriptor;
    this.#position = spelled('value', type, descriptor);
    this.#native = native;
    this.#path = path;
    Object.defineProperty(this, 'ptr', { value: address, writable: false, configurable: false, enumerable: true });
  }

  /** The value, read now. */
  get value() {
    try {
      return this.#read();
    } catch (error) {
      throw atCaller(error, accessor.get); // node-do-not-add-exception-line
    }
  }

  set value(value) {
    try {
      this.#write(value);
    } catch (error) {
      throw atCaller(error, accessor.set); // node-do-not-add-exception-line
    }
  }

  get() {
    try {
      return this.#read();
    } catch (error) {
      throw atCaller(error, this.get); // node-do-not-add-exception-line
    }
  }

  set(value) {
    try {
      this.#write(value);
    } catch (error) {
      throw atCaller(error, this.set); // node-do-not-add-exception-line
    }
  }

  /** Accessors over a struct, union or array, without a copy. */
  view() {
    try {
      return this.#view();
    } catch (error) {
      throw atCaller(error, this.view); // node-do-not-add-exception-line
    }
  }

  #read() {
    this.#checkOpen();
    try {
      return access.read(this.#descriptor, this.ptr, 0, this.#name);
    } catch (error) {
      throw placeInexact(error, this.#name);
    }
  }

  #write(value) {
    this.#checkOpen();
    access.write(this.#descriptor, this.ptr, 0, value, this.#name, this.#position);
  }

  #view() {
    this.#checkOpen();
    if (this.#descriptor.live === undefined) {
      throw wrongValue(`${this.#name}: type`, 'a struct, a union or an array', this.#descriptor.name);
    }
    return viewAt(this.#descriptor, this.ptr, 0, this.#name);
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    const closed = this.#native.isOpen ? '' : ', closed';
    return `Global ${typeNameOf(this.#descriptor, this.#position)} ${this.#name} <${hex(this.ptr)}${closed}>`;
  }

  #checkOpen() {
    if (this.#native.isOpen) return;
    throw libraryClosed(this.#name, this.#path);
  }
}

refusingClones(Global);

const accessor = Object.getOwnPropertyDescriptor(Global.prototype, 'value');

/** The descriptor of a global's type. */
function checkedType(type, name) {
  const descriptor = typeOf(type, `${name}: type`);
  if (descriptor.name === 'void' || descriptor.argumentOnly)
    throw wrongValue(`${name}: type`, 'a type that has values in memory', descriptor.name);
  return descriptor;
}

/** The accessor of the data symbol at an address. */
function global(name, address, type, native, path) {
  return new Global(name, address, type, native, path);
}

module.exports = { global };
