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

/** The types of the first so many extra arguments. */
class Extras {
  /** By the type of the next one, as it was passed: messages name it so. */
  #longer = new Map();
  /** @type {Function | undefined} */
  #call;

  /** @param {{ descriptor: import('../types/registry.js').TypeDescriptor, type: unknown }[]} list */
  constructor(list) {
    this.list = list;
  }

  /** The types with one more. */
  with(type, name, position) {
    const known = this.#longer.get(type);
    if (known !== undefined) return known;
    const descriptor = extraDescriptor(type, `${name}: the type of argument ${position}`);
    const longer = new Extras([...this.list, { descriptor, type }]);
    this.#longer.set(type, longer);
    return longer;
  }

  /** The function for these types. */
  callBy(prepare) {
    return (this.#call ??= prepare(this.list));
  }
}

/**
 * A function that takes the declared arguments and then pairs [type, value].
 * @param {number} fixed how many arguments are declared
 * @param {(extras: { descriptor: import('../types/registry.js').TypeDescriptor, type: unknown }[]) => Function} prepare
 *   the function for a list of { descriptor, type }
 */
function variadic(name, fixed, most, prepare) {
  const none = new Extras([]);
  const call = (...values) => {
    if (values.length > most) throw outOfRange(`${name}: the number of arguments`, `at most ${most}`, values.length);
    let extras = none;
    for (let i = fixed; i < values.length; i += 1) {
      const pair = values[i];
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw wrongType(`${name}: argument ${i}`, 'a pair [type, value]', pair, pairHint(pair));
      }
      // Each is read once.
      extras = extras.with(pair[0], name, i);
      values[i] = pair[1];
    }
    return extras.callBy(prepare)(...values);
  };
  return Object.defineProperty(call, 'length', { value: fixed });
}

module.exports = { variadic };
