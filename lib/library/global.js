'use strict';
// Globals of a library: live accessors of data symbols.

const { makeError, wrongValue } = require('../errors.js');
const access = require('../memory/access.js');
const { typeOf } = require('../types/registry.js');
const { viewAt } = require('../types/views.js');

/** The accessor of a data symbol; refuses when its library is closed. */
class Global {
  #name;
  #row;
  #native;
  #path;

  constructor(name, address, row, native, path) {
    this.#name = name;
    this.#row = row;
    this.#native = native;
    this.#path = path;
    Object.defineProperty(this, 'ptr', { value: address, enumerable: true });
  }

  /** The value, read now. */
  get value() {
    this.#checkOpen();
    return access.read(this.#row, this.ptr, 0, this.#name);
  }

  set value(value) {
    this.#checkOpen();
    access.write(this.#row, this.ptr, 0, value, this.#name);
  }

  get() {
    return this.value;
  }

  set(value) {
    this.value = value;
  }

  /** Accessors over a struct, union or array, without a copy. */
  view() {
    this.#checkOpen();
    if (this.#row.live === undefined) {
      throw wrongValue(`${this.#name}: type`, 'a struct, a union or an array', this.#row.name);
    }
    return viewAt(this.#row, this.ptr, 0, this.#name);
  }

  #checkOpen() {
    if (this.#native.isOpen) return;
    const where = this.#path === null ? 'this process' : this.#path;
    throw makeError('ERR_FFI_LIBRARY_CLOSED', `${this.#name}: the library ${where} is closed`);
  }
}

/** The accessor of the data symbol at an address. */
function global(name, address, type, native, path) {
  const row = typeOf(type, `${name}: type`);
  if (row.name === 'void' || row.argumentOnly) {
    throw wrongValue(`${name}: type`, 'a type that has values in memory', row.name);
  }
  return new Global(name, address, row, native, path);
}

module.exports = { global };
