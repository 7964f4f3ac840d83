'use strict';
// The sets that cdef() has made, each with its scope, and the texts that were parsed. Separate from the parser, so that
// they are recognised without loading it.

const { BoundedMap } = require('../bounded-map.js');

const scopes = new WeakMap();

/** The scopes of parsed texts that no set stands before. */
const scopesByText = new BoundedMap(64);

/** Whether declarations are C text: a text, a set, or an array of those and of objects. */
const isText = (value) => typeof value === 'string' || Array.isArray(value) || scopes.has(value);

module.exports = { scopes, scopesByText, isText };
