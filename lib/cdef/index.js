'use strict';
// C text where types are taken, and sets of declarations: cdef().

const { makeError, wrongType } = require('../errors.js');
const { callbackOf, declarationOf, signatureOf, typeOfName, typeOfValue } = require('./convert.js');
const { faultAt } = require('./fault.js');
const { Scope } = require('./scope.js');
const { scopes } = require('./sets.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { partsOf, parseTypeText } = require('./texts.js');
const { describeType } = require('./types.js');

// ---- types ----------------------------------------------------------------------------------------------------------

/** The type of a variable that a text declares; undefined where it declares none. */
function typeOfVariable(scope, name) {
  const variable = scope.variable(name);
  return variable === undefined ? undefined : inText(variable.text, () => typeOfValue(variable.type));
}

/** The C type at the end of a text or an array, and its text. */
function parseTypeIn(value, where) {
  const list = Array.isArray(value) ? Array.from(value) : [value];
  const text = list.pop();
  if (typeof text !== 'string') throw wrongType(where, 'C text', text);
  const outer = partsOf(list, where).flatMap(({ scope }) => scope ?? []);
  return { text, type: parseTypeText(text, outer) };
}

/** The line to show for an error without a position: the one with a name, or the first. */
function inText(text, work, name) {
  try {
    return work();
  } catch (error) {
    if (error.line !== undefined) throw error;
    throw name === undefined
      ? faultAt(text, 0, error.message)
      : faultAt(text, placeOf(text, name), `${name}: ${error.message}`);
  }
}

/** The last place of a name in a text: a declaration comes after the uses of the name within itself. */
const placeOf = (text, name) =>
  Math.max([...text.matchAll(new RegExp(`\\b${name.replaceAll('$', '\\$')}\\b`, 'g'))].at(-1)?.index ?? 0, 0);

/** A C type as a type of declarations. */
function parseType(value, where) {
  const { text, type } = parseTypeIn(value, where);
  return inText(text, () => typeOfValue(type.kind === 'function' ? { kind: 'pointer', to: type } : type));
}

/** A struct or a union: `struct s { ... }`, or the last one that a text with typedefs declares. */
function parseRecord(value, where) {
  const texts = Array.isArray(value) ? value : [value];
  const last = texts.at(-1);
  if (typeof last !== 'string' || !/^\s*typedef\b/.test(last)) return parseType(value, where);
  const scope = partsOf(value, where).at(-1).scope;
  const type = [...scope.typedefs.values()].at(-1);
  if (type === undefined) throw makeError('ERR_INVALID_ARG_VALUE', `${where} must declare a struct or a union`);
  return inText(last, () => typeOfValue(type));
}

/**
 * The signature of a function type, or of a pointer to one, as { args, returns, varargs }.
 * @param {unknown} value
 * @param {string} where for messages
 * @param {boolean} [isCallback] of a function that C calls
 */
function parseSignature(value, where, isCallback = false) {
  const { text, type } = parseTypeIn(value, where);
  const whole = type.kind === 'pointer' ? type.to : type;
  if (whole.kind !== 'function')
    throw faultAt(
      text,
      0,
      `${where} must be the type of a function, such as 'int (*)(int)', not ${describeType(type)}`,
    );
  return inText(text, () => (isCallback ? callbackOf(whole) : signatureOf(whole, { __proto__: null })));
}

/** The name of a parameter of a function type that was parsed. */
const parameterIn = (text, index) => {
  const { type } = parseTypeIn(text, 'text');
  return (type.kind === 'pointer' ? type.to : type).parameters[index]?.name;
};

// ---- sets -----------------------------------------------------------------------------------------------------------

/** A declaration that the caller may change. */
const copyOf = (declaration) => ({ ...declaration, args: [...declaration.args] });

/**
 * Defines the result of `make` by its names, unless it is undefined. If `make` throws, because a type such as
 * `long double` has no counterpart, reading the property throws: the rest of the set can be used.
 */
function define(target, names, make) {
  /** @type {PropertyDescriptor} */
  const property = { enumerable: true, configurable: true };
  try {
    property.value = make();
    if (property.value === undefined) return;
  } catch (error) {
    property.get = () => {
      throw error;
    };
  }
  for (const name of names) Object.defineProperty(target, name, property);
}

/** The declarations of a C text. Each part is converted when it is first read. */
class Definitions extends Uncloneable {
  #scopes;
  #made = {};

  constructor(scopes) {
    super();
    this.#scopes = scopes;
  }

  #once(key, make) {
    return (this.#made[key] ??= Object.freeze(make({ __proto__: null })));
  }

  /** The types by their typedef names and tags, for use in declarations. A tag is there as `struct tag`, too. */
  get types() {
    return this.#once('types', (types) => {
      for (const scope of this.#scopes) {
        for (const [tag, known] of scope.tags) {
          const type =
            known.keyword === 'enum' ? { kind: 'enum', enumeration: known } : { kind: 'record', record: known };
          define(types, [`${known.keyword} ${tag}`, tag], () => inText(scope.text, () => typeOfName(type), tag));
        }
        for (const [name, declared] of scope.typedefs)
          define(types, [name], () => inText(scope.text, () => typeOfName(declared), name));
      }
      return types;
    });
  }

  /** The enumerators, the constants and the texts of #define. */
  get constants() {
    return this.#once('constants', (constants) =>
      Object.assign(constants, ...this.#scopes.map((scope) => Object.fromEntries(scope.constants))),
    );
  }

  /** The functions as objects of declarations, which dlopen takes. */
  get symbols() {
    return this.#once('symbols', (symbols) => {
      for (const scope of this.#scopes)
        for (const [name, declared] of scope.functions)
          define(symbols, [name], () => copyOf(declarationOf(declared, name)));
      return symbols;
    });
  }

  /** The names of what it declares. */
  #names() {
    const all = (kind) => [...new Set(this.#scopes.flatMap((scope) => [...scope[kind].keys()]))];
    const tags = this.#scopes.flatMap(({ tags: own }) => [...own].map(([tag, { keyword }]) => `${keyword} ${tag}`));
    return { types: [...all('typedefs'), ...tags], constants: { ...this.constants }, symbols: all('functions') };
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    return `cdef ${inspect(this.#names(), { ...options, depth: 1 })}`;
  }

  /** The names of its types and functions, and its constants. */
  toJSON() {
    return this.#names();
  }
}
refusingClones(Definitions);

/** What a scope declares; without one, nothing. */
const definitionsOf = (scope) => new Definitions(scope?.texts ?? []);

/**
 * A set of declarations, for use by other texts and for its types and constants.
 * @param {string | Array} value C text, or an array of sets and texts
 */
function cdef(value) {
  const parts = partsOf(value, 'cdef: text');
  const object = parts.findIndex((part) => part.object !== undefined);
  if (object >= 0) throw wrongType(`cdef: text[${object}]`, 'C text or a set of cdef()', value[object]);
  const definitions = new Definitions(parts.flatMap(({ scope }) => scope.texts));
  scopes.set(definitions, parts.length === 1 ? parts[0].scope : Scope.join(parts.map(({ scope }) => scope)));
  return Object.freeze(definitions);
}

module.exports = { cdef, definitionsOf, typeOfVariable, parameterIn, parseRecord, parseSignature, parseType };
