'use strict';
// Validates objects of options and declarations: own keys only, each read once, unknown keys refused.

const { types } = require('node:util');
const { wrongType, outOfRange, makeError } = require('./errors.js');
const { nearest, didYouMean } = require('./nearest.js');

/**
 * A copy of the own properties of `value`, without a prototype. Throws for a non-object and for a key not in `keys`.
 * @param {unknown} value
 * @param {Record<string, string>} keys the allowed keys and the `typeof` each must have ('any' for what is checked
 *   later)
 * @param {string} where
 */
const parseOptions = function (value, keys, where) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType(where, keys.args === undefined ? 'an object' : DECLARATION, value, hintFor(value, keys));
  // A literal without a prototype would be a dictionary, which takes more room and is slower to read.
  const options = Object.setPrototypeOf({}, null);
  const own = Object.keys(value);
  for (let i = 0; i < own.length; i += 1) {
    const key = own[i];
    if (!Object.hasOwn(keys, key)) throw unknownKey(key, keys, where);
    const option = value[key];
    if (option === undefined) continue;
    if (keys[key] !== 'any' && typeof option !== keys[key])
      throw wrongType(`${where}.${key}`, `a ${keys[key]}`, option);
    options[key] = option;
  }
  return options;
};

const DECLARATION = 'an object { args: [...], returns: ... }';

/** For a prototype in place of a declaration. */
const hintFor = (value, keys) =>
  typeof value === 'string' && value.includes('(') && keys.optional !== undefined
    ? '; C text is passed for all functions: dlopen(path, `int abs(int n);`)'
    : '';

/** The names that other packages have for the keys of a declaration. */
const MEANT = {
  __proto__: null,
  arguments: 'args',
  parameters: 'args',
  params: 'args',
  paramsType: 'args',
  argTypes: 'args',
  return: 'returns',
  result: 'returns',
  ret: 'returns',
  retType: 'returns',
  returnType: 'returns',
  variadic: 'varargs',
  async: 'nonblocking',
  symbol: 'name',
  pointer: 'ptr',
};

/** Keys that belong into the object of another one. */
const INSIDE = {
  isolate: ['timeout', 'restart', 'share', 'sandbox', 'stderr', 'env', 'cwd', 'command', 'spin', 'malloc'],
  sandbox: ['read', 'write', 'net', 'exec', 'memory', 'cpu', 'require'],
};

/** The key that was meant; undefined where none is near. */
function meantBy(key, keys) {
  if (Object.hasOwn(keys, MEANT[key] ?? '')) return MEANT[key];
  const outer = Object.keys(INSIDE).find((each) => Object.hasOwn(keys, each) && INSIDE[each].includes(key));
  return outer === undefined ? nearest(key, Object.keys(keys)) : `${outer}: { ${key} }`;
}

function unknownKey(key, keys, where) {
  const known = Object.keys(keys);
  const meant = meantBy(key, keys);
  return makeError(
    'ERR_INVALID_ARG_VALUE',
    `${where} has the unknown key '${key}'${didYouMean(meant) || `; known are ${known.join(', ')}`}`,
  );
}

const isCollection = (value) => types.isMap(value) || types.isSet(value);

/** The own keys and values of an object of declarations. */
const entriesOf = function (value, where) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(where, 'an object of declarations by symbol name', value);
  }
  /** @type {any[]} */
  const entries = Object.keys(value);
  // The entries of a Map are no properties.
  if (entries.length === 0 && isCollection(value))
    throw wrongType(where, 'an object of declarations by symbol name', value);
  for (let i = 0; i < entries.length; i += 1) entries[i] = [entries[i], value[entries[i]]];
  return entries;
};

/**
 * A length, a count or an offset as a number: C gives many of them as BigInts.
 * @param {unknown} value
 * @param {string} where
 * @param {string} expected the range, for messages
 * @param {number} [least]
 * @param {number} [most]
 */
function integerOf(value, where, expected, least = 0, most = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(where, expected, value);
  if (!(value >= least && value <= most) || (typeof value === 'number' && !Number.isInteger(value)))
    throw outOfRange(where, expected, value);
  return Number(value);
}

/** Whether a value is a URL, of any realm or library. */
const isUrl = (value) => typeof value === 'object' && value !== null && typeof value.href === 'string';

module.exports = { parseOptions, entriesOf, integerOf, isUrl };
