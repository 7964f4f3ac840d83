'use strict';
// Results that the caller has to free: { type, free }. The text is copied, then the C function frees it.

const { bind } = require('./bind.js');
const { DeclaredType } = require('../types/native-type.js');
const { wrongType, wrongValue } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { readAddress, resolvePointer } = require('../types/pointers.js');
const { byName, typeOf, isDeclared } = require('../types/registry.js');

const TEXTS = new Set(['cstring', 'utf16', 'wstring']);
const base = byName.get('ptr');
let keys = 0;

/** The address of the function that frees: of a symbol by name, or as it is given. */
function addressOf(free, find, where) {
  if (typeof free === 'string') {
    if (find !== undefined) return find(free);
    throw wrongType(where, 'an address or a bound function: there is no library to look a name up in', free);
  }
  const address = resolvePointer(free, where);
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw wrongType(where, 'the name of a symbol, an address or a bound function', free);
  }
  return address;
}

/** { cstring: true, free } is short for { type: 'cstring', free }. */
function textOf({ type, cstring, free }, where) {
  if (cstring === undefined) return { type, free };
  if (type !== undefined) throw wrongValue(`${where}.cstring`, 'left out where there is a `type`', cstring);
  if (cstring !== true && typeOf(cstring, `${where}.cstring`).name !== 'cstring') {
    throw wrongValue(`${where}.cstring`, 'true', cstring);
  }
  return { type: 'cstring', free };
}

/**
 * Converts a declaration's `returns`: { type, free } becomes a type, anything else stays.
 * @param {((name: string) => number | bigint) | undefined} find the address of a symbol by its name
 */
function ownedResult(returns, name, find, lifetime) {
  if (typeof returns !== 'object' || returns === null || Array.isArray(returns) || isDeclared(returns)) return returns;
  const where = `${name}: returns`;
  const { type, free } = textOf(parseOptions(returns, { type: 'any', cstring: 'any', free: 'any' }, where), where);
  const descriptor = typeOf(type, `${where}.type`);
  if (free === undefined) return type;
  if (!TEXTS.has(descriptor.name))
    throw wrongValue(`${where}.type`, 'cstring, utf16 or wstring, as it is freed', descriptor.name);
  const release = bind(
    `${name}: free`,
    addressOf(free, find, `${where}.free`),
    { __proto__: null, args: ['ptr'] },
    lifetime,
  );
  return Object.freeze(
    new DeclaredType({
      ...base,
      name: descriptor.name,
      key: `owned ${(keys += 1)}`,
      read(view, at) {
        const address = readAddress(view, at);
        if (address === null) return null;
        try {
          return descriptor.read(view, at);
        } finally {
          release(address);
        }
      },
    }),
  );
}

module.exports = { ownedResult };
