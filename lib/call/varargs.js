'use strict';
// Calls of variadic functions: arguments after the declared ones are pairs [type, value], promoted as C does.
// A signature is prepared once for each list of types.

const { wrongType, outOfRange } = require('../errors.js');
const { byName, byTag, typeOf } = require('../types/registry.js');

const int = byName.get('i32');
/** By their ids, which enumerations share. */
const NARROW = new Set(['char', 'i8', 'u8', 'i16', 'u16', 'bool'].map((name) => byName.get(name).id));
const scratch = new DataView(new ArrayBuffer(8));

/** The descriptor that C passes for a type that it promotes; the range is still that of the type. */
function promoted(descriptor) {
  const isNarrow = NARROW.has(descriptor.id) || (descriptor.name === 'wchar_t' && descriptor.size < int.size);
  if (descriptor.name !== 'f32' && !isNarrow) return descriptor;
  const wide = isNarrow ? int : byName.get('f64');
  return {
    __proto__: null,
    ...wide,
    key: `${descriptor.key ?? descriptor.id} promoted`,
    write(view, at, value, name, position) {
      descriptor.write(scratch, 0, value, name, position);
      wide.write(view, at, Number(byTag(descriptor.id).read(scratch, 0)), name, position);
    },
  };
}

const promotions = new Map();

/** The promoted descriptor of an extra argument. */
function extraDescriptor(type, where) {
  const descriptor = typeOf(type, where);
  if (descriptor.name === 'void' || descriptor.isArray || descriptor.outParam)
    throw wrongType(where, 'the type of a value', type);
  if (!promotions.has(descriptor)) promotions.set(descriptor, promoted(descriptor));
  return promotions.get(descriptor);
}

/** The key of an extra argument's type in the cache; messages name the type as it was passed. */
const keyOf = ({ descriptor, type }) =>
  `${descriptor.key ?? descriptor.id}${typeof type === 'string' ? ` ${type}` : ''}`;

/** The pair that was probably meant. */
function pairHint(value) {
  switch (typeof value) {
    case 'string':
      // koffi has the type and the value as two arguments.
      return byName.has(value) || /^[\w ]+\*$/.test(value)
        ? `; write the type and its value as one argument: [type, value]`
        : "; for a text write ['cstring', text]";
    case 'number':
      return Number.isInteger(value) ? "; for an int write ['int', number]" : "; for a double write ['double', number]";
    case 'bigint':
      return "; for a long long write ['long long', bigint]";
    case 'function':
      return "; for a callback write ['function', callback]";
    case 'object':
      if (value === null) return "; for NULL write ['ptr', null]";
      return "; for memory write ['ptr', value], for a callback ['function', callback]";
    default:
      return '';
  }
}

/** A [type, value] that was passed: an array is taken apart once. */
function extraOf(pair, name, position) {
  if (!Array.isArray(pair) || pair.length !== 2) {
    throw wrongType(`${name}: argument ${position}`, 'a pair [type, value]', pair, pairHint(pair));
  }
  const [type, value] = pair;
  return { descriptor: extraDescriptor(type, `${name}: the type of argument ${position}`), type, value };
}

/**
 * A function that takes the declared arguments and then pairs [type, value].
 * @param {number} fixed how many arguments are declared
 * @param {(extras: { descriptor: import('../types/registry.js').TypeDescriptor, type: unknown }[]) => Function} prepare
 *   the function for a list of { descriptor, type }
 */
function variadic(name, fixed, most, prepare) {
  const prepared = new Map();
  const call = (...values) => {
    if (values.length > most) throw outOfRange(`${name}: the number of arguments`, `at most ${most}`, values.length);
    const extras = values.slice(fixed).map((pair, i) => extraOf(pair, name, fixed + i));
    const key = extras.map(keyOf).join();
    if (!prepared.has(key)) prepared.set(key, prepare(extras));
    return prepared.get(key)(...values.slice(0, fixed), ...extras.map(({ value }) => value));
  };
  return Object.defineProperty(call, 'length', { value: fixed });
}

module.exports = { variadic };
