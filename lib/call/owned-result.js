'use strict';
// Texts that the caller has to free, { type, free }: results, and those that C gives through out parameters. The text
// is copied, then the C function frees it.

const { bind } = require('./bind.js');
const { DeclaredType } = require('../types/native-type.js');
const { wrongType, wrongValue } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { readAddress, resolvePointer } = require('../types/pointers.js');
const { byName, descriptorOf, typeOf, isDeclared } = require('../types/registry.js');

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
  const release = releaseOf(free, name, find, lifetime, where);
  return Object.freeze(
    new DeclaredType({
      ...base,
      name: descriptor.name,
      key: `owned ${(keys += 1)}`,
      signatures: new Map(),
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

const releaseOf = (free, name, find, lifetime, where) =>
  bind(`${name}: free`, addressOf(free, find, `${where}.free`), { __proto__: null, args: ['ptr'] }, lifetime);

/** The type of a parameter whose text is freed once it is read; other types stay. */
function ownedParameter(type, name, find, lifetime, where) {
  const declared = descriptorOf(type);
  if (declared?.outParam === undefined || declared.free === undefined) return type;
  const { target, free } = declared;
  const release = releaseOf(free, name, find, lifetime, where);
  const owned = {
    __proto__: null,
    ...target,
    key: `owned ${(keys += 1)}`,
    isOwned: true,
    readUnfreed: target.read,
    read(view, at) {
      const address = readAddress(view, at);
      if (address === null) return null;
      try {
        return target.read(view, at);
      } finally {
        release(address);
      }
    },
  };
  const key = `owned ${(keys += 1)}`;
  return Object.freeze(new DeclaredType({ ...declared, key, signatures: new Map(), target: owned, free: undefined }));
}

const isOwned = (type) => typeof type === 'object' && type !== null && descriptorOf(type)?.free !== undefined;

/** The arguments of a declaration, where some are parameters whose texts are freed. */
function ownedArgs(args, name, find, lifetime) {
  return args.map((declared, i) => {
    const where = `${name}: args[${i}]`;
    if (isOwned(declared)) return ownedParameter(declared, name, find, lifetime, where);
    if (typeof declared !== 'object' || declared === null || isDeclared(declared) || !isOwned(declared.type))
      return declared;
    return { ...declared, type: ownedParameter(declared.type, name, find, lifetime, where) };
  });
}

module.exports = { ownedResult, ownedArgs };
