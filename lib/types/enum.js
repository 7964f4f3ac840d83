'use strict';
// enumeration(): integers with names.

const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { makeError, wrongValue, wrongType, locationOf } = require('../errors.js');
const { parseOptions, entriesOf } = require('../validate.js');
const { typeOf } = require('./registry.js');

const scratch = new DataView(new ArrayBuffer(8));

/** Integers that go in by name or number, and come out as numbers, or as names where `names` asks for them. */
class Enumeration extends DeclaredType {
  #byValue;

  constructor(descriptor, values, byValue) {
    super(descriptor);
    this.#byValue = byValue;
    Object.defineProperty(this, 'values', { value: values, enumerable: true });
  }

  /** The name of a value; undefined where it has none. */
  nameOf(value) {
    return this.#byValue.get(typeof value === 'bigint' ? Number(value) : value);
  }
}

/**
 * @param {Record<string, number | bigint>} members
 * @param {{ type?: string, names?: boolean, name?: string }} [options] `type` is the integer type: C's is int
 */
function enumeration(members, options = {}) {
  const {
    type = 'i32',
    names = false,
    name = 'enumeration',
  } = parseOptions(options, { type: 'any', names: 'boolean', name: 'string' }, 'enumeration: options');
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
  const descriptor = sharedBy(['enumeration', name, names, keyOf(integer), ...parts], () => ({
    ...integer,
    name,
    key: `enumeration ${(keys += 1)}`,
    members: values,
    read: names ? (view, at) => named(byValue, integer.read(view, at)) : integer.read,
    write(view, at, value, owner, position) {
      if (typeof value !== 'string') return integer.write(view, at, value, owner, position);
      const known = byName.get(value);
      if (known === undefined) {
        throw wrongValue(locationOf(owner, position), `one of ${[...byName.keys()].join(', ')} (${name})`, value);
      }
      return integer.write(view, at, known, owner, position);
    },
  }));
  return Object.freeze(new Enumeration(descriptor, Object.freeze(values), byValue));
}

let keys = 0;

/** The name of a value; the value itself where it has none. */
const named = (byValue, value) => byValue.get(Number(value)) ?? value;

module.exports = { enumeration };
