'use strict';
// Names of the module: C has several spaces of names, a module has one.

const RESERVED = new Set(
  (
    'await break case catch class const continue debugger default delete do else enum export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static ' +
    'super switch this throw true try typeof var void while with yield arguments eval undefined NaN Infinity ' +
    // What the module itself uses.
    'Error Object Buffer dlopen struct union array pointer out inout enumeration opaque fn constants library check ' +
    'sizeof alignof offsetof ptr toBuffer DeclaredField DeclaredType Handle BoundFunction Named NamedArguments symbols cc ' +
    'shims exports module require process'
  ).split(' '),
);

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

module.exports = { Names, keyOf };
