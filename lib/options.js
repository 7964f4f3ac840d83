'use strict';
// Objects of options and declarations: own keys only, each read once, unknown keys refused.

const { wrongType, makeError } = require('./errors');

/**
 * A copy of the own properties of `value`, without a prototype. Throws for a non-object and for a key not in `keys`.
 * @param {unknown} value
 * @param {Record<string, string>} keys the allowed keys and the `typeof` each must have ('any' for what is checked later)
 * @param {string} where
 */
function optionsOf(value, keys, where) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(where, 'an object', value);
  const options = { __proto__: null };
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(keys, key)) {
      throw makeError('ERR_INVALID_ARG_VALUE', `${where} has the unknown key '${key}'; known are ${Object.keys(keys).join(', ')}`);
    }
    const option = value[key];
    if (option === undefined) continue;
    if (keys[key] !== 'any' && typeof option !== keys[key]) throw wrongType(`${where}.${key}`, `a ${keys[key]}`, option);
    options[key] = option;
  }
  return options;
}

/** The own keys and values of an object of declarations. */
function entriesOf(value, where) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(where, 'an object of declarations by symbol name', value);
  }
  return Object.keys(value).map((key) => [key, value[key]]);
}

module.exports = { optionsOf, entriesOf };
