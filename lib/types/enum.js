'use strict';
// enumeration(): integers with names.

const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { makeError, wrongValue, wrongType, locationOf } = require('../errors.js');
const { nearest, didYouMean } = require('../nearest.js');
const { parseOptions, entriesOf } = require('../validate.js');
const { typeOf } = require('./registry.js');

const scratch = new DataView(new ArrayBuffer(8));

/** Integers that go in by name or number, and come out as numbers, or as names where `names` asks for them. */
class Enumeration extends DeclaredType {
  #nameOf;

  constructor(descriptor, values, nameOf) {
    super(descriptor);
    this.#nameOf = nameOf;
    Object.defineProperty(this, 'values', { value: values, enumerable: true });
    // The constants as C has them. Properties that every type has come first.
    for (const [name, value] of Object.entries(values)) {
      if (!(name in this)) Object.defineProperty(this, name, { value, enumerable: false });
    }
  }

  /** The name of a value; undefined where it has none. */
  nameOf(value) {
    return this.#nameOf(value);
  }
}

/**
 * @param {Record<string, number | bigint>} members
 * @param {{ type?: string, names?: boolean, name?: string, flags?: boolean }} [options] `type` is the integer type: C's
 *   is int; `flags`: the members are bits, which may be joined: 'A | B' or ['A', 'B']
 */
function enumeration(members, options = {}) {
  const {
    type = 'i32',
    names = false,
    name = 'enumeration',
    flags = false,
  } = parseOptions(
    options,
    { type: 'any', names: 'boolean', name: 'string', flags: 'boolean' },
    'enumeration: options',
  );
  const integer = typeOf(type, `${name}: options.type`);
  if (integer.min === undefined && !/^[iu]64|long/.test(integer.name)) {
    throw wrongValue(`${name}: options.type`, 'an integer type', type);
  }
  const entries = entriesOf(members, `${name}: members`);
  if (entries.length === 0) throw makeError('ERR_INVALID_ARG_VALUE', `${name}: members must be at least one`);
  const [byName, byValue, values] = [new Map(), new Map(), { __proto__: null }];
  for (const [key, value] of entries) {
    if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(`${name}: ${key}`, 'an integer', value);
    integer.write(scratch, 0, value, name, key);
    byName.set(key, value);
    values[key] = value;
    if (!byValue.has(Number(value))) byValue.set(Number(value), key);
  }
  const parts = entries.flatMap(([key, value]) => [key, typeof value, value]);
  const nameOf = flags ? flagNames(values) : (value) => byValue.get(Number(value));
  const numberOf = flags ? joined(byName) : (value) => (typeof value === 'string' ? byName.get(value) : value);
  const descriptor = sharedBy(['enumeration', name, names, flags, keyOf(integer), ...parts], () => ({
    ...integer,
    name,
    key: `enumeration ${(keys += 1)}`,
    members: values,
    read: names ? (view, at) => named(nameOf, integer.read(view, at)) : integer.read,
    // A list is copied before anything is written: it may have getters.
    ...(flags && { resolve: (value) => (Array.isArray(value) ? Array.from(value) : value) }),
    write(view, at, value, owner, position) {
      if (typeof value !== 'string' && !(flags && Array.isArray(value)))
        return integer.write(view, at, value, owner, position);
      const known = numberOf(value);
      if (known === undefined) {
        const expected = `${flags ? 'made of' : 'one of'} ${[...byName.keys()].join(', ')} (${name})`;
        const meant = typeof value === 'string' ? didYouMean(nearest(value, byName.keys())) : '';
        throw wrongValue(locationOf(owner, position), expected, value, meant);
      }
      return integer.write(view, at, known, owner, position);
    },
  }));
  return Object.freeze(new Enumeration(descriptor, Object.freeze(values), nameOf));
}

let keys = 0;

/** The name of a value; the value itself where it has none. */
const named = (nameOf, value) => nameOf(value) ?? value;

/** The number of flags that are joined: 'A | B' or ['A', 'B']; undefined where one is unknown. */
const joined = (byName) => (value) => {
  const parts = Array.isArray(value) ? value : value.split('|').map((part) => part.trim());
  let bits = 0n;
  for (const part of parts) {
    const known = typeof part === 'string' ? byName.get(part) : part;
    if (typeof known !== 'number' && typeof known !== 'bigint') return undefined;
    if (typeof known === 'number' && !Number.isInteger(known)) return undefined;
    bits |= BigInt(known);
  }
  return bits;
};

/** The names of a value's flags, as 'A | B'; undefined where a bit has no name. */
const flagNames = (values) => (value) => {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return undefined;
  const members = Object.entries(values);
  const exact = members.find(([, bits]) => BigInt(bits) === BigInt(value));
  if (exact !== undefined) return exact[0];
  let rest = BigInt(value);
  const names = [];
  for (const [name, flag] of members) {
    const bits = BigInt(flag);
    if (bits === 0n || (BigInt(value) & bits) !== bits || (rest & bits) === 0n) continue;
    names.push(name);
    rest &= ~bits;
  }
  return rest === 0n && names.length > 0 ? names.join(' | ') : undefined;
};

module.exports = { enumeration };
