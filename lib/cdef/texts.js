'use strict';
// Parsed C texts: each text is parsed once for the sets before it.

const { BoundedMap } = require('../bounded-map.js');
const { wrongType } = require('../errors.js');
const { adopt, measure } = require('./convert.js');
const { Parser } = require('./parser.js');
const { typesOfPlain } = require('./plain.js');
const { Scope } = require('./scope.js');
const { scopes, scopesByText } = require('./sets.js');

/** A cache of parsed texts by the scopes before them, because programs open a library again and again. */
const resultsByKey = { declarations: scopesByText, type: new BoundedMap(64) };

let numbers = 0;
const numberOf = new WeakMap();

function keyOf(text, outer) {
  if (outer.length === 0) return text;
  let key = '';
  for (const scope of outer) {
    if (!numberOf.has(scope)) numberOf.set(scope, (numbers += 1));
    key += `${numberOf.get(scope)},`;
  }
  return `${key}\n${text}`;
}

/**
 * The result of `make` for a text, made once.
 * @param {string} text
 * @param {InstanceType<typeof Scope>[]} outer
 * @param {'declarations' | 'type'} kind
 * @param {() => any} make
 */
function once(text, outer, kind, make) {
  const key = keyOf(text, outer);
  return resultsByKey[kind].get(key) ?? resultsByKey[kind].set(key, make());
}

const parserOf = (text, outer) => new Parser(text, new Scope(outer), measure);
const parseText = (text, outer) =>
  once(text, outer, 'declarations', () => {
    const types = outer.length === 0 ? typesOfPlain(text) : undefined;
    return types === undefined ? parserOf(text, outer).parse() : parsePlain(text, types);
  });
const parseTypeText = (text, outer) => once(text, outer, 'type', () => parserOf(text, outer).parseType());

const scopeOfTypes = new WeakMap();

/** The scope of a text that was read without the parser: its types are those that were made then. */
function parsePlain(text, types) {
  let scope = scopeOfTypes.get(types);
  if (scope === undefined) {
    scope = parserOf(text, []).parse();
    adopt(scope, types);
    scopeOfTypes.set(types, scope);
  }
  return scope;
}

/** The parts of a text or an array: sets and texts become scopes, objects stay. */
function partsOf(value, where) {
  const parts = Array.isArray(value) ? Array.from(value) : [value];
  const outer = [];
  return parts.map((part, i) => {
    if (typeof part === 'string') {
      const scope = parseText(part, [...outer]);
      outer.push(scope);
      return { scope };
    }
    if (typeof part === 'object' && part !== null && scopes.has(part)) {
      outer.push(scopes.get(part));
      return { scope: scopes.get(part), isSet: true };
    }
    if (typeof part !== 'object' || part === null || Array.isArray(part)) {
      throw wrongType(
        Array.isArray(value) ? `${where}[${i}]` : where,
        'C text, a set of cdef() or an object of declarations',
        part,
      );
    }
    return { object: part };
  });
}

module.exports = { parsePlain, parseText, parseTypeText, partsOf };
