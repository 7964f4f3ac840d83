'use strict';
// Whether two declarations of a name agree.

const { isInteger } = require('./types.js');
const { byName } = require('../types/registry.js');

/** More parts than the types of a declaration have that a person has written: the rest is not compared. */
const MOST_PARTS = 1000;

/**
 * Whether two types are the same for a call. `int` and `int32_t` are, and so is `()` and any parameters.
 * @param {any} a
 * @param {any} b
 */
function isSameType(a, b, compared = { parts: 0 }) {
  compared.parts += 1;
  if (a === b || a.kind === 'unsupported' || b.kind === 'unsupported' || compared.parts > MOST_PARTS) return true;
  // Compilers choose the integer type of an enum.
  if (a.kind === 'enum' || b.kind === 'enum') return a.enumeration === b.enumeration || (isInteger(a) && isInteger(b));
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'scalar':
      return byName.get(a.name).name === byName.get(b.name).name;
    case 'pointer':
      return Boolean(a.to.isConst) === Boolean(b.to.isConst) && isSameType(a.to, b.to, compared);
    case 'array':
      return (!a.length || !b.length || a.length === b.length) && isSameType(a.of, b.of, compared);
    case 'function':
      return isSameType(a.returns, b.returns, compared) && hasSameParameters(a, b, compared);
    default:
      return a.record === b.record;
  }
}

function hasSameParameters(a, b, compared) {
  if (a.isUnspecified || b.isUnspecified) return true;
  return (
    a.isVariadic === b.isVariadic &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every(({ type }, i) => isSameType(type, b.parameters[i].type, compared))
  );
}

module.exports = { isSameType };
