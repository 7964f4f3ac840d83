'use strict';
// C text where declarations are taken: sets of declarations (cdef), the functions of a text, and the types of a text.

const { makeError, wrongType } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { callbackOf, declarationOf, measure, signatureOf, typeOfName, typeOfValue } = require('./convert.js');
const { faultAt } = require('./fault.js');
const { Parser } = require('./parser.js');
const { Scope } = require('./scope.js');
const { scopes } = require('./sets.js');
const { describeType } = require('./types.js');

/** A cache of parsed texts by the scopes before them, because programs open a library again and again. */
const MOST_KEPT = 64;
const kept = new Map();

let numbers = 0;
const numberOf = new WeakMap();

function keyOf(text, outer) {
  let key = '';
  for (const scope of outer) {
    if (!numberOf.has(scope)) numberOf.set(scope, (numbers += 1));
    key += `${numberOf.get(scope)},`;
  }
  return `${key}\n${text}`;
}

/** The result of `make` for a text, made once. */
function once(text, outer, kind, make) {
  const key = `${kind}${keyOf(text, outer)}`;
  let found = kept.get(key);
  if (found === undefined) {
    found = make();
    if (kept.size === MOST_KEPT) kept.delete(kept.keys().next().value);
    kept.set(key, found);
  }
  return found;
}

const parseText = (text, outer) => once(text, outer, 'd', () => new Parser(text, new Scope(outer), measure).parse());

/** The parts of a text or an array: sets and texts become scopes, objects stay. */
function partsOf(value, where) {
  const parts = Array.isArray(value) ? Array.from(value) : [value];
  const outer = [];
  return parts.map((part, i) => {
    if (typeof part === 'string') {
      const scope = parseText(part, [...outer]);
      outer.push(scope);
      return { scope };
    }
    if (typeof part === 'object' && part !== null && scopes.has(part)) {
      outer.push(scopes.get(part));
      return { scope: scopes.get(part), isSet: true };
    }
    if (typeof part !== 'object' || part === null || Array.isArray(part)) {
      throw wrongType(
        Array.isArray(value) ? `${where}[${i}]` : where,
        'C text, a set of cdef() or an object of declarations',
        part,
      );
    }
    return { object: part };
  });
}

// ---- functions ------------------------------------------------------------------------------------------------------

/** The declarations of all functions that a text declares. */
const functionsIn = (scope) => {
  const symbols = { __proto__: null };
  scope.functions.forEach((declared, name) => {
    symbols[name] = declarationOf(declared, name);
  });
  return symbols;
};

/**
 * C text, or an array of sets, texts and objects, as an object of declarations, and the scope of its types.
 * @param {unknown} value
 * @param {string} where for messages
 * @returns {{ symbols: object, scope: InstanceType<typeof Scope> }}
 */
function parseSymbols(value, where) {
  const parts = partsOf(value, where);
  const symbols = { __proto__: null };
  for (const { scope, isSet, object } of parts) {
    if (scope !== undefined) {
      if (!isSet || parts.length === 1) Object.assign(symbols, ...scope.texts.map(functionsIn));
      continue;
    }
    for (const name of Object.keys(object)) {
      symbols[name] = isDeclaration(object[name])
        ? object[name]
        : added(parts, symbols, name, object[name], `${where}: ${name}`);
    }
  }
  return { symbols, scope: new Scope(parts.flatMap(({ scope }) => scope ?? [])) };
}

/** Whether an object declares a function by itself: its `args` is a list of types. */
const isDeclaration = (value) =>
  typeof value === 'object' && value !== null && (Array.isArray(value.args) || value.returns !== undefined);

/** What an object says of a function that a text declares. */
function added(parts, symbols, name, value, where) {
  const declared = parts.reduce((found, { scope }) => scope?.function(name) ?? found, undefined);
  // dlopen checks what is not merged here, with the keys that it knows.
  if (typeof value !== 'object' || value === null || (declared === undefined && symbols[name] === undefined))
    return value;
  const { args, free, ...others } = { __proto__: null, ...value };
  if (free !== undefined && typeof free !== 'string') throw wrongType(`${where}.free`, 'the name of a function', free);
  const isOwned = free !== undefined && declared !== undefined;
  const declaration = isOwned
    ? declarationOf({ ...declared, marks: { __proto__: null, ...declared.marks, free: { text: free } } }, name)
    : (symbols[name] ?? declarationOf(declared, name));
  const result = { ...declaration, ...others, ...(free !== undefined && !isOwned && { free }) };
  if (args !== undefined)
    result.args = describedArguments(declared?.type.parameters ?? [], declaration.args, args, where);
  return result;
}

