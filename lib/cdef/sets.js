'use strict';
// The sets that cdef() has made, each with its scope. Apart from the parser, so that objects are told from sets without it.

const scopes = new WeakMap();

/** Whether declarations are C text: a text, a set, or an array of those and of objects. */
const isText = (value) => typeof value === 'string' || Array.isArray(value) || scopes.has(value);

module.exports = { scopes, isText };
