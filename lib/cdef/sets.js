'use strict';
// The sets that cdef() has made, each with its scope. Separate from the parser, so that a set is recognised without
// loading it.

const scopes = new WeakMap();

/** Whether declarations are C text: a text, a set, or an array of those and of objects. */
const isText = (value) => typeof value === 'string' || Array.isArray(value) || scopes.has(value);

module.exports = { scopes, isText };