const ADDITION_KEYS = { lengthOf: 'any', minBytes: 'number', flow: 'any' };

/** The arguments with what an object says of them by their names. */
function describedArguments(parameters, types, additions, where) {
  const indexOf = (name) => parameters.findIndex((parameter) => parameter.name === name);
  const args = [...types];
  for (const name of Object.keys(parseOptions(additions, keysOf(parameters), `${where}.args`))) {
    const given = parseOptions(additions[name], ADDITION_KEYS, `${where}.args.${name}`);
    const { lengthOf } = given;
    const of = typeof lengthOf === 'string' ? indexOf(lengthOf) : lengthOf;
    if (of === -1)
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${where}.args.${name}.lengthOf: there is no parameter named ${lengthOf}`,
      );
    args[indexOf(name)] = { type: types[indexOf(name)], name, ...given, ...(of !== undefined && { lengthOf: of }) };
  }
  return args;
}

const keysOf = (parameters) =>
  Object.fromEntries(parameters.flatMap(({ name }) => (name === undefined ? [] : [[name, 'any']])));

/**
 * The one function of a text: its name and its declaration.
 * @param {unknown} value
 * @param {string} where
 * @param {InstanceType<typeof Scope>[]} outer
 */
function parseFunction(value, where, outer = []) {
  if (typeof value !== 'string') throw wrongType(where, "C text, such as 'int abs(int)'", value);
  const scope = parseText(value, outer);
  const [[name, declared] = [], ...others] = [...scope.functions];
  if (name === undefined || others.length > 0) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where} must declare one function, and declares ${others.length + (name === undefined ? 0 : 1)}`,
    );
  }
  return { name, declaration: declarationOf(declared, name) };
}

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
  return { text, type: once(text, outer, 't', () => new Parser(text, new Scope(outer), measure).parseType()) };
}

/** The line to show for an error without a position: the one with a name, or the first. */
function inText(text, work, name) {
  try {
    return work();
  } catch (error) {
    if (error.code !== undefined) throw error;
    throw name === undefined
      ? faultAt(text, 0, error.message)
      : faultAt(text, placeOf(text, name), `${name}: ${error.message}`);
  }
}

/** Where a name is in a text for the last time: its declaration is behind its uses within itself. */
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

// ---- sets -----------------------------------------------------------------------------------------------------------

/** The declarations of a C text. Each part is converted when it is first read. */
class Definitions {
  #scopes;
  #made = {};

  constructor(parts) {
    this.#scopes = parts.flatMap(({ scope }) => scope.texts);
  }

  #once(key, make) {
    return (this.#made[key] ??= Object.freeze(make({ __proto__: null })));
  }

  /** The types by their typedef names and tags, for use in declarations. A tag is there as `struct tag`, too. */
  get types() {
    return this.#once('types', (types) => {
      for (const scope of this.#scopes) {
        for (const [tag, known] of scope.tags) {
          const type = inText(
            scope.text,
            () =>
              typeOfName(
                known.keyword === 'enum' ? { kind: 'enum', enumeration: known } : { kind: 'record', record: known },
              ),
            tag,
          );
          if (type !== undefined) types[tag] = types[`${known.keyword} ${tag}`] = type;
        }
        for (const [name, declared] of scope.typedefs) {
          const type = inText(scope.text, () => typeOfName(declared), name);
          if (type !== undefined) types[name] = type;
        }
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
    return this.#once('symbols', (symbols) => Object.assign(symbols, ...this.#scopes.map(functionsIn)));
  }
}

/**
 * A set of declarations, for use by other texts and for its types and constants.
 * @param {string | Array} value C text, or an array of sets and texts
 */
function cdef(value) {
  const parts = partsOf(value, 'cdef: text');
  const object = parts.findIndex((part) => part.object !== undefined);
  if (object >= 0) throw wrongType(`cdef: text[${object}]`, 'C text or a set of cdef()', value[object]);
  const definitions = new Definitions(parts);
  scopes.set(definitions, parts.length === 1 ? parts[0].scope : Scope.join(parts.map(({ scope }) => scope)));
  return Object.freeze(definitions);
}

module.exports = { cdef, typeOfVariable, parseSymbols, parseFunction, parseRecord, parseSignature, parseType };
