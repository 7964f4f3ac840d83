'use strict';
// out() and inout(): parameters through which C returns values.

const { wrongValue } = require('../errors.js');
const { parseOptions } = require('../validate.js');
const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { byName, isDeclared, typeOf } = require('./registry.js');

const base = byName.get('ptr');
let keys = 0;

const TEXTS = new Set(['cstring', 'utf16', 'wstring']);

/** { type, free } is a text that the caller frees: the function that frees it is found when the parameter is bound. */
function ownedText(declared, kind) {
  if (typeof declared !== 'object' || declared === null || isDeclared(declared))
    return { type: declared, free: undefined };
  const { type, free } = parseOptions(declared, { type: 'any', free: 'any' }, `${kind}: type`);
  if (free !== undefined && !TEXTS.has(typeOf(type, `${kind}: type.type`).name)) {
    throw wrongValue(`${kind}: type.type`, 'cstring, utf16 or wstring, as it is freed', type);
  }
  return { type, free };
}

const parameter = (kind) => (declared) => {
  const { type, free } = ownedText(declared, kind);
  const target = typeOf(type, `${kind}: type`);
  if (target.name === 'void' || target.argumentOnly || target.isFlexible) {
    throw wrongValue(
      `${kind}: type`,
      target.isFlexible ? 'a type of fixed size' : 'a type that has values in memory',
      target.name,
    );
  }
  const targetType = typeof type === 'string' ? type : undefined;
  const make = () => ({
    ...base,
    name: `${kind}(${targetType ?? target.name})`,
    key: `${kind} ${(keys += 1)}`,
    argumentOnly: 'it is a parameter of a function',
    outParam: kind,
    target,
    targetType,
    free,
  });
  const descriptor = free === undefined ? sharedBy([kind, keyOf(target), targetType], make) : make();
  return Object.freeze(new DeclaredType(descriptor));
};

/** A parameter through which C returns a value. The call returns it, and the caller does not pass it. */
const out = parameter('out');

/** A parameter through which C receives a value and returns one. */
const inout = parameter('inout');

module.exports = { out, inout };
