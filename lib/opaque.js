'use strict';
// opaque: pointers to what only C knows. Those of one type are not taken for those of another, nor once they are freed.

const { after } = require('./after');
const binding = require('./native/binding');
const { DeclaredType } = require('./declared');
const { makeError, wrongType, describe, place } = require('./errors');
const { optionsOf } = require('./validate');
const { byName, readAddress, isDeclared } = require('./types');

const base = byName.get('function');
const kinds = new WeakMap();
let keys = 0;

/** A pointer that C gave, of an opaque type. */
class Handle {
  #kind;
  #address;
  #owner = null;
  #freedBy;

  constructor(kind, address) {
    this.#kind = kind;
    this.#address = address;
  }

  /** The address; null once it is freed. */
  get ptr() {
    return Handle.endOf(this) === undefined ? this.#address : null;
  }

  /** The name of its type. */
  get type() {
    return this.#kind.name;
  }

  /** What this belongs to: it ends with it. */
  get owner() {
    return this.#owner;
  }

  /** The function that ended it or one of its owners; undefined while it lives. */
  static endOf(handle) {
    return handle.#freedBy ?? (handle.#owner === null ? undefined : Handle.endOf(handle.#owner));
  }

  static isOf(value, kind) {
    if (typeof value !== 'object' || value === null || !(#kind in value)) return false;
    for (let own = value.#kind; own !== undefined; own = own.base) if (own === kind) return true;
    return false;
  }

  static kindOf(value) {
    return typeof value === 'object' && value !== null && #kind in value ? value.#kind : undefined;
  }

  static addressOf(handle) {
    return handle.#address;
  }

  static end(handle, freedBy) {
    handle.#freedBy = freedBy;
    handle.#kind.living.delete(handle.#address);
  }

  /** It was not freed. */
  static revive(handle) {
    handle.#freedBy = undefined;
    handle.#kind.living.set(handle.#address, new WeakRef(handle));
  }

  static own(handle, owner) {
    handle.#owner = owner;
  }
}

/** The handle of an address: the same one as long as it lives. */
function handleOf(kind, address) {
  const known = kind.living.get(address)?.deref();
  if (known !== undefined && Handle.endOf(known) === undefined) return known;
  const handle = new Handle(kind, address);
  kind.living.set(address, new WeakRef(handle));
  kind.forget.register(handle, address);
  return handle;
}

/** The functions that free a type: one name, or several. */
function freeing(free, name) {
  if (free === undefined) return new Set();
  const names = Array.isArray(free) ? Array.from(free) : [free];
  names.forEach((each) => {
    if (typeof each === 'string') return;
    throw wrongType(`${name}: options.free`, 'the name of a function, or an array of names', each);
  });
  return new Set(names);
}

function kindOfType(type, where) {
  if (type === undefined) return undefined;
  const kind = isDeclared(type) ? kinds.get(type) : undefined;
  if (kind === undefined) throw wrongType(where, 'an opaque type', type);
  return kind;
}

/**
 * A type of pointers that only C looks into.
 * @param {string} name
 * @param {{ base?: object, owner?: object, free?: string | string[] }} [options] `base`: where that type is wanted this
 *   one may be passed; `owner`: a value belongs to the argument of that type in the call that gave it; `free`: what ends
 *   a value
 */
function opaque(name, options = {}) {
  if (typeof name !== 'string' || name === '') throw wrongType('opaque: name', 'a string, not empty', name);
  const given = optionsOf(options, { base: 'object', owner: 'object', free: 'any' }, `${name}: options`);
  const kind = {
    name,
    base: kindOfType(given.base, `${name}: options.base`),
    owner: kindOfType(given.owner, `${name}: options.owner`),
    free: freeing(given.free, name),
    living: new Map(),
    freedRows: new Map(),
  };
  kind.forget = new FinalizationRegistry((address) => {
    if (kind.living.get(address)?.deref() === undefined) kind.living.delete(address);
  });
  const row = {
    ...base,
    name,
    key: `opaque ${keys += 1}`,
    opaque: kind,
    resolve: undefined,
    read(view, at) {
      const address = readAddress(view, at);
      return address === null ? null : handleOf(kind, address);
    },
    write(view, at, value, owner, position) {
      if (value === null) return void view.setBigUint64(at, 0n, true);
      if (!Handle.isOf(value, kind)) {
        throw makeError('ERR_INVALID_ARG_TYPE',
          `${place(owner, position)} must be a ${name} or null, received ${described(value)}`);
      }
      const end = Handle.endOf(value);
      if (end !== undefined) {
        throw makeError('ERR_FFI_INVALID_POINTER',
          `${place(owner, position)} must be a living ${name}, received one that ${end}() has freed`);
      }
      return base.write(view, at, Handle.addressOf(value), owner, position);
    },
  };
  const type = Object.freeze(new DeclaredType(row));
  kinds.set(type, kind);
  return type;
}

/** A value as messages name it: a handle by its type. */
const described = (value) => (Handle.kindOf(value) === undefined ? describe(value) : `a ${Handle.kindOf(value).name}`);

// ---- what calls do to handles ---------------------------------------------------------------------------------------

const freesIt = (kind, names) => {
  for (let own = kind; own !== undefined; own = own.base) if (names.some((name) => own.free.has(name))) return true;
  return false;
};

/** The handles that calls under way have ended, innermost last, each with how many calls that free had gone in by then. */
const ended = [];

/**
 * The row of an argument that a function frees: the handle ends when it is written. From then on no JavaScript of the user's
 * runs until C does.
 */
function freedRow(row, name) {
  const { freedRows } = row.opaque;
  if (!freedRows.has(name)) {
    freedRows.set(name, {
      __proto__: null,
      ...row,
      key: `${row.key} freed by ${name}`,
      write(view, at, value, owner, position) {
        row.write(view, at, value, owner, position);
        if (value === null) return;
        Handle.end(value, name);
        ended.push({ handle: value, entered: binding.enteredFrees() });
      },
    });
  }
  return freedRows.get(name);
}

const reviveAll = (all) => all.forEach(({ handle }) => Handle.revive(handle));

/** The handles that a call has ended, from a place in `ended` on; none where C was not entered: they are taken back. */
function takeEnded(from) {
  const own = ended.splice(from);
  if (own.length === 0 || own[0].entered !== binding.enteredFrees()) return own;
  reviveAll(own);
  return [];
}

/**
 * The function of some types; it ends the handles that it frees when it begins, because C may have freed them at any time
 * after. They are taken back where C was not entered, and where the declaration says of the result that the call has failed.
 * @param {string[]} names what the function is known by
 */
function ending(types, names, make, check) {
  const frees = (row) => row.opaque !== undefined && freesIt(row.opaque, names);
  if (!types.args.some(frees)) return make(types, false);
  const call = make({ ...types, args: types.args.map((row) => (frees(row) ? freedRow(row, names[0]) : row)) }, true);
  const checked = (result, own) => {
    try {
      return check(result);
    } catch (error) {
      reviveAll(own);
      throw error;
    }
  };
  return (...values) => {
    const from = ended.length;
    let own;
    let returned;
    try {
      returned = call(...values);
    } finally {
      own = takeEnded(from);
    }
    return check === undefined ? returned : after(returned, (result) => checked(result, own));
  };
}

/** Has the handles that a bound function gives belong to the argument of their owner's type; `given` picks them. */
function owning(given, call) {
  if (!given.rows.some((row) => row.opaque?.owner)) return call;
  const adopt = (value, values) => {
    const { owner } = Handle.kindOf(value) ?? {};
    const found = owner && values.find((argument) => Handle.isOf(argument, owner));
    if (found) Handle.own(value, found);
  };
  return (...values) => {
    return after(call(...values), (returned) => {
      given.of(returned).forEach((value) => adopt(value, values));
      return returned;
    });
  };
}

module.exports = { opaque, ending, owning };
