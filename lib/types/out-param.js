'use strict';
// out() and inout(): parameters through which C gives values back.

const { wrongValue } = require('../errors.js');
const { DeclaredType, sharedBy, keyOf } = require('./native-type.js');
const { byName, typeOf } = require('./registry.js');

const base = byName.get('ptr');
let keys = 0;

const parameter = (kind) => (type) => {
  const descriptor = typeOf(type, `${kind}: type`);
  if (descriptor.name === 'void' || descriptor.argumentOnly) {
    throw wrongValue(`${kind}: type`, 'a type that has values in memory', descriptor.name);
  }
  return Object.freeze(
    new DeclaredType(
      sharedBy([kind, keyOf(descriptor), typeof type === 'string' ? type : undefined], () => ({
        ...base,
        name: `${kind}(${typeof type === 'string' ? type : descriptor.name})`,
        key: `${kind} ${(keys += 1)}`,
        argumentOnly: 'it is a parameter of a function',
        outParam: kind,
        target: descriptor,
        targetType: typeof type === 'string' ? type : undefined,
      })),
    ),
  );
};

/** A parameter through which C returns a value. The call returns it, and the caller does not pass it. */
const out = parameter('out');

/** A parameter through which C takes a value and gives one back. */
const inout = parameter('inout');

module.exports = { out, inout };
