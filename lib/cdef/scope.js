'use strict';
// The names that C text has declared: typedefs, tags, constants, functions and variables. A scope sees those of the
// sets before it.

const { KNOWN, OPAQUE, HIDDEN } = require('./names.js');
const { scalar, pointerTo, VOID, makeRecord, asConst } = require('./types.js');

const TEXTS = { cstring: 'char', utf16: 'char16_t' };

/** The types of names.js, made when they are first used; shared by all scopes. */
const known = new Map();

function makeKnown(name) {
  if (OPAQUE.has(name))
    return { kind: 'record', record: { ...makeRecord('struct', undefined), name, isDeclared: true, isKnown: true } };
  if (HIDDEN.has(name)) return { kind: 'record', record: { ...makeRecord('struct', undefined), name, isKnown: true } };
  const type = KNOWN.get(name);
  if (type === undefined) return undefined;
  if (type === 'void *') return pointerTo(VOID);
  if (type.endsWith(' *')) return pointerTo(knownType(type.slice(0, -2)));
  if (TEXTS[type] !== undefined) return pointerTo(asConst(scalar(TEXTS[type])));
  return scalar(type, name);
}

function knownType(name) {
  if (!known.has(name)) known.set(name, makeKnown(name));
  return known.get(name);
}

class Scope {
  #outer;
  /** The text that is parsed into it, for messages. */
  text = '';
  typedefs = new Map();
  /** Tag -> a record or an enumeration. */
  tags = new Map();
  /** Name -> number, bigint or string: enumerators and #define. */
  constants = new Map();
  /** #define: name -> the text that it stands for; null behind an #undef. */
  macros = new Map();
  /** Name -> { type, at, text }, in the order of the text. */
  functions = new Map();
  variables = new Map();

  /** The scopes of texts that it is made of: itself, or those of a set that is made of several. */
  texts = [this];

  /** @param {Scope[]} outer the scopes before this one, the nearest last */
  constructor(outer = []) {
    this.#outer = outer;
    /** Whether every name of names.js means there what it means without the text, and nothing is a macro. */
    this.isPlain = outer.every(({ isPlain }) => isPlain);
  }

  /** The scope of a set that is made of several. */
  static join(scopes) {
    const joined = new Scope(scopes);
    joined.texts = scopes.flatMap(({ texts }) => texts);
    return joined;
  }

  #find(kind, name) {
    if (this[kind].has(name)) return this[kind].get(name);
    for (let i = this.#outer.length - 1; i >= 0; i -= 1) {
      const found = this.#outer[i].#find(kind, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  typedef(name) {
    return this.#find('typedefs', name) ?? knownType(name);
  }

  tag(name) {
    return this.#find('tags', name);
  }

  constant(name) {
    return this.#find('constants', name);
  }

  variable(name) {
    return this.#find('variables', name);
  }

  function(name) {
    return this.#find('functions', name);
  }

  macro(name) {
    return this.#find('macros', name) ?? undefined;
  }

  /** Makes a name stand for itself, whatever a set before this one has made of it. */
  undefine(name) {
    this.macros.set(name, null);
  }

  /** Every type name that is known here, for a message that names the nearest. */
  typeNames() {
    return [...this.typedefs.keys(), ...this.#outer.flatMap((outer) => outer.typeNames())];
  }
}

module.exports = { Scope };
