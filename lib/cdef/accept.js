'use strict';
// struct, union, fn, sizeof, alignof as the package exports them: with C text where they take types.

const { lazy } = require('../lazy.js');
const { struct: structOf } = require('../types/flexible.js');
const structs = require('../types/struct.js');
const functions = lazy(() => require('../callback/function-pointer.js'));
const { byName, typeOf } = require('../types/registry.js');
const { isText } = require('./sets.js');

const cdef = lazy(() => require('./index.js'));

/** struct or union, of fields or of `struct name { ... }`. */
const recordOf = (kind, make) => (fields, options) =>
  isText(fields) ? cdef().parseRecord(fields, `${kind}: text`) : make(fields, options);
const struct = recordOf('struct', structOf);
const union = recordOf('union', structs.union);

/** fn, of an object or of `int (*)(int)`. */
const fn = (declaration) =>
  functions().fn(isText(declaration) ? cdef().parseSignature(declaration, 'fn: declaration', true) : declaration);

/** sizeof or alignof: a name of the table is what it is there, any other text is C. */
const measure = (kind) => (type) => {
  const isC = Array.isArray(type) || (typeof type === 'string' && !byName.has(type));
  return isC
    ? typeOf(cdef().parseType(type, `${kind}: type`), `${kind}: type`)[kind === 'sizeof' ? 'size' : 'align']
    : structs[kind](type);
};
const sizeof = measure('sizeof');
const alignof = measure('alignof');

module.exports = { struct, union, fn, sizeof, alignof };
