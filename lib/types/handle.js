'use strict';
// opaque(): typed handles, pointers to memory that only C interprets. A handle of another type or a freed one is
// refused.

const { DeclaredType } = require('./native-type.js');
const { byHalves, noteInline } = require('../codegen/read-values.js');
const { makeError, wrongType, describe, hex, locationOf } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { readAddress } = require('./pointers.js');
const { byName, isDeclared } = require('./registry.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { FinalizationRegistry, WeakRef } = require('../native/weak.js');

const base = byName.get('function');
const handleTypes = new WeakMap();
let keys = 0;

/** A pointer that C gave, of an opaque type. */
class Handle extends Uncloneable {
  #handleType;
  #address;
  #owner = null;
  #freedBy;

  constructor(handleType, address) {
    super();
    this.#handleType = handleType;
    this.#address = address;
  }

  /** The address; null once it is freed. */
  get ptr() {
    return Handle.endOf(this) === undefined ? this.#address : null;
  }

  /** The name of its type. */
  get type() {
    return this.#handleType.name;
  }

  /** The owner: the handle ends with it. */
  get owner() {
    return this.#owner;
  }

  /** The function that ended it or one of its owners; undefined while it lives. */
  static endOf(handle) {
    return handle.#freedBy ?? (handle.#owner === null ? undefined : Handle.endOf(handle.#owner));
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    const end = Handle.endOf(this);
    const ended = end === undefined ? '' : `, ended by ${end}`;
    return `${this.type} <${hex(this.#address)}${ended}>`;
  }

  /** Its type, its address, and the function that ended it. */
  toJSON() {
    return { type: this.type, ptr: this.ptr === null ? null : Number(this.ptr), endedBy: Handle.endOf(this) ?? null };
  }

  static isOf(value, handleType) {
    if (typeof value !== 'object' || value === null || !(#handleType in value)) return false;
    for (let own = value.#handleType; own !== undefined; own = own.base) if (own === handleType) return true;
    return false;
  }

  static typeOfHandle(value) {
    return typeof value === 'object' && value !== null && #handleType in value ? value.#handleType : undefined;
  }

  static addressOf(handle) {
    return handle.#address;
  }

  static end(handle, freedBy) {
    handle.#freedBy = freedBy;
    handle.#handleType.living.delete(handle.#address);
  }

  /** It was not freed. */
  static revive(handle) {
    handle.#freedBy = undefined;
    handle.#handleType.living.set(handle.#address, new WeakRef(handle));
  }

  static own(handle, owner) {
    handle.#owner = owner;
  }
}

refusingClones(Handle);

/** The handle of an address: the same one as long as it lives. */
function handleOf(handleType, address) {
  const known = handleType.living.get(address)?.deref();
  if (known !== undefined && Handle.endOf(known) === undefined) return known;
  const handle = new Handle(handleType, address);
  handleType.living.set(address, new WeakRef(handle));
  handleType.forget.register(handle, address);
  return handle;
}

/** The functions that free a type: one name, or several. */
function namesOfFreeing(free, name) {
  if (free === undefined) return new Set();
  const names = Array.isArray(free) ? Array.from(free) : [free];
  names.forEach((each) => {
    if (typeof each === 'string') return;
    throw wrongType(`${name}: options.free`, 'the name of a function, or an array of names', each);
  });
  return new Set(names);
}

function handleTypeOf(type, where) {
  if (type === undefined) return undefined;
  const handleType = isDeclared(type) ? handleTypes.get(type) : undefined;
  if (handleType === undefined) throw wrongType(where, 'an opaque type', type);
  return handleType;
}

/**
 * A type of pointers that only C looks into.
 * @param {string} name
 * @param {{ base?: object, owner?: object, free?: string | string[] }} [options] `base`: where that type is wanted this
 *   one may be passed; `owner`: a value belongs to the argument of that type in the call that gave it; `free`: what
 *   ends a value
 */
function opaque(name, options = {}) {
  if (typeof name !== 'string' || name === '') throw wrongType('opaque: name', 'a string, not empty', name);
  const settings = parseOptions(options, { base: 'object', owner: 'object', free: 'any' }, `${name}: options`);
  const handleType = {
    name,
    base: handleTypeOf(settings.base, `${name}: options.base`),
    owner: handleTypeOf(settings.owner, `${name}: options.owner`),
    free: namesOfFreeing(settings.free, name),
    living: new Map(),
    freedDescriptors: new Map(),
  };
  handleType.forget = new FinalizationRegistry((address) => {
    if (handleType.living.get(address)?.deref() === undefined) handleType.living.delete(address);
  });
  const descriptor = {
    ...base,
    name,
    key: `opaque ${(keys += 1)}`,
    opaque: handleType,
    takesFunctions: false,
    resolve: undefined,
    read(view, at) {
      const address = readAddress(view, at);
      return address === null ? null : handleOf(handleType, address);
    },
    write(view, at, value, owner, position) {
      if (value === null) return void view.setBigUint64(at, 0n, true);
      if (!Handle.isOf(value, handleType)) {
        throw makeError(
          'ERR_INVALID_ARG_TYPE',
          `${locationOf(owner, position)} must be of type ${name} or null, received ${describeHandle(value)}`,
        );
      }
      const end = Handle.endOf(value);
      if (end !== undefined) {
        throw makeError(
          'ERR_FFI_INVALID_POINTER',
          `${locationOf(owner, position)} must be a living ${name}, received one that ${end}() has freed`,
        );
      }
      return base.write(view, at, Handle.addressOf(value), owner, position);
    },
  };
  const handle = (address) => (address === null ? null : handleOf(handleType, address));
  noteInline(descriptor.read, { ...byHalves('toAddress'), from: handle });
  const type = Object.freeze(new DeclaredType(descriptor));
  handleTypes.set(type, handleType);
  return type;
}

/** A value as messages name it: a handle by its type. */
const describeHandle = (value) =>
  Handle.typeOfHandle(value) === undefined ? describe(value) : Handle.typeOfHandle(value).name;

module.exports = { opaque, Handle };
