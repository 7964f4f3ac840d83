'use strict';
// Names of the module: C has several spaces of names, a module has one.

/** Words that are no identifiers. */
const WORDS = new Set(
  (
    'await break case catch class const continue debugger default delete do else enum export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static ' +
    'super switch this throw true try typeof var void while with yield arguments eval'
  ).split(' '),
);

const RESERVED = [
  ...WORDS,
  ...'undefined NaN Infinity Error Object Buffer exports module require process URL'.split(' '),
  // The names that the module itself uses.
  ...'dlopen struct union array pointer out inout enumeration opaque fn constants library symbols shims cc check'.split(
    ' ',
  ),
  ...'sizeof alignof offsetof ptr toBuffer DeclaredField DeclaredType Handle BoundFunction Extra StructType UnionType EnumerationType FunctionType Named NamedArguments'.split(
    ' ',
  ),
  // A module that exports it would be taken for a Promise where it is imported.
  'then',
];

/** The name of a parameter, as a label. */
const labelOf = (name) => (WORDS.has(name) ? `${name}_` : name);

class Names {
  #taken = new Set(RESERVED);

  /** A name like the one that is wanted, that nothing else has. */
  claim(wanted) {
    let name = wanted;
    while (this.#taken.has(name)) name += '_';
    this.#taken.add(name);
    return name;
  }
}

/** A name as the key of an object. */
const keyOf = (name) => (name === '__proto__' ? "['__proto__']" : name);

module.exports = { Names, keyOf, labelOf };
