'use strict';
// The functions that C text declares, as objects of declarations. Not loaded for a text of plain prototypes alone:
// plain.js.

const { makeError, wrongType } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { declarationOf } = require('./convert.js');
const { Scope } = require('./scope.js');
const { partsOf, parsePlain, parseText } = require('./texts.js');

const converted = new WeakMap();

/** The declarations of all functions of a scope. */
function functionsIn(scope) {
  let symbols = converted.get(scope);
  if (symbols !== undefined) return symbols;
  symbols = { __proto__: null };
  for (const [name, declared] of scope.functions) symbols[name] = declarationOf(declared, name);
  converted.set(scope, symbols);
  return symbols;
}

/**
 * C text, or an array of sets, texts and objects, as names and declarations, and what gives the scope of its types.
 * @param {unknown} value
 * @param {string} where for messages
 * @returns {{ entries: [string, any][], scope: () => InstanceType<typeof Scope> }}
 */
function parseSymbols(value, where) {
  const parts = partsOf(value, where);
  if (parts.length === 1 && parts[0].scope?.texts.length === 1)
    return { entries: Object.entries(functionsIn(parts[0].scope)), scope: () => parts[0].scope };
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
  return { entries: Object.entries(symbols), scope: () => Scope.join(parts.flatMap(({ scope }) => scope ?? [])) };
}

/** The scope of a text that was read without the parser, and the types that it declares. */
const scopeOf = (text, types) => (types === undefined ? parseText(text, []) : parsePlain(text, types));

/** Whether an object declares a function by itself: its `args` is a list of types. */
const isDeclaration = (value) =>
  typeof value === 'object' && value !== null && (Array.isArray(value.args) || value.returns !== undefined);

/** The options in an object for a function that a text declares. */
function added(parts, symbols, name, value, where) {
  const declared = parts.reduce((found, { scope }) => scope?.function(name) ?? found, undefined);
  // dlopen checks what is not merged here, with the keys that it knows.
  if (typeof value !== 'object' || value === null || (declared === undefined && symbols[name] === undefined))
    return value;
  const { args, free, ...others } = { __proto__: null, ...value };
  if (free !== undefined && typeof free !== 'string') throw wrongType(`${where}.free`, 'the name of a function', free);
  const isOwned = free !== undefined && declared !== undefined;
  const declaration = isOwned
    ? declarationOf(
        {
          ...declared,
          type: declared.type,
          plain: undefined,
          marks: { __proto__: null, ...declared.marks, free: { text: free } },
        },
        name,
      )
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
    const addition = parseOptions(additions[name], ADDITION_KEYS, `${where}.args.${name}`);
    const { lengthOf } = addition;
    const of = typeof lengthOf === 'string' ? indexOf(lengthOf) : lengthOf;
    if (of === -1)
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${where}.args.${name}.lengthOf: there is no parameter named ${lengthOf}`,
      );
    args[indexOf(name)] = { type: types[indexOf(name)], name, ...addition, ...(of !== undefined && { lengthOf: of }) };
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
  const [name, ...others] = scope.functions.keys();
  if (name === undefined || others.length > 0) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${where} must declare one function, and declares ${others.length + (name === undefined ? 0 : 1)}`,
    );
  }
  return { name, declaration: functionsIn(scope)[name], own: scope };
}

module.exports = { scopeOf, parseSymbols, parseFunction };
