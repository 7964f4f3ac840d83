'use strict';
// Type objects as koffi shows them, the layouts that conversions go by, and the names that types have in C text.

const { makeError, wrongType } = require('../errors.js');

/**
 * A type of koffi. What programs see of it are its properties; what conversions need is its layout:
 *   { kind: 'void' }
 *   { kind: 'scalar', row, passed, named, list }   row and name in the type table; named: the type with koffi's name;
 *   list: the typed array of such elements { kind: 'text', unit, passed }                 unit: bytes of a character
 *   { kind: 'pointer', to }  { kind: 'callback', prototype }  { kind: 'prototype', signature }
 *   { kind: 'record' | 'union', members: [{ name, type, offset }] }
 *   { kind: 'array', of, length, hint, countedBy }
 * Those of pointers and texts may have `dispose`, which is called with the address once a value was read.
 */
class TypeObject {
  #layout;

  constructor(shown, layout) {
    Object.assign(this, shown);
    this.#layout = layout;
  }

  static is(value) {
    return typeof value === 'object' && value !== null && #layout in value;
  }

  static layoutOf(type) {
    return type.#layout;
  }

  /** Makes a struct or a union of an opaque type. */
  static redefine(type, shown, layout) {
    const { name } = type;
    Object.assign(type, shown, { name });
    type.#layout = layout;
    return type;
  }
}

const { layoutOf, is: isType } = TypeObject;

/** The properties of a type, in koffi's order. */
const shownOf = (name, primitive, size, alignment, others = {}) => ({
  name,
  primitive,
  size,
  alignment,
  disposable: false,
  ...others,
});

let anonymous = 0;
const anonymousName = () => `<anonymous_${(anonymous += 1)}>`;

// ---- names ----------------------------------------------------------------------------------------------------------

const builtin = new Map();
let names = new Map();
/** Grows whenever a name is added or removed: text that was parsed before may have another meaning then. */
let version = 0;

function addBuiltin(name, type) {
  builtin.set(name, type);
}

/** Gives a type a name; koffi refuses a second type of the same name, and so does this. */
function addName(name, type) {
  if (builtin.has(name) || names.has(name)) throw makeError('ERR_INVALID_ARG_VALUE', `Duplicate type name '${name}'`);
  names.set(name, type);
  version += 1;
  return type;
}

const findName = (name) => names.get(name) ?? builtin.get(name);
const namesVersion = () => version;

/** Forgets all names that the program has given. */
function resetNames() {
  names = new Map();
  version += 1;
}

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** The name that a type is declared with; undefined or null is no name. That of a prototype may be any text. */
function checkName(name, where, pattern = IDENTIFIER) {
  if (name === undefined || name === null) return anonymousName();
  if (typeof name !== 'string') throw wrongType(`${where}: name`, 'a string, or null for none', name);
  if (!pattern.test(name)) throw makeError('ERR_INVALID_ARG_VALUE', `Invalid type name '${name}'`);
  if (findName(name) !== undefined) throw makeError('ERR_INVALID_ARG_VALUE', `Duplicate type name '${name}'`);
  return name;
}

/** Takes a name back, whose type could not be made. */
function removeName(name) {
  names.delete(name);
  version += 1;
}

/** Adds a type under its name, unless it has none. */
const register = (type) => (type.name.startsWith('<') ? type : addName(type.name, type));

module.exports = {
  TypeObject,
  layoutOf,
  isType,
  shownOf,
  anonymousName,
  addBuiltin,
  addName,
  findName,
  namesVersion,
  resetNames,
  removeName,
  checkName,
  register,
  IDENTIFIER,
  builtin,
};
